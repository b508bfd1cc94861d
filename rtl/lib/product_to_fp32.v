// A product of the bit-serial array as IEEE 754 binary32, as in hw_config::numeric::bit_serial: a signed integer of 40 bits times
// 2^(exponent - 35) times the unit of the code, rounded to nearest even; NaN where it is no number.
//
// Latency 4, initiation interval 1, no enable. Every exponent that occurs is that of a normal number; zero gives +0.
// The inputs are not registered. Registered: `y_o`.
// Stages: 1 magnitude, 2 count leading zeros, 3 normalise, 4 round and pack.
module product_to_fp32 (
    input  wire        clk_i,
    input  wire [39:0] product_i,
    input  wire  [6:0] exponent_i,
    // log2 of the code's unit, signed.
    input  wire  [5:0] unit_i,
    input  wire        finite_i,
    output wire [31:0] y_o
);
`include "constants.vh"

    // Stage 1. The exponent of a product whose highest bit is set, biased: 127 + 39 - 35.
    reg        sign_s1_q;
    reg        finite_s1_q;
    reg [39:0] magnitude_s1_q;
    reg  [7:0] exponent_s1_q;
    always @(posedge clk_i) begin
        sign_s1_q <= product_i[39];
        finite_s1_q <= finite_i;
        magnitude_s1_q <= (product_i ^ {40{product_i[39]}}) + {39'd0, product_i[39]};
        exponent_s1_q <= 8'd131 + {1'b0, exponent_i} + {{2{unit_i[5]}}, unit_i};
    end

    // Stage 2. Of 40 bits: those of the upper 32, or eight less what the lower 8 have behind ones.
    wire [4:0] high_zeros;
    fp32_leading_zeros u_high (
        .data_i (magnitude_s1_q[39:8]),
        .count_o(high_zeros)
    );
    wire [4:0] low_zeros;
    fp32_leading_zeros u_low (
        .data_i ({magnitude_s1_q[7:0], 24'hff_ffff}),
        .count_o(low_zeros)
    );
    reg        sign_s2_q;
    reg        finite_s2_q;
    reg [39:0] magnitude_s2_q;
    reg  [5:0] zeros_s2_q;
    reg  [7:0] exponent_s2_q;
    always @(posedge clk_i) begin
        sign_s2_q <= sign_s1_q;
        finite_s2_q <= finite_s1_q;
        magnitude_s2_q <= magnitude_s1_q;
        zeros_s2_q <= magnitude_s1_q[39:8] == 32'd0 ? 6'd32 + {1'b0, low_zeros} : {1'b0, high_zeros};
        exponent_s2_q <= exponent_s1_q;
    end

    // Stage 3. The leading bit is zero only if the product is.
    reg        sign_s3_q;
    reg        finite_s3_q;
    reg [39:0] magnitude_s3_q;
    reg  [7:0] exponent_s3_q;
    always @(posedge clk_i) begin
        sign_s3_q <= sign_s2_q;
        finite_s3_q <= finite_s2_q;
        magnitude_s3_q <= magnitude_s2_q << zeros_s2_q;
        exponent_s3_q <= exponent_s2_q - {2'd0, zeros_s2_q};
    end

    // Stage 4. A carry out of the fraction leaves it zero and runs into the exponent as it should.
    wire round_up = magnitude_s3_q[15] && (magnitude_s3_q[16] || magnitude_s3_q[14:0] != 15'd0);
    wire [30:0] rounded = {exponent_s3_q, magnitude_s3_q[38:16]} + {30'd0, round_up};
    reg [31:0] y_q;
    always @(posedge clk_i) y_q <= !finite_s3_q ? F32Nan : {sign_s3_q, rounded} & {32{magnitude_s3_q[39]}};
    assign y_o = y_q;
endmodule
