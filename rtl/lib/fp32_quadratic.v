// A table's quadratic at a residual: hw_config::numeric::tables::Layout::evaluate, in two DSP48E2, or in LUTs.
//
// inner = c1 + (c2 * r >> ResidualBits); sum = (c0 << ResidualBits) + inner * r; `significand_o` = sum >> Drop.
// Latency 4 if `InputStages` = 0, 6 if it is 1 (a register in front of each multiplier: the DSP's A and B registers).
// Initiation interval 1, no enable. `c0_i` unsigned; `c1_i`, `c2_i`, `residual_i` signed. It does not look up the
// coefficients and does not clamp: the table makes the significand lie in 2^23 ..= 2^24.
// Registered: `significand_o`.
// Cells (yosys 0.23 synth_xilinx -family xcup): 2 DSP48E2, 50 LUT, 44 SRL, 184 FF, 14 CARRY4. The registers and adders
// beside the multipliers that yosys packs into DSPs for -family xc7 alone are in these: there 0 LUT, 28 SRL, 76 FF.
// With `Luts` = 1: 603 LUT and 333 FF in place of the DSP48E2 (18 bits of residual).
module fp32_quadratic #(
    parameter ResidualBits = 16,
    parameter C0Bits = 28,
    parameter C1Bits = 22,
    parameter C2Bits = 15,
    parameter Drop = 20,
    parameter InputStages = 1,
    // 1: its products are of LUTs.
    parameter Luts = 0
) (
    input  wire                    clk_i,
    input  wire [ResidualBits-1:0] residual_i,
    input  wire       [C0Bits-1:0] c0_i,
    input  wire       [C1Bits-1:0] c1_i,
    input  wire       [C2Bits-1:0] c2_i,
    output wire             [24:0] significand_o
);
    `include "constants.vh"

    // One bit more than c1 takes the carry of the inner sum; c2 * r >> ResidualBits is far smaller than c1's range.
    localparam InnerBits = C1Bits + 1;
    localparam InnerSumBits = InnerBits + ResidualBits;
    localparam SumBits = Drop + 25 + 1;
    localparam InnerCycles = InputStages + MultiplyAddCycles;

    // inner
    wire [ResidualBits-1:0] inner_residual;
    wire       [C1Bits-1:0] c1;
    wire       [C2Bits-1:0] c2;
    delay #(
        .Width (ResidualBits + C1Bits + C2Bits),
        .Cycles(InputStages)
    ) u_delay_inner (
        .clk_i (clk_i),
        .data_i({residual_i, c1_i, c2_i}),
        .data_o({inner_residual, c1, c2})
    );

    wire [InnerSumBits-1:0] inner_sum;
    multiply_add #(
        .AWidth(C2Bits),
        .BWidth(ResidualBits),
        .YWidth(InnerSumBits),
        .Luts  (Luts)
    ) u_inner (
        .clk_i(clk_i),
        .a_i  (c2),
        .b_i  (inner_residual),
        .c_i  ({c1[C1Bits-1], c1, {ResidualBits{1'b0}}}),
        .y_o  (inner_sum)
    );

    // sum
    wire    [InnerBits-1:0] inner;
    wire [ResidualBits-1:0] residual;
    wire       [C0Bits-1:0] c0;
    delay #(
        .Width (InnerBits),
        .Cycles(InputStages)
    ) u_delay_sum (
        .clk_i (clk_i),
        .data_i(inner_sum[InnerSumBits-1:ResidualBits]),
        .data_o(inner)
    );
    delay #(
        .Width (ResidualBits + C0Bits),
        .Cycles(InnerCycles + InputStages)
    ) u_delay_residual (
        .clk_i (clk_i),
        .data_i({residual_i, c0_i}),
        .data_o({residual, c0})
    );

    wire [SumBits-1:0] sum;
    multiply_add #(
        .AWidth(InnerBits),
        .BWidth(ResidualBits),
        .YWidth(SumBits),
        .Luts  (Luts)
    ) u_sum (
        .clk_i(clk_i),
        .a_i  (inner),
        .b_i  (residual),
        .c_i  ({{(SumBits - C0Bits - ResidualBits) {1'b0}}, c0, {ResidualBits{1'b0}}}),
        .y_o  (sum)
    );
    assign significand_o = sum[Drop+:25];
    wire unused_sum = &{sum[SumBits-1], sum[Drop-1:0]};
    wire unused_inner = &inner_sum[ResidualBits-1:0];
endmodule
