// Loads. `load_setup` is cut away: a load may come whenever it likes, with a row and a beat at least.
localparam BeatsBits = 23 - $clog2(PortBytes);
localparam Queued = 4;
localparam EntryBits = 2 * (28 - $clog2(PortBytes)) + 16 + BeatsBits;

wire                         tap_push;
wire                  [15:0] tap_rows;
wire         [BeatsBits-1:0] tap_beats;
wire                         tap_request_valid_q;
wire         [BeatsBits-1:0] tap_request_left_q;
wire         [BeatsBits-1:0] tap_request_beats_q;
wire [$clog2(Outstanding+1)-1:0] tap_flying_q;
wire                   [2:0] tap_requests_count_q;
wire                   [1:0] tap_requests_read_q;
wire                   [1:0] tap_requests_write_q;

always @* assume (!tap_push || (tap_rst_n && tap_rows != 16'd0 && tap_beats != 0));

// The master's count is the bus's.
wire [15:0] on_the_bus = load_outstanding + {15'd0, arvalid};
always @* if (settled && (Only == AllProperties || Only == 15)) assert (tap_flying_q == on_the_bus);

// No load without a beat is queued or requested.
wire [1:0] written = tap_requests_read_q + tap_requests_count_q[1:0];
always @* if (settled && Only == AllProperties) begin
    assert (!tap_request_valid_q || (tap_request_left_q != 0 && tap_request_beats_q != 0));
    assert (on_the_bus <= Outstanding);
    assert (tap_requests_count_q <= Queued && tap_requests_write_q == written);
end
genvar entry;
for (entry = 0; entry < Queued; entry = entry + 1) begin : gen_entry
    wire [1:0] index = entry;
    wire [1:0] age = index - tap_requests_read_q;
    wire [EntryBits-1:0] tap_entry;
    wire [BeatsBits-1:0] beats = tap_entry[BeatsBits-1:0];
    always @* if (settled && Only == AllProperties) assert ({1'b0, age} >= tap_requests_count_q || beats != 0);
end
