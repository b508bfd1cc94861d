// Packed streams of weight codes, in chunks of `Width` pieces of `Chain` bytes, one a column.
//
// Written by the load ports: channel c writes the bytes c * PortBytes and up of a line, so each channel has memories of
// its own and nothing is switched. A write in period p is seen by a read whose address is presented in period p + 1.
// Read latency 2, initiation interval 1: `chunk_o` is the chunk at `chunk_i`; but if `Straddle`, and with `half_i`, the first half
// of each piece is that of the chunk behind. So a piece's length is read from either half on: a step of 3 or 5 bits a code
// can begin in one chunk and end in the next, and needs no more than this. The halves are memories of their own, no wider
// together than a chunk.
// Registered: the memories' own address and output registers.
module weight_buffer #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Width = 32,
    parameter Chain = 16,
    parameter Chunks = 128,
    // 0: `half_i` is not read.
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
    input  wire                              half_i,
    output wire          [8*Width*Chain-1:0] chunk_o
);
    localparam LineBytes = Channels * PortBytes;
    localparam Lines = Width * Chain / LineBytes;
    localparam LinePlaceBits = $clog2(Lines);
    localparam Depth = Chunks > 2 ? Chunks : 2;
    localparam RowBits = $clog2(Depth);
    // What a port writes of each half of the pieces is a memory; a port narrower than a piece writes into one half only.
    localparam Halves = Straddle != 0 && PortBytes >= Chain ? 2 : 1;
    localparam RamBytes = PortBytes / Halves;
    localparam HalfBytes = Halves == 2 ? Chain / 2 : RamBytes;

    wire [ChunkAddressBits-1:0] first_chunk =
        Straddle != 0 ? chunk_i + {{(ChunkAddressBits-1){1'b0}}, half_i} : chunk_i;
    wire unused_read_bits = &{1'b0, chunk_i, first_chunk, half_i};
    // A line has a clock of its own: one is written in a period, by each channel.
    wire [Channels*Lines-1:0] write_line;
    wire          [Lines-1:0] line_clk;

    genvar line;
    genvar channel;
    genvar half;
    genvar piece;
    generate
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
            wire unused_write_bits = &{1'b0, chunk};
            for (line = 0; line < Lines; line = line + 1) begin : gen_line
                localparam [LineAddressBits-1:0] Place = line;
                localparam From = LineBytes * line + PortBytes * channel;
                assign write_line[Channels*line+channel] =
                    write_valid_i[channel] && index - (chunk << LinePlaceBits) == Place;
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
                        assign chunk_o[8*(From+Byte)+:8*HalfBytes] = read[8*HalfBytes*piece+:8*HalfBytes];
                    end
                    ram_sdp #(
                        .Width(8 * RamBytes),
                        .Depth(Depth),
                        .Style(Style)
                    ) u_ram (
                        .clk_i          (line_clk[line]),
                        .write_i        (write_line[Channels*line+channel]),
                        .write_strobe_i (strobe),
                        .write_address_i(chunk[RowBits-1:0]),
                        .write_data_i   (data),
                        .read_address_i (First ? first_chunk[RowBits-1:0] : chunk_i[RowBits-1:0]),
                        .read_data_o    (read)
                    );
                end
            end
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Lines < 1 || Width * Chain % LineBytes != 0 || Chunks < 1 || RowBits > ChunkAddressBits) begin
        $display("weight_buffer: chunks of %0d x %0d bytes, lines of %0d, %0d chunks: expected whole lines, and chunks that are addressed",
                 Width, Chain, LineBytes, Chunks);
        $finish;
    end
`endif
endmodule
