// A register in both directions of a valid/ready stream: cuts every path from one side to the other.
//
// Latency 1, initiation interval 1. Two entries of storage: the second takes what arrives in the period in which the
// receiver is first seen to hold. It does not reorder or drop. Registered: `ready_o`, `valid_o`, `data_o`.
module skid_buffer #(
    parameter Width = 8
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    // In.
    input  wire             valid_i,
    output wire             ready_o,
    input  wire [Width-1:0] data_i,
    // Out.
    output wire             valid_o,
    input  wire             ready_i,
    output wire [Width-1:0] data_o
);
    reg             valid_q;
    reg [Width-1:0] data_q;
    reg             skid_valid_q;
    reg [Width-1:0] skid_data_q;

    // The output register is free, or becomes free.
    wire advance = !valid_q || ready_i;

    assign ready_o = !skid_valid_q;
    assign valid_o = valid_q;
    assign data_o = data_q;

    always @(posedge clk_i) begin
        if (advance) data_q <= skid_valid_q ? skid_data_q : data_i;
        if (ready_o) skid_data_q <= data_i;
        if (advance) valid_q <= skid_valid_q || valid_i;
        skid_valid_q <= !advance && (skid_valid_q || valid_i);
        if (!rst_ni) begin
            valid_q <= 1'b0;
            skid_valid_q <= 1'b0;
        end
    end

`ifdef FORMAL
    // From reset on, whatever comes: what is offered stays until it is taken, and what is held, oldest first, is what
    // was taken in and has not left. A sender that keeps to the rules is not needed.
    reg               f_past = 1'b0;
    reg         [1:0] f_count_q = 2'd0;
    reg   [Width-1:0] f_oldest_q;
    reg   [Width-1:0] f_newest_q;
    reg               f_waiting_q;
    reg   [Width-1:0] f_offered_q;
    wire              f_in = valid_i && ready_o;
    wire              f_out = valid_o && ready_i;

    always @(posedge clk_i) begin
        f_past <= 1'b1;
        f_count_q <= f_count_q + {1'b0, f_in} - {1'b0, f_out};
        if (f_out) f_oldest_q <= f_count_q == 2'd2 ? f_newest_q : data_i;
        else if (f_in && f_count_q == 2'd0) f_oldest_q <= data_i;
        if (f_in) f_newest_q <= data_i;
        if (!rst_ni) f_count_q <= 2'd0;
        f_waiting_q <= rst_ni && valid_o && !ready_i;
        f_offered_q <= data_o;
    end

    always @* begin
        if (!f_past) assume (!rst_ni);
        if (f_past && rst_ni) begin
            assert (f_count_q <= 2'd2);
            assert (valid_o == (f_count_q != 2'd0));
            assert (ready_o == (f_count_q != 2'd2));
            if (valid_o) assert (data_o == f_oldest_q);
            if (!ready_o) assert (skid_data_q == f_newest_q);
            if (f_waiting_q) assert (valid_o && data_o == f_offered_q);
        end
    end
`endif

`ifndef SYNTHESIS
    initial if (Width < 1) begin
        $display("skid_buffer: Width %0d, expected at least 1", Width);
        $finish;
    end
`endif
endmodule
