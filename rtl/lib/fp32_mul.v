// IEEE 754 binary32 product as in hw_config::numeric::fp32::mul, in stored form.
//
// Latency 4, initiation interval 1, no enable. Rounds to nearest even; a subnormal operand counts as zero of its sign;
// a result that IEEE rounding makes subnormal becomes zero of its sign; every NaN is 7fc00000. No flags.
// The inputs are not registered. Registered: `y_o`.
//
// Stages: 1 to 3 multiply the significands (two DSPs in cascade, or LUTs); beside them the exponents are added, and the two
// exponent fields that the result may get are made ready: `low` if the product of significands is in 1..2, `high` if
// it is in 2..4 or is rounded up to 2. Stage 4 rounds and selects. The product of 24-bit significands is at most
// 4 - 2^-21, so a product in 2..4 is never rounded up to 4.
// Cells (yosys 0.23 synth_xilinx -family xcup): 2 DSP48E2, 145 LUT, 1 SRL, 251 FF, 22 CARRY4. The registers and adders
// beside the multipliers that yosys packs into DSPs for -family xc7 alone are in these: there 116 LUT, 1 SRL, 107 FF.
// With `Luts` = 1: 442 LUT and 250 FF in place of the DSP48E2.
module fp32_mul #(
    // 1: its product is of LUTs.
    parameter Luts = 0
) (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    input  wire [31:0] b_i,
    output wire [31:0] y_o
);
    // Stage 1: classes, sum of exponents.
    wire a_zero = a_i[30:23] == 8'd0;
    wire b_zero = b_i[30:23] == 8'd0;
    wire a_top = a_i[30:23] == 8'd255;
    wire b_top = b_i[30:23] == 8'd255;
    wire a_nan = a_top && a_i[22:0] != 23'd0;
    wire b_nan = b_top && b_i[22:0] != 23'd0;

    reg       sign_s1_q;
    reg       nan_s1_q;
    reg       infinity_s1_q;
    reg       zero_s1_q;
    reg [8:0] exponent_s1_q;

    always @(posedge clk_i) begin
        sign_s1_q <= a_i[31] ^ b_i[31];
        nan_s1_q <= a_nan || b_nan || (a_top && b_zero) || (a_zero && b_top);
        infinity_s1_q <= a_top || b_top;
        zero_s1_q <= a_zero || b_zero;
        exponent_s1_q <= {1'b0, a_i[30:23]} + {1'b0, b_i[30:23]};
    end

    // Stage 2: biased exponent, signed: -127 ..= 383.
    reg              sign_s2_q;
    reg              nan_s2_q;
    reg              infinity_s2_q;
    reg              zero_s2_q;
    reg signed [9:0] exponent_s2_q;

    always @(posedge clk_i) begin
        sign_s2_q <= sign_s1_q && !nan_s1_q;
        nan_s2_q <= nan_s1_q;
        infinity_s2_q <= infinity_s1_q;
        zero_s2_q <= zero_s1_q && !infinity_s1_q;
        exponent_s2_q <= $signed({1'b0, exponent_s1_q}) - 10'sd127;
    end

    // Stage 3: both exponent fields, and whether the fraction is kept beside each.
    wire low_top = infinity_s2_q || (!zero_s2_q && exponent_s2_q >= 10'sd255);
    wire low_bottom = zero_s2_q || (!infinity_s2_q && exponent_s2_q <= 10'sd0);
    wire high_top = infinity_s2_q || (!zero_s2_q && exponent_s2_q >= 10'sd254);
    wire high_bottom = zero_s2_q || (!infinity_s2_q && exponent_s2_q <= -10'sd1);
    wire [7:0] exponent_plus_one = exponent_s2_q[7:0] + 8'd1;

    reg       sign_s3_q;
    reg       nan_s3_q;
    reg [7:0] low_field_s3_q;
    reg [7:0] high_field_s3_q;
    reg       low_kept_s3_q;
    reg       high_kept_s3_q;
    reg       below_s3_q;
    reg       sticky_s3_q;

    wire [16:0] product_low;
    wire [30:0] product;
    multiply_cascade #(
        .AWidth(24),
        .BWidth(24),
        .Luts  (Luts)
    ) u_multiply (
        .clk_i (clk_i),
        .a_i   ({1'b1, a_i[22:0]}),
        .b_i   ({1'b1, b_i[22:0]}),
        .low_o (product_low),
        .high_o(product)
    );

    always @(posedge clk_i) begin
        sign_s3_q <= sign_s2_q;
        nan_s3_q <= nan_s2_q;
        low_field_s3_q <= {8{low_top}} | (exponent_s2_q[7:0] & {8{!low_bottom}});
        high_field_s3_q <= {8{high_top}} | (exponent_plus_one & {8{!high_bottom}});
        low_kept_s3_q <= !low_top && !low_bottom;
        high_kept_s3_q <= !high_top && !high_bottom;
        below_s3_q <= low_bottom;
        sticky_s3_q <= product_low != 17'd0;
    end

    // Stage 4: round and pack. `product` has 29 bits behind its point.
    // One binade below the normals, IEEE's subnormal rounding gives 2^-126 exactly if all 24 leading bits are ones,
    // whatever follows: then, and only then, an increment carries out, so it is forced. Further below (`below` covers
    // both) the result is zero with and without a carry.
    wire doubled = product[30];
    wire [22:0] fraction = doubled ? product[29:7] : product[28:6];
    wire up_doubled = product[6] && (product[7] || product[5:0] != 6'd0 || sticky_s3_q);
    wire up_single = below_s3_q || (product[5] && (product[6] || product[4:0] != 5'd0 || sticky_s3_q));
    wire round_up = doubled ? up_doubled : up_single;
    wire [23:0] rounded = {1'b0, fraction} + {23'd0, round_up};
    wire high = doubled || rounded[23];
    wire kept = high ? high_kept_s3_q : low_kept_s3_q;

    reg [31:0] y_q;
    always @(posedge clk_i) begin
        y_q[31] <= sign_s3_q;
        y_q[30:23] <= high ? high_field_s3_q : low_field_s3_q;
        y_q[22:0] <= (rounded[22:0] & {23{kept}}) | {nan_s3_q, 22'd0};
    end
    assign y_o = y_q;
endmodule
