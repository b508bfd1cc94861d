// 1 / a as in hw_config::numeric::functions::reciprocal (at most 1 ulp from exact; powers of two exact), in stored
// form.
//
// Latency 8, initiation interval 1, no enable. Zero and subnormals give infinity of their sign, infinity gives zero of
// its sign, a result below 2^-126 becomes zero, every NaN is 7fc00000.
// The input is not registered. Registered: `y_o`.
//
// Stages: 1 table, 2 to 7 the quadratic, 8 pack. Beside them the two exponent fields that the result may get: `low`,
// and `high` if the significand is exactly 2^24, which happens for powers of two alone.
// Cells (yosys 0.23 synth_xilinx -family xcup): 2 DSP48E2, 236 LUT, 81 SRL, 218 FF, 18 CARRY4. The registers and adders
// beside the multipliers that yosys packs into DSPs for -family xc7 alone are in these: there 181 LUT, 81 SRL, 64 FF.
// With `Luts` = 1: 539 LUT and 316 FF in place of the DSP48E2.
module fp32_reciprocal #(
    // 1: its products are of LUTs.
    parameter Luts = 0
) (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    output wire [31:0] y_o
);
    `include "constants.vh"

    // Stage 1.
    wire [27:0] c0;
    wire [21:0] c1;
    wire [14:0] c2;
    reciprocal_rom u_rom (
        .index_i(a_i[22:16]),
        .c0_o   (c0),
        .c1_o   (c1),
        .c2_o   (c2)
    );

    wire top = a_i[30:23] == 8'd255;

    reg [27:0] c0_s1_q;
    reg [21:0] c1_s1_q;
    reg [14:0] c2_s1_q;
    reg [15:0] residual_s1_q;
    reg        sign_s1_q;
    reg        nan_s1_q;
    reg        zero_s1_q;
    reg        infinity_s1_q;
    reg  [7:0] exponent_s1_q;

    always @(posedge clk_i) begin
        c0_s1_q <= c0;
        c1_s1_q <= c1;
        c2_s1_q <= c2;
        residual_s1_q <= {!a_i[15], a_i[14:0]};
        sign_s1_q <= a_i[31];
        nan_s1_q <= top && a_i[22:0] != 23'd0;
        zero_s1_q <= top;
        infinity_s1_q <= a_i[30:23] == 8'd0;
        exponent_s1_q <= a_i[30:23];
    end

    // Stage 2: exponent field 253 - e, or one more. At e = 253 and 254 one or both fall below the normals.
    wire low_bottom = zero_s1_q || exponent_s1_q >= 8'd253;
    wire high_bottom = zero_s1_q || exponent_s1_q >= 8'd254;

    reg       sign_s2_q;
    reg       nan_s2_q;
    reg [7:0] low_field_s2_q;
    reg [7:0] high_field_s2_q;
    reg       kept_s2_q;

    always @(posedge clk_i) begin
        sign_s2_q <= sign_s1_q && !nan_s1_q;
        nan_s2_q <= nan_s1_q;
        low_field_s2_q <= {8{nan_s1_q || infinity_s1_q}} | ((8'd253 - exponent_s1_q) & {8{!low_bottom}});
        high_field_s2_q <= {8{nan_s1_q || infinity_s1_q}} | ((8'd254 - exponent_s1_q) & {8{!high_bottom}});
        kept_s2_q <= !low_bottom && !infinity_s1_q;
    end

    // Stages 2 to 7.
    wire [24:0] significand;
    fp32_quadratic #(
        .ResidualBits(16),
        .C0Bits      (28),
        .C1Bits      (22),
        .C2Bits      (15),
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
    wire [7:0] low_field_s7;
    wire [7:0] high_field_s7;
    wire       kept_s7;
    delay #(
        .Width (19),
        .Cycles(RegisteredQuadraticCycles - 1)
    ) u_delay_class (
        .clk_i (clk_i),
        .data_i({sign_s2_q, nan_s2_q, low_field_s2_q, high_field_s2_q, kept_s2_q}),
        .data_o({sign_s7, nan_s7, low_field_s7, high_field_s7, kept_s7})
    );

    // Stage 8. With the high field the fraction is zero anyway.
    reg [31:0] y_q;
    always @(posedge clk_i) begin
        y_q[31] <= sign_s7;
        y_q[30:23] <= significand[24] ? high_field_s7 : low_field_s7;
        y_q[22:0] <= (significand[22:0] & {23{kept_s7}}) | {nan_s7, 22'd0};
    end
    assign y_o = y_q;
endmodule
