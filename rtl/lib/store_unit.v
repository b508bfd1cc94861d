// The store unit: gathers rows of the activation or vector buffer line by line and writes the lines.
//
// Issue in period t; first piece merged in t + 12 or in the period after the last piece of the store before; then one
// piece a period. A line fires with its last piece, in period f: addresses in f, beats in f + 1. The store retires
// three periods after its last acknowledgement, one that does nothing in t + 1, in order and one a period. At most
// `Outstanding` lines are unacknowledged, counted in order: an acknowledgement in period b counts from b + 1 on. It
// does not count unretired stores: the sequencer keeps them at two at most. `store_bready_o` is always high.
// Registered: `store_read_o`, `store_read_address_o` follow from registers; `store_aw*`, `store_w*` as in `store_port`;
// `store_retire_o` is a function of registers.
module store_unit #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Outstanding = 8,
    parameter ChannelAddressBits = 28,
    parameter Chain = 16,
    parameter Lanes = 8,
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0
) (
    input  wire                                   clk_i,
    input  wire                                   rst_ni,
    // Sequencer.
    output wire                                   store_ready_o,
    input  wire                                   store_issue_i,
    input  wire                           [255:0] store_word_i,
    input  wire                            [31:0] store_value_a_i,
    input  wire                            [31:0] store_value_b_i,
    output wire                                   store_retire_o,
    // A store is issued or has not retired.
    output wire                                   store_run_o,
    // Sources: kind and address; answers three periods later.
    output wire                                   store_read_valid_o,
    output wire                             [1:0] store_read_o,
    output wire                            [21:0] store_read_address_o,
    input  wire                     [8*Chain-1:0] store_codes_i,
    input  wire                            [31:0] store_slot_i,
    input  wire                    [32*Lanes-1:0] store_vector_i,
    // Write channels of the data memory.
    output wire                    [Channels-1:0] store_awvalid_o,
    output wire [Channels*ChannelAddressBits-1:0] store_awaddr_o,
    input  wire                    [Channels-1:0] store_awready_i,
    output wire                    [Channels-1:0] store_wvalid_o,
    output wire        [Channels*8*PortBytes-1:0] store_wdata_o,
    output wire          [Channels*PortBytes-1:0] store_wstrb_o,
    input  wire                    [Channels-1:0] store_wready_i,
    input  wire                    [Channels-1:0] store_bvalid_i,
    output wire                    [Channels-1:0] store_bready_o
);
    `include "constants.vh"

    localparam Stores = StoresInFlight;
    localparam AddressBits = ChannelAddressBits + $clog2(Channels);
    localparam BeatBits = ChannelAddressBits - $clog2(PortBytes);
    localparam LineBytes = Channels * PortBytes;
    localparam LineShift = $clog2(LineBytes);
    localparam WordBytes = Chain > 4 * Lanes ? Chain : 4 * Lanes;
    localparam WordShift = $clog2(WordBytes);

    // Addresses.
    wire                   accept;
    wire                   empty;
    wire                   push;
    wire             [1:0] source;
    wire            [21:0] src;
    wire            [13:0] src_stride;
    wire             [9:0] rows;
    wire            [19:0] count;
    wire [AddressBits-1:0] row;
    wire [AddressBits-1:0] low;
    wire [AddressBits-1:0] row_step;
    wire [AddressBits-1:0] high_step;
    wire            [15:0] low_step;
    wire            [30:0] v_low;
    wire            [30:0] v_mask;
    wire                   token_step;
    wire             [7:0] fragment;
    wire            [17:0] fragment_stride;

    store_setup #(
        .AddressBits(AddressBits),
        .Luts       ((LutMultipliers & LutAddresses) != 0)
    ) u_setup (
        .clk_i            (clk_i),
        .rst_ni           (rst_ni),
        .issue_i          (store_issue_i),
        .word_i           (store_word_i),
        .value_a_i        (store_value_a_i),
        .value_b_i        (store_value_b_i),
        .accept_o         (accept),
        .empty_o          (empty),
        .push_o           (push),
        .source_o         (source),
        .src_o            (src),
        .src_stride_o     (src_stride),
        .rows_o           (rows),
        .count_o          (count),
        .row_o            (row),
        .low_o            (low),
        .row_step_o       (row_step),
        .high_step_o      (high_step),
        .low_step_o       (low_step),
        .v_low_o          (v_low),
        .v_mask_o         (v_mask),
        .token_step_o     (token_step),
        .fragment_o       (fragment),
        .fragment_stride_o(fragment_stride)
    );

    // The two stores under way go by a bit that alternates among those that do something.
    reg accept_store_q;
    reg push_store_q;
    always @(posedge clk_i) begin
        if (accept && !empty) accept_store_q <= !accept_store_q;
        if (push) push_store_q <= !push_store_q;
        if (!rst_ni) begin
            accept_store_q <= 1'b0;
            push_store_q <= 1'b0;
        end
    end

    // Pieces.
    wire                 room;
    wire                 piece;
    wire  [BeatBits-1:0] line_beat;
    wire [LineShift-1:0] position;
    wire   [WordShift:0] bytes;
    wire [WordShift-1:0] rotate;
    wire                 piece_fire;
    wire                 piece_last;
    wire                 piece_store;

    store_pieces #(
        .Channels          (Channels),
        .PortBytes         (PortBytes),
        .ChannelAddressBits(ChannelAddressBits),
        .Chain             (Chain),
        .Lanes             (Lanes)
    ) u_pieces (
        .clk_i            (clk_i),
        .rst_ni           (rst_ni),
        .push_i           (push),
        .store_i          (push_store_q),
        .source_i         (source),
        .src_i            (src),
        .src_stride_i     (src_stride),
        .rows_i           (rows),
        .count_i          (count),
        .row_i            (row),
        .low_i            (low),
        .row_step_i       (row_step),
        .high_step_i      (high_step),
        .low_step_i       (low_step),
        .v_low_i          (v_low),
        .v_mask_i         (v_mask),
        .token_step_i     (token_step),
        .fragment_i       (fragment),
        .fragment_stride_i(fragment_stride),
        .room_i           (room),
        .valid_o          (piece),
        .source_o         (store_read_o),
        .address_o        (store_read_address_o),
        .line_beat_o      (line_beat),
        .position_o       (position),
        .bytes_o          (bytes),
        .rotate_o         (rotate),
        .fire_o           (piece_fire),
        .last_o           (piece_last),
        .store_o          (piece_store)
    );
    assign store_read_valid_o = piece && room;

    // Lines.
    wire                   credit;
    wire                   fire;
    wire    [Channels-1:0] touch;
    wire    [BeatBits-1:0] fire_beat;
    wire                   fire_last;
    wire                   fire_store;
    wire [8*LineBytes-1:0] line_data;
    wire   [LineBytes-1:0] line_strobe;

    store_gather #(
        .Channels          (Channels),
        .PortBytes         (PortBytes),
        .ChannelAddressBits(ChannelAddressBits),
        .Chain             (Chain),
        .Lanes             (Lanes)
    ) u_gather (
        .clk_i         (clk_i),
        .rst_ni        (rst_ni),
        .room_o        (room),
        .valid_i       (piece),
        .source_i      (store_read_o),
        .line_beat_i   (line_beat),
        .position_i    (position),
        .bytes_i       (bytes),
        .rotate_i      (rotate),
        .fire_i        (piece_fire),
        .last_i        (piece_last),
        .store_i       (piece_store),
        .store_word_i  (store_codes_i),
        .store_slot_i  (store_slot_i),
        .store_vector_i(store_vector_i),
        .credit_i      (credit),
        .fire_o        (fire),
        .touch_o       (touch),
        .fire_beat_o   (fire_beat),
        .fire_last_o   (fire_last),
        .fire_store_o  (fire_store),
        .line_data_o   (line_data),
        .line_strobe_o (line_strobe)
    );

    // Lines that are not acknowledged, in order: the credit.
    wire                [Channels-1:0] acknowledged;
    wire                               line_open;
    wire                [Channels-1:0] line_touch;
    wire                               settled = line_open && (line_touch & ~acknowledged) == {Channels{1'b0}};
    wire [$clog2(Outstanding+1)-1:0]   unused_line_count;

    fifo #(
        .Width(Channels),
        .Depth(Outstanding)
    ) u_lines (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(fire),
        .ready_o(credit),
        .data_i (touch),
        .valid_o(line_open),
        .ready_i(settled),
        .data_o (line_touch),
        .count_o(unused_line_count)
    );

    // Stores in order.
    wire                        oldest_valid;
    wire                        oldest_empty;
    wire                        oldest;
    wire                        unused_order_ready;
    wire [$clog2(Stores+1)-1:0] unused_order_count;
    // Of each of the two stores: its last line has fired; nothing is open any more, a period ago; two periods ago.
    reg                   [1:0] fired_q;
    reg                   [1:0] closed_q;
    reg                   [1:0] done_q;

    assign store_ready_o = 1'b1;
    assign store_run_o = store_issue_i || oldest_valid;
    assign store_retire_o = oldest_valid && (oldest_empty || done_q[oldest]);

    fifo #(
        .Width      (2),
        .Depth      (Stores),
        .FallThrough(1)
    ) u_order (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(accept),
        .ready_o(unused_order_ready),
        .data_i ({accept_store_q, empty}),
        .valid_o(oldest_valid),
        .ready_i(store_retire_o),
        .data_o ({oldest, oldest_empty}),
        .count_o(unused_order_count)
    );

    wire [Channels-1:0] open_first;
    wire [Channels-1:0] open_second;
    wire [1:0] fired = fire && fire_last ? 2'b01 << fire_store : 2'b00;
    wire [1:0] retired = store_retire_o && !oldest_empty ? 2'b01 << oldest : 2'b00;
    wire [1:0] closed = fired_q & {open_second == {Channels{1'b0}}, open_first == {Channels{1'b0}}};

    always @(posedge clk_i) begin
        fired_q <= (fired_q | fired) & ~retired;
        closed_q <= closed & ~retired;
        done_q <= closed_q & ~retired;
        if (!rst_ni) begin
            fired_q <= 2'b00;
            closed_q <= 2'b00;
            done_q <= 2'b00;
        end
    end

    // An empty store takes no bit of its own: the older one that can have beats is then the next.
    wire older = oldest;

    genvar c;
    generate
        for (c = 0; c < Channels; c = c + 1) begin : gen_channel
            store_port #(
                .PortBytes         (PortBytes),
                .Outstanding       (Outstanding),
                .ChannelAddressBits(ChannelAddressBits)
            ) u_port (
                .clk_i         (clk_i),
                .rst_ni        (rst_ni),
                .fire_i        (fire && touch[c]),
                .beat_i        (fire_beat),
                .store_i       (fire_store),
                .data_i        (line_data[8*PortBytes*c+:8*PortBytes]),
                .strobe_i      (line_strobe[PortBytes*c+:PortBytes]),
                .awvalid_o     (store_awvalid_o[c]),
                .awaddr_o      (store_awaddr_o[ChannelAddressBits*c+:ChannelAddressBits]),
                .awready_i     (store_awready_i[c]),
                .wvalid_o      (store_wvalid_o[c]),
                .wdata_o       (store_wdata_o[8*PortBytes*c+:8*PortBytes]),
                .wstrb_o       (store_wstrb_o[PortBytes*c+:PortBytes]),
                .wready_i      (store_wready_i[c]),
                .bvalid_i      (store_bvalid_i[c]),
                .older_i       (older),
                .open_o        ({open_second[c], open_first[c]}),
                .acknowledged_o(acknowledged[c]),
                .settle_i      (settled && line_touch[c])
            );
            assign store_bready_o[c] = 1'b1;
        end
    endgenerate

    wire unused = &{1'b0, unused_line_count, unused_order_ready, unused_order_count};
endmodule
