// Retirement of matrix instructions, in order and at most one a period: an instruction that does nothing is done in the
// period after its issue, any other when its last result has been written.
//
// Registered: everything that `retire_o` depends on, but for `done_i`. Holds at most 16 instructions; the sequencer never
// issues more.
module matrix_retire (
    input  wire clk_i,
    input  wire rst_ni,
    // An instruction is issued in this period, and whether it does nothing.
    input  wire issue_i,
    input  wire empty_i,
    // The oldest instruction that does something is done in this period.
    input  wire done_i,
    output wire retire_o
);
    reg [15:0] empty_q;
    reg  [3:0] head_q;
    reg  [4:0] count_q;

    assign retire_o = count_q != 5'd0 && (empty_q[head_q] || done_i);
    wire [3:0] tail = head_q + count_q[3:0];

    always @(posedge clk_i) begin
        if (issue_i) empty_q[tail] <= empty_i;
        if (!rst_ni) begin
            head_q <= 4'd0;
            count_q <= 5'd0;
        end else begin
            if (retire_o) head_q <= head_q + 4'd1;
            count_q <= count_q + {4'd0, issue_i} - {4'd0, retire_o};
        end
    end

`ifndef SYNTHESIS
    always @(posedge clk_i) if (rst_ni) begin
        if (issue_i && count_q[4]) begin
            $display("matrix_retire: a 17th instruction is issued, expected at most 16 unretired");
            $stop;
        end
        if (done_i && (count_q == 5'd0 || empty_q[head_q])) begin
            $display("matrix_retire: done without an instruction that does something at the head");
            $stop;
        end
    end
`endif
endmodule
