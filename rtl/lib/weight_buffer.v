// Packed streams of weight codes, in chunks of `Width` pieces of `Chain` bytes, one a column.
//
// Written by the load ports: channel c writes the bytes c * PortBytes and up of a line, so each channel has memories of
// its own and nothing is switched. A write in period p is seen by a read whose address is presented in period p + 1.
// Read latency 2, initiation interval 1. `Reads` is what a period's address reads:
//   0  the chunk at `chunk_i`, `low_o`.
//   1  of every piece its second half, and its first one or, with `half_i`, that of the chunk behind: a piece's length from
//      either half on, of which `half_i` says whether the second half of `low_o` comes first. The halves are memories of
//      their own, no wider together than a chunk. A step of 3 or 5 bits a code can begin in one chunk and end in the next, but
//      needs no more than this.
//   2  the chunk at `chunk_i`, `low_o`, and that behind it, `high_o`: chunks of even and of odd number are memories of their own.
// `high_o` is zero unless `Reads` is 2. Registered: the memories' own address and output registers; the choice of even or odd
// stands behind them.
module weight_buffer #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Width = 32,
    parameter Chain = 16,
    parameter Chunks = 128,
    parameter Reads = 2,
    parameter LineAddressBits = 11,
    parameter ChunkAddressBits = 16,
    parameter ClockGates = 0,
    parameter Style = "block"
) (
    input  wire                              clk_i,
    // Chunks are read in this period, or have been read and are wanted: the clock of what is not written may not rest.
    input  wire                              run_i,
    input  wire               [Channels-1:0] write_valid_i,
    input  wire [Channels*LineAddressBits-1:0] write_line_i,
    input  wire   [Channels*8*PortBytes-1:0] write_data_i,
    input  wire     [Channels*PortBytes-1:0] write_strobe_i,
    input  wire       [ChunkAddressBits-1:0] chunk_i,
    input  wire                              half_i,
    output wire          [8*Width*Chain-1:0] low_o,
    output wire          [8*Width*Chain-1:0] high_o
);
    localparam LineBytes = Channels * PortBytes;
    localparam Lines = Width * Chain / LineBytes;
    localparam LinePlaceBits = $clog2(Lines);
    localparam Banks = Reads == 2 ? 2 : 1;
    localparam BankDepth = Chunks > 2 * Banks ? (Chunks + Banks - 1) / Banks : 2;
    localparam BankBits = $clog2(BankDepth);
    // What a port writes of each half of the pieces is a memory; a port narrower than a piece writes into one half only.
    localparam Halves = Reads == 1 && PortBytes >= Chain ? 2 : 1;
    localparam RamBytes = PortBytes / Halves;
    localparam HalfBytes = Halves == 2 ? Chain / 2 : RamBytes;

    localparam ChunkBits = 8 * Width * Chain;
    wire [Banks*ChunkBits-1:0] bank_word;

    genvar bank;
    genvar line;
    genvar channel;
    genvar half;
    genvar piece;
    generate
        for (bank = 0; bank < Banks; bank = bank + 1) begin : gen_bank
            // The even chunk of a pair: that of an even `chunk_i`, or the one behind an odd one.
            wire [ChunkAddressBits-1:0] read_chunk =
                Banks == 1 ? chunk_i : (chunk_i + {{(ChunkAddressBits-1){1'b0}}, bank == 0}) >> 1;
            wire [ChunkAddressBits-1:0] first_chunk =
                Reads == 1 ? chunk_i + {{(ChunkAddressBits-1){1'b0}}, half_i} : read_chunk;
            wire unused_read_bits = &{1'b0, read_chunk, first_chunk};
            // A line has a clock of its own: one is written in a period, by each channel.
            wire [Channels*Lines-1:0] write_line;
            wire          [Lines-1:0] line_clk;
            for (line = 0; line < Lines; line = line + 1) begin : gen_clock
                clock_gate #(.ClockGates(ClockGates)) u_gate (
                    .clk_i   (clk_i),
                    .enable_i(run_i || |write_line[Channels*line+:Channels]),
                    .clk_o   (line_clk[line])
                );
            end
            for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_channel
                wire [LineAddressBits-1:0] index = write_line_i[LineAddressBits*channel+:LineAddressBits];
                wire [LineAddressBits-1:0] chunk = index >> LinePlaceBits;
                wire [LineAddressBits-1:0] bank_chunk = chunk >> (Banks - 1);
                wire unused_write_bits = &{1'b0, bank_chunk};
                wire write = write_valid_i[channel] && (Banks == 1 || chunk[0] == (bank == 1));
                for (line = 0; line < Lines; line = line + 1) begin : gen_line
                    localparam [LineAddressBits-1:0] Place = line;
                    localparam From = LineBytes * line + PortBytes * channel;
                    assign write_line[Channels*line+channel] = write && index - (chunk << LinePlaceBits) == Place;
                    for (half = 0; half < Halves; half = half + 1) begin : gen_half
                        localparam First = Halves == 2 ? half == 0 : From % Chain < Chain / 2;
                        wire [8*RamBytes-1:0] data;
                        wire   [RamBytes-1:0] strobe;
                        wire [8*RamBytes-1:0] read;
                        for (piece = 0; piece < RamBytes / HalfBytes; piece = piece + 1) begin : gen_piece
                            localparam Byte = Chain * piece + HalfBytes * half;
                            assign data[8*HalfBytes*piece+:8*HalfBytes] =
                                write_data_i[8*(PortBytes*channel+Byte)+:8*HalfBytes];
                            assign strobe[HalfBytes*piece+:HalfBytes] =
                                write_strobe_i[PortBytes*channel+Byte+:HalfBytes];
                            assign bank_word[ChunkBits*bank+8*(From+Byte)+:8*HalfBytes] =
                                read[8*HalfBytes*piece+:8*HalfBytes];
                        end
                        ram_sdp #(
                            .Width(8 * RamBytes),
                            .Depth(BankDepth),
                            .Style(Style)
                        ) u_ram (
                            .clk_i          (line_clk[line]),
                            .write_i        (write_line[Channels*line+channel]),
                            .write_strobe_i (strobe),
                            .write_address_i(bank_chunk[BankBits-1:0]),
                            .write_data_i   (data),
                            .read_address_i (First ? first_chunk[BankBits-1:0] : read_chunk[BankBits-1:0]),
                            .read_data_o    (read)
                        );
                    end
                end
            end
        end
        if (Banks == 2) begin : gen_pair
            wire read_clk;
            clock_gate #(.ClockGates(ClockGates)) u_read_gate (
                .clk_i   (clk_i),
                .enable_i(run_i),
                .clk_o   (read_clk)
            );
            reg [1:0] odd_q;
            always @(posedge read_clk) odd_q <= {odd_q[0], chunk_i[0]};
            // Column by column, as they are used: Verilator then builds no word of a whole chunk.
            genvar column;
            for (column = 0; column < Width; column = column + 1) begin : gen_column
                localparam At = 8 * Chain * column;
                assign low_o[At+:8*Chain] =
                    odd_q[1] ? bank_word[ChunkBits+At+:8*Chain] : bank_word[At+:8*Chain];
                assign high_o[At+:8*Chain] =
                    odd_q[1] ? bank_word[At+:8*Chain] : bank_word[ChunkBits+At+:8*Chain];
            end
        end else begin : gen_one
            assign low_o = bank_word;
            assign high_o = 0;
        end
    endgenerate
    wire unused_half = half_i;

`ifndef SYNTHESIS
    initial if (Lines < 1 || Width * Chain % LineBytes != 0 || Chunks < 1 || BankBits > ChunkAddressBits) begin
        $display("weight_buffer: chunks of %0d x %0d bytes, lines of %0d, %0d chunks: expected whole lines, and chunks that are addressed",
                 Width, Chain, LineBytes, Chunks);
        $finish;
    end
`endif
endmodule
