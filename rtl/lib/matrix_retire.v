// Retirement of matrix instructions, in order and at most one a period: an instruction that does nothing is done in the
// period after its issue, any other when its last result has been written.
//
// Registered: everything that `retire_o` depends on, but for `done_i`. Holds at most `MatrixInFlight` instructions; the
// sequencer never issues more.
module matrix_retire (
    input  wire clk_i,
    input  wire rst_ni,
    // An instruction is issued in this period, and whether it does nothing.
    input  wire issue_i,
    input  wire empty_i,
    // The oldest instruction that does something is done in this period.
    input  wire done_i,
    output wire retire_o,
    // Some instruction has not retired.
    output wire waits_o
);
    `include "constants.vh"

    localparam Bits = $clog2(MatrixInFlight);
    reg [MatrixInFlight-1:0] empty_q;
    reg           [Bits-1:0] head_q;
    reg             [Bits:0] count_q;

    assign waits_o = count_q != {(Bits + 1) {1'b0}};
    assign retire_o = waits_o && (empty_q[head_q] || done_i);
    wire [Bits-1:0] tail = head_q + count_q[Bits-1:0];

    always @(posedge clk_i) begin
        if (issue_i) empty_q[tail] <= empty_i;
        if (!rst_ni) begin
            head_q <= {Bits{1'b0}};
            count_q <= {(Bits + 1) {1'b0}};
        end else begin
            if (retire_o) head_q <= head_q + 1'b1;
            count_q <= count_q + {{Bits{1'b0}}, issue_i} - {{Bits{1'b0}}, retire_o};
        end
    end

`ifndef SYNTHESIS
    always @(posedge clk_i) if (rst_ni) begin
        if (issue_i && count_q[Bits]) begin
            $display("matrix_retire: an instruction is issued, expected at most %0d unretired", MatrixInFlight);
            $stop;
        end
        if (done_i && (count_q == {(Bits + 1) {1'b0}} || empty_q[head_q])) begin
            $display("matrix_retire: done without an instruction that does something at the head");
            $stop;
        end
    end
`endif
endmodule
