// The writes of one memory channel: an address and a beat for each line that touches it, and what is acknowledged.
//
// The address of a line that fires in period f is offered in f, its beat in f + 1, each falling through when the
// channel takes it at once. `outstanding_o` counts, for each of the two stores, beats that are not acknowledged; an
// acknowledgement belongs to the older store while that has any. `acknowledged_o` is high while more lines are
// acknowledged in this channel than `settle_i` has taken off, with the acknowledgement of this period.
// Initiation interval 1. It does not bound the lines under way: the line credit does.
// Registered: `open_o`. `aw*`, `w*` follow from registers, `fire_i` and the line; `acknowledged_o` from `bvalid_i`.
module store_port #(
    parameter PortBytes = 32,
    parameter Outstanding = 8,
    parameter ChannelAddressBits = 28
) (
    input  wire                                            clk_i,
    input  wire                                            rst_ni,
    // A line that fires and touches this channel, and for which store; the period after, its bytes.
    input  wire                                            fire_i,
    input  wire [ChannelAddressBits-$clog2(PortBytes)-1:0] beat_i,
    input  wire                                            store_i,
    input  wire                          [8*PortBytes-1:0] data_i,
    input  wire                            [PortBytes-1:0] strobe_i,
    // Write channel.
    output wire                                            awvalid_o,
    output wire                   [ChannelAddressBits-1:0] awaddr_o,
    input  wire                                            awready_i,
    output wire                                            wvalid_o,
    output wire                          [8*PortBytes-1:0] wdata_o,
    output wire                            [PortBytes-1:0] wstrb_o,
    input  wire                                            wready_i,
    input  wire                                            bvalid_i,
    // The older of the stores under way; whether each has unacknowledged beats here.
    input  wire                                            older_i,
    output wire                                      [1:0] open_o,
    // The oldest line that is not acknowledged everywhere is, here; it is taken off.
    output wire                                            acknowledged_o,
    input  wire                                            settle_i
);
    localparam PortShift = $clog2(PortBytes);
    localparam BeatBits = ChannelAddressBits - PortShift;
    localparam CountBits = $clog2(Outstanding + 1);

    wire [BeatBits-1:0] beat;
    wire                unused_address_ready;
    wire                unused_data_ready;
    wire [CountBits-1:0] unused_address_count;
    wire [CountBits-1:0] unused_data_count;

    fifo #(
        .Width      (BeatBits),
        .Depth      (Outstanding),
        .FallThrough(1)
    ) u_addresses (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(fire_i),
        .ready_o(unused_address_ready),
        .data_i (beat_i),
        .valid_o(awvalid_o),
        .ready_i(awready_i),
        .data_o (beat),
        .count_o(unused_address_count)
    );
    assign awaddr_o = {beat, {PortShift{1'b0}}};

    reg fired_q;

    fifo #(
        .Width      (9 * PortBytes),
        .Depth      (Outstanding),
        .FallThrough(1)
    ) u_data (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(fired_q),
        .ready_o(unused_data_ready),
        .data_i ({strobe_i, data_i}),
        .valid_o(wvalid_o),
        .ready_i(wready_i),
        .data_o ({wstrb_o, wdata_o}),
        .count_o(unused_data_count)
    );

    // Beats without acknowledgement, of each store; acknowledgements of lines that are not settled.
    reg [CountBits-1:0] first_q;
    reg [CountBits-1:0] second_q;
    reg [CountBits-1:0] acknowledged_q;

    wire first_open = first_q != {CountBits{1'b0}};
    wire second_open = second_q != {CountBits{1'b0}};
    wire of_second = older_i ? second_open : !first_open;
    wire fire_first = fire_i && !store_i;
    wire fire_second = fire_i && store_i;
    wire done_first = bvalid_i && !of_second;
    wire done_second = bvalid_i && of_second;

    assign open_o = {second_open, first_open};
    assign acknowledged_o = acknowledged_q != {CountBits{1'b0}} || bvalid_i;

    always @(posedge clk_i) begin
        fired_q <= fire_i;
        if (fire_first && !done_first) first_q <= first_q + 1'b1;
        if (done_first && !fire_first) first_q <= first_q - 1'b1;
        if (fire_second && !done_second) second_q <= second_q + 1'b1;
        if (done_second && !fire_second) second_q <= second_q - 1'b1;
        if (bvalid_i && !settle_i) acknowledged_q <= acknowledged_q + 1'b1;
        if (settle_i && !bvalid_i) acknowledged_q <= acknowledged_q - 1'b1;
        if (!rst_ni) begin
            fired_q <= 1'b0;
            first_q <= {CountBits{1'b0}};
            second_q <= {CountBits{1'b0}};
            acknowledged_q <= {CountBits{1'b0}};
        end
    end

    wire unused = &{1'b0, unused_address_ready, unused_data_ready, unused_address_count, unused_data_count};

`ifndef SYNTHESIS
    always @(posedge clk_i) if (rst_ni && bvalid_i && !first_open && !second_open) begin
        $display("store_port: an acknowledgement that no beat waits for");
        $stop;
    end
    initial if (Outstanding < 1 || PortBytes < 16 || PortBytes > 128) begin
        $display("store_port: Outstanding %0d, PortBytes %0d: expected at least 1, and 16 to 128",
                 Outstanding, PortBytes);
        $finish;
    end
`endif
endmodule
