// The channels of a core's data memory, from the core's region to the memory's: `Cycles` periods more on each request,
// address and data alike, and on each beat and acknowledgement that comes back.
//
// Latency `Cycles` each way, initiation interval 1. The core takes everything that comes back, so that is never held back.
// Registered: all outputs but `load_rready_o` and `store_bready_o`, which are always high. It does not look at addresses,
// and channels do not see each other.
module memory_crossing #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter ChannelAddressBits = 28,
    parameter Cycles = 2
) (
    input  wire                                   clk_i,
    input  wire                                   rst_ni,
    // Core.
    input  wire                    [Channels-1:0] core_load_arvalid_i,
    input  wire [Channels*ChannelAddressBits-1:0] core_load_araddr_i,
    input  wire                  [8*Channels-1:0] core_load_arlen_i,
    output wire                    [Channels-1:0] core_load_arready_o,
    output wire                    [Channels-1:0] core_load_rvalid_o,
    output wire        [8*Channels*PortBytes-1:0] core_load_rdata_o,
    output wire                    [Channels-1:0] core_load_rlast_o,
    input  wire                    [Channels-1:0] core_load_rready_i,
    input  wire                    [Channels-1:0] core_store_awvalid_i,
    input  wire [Channels*ChannelAddressBits-1:0] core_store_awaddr_i,
    output wire                    [Channels-1:0] core_store_awready_o,
    input  wire                    [Channels-1:0] core_store_wvalid_i,
    input  wire        [8*Channels*PortBytes-1:0] core_store_wdata_i,
    input  wire          [Channels*PortBytes-1:0] core_store_wstrb_i,
    output wire                    [Channels-1:0] core_store_wready_o,
    output wire                    [Channels-1:0] core_store_bvalid_o,
    input  wire                    [Channels-1:0] core_store_bready_i,
    // Memory.
    output wire                    [Channels-1:0] load_arvalid_o,
    output wire [Channels*ChannelAddressBits-1:0] load_araddr_o,
    output wire                  [8*Channels-1:0] load_arlen_o,
    input  wire                    [Channels-1:0] load_arready_i,
    input  wire                    [Channels-1:0] load_rvalid_i,
    input  wire        [8*Channels*PortBytes-1:0] load_rdata_i,
    input  wire                    [Channels-1:0] load_rlast_i,
    output wire                    [Channels-1:0] load_rready_o,
    output wire                    [Channels-1:0] store_awvalid_o,
    output wire [Channels*ChannelAddressBits-1:0] store_awaddr_o,
    input  wire                    [Channels-1:0] store_awready_i,
    output wire                    [Channels-1:0] store_wvalid_o,
    output wire        [8*Channels*PortBytes-1:0] store_wdata_o,
    output wire          [Channels*PortBytes-1:0] store_wstrb_o,
    input  wire                    [Channels-1:0] store_wready_i,
    input  wire                    [Channels-1:0] store_bvalid_i,
    output wire                    [Channels-1:0] store_bready_o
);
    localparam Bits = ChannelAddressBits;
    wire unused_ready = &{1'b0, core_load_rready_i, core_store_bready_i};

    genvar channel;
    generate
        for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_channels
            stream_crossing #(
                .Width (Bits + 8),
                .Cycles(Cycles)
            ) u_ar (
                .clk_i  (clk_i),
                .rst_ni (rst_ni),
                .valid_i(core_load_arvalid_i[channel]),
                .ready_o(core_load_arready_o[channel]),
                .data_i ({core_load_araddr_i[Bits*channel+:Bits], core_load_arlen_i[8*channel+:8]}),
                .valid_o(load_arvalid_o[channel]),
                .ready_i(load_arready_i[channel]),
                .data_o ({load_araddr_o[Bits*channel+:Bits], load_arlen_o[8*channel+:8]})
            );

            stream_crossing #(
                .Width (Bits),
                .Cycles(Cycles)
            ) u_aw (
                .clk_i  (clk_i),
                .rst_ni (rst_ni),
                .valid_i(core_store_awvalid_i[channel]),
                .ready_o(core_store_awready_o[channel]),
                .data_i (core_store_awaddr_i[Bits*channel+:Bits]),
                .valid_o(store_awvalid_o[channel]),
                .ready_i(store_awready_i[channel]),
                .data_o (store_awaddr_o[Bits*channel+:Bits])
            );

            stream_crossing #(
                .Width (9 * PortBytes),
                .Cycles(Cycles)
            ) u_w (
                .clk_i  (clk_i),
                .rst_ni (rst_ni),
                .valid_i(core_store_wvalid_i[channel]),
                .ready_o(core_store_wready_o[channel]),
                .data_i ({core_store_wdata_i[8*PortBytes*channel+:8*PortBytes],
                          core_store_wstrb_i[PortBytes*channel+:PortBytes]}),
                .valid_o(store_wvalid_o[channel]),
                .ready_i(store_wready_i[channel]),
                .data_o ({store_wdata_o[8*PortBytes*channel+:8*PortBytes],
                          store_wstrb_o[PortBytes*channel+:PortBytes]})
            );
        end
    endgenerate

    // What comes back, of all channels.
    crossing #(
        .Control(2 * Channels),
        .Width  (Channels * (8 * PortBytes + 1)),
        .Cycles (Cycles)
    ) u_back (
        .clk_i    (clk_i),
        .rst_ni   (rst_ni),
        .control_i({load_rvalid_i, store_bvalid_i}),
        .data_i   ({load_rdata_i, load_rlast_i}),
        .control_o({core_load_rvalid_o, core_store_bvalid_o}),
        .data_o   ({core_load_rdata_o, core_load_rlast_o})
    );
    assign load_rready_o = {Channels{1'b1}};
    assign store_bready_o = {Channels{1'b1}};
endmodule
