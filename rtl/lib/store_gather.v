// Puts the source words of pieces into their places and merges one piece a period into the line.
//
// A piece that is taken in period p has its source word read in p; the word answers in p + 3, is rounded to f16 when it
// is a scale, rotated to its place in the line, and merged in p + 7 at the earliest, in order. A piece that fires its
// line waits for `credit_i`, and the pieces behind it with it. In the period of the merge `fire_o` is high; the line
// stands in `line_data_o` and `line_strobe_o` in the period after. Initiation interval 1. It holds at most `Pieces`
// pieces and does not drop any: `room_o` stops the reads.
// Registered: `room_o`, `store_read_*` as the pieces are, `line_*`; `fire_o` and `touch_o` follow from registers and
// `credit_i`.
module store_gather #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter ChannelAddressBits = 28,
    parameter Chain = 16,
    parameter Lanes = 8
) (
    input  wire                                            clk_i,
    input  wire                                            rst_ni,
    // Pieces, as `store_pieces` gives them.
    output wire                                            room_o,
    input  wire                                            valid_i,
    input  wire                                      [1:0] source_i,
    input  wire [ChannelAddressBits-$clog2(PortBytes)-1:0] line_beat_i,
    input  wire         [$clog2(Channels*PortBytes)-1:0] position_i,
    input  wire   [$clog2(Chain>4*Lanes?Chain:4*Lanes):0] bytes_i,
    input  wire [$clog2(Chain>4*Lanes?Chain:4*Lanes)-1:0] rotate_i,
    input  wire                                            fire_i,
    input  wire                                            last_i,
    input  wire                                            store_i,
    // Answers of the sources, three periods after a piece is taken.
    input  wire                              [8*Chain-1:0] store_word_i,
    input  wire                                     [31:0] store_slot_i,
    input  wire                             [32*Lanes-1:0] store_vector_i,
    // The line: whether it may fire; that it does, to which channels, for which store, and whether it is its last.
    input  wire                                            credit_i,
    output wire                                            fire_o,
    output wire                             [Channels-1:0] touch_o,
    output wire [ChannelAddressBits-$clog2(PortBytes)-1:0] fire_beat_o,
    output wire                                            fire_last_o,
    output wire                                            fire_store_o,
    // The period after: its bytes.
    output wire                 [8*Channels*PortBytes-1:0] line_data_o,
    output wire                   [Channels*PortBytes-1:0] line_strobe_o
);
    `include "isa.vh"
    `include "constants.vh"

    localparam Pieces = 16;
    localparam DataCycles = BufferReadCycles + F32ToF16Cycles;
    localparam PieceCountBits = $clog2(Pieces + 1);
    localparam [PieceCountBits-1:0] MostPieces = Pieces;
    localparam LineBytes = Channels * PortBytes;
    localparam LineShift = $clog2(LineBytes);
    localparam PortShift = $clog2(PortBytes);
    localparam BeatBits = ChannelAddressBits - PortShift;
    localparam WordBytes = Chain > 4 * Lanes ? Chain : 4 * Lanes;
    localparam WordShift = $clog2(WordBytes);
    // The line in blocks as long as a source word, of which a piece touches at most two.
    localparam Blocks = LineBytes > WordBytes ? LineBytes / WordBytes : 1;
    localparam [Blocks-1:0] FirstBlock = 1;
    localparam BlockBytes = LineBytes > WordBytes ? WordBytes : LineBytes;

    // Pieces that are read and not merged; of these, those whose words have come.
    reg [PieceCountBits-1:0] taken_q;
    reg [PieceCountBits-1:0] come_q;
    reg     [DataCycles-1:0] reading_q;
    reg [2*DataCycles-1:0] reading_source_q;

    wire take = valid_i && room_o;
    wire pop;
    assign room_o = taken_q != MostPieces;

    always @(posedge clk_i) begin
        if (take && !pop) taken_q <= taken_q + 1'b1;
        if (pop && !take) taken_q <= taken_q - 1'b1;
        if (reading_q[DataCycles-1] && !pop) come_q <= come_q + 1'b1;
        if (pop && !reading_q[DataCycles-1]) come_q <= come_q - 1'b1;
        reading_q <= {reading_q[DataCycles-2:0], take};
        reading_source_q <= {reading_source_q[2*DataCycles-3:0], source_i};
        if (!rst_ni) begin
            taken_q <= {PieceCountBits{1'b0}};
            come_q <= {PieceCountBits{1'b0}};
            reading_q <= {DataCycles{1'b0}};
        end
    end

    // What is known of a piece when it is read.
    localparam PlaceBits = 1 + BeatBits + LineShift + WordShift + 1 + WordShift + 3;
    wire                 scale;
    wire  [BeatBits-1:0] beat;
    wire [LineShift-1:0] position;
    wire   [WordShift:0] bytes;
    wire [WordShift-1:0] rotate;
    wire                 fire;
    wire                 last;
    wire                 store;

    wire unused_place_ready;
    wire unused_place_valid;
    wire [PieceCountBits-1:0] unused_place_count;
    fifo #(
        .Width(PlaceBits),
        .Depth(Pieces)
    ) u_places (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(take),
        .ready_o(unused_place_ready),
        .data_i ({
            source_i == IsaStoreSourceScales, line_beat_i, position_i, bytes_i, rotate_i, fire_i, last_i, store_i
        }),
        .valid_o(unused_place_valid),
        .ready_i(pop),
        .data_o ({scale, beat, position, bytes, rotate, fire, last, store}),
        .count_o(unused_place_count)
    );

    // Words of codes or f32 elements, and scales.
    wire word_come = reading_q[BufferReadCycles-1];
    wire [1:0] word_source = reading_source_q[2*BufferReadCycles-1-:2];
    wire [8*WordBytes-1:0] codes;
    wire [8*WordBytes-1:0] elements;
    wire [8*WordBytes-1:0] word;
    wire [15:0] rounded;
    wire [15:0] slot;

    generate
        if (WordBytes > Chain) begin : gen_short_codes
            assign codes = {{(8 * (WordBytes - Chain)) {1'b0}}, store_word_i};
        end else begin : gen_codes
            assign codes = store_word_i;
        end
        if (WordBytes > 4 * Lanes) begin : gen_short_elements
            assign elements = {{(8 * (WordBytes - 4 * Lanes)) {1'b0}}, store_vector_i};
        end else begin : gen_elements
            assign elements = store_vector_i;
        end
    endgenerate

    wire unused_word_ready;
    wire unused_word_valid;
    wire [PieceCountBits-1:0] unused_word_count;
    fifo #(
        .Width(8 * WordBytes),
        .Depth(Pieces)
    ) u_words (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(word_come && word_source != IsaStoreSourceScales),
        .ready_o(unused_word_ready),
        .data_i (word_source == IsaStoreSourceCodes ? codes : elements),
        .valid_o(unused_word_valid),
        .ready_i(pop && !scale),
        .data_o (word),
        .count_o(unused_word_count)
    );

    fp32_to_fp16 u_round (
        .clk_i(clk_i),
        .a_i  (store_slot_i),
        .y_o  (rounded)
    );

    wire unused_slot_ready;
    wire unused_slot_valid;
    wire [PieceCountBits-1:0] unused_slot_count;
    fifo #(
        .Width(16),
        .Depth(Pieces)
    ) u_slots (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(reading_q[DataCycles-1] && reading_source_q[2*DataCycles-1-:2] == IsaStoreSourceScales),
        .ready_o(unused_slot_ready),
        .data_i (rounded),
        .valid_o(unused_slot_valid),
        .ready_i(pop && scale),
        .data_o (slot),
        .count_o(unused_slot_count)
    );

    // The piece that is merged next: its bytes rotated to their place, and a mask over two blocks.
    reg                    piece_valid_q;
    reg                    piece_fire_q;
    reg                    piece_last_q;
    reg                    piece_store_q;
    reg     [BeatBits-1:0] piece_beat_q;
    reg  [8*WordBytes-1:0] piece_data_q;
    reg  [2*WordBytes-1:0] piece_mask_q;
    reg       [Blocks-1:0] piece_block_q;
    reg     [Channels-1:0] piece_touch_q;

    wire merge = piece_valid_q && (!piece_fire_q || credit_i);
    assign pop = come_q != {PieceCountBits{1'b0}} && (!piece_valid_q || merge);

    wire [8*WordBytes-1:0] source = scale ? {{(8 * WordBytes - 16) {1'b0}}, slot} : word;
    wire [16*WordBytes-1:0] rotated = {source, source} >> {rotate, 3'b000};
    wire [31:0] place = {{(32 - LineShift) {1'b0}}, position};
    wire [31:0] in_block = place % WordBytes;
    wire [31:0] block = place / WordBytes;
    wire [2*WordBytes-1:0] run = ~({(2 * WordBytes) {1'b1}} << bytes);
    wire [31:0] last_byte = place + {{(31 - WordShift) {1'b0}}, bytes} - 32'd1;
    wire [31:0] first_channel = place >> PortShift;
    wire [31:0] last_channel = last_byte >> PortShift;

    always @(posedge clk_i) begin
        if (pop) begin
            piece_fire_q <= fire;
            piece_last_q <= last;
            piece_store_q <= store;
            piece_beat_q <= beat;
            piece_data_q <= rotated[8*WordBytes-1:0];
            piece_mask_q <= run << in_block;
            piece_block_q <= FirstBlock << block;
            piece_touch_q <= ({Channels{1'b1}} << first_channel) & ~({Channels{1'b1}} << last_channel << 1);
        end
        if (pop || merge) piece_valid_q <= pop;
        if (!rst_ni) piece_valid_q <= 1'b0;
    end

    // The line. Its strobes begin anew after each line that fires; data behind no strobe is what was there before.
    reg                    begun_q;
    reg     [Channels-1:0] touch_q;
    reg  [8*LineBytes-1:0] data_q;
    reg    [LineBytes-1:0] strobe_q;

    assign fire_o = merge && piece_fire_q;
    assign touch_o = piece_touch_q | (begun_q ? touch_q : {Channels{1'b0}});
    assign fire_beat_o = piece_beat_q;
    assign fire_last_o = piece_last_q;
    assign fire_store_o = piece_store_q;
    assign line_data_o = data_q;
    assign line_strobe_o = strobe_q;

    always @(posedge clk_i) begin
        if (merge) begin
            begun_q <= !piece_fire_q;
            touch_q <= touch_o;
        end
        if (!rst_ni) begun_q <= 1'b0;
    end

    genvar b;
    generate
        for (b = 0; b < Blocks; b = b + 1) begin : gen_block
            wire [BlockBytes-1:0] here = piece_block_q[b] ? piece_mask_q[BlockBytes-1:0] : {BlockBytes{1'b0}};
            wire [BlockBytes-1:0] mask;
            if (b == 0) begin : gen_first
                assign mask = here;
            end else begin : gen_next
                assign mask = here | (piece_block_q[b-1] ? piece_mask_q[2*WordBytes-1-:BlockBytes]
                                                         : {BlockBytes{1'b0}});
            end

            integer j;
            always @(posedge clk_i) if (merge) begin
                for (j = 0; j < BlockBytes; j = j + 1)
                    if (mask[j]) data_q[8*(BlockBytes*b+j)+:8] <= piece_data_q[8*j+:8];
                strobe_q[BlockBytes*b+:BlockBytes] <= mask
                    | (begun_q ? strobe_q[BlockBytes*b+:BlockBytes] : {BlockBytes{1'b0}});
            end
        end
    endgenerate

    wire unused = &{1'b0, unused_place_ready, unused_place_valid, unused_place_count, unused_word_ready,
                    unused_word_valid, unused_word_count, unused_slot_ready, unused_slot_valid, unused_slot_count,
                    rotated, piece_mask_q};
endmodule
