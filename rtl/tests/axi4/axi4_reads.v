// The rules of an AXI4 read channel with one ID (ARM IHI 0022, A3), and what our masters promise beyond them. Properties
// of the master are asserted, rules of the slave assumed; in simulation both are checked, and a fault is printed.
// `outstanding_o`: bursts that are accepted and whose last beat has not been taken. `beats_o`, `bursts_o`: how much was
// seen. It drives nothing else. With Only = n only property n is asserted; 0: all.
`include "axi4_check.vh"

module axi4_reads #(
    parameter PortBytes = 32,
    // A burst lies within a window of so many bytes, a power of two.
    parameter BurstBytes = 512,
    parameter Outstanding = 8,
    parameter Only = 0
) (
    input  wire        clk_i,
    // Low in reset; `after_reset_i` is high when the master must have seen it.
    input  wire        rst_ni,
    input  wire        after_reset_i,
    input  wire        arvalid_i,
    input  wire        arready_i,
    input  wire [63:0] araddr_i,
    input  wire  [7:0] arlen_i,
    input  wire  [2:0] arsize_i,
    input  wire  [1:0] arburst_i,
    input  wire        rvalid_i,
    input  wire        rready_i,
    input  wire [8*PortBytes-1:0] rdata_i,
    input  wire        rlast_i,
    output wire [15:0] outstanding_o,
    output wire [31:0] bursts_o,
    output wire [31:0] beats_o
);

    localparam PortShift = $clog2(PortBytes);
    localparam [2:0] Size = PortShift;
    localparam [1:0] Incr = 2'd1;
    localparam [15:0] Most = Outstanding;
    localparam [63:0] WindowMask = BurstBytes - 1;

    // What was offered and not taken in the period before.
    reg         ar_waits_q = 1'b0;
    reg  [76:0] ar_q;
    reg         r_waits_q = 1'b0;
    reg [8*PortBytes:0] r_q;
    // Lengths of the bursts that are accepted, the oldest lowest; beats taken of the oldest.
    reg  [15:0] count_q = 16'd0;
    reg [8*Outstanding-1:0] lengths_q;
    reg   [7:0] taken_q = 8'd0;
    reg  [31:0] bursts_q = 32'd0;
    reg  [31:0] beats_q = 32'd0;

    wire  [76:0] ar = {araddr_i, arlen_i, arsize_i, arburst_i};
    wire  [63:0] bytes = ({56'd0, arlen_i} + 64'd1) << PortShift;
    wire  [63:0] last = araddr_i + bytes - 64'd1;
    wire         accepted = arvalid_i && arready_i;
    wire         beat = rvalid_i && rready_i;
    wire         ended = beat && rlast_i;
    wire  [15:0] place = count_q - {15'd0, ended};
    wire [8*Outstanding-1:0] rest = ended ? lengths_q >> 8 : lengths_q;
    wire [8*Outstanding-1:0] hole = ~({{(8 * Outstanding - 8) {1'b0}}, 8'hff} << 8 * place);

    assign outstanding_o = count_q;
    assign bursts_o = bursts_q;
    assign beats_o = beats_q;

    always @(posedge clk_i) begin
        ar_waits_q <= rst_ni && arvalid_i && !arready_i;
        ar_q <= ar;
        r_waits_q <= rst_ni && rvalid_i && !rready_i;
        r_q <= {rdata_i, rlast_i};
        count_q <= rst_ni ? place + {15'd0, accepted} : 16'd0;
        lengths_q <= accepted ? (rest & hole) | ({{(8 * Outstanding - 8) {1'b0}}, arlen_i} << 8 * place) : rest;
        taken_q <= !rst_ni || ended ? 8'd0 : taken_q + {7'd0, beat};
        bursts_q <= bursts_q + {31'd0, rst_ni && accepted};
        beats_q <= beats_q + {31'd0, rst_ni && beat};
    end

    always @(`CHECK) begin
        if (after_reset_i) begin
            `MUST(1, !arvalid_i);
        end
        if (rst_ni) begin
            if (ar_waits_q) begin
                `MUST(2, arvalid_i);
                `MUST(3, !arvalid_i || ar == ar_q);
            end
            if (arvalid_i) begin
                `MUST(4, arburst_i == Incr);
                `MUST(5, arsize_i == Size);
                `MUST(6, araddr_i[PortShift-1:0] == 0);
                `MUST(7, araddr_i[63:12] == last[63:12]);
                `MUST(8, (araddr_i & ~WindowMask) == (last & ~WindowMask));
                `MUST(9, count_q < Most);
            end
            if (count_q != 16'd0) begin
                `MUST(10, rready_i);
            end
            `MAY(11, !rvalid_i || count_q != 16'd0);
            `MAY(12, !rvalid_i || rlast_i == (taken_q == lengths_q[7:0]));
            `MAY(13, !r_waits_q || (rvalid_i && {rdata_i, rlast_i} == r_q));
        end
    end
endmodule
