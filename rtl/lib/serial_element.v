// A processing element of a bit-serial array: the sum of f16 activations times terms of weights, `Dot` a period, and at the
// end of a slot its product with an integer scale, a bit a period. Numbers are those of hw_config::numeric::bit_serial.
//
// A term is a signed power of two, so a product is an addition of exponents; what is left is to align and to add. The sum has
// the largest exponent so far and is never normalised: it fits 32 bits for as many weights as a slot has, so that no
// addition waits for the leading zeros of the one before.
//
// Periods, for Dot = 4 (twice as many for the two trees if Dot > 4, none of theirs if Dot = 1): 0 exponents of the products,
// 1 the largest, 2 distances, 3 aligned significands, 4 rounded and signed, 5 their sum, 6 the slot's exponent, 7 the addend
// aligned, 8 added. `step_i`, `first_i` and `last_i` come with the operands of period 0: a period with products, the first
// of a slot, and the slot's last, which may have no products. In the period behind that of the last addition the sum stands
// still to be multiplied, for as long as the next slot is not complete: eight periods with `multiply_i`, in which
// `scale_bit_i` brings the scale, its highest bit first. `begin_i` belongs to the first of them.
// Latency (Dot 1: 7, Dot 4: 9, Dot 16: 11) from the operands to the sum that stands still with `exponent_o` and `finite_o`;
// `product_o` is its product behind the last period with `multiply_i`. Initiation interval 1. `enable_i` is the clock enable
// of the arithmetic's registers. Registered: all outputs.
module serial_element #(
    parameter Dot = 4,
    // Bits of a term's exponent.
    parameter TermBits = 6
) (
    input  wire                    clk_i,
    input  wire                    enable_i,
    input  wire                    step_i,
    input  wire                    first_i,
    input  wire                    last_i,
    // Activations: exponent field (1 for subnormals, 0 for zero), significand; none of them infinite or NaN.
    input  wire          [Dot-1:0] negative_i,
    input  wire        [5*Dot-1:0] exponent_i,
    input  wire       [11*Dot-1:0] significand_i,
    input  wire                    finite_i,
    // Terms.
    input  wire          [Dot-1:0] term_i,
    input  wire          [Dot-1:0] term_negative_i,
    input  wire [TermBits*Dot-1:0] term_exponent_i,
    // The product with the scale.
    input  wire                    begin_i,
    input  wire                    multiply_i,
    input  wire                    scale_bit_i,
    output wire             [39:0] product_o,
    output wire              [6:0] exponent_o,
    output wire                    finite_o
);
`include "constants.vh"

    localparam Levels = $clog2(Dot);
    localparam TreeCycles = (Levels + 1) / 2;
    // Periods from the operands to the slot's exponent.
    localparam ExponentAt = 4 + 2 * TreeCycles;
    localparam SumBits = 16 + Levels;
    localparam AddendBits = SumBits + GuardBits;

    // ---- Period 0: exponents of the products; 0 where a factor is zero ----

    reg    [Dot-1:0] negative_s1_q;
    reg  [7*Dot-1:0] exponent_s1_q;
    reg [11*Dot-1:0] significand_s1_q;
    integer i;
    always @(posedge clk_i) begin
        if (enable_i) begin
            for (i = 0; i < Dot; i = i + 1) begin
                negative_s1_q[i] <= negative_i[i] ^ term_negative_i[i];
                exponent_s1_q[7*i+:7] <= term_i[i] && exponent_i[5*i+:5] != 5'd0
                    ? {2'd0, exponent_i[5*i+:5]} + {{(7-TermBits){1'b0}}, term_exponent_i[TermBits*i+:TermBits]} : 7'd0;
                significand_s1_q[11*i+:11] <= term_i[i] ? significand_i[11*i+:11] : 11'd0;
            end
        end
    end

    // ---- Period 1: the largest exponent; four go to one a period ----

    wire [6:0] largest_s2;
    wire [19*Dot-1:0] product_s2;
    serial_largest #(
        .Dot(Dot)
    ) u_largest (
        .clk_i      (clk_i),
        .enable_i   (enable_i),
        .exponents_i(exponent_s1_q),
        .largest_o  (largest_s2)
    );
    delay #(
        .Width (19 * Dot),
        .Cycles(TreeCycles)
    ) u_products (
        .clk_i (clk_i),
        .data_i({negative_s1_q, exponent_s1_q, significand_s1_q}),
        .data_o(product_s2)
    );

    // ---- Periods 2 to 4: distances to the largest, from 15 on nothing is left; significands aligned with three bits more, and
    // what is below them; rounded to nearest even and signed ----

    wire [16*Dot-1:0] signed_s5;
    genvar lane;
    generate
        for (lane = 0; lane < Dot; lane = lane + 1) begin : gen_lane
            wire  [6:0] distance = largest_s2 - product_s2[11*Dot+7*lane+:7];
            reg         negative_s3_q;
            reg  [10:0] significand_s3_q;
            reg   [3:0] distance_s3_q;
            wire [28:0] aligned = {significand_s3_q, 18'd0} >> distance_s3_q;
            reg         negative_s4_q;
            reg         up_s4_q;
            reg  [13:0] whole_s4_q;
            reg  [15:0] signed_s5_q;
            always @(posedge clk_i) begin
                if (enable_i) begin
                    negative_s3_q <= product_s2[18*Dot+lane];
                    significand_s3_q <= product_s2[11*lane+:11];
                    distance_s3_q <= distance > 7'd14 ? 4'd15 : distance[3:0];

                    negative_s4_q <= negative_s3_q;
                    whole_s4_q <= aligned[28:15];
                    up_s4_q <= aligned[14] && (aligned[15] || aligned[13:0] != 14'd0);

                    signed_s5_q <= ({2'd0, whole_s4_q} ^ {16{negative_s4_q}}) + {15'd0, up_s4_q ^ negative_s4_q};
                end
            end
            assign signed_s5[16*lane+:16] = signed_s5_q;
        end
    endgenerate

    // ---- Period 5: the sum of the period ----

    wire [SumBits-1:0] sum_s6;
    serial_sum #(
        .Dot(Dot)
    ) u_sum (
        .clk_i    (clk_i),
        .enable_i (enable_i),
        .addends_i(signed_s5),
        .sum_o    (sum_s6)
    );
    wire [6:0] largest_s6;
    delay #(
        .Width (7),
        .Cycles(3 + TreeCycles)
    ) u_exponent (
        .clk_i (clk_i),
        .data_i(largest_s2),
        .data_o(largest_s6)
    );
    wire step_s6;
    wire first_s6;
    wire last_s6;
    wire finite_s6;
    delay #(
        .Width (4),
        .Cycles(ExponentAt)
    ) u_step (
        .clk_i (clk_i),
        .data_i({step_i, first_i, last_i, finite_i}),
        .data_o({step_s6, first_s6, last_s6, finite_s6})
    );

    // ---- Period 6: the slot's exponent, and how far sum and addend are below it ----

    reg                [6:0] exponent_s7_q;
    reg                      finite_s7_q;
    reg                [4:0] sum_shift_s7_q;
    reg                [4:0] addend_shift_s7_q;
    reg        [SumBits-1:0] sum_s7_q;
    reg                      step_s7_q;
    reg                      first_s7_q;
    reg                      last_s7_q;
    wire               [6:0] held = first_s6 ? 7'd0 : exponent_s7_q;
    wire               [7:0] rise = {1'b0, largest_s6} - {1'b0, held};
    wire               [6:0] fall = held - largest_s6;
    always @(posedge clk_i) begin
        if (enable_i) begin
            if (step_s6) begin
                exponent_s7_q <= rise[7] ? held : largest_s6;
                finite_s7_q <= finite_s6 && (first_s6 || finite_s7_q);
                sum_shift_s7_q <= rise[7] ? 5'd0 : rise[6:5] != 2'd0 ? 5'd31 : rise[4:0];
                addend_shift_s7_q <= !rise[7] ? 5'd0 : fall[6:5] != 2'd0 ? 5'd31 : fall[4:0];
            end
            sum_s7_q <= sum_s6;
            step_s7_q <= step_s6;
            first_s7_q <= first_s6;
            last_s7_q <= last_s6;
        end
    end

    // ---- Period 7: the addend, aligned towards minus infinity ----

    wire signed [AddendBits-1:0] addend = {sum_s7_q, {GuardBits{1'b0}}};
    reg  signed [AddendBits-1:0] addend_s8_q;
    reg                    [4:0] sum_shift_s8_q;
    reg                    [6:0] exponent_s8_q;
    reg                          finite_s8_q;
    reg                          step_s8_q;
    reg                          first_s8_q;
    reg                          last_s8_q;
    always @(posedge clk_i) begin
        if (enable_i) begin
            addend_s8_q <= addend >>> addend_shift_s7_q;
            sum_shift_s8_q <= sum_shift_s7_q;
            exponent_s8_q <= exponent_s7_q;
            finite_s8_q <= finite_s7_q;
            step_s8_q <= step_s7_q;
            first_s8_q <= first_s7_q;
            last_s8_q <= last_s7_q;
        end
    end

    // ---- Period 8: the sum; it stands still for the product when its slot is complete ----

    reg  signed [31:0] sum_q;
    wire signed [31:0] sum_before = sum_q >>> sum_shift_s8_q;
    wire        [31:0] sum_d = !step_s8_q ? sum_q
        : (first_s8_q ? 32'd0 : sum_before) + {{(32-AddendBits){addend_s8_q[AddendBits-1]}}, addend_s8_q};
    reg         [31:0] multiplicand_q;
    reg          [6:0] exponent_q;
    reg                finite_q;
    reg         [39:0] product_q;
    wire        [39:0] partial = scale_bit_i ? {{8{multiplicand_q[31]}}, multiplicand_q} : 40'd0;
    always @(posedge clk_i) begin
        if (enable_i) begin
            sum_q <= sum_d;
            if (last_s8_q) begin
                multiplicand_q <= sum_d;
                exponent_q <= exponent_s8_q;
                finite_q <= finite_s8_q;
            end
            if (multiply_i) product_q <= (begin_i ? 40'd0 : {product_q[38:0], 1'b0}) + partial;
        end
    end
    assign product_o = product_q;
    assign exponent_o = exponent_q;
    assign finite_o = finite_q;

`ifndef SYNTHESIS
    initial if (Dot < 1 || Dot > 16 || (Dot & (Dot - 1)) != 0 || TermBits < 1 || TermBits > 6) begin
        $display("serial_element: Dot %0d, TermBits %0d: expected a power of two to 16, and 1 to 6", Dot, TermBits);
        $finish;
    end
`endif
endmodule
