// One lane of the vector unit: the arithmetic units of every operation, in a row, each fed from the operands or from a
// unit before it. Which feeds which holds still during a pass.
//
//   multiply_0 -> multiply_1 -> add_0 -> multiply_2 -> exp -> add_1 (1 + x) -> reciprocal -> multiply_3, and quantize, half
//
// The selections (vector_passes.v chooses them):
//   multiply_0  0 a b; 1 a a; 2 a factor; 3 rotary, first product
//   multiply_1  0 multiply_0 x B of gelu; 1 multiply_0 x b; 2 multiply_2 x b; 3 multiply_3 x b; 4 rotary, second product
//   add_0       0 a + b; 1 multiply_0 + b; 2 A of gelu + multiply_1; 3 a - scalar_0; 4 multiply_0 - scalar_0; 5 rotary
//   multiply_2  0 add_0 x a of then; 1 add_0 x add_0; 2 add_0 x scalar_1
//   exp         0 -a; 1 -multiply_2; 2 add_0
//   multiply_3  0 reciprocal x a of then; 1 exp x scalar_1
//   result      0 a; 1 relu a; 2 |a|; 3 rank of a if not taken yet; 4 a if taken, else -inf; 5 add_0; 6 multiply_0;
//               7 multiply_1; 8 multiply_2; 9 exp; 10 multiply_3; 11 order key of multiply_0; 12 code;
//               13 link; 14 half
// Ranks order like the values, NaN below every number: hw_config::numeric::fp32::order_key, NaN as `RankNan`.
//
// Rotary pairs come as two beats, (x, c) and then (y, s). In the period of the second, x c - y s is begun; in the next
// one (`rotary_high_i`) y c + x s.
//
// The latency is the sum of those of the units used, and the result register (silu: 31). Initiation interval 1. Registered: `result_o`, loaded
// with `load_i`; `live_i` low puts `fill_i` in its place. The operands are not registered here. No reset.
// Cells (yosys 0.23 synth_xilinx -family xcup, the sum of its modules): 16 DSP48E2, 3,016 LUT, 1,713 FF; with all multipliers of
// LUTs 7,006 LUT, 3,917 FF.
module vector_lane #(
    parameter Lane = 0,
    // 1: results in f16 too.
    parameter HalfActivations = 0,
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0
) (
    input  wire        clk_i,
    // The same clock for each unit, standing still while the pass does not need it: multiply_0, multiply_1, add_0,
    // multiply_2, exp, add_1 and reciprocal, multiply_3, quantize and half.
    input  wire  [7:0] unit_clk_i,

    input  wire [31:0] a_i,
    input  wire [31:0] b_i,
    input  wire [31:0] link_i,             // element of a beat that has come over the link
    input  wire [31:0] a_argument_i,       // a, as late as multiply_2 of gelu wants it
    input  wire [31:0] a_late_i,           // a, as late as multiply_3 wants it
    input  wire [31:0] factor_i,
    input  wire [31:0] scalar_0_i,
    input  wire [31:0] scalar_1_i,

    input  wire  [1:0] multiply_0_i,
    input  wire  [2:0] multiply_1_i,
    input  wire  [2:0] add_0_i,
    input  wire  [1:0] multiply_2_i,
    input  wire  [1:0] exp_i,
    input  wire        multiply_3_i,
    input  wire  [3:0] result_i,
    input  wire        rotary_high_i,      // at multiply_0 and multiply_1
    input  wire        rotary_add_i,       // at add_0

    input  wire [17:0] index_i,            // element index of lane 0
    input  wire        any_i,              // no element is taken yet
    input  wire        load_i,
    input  wire        live_i,
    input  wire [31:0] fill_i,
    output wire [31:0] result_o
);
    `include "constants.vh"

    localparam [17:0] Offset = Lane[17:0];

    wire [31:0] multiply_0;
    wire [31:0] multiply_1;
    wire [31:0] add_0;
    wire [31:0] multiply_2;
    wire [31:0] exponential;
    wire [31:0] add_1;
    wire [31:0] reciprocal;
    wire [31:0] multiply_3;
    wire  [7:0] code;

    // Operands of the one and two periods before.
    reg [31:0] a_1_q;
    reg [31:0] a_2_q;
    reg [31:0] b_1_q;
    reg [31:0] b_2_q;
    wire rotary = multiply_0_i == 2'd3;
    always @(posedge clk_i) begin
        if (rotary) begin
            a_1_q <= a_i;
            a_2_q <= a_1_q;
            b_1_q <= b_i;
            b_2_q <= b_1_q;
        end
    end

    reg [31:0] multiply_0_b;
    always @* begin
        case (multiply_0_i)
            2'd0:    multiply_0_b = b_i;
            2'd1:    multiply_0_b = a_i;
            2'd2:    multiply_0_b = factor_i;
            default: multiply_0_b = rotary_high_i ? b_2_q : b_1_q;
        endcase
    end
    fp32_mul #(
        .Luts((LutMultipliers & LutProducts) != 0)
    ) u_multiply_0 (
        .clk_i(unit_clk_i[0]),
        .a_i  (rotary ? a_1_q : a_i),
        .b_i  (multiply_0_b),
        .y_o  (multiply_0)
    );

    reg [31:0] multiply_1_a;
    reg [31:0] multiply_1_b;
    always @* begin
        multiply_1_a = multiply_0;
        multiply_1_b = b_i;
        case (multiply_1_i)
            3'd0:    multiply_1_b = F32GeluB;
            3'd1:    multiply_1_a = multiply_0;
            3'd2:    multiply_1_a = multiply_2;
            3'd3:    multiply_1_a = multiply_3;
            default: begin
                multiply_1_a = rotary_high_i ? a_2_q : a_i;
                multiply_1_b = rotary_high_i ? b_1_q : b_i;
            end
        endcase
    end
    fp32_mul #(
        .Luts((LutMultipliers & LutProducts) != 0)
    ) u_multiply_1 (
        .clk_i(unit_clk_i[1]),
        .a_i  (multiply_1_a),
        .b_i  (multiply_1_b),
        .y_o  (multiply_1)
    );

    reg [31:0] add_0_a;
    reg [31:0] add_0_b;
    always @* begin
        add_0_a = multiply_0;
        add_0_b = b_i;
        case (add_0_i)
            3'd0:    add_0_a = a_i;
            3'd1:    add_0_a = multiply_0;
            3'd2: begin
                add_0_a = F32GeluA;
                add_0_b = multiply_1;
            end
            3'd3: begin
                add_0_a = a_i;
                add_0_b = scalar_0_i;
            end
            3'd4:    add_0_b = scalar_0_i;
            default: add_0_b = multiply_1;
        endcase
    end
    fp32_add u_add_0 (
        .clk_i     (unit_clk_i[2]),
        .a_i       (add_0_a),
        .b_i       (add_0_b),
        .subtract_i(add_0_i == 3'd3 || add_0_i == 3'd4 || (add_0_i == 3'd5 && !rotary_add_i)),
        .y_o       (add_0)
    );

    reg [31:0] multiply_2_b;
    always @* begin
        case (multiply_2_i)
            2'd0:    multiply_2_b = a_argument_i;
            2'd1:    multiply_2_b = add_0;
            default: multiply_2_b = scalar_1_i;
        endcase
    end
    fp32_mul #(
        .Luts((LutMultipliers & LutProducts) != 0)
    ) u_multiply_2 (
        .clk_i(unit_clk_i[3]),
        .a_i  (add_0),
        .b_i  (multiply_2_b),
        .y_o  (multiply_2)
    );

    reg [31:0] exp_a;
    always @* begin
        case (exp_i)
            2'd0:    exp_a = {!a_i[31], a_i[30:0]};
            2'd1:    exp_a = {!multiply_2[31], multiply_2[30:0]};
            default: exp_a = add_0;
        endcase
    end
    fp32_exp #(
        .Luts((LutMultipliers & LutExponentials) != 0)
    ) u_exp (
        .clk_i(unit_clk_i[4]),
        .a_i  (exp_a),
        .y_o  (exponential)
    );

    fp32_add u_add_1 (
        .clk_i     (unit_clk_i[5]),
        .a_i       (F32One),
        .b_i       (exponential),
        .subtract_i(1'b0),
        .y_o       (add_1)
    );

    fp32_reciprocal #(
        .Luts((LutMultipliers & LutReciprocals) != 0)
    ) u_reciprocal (
        .clk_i(unit_clk_i[5]),
        .a_i  (add_1),
        .y_o  (reciprocal)
    );

    fp32_mul #(
        .Luts((LutMultipliers & LutProducts) != 0)
    ) u_multiply_3 (
        .clk_i(unit_clk_i[6]),
        .a_i  (multiply_3_i ? exponential : reciprocal),
        .b_i  (multiply_3_i ? scalar_1_i : a_late_i),
        .y_o  (multiply_3)
    );

    fp32_quantize #(
        .Luts((LutMultipliers & LutQuantizers) != 0)
    ) u_quantize (
        .clk_i(unit_clk_i[7]),
        .a_i  (a_i),
        .b_i  (scalar_1_i),
        .y_o  (code)
    );

    wire [15:0] half;
    generate
        if (HalfActivations != 0) begin : gen_half
            fp32_to_fp16 u_half (
                .clk_i(unit_clk_i[7]),
                .a_i  (a_i),
                .y_o  (half)
            );
        end else begin : gen_no_half
            assign half = 16'd0;
        end
    endgenerate

    // Whether a comes after the element taken last: lower, or equal with a higher index. Then it is not taken yet.
    wire        a_nan = a_i[30:23] == 8'd255 && a_i[22];
    wire [31:0] a_rank = a_nan ? RankNan : {a_i[31], a_i[30:0] ^ {31{a_i[31]}}};
    wire [17:0] index = index_i | Offset;
    wire        untaken = any_i || $signed(a_rank) < $signed(scalar_0_i) ||
                          (a_rank == scalar_0_i && index > scalar_1_i[17:0]);

    reg [31:0] result;
    always @* begin
        case (result_i)
            4'd0:    result = a_i;
            4'd1:    result = a_i & {32{!a_i[31]}};
            4'd2:    result = {1'b0, a_i[30:0]};
            4'd3:    result = untaken ? a_rank : RankNone;
            4'd4:    result = untaken ? F32MinusInfinity : a_i;
            4'd5:    result = add_0;
            4'd6:    result = multiply_0;
            4'd7:    result = multiply_1;
            4'd8:    result = multiply_2;
            4'd9:    result = exponential;
            4'd10:   result = multiply_3;
            4'd11:   result = {multiply_0[31], multiply_0[30:0] ^ {31{multiply_0[31]}}};
            4'd13:   result = link_i;
            4'd14:   result = {16'd0, half};
            default: result = {24'd0, code};
        endcase
    end

    reg [31:0] result_q;
    always @(posedge clk_i) if (load_i) result_q <= live_i ? result : fill_i;
    assign result_o = result_q;
endmodule
