// When the last core is done: one `done_o` for a `done_i` of each core, in whatever order they come.
//
// `done_o` is high in the period of the last one; from the next period on it waits for all of them again.
// Registered: nothing but which cores have been done. It does not know of a start, nor whether a core will ever be done.
module cores_done #(
    parameter Cores = 2
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    input  wire [Cores-1:0] done_i,
    output wire             done_o
);
    reg  [Cores-1:0] done_q;
    wire [Cores-1:0] done = done_q | done_i;
    assign done_o = &done;

    always @(posedge clk_i) begin
        if (!rst_ni || done_o) done_q <= {Cores{1'b0}};
        else done_q <= done;
    end

`ifndef SYNTHESIS
    initial if (Cores < 1) begin
        $display("cores_done: Cores %0d, expected at least 1", Cores);
        $finish;
    end
`endif
endmodule
