// Group scales, in rows of `Width` bytes: the integer scales of a step, and the f16 scales of a word of the drain.
//
// Written by the load ports in lines (`Channels` x `PortBytes`), each channel its own bytes; a line may be more or less
// than a row. Kept twice if there are integer scales (`TwoLevel`), since a step and the drain of an earlier group read in the
// same period; else `integer_scales_o` is zero. A write in period p is
// seen by a read whose address is presented in period p + 1.
// Read latency 3, initiation interval 1: `integer_scales_o` is the row at `integer_row_i`, a byte a column;
// `half_scales_o` the 2 x `ScaleLanes` bytes from byte 2 x `half_column_i` of the row pair at `half_row_i` on
// (`half_column_i` a multiple of `ScaleLanes`). Reads past the end of the buffer give anything.
// Registered: both outputs.
module scale_buffer #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Width = 32,
    parameter ScaleLanes = 4,
    parameter ScaleRows = 256,
    // 0: no row is read for a step.
    parameter TwoLevel = 1,
    parameter LineAddressBits = 11,
    parameter Style = "block"
) (
    input  wire                              clk_i,
    input  wire               [Channels-1:0] write_valid_i,
    input  wire [Channels*LineAddressBits-1:0] write_line_i,
    input  wire   [Channels*8*PortBytes-1:0] write_data_i,
    input  wire     [Channels*PortBytes-1:0] write_strobe_i,
    input  wire                       [17:0] integer_row_i,
    output wire                [8*Width-1:0] integer_scales_o,
    input  wire                       [17:0] half_row_i,
    input  wire                       [11:0] half_column_i,
    output wire          [16*ScaleLanes-1:0] half_scales_o
);
    localparam LineBytes = Channels * PortBytes;
    // A row of the memories: two halves with an address each, so that a pair of rows can begin at either.
    localparam WordBytes = LineBytes > 2 * Width ? LineBytes : 2 * Width;
    localparam HalfBytes = WordBytes / 2;
    localparam WholeWords = (ScaleRows * Width + WordBytes - 1) / WordBytes;
    localparam Words = WholeWords > 1 ? WholeWords : 2;
    localparam WordBits = $clog2(Words);
    localparam Lines = WordBytes / LineBytes;
    localparam LinePlaceBits = $clog2(Lines);
    localparam BankBytes = PortBytes < HalfBytes ? PortBytes : HalfBytes;
    localparam Banks = WordBytes / BankBytes;
    localparam WidthBits = $clog2(Width);
    localparam HalfBits = $clog2(HalfBytes);
    localparam ByteBits = 18 + WidthBits;

    wire [ByteBits-1:0] integer_byte = {integer_row_i, {WidthBits{1'b0}}};
    wire [ByteBits-1:0] half_byte = {half_row_i, {WidthBits{1'b0}}} + {{(ByteBits-13){1'b0}}, half_column_i, 1'b0};
    // Number of the half in which a read begins.
    wire [ByteBits-HalfBits-1:0] integer_half = integer_byte[ByteBits-1:HalfBits];
    wire [ByteBits-HalfBits-1:0] half_half = half_byte[ByteBits-1:HalfBits];
    wire [ByteBits-HalfBits-1:0] half_half_low = half_half + {{(ByteBits-HalfBits-1){1'b0}}, 1'b1};

    wire [8*WordBytes-1:0] integer_word;
    wire [8*WordBytes-1:0] half_word;

    genvar bank;
    generate
        for (bank = 0; bank < Banks; bank = bank + 1) begin : gen_bank
            localparam Channel = bank * BankBytes % LineBytes / PortBytes;
            localparam PortByte = PortBytes * Channel + bank * BankBytes % PortBytes;
            localparam Line = bank * BankBytes / LineBytes;
            wire [LineAddressBits-1:0] index = write_line_i[LineAddressBits*Channel+:LineAddressBits];
            wire [LineAddressBits-1:0] word = index >> LinePlaceBits;
            wire write = write_valid_i[Channel] && index - (word << LinePlaceBits) == Line[LineAddressBits-1:0];
            wire unused_word_bits = &{1'b0, word};
            // The low half of the next row follows the high half of this one.
            wire [ByteBits-HalfBits-1:0] half_from = bank < Banks / 2 ? half_half_low : half_half;
            wire unused_half_bits = &{1'b0, half_from};
            if (TwoLevel != 0) begin : gen_integer
                ram_sdp #(
                    .Width(8 * BankBytes),
                    .Depth(Words),
                    .Style(Style)
                ) u_integer_ram (
                    .clk_i          (clk_i),
                    .write_i        (write),
                    .write_strobe_i (write_strobe_i[PortByte+:BankBytes]),
                    .write_address_i(word[WordBits-1:0]),
                    .write_data_i   (write_data_i[8*PortByte+:8*BankBytes]),
                    .read_address_i (integer_half[1+:WordBits]),
                    .read_data_o    (integer_word[8*BankBytes*bank+:8*BankBytes])
                );
            end else begin : gen_no_integer
                assign integer_word[8*BankBytes*bank+:8*BankBytes] = {8*BankBytes{1'b0}};
            end
            ram_sdp #(
                .Width(8 * BankBytes),
                .Depth(Words),
                .Style(Style)
            ) u_half_ram (
                .clk_i          (clk_i),
                .write_i        (write),
                .write_strobe_i (write_strobe_i[PortByte+:BankBytes]),
                .write_address_i(word[WordBits-1:0]),
                .write_data_i   (write_data_i[8*PortByte+:8*BankBytes]),
                .read_address_i (half_from[1+:WordBits]),
                .read_data_o    (half_word[8*BankBytes*bank+:8*BankBytes])
            );
        end
    endgenerate

    // What a read takes of its row: delayed beside the memories.
    reg [2*(HalfBits+1)-1:0] integer_place_q;
    reg [2*(HalfBits+1)-1:0] half_place_q;
    always @(posedge clk_i) begin
        integer_place_q <= {integer_place_q[HalfBits:0], integer_byte[HalfBits:0]};
        half_place_q <= {half_place_q[HalfBits:0], half_byte[HalfBits:0]};
    end
    wire [HalfBits:0] integer_place = integer_place_q[HalfBits+1+:HalfBits+1];
    wire [HalfBits:0] half_place = half_place_q[HalfBits+1+:HalfBits+1];

    // A step takes a whole row, a drain 2 x `ScaleLanes` bytes, which begin at a multiple of themselves in a pair of rows;
    // a pair begins at any row.
    localparam PieceBytes = 2 * ScaleLanes < Width ? 2 * ScaleLanes : Width;
    localparam PieceBits = $clog2(PieceBytes);
    generate
        if (TwoLevel != 0) begin : gen_integer_row
            wire [8*Width-1:0] integer_row;
            rotate_words #(
                .Words(WordBytes / Width),
                .Width(8 * Width),
                .Taken(1)
            ) u_turn_integer (
                .words_i (integer_word),
                .offset_i(integer_place[HalfBits:WidthBits]),
                .words_o (integer_row)
            );
            reg [8*Width-1:0] integer_scales_q;
            always @(posedge clk_i) integer_scales_q <= integer_row;
            assign integer_scales_o = integer_scales_q;
        end else begin : gen_no_integer_row
            assign integer_scales_o = {8*Width{1'b0}};
            wire unused_integer = &{1'b0, integer_word};
        end
    endgenerate
    wire [16*ScaleLanes-1:0] half_piece;
    rotate_words #(
        .Words(WordBytes / PieceBytes),
        .Width(8 * PieceBytes),
        .Taken(2 * ScaleLanes / PieceBytes)
    ) u_turn_half (
        .words_i (half_word),
        .offset_i(half_place[HalfBits:PieceBits]),
        .words_o (half_piece)
    );
    wire unused_place_bits = &{1'b0, integer_place, half_place, integer_half, half_half, half_half_low};

    reg [16*ScaleLanes-1:0] half_scales_q;
    always @(posedge clk_i) half_scales_q <= half_piece;
    assign half_scales_o = half_scales_q;

`ifndef SYNTHESIS
    initial if (ScaleLanes > Width || Width < 2 || WordBytes % BankBytes != 0 || WordBits + 1 > ByteBits - HalfBits)
    begin
        $display("scale_buffer: Width %0d, ScaleLanes %0d, ScaleRows %0d: expected powers of two, ScaleLanes <= Width",
                 Width, ScaleLanes, ScaleRows);
        $finish;
    end
`endif
endmodule
