// Takes an `ld` apart, applies its run-time extent and address, and gives it in the units of the channel ports: lines.
//
// Issue in period t; `accept_o` with `empty_o` in t + 1; an `ld` that is not empty is pushed in t + 3. Initiation
// interval 1. It does not hold anything back: the ports have room for all unretired loads. Addresses beyond the memory
// and buffer lines beyond a buffer lose their high bits.
// Registered: nothing; all outputs follow from registers, `push_o` and its fields behind an adder or a comparison.
module load_setup #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter ChannelAddressBits = 28,
    parameter Width = 32,
    parameter Chain = 16,
    parameter LineAddressBits = 11,
    // 1: its product is of LUTs.
    parameter Luts = 0
) (
    input  wire                                                clk_i,
    input  wire                                                rst_ni,
    // Issue.
    input  wire                                                issue_i,
    input  wire                                        [255:0] word_i,
    input  wire                                         [31:0] value_a_i,
    input  wire                                         [31:0] value_b_i,
    // The period after: whether the instruction does nothing.
    output wire                                                accept_o,
    output wire                                                empty_o,
    // Beat address of row 0 in every channel, beats between rows, rows, and beats of a row.
    output wire                                                push_o,
    output wire    [ChannelAddressBits-$clog2(PortBytes)-1:0] beat_o,
    output wire    [ChannelAddressBits-$clog2(PortBytes)-1:0] stride_o,
    output wire                                         [15:0] rows_o,
    output wire           [22-$clog2(Channels*PortBytes):0] beats_o,
    // Bytes of a row's last line that are kept; 0: all.
    output wire          [$clog2(Channels*PortBytes)-1:0] tail_o,
    // Buffer, its line of row 0, and lines between rows.
    output wire                                          [2:0] buffer_o,
    output wire                          [LineAddressBits-1:0] line_o,
    output wire                          [LineAddressBits-1:0] line_stride_o
);
    `include "isa.vh"

    localparam LineBytes = Channels * PortBytes;
    localparam LineShift = $clog2(LineBytes);
    localparam BeatBits = ChannelAddressBits - $clog2(PortBytes);
    localparam ChunkShift = $clog2(Width * Chain);
    localparam RowShift = $clog2(Width);
    // A row of density bytes is 8 bytes for 16 columns; a machine of fewer has none.
    localparam DensityShift = RowShift > 1 ? RowShift - 1 : 0;
    // A parameter is addressed in elements of 4 bytes.
    localparam ElementShift = 2;
    localparam integer LineRound = LineBytes - 1;

    // Fields of the word at issue.
    wire  [2:0] buffer;
    wire [23:0] dst;
    wire [13:0] dst_stride;
    wire [15:0] rows;
    wire [21:0] bytes;
    wire [31:0] stride;
    wire [37:0] base;
    wire  [6:0] address_reg;
    wire [31:0] high;
    wire  [1:0] extent;
    wire  [6:0] extent_reg;
    wire [15:0] extent_sub;
    wire  [3:0] extent_unit;

    decode_ld u_decode (
        .word_i       (word_i),
        .buffer_o     (buffer),
        .dst_o        (dst),
        .dst_stride_o (dst_stride),
        .rows_o       (rows),
        .bytes_o      (bytes),
        .stride_o     (stride),
        .base_o       (base),
        .reg_o        (address_reg),
        .high_o       (high),
        .extent_o     (extent),
        .extent_reg_o (extent_reg),
        .extent_sub_o (extent_sub),
        .extent_unit_o(extent_unit)
    );

    // Addresses of a buffer in bytes, then in lines.
    wire [47:0] line_bytes = buffer == IsaLoadBufferParameter ? {24'd0, dst} << ElementShift
                           : buffer == IsaLoadBufferScale ? {24'd0, dst} << RowShift
                           : buffer == IsaLoadBufferDensity ? {24'd0, dst} << DensityShift
                           : {24'd0, dst} << ChunkShift;
    wire [47:0] line = line_bytes >> LineShift;
    wire [47:0] line_stride_bytes = buffer == IsaLoadBufferParameter ? {34'd0, dst_stride} << ElementShift
                                  : buffer == IsaLoadBufferScale ? {34'd0, dst_stride} << RowShift
                                  : buffer == IsaLoadBufferDensity ? {34'd0, dst_stride} << DensityShift
                                  : {34'd0, dst_stride} << ChunkShift;
    wire [47:0] line_stride = line_stride_bytes >> LineShift;
    // Addresses of the memory in lines, which are beats of every channel.
    wire [37:0] base_beat = base >> LineShift;
    wire [63:0] stride_beat = {32'd0, stride} >> LineShift;
    wire [63:0] high_beat = {32'd0, high} >> LineShift;

    // t + 1.
    reg                       valid_s1_q;
    reg                 [2:0] buffer_s1_q;
    reg [LineAddressBits-1:0] line_s1_q;
    reg [LineAddressBits-1:0] line_stride_s1_q;
    reg                [15:0] rows_s1_q;
    reg                [21:0] bytes_s1_q;
    reg        [BeatBits-1:0] stride_s1_q;
    reg        [BeatBits-1:0] base_s1_q;
    reg                [31:0] high_s1_q;
    reg                [31:0] value_s1_q;
    reg                 [1:0] extent_s1_q;
    reg                       bounded_s1_q;
    reg                [31:0] bound_s1_q;
    reg                [15:0] sub_s1_q;
    reg                 [3:0] unit_s1_q;

    wire below = bound_s1_q <= {16'd0, sub_s1_q};
    wire [31:0] n_s1 = !bounded_s1_q ? 32'hffff_ffff : below ? 32'd0 : bound_s1_q - {16'd0, sub_s1_q};
    wire nothing = extent_s1_q != IsaLoadExtentFixed && bounded_s1_q && below;

    assign accept_o = valid_s1_q;
    assign empty_o = rows_s1_q == 16'd0 || bytes_s1_q == 22'd0 || nothing;

    // t + 2: the product in parts, the bound in rows and in bytes.
    reg                       valid_s2_q;
    reg                 [2:0] buffer_s2_q;
    reg [LineAddressBits-1:0] line_s2_q;
    reg [LineAddressBits-1:0] line_stride_s2_q;
    reg                [15:0] rows_s2_q;
    reg                [21:0] bytes_s2_q;
    reg        [BeatBits-1:0] stride_s2_q;
    reg        [BeatBits-1:0] base_s2_q;
    reg                 [1:0] extent_s2_q;
    reg                [31:0] n_s2_q;
    reg                 [3:0] unit_s2_q;

    wire [46:0] n_bytes = {15'd0, n_s2_q} << unit_s2_q;
    wire [31:0] whole_rows = n_s2_q >> unit_s2_q;
    wire part_row = (n_s2_q & ~(32'hffff_ffff << unit_s2_q)) != 32'd0;
    wire [31:0] n_rows = whole_rows + {31'd0, part_row};
    wire fewer_rows = extent_s2_q == IsaLoadExtentRows && n_rows < {16'd0, rows_s2_q};
    wire fewer_bytes = extent_s2_q == IsaLoadExtentBytes && n_bytes < {25'd0, bytes_s2_q};

    // t + 3.
    reg                       valid_s3_q;
    reg                 [2:0] buffer_s3_q;
    reg [LineAddressBits-1:0] line_s3_q;
    reg [LineAddressBits-1:0] line_stride_s3_q;
    reg                [15:0] rows_s3_q;
    reg                [21:0] bytes_s3_q;
    reg        [BeatBits-1:0] stride_s3_q;
    reg        [BeatBits-1:0] base_s3_q;

    // The register times `high`, as far as an address reaches: halves of the register in DSP blocks, the whole in LUTs.
    wire [BeatBits-1:0] offset_s3;
    generate
        if (Luts != 0) begin : gen_luts
            localparam FactorBits = BeatBits < 32 ? BeatBits : 32;
            lut_multiply #(
                .AWidth(FactorBits),
                .BWidth(FactorBits),
                .YWidth(BeatBits)
            ) u_offset (
                .clk_i(clk_i),
                .a_i  (high_s1_q[FactorBits-1:0]),
                .b_i  (value_s1_q[FactorBits-1:0]),
                .c_i  ({BeatBits{1'b0}}),
                .y_o  (offset_s3)
            );
            wire unused_factors = &{1'b0, high_s1_q, value_s1_q};
        end else begin : gen_dsp
            reg         [47:0] product_low_s2_q;
            reg         [47:0] product_high_s2_q;
            reg [BeatBits-1:0] offset_s3_q;
            wire        [63:0] product_s2 = {16'd0, product_low_s2_q} + {product_high_s2_q, 16'd0};
            always @(posedge clk_i) begin
                if (valid_s1_q) begin
                    product_low_s2_q <= {32'd0, value_s1_q[15:0]} * {16'd0, high_s1_q};
                    product_high_s2_q <= {32'd0, value_s1_q[31:16]} * {16'd0, high_s1_q};
                end
                if (valid_s2_q) offset_s3_q <= product_s2[BeatBits-1:0];
            end
            assign offset_s3 = offset_s3_q;
            wire unused_product = &{1'b0, product_s2};
        end
    endgenerate

    wire [22:0] rounded = {1'b0, bytes_s3_q} + {1'b0, LineRound[21:0]};

    assign push_o = valid_s3_q;
    assign beat_o = base_s3_q + offset_s3;
    assign stride_o = stride_s3_q;
    assign rows_o = rows_s3_q;
    assign beats_o = rounded[22:LineShift];
    assign tail_o = bytes_s3_q[LineShift-1:0];
    assign buffer_o = buffer_s3_q;
    assign line_o = line_s3_q;
    assign line_stride_o = line_stride_s3_q;

    always @(posedge clk_i) begin
        if (issue_i) begin
            buffer_s1_q <= buffer;
            line_s1_q <= line[LineAddressBits-1:0];
            line_stride_s1_q <= line_stride[LineAddressBits-1:0];
            rows_s1_q <= rows;
            bytes_s1_q <= bytes;
            stride_s1_q <= stride_beat[BeatBits-1:0];
            base_s1_q <= base_beat[BeatBits-1:0];
            high_s1_q <= high_beat[31:0];
            value_s1_q <= value_a_i;
            extent_s1_q <= extent;
            bounded_s1_q <= extent_reg != 7'd0;
            bound_s1_q <= value_b_i;
            sub_s1_q <= extent_sub;
            unit_s1_q <= extent_unit;
        end
        if (valid_s1_q) begin
            buffer_s2_q <= buffer_s1_q;
            line_s2_q <= line_s1_q;
            line_stride_s2_q <= line_stride_s1_q;
            rows_s2_q <= rows_s1_q;
            bytes_s2_q <= bytes_s1_q;
            stride_s2_q <= stride_s1_q;
            base_s2_q <= base_s1_q;
            extent_s2_q <= extent_s1_q;
            n_s2_q <= n_s1;
            unit_s2_q <= unit_s1_q;
        end
        if (valid_s2_q) begin
            buffer_s3_q <= buffer_s2_q;
            line_s3_q <= line_s2_q;
            line_stride_s3_q <= line_stride_s2_q;
            rows_s3_q <= fewer_rows ? n_rows[15:0] : rows_s2_q;
            bytes_s3_q <= fewer_bytes ? n_bytes[21:0] : bytes_s2_q;
            stride_s3_q <= stride_s2_q;
            base_s3_q <= base_s2_q;
        end
        valid_s1_q <= issue_i;
        valid_s2_q <= valid_s1_q && !empty_o;
        valid_s3_q <= valid_s2_q;
        if (!rst_ni) begin
            valid_s1_q <= 1'b0;
            valid_s2_q <= 1'b0;
            valid_s3_q <= 1'b0;
        end
    end

    wire unused = &{1'b0, line, line_stride, base_beat, stride_beat, high_beat, address_reg, rounded};

`ifndef SYNTHESIS
    initial if (BeatBits < 9 || LineShift + BeatBits > 38 || LineAddressBits < 1 || LineAddressBits > 24
                || ChunkShift < LineShift || (Channels & (Channels - 1)) != 0 || (PortBytes & (PortBytes - 1)) != 0
                || (Width & (Width - 1)) != 0 || (Chain & (Chain - 1)) != 0) begin
        $display("load_setup: Channels %0d, PortBytes %0d, ChannelAddressBits %0d, Width %0d, Chain %0d, ",
                 Channels, PortBytes, ChannelAddressBits, Width, Chain, "LineAddressBits %0d: ", LineAddressBits,
                 "expected powers of two, chunks of whole lines, at most 2^38 bytes and 2^24 lines");
        $finish;
    end
`endif
endmodule
