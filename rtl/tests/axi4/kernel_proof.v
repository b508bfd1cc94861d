// The proof of a kernel's AXI4 masters: the kernel's top with its host and memories free, the rules behind each master,
// what the parts that are cut away keep to, and the invariants that make the rules inductive.
//
// Wires named `tap_*` are connected by the test to the signals of the same path in the kernel. With Master = 1 the loads,
// 2 the stores, 3 the instructions are proven; with Only = n of those only property n, without the invariants.
`include "axi4_check.vh"

module kernel_proof #(
    parameter Master = 1,
    parameter Only = 0,
    parameter PortBytes = 32,
    parameter BurstBytes = 512,
    parameter Outstanding = 8,
    parameter FetchPortBytes = 64,
    parameter FetchBurstBytes = 512,
    parameter FetchOutstanding = 4
) (
    input wire clk_i,
    input wire rst_ni,
    // Host.
    input wire        awvalid_i,
    input wire [11:0] awaddr_i,
    input wire        wvalid_i,
    input wire [31:0] wdata_i,
    input wire  [3:0] wstrb_i,
    input wire        bready_i,
    input wire        arvalid_i,
    input wire [11:0] araddr_i,
    input wire        rready_i,
    // Data memory.
    input wire        gmem_awready_i,
    input wire        gmem_wready_i,
    input wire        gmem_bvalid_i,
    input wire        gmem_arready_i,
    input wire        gmem_rvalid_i,
    input wire        gmem_rlast_i,
    input wire  [8*PortBytes-1:0] gmem_rdata_i,
    // Instruction memory.
    input wire        fetch_arready_i,
    input wire        fetch_rvalid_i,
    input wire        fetch_rlast_i,
    input wire  [8*FetchPortBytes-1:0] fetch_rdata_i
);
    localparam AllProperties = 0;
    localparam Loads = 1;
    localparam Stores = 2;
    localparam Instructions = 3;
    // No property has this number.
    localparam Nothing = 99;

    wire        awvalid;
    wire [63:0] awaddr;
    wire  [7:0] awlen;
    wire  [2:0] awsize;
    wire  [1:0] awburst;
    wire        wvalid;
    wire [8*PortBytes-1:0] wdata;
    wire [PortBytes-1:0] wstrb;
    wire        wlast;
    wire        bready;
    wire        arvalid;
    wire [63:0] araddr;
    wire  [7:0] arlen;
    wire  [2:0] arsize;
    wire  [1:0] arburst;
    wire        rready;
    wire        fetch_awvalid;
    wire        fetch_wvalid;
    wire        fetch_arvalid;
    wire [63:0] fetch_araddr;
    wire  [7:0] fetch_arlen;
    wire  [2:0] fetch_arsize;
    wire  [1:0] fetch_arburst;
    wire        fetch_rready;

    kernel_tiny u_kernel (
        .ap_clk(clk_i),
        .ap_rst_n(rst_ni),
        .s_axi_control_AWVALID(awvalid_i),
        .s_axi_control_AWADDR(awaddr_i),
        .s_axi_control_WVALID(wvalid_i),
        .s_axi_control_WDATA(wdata_i),
        .s_axi_control_WSTRB(wstrb_i),
        .s_axi_control_BREADY(bready_i),
        .s_axi_control_ARVALID(arvalid_i),
        .s_axi_control_ARADDR(araddr_i),
        .s_axi_control_RREADY(rready_i),
        .m_axi_gmem0_AWVALID(awvalid),
        .m_axi_gmem0_AWREADY(gmem_awready_i),
        .m_axi_gmem0_AWADDR(awaddr),
        .m_axi_gmem0_AWLEN(awlen),
        .m_axi_gmem0_AWSIZE(awsize),
        .m_axi_gmem0_AWBURST(awburst),
        .m_axi_gmem0_WVALID(wvalid),
        .m_axi_gmem0_WREADY(gmem_wready_i),
        .m_axi_gmem0_WDATA(wdata),
        .m_axi_gmem0_WSTRB(wstrb),
        .m_axi_gmem0_WLAST(wlast),
        .m_axi_gmem0_BVALID(gmem_bvalid_i),
        .m_axi_gmem0_BREADY(bready),
        .m_axi_gmem0_ARVALID(arvalid),
        .m_axi_gmem0_ARREADY(gmem_arready_i),
        .m_axi_gmem0_ARADDR(araddr),
        .m_axi_gmem0_ARLEN(arlen),
        .m_axi_gmem0_ARSIZE(arsize),
        .m_axi_gmem0_ARBURST(arburst),
        .m_axi_gmem0_RVALID(gmem_rvalid_i),
        .m_axi_gmem0_RREADY(rready),
        .m_axi_gmem0_RDATA(gmem_rdata_i),
        .m_axi_gmem0_RLAST(gmem_rlast_i),
        .m_axi_instructions_AWVALID(fetch_awvalid),
        .m_axi_instructions_AWREADY(1'b1),
        .m_axi_instructions_WVALID(fetch_wvalid),
        .m_axi_instructions_WREADY(1'b1),
        .m_axi_instructions_BVALID(1'b0),
        .m_axi_instructions_ARVALID(fetch_arvalid),
        .m_axi_instructions_ARREADY(fetch_arready_i),
        .m_axi_instructions_ARADDR(fetch_araddr),
        .m_axi_instructions_ARLEN(fetch_arlen),
        .m_axi_instructions_ARSIZE(fetch_arsize),
        .m_axi_instructions_ARBURST(fetch_arburst),
        .m_axi_instructions_RVALID(fetch_rvalid_i),
        .m_axi_instructions_RREADY(fetch_rready),
        .m_axi_instructions_RDATA(fetch_rdata_i),
        .m_axi_instructions_RLAST(fetch_rlast_i)
    );

    // Reset: at first, then whenever the platform likes; each time for three periods at least, of which the kernel's own
    // pipeline of the reset takes two.
    reg [1:0] low_q = 2'd0;
    reg       before_q = 1'b0;
    reg       before_that_q = 1'b0;
    reg       first_q = 1'b1;
    wire      long_low = low_q == 2'd3;
    wire      settled = !first_q && (rst_ni || long_low);
    wire      after_reset = long_low;

    always @(posedge clk_i) begin
        first_q <= first_q && low_q != 2'd2;
        low_q <= rst_ni ? 2'd0 : long_low ? 2'd3 : low_q + 2'd1;
        before_q <= rst_ni;
        before_that_q <= before_q;
    end

    wire [15:0] load_outstanding;
    wire [15:0] fetch_outstanding;
    wire [15:0] store_addresses;
    wire [15:0] store_data;
    wire [31:0] unused_seen [0:5];

    axi4_reads #(
        .PortBytes  (PortBytes),
        .BurstBytes (BurstBytes),
        .Outstanding(Outstanding),
        .Only       (Master == Loads ? Only : Nothing)
    ) u_loads (
        .clk_i        (clk_i),
        .rst_ni       (rst_ni),
        .after_reset_i(after_reset),
        .arvalid_i    (arvalid),
        .arready_i    (gmem_arready_i),
        .araddr_i     (araddr),
        .arlen_i      (arlen),
        .arsize_i     (arsize),
        .arburst_i    (arburst),
        .rvalid_i     (gmem_rvalid_i),
        .rready_i     (rready),
        .rdata_i      (gmem_rdata_i),
        .rlast_i      (gmem_rlast_i),
        .outstanding_o(load_outstanding),
        .bursts_o     (unused_seen[0]),
        .beats_o      (unused_seen[1])
    );

    axi4_single_writes #(
        .PortBytes  (PortBytes),
        .Outstanding(Outstanding),
        .Only       (Master == Stores ? Only : Nothing)
    ) u_stores (
        .clk_i        (clk_i),
        .rst_ni       (rst_ni),
        .after_reset_i(after_reset),
        .awvalid_i    (awvalid),
        .awready_i    (gmem_awready_i),
        .awaddr_i     (awaddr),
        .awlen_i      (awlen),
        .awsize_i     (awsize),
        .awburst_i    (awburst),
        .wvalid_i     (wvalid),
        .wready_i     (gmem_wready_i),
        .wdata_i      (wdata),
        .wstrb_i      (wstrb),
        .wlast_i      (wlast),
        .bvalid_i     (gmem_bvalid_i),
        .bready_i     (bready),
        .addresses_o  (store_addresses),
        .data_o       (store_data),
        .beats_o      (unused_seen[2]),
        .answers_o    (unused_seen[3])
    );

    axi4_reads #(
        .PortBytes  (FetchPortBytes),
        .BurstBytes (FetchBurstBytes),
        .Outstanding(FetchOutstanding),
        .Only       (Master == Instructions ? Only : Nothing)
    ) u_fetches (
        .clk_i        (clk_i),
        .rst_ni       (rst_ni),
        .after_reset_i(after_reset),
        .arvalid_i    (fetch_arvalid),
        .arready_i    (fetch_arready_i),
        .araddr_i     (fetch_araddr),
        .arlen_i      (fetch_arlen),
        .arsize_i     (fetch_arsize),
        .arburst_i    (fetch_arburst),
        .rvalid_i     (fetch_rvalid_i),
        .rready_i     (fetch_rready),
        .rdata_i      (fetch_rdata_i),
        .rlast_i      (fetch_rlast_i),
        .outstanding_o(fetch_outstanding),
        .bursts_o     (unused_seen[4]),
        .beats_o      (unused_seen[5])
    );

    // What the host keeps to: base addresses are multiples of 4 KiB.
    wire [63:0] tap_memory;
    wire [63:0] tap_instructions;
    always @* begin
        assume (tap_memory[11:0] == 12'd0);
        assume (tap_instructions[11:0] == 12'd0);
        assume (!first_q || !rst_ni);
        assume (low_q == 2'd0 || long_low || !rst_ni);
    end

    wire [1:0] tap_rst_n_q;
    wire       tap_rst_n = tap_rst_n_q[1];
    always @* if (Only == AllProperties) begin
        assert (first_q ? !long_low : tap_rst_n_q == {before_that_q, before_q});
        assert (first_q || (low_q == 2'd0) == before_q);
        assert (first_q || low_q[1] == !(before_q || before_that_q));
        assert (low_q == 2'd0 || !(before_q || tap_rst_n_q[0]));
        assert (low_q < 2'd2 || !(before_that_q || tap_rst_n_q[1]));
    end

    // What the reset that has reached the kernel leaves.
    wire cleared = settled && !before_that_q;
    always @* if (cleared && Only == AllProperties) begin
        assert (Master != Stores || (!awvalid && !wvalid && store_addresses == 16'd0 && store_data == 16'd0));
        assert (Master != Loads || (!arvalid && load_outstanding == 16'd0));
        assert (Master != Instructions || (!fetch_arvalid && fetch_outstanding == 16'd0));
    end

    generate
        if (Master == Loads) begin : gen_loads
            `include "kernel_proof_loads.vh"
        end
        if (Master == Stores) begin : gen_stores
            `include "kernel_proof_stores.vh"
        end
        if (Master == Instructions) begin : gen_instructions
            `include "kernel_proof_instructions.vh"
        end
    endgenerate
endmodule
