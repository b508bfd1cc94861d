// Signed a * b + c in one DSP48E2, or in LUTs.
//
// Latency 2 for all three operands, initiation interval 1, no enable. It does not round or saturate: the caller sizes
// `YWidth` so that no sum overflows. At most 27 x 18 bits and a 48-bit sum, the DSP's own widths.
// The inputs are not registered: registers in front of `a_i` and `b_i` are the caller's. Registered: `y_o` (P); inside, the product (M) and the addend (C).
// Cells (yosys synth_xilinx -family xcup): 1 DSP48E2; with `Luts` = 1 those of lut_multiply.v.
module multiply_add #(
    parameter AWidth = 27,
    parameter BWidth = 18,
    parameter YWidth = 48,
    // 1: of LUTs.
    parameter Luts = 0
) (
    input  wire              clk_i,
    input  wire [AWidth-1:0] a_i,
    input  wire [BWidth-1:0] b_i,
    input  wire [YWidth-1:0] c_i,
    output wire [YWidth-1:0] y_o
);
    localparam ProductWidth = AWidth + BWidth;

    generate
        if (Luts != 0) begin : gen_luts
            lut_multiply #(
                .AWidth(AWidth),
                .BWidth(BWidth),
                .YWidth(YWidth),
                .Signed(1),
                .Addend(1)
            ) u_luts (
                .clk_i(clk_i),
                .a_i  (a_i),
                .b_i  (b_i),
                .c_i  (c_i),
                .y_o  (y_o)
            );
        end else begin : gen_dsp
            wire [26:0] a;
            wire [17:0] b;
            wire [47:0] c;
            assign a[AWidth-1:0] = a_i;
            assign b[BWidth-1:0] = b_i;
            assign c[YWidth-1:0] = c_i;
            if (AWidth < 27) begin : gen_extend_a
                assign a[26:AWidth] = {(27-AWidth){a_i[AWidth-1]}};
            end
            if (BWidth < 18) begin : gen_extend_b
                assign b[17:BWidth] = {(18-BWidth){b_i[BWidth-1]}};
            end
            if (YWidth < 48) begin : gen_extend_c
                assign c[47:YWidth] = {(48-YWidth){c_i[YWidth-1]}};
            end

            wire [47:0] p;
            wire [47:0] unused_cascade;
            dsp48e2 #(
                .ARegisters(0),
                .BRegisters(0),
                .CRegisters(1),
                .Addend    (3)
            ) u_dsp (
                .clk_i    (clk_i),
                .enable_i (1'b1),
                .a_i      (a),
                .b_i      (b),
                .c_i      (c),
                .d_i      (27'd0),
                .cascade_i(48'd0),
                .cascade_o(unused_cascade),
                .p_o      (p)
            );
            assign y_o = p[YWidth-1:0];
            wire unused_p = &{1'b0, p};
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (AWidth > 27 || BWidth > 18 || YWidth > 48 || YWidth <= ProductWidth) begin
        $display("multiply_add: %0d x %0d + %0d bits: expected at most 27 x 18 + 48, and a sum wider than the product",
                 AWidth, BWidth, YWidth);
        $finish;
    end
`endif
endmodule
