// Packed streams of N:M indices, in chunks of `Width` pieces of `Chain` bytes, one a column, of which a step reads one half of
// each piece.
//
// Written by the load ports as weight_buffer is. A write in period p is seen by a read whose address is presented in period
// p + 1. Read latency 2, initiation interval 1: of every piece of `chunk_o` the half that `half_i` names is that of the chunk at
// `chunk_i`; the other is anything.
// If a chunk has an even number of lines, of whole pieces of each port, the memories are as wide as half a chunk: a row
// has the first halves of the pieces of a line, the next row the second halves of those of the other line of its pair. So a
// line's halves are written into two memories in one period, and a half of all lines is read from all of them. Otherwise
// they are as wide as a chunk.
// Registered: the memories' own address and output registers.
module index_buffer #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Width = 32,
    parameter Chain = 16,
    parameter Chunks = 128,
    parameter LineAddressBits = 11,
    parameter ChunkAddressBits = 16,
    parameter ClockGates = 0,
    parameter Style = "block"
) (
    input  wire                              clk_i,
    // As weight_buffer has it.
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
    localparam Halves = PortBytes % Chain == 0 && Lines % 2 == 0 ? 2 : 1;
    localparam RamBytes = PortBytes / Halves;
    localparam Depth = Halves * Chunks > 2 ? Halves * Chunks : 2;
    localparam RowBits = $clog2(Depth);
    // What stands in a memory of a port's pieces.
    localparam Pieces = Halves == 2 ? PortBytes / Chain : 1;
    localparam HalfBytes = RamBytes / Pieces;
    // Lines whose memories are written together.
    localparam Groups = Lines / Halves;

    wire [ChunkAddressBits:0] read_row = Halves == 2 ? {chunk_i, half_i} : {1'b0, chunk_i};
    wire unused_read_bits = &{1'b0, read_row, half_i};
    wire [Channels*Groups-1:0] write_group;
    wire          [Groups-1:0] group_clk;
    genvar group;
    genvar line;
    genvar channel;
    genvar piece;
    generate
        for (group = 0; group < Groups; group = group + 1) begin : gen_clock
            clock_gate #(.ClockGates(ClockGates)) u_gate (
                .clk_i   (clk_i),
                .enable_i(run_i || |write_group[Channels*group+:Channels]),
                .clk_o   (group_clk[group])
            );
        end
        for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_channel
            wire [LineAddressBits-1:0] index = write_line_i[LineAddressBits*channel+:LineAddressBits];
            wire [LineAddressBits-1:0] chunk = index >> LinePlaceBits;
            wire [LineAddressBits-1:0] place = index - (chunk << LinePlaceBits);
            wire [LineAddressBits-1:0] place_group = place >> (Halves - 1);
            // Of each piece that the port writes.
            wire [8*RamBytes-1:0] first_data;
            wire [8*RamBytes-1:0] second_data;
            wire   [RamBytes-1:0] first_strobe;
            wire   [RamBytes-1:0] second_strobe;
            for (piece = 0; piece < Pieces; piece = piece + 1) begin : gen_piece
                localparam First = PortBytes * channel + Chain * piece;
                localparam Second = First + HalfBytes * (Halves - 1);
                localparam At = HalfBytes * piece;
                assign first_data[8*At+:8*HalfBytes] = write_data_i[8*First+:8*HalfBytes];
                assign second_data[8*At+:8*HalfBytes] = write_data_i[8*Second+:8*HalfBytes];
                assign first_strobe[At+:HalfBytes] = write_strobe_i[First+:HalfBytes];
                assign second_strobe[At+:HalfBytes] = write_strobe_i[Second+:HalfBytes];
            end
            for (group = 0; group < Groups; group = group + 1) begin : gen_group
                localparam [LineAddressBits-1:0] Group = group;
                assign write_group[Channels*group+channel] = write_valid_i[channel] && place_group == Group;
            end
            for (line = 0; line < Lines; line = line + 1) begin : gen_line
                localparam Odd = line % 2 == 1;
                localparam Other = Odd ? line - 1 : line + 1;
                // Of the other line its second halves.
                wire second = Halves == 2 && place[0] != Odd;
                wire [LineAddressBits:0] write_row = Halves == 2 ? {chunk, second} : {1'b0, chunk};
                wire unused_write_bits = &{1'b0, write_row, second_data, second_strobe};
                wire [8*RamBytes-1:0] read;
                ram_sdp #(
                    .Width(8 * RamBytes),
                    .Depth(Depth),
                    .Style(Style)
                ) u_ram (
                    .clk_i          (group_clk[line/Halves]),
                    .write_i        (write_group[Channels*(line/Halves)+channel]),
                    .write_strobe_i (second ? second_strobe : first_strobe),
                    .write_address_i(write_row[RowBits-1:0]),
                    .write_data_i   (second ? second_data : first_data),
                    .read_address_i (read_row[RowBits-1:0]),
                    .read_data_o    (read)
                );
                for (piece = 0; piece < Pieces; piece = piece + 1) begin : gen_read
                    localparam Byte = PortBytes * channel + Chain * piece;
                    assign chunk_o[8*(LineBytes*line+Byte)+:8*HalfBytes] = read[8*HalfBytes*piece+:8*HalfBytes];
                    if (Halves == 2) begin : gen_second
                        assign chunk_o[8*(LineBytes*Other+Byte+HalfBytes)+:8*HalfBytes] =
                            read[8*HalfBytes*piece+:8*HalfBytes];
                    end
                end
            end
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Lines < 1 || Width * Chain % LineBytes != 0 || Chunks < 1 || RowBits > ChunkAddressBits
        || RowBits > LineAddressBits) begin
        $display("index_buffer: chunks of %0d x %0d bytes, lines of %0d, %0d chunks: expected whole lines, and chunks that are addressed",
                 Width, Chain, LineBytes, Chunks);
        $finish;
    end
`endif
endmodule
