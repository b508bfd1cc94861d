// First in, first out: `Depth` entries in distributed RAM, valid/ready on both sides.
//
// Latency 1 (an entry taken in period p is offered in period p + 1), or 0 with FallThrough = 1: then an entry that
// finds the queue empty is offered in the very period it comes, and passes without being written if it is taken there.
// Initiation interval 1, at any fill. It does not cut the path from `valid_i`, `data_i` to `valid_o`, `data_o` when it
// falls through, and it takes no entry while full, even when one leaves: `ready_o` depends on registers alone.
// Registered: `ready_o`, `count_o`, and without fall-through `valid_o`; `data_o` is read asynchronously.
module fifo #(
    parameter Width = 8,
    parameter Depth = 4,
    parameter FallThrough = 0
) (
    input  wire                       clk_i,
    input  wire                       rst_ni,
    // In.
    input  wire                       valid_i,
    output wire                       ready_o,
    input  wire           [Width-1:0] data_i,
    // Out.
    output wire                       valid_o,
    input  wire                       ready_i,
    output wire           [Width-1:0] data_o,
    // Entries held, not counting one that falls through.
    output wire [$clog2(Depth+1)-1:0] count_o
);
    localparam CountBits = $clog2(Depth + 1);
    // The RAM has at least two words.
    localparam Words = Depth > 1 ? Depth : 2;
    localparam PointerBits = $clog2(Words);
    localparam integer LastIndex = Depth - 1;
    localparam [PointerBits-1:0] Last = LastIndex[PointerBits-1:0];
    localparam [CountBits-1:0] Full = Depth[CountBits-1:0];

    reg    [CountBits-1:0] count_q;
    reg  [PointerBits-1:0] write_q;
    reg  [PointerBits-1:0] read_q;
    wire       [Width-1:0] stored;

    wire empty = count_q == {CountBits{1'b0}};
    wire passing = FallThrough != 0 && empty;
    wire push = valid_i && ready_o && !(passing && ready_i);
    wire pop = ready_i && !empty;

    assign ready_o = count_q != Full;
    assign valid_o = !empty || (passing && valid_i);
    assign data_o = passing ? data_i : stored;
    assign count_o = count_q;

`ifndef FORMAL
    ram_async #(
        .Width(Width),
        .Depth(Words)
    ) u_entries (
        .clk_i          (clk_i),
        .write_i        (push),
        .write_address_i(write_q),
        .write_data_i   (data_i),
        .read_address_i (read_q),
        .read_data_o    (stored)
    );
`else
    // The same RAM written out, so that the proof can look at an entry that is not the oldest.
    reg [Width-1:0] f_entries_q [0:Words-1];
    always @(posedge clk_i) if (push) f_entries_q[write_q] <= data_i;
    assign stored = f_entries_q[read_q];
`endif

    always @(posedge clk_i) begin
        if (push) write_q <= write_q == Last ? {PointerBits{1'b0}} : write_q + 1'b1;
        if (pop) read_q <= read_q == Last ? {PointerBits{1'b0}} : read_q + 1'b1;
        if (push && !pop) count_q <= count_q + 1'b1;
        if (pop && !push) count_q <= count_q - 1'b1;
        if (!rst_ni) begin
            count_q <= {CountBits{1'b0}};
            write_q <= {PointerBits{1'b0}};
            read_q <= {PointerBits{1'b0}};
        end
    end

`ifdef FORMAL
    // From reset on, whatever comes: the pointers and the count agree, nothing is lost or doubled, nothing overtakes,
    // and what is offered stays until it is taken. One entry, of any age, is followed from its arrival to its leaving.
    (* anyconst *) reg [Width-1:0] f_value;
    reg                 f_past = 1'b0;
    reg                 f_followed_q = 1'b0;
    reg [CountBits-1:0] f_ahead_q;
    reg [PointerBits-1:0] f_place_q;
    (* anyseq *) reg    f_follow;
    reg                 f_waiting_q;
    reg     [Width-1:0] f_offered_q;
    reg                 f_input_waiting_q;
    reg     [Width-1:0] f_input_q;

    // Room for a place behind the last, before it wraps.
    localparam PlaceBits = CountBits + 2;
    localparam [PlaceBits-1:0] DepthPlaces = Depth[PlaceBits-1:0];
    // What a queue is: what came in and has not gone out. An entry may go out in the period in which it comes.
    reg [PlaceBits-1:0] f_held_q;
    wire f_in = valid_i && ready_o;
    wire f_out = valid_o && ready_i;
    wire f_passes = f_held_q == 0 && f_out;
    wire f_begin = rst_ni && f_follow && !f_followed_q && f_in && data_i == f_value && !f_passes;
    wire [PlaceBits-1:0] f_used = {{(PlaceBits - CountBits) {1'b0}}, count_q};
    wire [PlaceBits-1:0] f_write = {{(PlaceBits - PointerBits) {1'b0}}, write_q};
    wire [PlaceBits-1:0] f_read = {{(PlaceBits - PointerBits) {1'b0}}, read_q};
    wire [PlaceBits-1:0] f_ahead = {{(PlaceBits - CountBits) {1'b0}}, f_ahead_q};
    wire [PlaceBits-1:0] f_place = {{(PlaceBits - PointerBits) {1'b0}}, f_place_q};
    wire [PlaceBits-1:0] f_end = f_read + f_used;
    wire [PlaceBits-1:0] f_reach = f_read + f_ahead;

    always @(posedge clk_i) begin
        f_past <= 1'b1;
        if (f_begin) begin
            f_followed_q <= 1'b1;
            f_ahead_q <= count_q - (f_out ? 1'b1 : 1'b0);
            f_place_q <= write_q;
        end else if (f_followed_q && f_out) begin
            if (f_ahead_q == {CountBits{1'b0}}) f_followed_q <= 1'b0;
            f_ahead_q <= f_ahead_q - 1'b1;
        end
        f_held_q <= f_held_q + (f_in ? 1'b1 : 1'b0) - (f_out ? 1'b1 : 1'b0);
        if (!rst_ni) begin
            f_followed_q <= 1'b0;
            f_held_q <= 0;
        end
        f_waiting_q <= rst_ni && valid_o && !ready_i;
        f_offered_q <= data_o;
        f_input_waiting_q <= rst_ni && valid_i && !ready_o;
        f_input_q <= data_i;
    end

    always @* begin
        if (!f_past) assume (!rst_ni);
        // The sender keeps to the rules.
        if (f_past && f_input_waiting_q && rst_ni) assume (valid_i && data_i == f_input_q);
        if (f_past && rst_ni) begin
            assert (f_used <= DepthPlaces && f_used == f_held_q);
            assert (f_write < DepthPlaces && f_read < DepthPlaces);
            assert (f_write == (f_end >= DepthPlaces ? f_end - DepthPlaces : f_end));
            if (f_used == 0) assert (!f_followed_q);
            // An entry stays in its place and its value does not change.
            if (f_followed_q) begin
                assert (f_ahead < f_used);
                assert (f_place == (f_reach >= DepthPlaces ? f_reach - DepthPlaces : f_reach));
                assert (f_entries_q[f_place_q] == f_value);
                if (f_ahead == 0) assert (valid_o && data_o == f_value);
            end
            if (passing && valid_i) assert (valid_o && data_o == data_i);
            if (f_waiting_q) assert (valid_o && data_o == f_offered_q);
            // No entry comes from nowhere.
            if (FallThrough == 0) assert (valid_o == (f_used != 0));
            assert (!f_out || f_used != 0 || (passing && valid_i));
        end
    end
`endif

`ifndef SYNTHESIS
    initial if (Width < 1 || Depth < 1 || FallThrough < 0 || FallThrough > 1) begin
        $display("fifo: Width %0d, Depth %0d, FallThrough %0d: expected Width >= 1, Depth >= 1, FallThrough 0 or 1",
                 Width, Depth, FallThrough);
        $finish;
    end
`endif
endmodule
