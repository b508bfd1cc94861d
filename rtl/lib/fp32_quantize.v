// x * inverse scale as an 8-bit code, as in hw_config::numeric::convert::quantize_i8: the product of fp32_mul, rounded
// to an integer (nearest, ties to even), clamped to -127 ..= 127; NaN gives 0.
//
// Latency 8, initiation interval 1, no enable. The inputs are not registered. Registered: `y_o`.
//
// Stages: 1 to 4 multiply, 5 classify, 6 align to the integers, 7 round, 8 negate.
// Cells (yosys 0.23 synth_xilinx -family xcup): 2 DSP48E2, 185 LUT, 1 SRL, 290 FF, 28 CARRY4. The registers and adders
// beside the multipliers that yosys packs into DSPs for -family xc7 alone are in these: there 164 LUT, 1 SRL, 146 FF.
// With `Luts` = 1: 442 LUT and 250 FF in place of the DSP48E2.
module fp32_quantize #(
    // 1: its product is of LUTs.
    parameter Luts = 0
) (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    input  wire [31:0] b_i,
    output wire  [7:0] y_o
);
    `include "constants.vh"

    wire [31:0] scaled;
    fp32_mul #(
        .Luts(Luts)
    ) u_mul (
        .clk_i(clk_i),
        .a_i  (a_i),
        .b_i  (b_i),
        .y_o  (scaled)
    );

    // Stage 5. Below 1/2 (exponent field 126) all rounds to zero; from 127 on (fraction 1.984375) all is clamped, so
    // what remains is below 2^7: 7 bits before the point and 1 behind it are in the 8 high bits of the significand.
    wire nan = scaled[30:23] == 8'd255 && scaled[22:0] != 23'd0;

    reg       sign_s5_q;
    reg       zero_s5_q;
    reg       clamped_s5_q;
    reg [2:0] places_s5_q;
    reg [6:0] significand_s5_q;
    reg       sticky_s5_q;

    always @(posedge clk_i) begin
        sign_s5_q <= scaled[31];
        zero_s5_q <= nan || scaled[30:23] < 8'd126;
        clamped_s5_q <= scaled[30:0] >= F32CodeMax[30:0];
        places_s5_q <= 3'd5 - scaled[25:23];
        significand_s5_q <= scaled[22:16];
        sticky_s5_q <= scaled[15:0] != 16'd0;
    end

    // Stage 6. `aligned`: integer, half, and what the shift moved out.
    wire [14:0] aligned = {1'b1, significand_s5_q, 7'd0} >> places_s5_q;

    reg       sign_s6_q;
    reg       zero_s6_q;
    reg       clamped_s6_q;
    reg [6:0] integer_s6_q;
    reg       half_s6_q;
    reg       sticky_s6_q;

    always @(posedge clk_i) begin
        sign_s6_q <= sign_s5_q;
        zero_s6_q <= zero_s5_q;
        clamped_s6_q <= clamped_s5_q;
        integer_s6_q <= aligned[14:8];
        half_s6_q <= aligned[7];
        sticky_s6_q <= sticky_s5_q || aligned[6:0] != 7'd0;
    end

    // Stage 7. Without the clamp the integer part is at most 126, so the sum does not wrap.
    wire round_up = half_s6_q && (integer_s6_q[0] || sticky_s6_q);
    wire [6:0] rounded = integer_s6_q + {6'd0, round_up};

    reg       sign_s7_q;
    reg [6:0] magnitude_s7_q;

    always @(posedge clk_i) begin
        sign_s7_q <= sign_s6_q;
        magnitude_s7_q <= (rounded | {7{clamped_s6_q}}) & {7{!zero_s6_q}};
    end

    // Stage 8.
    reg [7:0] y_q;
    always @(posedge clk_i) y_q <= ({1'b0, magnitude_s7_q} ^ {8{sign_s7_q}}) + {7'd0, sign_s7_q};
    assign y_o = y_q;
endmodule
