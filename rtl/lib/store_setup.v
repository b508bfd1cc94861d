// Takes an `st` apart, applies the bound on its rows, and gives the address of row 0 with all that is needed to go on
// from there by additions.
//
// Issue in period t; `accept_o` with `empty_o` in t + 1; a store that is not empty is pushed in t + 4. Initiation
// interval 1. It does not hold anything back, and it does not step through the rows. Addresses beyond the memory lose
// their high bits. The address of a row is `row_o + low_o`: `low_o` is the part that grows by `low_step_o` while v
// grows within its low `shift` bits, and starts again from 0 where they do.
// Registered: all of `push_o` and its fields; `empty_o` follows from registers.
module store_setup #(
    parameter AddressBits = 29,
    // 1: its products are of LUTs.
    parameter Luts = 0
) (
    input  wire                   clk_i,
    input  wire                   rst_ni,
    // Issue.
    input  wire                   issue_i,
    input  wire           [255:0] word_i,
    input  wire            [31:0] value_a_i,
    input  wire            [31:0] value_b_i,
    // The period after: whether the instruction does nothing.
    output wire                   accept_o,
    output wire                   empty_o,
    // Source: kind, address of row 0, between rows, elements of a row.
    output wire                   push_o,
    output wire             [1:0] source_o,
    output wire            [21:0] src_o,
    output wire            [13:0] src_stride_o,
    output wire             [9:0] rows_o,
    output wire            [19:0] count_o,
    // Memory: address of row 0 and its steps, low bits of v and their mask, whether v grows with the row.
    output wire [AddressBits-1:0] row_o,
    output wire [AddressBits-1:0] low_o,
    output wire [AddressBits-1:0] row_step_o,
    output wire [AddressBits-1:0] high_step_o,
    output wire            [15:0] low_step_o,
    output wire            [30:0] v_low_o,
    output wire            [30:0] v_mask_o,
    output wire                   token_step_o,
    output wire             [7:0] fragment_o,
    output wire            [17:0] fragment_stride_o
);
    // Fields of the word at issue.
    wire  [1:0] source;
    wire [21:0] src;
    wire [13:0] src_stride;
    wire  [9:0] rows;
    wire  [6:0] rows_reg;
    wire [19:0] count;
    wire [37:0] base;
    wire  [6:0] address_reg;
    wire  [4:0] shift;
    wire [27:0] high;
    wire [15:0] low;
    wire        token_step;
    wire [27:0] row_stride;
    wire  [7:0] fragment;
    wire [17:0] fragment_stride;

    decode_st u_decode (
        .word_i           (word_i),
        .source_o         (source),
        .src_o            (src),
        .src_stride_o     (src_stride),
        .rows_o           (rows),
        .rows_reg_o       (rows_reg),
        .count_o          (count),
        .base_o           (base),
        .reg_o            (address_reg),
        .shift_o          (shift),
        .high_o           (high),
        .low_o            (low),
        .token_step_o     (token_step),
        .row_stride_o     (row_stride),
        .fragment_o       (fragment),
        .fragment_stride_o(fragment_stride)
    );

    // Fields that pass through the stages as they are.
    localparam PassBits = 2 + 22 + 14 + 20 + 38 + 28 + 16 + 1 + 28 + 8 + 18;
    wire [PassBits-1:0] pass = {source, src, src_stride, count, base, high, low, token_step, row_stride, fragment,
                                fragment_stride};

    // t + 1: v in its two parts, rows bounded.
    reg                valid_s1_q;
    reg [PassBits-1:0] pass_s1_q;
    reg          [9:0] rows_s1_q;
    reg                bounded_s1_q;
    reg         [31:0] bound_s1_q;
    reg         [31:0] v_s1_q;
    reg          [4:0] shift_s1_q;

    wire [37:0] unused_front_s1;
    wire [136:0] unused_back_s1;
    wire [19:0] count_s1;
    assign {unused_front_s1, count_s1, unused_back_s1} = pass_s1_q;
    wire fewer = bounded_s1_q && bound_s1_q < {22'd0, rows_s1_q};
    wire [9:0] bounded_rows = fewer ? bound_s1_q[9:0] : rows_s1_q;
    wire [30:0] mask_s1 = ~(31'h7fff_ffff << shift_s1_q);

    assign accept_o = valid_s1_q;
    assign empty_o = rows_s1_q == 10'd0 || count_s1 == 20'd0 || (bounded_s1_q && bound_s1_q == 32'd0);

    // t + 2: products in parts.
    reg                valid_s2_q;
    reg [PassBits-1:0] pass_s2_q;
    reg          [9:0] rows_s2_q;
    reg         [31:0] v_high_s2_q;
    reg         [30:0] v_low_s2_q;
    reg         [30:0] mask_s2_q;

    wire [57:0] unused_front_s2;
    wire [54:0] unused_back_s2;
    wire [37:0] base_s2;
    wire [27:0] high_s2;
    wire [15:0] low_s2;
    assign {unused_front_s2, base_s2, high_s2, low_s2, unused_back_s2} = pass_s2_q;

    // t + 3: sums.
    reg                valid_s3_q;
    reg [PassBits-1:0] pass_s3_q;
    reg          [9:0] rows_s3_q;
    reg         [30:0] v_low_s3_q;
    reg         [30:0] mask_s3_q;

    wire  [1:0] source_s3;
    wire [21:0] src_s3;
    wire [13:0] src_stride_s3;
    wire [19:0] count_s3;
    wire [37:0] base_s3;
    wire [27:0] high_s3;
    wire [15:0] low_s3;
    wire        token_step_s3;
    wire [27:0] row_stride_s3;
    wire  [7:0] fragment_s3;
    wire [17:0] fragment_stride_s3;
    assign {source_s3, src_s3, src_stride_s3, count_s3, base_s3, high_s3, low_s3, token_step_s3, row_stride_s3,
            fragment_s3, fragment_stride_s3} = pass_s3_q;
    wire [37:0] row_step_s3 = {10'd0, row_stride_s3};
    wire [37:0] high_step_s3 = {10'd0, row_stride_s3} + {10'd0, high_s3};

    // t + 4.
    reg                   valid_s4_q;
    reg             [1:0] source_q;
    reg            [21:0] src_q;
    reg            [13:0] src_stride_q;
    reg             [9:0] rows_q;
    reg            [19:0] count_q;
    reg [AddressBits-1:0] row_step_q;
    reg [AddressBits-1:0] high_step_q;
    reg            [15:0] low_step_q;
    reg            [30:0] v_low_q;
    reg            [30:0] v_mask_q;
    reg                   token_step_q;
    reg             [7:0] fragment_q;
    reg            [17:0] fragment_stride_q;

    // v in its two parts times `high` and `low`, as far as an address reaches: halves of v in DSP blocks, the whole in LUTs.
    generate
        if (Luts != 0) begin : gen_luts
            localparam VBits = AddressBits < 32 ? AddressBits : 32;
            localparam VLowBits = AddressBits < 31 ? AddressBits : 31;
            localparam HighBits = AddressBits < 28 ? AddressBits : 28;
            lut_multiply #(
                .AWidth(VBits),
                .BWidth(HighBits),
                .YWidth(AddressBits),
                .Addend(1)
            ) u_row (
                .clk_i(clk_i),
                .a_i  (v_high_s2_q[VBits-1:0]),
                .b_i  (high_s2[HighBits-1:0]),
                .c_i  (base_s2[AddressBits-1:0]),
                .y_o  (row_o)
            );
            lut_multiply #(
                .AWidth(VLowBits),
                .BWidth(16),
                .YWidth(AddressBits)
            ) u_low (
                .clk_i(clk_i),
                .a_i  (v_low_s2_q[VLowBits-1:0]),
                .b_i  (low_s2),
                .c_i  ({AddressBits{1'b0}}),
                .y_o  (low_o)
            );
            wire unused_factors = &{1'b0, v_high_s2_q, v_low_s2_q, high_s2, base_s2, base_s3};
        end else begin : gen_dsp
            reg            [43:0] high_product_low_s3_q;
            reg            [43:0] high_product_high_s3_q;
            reg            [31:0] low_product_low_s3_q;
            reg            [30:0] low_product_high_s3_q;
            reg [AddressBits-1:0] row_q;
            reg [AddressBits-1:0] low_q;
            wire [59:0] row_sum_s3 = {22'd0, base_s3} + {16'd0, high_product_low_s3_q} + {high_product_high_s3_q, 16'd0};
            wire [59:0] low_sum_s3 = {28'd0, low_product_low_s3_q} + {13'd0, low_product_high_s3_q, 16'd0};
            always @(posedge clk_i) begin
                if (valid_s2_q) begin
                    high_product_low_s3_q <= {28'd0, v_high_s2_q[15:0]} * {16'd0, high_s2};
                    high_product_high_s3_q <= {28'd0, v_high_s2_q[31:16]} * {16'd0, high_s2};
                    low_product_low_s3_q <= {16'd0, v_low_s2_q[15:0]} * {16'd0, low_s2};
                    low_product_high_s3_q <= {16'd0, v_low_s2_q[30:16]} * {15'd0, low_s2};
                end
                if (valid_s3_q) begin
                    row_q <= row_sum_s3[AddressBits-1:0];
                    low_q <= low_sum_s3[AddressBits-1:0];
                end
            end
            assign row_o = row_q;
            assign low_o = low_q;
            wire unused_sums = &{1'b0, base_s2, row_sum_s3, low_sum_s3};
        end
    endgenerate

    assign push_o = valid_s4_q;
    assign source_o = source_q;
    assign src_o = src_q;
    assign src_stride_o = src_stride_q;
    assign rows_o = rows_q;
    assign count_o = count_q;
    assign row_step_o = row_step_q;
    assign high_step_o = high_step_q;
    assign low_step_o = low_step_q;
    assign v_low_o = v_low_q;
    assign v_mask_o = v_mask_q;
    assign token_step_o = token_step_q;
    assign fragment_o = fragment_q;
    assign fragment_stride_o = fragment_stride_q;

    always @(posedge clk_i) begin
        if (issue_i) begin
            pass_s1_q <= pass;
            rows_s1_q <= rows;
            bounded_s1_q <= rows_reg != 7'd0;
            bound_s1_q <= value_b_i;
            v_s1_q <= value_a_i;
            shift_s1_q <= shift;
        end
        if (valid_s1_q) begin
            pass_s2_q <= pass_s1_q;
            rows_s2_q <= bounded_rows;
            v_high_s2_q <= v_s1_q >> shift_s1_q;
            v_low_s2_q <= v_s1_q[30:0] & mask_s1;
            mask_s2_q <= mask_s1;
        end
        if (valid_s2_q) begin
            pass_s3_q <= pass_s2_q;
            rows_s3_q <= rows_s2_q;
            v_low_s3_q <= v_low_s2_q;
            mask_s3_q <= mask_s2_q;
        end
        if (valid_s3_q) begin
            source_q <= source_s3;
            src_q <= src_s3;
            src_stride_q <= src_stride_s3;
            count_q <= count_s3;
            rows_q <= rows_s3_q;
            row_step_q <= row_step_s3[AddressBits-1:0];
            high_step_q <= high_step_s3[AddressBits-1:0];
            low_step_q <= low_s3;
            v_low_q <= v_low_s3_q;
            v_mask_q <= mask_s3_q;
            token_step_q <= token_step_s3;
            fragment_q <= fragment_s3;
            fragment_stride_q <= fragment_stride_s3;
        end
        valid_s1_q <= issue_i;
        valid_s2_q <= valid_s1_q && !empty_o;
        valid_s3_q <= valid_s2_q;
        valid_s4_q <= valid_s3_q;
        if (!rst_ni) begin
            valid_s1_q <= 1'b0;
            valid_s2_q <= 1'b0;
            valid_s3_q <= 1'b0;
            valid_s4_q <= 1'b0;
        end
    end

    wire unused = &{1'b0, address_reg, row_step_s3, high_step_s3};

`ifndef SYNTHESIS
    initial if (AddressBits < 16 || AddressBits > 38) begin
        $display("store_setup: AddressBits %0d, expected 16 to 38", AddressBits);
        $finish;
    end
`endif
endmodule
