// Stores. `store_gather` is cut away: a line fires, and with it its beat, only while there is credit.
localparam CountBits = $clog2(Outstanding + 1);
localparam PointerBits = $clog2(Outstanding);

wire                   tap_fire;
wire                   tap_credit;
wire                   tap_touch;
wire   [CountBits-1:0] tap_first_q;
wire   [CountBits-1:0] tap_second_q;
wire   [CountBits-1:0] tap_acknowledged_q;
wire                   tap_fired_q;
wire   [CountBits-1:0] tap_addresses_count_q;
wire [PointerBits-1:0] tap_addresses_read_q;
wire [PointerBits-1:0] tap_addresses_write_q;
wire   [CountBits-1:0] tap_data_count_q;
wire [PointerBits-1:0] tap_data_read_q;
wire [PointerBits-1:0] tap_data_write_q;
wire   [CountBits-1:0] tap_lines_count_q;
wire [PointerBits-1:0] tap_lines_read_q;
wire [PointerBits-1:0] tap_lines_write_q;

// A line of the only channel touches it.
always @* assume (!tap_fire || (tap_rst_n && tap_credit));
always @* assume (tap_touch);

// Every line that has fired and is not answered has one address and one beat, on the bus or waiting for it.
wire [15:0] unanswered = {1'b0, tap_first_q} + tap_second_q;
wire [15:0] addresses = store_addresses + {15'd0, awvalid} + tap_addresses_count_q;
wire [15:0] beats = store_data + {15'd0, tap_fired_q} + tap_data_count_q;
always @* if (settled && (Only == AllProperties || Only == 17)) assert (addresses == unanswered);
always @* if (settled && (Only == AllProperties || Only == 18)) assert (beats == unanswered);

wire [PointerBits-1:0] addresses_written = tap_addresses_read_q + tap_addresses_count_q[PointerBits-1:0];
wire [PointerBits-1:0] lines_written = tap_lines_read_q + tap_lines_count_q[PointerBits-1:0];
wire [PointerBits-1:0] data_written = tap_data_read_q + tap_data_count_q[PointerBits-1:0];
always @* if (settled && Only == AllProperties) begin
    assert (unanswered + tap_acknowledged_q == tap_lines_count_q);
    assert (tap_lines_count_q <= Outstanding);
    assert (!cleared || tap_lines_count_q == 0);
    assert (store_addresses <= Outstanding && tap_addresses_count_q <= Outstanding);
    assert (store_data <= Outstanding && tap_data_count_q <= Outstanding);
    assert (tap_addresses_write_q == addresses_written);
    assert (tap_data_write_q == data_written);
    assert (tap_lines_write_q == lines_written);
end
genvar entry;
for (entry = 0; entry < Outstanding; entry = entry + 1) begin : gen_entry
    wire [PointerBits-1:0] index = entry;
    wire [PointerBits-1:0] age = index - tap_lines_read_q;
    wire tap_entry;
    always @* if (settled && Only == AllProperties) assert ({1'b0, age} >= tap_lines_count_q || tap_entry);
end
