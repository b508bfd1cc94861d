// IEEE 754 binary32 sum (`subtract_i` = 0) or difference a - b (`subtract_i` = 1) as in hw_config::numeric::fp32::add
// and ::sub, in stored form.
//
// Latency 8, initiation interval 1, no enable. Rounds to nearest even; a subnormal operand counts as zero of its sign;
// a subnormal result (always exact) becomes zero of its sign; every NaN is 7fc00000; exact cancellation gives +0.
// No flags. The inputs are not registered. Registered: `y_o`.
//
// Stages: 1 order the operands by magnitude, 2 and 3 align the smaller (guard, round and sticky bit behind it),
// 4 add or subtract, 5 count leading zeros, 6 and 7 normalise, 8 round and pack.
// Cells (yosys 0.23 synth_xilinx -family xcup): no DSP, 425 LUT, 38 SRL, 268 FF, 25 CARRY4.
module fp32_add (
    input  wire        clk_i,
    input  wire [31:0] a_i,
    input  wire [31:0] b_i,
    input  wire        subtract_i,
    output wire [31:0] y_o
);
    // Stage 1: order. Subnormal operands keep their exponent field of 0 and lose their fraction.
    wire b_sign = b_i[31] ^ subtract_i;
    wire a_normal = a_i[30:23] != 8'd0;
    wire b_normal = b_i[30:23] != 8'd0;
    wire a_top = a_i[30:23] == 8'd255;
    wire b_top = b_i[30:23] == 8'd255;
    wire a_nan = a_top && a_i[22:0] != 23'd0;
    wire b_nan = b_top && b_i[22:0] != 23'd0;
    wire b_larger = a_i[30:0] < b_i[30:0];
    wire [23:0] a_significand = {a_normal, a_i[22:0] & {23{a_normal}}};
    wire [23:0] b_significand = {b_normal, b_i[22:0] & {23{b_normal}}};
    wire [7:0] a_minus_b = a_i[30:23] - b_i[30:23];
    wire [7:0] b_minus_a = b_i[30:23] - a_i[30:23];

    reg        nan_s1_q;
    reg        infinity_s1_q;
    reg        sign_s1_q;
    reg        zero_sign_s1_q;
    reg        subtract_s1_q;
    reg  [7:0] exponent_s1_q;
    reg  [7:0] distance_s1_q;
    reg [23:0] large_s1_q;
    reg [23:0] small_s1_q;

    always @(posedge clk_i) begin
        nan_s1_q <= a_nan || b_nan || (a_top && b_top && (a_i[31] ^ b_sign));
        infinity_s1_q <= a_top || b_top;
        sign_s1_q <= b_larger ? b_sign : a_i[31];
        zero_sign_s1_q <= a_i[31] && b_sign;
        subtract_s1_q <= a_i[31] ^ b_sign;
        exponent_s1_q <= b_larger ? b_i[30:23] : a_i[30:23];
        distance_s1_q <= b_larger ? b_minus_a : a_minus_b;
        large_s1_q <= b_larger ? b_significand : a_significand;
        small_s1_q <= b_larger ? a_significand : b_significand;
    end

    // Stage 2: align by multiples of 8. From a distance of 26 on the smaller operand is less than a quarter of the
    // larger one's last place and changes nothing; so from 32 on it may be zero.
    reg [25:0] coarse;
    reg        coarse_sticky;
    always @* begin
        coarse = 26'd0;
        coarse_sticky = 1'b0;
        if (distance_s1_q[7:5] == 3'd0) begin
            case (distance_s1_q[4:3])
                2'd0: coarse = {small_s1_q, 2'd0};
                2'd1: begin
                    coarse = {8'd0, small_s1_q[23:6]};
                    coarse_sticky = small_s1_q[5:0] != 6'd0;
                end
                2'd2: begin
                    coarse = {16'd0, small_s1_q[23:14]};
                    coarse_sticky = small_s1_q[13:0] != 14'd0;
                end
                default: begin
                    coarse = {24'd0, small_s1_q[23:22]};
                    coarse_sticky = small_s1_q[21:0] != 22'd0;
                end
            endcase
        end
    end

    reg [23:0] large_s2_q;
    reg [25:0] small_s2_q;
    reg        sticky_s2_q;
    reg  [2:0] distance_s2_q;
    reg        subtract_s2_q;

    always @(posedge clk_i) begin
        large_s2_q <= large_s1_q;
        small_s2_q <= coarse;
        sticky_s2_q <= coarse_sticky;
        distance_s2_q <= distance_s1_q[2:0];
        subtract_s2_q <= subtract_s1_q;
    end

    // Stage 3: align by 0 to 7.
    wire [32:0] fine = {small_s2_q, 7'd0} >> distance_s2_q;

    reg [23:0] large_s3_q;
    reg [26:0] small_s3_q;
    reg        subtract_s3_q;

    always @(posedge clk_i) begin
        large_s3_q <= large_s2_q;
        small_s3_q <= {fine[32:7], sticky_s2_q || fine[6:0] != 7'd0};
        subtract_s3_q <= subtract_s2_q;
    end

    // Stage 4: add. The difference is never negative: the operands are in order.
    wire [27:0] addend = {1'b0, small_s3_q} ^ {28{subtract_s3_q}};

    reg [27:0] sum_s4_q;
    always @(posedge clk_i) sum_s4_q <= {1'b0, large_s3_q, 3'd0} + addend + {27'd0, subtract_s3_q};

    // Stage 5: count leading zeros; 28 if the sum is zero.
    wire [4:0] zeros;
    fp32_leading_zeros u_leading_zeros (
        .data_i ({sum_s4_q, 4'b1000}),
        .count_o(zeros)
    );

    reg [27:0] sum_s5_q;
    reg  [4:0] zeros_s5_q;
    always @(posedge clk_i) begin
        sum_s5_q <= sum_s4_q;
        zeros_s5_q <= zeros;
    end

    // What the alignment and the sum do not need waits here.
    wire       nan_s5;
    wire       infinity_s5;
    wire       sign_s5;
    wire       zero_sign_s5;
    wire [7:0] exponent_s5;
    delay #(
        .Width (12),
        .Cycles(4)
    ) u_delay_class (
        .clk_i (clk_i),
        .data_i({nan_s1_q, infinity_s1_q, sign_s1_q, zero_sign_s1_q, exponent_s1_q}),
        .data_o({nan_s5, infinity_s5, sign_s5, zero_sign_s5, exponent_s5})
    );

    // Stage 6: normalise by multiples of 8; the exponent if it is not rounded up to the next binade.
    wire zero_s5 = zeros_s5_q == 5'd28;

    reg       [27:0] sum_s6_q;
    reg        [2:0] zeros_s6_q;
    reg signed [9:0] exponent_s6_q;
    reg              nan_s6_q;
    reg              infinity_s6_q;
    reg              zero_s6_q;
    reg              sign_s6_q;

    always @(posedge clk_i) begin
        sum_s6_q <= sum_s5_q << {zeros_s5_q[4:3], 3'd0};
        zeros_s6_q <= zeros_s5_q[2:0];
        exponent_s6_q <= $signed({2'd0, exponent_s5}) + 10'sd1 - $signed({5'd0, zeros_s5_q});
        nan_s6_q <= nan_s5;
        infinity_s6_q <= infinity_s5;
        zero_s6_q <= zero_s5 && !infinity_s5;
        sign_s6_q <= !nan_s5 && (zero_s5 && !infinity_s5 ? zero_sign_s5 : sign_s5);
    end

    // Stage 7: normalise by 0 to 7; the exponent field without (`low`) and with (`high`) a carry from rounding, which
    // makes 254 into the 255 of infinity by itself.
    wire bottom = zero_s6_q || (!infinity_s6_q && exponent_s6_q <= 10'sd0);
    wire top = infinity_s6_q || (!zero_s6_q && exponent_s6_q >= 10'sd255);
    wire [7:0] exponent_plus_one = exponent_s6_q[7:0] + 8'd1;
    wire [27:0] normalised = sum_s6_q << zeros_s6_q;

    reg [26:0] sum_s7_q;
    reg  [7:0] low_field_s7_q;
    reg  [7:0] high_field_s7_q;
    reg        kept_s7_q;
    reg        nan_s7_q;
    reg        sign_s7_q;

    always @(posedge clk_i) begin
        sum_s7_q <= normalised[26:0];
        low_field_s7_q <= {8{top}} | (exponent_s6_q[7:0] & {8{!bottom}});
        high_field_s7_q <= {8{top}} | (exponent_plus_one & {8{!bottom}});
        kept_s7_q <= !top && !bottom;
        nan_s7_q <= nan_s6_q;
        sign_s7_q <= sign_s6_q;
    end
    wire unused_leading_one = normalised[27];

    // Stage 8: round and pack. A carry leaves a fraction of zero, so infinity needs no mask of its own.
    wire round_up = sum_s7_q[3] && (sum_s7_q[4] || sum_s7_q[2:0] != 3'd0);
    wire [23:0] rounded = {1'b0, sum_s7_q[26:4]} + {23'd0, round_up};

    reg [31:0] y_q;
    always @(posedge clk_i) begin
        y_q[31] <= sign_s7_q;
        y_q[30:23] <= rounded[23] ? high_field_s7_q : low_field_s7_q;
        y_q[22:0] <= (rounded[22:0] & {23{kept_s7_q}}) | {nan_s7_q, 22'd0};
    end
    assign y_o = y_q;
endmodule
