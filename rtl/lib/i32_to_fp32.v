// A signed 32-bit integer as IEEE 754 binary32, as in hw_config::numeric::convert::i32_to_f32.
//
// Latency 4, initiation interval 1, no enable. Rounds to nearest even; zero gives +0.
// The inputs are not registered. Registered: `y_o`.
//
// Stages: 1 magnitude, 2 count leading zeros, 3 normalise, 4 round and pack.
// Cells (yosys 0.23 synth_xilinx -family xcup): no DSP, 192 LUT, 1 SRL, 141 FF, 18 CARRY4.
module i32_to_fp32 (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    output wire [31:0] y_o
);
    // Stage 1. The magnitude of -2^31 fits, because it is unsigned.
    reg        sign_s1_q;
    reg [31:0] magnitude_s1_q;
    always @(posedge clk_i) begin
        sign_s1_q <= a_i[31];
        magnitude_s1_q <= (a_i ^ {32{a_i[31]}}) + {31'd0, a_i[31]};
    end

    // Stage 2.
    wire [4:0] zeros;
    fp32_leading_zeros u_leading_zeros (
        .data_i (magnitude_s1_q),
        .count_o(zeros)
    );

    reg        sign_s2_q;
    reg [31:0] magnitude_s2_q;
    reg  [4:0] zeros_s2_q;
    always @(posedge clk_i) begin
        sign_s2_q <= sign_s1_q;
        magnitude_s2_q <= magnitude_s1_q;
        zeros_s2_q <= zeros;
    end

    // Stage 3. The leading bit is zero only if the integer is.
    reg        sign_s3_q;
    reg [31:0] magnitude_s3_q;
    reg  [7:0] exponent_s3_q;
    always @(posedge clk_i) begin
        sign_s3_q <= sign_s2_q;
        magnitude_s3_q <= magnitude_s2_q << zeros_s2_q;
        exponent_s3_q <= 8'd158 - {3'd0, zeros_s2_q};
    end

    // Stage 4. A carry out of the fraction leaves it zero and runs into the exponent as it should.
    wire round_up = magnitude_s3_q[7] && (magnitude_s3_q[8] || magnitude_s3_q[6:0] != 7'd0);
    wire [30:0] rounded = {exponent_s3_q, magnitude_s3_q[30:8]} + {30'd0, round_up};

    reg [31:0] y_q;
    always @(posedge clk_i) y_q <= {sign_s3_q, rounded} & {32{magnitude_s3_q[31]}};
    assign y_o = y_q;
endmodule
