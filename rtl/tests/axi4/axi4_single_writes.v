// The rules of an AXI4 write channel with one ID whose bursts are of one beat (ARM IHI 0022, A3), and what our masters
// promise beyond them. Properties of the master are asserted, rules of the slave assumed; in simulation both are checked,
// and a fault is printed. Data may come before its address, as AXI4 allows, but no more than `Outstanding` beats.
// `addresses_o`, `data_o`: how many are accepted and not answered; `beats_o`, `answers_o`: how much was seen. It drives
// nothing else. With Only = n only property n is asserted; 0: all.
`include "axi4_check.vh"

module axi4_single_writes #(
    parameter PortBytes = 32,
    parameter Outstanding = 8,
    parameter Only = 0
) (
    input  wire        clk_i,
    // Low in reset; `after_reset_i` is high when the master must have seen it.
    input  wire        rst_ni,
    input  wire        after_reset_i,
    input  wire        awvalid_i,
    input  wire        awready_i,
    input  wire [63:0] awaddr_i,
    input  wire  [7:0] awlen_i,
    input  wire  [2:0] awsize_i,
    input  wire  [1:0] awburst_i,
    input  wire        wvalid_i,
    input  wire        wready_i,
    input  wire [8*PortBytes-1:0] wdata_i,
    input  wire [PortBytes-1:0] wstrb_i,
    input  wire        wlast_i,
    input  wire        bvalid_i,
    input  wire        bready_i,
    output wire [15:0] addresses_o,
    output wire [15:0] data_o,
    output wire [31:0] beats_o,
    output wire [31:0] answers_o
);

    localparam PortShift = $clog2(PortBytes);
    localparam [2:0] Size = PortShift;
    localparam [1:0] Incr = 2'd1;
    localparam [15:0] Most = Outstanding;

    // What was offered and not taken in the period before.
    reg         aw_waits_q = 1'b0;
    reg  [76:0] aw_q;
    reg         w_waits_q = 1'b0;
    reg [9*PortBytes:0] w_q;
    reg         b_waits_q = 1'b0;
    reg  [15:0] addresses_q = 16'd0;
    reg  [15:0] data_q = 16'd0;
    reg  [31:0] beats_q = 32'd0;
    reg  [31:0] answers_q = 32'd0;

    wire [76:0] aw = {awaddr_i, awlen_i, awsize_i, awburst_i};
    wire [9*PortBytes:0] w = {wdata_i, wstrb_i, wlast_i};
    wire        address = awvalid_i && awready_i;
    wire        beat = wvalid_i && wready_i;
    wire        answer = bvalid_i && bready_i;

    assign addresses_o = addresses_q;
    assign data_o = data_q;
    assign beats_o = beats_q;
    assign answers_o = answers_q;

    always @(posedge clk_i) begin
        aw_waits_q <= rst_ni && awvalid_i && !awready_i;
        aw_q <= aw;
        w_waits_q <= rst_ni && wvalid_i && !wready_i;
        w_q <= w;
        b_waits_q <= rst_ni && bvalid_i && !bready_i;
        addresses_q <= rst_ni ? addresses_q + {15'd0, address} - {15'd0, answer} : 16'd0;
        data_q <= rst_ni ? data_q + {15'd0, beat} - {15'd0, answer} : 16'd0;
        beats_q <= beats_q + {31'd0, rst_ni && beat};
        answers_q <= answers_q + {31'd0, rst_ni && answer};
    end

    always @(`CHECK) begin
        if (after_reset_i) begin
            `MUST(1, !awvalid_i);
            `MUST(2, !wvalid_i);
        end
        if (rst_ni) begin
            if (aw_waits_q) begin
                `MUST(3, awvalid_i);
                `MUST(4, !awvalid_i || aw == aw_q);
            end
            if (w_waits_q) begin
                `MUST(5, wvalid_i);
                `MUST(6, !wvalid_i || w == w_q);
            end
            if (awvalid_i) begin
                `MUST(7, awburst_i == Incr);
                `MUST(8, awsize_i == Size);
                // A beat that is aligned crosses no boundary of 4 KiB.
                `MUST(9, awaddr_i[PortShift-1:0] == 0);
                `MUST(10, awlen_i == 8'd0);
                `MUST(11, addresses_q < Most);
            end
            if (wvalid_i) begin
                `MUST(12, wlast_i);
                `MUST(13, data_q < Most);
            end
            if (addresses_q != 16'd0 && data_q != 16'd0) begin
                `MUST(14, bready_i);
            end
            `MAY(15, !bvalid_i || (addresses_q != 16'd0 && data_q != 16'd0));
            `MAY(16, !b_waits_q || bvalid_i);
        end
    end
endmodule
