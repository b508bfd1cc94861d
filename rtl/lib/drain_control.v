// Takes finished slots apart into words of `ScaleLanes` columns, one a period: row by row of the set, in each row by
// rising columns; and says where each word's scales, accumulators and results are.
//
// A slot is put in with `push_i`, in order, and its drain begins in the period after `take_i`: period 0 of its first word.
// It takes `Words` periods whatever the slot holds; the next slot is taken no earlier. Every output belongs to a word
// a fixed number of periods after its period 0 (the stage named before it): the sums of the latencies of
// accumulator_bank, scale_buffer and drain_lane that stand below.
// Registered: everything; the outputs of period 0 follow from registers through additions.
module drain_control #(
    parameter Columns = 16,
    parameter ScaleLanes = 4,
    // Words of a whole set of accumulators.
    parameter Words = 8,
    parameter GroupBits = 2,
    parameter ColumnWordBits = 3,
    parameter AccumulatorBits = 8,
    // Slots that can be put in before the first of them is taken.
    parameter Depth = 8
) (
    input  wire                       clk_i,
    input  wire                       rst_ni,

    input  wire                       push_i,
    // The last slot of its instruction; its first group clears the accumulators; its last group gives results.
    input  wire                       final_i,
    input  wire                       clear_i,
    input  wire                       write_i,
    // `mv`; dense weights.
    input  wire                       vector_i,
    input  wire                       dense_i,
    // First accumulator row, rows of the set, columns of the part, first column of the part.
    input  wire                 [9:0] row_i,
    input  wire                 [4:0] rows_i,
    input  wire                [11:0] cols_i,
    input  wire                [11:0] column_i,
    input  wire                [17:0] scale_row_i,
    input  wire                [11:0] slot_i,
    input  wire                [19:0] dst_i,
    input  wire                [17:0] dst_stride_i,
    input  wire                       take_i,

    // 0: group of chains. Second: which of its sums.
    output wire       [GroupBits-1:0] group_o,
    output wire                       interleaved_o,
    output wire                       second_o,
    // Half: f16 scales.
    output wire                [17:0] half_row_o,
    output wire                [11:0] half_column_o,
    // Read: f32 accumulators.
    output wire [AccumulatorBits-1:0] read_address_o,
    output wire                       clear_o,
    // Slot: scale slot of the row.
    output wire                [11:0] slot_address_o,
    // Write: f32 accumulators.
    output wire [AccumulatorBits-1:0] write_address_o,
    output wire      [ScaleLanes-1:0] write_o,
    // Result: results.
    output wire                [19:0] result_address_o,
    output wire      [ScaleLanes-1:0] result_write_o,
    // Result + 1: the instruction's last result has been written.
    output wire                       done_o
);
    `include "constants.vh"

    // Stages: periods from a word's period 0.
    localparam Second = SelectCycles - 1;
    localparam Read = SelectCycles + DrainReadCycles;
    localparam Write = SelectCycles + DrainWriteCycles;
    localparam Result = SelectCycles + DrainLaneCycles;
    localparam Half = Read - MulCycles - F16ToF32Cycles - BufferReadCycles;
    localparam Slot = Write - BufferReadCycles;

    localparam EntryBits = 5 + 10 + 5 + 12 + 12 + 18 + 12 + 20 + 18;
    localparam DepthBits = $clog2(Depth);
    localparam WordBits = $clog2(Words + 1);
    localparam [WordBits-1:0] AllWords = Words[WordBits-1:0];
    localparam LaneBits = $clog2(ScaleLanes);
    localparam LastRow = Columns / ScaleLanes - 1;

    // Slots on their way through the chains.
    reg [DepthBits-1:0] push_q;
    reg [DepthBits-1:0] take_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            push_q <= {DepthBits{1'b0}};
            take_q <= {DepthBits{1'b0}};
        end else begin
            push_q <= push_q + {{(DepthBits-1){1'b0}}, push_i};
            take_q <= take_q + {{(DepthBits-1){1'b0}}, take_i};
        end
    end
    wire [EntryBits-1:0] entry;
    ram_async #(
        .Width(EntryBits),
        .Depth(Depth)
    ) u_slots (
        .clk_i          (clk_i),
        .write_i        (push_i),
        .write_address_i(push_q),
        .write_data_i   ({final_i, clear_i, write_i, vector_i, dense_i, row_i, rows_i, cols_i, column_i, scale_row_i,
                          slot_i, dst_i, dst_stride_i}),
        .read_address_i (take_q),
        .read_data_o    (entry)
    );
    wire        entry_final;
    wire        entry_clear;
    wire        entry_write;
    wire        entry_vector;
    wire        entry_dense;
    wire  [9:0] entry_row;
    wire  [4:0] entry_rows;
    wire [11:0] entry_cols;
    wire [11:0] entry_column;
    wire [17:0] entry_scale_row;
    wire [11:0] entry_slot;
    wire [19:0] entry_dst;
    wire [17:0] entry_dst_stride;
    assign {entry_final, entry_clear, entry_write, entry_vector, entry_dense, entry_row, entry_rows, entry_cols,
            entry_column, entry_scale_row, entry_slot, entry_dst, entry_dst_stride} = entry;

    // The slot being drained, and the word of this period: its row in the set and its place in the row.
    reg                final_q;
    reg                clear_q;
    reg                write_q;
    reg                vector_q;
    reg                dense_q;
    reg          [9:0] row_q;
    reg          [4:0] rows_left_q;
    reg         [11:0] cols_q;
    reg         [11:0] cols_left_q;
    reg         [11:0] first_column_q;
    reg         [11:0] column_q;
    reg         [17:0] scale_row_q;
    reg         [11:0] slot_q;
    reg         [19:0] dst_q;
    reg         [19:0] row_dst_q;
    reg         [17:0] dst_stride_q;
    reg [WordBits-1:0] words_left_q;
    reg [WordBits-1:0] row_word_q;
    reg [WordBits-1:0] pair_word_q;
    reg                second_row_q;

    localparam [WordBits-1:0] LastRowWord = LastRow[WordBits-1:0];
    localparam         [11:0] WordColumns = ScaleLanes[11:0];
    wire active = words_left_q != {WordBits{1'b0}};
    wire row_end = !vector_q && row_word_q == LastRowWord;
    wire [19:0] next_row_dst = row_dst_q + {2'd0, dst_stride_q};

    always @(posedge clk_i) begin
        if (!rst_ni) words_left_q <= {WordBits{1'b0}};
        else if (take_i) words_left_q <= AllWords;
        else if (active) words_left_q <= words_left_q - {{(WordBits-1){1'b0}}, 1'b1};
    end
    always @(posedge clk_i) begin
        if (take_i) begin
            final_q <= entry_final;
            clear_q <= entry_clear;
            write_q <= entry_write;
            vector_q <= entry_vector;
            dense_q <= entry_dense;
            row_q <= entry_row;
            rows_left_q <= entry_rows;
            cols_q <= entry_cols;
            cols_left_q <= entry_cols;
            first_column_q <= entry_column;
            column_q <= entry_column;
            scale_row_q <= entry_scale_row;
            slot_q <= entry_slot;
            dst_q <= entry_dst;
            row_dst_q <= entry_dst;
            dst_stride_q <= entry_dst_stride;
            row_word_q <= {WordBits{1'b0}};
            pair_word_q <= {WordBits{1'b0}};
            second_row_q <= 1'b0;
        end else if (active && row_end) begin
            row_q <= row_q + 10'd1;
            if (rows_left_q != 5'd0) rows_left_q <= rows_left_q - 5'd1;
            cols_left_q <= cols_q;
            column_q <= first_column_q;
            slot_q <= slot_q + 12'd1;
            dst_q <= next_row_dst;
            row_dst_q <= next_row_dst;
            row_word_q <= {WordBits{1'b0}};
            second_row_q <= !second_row_q;
            if (second_row_q) pair_word_q <= pair_word_q + LastRowWord + {{(WordBits-1){1'b0}}, 1'b1};
        end else if (active) begin
            cols_left_q <= cols_left_q > WordColumns ? cols_left_q - WordColumns : 12'd0;
            column_q <= column_q + WordColumns;
            dst_q <= dst_q + {8'd0, WordColumns};
            row_word_q <= row_word_q + {{(WordBits-1){1'b0}}, 1'b1};
        end
    end

    // Two rows of a chain are drained one after the other; two columns of a chain (dense `mv`) in one word.
    wire interleaved = vector_q && dense_q;
    wire [WordBits-1:0] group = interleaved ? row_word_q >> 1 : pair_word_q + row_word_q;
    assign group_o = group[GroupBits-1:0];
    wire second = interleaved ? row_word_q[0] : second_row_q;
    delay #(.Width(2), .Cycles(Second)) u_select (
        .clk_i (clk_i),
        .data_i({interleaved, second}),
        .data_o({interleaved_o, second_o})
    );
    delay #(.Width(18 + 12), .Cycles(Half)) u_half (
        .clk_i (clk_i),
        .data_i({scale_row_q, column_q}),
        .data_o({half_row_o, half_column_o})
    );

    localparam RowBits = AccumulatorBits - ColumnWordBits;
    wire [AccumulatorBits-1:0] address = {row_q[RowBits-1:0], column_q[LaneBits+:ColumnWordBits]};
    delay #(.Width(AccumulatorBits + 1), .Cycles(Read)) u_read (
        .clk_i (clk_i),
        .data_i({address, clear_q}),
        .data_o({read_address_o, clear_o})
    );
    delay #(.Width(AccumulatorBits), .Cycles(Write - Read)) u_write (
        .clk_i (clk_i),
        .data_i(read_address_o),
        .data_o(write_address_o)
    );
    delay #(.Width(12), .Cycles(Slot)) u_slot (
        .clk_i (clk_i),
        .data_i(slot_q),
        .data_o(slot_address_o)
    );
    delay #(.Width(20), .Cycles(Result)) u_result (
        .clk_i (clk_i),
        .data_i(dst_q),
        .data_o(result_address_o)
    );

    // Columns and rows that the instruction does not have are drained and not kept.
    wire [ScaleLanes-1:0] lanes;
    wire [ScaleLanes-1:0] lanes_late;
    wire [ScaleLanes-1:0] result_lanes;
    genvar lane;
    generate
        for (lane = 0; lane < ScaleLanes; lane = lane + 1) begin : gen_lane
            localparam [11:0] Number = lane;
            assign lanes[lane] = rows_left_q != 5'd0 && cols_left_q > Number;
        end
    endgenerate
    delay #(.Width(ScaleLanes), .Cycles(Write)) u_lanes (
        .clk_i (clk_i),
        .data_i(lanes),
        .data_o(lanes_late)
    );
    delay #(.Width(ScaleLanes), .Cycles(Result - Write)) u_result_lanes (
        .clk_i (clk_i),
        .data_i(lanes_late),
        .data_o(result_lanes)
    );

    // Control: one bit of each is set only by a word, also right after a reset.
    reg  [Write-1:0] word_q;
    reg [Result-1:0] keep_q;
    reg   [Result:0] done_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            word_q <= {Write{1'b0}};
            keep_q <= {Result{1'b0}};
            done_q <= {(Result + 1) {1'b0}};
        end else begin
            word_q <= {word_q[Write-2:0], active};
            keep_q <= {keep_q[Result-2:0], active && write_q};
            done_q <= {done_q[Result-1:0], final_q && words_left_q == {{(WordBits-1){1'b0}}, 1'b1}};
        end
    end
    assign write_o = lanes_late & {ScaleLanes{word_q[Write-1]}};
    assign result_write_o = result_lanes & {ScaleLanes{keep_q[Result-1]}};
    assign done_o = done_q[Result];

    wire unused_high_bits = &{1'b0, group, row_q, column_q};

`ifndef SYNTHESIS
    initial if (Words < 1 || (1 << DepthBits) != Depth || Columns % ScaleLanes != 0) begin
        $display("drain_control: Words %0d, Depth %0d, Columns %0d: expected at least 1, a power of two, whole words",
                 Words, Depth, Columns);
        $finish;
    end
    always @(posedge clk_i) if (rst_ni && take_i) begin
        if (push_q == take_q) begin
            $display("drain_control: a slot is taken that was not put in, or too many were put in");
            $stop;
        end
        if (active && words_left_q != {{(WordBits-1){1'b0}}, 1'b1}) begin
            $display("drain_control: a slot is taken before the one before it is drained");
            $stop;
        end
    end
`endif
endmodule
