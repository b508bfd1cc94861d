// Instructions. Decoder, dispatch queues and registers are cut away: any word may be any instruction or none, and a queue
// has room and is idle whenever it likes.
localparam BurstBeats = FetchBurstBytes / FetchPortBytes;
localparam BurstWords = FetchBurstBytes / 32;
localparam OpenBits = $clog2(FetchOutstanding + 1);
localparam AvailableBits = $clog2(FetchOutstanding * BurstWords + 1);

wire                     tap_busy_q;
wire                     tap_stopped_q;
wire                     tap_error_q;
wire                     tap_end_q;
wire                     tap_core_arvalid;
wire              [32:0] tap_request_beats_q;
wire      [OpenBits-1:0] tap_open_q;
wire      [OpenBits-1:0] tap_flying_q;
wire               [6:0] tap_burst_word_q;
wire [AvailableBits-1:0] tap_available_q;
wire              [31:0] tap_arrive_words_q;
wire              [31:0] tap_take_words_q;

// The master's count is the bus's; and nothing is under way when no program runs.
wire [15:0] on_the_bus = fetch_outstanding + {15'd0, fetch_arvalid};
always @* if (settled && (Only == AllProperties || Only == 15)) assert (tap_flying_q == on_the_bus);
always @* if (settled && (Only == AllProperties || Only == 16)) assert (tap_busy_q || on_the_bus == 16'd0);
// Nothing is written.
always @* if (settled && (Only == AllProperties || Only == 17)) assert (!fetch_awvalid && !fetch_wvalid);
// A burst has its last beat when its last word has come, so a beat never finds the buffer full: bursts that are requested
// and not wholly taken are no more than it has room for.
always @* if (settled && (Only == AllProperties || Only == 18)) assert (tap_open_q <= FetchOutstanding);

// Bursts that are to come: those of the words that are to come, and those on the bus or not yet requested.
wire [33:0] bursts_of_words = ({2'd0, tap_arrive_words_q} + BurstWords - 1) / BurstWords;
wire [33:0] bursts_of_beats = ({1'd0, tap_request_beats_q} + BurstBeats - 1) / BurstBeats;
// Bursts that are here: those of the words that are here, with what was taken of the oldest.
wire [15:0] bursts_here = (tap_available_q + tap_burst_word_q + BurstWords - 1) / BurstWords;
always @* if (settled && Only == AllProperties) begin
    assert (tap_flying_q <= tap_open_q);
    assert (tap_burst_word_q < BurstWords);
    if (!tap_error_q && tap_busy_q) begin
        assert (bursts_of_words == bursts_of_beats + tap_flying_q);
        assert (tap_take_words_q == {1'b0, tap_arrive_words_q} + tap_available_q);
        assert (tap_arrive_words_q == 0
                || tap_available_q + tap_burst_word_q == BurstWords * (tap_open_q - tap_flying_q));
        assert (tap_take_words_q == 0 || bursts_here == tap_open_q - tap_flying_q);
    end
    // After the end all words have been taken.
    assert (!tap_end_q || (tap_take_words_q == 0 && tap_stopped_q && tap_busy_q && !tap_error_q));
    // After an error nothing more is requested, once what was offered is taken.
    assert (!tap_error_q || tap_stopped_q);
    assert (!tap_error_q || tap_flying_q != 0 || !tap_core_arvalid);
    assert (tap_busy_q || tap_error_q || tap_request_beats_q == 0);
    assert (tap_busy_q || !tap_core_arvalid);
    assert (tap_busy_q || tap_stopped_q);
end
