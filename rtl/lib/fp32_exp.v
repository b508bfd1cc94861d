// e^a as in hw_config::numeric::functions::exp (at most 1.05 ulp from exact; e^0 = 1 exactly), in stored form.
//
// Latency 10, initiation interval 1, no enable. Overflow and +infinity give +infinity, results below 2^-126 and
// -infinity give +0, every NaN is 7fc00000. The input is not registered. Registered: `y_o`.
//
// Stages: 1 to 3 the significand times log2(e) (24 x 34 bits), 4 shift to the binary point, 5 round, negate and look
// up 2^fraction, 6 to 9 the quadratic, 10 pack. The 25 low bits of the product lie behind the rounding position of
// every operand below 128 and halves round away from zero, so they are never looked at.
// Cells (yosys 0.23 synth_xilinx -family xcup): 4 DSP48E2, 348 LUT, 56 SRL, 421 FF, 40 CARRY4. The registers and adders
// beside the multipliers that yosys packs into DSPs for -family xc7 alone are in these: there 300 LUT, 56 SRL, 217 FF.
// With `Luts` = 1: 1,207 LUT and 638 FF in place of the DSP48E2.
module fp32_exp #(
    // 1: its products are of LUTs.
    parameter Luts = 0
) (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    output wire [31:0] y_o
);
    `include "constants.vh"

    // Stage 1. `places`: from an exponent of 6 down (operands of 64 ..= 128), to the right. Beyond 32 places the
    // product is below half a unit; the field of zero and of the subnormals is there too.
    wire top = a_i[30:23] == 8'd255;
    wire beyond = a_i[30:23] >= 8'd134;

    reg       negative_s1_q;
    reg       nan_s1_q;
    reg       infinity_s1_q;
    reg       zero_s1_q;
    reg       vanishing_s1_q;
    reg [5:0] places_s1_q;

    always @(posedge clk_i) begin
        negative_s1_q <= a_i[31];
        nan_s1_q <= top && a_i[22:0] != 23'd0;
        infinity_s1_q <= beyond && !a_i[31];
        zero_s1_q <= beyond && a_i[31];
        vanishing_s1_q <= a_i[30:23] < 8'd101;
        places_s1_q <= 6'd5 - a_i[28:23];
    end

    wire [16:0] unused_product_low;
    wire [40:0] product;
    multiply_cascade #(
        .AWidth(24),
        .BWidth(34),
        .Luts  (Luts)
    ) u_multiply (
        .clk_i (clk_i),
        .a_i   ({1'b1, a_i[22:0]}),
        .b_i   (Log2E),
        .low_o (unused_product_low),
        .high_o(product)
    );
    wire unused_product = &product[7:0];

    wire       negative_s3;
    wire       vanishing_s3;
    wire [5:0] places_s3;
    delay #(
        .Width (8),
        .Cycles(MultiplyCascadeCycles - 1)
    ) u_delay_places (
        .clk_i (clk_i),
        .data_i({negative_s1_q, vanishing_s1_q, places_s1_q}),
        .data_o({negative_s3, vanishing_s3, places_s3})
    );

    // Stage 4. The lowest bit is the half.
    reg        negative_s4_q;
    reg [32:0] magnitude_s4_q;
    always @(posedge clk_i) begin
        negative_s4_q <= negative_s3;
        magnitude_s4_q <= (product[40:8] >> places_s3) & {33{!vanishing_s3}};
    end

    // Stage 5. 9 bits before the point, 24 behind it. Inverting the half as well makes one addition round and negate.
    wire [32:0] scaled = {negative_s4_q, magnitude_s4_q[32:1] ^ {32{negative_s4_q}}}
        + {32'd0, magnitude_s4_q[0] ^ negative_s4_q};
    wire [27:0] c0;
    wire [22:0] c1;
    wire [14:0] c2;
    exp2_rom u_rom (
        .index_i(scaled[23:18]),
        .c0_o   (c0),
        .c1_o   (c1),
        .c2_o   (c2)
    );

    reg [27:0] c0_s5_q;
    reg [22:0] c1_s5_q;
    reg [14:0] c2_s5_q;
    reg [17:0] residual_s5_q;
    reg  [8:0] exponent_s5_q;

    always @(posedge clk_i) begin
        c0_s5_q <= c0;
        c1_s5_q <= c1;
        c2_s5_q <= c2;
        residual_s5_q <= {!scaled[17], scaled[16:0]};
        exponent_s5_q <= scaled[32:24];
    end

    wire nan_s5;
    wire infinity_s5;
    wire zero_s5;
    delay #(
        .Width (3),
        .Cycles(MultiplyCascadeCycles + 1)
    ) u_delay_class (
        .clk_i (clk_i),
        .data_i({nan_s1_q, infinity_s1_q, zero_s1_q}),
        .data_o({nan_s5, infinity_s5, zero_s5})
    );

    // Stage 6: the result's exponent field, -58 ..= 311.
    reg signed [9:0] exponent_s6_q;
    reg              nan_s6_q;
    reg              infinity_s6_q;
    reg              zero_s6_q;

    always @(posedge clk_i) begin
        exponent_s6_q <= $signed({exponent_s5_q[8], exponent_s5_q}) + 10'sd127;
        nan_s6_q <= nan_s5;
        infinity_s6_q <= infinity_s5 || nan_s5;
        zero_s6_q <= zero_s5;
    end

    // Stage 7: the field without (`low`) and with (`high`) the carry of a significand of exactly 2^24, which makes 254
    // into the 255 of infinity by itself.
    wire overflow = infinity_s6_q || (!zero_s6_q && exponent_s6_q >= 10'sd255);
    wire low_bottom = zero_s6_q || (!infinity_s6_q && exponent_s6_q <= 10'sd0);
    wire high_bottom = zero_s6_q || (!infinity_s6_q && exponent_s6_q <= -10'sd1);
    wire [7:0] exponent_plus_one = exponent_s6_q[7:0] + 8'd1;

    reg [7:0] low_field_s7_q;
    reg [7:0] high_field_s7_q;
    reg       kept_s7_q;
    reg       nan_s7_q;

    always @(posedge clk_i) begin
        low_field_s7_q <= {8{overflow}} | (exponent_s6_q[7:0] & {8{!low_bottom}});
        high_field_s7_q <= {8{overflow}} | (exponent_plus_one & {8{!high_bottom}});
        kept_s7_q <= !overflow && !low_bottom;
        nan_s7_q <= nan_s6_q;
    end

    wire [7:0] low_field_s9;
    wire [7:0] high_field_s9;
    wire       kept_s9;
    wire       nan_s9;
    delay #(
        .Width (18),
        .Cycles(QuadraticCycles - 2)
    ) u_delay_field (
        .clk_i (clk_i),
        .data_i({low_field_s7_q, high_field_s7_q, kept_s7_q, nan_s7_q}),
        .data_o({low_field_s9, high_field_s9, kept_s9, nan_s9})
    );

    // Stages 6 to 9.
    wire [24:0] significand;
    fp32_quadratic #(
        .ResidualBits(18),
        .C0Bits      (28),
        .C1Bits      (23),
        .C2Bits      (15),
        .Drop        (22),
        .InputStages (0),
        .Luts        (Luts)
    ) u_quadratic (
        .clk_i        (clk_i),
        .residual_i   (residual_s5_q),
        .c0_i         (c0_s5_q),
        .c1_i         (c1_s5_q),
        .c2_i         (c2_s5_q),
        .significand_o(significand)
    );
    wire unused_hidden_one = significand[23];

    // Stage 10. With the high field the fraction is zero anyway.
    reg [31:0] y_q;
    always @(posedge clk_i) begin
        y_q[31] <= 1'b0;
        y_q[30:23] <= significand[24] ? high_field_s9 : low_field_s9;
        y_q[22:0] <= (significand[22:0] & {23{kept_s9}}) | {nan_s9, 22'd0};
    end
    assign y_o = y_q;
endmodule
