// A clock that stands still in the periods in which nothing needs it.
//
// `ClockGates` = 0: `clk_o` is `clk_i`, whatever `enable_i` says; this is what is put on a card (docs/src/rtl.md, "Clock
// gates"). Otherwise the edge of `clk_i` that ends a period reaches `clk_o` only if `enable_i` is high at the end of that
// period. The latch passes while the clock is low, so that an enable that changes after the edge makes no edge of its own.
// It does not know what it stops: what stands behind it must be as it would be with the edge. Registered: nothing.
module clock_gate #(
    parameter ClockGates = 0
) (
    input  wire clk_i,
    input  wire enable_i,
    output wire clk_o
);
    generate
        if (ClockGates != 0) begin : gen_gate
            reg enable_q;
            /* verilator lint_off LATCH */ // it is meant: see above
            always @* if (!clk_i) enable_q = enable_i;
            /* verilator lint_on LATCH */
            assign clk_o = clk_i && enable_q;
        end else begin : gen_wire
            wire unused_enable = enable_i;
            assign clk_o = clk_i;
        end
    endgenerate
endmodule
