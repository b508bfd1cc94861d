// Packed streams of weight codes or of indices, in chunks of `Width` pieces of `Chain` bytes, one a column.
//
// Written by the load ports: channel c writes the bytes c * PortBytes and up of a line, so each channel has memories of
// its own and nothing is switched. A write in period p is seen by a read whose address is presented in period p + 1.
// Read latency 2, initiation interval 1: `low_o` is the chunk at `chunk_i`, and `high_o` the one behind it if `Straddle`
// (chunks of even and of odd number are then memories of their own), else zero.
// Registered: the memories' own address and output registers; the choice of even or odd stands behind them.
module weight_buffer #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Width = 32,
    parameter Chain = 16,
    parameter Chunks = 128,
    // A step of 3 or 5 bits a code can begin in one chunk and end in the next.
    parameter Straddle = 1,
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
    output wire          [8*Width*Chain-1:0] low_o,
    output wire          [8*Width*Chain-1:0] high_o
);
    localparam LineBytes = Channels * PortBytes;
    localparam Lines = Width * Chain / LineBytes;
    localparam LinePlaceBits = $clog2(Lines);
    localparam Banks = Straddle != 0 ? 2 : 1;
    localparam BankDepth = Chunks > 2 * Banks ? (Chunks + Banks - 1) / Banks : 2;
    localparam BankBits = $clog2(BankDepth);

    localparam ChunkBits = 8 * Width * Chain;
    wire [Banks*ChunkBits-1:0] bank_word;

    genvar bank;
    genvar line;
    genvar channel;
    generate
        for (bank = 0; bank < Banks; bank = bank + 1) begin : gen_bank
            // The even chunk of a pair: that of an even `chunk_i`, or the one behind an odd one.
            wire [ChunkAddressBits-1:0] read_chunk =
                Banks == 1 ? chunk_i : (chunk_i + {{(ChunkAddressBits-1){1'b0}}, bank == 0}) >> 1;
            wire unused_read_bits = &{1'b0, read_chunk};
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
                    assign write_line[Channels*line+channel] = write && index - (chunk << LinePlaceBits) == Place;
                    ram_sdp #(
                        .Width(8 * PortBytes),
                        .Depth(BankDepth),
                        .Style(Style)
                    ) u_ram (
                        .clk_i          (line_clk[line]),
                        .write_i        (write_line[Channels*line+channel]),
                        .write_strobe_i (write_strobe_i[PortBytes*channel+:PortBytes]),
                        .write_address_i(bank_chunk[BankBits-1:0]),
                        .write_data_i   (write_data_i[8*PortBytes*channel+:8*PortBytes]),
                        .read_address_i (read_chunk[BankBits-1:0]),
                        .read_data_o    (bank_word[ChunkBits*bank+8*(LineBytes*line+PortBytes*channel)+:8*PortBytes])
                    );
                end
            end
        end
        if (Banks == 2) begin : gen_straddle
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
        end else begin : gen_aligned
            assign low_o = bank_word;
            assign high_o = 0;
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Lines < 1 || Width * Chain % LineBytes != 0 || Chunks < 1 || BankBits > ChunkAddressBits) begin
        $display("weight_buffer: chunks of %0d x %0d bytes, lines of %0d, %0d chunks: expected whole lines, and chunks that are addressed",
                 Width, Chain, LineBytes, Chunks);
        $finish;
    end
`endif
endmodule
