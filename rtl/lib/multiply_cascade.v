// Product of two unsigned numbers in two DSP48E2, the second of which adds the first's result from its cascade input,
// shifted right by 17 bits; or in LUTs, two products and their sum.
//
// `high_o` = (a_i * b_i) >> 17, latency 3; `low_o` = the 17 low bits, one period earlier (latency 2): whoever needs
// them whole delays them, whoever needs only whether they are zero keeps one bit. Initiation interval 1, no enable.
// The inputs are not registered: each goes into the multiplier array of the first DSP, or the rows of LUTs, at once.
// It does not round. Operands beyond 26 x 34 bits need more than two DSPs and are refused.
// Registered: all outputs. In the first DSP: M, P; in the second: A, B, M, P.
// Cells (yosys 0.23 synth_xilinx -family xcup): 2 DSP48E2; with `Luts` = 1, 24 x 24 bits 442 LUT, 250 FF,
// 123 CARRY4.
module multiply_cascade #(
    parameter AWidth = 24,
    parameter BWidth = 24,
    // 1: of LUTs.
    parameter Luts = 0
) (
    input  wire                     clk_i,
    input  wire        [AWidth-1:0] a_i,
    input  wire        [BWidth-1:0] b_i,
    output wire              [16:0] low_o,
    output wire [AWidth+BWidth-18:0] high_o
);
    localparam LowBits = 17;
    localparam HighBits = BWidth - LowBits;

    generate
        if (Luts != 0) begin : gen_luts
            wire [AWidth+LowBits-1:0] low;
            lut_multiply #(
                .AWidth(AWidth),
                .BWidth(LowBits),
                .YWidth(AWidth + LowBits)
            ) u_low (
                .clk_i(clk_i),
                .a_i  (a_i),
                .b_i  (b_i[LowBits-1:0]),
                .c_i  ({(AWidth+LowBits){1'b0}}),
                .y_o  (low)
            );
            wire [AWidth+HighBits-1:0] high;
            lut_multiply #(
                .AWidth(AWidth),
                .BWidth(HighBits),
                .YWidth(AWidth + HighBits)
            ) u_high (
                .clk_i(clk_i),
                .a_i  (a_i),
                .b_i  (b_i[BWidth-1:LowBits]),
                .c_i  ({(AWidth+HighBits){1'b0}}),
                .y_o  (high)
            );
            reg [AWidth+HighBits-1:0] high_q;
            always @(posedge clk_i) high_q <= high + {{HighBits{1'b0}}, low[AWidth+LowBits-1:LowBits]};
            assign low_o = low[LowBits-1:0];
            assign high_o = high_q;
        end else begin : gen_dsp
            wire [47:0] low;
            wire [47:0] cascade;
            dsp48e2 #(
                .ARegisters(0),
                .BRegisters(0),
                .Addend    (0)
            ) u_low (
                .clk_i    (clk_i),
                .enable_i (1'b1),
                .a_i      ({{(27-AWidth){1'b0}}, a_i}),
                .b_i      ({1'b0, b_i[LowBits-1:0]}),
                .c_i      (48'd0),
                .d_i      (27'd0),
                .cascade_i(48'd0),
                .cascade_o(cascade),
                .p_o      (low)
            );
            wire [47:0] high;
            wire [47:0] unused_cascade;
            dsp48e2 #(
                .ARegisters(1),
                .BRegisters(1),
                .Addend    (5)
            ) u_high (
                .clk_i    (clk_i),
                .enable_i (1'b1),
                .a_i      ({{(27-AWidth){1'b0}}, a_i}),
                .b_i      ({{(18-HighBits){1'b0}}, b_i[BWidth-1:LowBits]}),
                .c_i      (48'd0),
                .d_i      (27'd0),
                .cascade_i(cascade),
                .cascade_o(unused_cascade),
                .p_o      (high)
            );
            assign low_o = low[LowBits-1:0];
            assign high_o = high[AWidth+HighBits-1:0];
            wire unused_bits = &{1'b0, low, high};
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (AWidth < 1 || AWidth > 26 || BWidth < 18 || BWidth > 34) begin
        $display("multiply_cascade: AWidth %0d, BWidth %0d: expected 1..26 and 18..34", AWidth, BWidth);
        $finish;
    end
`endif
endmodule
