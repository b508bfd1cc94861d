// Between a Vitis kernel's control slave and its core: the reset, and one start for each time that the host sets
// ap_start.
//
// The slave holds ap_start_i until the period of done_i; `start_o` is high in its first period only. `rst_no` is the
// platform's reset two periods later, so that its wires may be long. It does not see whether the program was good.
// Registered: `rst_no`, `idle_o` (a function of a register); `start_o` follows ap_start_i in the same period.
module kernel_start (
    input  wire clk_i,
    input  wire rst_ni,
    output wire rst_no,
    // Control slave.
    input  wire ap_start_i,
    output wire idle_o,
    // Core.
    output wire start_o,
    input  wire done_i
);
    reg [1:0] rst_n_q;
    reg       running_q;

    assign rst_no = rst_n_q[1];
    assign idle_o = !running_q;
    assign start_o = ap_start_i && !running_q;

    always @(posedge clk_i) begin
        rst_n_q <= {rst_n_q[0], rst_ni};
        running_q <= start_o || (running_q && !done_i);
        if (!rst_n_q[1]) running_q <= 1'b0;
    end
endmodule
