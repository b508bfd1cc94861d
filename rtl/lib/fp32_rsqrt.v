// 1 / sqrt(a) as in hw_config::numeric::functions::rsqrt (at most 1 ulp from exact; powers of four exact), in stored
// form.
//
// Latency 8, initiation interval 1, no enable. Zero and subnormals give infinity of their sign, +infinity gives +0,
// every other negative operand and every NaN gives 7fc00000. No normal operand over- or underflows.
// The input is not registered. Registered: `y_o`.
//
// Stages: 1 table, 2 to 7 the quadratic, 8 pack. Beside them the exponent field, to which a significand of exactly
// 2^24 adds 1: that happens for powers of four alone.
// Cells (yosys 0.23 synth_xilinx -family xcup): 2 DSP48E2, 326 LUT, 75 SRL, 194 FF, 18 CARRY4. The registers and adders
// beside the multipliers that yosys packs into DSPs for -family xc7 alone are in these: there 278 LUT, 75 SRL, 45 FF.
// With `Luts` = 1: 520 LUT and 308 FF in place of the DSP48E2.
module fp32_rsqrt #(
    // 1: its products are of LUTs.
    parameter Luts = 0
) (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    output wire [31:0] y_o
);
    `include "constants.vh"

    // Stage 1. The exponent is odd where its biased field is even.
    wire [27:0] c0;
    wire [20:0] c1;
    wire [13:0] c2;
    rsqrt_rom u_rom (
        .index_i({!a_i[23], a_i[22:16]}),
        .c0_o   (c0),
        .c1_o   (c1),
        .c2_o   (c2)
    );

    wire top = a_i[30:23] == 8'd255;
    wire bottom = a_i[30:23] == 8'd0;
    wire nan = (top && a_i[22:0] != 23'd0) || (a_i[31] && !bottom);

    reg [27:0] c0_s1_q;
    reg [20:0] c1_s1_q;
    reg [13:0] c2_s1_q;
    reg [15:0] residual_s1_q;
    reg        sign_s1_q;
    reg        nan_s1_q;
    reg        zero_s1_q;
    reg        infinity_s1_q;
    reg  [7:0] exponent_s1_q;

    // With e the operand's field, h = floor((e - 127) / 2) and the result's field is 126 - h.
    always @(posedge clk_i) begin
        c0_s1_q <= c0;
        c1_s1_q <= c1;
        c2_s1_q <= c2;
        residual_s1_q <= {!a_i[15], a_i[14:0]};
        sign_s1_q <= a_i[31] && !nan;
        nan_s1_q <= nan;
        zero_s1_q <= top && !nan;
        infinity_s1_q <= bottom;
        exponent_s1_q <= 8'd190 - {1'b0, a_i[30:24]} - {7'd0, a_i[23]};
    end

    // Stages 2 to 7.
    wire [24:0] significand;
    fp32_quadratic #(
        .ResidualBits(16),
        .C0Bits      (28),
        .C1Bits      (21),
        .C2Bits      (14),
        .Drop        (20),
        .InputStages (1),
        .Luts        (Luts)
    ) u_quadratic (
        .clk_i        (clk_i),
        .residual_i   (residual_s1_q),
        .c0_i         (c0_s1_q),
        .c1_i         (c1_s1_q),
        .c2_i         (c2_s1_q),
        .significand_o(significand)
    );
    wire unused_hidden_one = significand[23];

    wire       sign_s7;
    wire       nan_s7;
    wire       zero_s7;
    wire       infinity_s7;
    wire [7:0] exponent_s7;
    delay #(
        .Width (12),
        .Cycles(RegisteredQuadraticCycles)
    ) u_delay_class (
        .clk_i (clk_i),
        .data_i({sign_s1_q, nan_s1_q, zero_s1_q, infinity_s1_q, exponent_s1_q}),
        .data_o({sign_s7, nan_s7, zero_s7, infinity_s7, exponent_s7})
    );

    // Stage 8.
    wire special = nan_s7 || zero_s7 || infinity_s7;
    wire [7:0] field = exponent_s7 + {7'd0, significand[24]};

    reg [31:0] y_q;
    always @(posedge clk_i) begin
        y_q[31] <= sign_s7;
        y_q[30:23] <= special ? {8{!zero_s7}} : field;
        y_q[22:0] <= (significand[22:0] & {23{!special}}) | {nan_s7, 22'd0};
    end
    assign y_o = y_q;
endmodule
