// Steps through the rows of stores and gives one piece a period: consecutive elements of a row that come from one
// source word, belong to one fragment and go to one line.
//
// A store that is pushed in period p while none is under way gives its first piece in p + 1; then one piece a period
// while `room_i` is high, rows and stores without a gap. Initiation interval 1. Everything is stepped by additions.
// It holds one store under way and two that wait, and does not know what the elements are.
// Registered: `valid_o`, `source_o`, `address_o`, `line_beat_o`, `position_o`, `store_o`, which are state; `bytes_o`,
// `rotate_o`, `fire_o` and `last_o` come behind a comparison and an addition.
module store_pieces #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter ChannelAddressBits = 28,
    parameter Chain = 16,
    parameter Lanes = 8
) (
    input  wire                                               clk_i,
    input  wire                                               rst_ni,
    // A store, as `store_setup` gives it, and a bit that names it.
    input  wire                                               push_i,
    input  wire                                               store_i,
    input  wire                                         [1:0] source_i,
    input  wire                                        [21:0] src_i,
    input  wire                                        [13:0] src_stride_i,
    input  wire                                         [9:0] rows_i,
    input  wire                                        [19:0] count_i,
    input  wire     [ChannelAddressBits+$clog2(Channels)-1:0] row_i,
    input  wire     [ChannelAddressBits+$clog2(Channels)-1:0] low_i,
    input  wire     [ChannelAddressBits+$clog2(Channels)-1:0] row_step_i,
    input  wire     [ChannelAddressBits+$clog2(Channels)-1:0] high_step_i,
    input  wire                                        [15:0] low_step_i,
    input  wire                                        [30:0] v_low_i,
    input  wire                                        [30:0] v_mask_i,
    input  wire                                               token_step_i,
    input  wire                                         [7:0] fragment_i,
    input  wire                                        [17:0] fragment_stride_i,
    // A piece, taken when `room_i` is high.
    input  wire                                               room_i,
    output wire                                               valid_o,
    output wire                                         [1:0] source_o,
    output wire                                        [21:0] address_o,
    // Where it goes: beat of the line, byte in the line, bytes, and source bytes to rotate by to stand there.
    output wire    [ChannelAddressBits-$clog2(PortBytes)-1:0] line_beat_o,
    output wire            [$clog2(Channels*PortBytes)-1:0] position_o,
    output wire   [$clog2(Chain>4*Lanes?Chain:4*Lanes):0] bytes_o,
    output wire [$clog2(Chain>4*Lanes?Chain:4*Lanes)-1:0] rotate_o,
    // The last piece of its line; of its store; which store.
    output wire                                               fire_o,
    output wire                                               last_o,
    output wire                                               store_o
);
    `include "isa.vh"
    `include "constants.vh"

    localparam Stores = StoresInFlight;
    localparam LineBytes = Channels * PortBytes;
    localparam LineShift = $clog2(LineBytes);
    localparam AddressBits = ChannelAddressBits + $clog2(Channels);
    localparam WordBytes = Chain > 4 * Lanes ? Chain : 4 * Lanes;
    localparam WordShift = $clog2(WordBytes);
    // Elements of a piece: at most 64, a chain or the lanes.
    localparam PieceBits = 7;
    localparam integer MostElements = Chain > Lanes ? Chain : Lanes;
    localparam [PieceBits-1:0] Most = MostElements[PieceBits-1:0];
    localparam integer ChainElements = Chain;
    localparam integer LaneElements = Lanes;
    localparam integer Line = LineBytes;

    // The stores that wait.
    localparam StoreBits = 1 + 2 + 22 + 14 + 10 + 20 + 4 * AddressBits + 16 + 31 + 31 + 1 + 8 + 18;
    wire                          next_valid;
    wire                          next_store;
    wire                    [1:0] next_source;
    wire                   [21:0] next_src;
    wire                   [13:0] next_src_stride;
    wire                    [9:0] next_rows;
    wire                   [19:0] next_count;
    wire        [AddressBits-1:0] next_row;
    wire        [AddressBits-1:0] next_low;
    wire        [AddressBits-1:0] next_row_step;
    wire        [AddressBits-1:0] next_high_step;
    wire                   [15:0] next_low_step;
    wire                   [30:0] next_v_low;
    wire                   [30:0] next_v_mask;
    wire                          next_token_step;
    wire                    [7:0] next_fragment;
    wire                   [17:0] next_fragment_stride;
    wire                          load;
    wire                          unused_ready;
    wire [$clog2(Stores+1)-1:0]   unused_count;

    fifo #(
        .Width      (StoreBits),
        .Depth      (Stores),
        .FallThrough(1)
    ) u_stores (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(push_i),
        .ready_o(unused_ready),
        .data_i ({
            store_i, source_i, src_i, src_stride_i, rows_i, count_i, row_i, low_i, row_step_i, high_step_i, low_step_i,
            v_low_i, v_mask_i, token_step_i, fragment_i, fragment_stride_i
        }),
        .valid_o(next_valid),
        .ready_i(load),
        .data_o ({
            next_store, next_source, next_src, next_src_stride, next_rows, next_count, next_row, next_low,
            next_row_step, next_high_step, next_low_step, next_v_low, next_v_mask, next_token_step, next_fragment,
            next_fragment_stride
        }),
        .count_o(unused_count)
    );

    // The store under way.
    reg                   valid_q;
    reg                   store_q;
    reg             [1:0] source_q;
    reg            [13:0] src_stride_q;
    reg            [19:0] count_q;
    reg [AddressBits-1:0] row_step_q;
    reg [AddressBits-1:0] high_step_q;
    reg            [15:0] low_step_q;
    reg            [30:0] v_mask_q;
    reg                   token_step_q;
    reg             [7:0] fragment_q;
    reg            [17:0] fragment_stride_q;
    // The row after this one: its address in its two parts, the low bits of its v, its source.
    reg [AddressBits-1:0] row_q;
    reg [AddressBits-1:0] low_q;
    reg            [30:0] v_low_q;
    reg            [21:0] row_source_q;
    // What is left: rows with this one; elements of the row, the fragment, the source word.
    reg             [9:0] rows_left_q;
    reg            [19:0] count_left_q;
    reg             [7:0] fragment_left_q;
    reg   [PieceBits-1:0] word_left_q;
    // The next element: source word, place in it, address, and the address of the fragment after its own.
    reg            [21:0] address_q;
    reg   [PieceBits-1:0] offset_q;
    reg [AddressBits-1:0] at_q;
    reg [AddressBits-1:0] fragment_at_q;

    wire codes = source_q == IsaStoreSourceCodes;
    wire scales = source_q == IsaStoreSourceScales;
    wire [1:0] size_shift = codes ? 2'd0 : scales ? 2'd1 : 2'd2;
    wire fragmented = fragment_q != 8'd0;

    // Elements left, as far as they can matter to one piece.
    wire [31:0] line_left = (Line - {{(32 - LineShift) {1'b0}}, at_q[LineShift-1:0]}) >> size_shift;
    wire [PieceBits-1:0] by_line = line_left > {25'd0, Most} ? Most : line_left[PieceBits-1:0];
    wire [PieceBits-1:0] by_row = count_left_q > {13'd0, Most} ? Most : count_left_q[PieceBits-1:0];
    wire [PieceBits-1:0] by_fragment = !fragmented || fragment_left_q > {1'b0, Most} ? Most
                                     : fragment_left_q[PieceBits-1:0];
    wire [PieceBits-1:0] row_or_fragment = by_row < by_fragment ? by_row : by_fragment;
    wire [PieceBits-1:0] line_or_word = by_line < word_left_q ? by_line : word_left_q;
    wire [PieceBits-1:0] elements = row_or_fragment < line_or_word ? row_or_fragment : line_or_word;
    wire [PieceBits+1:0] bytes = {2'd0, elements} << size_shift;

    wire ends_row = count_left_q == {13'd0, elements};
    wire ends_fragment = fragmented && fragment_left_q == {1'b0, elements};
    wire ends_word = word_left_q == elements;
    wire ends_line = line_left == {25'd0, elements};
    wire leaves_line = fragment_at_q[AddressBits-1:LineShift] != at_q[AddressBits-1:LineShift];
    wire ends_store = ends_row && rows_left_q == 10'd1;

    wire take = valid_q && room_i;
    assign load = !valid_q || (take && ends_store);

    assign valid_o = valid_q;
    assign source_o = source_q;
    assign address_o = address_q;
    assign line_beat_o = at_q[AddressBits-1:LineShift];
    assign position_o = at_q[LineShift-1:0];
    assign bytes_o = bytes[WordShift:0];
    assign fire_o = ends_row || (ends_fragment ? leaves_line : ends_line);
    assign last_o = ends_store;
    assign store_o = store_q;

    // Byte j of the rotated word is byte (j + rotate) of the source word, so that byte `position` is the piece's first.
    wire [PieceBits+1:0] offset_bytes = {2'd0, offset_q} << size_shift;
    wire [31:0] rotate = {{(32 - PieceBits - 2) {1'b0}}, offset_bytes} - {{(32 - LineShift) {1'b0}}, position_o};
    assign rotate_o = rotate[WordShift-1:0];

    wire [1:0] next_size = load ? next_source : source_q;
    wire [PieceBits-1:0] word_elements = next_size == IsaStoreSourceCodes ? ChainElements[PieceBits-1:0]
                                       : next_size == IsaStoreSourceScales ? {{(PieceBits - 1) {1'b0}}, 1'b1}
                                       : LaneElements[PieceBits-1:0];
    wire [21:0] word_step = codes || scales ? 22'd1 : LaneElements[21:0];

    // The row behind the one that begins with this edge.
    wire [AddressBits-1:0] begin_row = load ? next_row : row_q;
    wire [AddressBits-1:0] begin_low = load ? next_low : low_q;
    wire            [30:0] begin_v_low = load ? next_v_low : v_low_q;
    wire            [21:0] begin_source = load ? next_src : row_source_q;
    wire            [30:0] begin_mask = load ? next_v_mask : v_mask_q;
    wire                   begin_token_step = load ? next_token_step : token_step_q;
    wire            [15:0] begin_low_step = load ? next_low_step : low_step_q;
    wire [AddressBits-1:0] begin_row_step = load ? next_row_step : row_step_q;
    wire [AddressBits-1:0] begin_high_step = load ? next_high_step : high_step_q;
    wire            [13:0] begin_src_stride = load ? next_src_stride : src_stride_q;
    wire            [17:0] begin_fragment_stride = load ? next_fragment_stride : fragment_stride_q;
    wire wraps = begin_token_step && begin_v_low == begin_mask;
    wire [AddressBits-1:0] begin_at = begin_row + begin_low;
    wire [37:0] fragment_step = {20'd0, begin_fragment_stride};
    wire [37:0] low_step = {22'd0, begin_low_step};

    always @(posedge clk_i) begin
        if (load) begin
            store_q <= next_store;
            source_q <= next_source;
            src_stride_q <= next_src_stride;
            count_q <= next_count;
            row_step_q <= next_row_step;
            high_step_q <= next_high_step;
            low_step_q <= next_low_step;
            v_mask_q <= next_v_mask;
            token_step_q <= next_token_step;
            fragment_q <= next_fragment;
            fragment_stride_q <= next_fragment_stride;
        end
        if (load || (take && ends_row)) begin
            row_q <= begin_row + (wraps ? begin_high_step : begin_row_step);
            low_q <= wraps ? {AddressBits{1'b0}} : begin_low + (begin_token_step ? low_step[AddressBits-1:0]
                                                                                 : {AddressBits{1'b0}});
            v_low_q <= wraps ? 31'd0 : begin_v_low + {30'd0, begin_token_step};
            row_source_q <= begin_source + {8'd0, begin_src_stride};
            rows_left_q <= load ? next_rows : rows_left_q - 10'd1;
            count_left_q <= load ? next_count : count_q;
            fragment_left_q <= load ? next_fragment : fragment_q;
            word_left_q <= word_elements;
            address_q <= begin_source;
            offset_q <= {PieceBits{1'b0}};
            at_q <= begin_at;
            fragment_at_q <= begin_at + fragment_step[AddressBits-1:0];
        end else if (take) begin
            count_left_q <= count_left_q - {13'd0, elements};
            fragment_left_q <= ends_fragment ? fragment_q : fragment_left_q - {1'b0, elements};
            word_left_q <= ends_word ? word_elements : word_left_q - elements;
            if (ends_word) address_q <= address_q + word_step;
            offset_q <= ends_word ? {PieceBits{1'b0}} : offset_q + elements;
            at_q <= ends_fragment ? fragment_at_q : at_q + {{(AddressBits - PieceBits - 2) {1'b0}}, bytes};
            if (ends_fragment) fragment_at_q <= fragment_at_q + fragment_step[AddressBits-1:0];
        end
        if (load) valid_q <= next_valid;
        if (!rst_ni) valid_q <= 1'b0;
    end

    wire unused = &{1'b0, unused_ready, unused_count, line_left, bytes, rotate, fragment_step, low_step};

`ifndef SYNTHESIS
    initial if ((Channels & (Channels - 1)) != 0 || (PortBytes & (PortBytes - 1)) != 0 || (Chain & (Chain - 1)) != 0
                || (Lanes & (Lanes - 1)) != 0 || Chain < 16 || Chain > 64 || Lanes < 1 || Lanes > 64
                || LineBytes < 16 || LineBytes > 8192 || AddressBits > 38) begin
        $display("store_pieces: Channels %0d, PortBytes %0d, Chain %0d, Lanes %0d, ChannelAddressBits %0d: ",
                 Channels, PortBytes, Chain, Lanes, ChannelAddressBits,
                 "expected powers of two, lines of 16 to 8192 bytes, chain 16 to 64, lanes to 64, at most 2^38 bytes");
        $finish;
    end
`endif
endmodule
