// The load unit: addresses and extents once, then one `load_port` a channel, each at its channel's own pace.
//
// Issue in period t; first requests in t + 4; a beat of period a is written in a + 1; the load retires in a + 2 of its
// last beat in the last channel, one that does nothing in t + 1, in order and one a period. Initiation interval 1. It
// does not count unretired loads: the sequencer keeps them at four at most. A burst is never requested twice, never
// cancelled, and `load_rready_o` is always high.
// Registered: `load_write_*`; `load_ar*`, `load_retire_o` are functions of registers.
module load_unit #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter BurstBytes = 512,
    parameter Outstanding = 8,
    parameter ChannelAddressBits = 28,
    // Of the weight and index buffers' chunks and the scale buffer's rows.
    parameter Width = 32,
    parameter Chain = 16,
    // Lines of the longest buffer: 2^LineAddressBits at most.
    parameter LineAddressBits = 11,
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0
) (
    input  wire                                   clk_i,
    input  wire                                   rst_ni,
    // Sequencer.
    output wire                                   load_ready_o,
    input  wire                                   load_issue_i,
    input  wire                           [255:0] load_word_i,
    input  wire                            [31:0] load_value_a_i,
    input  wire                            [31:0] load_value_b_i,
    output wire                                   load_retire_o,
    // Read channels of the data memory.
    output wire                    [Channels-1:0] load_arvalid_o,
    output wire [Channels*ChannelAddressBits-1:0] load_araddr_o,
    output wire                  [Channels*8-1:0] load_arlen_o,
    input  wire                    [Channels-1:0] load_arready_i,
    input  wire                    [Channels-1:0] load_rvalid_i,
    input  wire        [Channels*8*PortBytes-1:0] load_rdata_i,
    input  wire                    [Channels-1:0] load_rlast_i,
    output wire                    [Channels-1:0] load_rready_o,
    // Write ports of the buffers.
    output wire                    [Channels-1:0] load_write_valid_o,
    output wire                  [Channels*3-1:0] load_write_buffer_o,
    output wire    [Channels*LineAddressBits-1:0] load_write_line_o,
    output wire        [Channels*8*PortBytes-1:0] load_write_data_o,
    output wire          [Channels*PortBytes-1:0] load_write_strobe_o
);
    `include "constants.vh"

    localparam Loads = LoadsInFlight;
    localparam LoadBits = $clog2(Loads + 1);
    localparam PortShift = $clog2(PortBytes);
    localparam LineShift = $clog2(Channels * PortBytes);
    localparam BeatBits = ChannelAddressBits - PortShift;
    localparam BeatsBits = 23 - LineShift;

    wire                       accept;
    wire                       empty;
    wire                       push;
    wire        [BeatBits-1:0] beat;
    wire        [BeatBits-1:0] stride;
    wire                [15:0] rows;
    wire       [BeatsBits-1:0] beats;
    wire       [LineShift-1:0] tail;
    wire                 [2:0] target;
    wire [LineAddressBits-1:0] line;
    wire [LineAddressBits-1:0] line_stride;

    load_setup #(
        .Channels          (Channels),
        .PortBytes         (PortBytes),
        .ChannelAddressBits(ChannelAddressBits),
        .Width             (Width),
        .Chain             (Chain),
        .LineAddressBits   (LineAddressBits),
        .Luts              ((LutMultipliers & LutAddresses) != 0)
    ) u_setup (
        .clk_i        (clk_i),
        .rst_ni       (rst_ni),
        .issue_i      (load_issue_i),
        .word_i       (load_word_i),
        .value_a_i    (load_value_a_i),
        .value_b_i    (load_value_b_i),
        .accept_o     (accept),
        .empty_o      (empty),
        .push_o       (push),
        .beat_o       (beat),
        .stride_o     (stride),
        .rows_o       (rows),
        .beats_o      (beats),
        .tail_o       (tail),
        .buffer_o     (target),
        .line_o       (line),
        .line_stride_o(line_stride)
    );

    // Retirement: the oldest load, when it does nothing or all channels have done one more than has retired.
    wire                [Channels-1:0] done;
    wire                [Channels-1:0] ahead;
    wire                               oldest_valid;
    wire                               oldest_empty;
    wire                               unused_order_ready;
    wire [$clog2(Loads+1)-1:0]         unused_order_count;

    assign load_ready_o = 1'b1;
    assign load_retire_o = oldest_valid && (oldest_empty || &ahead);

    fifo #(
        .Width      (1),
        .Depth      (Loads),
        .FallThrough(1)
    ) u_order (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(accept),
        .ready_o(unused_order_ready),
        .data_i (empty),
        .valid_o(oldest_valid),
        .ready_i(load_retire_o),
        .data_o (oldest_empty),
        .count_o(unused_order_count)
    );

    wire consumed = load_retire_o && !oldest_empty;

    genvar c;
    generate
        for (c = 0; c < Channels; c = c + 1) begin : gen_channel
            localparam integer First = c * PortBytes;
            localparam integer End = First + PortBytes;

            // Bytes of a row's last line that are this channel's and kept.
            wire [31:0] in_line = {{(32 - LineShift) {1'b0}}, tail};
            wire all = tail == {LineShift{1'b0}} || in_line >= End;
            wire [31:0] part = in_line > First ? in_line - First : 32'd0;
            wire [PortShift:0] kept = all ? PortBytes[PortShift:0] : part[PortShift:0];

            load_port #(
                .PortBytes         (PortBytes),
                .BurstBytes        (BurstBytes),
                .Outstanding       (Outstanding),
                .ChannelAddressBits(ChannelAddressBits),
                .BeatsBits         (BeatsBits),
                .LineAddressBits   (LineAddressBits)
            ) u_port (
                .clk_i         (clk_i),
                .rst_ni        (rst_ni),
                .push_i        (push),
                .beat_i        (beat),
                .stride_i      (stride),
                .rows_i        (rows),
                .beats_i       (beats),
                .tail_i        (kept),
                .buffer_i      (target),
                .line_i        (line),
                .line_stride_i (line_stride),
                .arvalid_o     (load_arvalid_o[c]),
                .araddr_o      (load_araddr_o[ChannelAddressBits*c+:ChannelAddressBits]),
                .arlen_o       (load_arlen_o[8*c+:8]),
                .arready_i     (load_arready_i[c]),
                .rvalid_i      (load_rvalid_i[c]),
                .rdata_i       (load_rdata_i[8*PortBytes*c+:8*PortBytes]),
                .rlast_i       (load_rlast_i[c]),
                .write_valid_o (load_write_valid_o[c]),
                .write_buffer_o(load_write_buffer_o[3*c+:3]),
                .write_line_o  (load_write_line_o[LineAddressBits*c+:LineAddressBits]),
                .write_data_o  (load_write_data_o[8*PortBytes*c+:8*PortBytes]),
                .write_strobe_o(load_write_strobe_o[PortBytes*c+:PortBytes]),
                .done_o        (done[c])
            );

            // Loads done in this channel and not retired.
            reg [LoadBits-1:0] ahead_q;
            assign ahead[c] = ahead_q != {LoadBits{1'b0}};
            assign load_rready_o[c] = 1'b1;

            always @(posedge clk_i) begin
                if (done[c] && !consumed) ahead_q <= ahead_q + 1'b1;
                if (consumed && !done[c]) ahead_q <= ahead_q - 1'b1;
                if (!rst_ni) ahead_q <= {LoadBits{1'b0}};
            end

            wire unused = &{1'b0, part};
        end
    endgenerate

    wire unused = &{1'b0, unused_order_ready, unused_order_count};
endmodule
