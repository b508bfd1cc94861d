// IEEE 754 binary32 to binary16 as in hw_config::numeric::convert::f32_to_f16: nearest even, binary16 subnormals kept,
// overflow to infinity, every NaN to 7e00.
//
// Latency 2, initiation interval 1, no enable. The input is not registered. Registered: `y_o`.
//
// Stages: 1 denormalise what lies below 2^-14, 2 round and pack.
// Cells (yosys 0.23 synth_xilinx -family xcup): no DSP, 107 LUT, 59 FF, 7 CARRY4.
module fp32_to_fp16 (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    output wire [15:0] y_o
);
    `include "constants.vh"

    // Stage 1. The significand in units of 2^-24 of the result's binade (normals) or of 2^-24 (subnormals), with
    // every bit behind it. Below an exponent field of 102 = 127 - 25 the value rounds to zero.
    wire [7:0] exponent = a_i[30:23];
    wire normal = exponent >= 8'd113;
    wire vanishing = exponent < 8'd102;
    wire [3:0] places = normal ? 4'd0 : 4'd1 - exponent[3:0];
    wire [34:0] shifted = {1'b1, a_i[22:0], 11'd0} >> places;

    reg        sign_s1_q;
    reg        nan_s1_q;
    reg        overflow_s1_q;
    reg  [4:0] exponent_s1_q;
    reg [10:0] significand_s1_q;
    reg        half_s1_q;
    reg [22:0] rest_s1_q;

    always @(posedge clk_i) begin
        sign_s1_q <= a_i[31];
        nan_s1_q <= exponent == 8'd255 && a_i[22:0] != 23'd0;
        overflow_s1_q <= exponent >= 8'd143;
        exponent_s1_q <= normal ? exponent[4:0] - 5'd17 : 5'd0;
        significand_s1_q <= shifted[34:24] & {11{!vanishing}};
        half_s1_q <= shifted[23] && !vanishing;
        rest_s1_q <= shifted[22:0];
    end

    // Stage 2. The hidden one adds the missing 1 to the exponent field of a normal; a carry from rounding runs into
    // it as well, up to infinity.
    wire round_up = half_s1_q && (significand_s1_q[0] || rest_s1_q != 23'd0);
    wire [14:0] rounded = {exponent_s1_q, 10'd0} + {4'd0, significand_s1_q} + {14'd0, round_up};

    reg [15:0] y_q;
    always @(posedge clk_i) begin
        y_q <= {sign_s1_q, rounded};
        if (overflow_s1_q) y_q <= {sign_s1_q, 15'h7c00};
        if (nan_s1_q) y_q <= F16Nan;
    end
    assign y_o = y_q;
endmodule
