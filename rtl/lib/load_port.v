// The loads of one memory channel: reads of its beats of every line, and their writes into a buffer.
//
// A load that is pushed in period p while the port is free requests its first burst in p + 1; then one burst a period,
// rows and loads without a gap, while fewer than `Outstanding` bursts have not had their last beat. Bursts end at
// multiples of BurstBytes. A beat that arrives in period a is written in a + 1; `done_o` is high in the a + 1 of a
// load's last beat. It takes every beat when it comes, holds at most four loads, and does not order itself by other
// channels.
// Registered: `write_*`, `done_o`; `ar*` are functions of registers.
module load_port #(
    parameter PortBytes = 32,
    parameter BurstBytes = 512,
    parameter Outstanding = 8,
    parameter ChannelAddressBits = 28,
    parameter BeatsBits = 17,
    parameter LineAddressBits = 11
) (
    input  wire                                           clk_i,
    input  wire                                           rst_ni,
    // A load: `tail_i` bytes of a row's last beat are kept.
    input  wire                                           push_i,
    input  wire [ChannelAddressBits-$clog2(PortBytes)-1:0] beat_i,
    input  wire [ChannelAddressBits-$clog2(PortBytes)-1:0] stride_i,
    input  wire                                    [15:0] rows_i,
    input  wire                           [BeatsBits-1:0] beats_i,
    input  wire                     [$clog2(PortBytes):0] tail_i,
    input  wire                                     [2:0] buffer_i,
    input  wire                     [LineAddressBits-1:0] line_i,
    input  wire                     [LineAddressBits-1:0] line_stride_i,
    // Read channel.
    output wire                                           arvalid_o,
    output wire                  [ChannelAddressBits-1:0] araddr_o,
    output wire                                     [7:0] arlen_o,
    input  wire                                           arready_i,
    input  wire                                           rvalid_i,
    input  wire                         [8*PortBytes-1:0] rdata_i,
    input  wire                                           rlast_i,
    // Write port of the buffers.
    output wire                                           write_valid_o,
    output wire                                     [2:0] write_buffer_o,
    output wire                     [LineAddressBits-1:0] write_line_o,
    output wire                         [8*PortBytes-1:0] write_data_o,
    output wire                           [PortBytes-1:0] write_strobe_o,
    output wire                                           done_o
);
    `include "constants.vh"

    localparam Loads = LoadsInFlight;
    localparam PortShift = $clog2(PortBytes);
    localparam BeatBits = ChannelAddressBits - PortShift;
    localparam integer BurstBeats = BurstBytes / PortBytes;
    localparam integer BurstMask = BurstBeats - 1;
    localparam FlightBits = $clog2(Outstanding + 1);
    localparam [FlightBits-1:0] MostFlying = Outstanding[FlightBits-1:0];
    localparam [BeatsBits-1:0] OneBeat = 1;

    // Requests: the burst that is next, and the loads behind it.
    reg                   request_valid_q;
    reg    [BeatBits-1:0] request_beat_q;
    reg    [BeatBits-1:0] request_row_q;
    reg    [BeatBits-1:0] request_stride_q;
    reg            [15:0] request_rows_q;
    reg   [BeatsBits-1:0] request_left_q;
    reg   [BeatsBits-1:0] request_beats_q;
    reg  [FlightBits-1:0] flying_q;

    wire                  next_request_valid;
    wire   [BeatBits-1:0] next_beat;
    wire   [BeatBits-1:0] next_stride;
    wire           [15:0] next_rows;
    wire  [BeatsBits-1:0] next_beats;

    wire request = arvalid_o && arready_i;
    wire [8:0] to_boundary = BurstBeats[8:0] - (request_beat_q[8:0] & BurstMask[8:0]);
    wire [31:0] left = {{(32 - BeatsBits) {1'b0}}, request_left_q};
    wire row_requested = left <= {23'd0, to_boundary};
    wire [8:0] length = row_requested ? left[8:0] : to_boundary;
    wire [8:0] length_less_one = length - 9'd1;
    wire [31:0] length_wide = {23'd0, length};
    wire load_requested = row_requested && request_rows_q == 16'd1;
    wire request_next = !request_valid_q || (request && load_requested);
    wire [BeatBits-1:0] next_row = request_row_q + request_stride_q;
    wire [BeatBits-1:0] past_burst = request_beat_q + {{(BeatBits - 9) {1'b0}}, length};

    assign arvalid_o = request_valid_q && flying_q != MostFlying;
    assign araddr_o = {request_beat_q, {PortShift{1'b0}}};
    assign arlen_o = length_less_one[7:0];

    wire unused_request_ready;
    wire unused_receive_ready;
    wire [$clog2(Loads+1)-1:0] unused_request_count;
    wire [$clog2(Loads+1)-1:0] unused_receive_count;

    fifo #(
        .Width      (2 * BeatBits + 16 + BeatsBits),
        .Depth      (Loads),
        .FallThrough(1)
    ) u_requests (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(push_i),
        .ready_o(unused_request_ready),
        .data_i ({beat_i, stride_i, rows_i, beats_i}),
        .valid_o(next_request_valid),
        .ready_i(request_next),
        .data_o ({next_beat, next_stride, next_rows, next_beats}),
        .count_o(unused_request_count)
    );

    always @(posedge clk_i) begin
        if (request_next) begin
            request_beat_q <= next_beat;
            request_row_q <= next_beat;
            request_stride_q <= next_stride;
            request_rows_q <= next_rows;
            request_left_q <= next_beats;
            request_beats_q <= next_beats;
        end else if (request && row_requested) begin
            request_beat_q <= next_row;
            request_row_q <= next_row;
            request_rows_q <= request_rows_q - 16'd1;
            request_left_q <= request_beats_q;
        end else if (request) begin
            request_beat_q <= past_burst;
            request_left_q <= request_left_q - length_wide[BeatsBits-1:0];
        end
    end

    // Beats: the one that is next, and the loads behind it.
    reg                        receive_valid_q;
    reg                 [15:0] receive_rows_q;
    reg        [BeatsBits-1:0] receive_left_q;
    reg        [BeatsBits-1:0] receive_beats_q;
    reg          [PortShift:0] tail_q;
    reg                  [2:0] buffer_q;
    reg  [LineAddressBits-1:0] line_q;
    reg  [LineAddressBits-1:0] row_line_q;
    reg  [LineAddressBits-1:0] line_stride_q;

    wire                       next_receive_valid;
    wire                [15:0] next_receive_rows;
    wire       [BeatsBits-1:0] next_receive_beats;
    wire         [PortShift:0] next_tail;
    wire                 [2:0] next_buffer;
    wire [LineAddressBits-1:0] next_line;
    wire [LineAddressBits-1:0] next_line_stride;

    wire row_received = receive_left_q == OneBeat;
    wire load_received = rvalid_i && row_received && receive_rows_q == 16'd1;
    wire receive_next = !receive_valid_q || load_received;
    wire [LineAddressBits-1:0] next_row_line = row_line_q + line_stride_q;
    wire [PortBytes-1:0] tail_strobe = ~({PortBytes{1'b1}} << tail_q);

    fifo #(
        .Width      (16 + BeatsBits + PortShift + 1 + 3 + 2 * LineAddressBits),
        .Depth      (Loads),
        .FallThrough(1)
    ) u_receives (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(push_i),
        .ready_o(unused_receive_ready),
        .data_i ({rows_i, beats_i, tail_i, buffer_i, line_i, line_stride_i}),
        .valid_o(next_receive_valid),
        .ready_i(receive_next),
        .data_o ({next_receive_rows, next_receive_beats, next_tail, next_buffer, next_line, next_line_stride}),
        .count_o(unused_receive_count)
    );

    always @(posedge clk_i) begin
        if (receive_next) begin
            receive_rows_q <= next_receive_rows;
            receive_left_q <= next_receive_beats;
            receive_beats_q <= next_receive_beats;
            tail_q <= next_tail;
            buffer_q <= next_buffer;
            line_q <= next_line;
            row_line_q <= next_line;
            line_stride_q <= next_line_stride;
        end else if (rvalid_i && row_received) begin
            receive_rows_q <= receive_rows_q - 16'd1;
            receive_left_q <= receive_beats_q;
            line_q <= next_row_line;
            row_line_q <= next_row_line;
        end else if (rvalid_i) begin
            receive_left_q <= receive_left_q - OneBeat;
            line_q <= line_q + {{(LineAddressBits - 1) {1'b0}}, 1'b1};
        end
    end

    // The buffer's write registers.
    reg                       write_valid_q;
    reg                 [2:0] write_buffer_q;
    reg [LineAddressBits-1:0] write_line_q;
    reg     [8*PortBytes-1:0] write_data_q;
    reg       [PortBytes-1:0] write_strobe_q;
    reg                       done_q;

    assign write_valid_o = write_valid_q;
    assign write_buffer_o = write_buffer_q;
    assign write_line_o = write_line_q;
    assign write_data_o = write_data_q;
    assign write_strobe_o = write_strobe_q;
    assign done_o = done_q;

    always @(posedge clk_i) begin
        if (rvalid_i) begin
            write_buffer_q <= buffer_q;
            write_line_q <= line_q;
            write_data_q <= rdata_i;
            write_strobe_q <= row_received ? tail_strobe : {PortBytes{1'b1}};
        end
        if (request && !(rvalid_i && rlast_i)) flying_q <= flying_q + 1'b1;
        if (rvalid_i && rlast_i && !request) flying_q <= flying_q - 1'b1;
        if (request_next) request_valid_q <= next_request_valid;
        if (receive_next) receive_valid_q <= next_receive_valid;
        write_valid_q <= rvalid_i;
        done_q <= load_received;
        if (!rst_ni) begin
            flying_q <= {FlightBits{1'b0}};
            request_valid_q <= 1'b0;
            receive_valid_q <= 1'b0;
            write_valid_q <= 1'b0;
            done_q <= 1'b0;
        end
    end

    wire unused = &{1'b0, left, length_wide, length_less_one[8], unused_request_ready, unused_receive_ready,
                    unused_request_count, unused_receive_count};

`ifndef SYNTHESIS
    always @(posedge clk_i) if (rst_ni && rvalid_i && !receive_valid_q) begin
        $display("load_port: a beat arrives that no load waits for");
        $stop;
    end
    initial if (PortBytes < 16 || PortBytes > 128 || BurstBytes < PortBytes || BurstBytes > 4096 || BurstBeats > 256
                || (PortBytes & (PortBytes - 1)) != 0 || (BurstBytes & (BurstBytes - 1)) != 0 || Outstanding < 1
                || LineAddressBits < 2 || BeatBits < 10 || BeatsBits < 9 || BeatsBits > 22) begin
        $display("load_port: PortBytes %0d, BurstBytes %0d, Outstanding %0d, BeatsBits %0d, LineAddressBits %0d: ",
                 PortBytes, BurstBytes, Outstanding, BeatsBits, LineAddressBits,
                 "expected powers of two, a port of 16 to 128, a burst of a beat to 4096, at least 1 outstanding");
        $finish;
    end
`endif
endmodule
