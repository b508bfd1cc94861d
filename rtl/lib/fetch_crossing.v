// The read channel of a core's instruction memory, from the core's region to the memory's: `Cycles` periods more on each
// request and on each beat that comes back.
//
// Latency `Cycles` each way, initiation interval 1. The core takes every beat, so beats are never held back. Registered:
// all outputs but `rready_o`, which is always high. It does not look at addresses.
module fetch_crossing #(
    parameter FetchPortBytes = 64,
    parameter FetchAddressBits = 34,
    parameter Cycles = 2
) (
    input  wire                        clk_i,
    input  wire                        rst_ni,
    // Core.
    input  wire                        core_arvalid_i,
    input  wire [FetchAddressBits-1:0] core_araddr_i,
    input  wire                  [7:0] core_arlen_i,
    output wire                        core_arready_o,
    output wire                        core_rvalid_o,
    output wire [8*FetchPortBytes-1:0] core_rdata_o,
    output wire                        core_rlast_o,
    input  wire                        core_rready_i,
    // Memory.
    output wire                        arvalid_o,
    output wire [FetchAddressBits-1:0] araddr_o,
    output wire                  [7:0] arlen_o,
    input  wire                        arready_i,
    input  wire                        rvalid_i,
    input  wire [8*FetchPortBytes-1:0] rdata_i,
    input  wire                        rlast_i,
    output wire                        rready_o
);
    wire unused_ready = core_rready_i;

    stream_crossing #(
        .Width (FetchAddressBits + 8),
        .Cycles(Cycles)
    ) u_ar (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(core_arvalid_i),
        .ready_o(core_arready_o),
        .data_i ({core_araddr_i, core_arlen_i}),
        .valid_o(arvalid_o),
        .ready_i(arready_i),
        .data_o ({araddr_o, arlen_o})
    );

    crossing #(
        .Control(1),
        .Width  (8 * FetchPortBytes + 1),
        .Cycles (Cycles)
    ) u_r (
        .clk_i    (clk_i),
        .rst_ni   (rst_ni),
        .control_i(rvalid_i),
        .data_i   ({rdata_i, rlast_i}),
        .control_o(core_rvalid_o),
        .data_o   ({core_rdata_o, core_rlast_o})
    );
    assign rready_o = 1'b1;
endmodule
