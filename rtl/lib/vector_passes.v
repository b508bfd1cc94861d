// The passes of each vector operation: which one comes next, how the lanes are wired in it, and in which period each part
// of the pipeline has its turn.
//
// `start_i` begins a pass: the first of the operation with `first_i`, else the one after the present pass. From the next
// period on all outputs belong to the begun pass. `op_i`, `static_i` (quant: the scale is given), `with_b_i` and `most_i`
// (topk: how many) hold still during an operation. Registered: all outputs.
//
// Periods are counted from that in which the address of a beat of operand a is presented; its elements are at the lanes
// `VectorOperandCycles` later. Every output `..._tap_o` and `wait_o` below is a sum of named latencies:
// hw_config::timing::misc_duration has the same sums of the same constants.
module vector_passes #(
    parameter Lanes = 8,
    parameter LinkCycles = 0
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire  [4:0] op_i,
    input  wire        static_i,
    input  wire        with_b_i,
    input  wire  [3:0] most_i,
    input  wire        start_i,
    input  wire        first_i,

    output reg         last_pass_o,       // the operation retires when this pass is over
    output reg         beats_o,           // the pass reads operand a
    output reg         inject_o,          // the pass is one scalar: the given scale
    output reg   [7:0] wait_o,            // periods from its last address to the next start, or to the retirement

    output reg   [5:0] b_tap_o,           // address of b
    output reg   [5:0] exit_tap_o,        // the lane's result is ready to be registered
    output reg   [5:0] scalar_0_tap_o,    // row change of scalar 0
    output reg   [5:0] scalar_1_tap_o,    // row change of scalar 1
    output reg   [5:0] a_late_o,          // delay of the late copy of operand a

    output reg   [1:0] multiply_0_o,      // selections: vector_lane.v
    output reg   [2:0] multiply_1_o,
    output reg   [2:0] add_0_o,
    output reg   [1:0] multiply_2_o,
    output reg   [1:0] exp_o,
    output reg         multiply_3_o,
    output reg   [3:0] result_o,
    output reg  [31:0] fill_o,            // result of lanes that hold no visible element
    output reg   [1:0] factor_o,          // 0 imm, 1 scalar 1, 2 the row's scalar of axpy

    output reg   [7:0] uses_o,            // units of the lanes that the pass needs, in the order of vector_lane.v

    output reg         sum_o,             // results go to reduce_sum
    output reg         largest_o,         // results go to topk_largest
    output reg         any_o,             // of the first `topk` pass: nothing has been taken yet
    output reg   [2:0] scalar_o,          // what becomes of a row's scalar: vector_scalar.v
    output reg         write_o,           // results go to the vector buffer
    output reg         codes_o,           // results go to the activation buffer
    output reg         halves_o,          // they are f16, and not codes
    output reg         choose_o           // the row's largest goes to the vector buffer and a register
);
    `include "isa.vh"
    `include "constants.vh"

    // Latencies of the leaves, and of what stands between them.
    localparam [7:0] Add = AddCycles[7:0];
    localparam [7:0] Mul = MulCycles[7:0];
    localparam [7:0] Exp = ExpCycles[7:0];
    localparam [7:0] Reciprocal = ReciprocalCycles[7:0];
    localparam [7:0] Rsqrt = RsqrtCycles[7:0];
    localparam [7:0] Quantize = QuantizeI8Cycles[7:0];
    localparam [7:0] Half = HalfCycles[7:0];
    localparam [7:0] Halve = F32ToF16Cycles[7:0];
    localparam SumPeriods = AddCycles * ($clog2(Lanes) + 1 + $clog2(SumPartials)) + PartialGatherCycles;
    localparam LargestPeriods = MaxCycles * ($clog2(Lanes) + 1);
    localparam [7:0] Sum = SumPeriods[7:0];               // reduce_sum
    localparam [7:0] Largest = LargestPeriods[7:0];      // topk_largest
    localparam [7:0] Operand = VectorOperandCycles[7:0];
    localparam [7:0] Result = VectorResultCycles[7:0];
    localparam [7:0] Choice = VectorChoiceCycles[7:0];
    localparam [7:0] ScalarWrite = VectorScalarCycles[7:0];
    localparam [7:0] Scalar = RamCycles[7:0];        // row scalars
    localparam [7:0] Pair = RotaryPairCycles[7:0];
    localparam [7:0] Link = LinkCycles[7:0];

    // Positions in the lane: periods from the operands to the inputs of each unit that waits for something.
    localparam [7:0] Sigmoid = SigmoidCycles[7:0];
    localparam [7:0] Argument = GeluArgumentCycles[7:0];

    localparam [4:0] PassCopy = 0;
    localparam [4:0] PassAdd = 1;
    localparam [4:0] PassMul = 2;
    localparam [4:0] PassAxpy = 3;
    localparam [4:0] PassRelu = 4;
    localparam [4:0] PassSilu = 5;
    localparam [4:0] PassGelu = 6;
    localparam [4:0] PassSiluMul = 7;
    localparam [4:0] PassRope = 8;
    localparam [4:0] PassSquares = 9;
    localparam [4:0] PassRmsScale = 10;
    localparam [4:0] PassMean = 11;
    localparam [4:0] PassDeviations = 12;
    localparam [4:0] PassLayerScale = 13;
    localparam [4:0] PassMaximum = 14;
    localparam [4:0] PassExpSum = 15;
    localparam [4:0] PassSoftmax = 16;
    localparam [4:0] PassMagnitude = 17;
    localparam [4:0] PassStaticScale = 18;
    localparam [4:0] PassQuantize = 19;
    localparam [4:0] PassLargest = 20;
    localparam [4:0] PassMask = 21;
    localparam [4:0] PassShare = 22;
    localparam [4:0] PassHalf = 23;

    // Which pass begins.
    reg  [4:0] pass_q;
    reg  [3:0] count_q;
    wire [3:0] count = first_i ? 4'd1 : count_q + 4'd1;
    reg  [4:0] pass;
    always @* begin
        pass = PassCopy;
        if (first_i) begin
            case (op_i)
                IsaVectorOpAdd:       pass = PassAdd;
                IsaVectorOpMul:       pass = PassMul;
                IsaVectorOpAxpy:      pass = PassAxpy;
                IsaVectorOpRelu:      pass = PassRelu;
                IsaVectorOpSilu:      pass = PassSilu;
                IsaVectorOpGelu:      pass = PassGelu;
                IsaVectorOpSiluMul:   pass = PassSiluMul;
                IsaVectorOpRmsnorm:   pass = PassSquares;
                IsaVectorOpLayernorm: pass = PassMean;
                IsaVectorOpSoftmax:   pass = PassMaximum;
                IsaVectorOpRope:      pass = PassRope;
                IsaVectorOpQuant:     pass = static_i ? PassStaticScale : PassMagnitude;
                IsaVectorOpTopk:      pass = PassLargest;
                IsaVectorOpTopkMask:  pass = PassLargest;
                IsaVectorOpShare:     pass = PassShare;
                IsaVectorOpHalf:      pass = PassHalf;
                default:              pass = PassCopy;
            endcase
        end else begin
            case (pass_q)
                PassSquares:     pass = PassRmsScale;
                PassMean:        pass = PassDeviations;
                PassDeviations:  pass = PassLayerScale;
                PassMaximum:     pass = PassExpSum;
                PassExpSum:      pass = PassSoftmax;
                PassMagnitude:   pass = PassQuantize;
                PassStaticScale: pass = PassQuantize;
                default:         pass = op_i == IsaVectorOpTopkMask && count_q == most_i ? PassMask : PassLargest;
            endcase
        end
    end

    // Depth of the lane in the pass; of what follows it: reduction and scalar.
    reg [7:0] depth;
    reg [7:0] after;
    reg [7:0] b_at;
    reg [7:0] scalar_0_at;
    reg [7:0] scalar_1_at;
    reg [7:0] a_at;
    always @* begin
        depth = 8'd0;
        after = 8'd0;
        b_at = 8'd0;
        scalar_0_at = 8'd0;
        scalar_1_at = 8'd0;
        a_at = Sigmoid;
        case (pass)
            PassAdd:     depth = Add;
            PassMul:     depth = Mul;
            PassAxpy: begin
                depth = Mul + Add;
                b_at = Mul;
            end
            PassSilu:    depth = Sigmoid + Mul;
            PassGelu: begin
                depth = Argument + Sigmoid + Mul;
                a_at = Argument + Sigmoid;
            end
            PassSiluMul: begin
                depth = Sigmoid + 2 * Mul;
                b_at = Sigmoid + Mul;
            end
            PassRope:    depth = Pair + Mul + Add;
            PassSquares: begin
                depth = Mul;
                after = Sum + Add + Rsqrt;
            end
            PassRmsScale: begin
                depth = 2 * Mul;
                b_at = Mul;
            end
            PassMean:    after = Sum + Mul;
            PassDeviations: begin
                depth = Add + Mul;
                after = Sum + Add + Rsqrt;
            end
            PassLayerScale: begin
                depth = Add + 2 * Mul;
                scalar_1_at = Add;
                b_at = Add + Mul;
            end
            PassMaximum: begin
                depth = Mul;
                after = Largest;
            end
            PassExpSum: begin
                depth = Mul + Add + Exp;
                scalar_0_at = Mul;
                after = Sum + Reciprocal;
            end
            PassSoftmax: begin
                depth = Mul + Add + Exp + Mul + (with_b_i ? Mul : 8'd0);
                scalar_0_at = Mul;
                scalar_1_at = Mul + Add + Exp;
                b_at = Mul + Add + Exp + Mul;
            end
            PassMagnitude: after = Largest + Mul + Half + Reciprocal;
            PassStaticScale: after = Half + Reciprocal;
            PassQuantize: begin
                depth = Quantize;
                scalar_0_at = Quantize;
            end
            PassLargest: after = Largest;
            PassShare:   depth = Link;
            PassHalf:    depth = Halve;
            default: ;
        endcase
    end

    wire last_pass = pass <= PassRope || pass == PassRmsScale || pass == PassLayerScale || pass == PassSoftmax ||
                     pass == PassQuantize || pass == PassMask || pass == PassShare || pass == PassHalf || (op_i == IsaVectorOpTopk && count == most_i);
    wire sum = pass == PassSquares || pass == PassMean || pass == PassDeviations || pass == PassExpSum;
    wire largest = pass == PassMaximum || pass == PassMagnitude || pass == PassLargest;
    wire static_scale = pass == PassStaticScale;

    // A scalar is written in its last period, and the next pass begins in the period after: that is 1 more for a pass
    // without beats. `topk` writes its element through a register too.
    wire [7:0] finish = static_scale ? ScalarWrite : Operand + Result + (last_pass && largest ? Choice : 8'd0);

    wire [7:0] b_tap = b_at;
    wire [7:0] exit_tap = Operand + depth;
    wire [7:0] scalar_0_tap = Operand - Scalar + scalar_0_at;
    wire [7:0] scalar_1_tap = Operand - Scalar + scalar_1_at;
    wire unused_bits = &{1'b0, b_tap[7:6], exit_tap[7:6], scalar_0_tap[7:6], scalar_1_tap[7:6], a_at[7:6]};

    always @(posedge clk_i) begin
        if (start_i) begin
            pass_q <= pass;
            count_q <= count;
            last_pass_o <= last_pass;
            beats_o <= !static_scale;
            inject_o <= static_scale;
            wait_o <= finish + depth + after;
            b_tap_o <= b_tap[5:0];
            exit_tap_o <= exit_tap[5:0];
            scalar_0_tap_o <= scalar_0_tap[5:0];
            scalar_1_tap_o <= scalar_1_tap[5:0];
            a_late_o <= a_at[5:0];
            sum_o <= sum;
            largest_o <= largest;
            any_o <= count == 4'd1;
            write_o <= !sum && !largest && pass != PassQuantize && pass != PassHalf && !static_scale;
            codes_o <= pass == PassQuantize || pass == PassHalf;
            halves_o <= pass == PassHalf;
            choose_o <= op_i == IsaVectorOpTopk;
        end
        // They choose among valid bits: before the first pass, too, they must choose one that there is.
        if (!rst_ni) begin
            b_tap_o <= 6'd0;
            exit_tap_o <= 6'd0;
            scalar_0_tap_o <= 6'd0;
            scalar_1_tap_o <= 6'd0;
        end
    end

    // The units in use: multiply_0, multiply_1, add_0, multiply_2, exp, the sigmoid's two, multiply_3, quantize.
    always @(posedge clk_i) begin
        if (start_i) begin
            case (pass)
                PassAdd:        uses_o <= 8'b00000100;
                PassMul:        uses_o <= 8'b00000001;
                PassAxpy:       uses_o <= 8'b00000101;
                PassSilu:       uses_o <= 8'b01110000;
                PassGelu:       uses_o <= 8'b01111111;
                PassSiluMul:    uses_o <= 8'b01110010;
                PassRope:       uses_o <= 8'b00000111;
                PassSquares:    uses_o <= 8'b00000001;
                PassRmsScale:   uses_o <= 8'b00000011;
                PassDeviations: uses_o <= 8'b00001100;
                PassLayerScale: uses_o <= 8'b00001110;
                PassMaximum:    uses_o <= 8'b00000001;
                PassExpSum:     uses_o <= 8'b00010101;
                PassSoftmax:    uses_o <= {6'b010101, with_b_i, 1'b1};
                PassQuantize:   uses_o <= 8'b10000000;
                PassHalf:       uses_o <= 8'b10000000;
                default:        uses_o <= 8'b00000000;
            endcase
        end
    end

    // The wiring of the lanes. Codes are those of vector_lane.v and vector_scalar.v; what a pass does not use keeps 0.
    always @(posedge clk_i) begin
        if (start_i) begin
            multiply_0_o <= 2'd0;
            multiply_1_o <= 3'd0;
            add_0_o <= 3'd0;
            multiply_2_o <= 2'd0;
            exp_o <= 2'd0;
            multiply_3_o <= 1'b0;
            result_o <= 4'd0;
            fill_o <= 32'd0;
            factor_o <= 2'd0;
            scalar_o <= 3'd0;
            case (pass)
                PassAdd:       result_o <= 4'd5;
                PassMul:       result_o <= 4'd6;
                PassAxpy: begin
                    multiply_0_o <= 2'd2;
                    factor_o <= 2'd2;
                    add_0_o <= 3'd1;
                    result_o <= 4'd5;
                end
                PassRelu:      result_o <= 4'd1;
                PassSilu:      result_o <= 4'd10;
                PassGelu: begin
                    multiply_0_o <= 2'd1;
                    add_0_o <= 3'd2;
                    exp_o <= 2'd1;
                    result_o <= 4'd10;
                end
                PassSiluMul: begin
                    multiply_1_o <= 3'd3;
                    result_o <= 4'd7;
                end
                PassRope: begin
                    multiply_0_o <= 2'd3;
                    multiply_1_o <= 3'd4;
                    add_0_o <= 3'd5;
                    result_o <= 4'd5;
                end
                PassSquares: begin
                    multiply_0_o <= 2'd1;
                    result_o <= 4'd6;
                    scalar_o <= 3'd1;
                end
                PassRmsScale: begin
                    multiply_0_o <= 2'd2;
                    factor_o <= 2'd1;
                    multiply_1_o <= 3'd1;
                    result_o <= 4'd7;
                end
                PassMean:      scalar_o <= 3'd2;
                PassDeviations: begin
                    add_0_o <= 3'd3;
                    multiply_2_o <= 2'd1;
                    result_o <= 4'd8;
                    scalar_o <= 3'd1;
                end
                PassLayerScale: begin
                    add_0_o <= 3'd3;
                    multiply_2_o <= 2'd2;
                    multiply_1_o <= 3'd2;
                    result_o <= 4'd7;
                end
                PassMaximum: begin
                    multiply_0_o <= 2'd2;
                    result_o <= 4'd11;
                    fill_o <= OrderKeyLowest;
                    scalar_o <= 3'd3;
                end
                PassExpSum: begin
                    multiply_0_o <= 2'd2;
                    add_0_o <= 3'd4;
                    exp_o <= 2'd2;
                    result_o <= 4'd9;
                    scalar_o <= 3'd4;
                end
                PassSoftmax: begin
                    multiply_0_o <= 2'd2;
                    add_0_o <= 3'd4;
                    exp_o <= 2'd2;
                    multiply_3_o <= 1'b1;
                    multiply_1_o <= 3'd3;
                    result_o <= with_b_i ? 4'd7 : 4'd10;
                end
                PassMagnitude: begin
                    result_o <= 4'd2;
                    scalar_o <= 3'd5;
                end
                PassStaticScale: scalar_o <= 3'd6;
                PassQuantize:  result_o <= 4'd12;
                PassHalf:      result_o <= 4'd14;
                PassLargest: begin
                    result_o <= 4'd3;
                    fill_o <= RankNone;
                    scalar_o <= 3'd7;
                end
                PassMask:      result_o <= 4'd4;
                PassShare:     result_o <= 4'd13;
                default: ;
            endcase
        end
    end

`ifndef SYNTHESIS
    initial if (Lanes < 1 || Lanes > 128 || (1 << $clog2(Lanes)) != Lanes || LinkCycles > 58) begin
        $display("vector_passes: Lanes %0d, LinkCycles %0d: expected a power of two up to 128, at most 58 periods",
                 Lanes, LinkCycles);
        $finish;
    end
`endif
endmodule
