// Signed a * b + c in one DSP48E2.
//
// Latency 2 for all three operands, initiation interval 1, no enable. It does not round or saturate: the caller sizes
// `YWidth` so that no sum overflows. At most 27 x 18 bits and a 48-bit sum, the DSP's own widths.
// The inputs are not registered: registers in front of `a_i` and `b_i` are the caller's, and synthesis takes them
// into the DSP (A, B). Registered: `y_o` (P); inside, the product (M) and the addend (C).
// Cells (yosys synth_xilinx -family xcup): 1 DSP48E2; yosys 0.23 keeps the registers and the adder outside
// (-family xc7 packs them).
module multiply_add #(
    parameter AWidth = 27,
    parameter BWidth = 18,
    parameter YWidth = 48
) (
    input  wire              clk_i,
    input  wire [AWidth-1:0] a_i,
    input  wire [BWidth-1:0] b_i,
    input  wire [YWidth-1:0] c_i,
    output wire [YWidth-1:0] y_o
);
    localparam ProductWidth = AWidth + BWidth;

    wire signed [ProductWidth-1:0] a = {{BWidth{a_i[AWidth-1]}}, a_i};
    wire signed [ProductWidth-1:0] b = {{AWidth{b_i[BWidth-1]}}, b_i};

    reg signed [ProductWidth-1:0] product_q;
    reg              [YWidth-1:0] c_q;
    reg              [YWidth-1:0] y_q;

    always @(posedge clk_i) begin
        product_q <= a * b;
        c_q <= c_i;
        y_q <= {{(YWidth - ProductWidth) {product_q[ProductWidth-1]}}, product_q} + c_q;
    end
    assign y_o = y_q;

`ifndef SYNTHESIS
    initial if (AWidth > 27 || BWidth > 18 || YWidth > 48 || YWidth <= ProductWidth) begin
        $display("multiply_add: %0d x %0d + %0d bits: expected at most 27 x 18 + 48, and a sum wider than the product",
                 AWidth, BWidth, YWidth);
        $finish;
    end
`endif
endmodule
