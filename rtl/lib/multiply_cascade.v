// Product of two unsigned numbers in two DSP48E2, the second of which adds the first's result from its cascade input,
// shifted right by 17 bits.
//
// `high_o` = (a_i * b_i) >> 17, latency 3; `low_o` = the 17 low bits, one period earlier (latency 2): whoever needs
// them whole delays them, whoever needs only whether they are zero keeps one bit. Initiation interval 1, no enable.
// The inputs are not registered: each goes into the multiplier array of the first DSP at once.
// It does not round. Operands beyond 26 x 34 bits need more than two DSPs and are refused.
// Registered: all outputs. In the first DSP: M, P; in the second: A, B, M, P.
// Cells (yosys synth_xilinx -family xcup): 2 DSP48E2 for 24 x 24 and 24 x 34; yosys 0.23 keeps the registers outside
// (-family xc7 packs all of them, and the cascade).
module multiply_cascade #(
    parameter AWidth = 24,
    parameter BWidth = 24
) (
    input  wire                     clk_i,
    input  wire        [AWidth-1:0] a_i,
    input  wire        [BWidth-1:0] b_i,
    output wire              [16:0] low_o,
    output wire [AWidth+BWidth-18:0] high_o
);
    localparam LowBits = 17;
    localparam HighBits = BWidth - LowBits;

    reg  [AWidth+LowBits-1:0] low_product_q;
    reg  [AWidth+LowBits-1:0] low_sum_q;
    reg          [AWidth-1:0] a_q;
    reg        [HighBits-1:0] b_high_q;
    reg [AWidth+HighBits-1:0] high_product_q;
    reg [AWidth+HighBits-1:0] high_sum_q;

    always @(posedge clk_i) begin
        low_product_q <= {{LowBits{1'b0}}, a_i} * {{AWidth{1'b0}}, b_i[LowBits-1:0]};
        a_q <= a_i;
        b_high_q <= b_i[BWidth-1:LowBits];

        low_sum_q <= low_product_q;
        high_product_q <= {{HighBits{1'b0}}, a_q} * {{AWidth{1'b0}}, b_high_q};

        high_sum_q <= high_product_q + {{HighBits{1'b0}}, low_sum_q[AWidth+LowBits-1:LowBits]};
    end

    assign low_o = low_sum_q[LowBits-1:0];
    assign high_o = high_sum_q;

`ifndef SYNTHESIS
    initial if (AWidth < 1 || AWidth > 26 || BWidth < 18 || BWidth > 34) begin
        $display("multiply_cascade: AWidth %0d, BWidth %0d: expected 1..26 and 18..34", AWidth, BWidth);
        $finish;
    end
`endif
endmodule
