// The matrix unit: `mm` and `mv` on chains of DSP48E2, with the buffers of weights, indices and group scales.
//
// Period t: issue. Periods t + 1 .. t + occupancy: one step each while a slot has steps. A step of period s:
//   s      weight, index and integer scale addresses      s + 1  activation addresses
//   s + 2  chunks; the part's columns are selected        s + 3  the columns' streams
//   s + 4  codes; activation windows; blocks of the       s + 5  codes times integer scales; candidates of the sparse
//          pairs, from density bytes of s + 3                    multiplexer
//   s + 6  operands of the chains
//   s + 6 + latency of dsp_chain  sums of the step; they are accumulated in this period
// A slot that ends in period e is drained from period e + 7 + latency of dsp_chain on, a word of `ScaleLanes` columns a
// period; a result is written 22 periods after its word is taken. The instruction retires in the period after that of the
// last word of a whole set: t + occupancy + 6 + latency of dsp_chain + Outputs / ScaleLanes + 23.
//
// `matrix_ready_o` and `matrix_retire_o` follow from registers only. Results of columns and rows that an instruction does not
// have are not written. Does not check legality, and does not order itself with other units: waits do.
module matrix_unit #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Chain = 16,
    parameter Rows = 2,
    parameter Columns = 16,
    parameter GemvColumns = 32,
    parameter ScaleLanes = 4,
    parameter AccumulatorRows = 32,
    parameter WeightChunks = 128,
    // 0: no N:M patterns.
    parameter IndexChunks = 64,
    parameter ScaleRows = 256,
    parameter ResultElements = 16384,
    // Activation words of a window: the largest M / N of the patterns, or the 8 blocks of those with an N per block.
    parameter MaxRatio = 8,
    // 0: no 1:4.
    parameter Single = 1,
    // 1: patterns with an N per block, and a buffer for their density bytes. Then chains have 16 multipliers, columns of
    // both modes are multiples of 16, and windows have 8 words.
    parameter Blocks = 0,
    // Bit i: the i-th of the code widths 2, 3, 4, 5, 8 occurs.
    parameter CodeWidths = 31,
    // 0: no two-level scales.
    parameter TwoLevel = 1,
    parameter ClockGates = 0,
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0,
    parameter LineAddressBits = 11,
    // What the memories are built from, as `ram_sdp` names it.
    parameter WeightStyle = "block",
    parameter IndexStyle = "block",
    parameter DensityStyle = "block",
    parameter ScaleStyle = "block"
) (
    input  wire                                   clk_i,
    // Clocks of the buffers, which are written while the unit rests; otherwise the same.
    input  wire                                   weight_clk_i,
    input  wire                                   index_clk_i,
    input  wire                                   scale_clk_i,
    input  wire                                   rst_ni,

    // Sequencer.
    output wire                                   matrix_ready_o,
    input  wire                                   matrix_issue_i,
    input  wire                           [255:0] matrix_word_i,
    input  wire                            [31:0] matrix_value_a_i,
    input  wire                            [31:0] matrix_value_b_i,
    output wire                                   matrix_retire_o,
    // An instruction is issued or has not retired; weights are read; indices are read.
    output wire                                   matrix_run_o,
    output wire                                   matrix_weight_run_o,
    output wire                                   matrix_index_run_o,

    // Load unit.
    input  wire                    [Channels-1:0] load_write_valid_i,
    input  wire                  [3*Channels-1:0] load_write_buffer_i,
    input  wire      [Channels*LineAddressBits-1:0] load_write_line_i,
    input  wire        [Channels*8*PortBytes-1:0] load_write_data_i,
    input  wire          [Channels*PortBytes-1:0] load_write_strobe_i,

    // Activation buffer: answers three periods later.
    output wire                     [Rows*20-1:0] window_word_o,
    input  wire        [Rows*8*MaxRatio*Chain-1:0] window_i,
    output wire                            [11:0] slot_address_o,
    input  wire                            [31:0] slot_i,

    // Result buffer.
    output wire                  [ScaleLanes-1:0] result_write_valid_o,
    output wire      [$clog2(ResultElements)-1:0] result_write_address_o,
    output wire               [32*ScaleLanes-1:0] result_write_data_o
);
`include "isa.vh"
`include "constants.vh"

    localparam Width = Columns > GemvColumns ? Columns : GemvColumns;
    localparam Outputs = Rows * Columns > GemvColumns ? Rows * Columns : GemvColumns;
    localparam Chains = Outputs / 2;
    localparam SparseColumns = GemvColumns < Chains ? GemvColumns : Chains;
    localparam Words = Outputs / ScaleLanes;
    localparam DrainCycles = Words > AddCycles ? Words : AddCycles;
    localparam Sparse = IndexChunks > 0 ? 1 : 0;
    localparam Straddle = CodeWidths[1] || CodeWidths[3] ? 1 : 0;

    // Latency of dsp_chain: the skew of its longest segment and what follows; and the stage that accumulates.
    localparam Segments = (Chain + PackedMaxProducts - 1) / PackedMaxProducts;
    localparam Longest = (Chain + Segments - 1) / Segments;
    localparam ChainLatency = Longest - 1 + DspCycles + SplitCycles + $clog2(Segments);
    localparam Accumulate = FrontCycles + ChainLatency;

    localparam GroupBits = Chains > ScaleLanes ? $clog2(Chains / ScaleLanes) : 1;
    localparam ColumnWordBits = Width > ScaleLanes ? $clog2(Width / ScaleLanes) : 1;
    localparam AccumulatorBits = $clog2(AccumulatorRows) + ColumnWordBits;

    // Every part of columns begins at a multiple of `Grain`.
    localparam Grain = Columns < GemvColumns ? Columns : GemvColumns;
    localparam GrainBits = $clog2(Grain);
    // The part's columns come first. Where `mm` and sparse `mv` take as many, those behind are a dense `mv`'s and stay.
    localparam Turned = Columns == SparseColumns ? Grain : Width;

    // ---- Issue and steps ----

    wire        empty;
    wire        i_vector;
    wire        i_first;
    wire        i_last;
    wire  [3:0] i_code_bits;
    wire  [3:0] i_ratio;
    wire  [2:0] i_index_bits;
    wire  [2:0] i_window_steps;
    wire        i_two_level;
    wire  [9:0] i_rows;
    wire [11:0] i_cols;
    wire [15:0] i_steps;
    wire [15:0] i_group;
    wire [19:0] i_act;
    wire [11:0] i_act_stride;
    wire [11:0] i_slot;
    wire [15:0] i_weight;
    wire [15:0] i_index;
    wire [17:0] i_scale;
    wire [19:0] i_dst;
    wire [17:0] i_dst_stride;
    wire  [3:0] unused_code;
    matrix_decode u_decode (
        .word_i        (matrix_word_i),
        .rows_value_i  (matrix_value_a_i),
        .extent_value_i(matrix_value_b_i),
        .empty_o       (empty),
        .vector_o      (i_vector),
        .first_o       (i_first),
        .last_o        (i_last),
        .code_bits_o   (i_code_bits),
        .ratio_o       (i_ratio),
        .index_bits_o  (i_index_bits),
        .window_steps_o(i_window_steps),
        .two_level_o   (i_two_level),
        .code_o        (unused_code),
        .rows_o        (i_rows),
        .cols_o        (i_cols),
        .steps_o       (i_steps),
        .group_o       (i_group),
        .act_o         (i_act),
        .act_stride_o  (i_act_stride),
        .slot_o        (i_slot),
        .weight_o      (i_weight),
        .index_o       (i_index),
        .scale_o       (i_scale),
        .dst_o         (i_dst),
        .dst_stride_o  (i_dst_stride)
    );

    wire        start = matrix_issue_i && !empty;
    wire        busy;
    wire        step;
    wire        slot_first;
    wire        slot_last;
    wire        vector;
    wire  [3:0] code_bits;
    wire  [3:0] ratio;
    wire  [2:0] index_bits;
    wire        two_level;
    wire [15:0] weight_chunk;
    wire  [2:0] weight_unit;
    wire [15:0] index_chunk;
    wire  [2:0] index_unit;
    wire        of_blocks;
    wire [15:0] density_row;
    wire  [2:0] phase;
    wire [17:0] integer_scale_row;
    wire [11:0] part_column;
    wire        drain_final;
    wire        drain_clear;
    wire        drain_write;
    wire  [9:0] drain_row;
    wire  [4:0] drain_rows;
    wire [11:0] drain_cols;
    wire [17:0] drain_scale_row;
    wire [11:0] drain_slot;
    wire [19:0] drain_dst;
    wire [17:0] drain_dst_stride;
    matrix_control #(
        .Rows          (Rows),
        .Columns       (Columns),
        .GemvColumns   (GemvColumns),
        .SparseColumns (SparseColumns),
        .DrainCycles   (DrainCycles)
    ) u_control (
        .clk_i              (clk_i),
        .rst_ni             (rst_ni),
        .start_i            (start),
        .vector_i           (i_vector),
        .first_i            (i_first),
        .last_i             (i_last),
        .code_bits_i        (i_code_bits),
        .ratio_i            (i_ratio),
        .index_bits_i       (i_index_bits),
        .window_steps_i     (i_window_steps),
        .two_level_i        (i_two_level),
        .rows_i             (i_rows),
        .cols_i             (i_cols),
        .steps_i            (i_steps),
        .group_i            (i_group),
        .act_i              (i_act),
        .act_stride_i       (i_act_stride),
        .slot_i             (i_slot),
        .weight_i           (i_weight),
        .index_i            (i_index),
        .scale_i            (i_scale),
        .dst_i              (i_dst),
        .dst_stride_i       (i_dst_stride),
        .ready_o            (matrix_ready_o),
        .busy_o             (busy),
        .step_o             (step),
        .slot_first_o       (slot_first),
        .slot_last_o        (slot_last),
        .vector_o           (vector),
        .code_bits_o        (code_bits),
        .ratio_o            (ratio),
        .index_bits_o       (index_bits),
        .two_level_o        (two_level),
        .weight_chunk_o     (weight_chunk),
        .weight_unit_o      (weight_unit),
        .index_chunk_o      (index_chunk),
        .index_unit_o       (index_unit),
        .of_blocks_o        (of_blocks),
        .density_row_o      (density_row),
        .phase_o            (phase),
        .integer_scale_row_o(integer_scale_row),
        .part_column_o      (part_column),
        .window_word_o      (window_word_o),
        .drain_final_o      (drain_final),
        .drain_clear_o      (drain_clear),
        .drain_write_o      (drain_write),
        .drain_row_o        (drain_row),
        .drain_rows_o       (drain_rows),
        .drain_cols_o       (drain_cols),
        .drain_scale_row_o  (drain_scale_row),
        .drain_slot_o       (drain_slot),
        .drain_dst_o        (drain_dst),
        .drain_dst_stride_o (drain_dst_stride)
    );

    wire done;
    wire waits;
    matrix_retire u_retire (
        .clk_i   (clk_i),
        .rst_ni  (rst_ni),
        .issue_i (matrix_issue_i),
        .empty_i (empty),
        .done_i  (done),
        .retire_o(matrix_retire_o),
        .waits_o (waits)
    );
    assign matrix_run_o = matrix_issue_i || waits;

    // Indices are read from the period after an issue on, if it is of N:M weights.
    reg indexed_q;
    always @(posedge clk_i) begin
        if (!rst_ni) indexed_q <= 1'b0;
        else if (matrix_issue_i && i_index_bits != 3'd0) indexed_q <= 1'b1;
        else if (!waits) indexed_q <= 1'b0;
    end
    assign matrix_index_run_o = indexed_q;

    // Steps and slots on their way: bit k - 1 belongs to stage s + k.
    reg [Accumulate-1:0] step_q;
    reg [Accumulate-1:0] first_q;
    reg [Accumulate-1:0] last_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            step_q <= {Accumulate{1'b0}};
            last_q <= {Accumulate{1'b0}};
        end else begin
            step_q <= {step_q[Accumulate-2:0], step};
            last_q <= {last_q[Accumulate-2:0], slot_last};
        end
        first_q <= {first_q[Accumulate-2:0], slot_first};
    end
    wire accumulate_step = step_q[Accumulate-1];
    wire accumulate_first = first_q[Accumulate-1];
    wire accumulate_last = last_q[Accumulate-1];

    // The data path holds still while no step is on its way: power, and simulation time.
    localparam RunBits = $clog2(Accumulate + 1);
    wire              run;
    reg               run_q;
    reg [RunBits-1:0] run_left_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            run_q <= 1'b0;
            run_left_q <= {RunBits{1'b0}};
        end else begin
            run_q <= run;
            if (start || busy) run_left_q <= Accumulate[RunBits-1:0];
            else if (run_left_q != {RunBits{1'b0}}) run_left_q <= run_left_q - {{(RunBits-1){1'b0}}, 1'b1};
        end
    end

    assign run = start || busy || run_left_q != {RunBits{1'b0}};
    assign matrix_weight_run_o = run;
    wire data_clk;
    clock_gate #(.ClockGates(ClockGates)) u_data_gate (
        .clk_i   (clk_i),
        .enable_i(run_q),
        .clk_o   (data_clk)
    );

    // What the stages must know of the step's instruction.
    wire [11:0] part_s2;
    wire [11:0] part_s3;
    wire  [2:0] weight_unit_s2;
    wire  [3:0] code_bits_s3;
    wire        two_level_s4;
    wire  [2:0] index_bits_s4;
    wire  [3:0] ratio_s4;
    wire  [2:0] index_unit_s3;
    wire        vector_s3;
    wire        of_blocks_s3;
    wire  [2:0] phase_s3;
    wire  [3:0] ratio_s3;
    wire        vector_s5;
    wire        sparse_s5;
    delay #(.Width(12 + 3), .Cycles(RamCycles)) u_delay_s2 (
        .clk_i (data_clk),
        .data_i({part_column, weight_unit}),
        .data_o({part_s2, weight_unit_s2})
    );
    delay #(.Width(12), .Cycles(1)) u_delay_part (
        .clk_i (data_clk),
        .data_i(part_s2),
        .data_o(part_s3)
    );
    delay #(.Width(4 + 3 + 1 + 1 + 3 + 4), .Cycles(RamCycles + 1)) u_delay_s3 (
        .clk_i (data_clk),
        .data_i({code_bits, index_unit, vector, of_blocks, phase, ratio}),
        .data_o({code_bits_s3, index_unit_s3, vector_s3, of_blocks_s3, phase_s3, ratio_s3})
    );
    delay #(.Width(1 + 3 + 4), .Cycles(RamCycles + 2)) u_delay_s4 (
        .clk_i (data_clk),
        .data_i({two_level, index_bits, ratio}),
        .data_o({two_level_s4, index_bits_s4, ratio_s4})
    );
    delay #(.Width(2), .Cycles(FrontCycles - ChainOperandsCycles)) u_delay_s5 (
        .clk_i (data_clk),
        .data_i({vector, index_bits != 3'd0}),
        .data_o({vector_s5, sparse_s5})
    );

    // ---- Weights ----

    wire [Channels-1:0] write_weight;
    wire [Channels-1:0] write_index;
    wire [Channels-1:0] write_density;
    wire [Channels-1:0] write_scale;
    genvar channel;
    generate
        for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_write
            wire [2:0] buffer = load_write_buffer_i[3*channel+:3];
            assign write_weight[channel] = load_write_valid_i[channel] && buffer == IsaLoadBufferWeight;
            assign write_index[channel] = load_write_valid_i[channel] && buffer == IsaLoadBufferIndex;
            assign write_density[channel] = load_write_valid_i[channel] && buffer == IsaLoadBufferDensity;
            assign write_scale[channel] = load_write_valid_i[channel] && buffer == IsaLoadBufferScale;
        end
    endgenerate

    localparam ChunkBits = 8 * Width * Chain;
    wire [ChunkBits-1:0] weights;
    weight_buffer #(
        .Channels     (Channels),
        .PortBytes    (PortBytes),
        .Width        (Width),
        .Chain        (Chain),
        .Chunks       (WeightChunks),
        .Straddle     (Straddle),
        .LineAddressBits(LineAddressBits),
        .ClockGates   (ClockGates),
        .Style        (WeightStyle)
    ) u_weight_buffer (
        .clk_i         (weight_clk_i),
        .run_i         (run),
        .write_valid_i (write_weight),
        .write_line_i  (load_write_line_i),
        .write_data_i  (load_write_data_i),
        .write_strobe_i(load_write_strobe_i),
        .chunk_i       (weight_chunk),
        .half_i        (weight_unit[2]),
        .chunk_o       (weights)
    );
    // The part's columns: piece `column` of part p is piece p * Grain + column of the chunk; behind the last one comes anything.
    localparam Parts = Width / Grain;
    localparam PartBits = Parts > 1 ? $clog2(Parts) : 1;
    wire [ChunkBits-1:0] part_weights;
    wire [PartBits-1:0] weight_part = part_s2[GrainBits+:PartBits];
    wire unused_part_bits = &{1'b0, part_s2, part_s3};

    wire [8*Width-1:0] integer_scales;
    wire [8*Width-1:0] integer_scales_s4;
    generate
        if (TwoLevel != 0) begin : gen_part_scales
            wire [8*Width-1:0] part_scales;
            rotate_words #(
                .Words(Parts),
                .Width(8 * Grain),
                .Taken(Parts)
            ) u_part_scales (
                .words_i (integer_scales),
                .offset_i(part_s3[GrainBits+:PartBits]),
                .words_o (part_scales)
            );
            reg [8*Width-1:0] integer_scales_s4_q;
            always @(posedge data_clk) if (run_q) integer_scales_s4_q <= part_scales;
            assign integer_scales_s4 = integer_scales_s4_q;
        end else begin : gen_no_part_scales
            assign integer_scales_s4 = integer_scales;
        end
    endgenerate

    wire [ChunkBits-1:0] codes;
    genvar column;
    genvar part;
    generate
        for (column = 0; column < Width; column = column + 1) begin : gen_column
            wire [8*Chain*Parts-1:0] pieces;
            for (part = 0; part < Parts; part = part + 1) begin : gen_part
                localparam Piece = column < Turned ? (part * Grain + column) % Width : column;
                assign pieces[8*Chain*part+:8*Chain] = weights[8*Chain*Piece+:8*Chain];
            end
            assign part_weights[8*Chain*column+:8*Chain] = pieces[8*Chain*weight_part+:8*Chain];
            // An integer scale has 4 bits.
            wire unused_scale_bits = &{1'b0, integer_scales_s4[8*column+4+:4]};
            weight_expander #(
                .Chain     (Chain),
                .CodeWidths(CodeWidths),
                .Straddle  (Straddle),
                .TwoLevel  (TwoLevel)
            ) u_expander (
                .clk_i          (data_clk),
                .enable_i       (run_q),
                .piece_i        (part_weights[8*Chain*column+:8*Chain]),
                .unit_i         (weight_unit_s2),
                .code_bits_i    (code_bits_s3),
                .two_level_i    (two_level_s4),
                .integer_scale_i(integer_scales_s4[8*column+:4]),
                .codes_o        (codes[8*Chain*column+:8*Chain])
            );
        end
    endgenerate

    // ---- Activations, and what a sparse step picks of them ----

    localparam WindowBits = 8 * MaxRatio * Chain;
    localparam IndexColumns = Columns > SparseColumns ? Columns : SparseColumns;
    // If `mm` and sparse `mv` take as many columns, a step's indices are a part of a chunk that begins at a multiple of
    // itself: a row of the index memory is such a part, if it has whole lines. Otherwise it is a chunk.
    localparam IndexParts = Columns == SparseColumns && SparseColumns * Chain % (Channels * PortBytes) == 0
        ? Width / SparseColumns : 1;
    localparam IndexPartBits = $clog2(IndexParts);
    localparam IndexWidth = Width / IndexParts;
    reg  [Rows*8*Chain-1:0] rows_s5_q;
    // Candidates: of each row; with an N per block, of the two rows of each group of 16 chains, whose 16 columns share density
    // bytes.
    localparam Groups = Blocks != 0 ? Chains / 16 : 1;
    localparam Sets = Blocks != 0 ? 2 * Groups : Rows;
    wire [Sets*64*Chain-1:0] candidates;
    wire     [24*Groups-1:0] blocks;
    wire [IndexColumns*4*Chain-1:0] indices;

    genvar row;
    generate
        for (row = 0; row < Rows; row = row + 1) begin : gen_row
            always @(posedge data_clk)
                if (run_q) rows_s5_q[8*Chain*row+:8*Chain] <= window_i[WindowBits*row+:8*Chain];
        end

        if (Sparse != 0) begin : gen_sparse
            for (row = 0; row < Sets; row = row + 1) begin : gen_candidates
                // Chains beyond all pairs of rows work in `mv` only, where all rows are the same.
                localparam Group = Blocks != 0 ? row / 2 : 0;
                localparam GroupPair = Group < Rows / 2 * Columns / 16 ? Group * 16 / Columns : 0;
                localparam Row = Blocks != 0 ? 2 * GroupPair + row % 2 : row;
                sparse_candidates #(
                    .Chain   (Chain),
                    .MaxRatio(MaxRatio),
                    .Single  (Single),
                    .Blocks  (Blocks)
                ) u_candidates (
                    .clk_i       (data_clk),
                    .enable_i    (run_q),
                    .window_i    (window_i[WindowBits*Row+:WindowBits]),
                    .ratio_i     (ratio_s4),
                    .index_bits_i(index_bits_s4),
                    .blocks_i    (blocks[24*Group+:24]),
                    .candidates_o(candidates[64*Chain*row+:64*Chain])
                );
            end

            wire [15+IndexPartBits:0] index_row;
            if (IndexPartBits > 0) begin : gen_part_row
                assign index_row = {index_chunk, part_column[GrainBits+:IndexPartBits]};
            end else begin : gen_chunk_row
                assign index_row = index_chunk;
            end
            // Indices are wanted one period later than weights.
            wire [15+IndexPartBits:0] index_row_s1;
            wire                      index_half_s1;
            delay #(.Width(16 + IndexPartBits + 1), .Cycles(StepAddressCycles)) u_delay_row (
                .clk_i (clk_i),
                .data_i({index_row, index_unit[2]}),
                .data_o({index_row_s1, index_half_s1})
            );
            wire [8*IndexWidth*Chain-1:0] index_chunks;
            index_buffer #(
                .Channels     (Channels),
                .PortBytes    (PortBytes),
                .Width        (IndexWidth),
                .Chain        (Chain),
                .Chunks       (IndexChunks << IndexPartBits),
                .LineAddressBits(LineAddressBits),
                .ChunkAddressBits(16 + IndexPartBits),
                .ClockGates   (ClockGates),
                .Style        (IndexStyle)
            ) u_index_buffer (
                .clk_i         (index_clk_i),
                .run_i         (run),
                .write_valid_i (write_index),
                .write_line_i  (load_write_line_i),
                .write_data_i  (load_write_data_i),
                .write_strobe_i(load_write_strobe_i),
                .chunk_i       (index_row_s1),
                .half_i        (index_half_s1),
                .chunk_o       (index_chunks)
            );
            wire [PartBits-1:0] index_part = IndexParts > 1 ? {PartBits{1'b0}} : part_s3[GrainBits+:PartBits];
            for (column = 0; column < IndexColumns; column = column + 1) begin : gen_index
                wire [8*Chain*Parts-1:0] pieces;
                for (part = 0; part < Parts; part = part + 1) begin : gen_part
                    localparam Piece = IndexParts > 1 ? column : (part * Grain + column) % Width;
                    assign pieces[8*Chain*part+:8*Chain] = index_chunks[8*Chain*Piece+:8*Chain];
                end
                index_expander #(
                    .Chain(Chain)
                ) u_expander (
                    .clk_i       (data_clk),
                    .enable_i    (run_q),
                    .piece_i     (pieces[8*Chain*index_part+:8*Chain]),
                    .unit_i      (index_unit_s3),
                    .index_bits_i(index_bits_s4),
                    .single_i    (Single != 0 && ratio_s4 == 4'd4),
                    .indices_o   (indices[4*Chain*column+:4*Chain])
                );
            end
        end else begin : gen_dense
            assign candidates = {(Sets*64*Chain){1'b0}};
            assign indices = {(IndexColumns*4*Chain){1'b0}};
            wire unused_sparse =
                &{1'b0, index_clk_i, write_index, index_chunk, index_unit_s3, index_bits_s4, ratio_s4, blocks};
        end
    endgenerate

    // ---- Density bytes: which block each pair of a step's stored weights belongs to ----

    generate
        if (Blocks != 0) begin : gen_blocks
            // A row of the buffer is a window: 8 bytes for every 16 columns of a chunk. The memory's rows are lines at least.
            localparam RowBytes = Width / 2;
            localparam LineBytes = Channels * PortBytes;
            localparam MemoryBytes = RowBytes > LineBytes ? RowBytes : LineBytes;
            localparam PlaceBits = $clog2(MemoryBytes / RowBytes);
            wire [15:0] density_row_s1;
            delay #(.Width(16), .Cycles(StepAddressCycles)) u_delay_row (
                .clk_i (clk_i),
                .data_i(density_row),
                .data_o(density_row_s1)
            );
            wire [15:0] memory_row = density_row_s1 >> PlaceBits;
            wire [8*MemoryBytes-1:0] lines;
            weight_buffer #(
                .Channels     (Channels),
                .PortBytes    (PortBytes),
                .Width        (MemoryBytes),
                .Chain        (1),
                .Chunks       (IndexChunks >> PlaceBits),
                .Straddle     (0),
                .LineAddressBits(LineAddressBits),
                .ClockGates   (ClockGates),
                .Style        (DensityStyle)
            ) u_density_buffer (
                .clk_i         (index_clk_i),
                .run_i         (run),
                .write_valid_i (write_density),
                .write_line_i  (load_write_line_i),
                .write_data_i  (load_write_data_i),
                .write_strobe_i(load_write_strobe_i),
                .chunk_i       (memory_row),
                .half_i        (1'b0),
                .chunk_o       (lines)
            );
            wire [8*RowBytes-1:0] window;
            if (PlaceBits == 0) begin : gen_row
                assign window = lines;
            end else begin : gen_place
                wire [PlaceBits-1:0] place;
                delay #(.Width(PlaceBits), .Cycles(RamCycles)) u_delay_place (
                    .clk_i (data_clk),
                    .data_i(density_row_s1[PlaceBits-1:0]),
                    .data_o(place)
                );
                assign window = lines[8*RowBytes*place+:8*RowBytes];
            end

            // The part's columns come first.
            localparam RowGroups = Width / 16;
            wire [64*RowGroups-1:0] part_window;
            for (column = 0; column < RowGroups; column = column + 1) begin : gen_group
                wire [64*Parts-1:0] pieces;
                for (part = 0; part < Parts; part = part + 1) begin : gen_part
                    localparam Piece = (part * Grain / 16 + column) % RowGroups;
                    assign pieces[64*part+:64] = window[64*Piece+:64];
                end
                wire [PartBits-1:0] density_part = part_s3[GrainBits+:PartBits];
                assign part_window[64*column+:64] = pieces[64*density_part+:64];
            end
            wire unused_part_window = &{1'b0, part_window};

            for (column = 0; column < Groups; column = column + 1) begin : gen_choice
                // As the chains have columns: in `mm` those of their pair of rows, in `mv` their own.
                localparam GroupPair = column < Rows / 2 * Columns / 16 ? column * 16 / Columns : 0;
                localparam MatrixGroup = column - GroupPair * Columns / 16;
                localparam VectorGroup = column < SparseColumns / 16 ? column : MatrixGroup;
                wire [63:0] density;
                if (VectorGroup == MatrixGroup) begin : gen_one
                    assign density = part_window[64*MatrixGroup+:64];
                end else begin : gen_both
                    assign density = vector_s3 ? part_window[64*VectorGroup+:64] : part_window[64*MatrixGroup+:64];
                end
                block_choice u_choice (
                    .clk_i      (data_clk),
                    .enable_i   (run_q),
                    .density_i  (density),
                    .phase_i    (phase_s3),
                    .of_blocks_i(of_blocks_s3),
                    .ratio_i    (ratio_s3),
                    .blocks_o   (blocks[24*column+:24])
                );
            end
            wire unused_blocks = &{1'b0, vector_s3};
        end else begin : gen_no_blocks
            assign blocks = 24'd0;
            wire unused_blocks = &{1'b0, write_density, density_row, vector_s3, of_blocks_s3, phase_s3, ratio_s3};
        end
    endgenerate

    // ---- Chains ----

    wire [64*Chains-1:0] sums;
    genvar chain;
    generate
        for (chain = 0; chain < Chains; chain = chain + 1) begin : gen_chain
            // `mm`: a pair of rows and a column; chains beyond all pairs work in `mv` only, where all rows are the same.
            localparam Pair = chain < Rows / 2 * Columns ? chain / Columns : 0;
            localparam Column = chain - Pair * Columns;
            // Dense `mv`: two columns; sparse `mv`: the column of the chain's number.
            localparam Lo = 2 * chain + 1 < GemvColumns ? 2 * chain : 0;
            localparam Hi = Lo + 1 < Width ? Lo + 1 : 0;
            localparam Own = chain < SparseColumns ? chain : Column;
            localparam LoSet = Blocks != 0 ? 2 * (chain / 16) : 2 * Pair;

            wire [8*Chain-1:0] column_codes;
            wire [4*Chain-1:0] column_indices;
            if (Own == Column) begin : gen_one
                assign column_codes = codes[8*Chain*Column+:8*Chain];
                assign column_indices = indices[4*Chain*Column+:4*Chain];
            end else begin : gen_choice
                assign column_codes = vector_s5 ? codes[8*Chain*Own+:8*Chain] : codes[8*Chain*Column+:8*Chain];
                assign column_indices =
                    vector_s5 ? indices[4*Chain*Own+:4*Chain] : indices[4*Chain*Column+:4*Chain];
            end

            wire [8*Chain-1:0] lo;
            wire [8*Chain-1:0] hi;
            wire [8*Chain-1:0] shared;
            chain_operands #(
                .Chain (Chain),
                .Sparse(Sparse)
            ) u_operands (
                .clk_i           (data_clk),
                .enable_i        (run_q),
                .vector_i        (vector_s5 && !sparse_s5),
                .lo_codes_i      (codes[8*Chain*Lo+:8*Chain]),
                .hi_codes_i      (codes[8*Chain*Hi+:8*Chain]),
                .column_codes_i  (column_codes),
                .column_indices_i(column_indices),
                .row_i           (rows_s5_q[8*Chain-1:0]),
                .lo_row_i        (rows_s5_q[8*Chain*2*Pair+:8*Chain]),
                .hi_row_i        (rows_s5_q[8*Chain*(2*Pair+1)+:8*Chain]),
                .lo_candidates_i (candidates[64*Chain*LoSet+:64*Chain]),
                .hi_candidates_i (candidates[64*Chain*(LoSet+1)+:64*Chain]),
                .lo_o            (lo),
                .hi_o            (hi),
                .shared_o        (shared)
            );
            dsp_chain #(
                .Chain(Chain)
            ) u_chain (
                .clk_i   (data_clk),
                .enable_i(run_q),
                .hi_i    (hi),
                .lo_i    (lo),
                .shared_i(shared),
                .hi_sum_o(sums[64*chain+32+:32]),
                .lo_sum_o(sums[64*chain+:32])
            );
        end
    endgenerate

    // ---- Accumulators and drain ----

    wire     [GroupBits-1:0] group;
    wire                     interleaved;
    wire                     second;
    wire [32*ScaleLanes-1:0] word;
    accumulator_bank #(
        .Chains    (Chains),
        .ScaleLanes(ScaleLanes),
        .GroupBits (GroupBits)
    ) u_accumulators (
        .clk_i        (clk_i),
        .enable_i     (run_q),
        .step_i       (accumulate_step),
        .first_i      (accumulate_first),
        .last_i       (accumulate_last),
        .sums_i       (sums),
        .group_i      (group),
        .interleaved_i(interleaved),
        .second_i     (second),
        .word_o       (word)
    );

    wire                [17:0] half_row;
    wire                [11:0] half_column;
    wire [AccumulatorBits-1:0] read_address;
    wire                [19:0] result_address;
    wire unused_result_address = &{1'b0, result_address};
    assign result_write_address_o = result_address[$clog2(ResultElements)-1:0];
    wire                       clear;
    wire [AccumulatorBits-1:0] write_address;
    wire      [ScaleLanes-1:0] write;
    drain_control #(
        .Columns        (Columns),
        .ScaleLanes     (ScaleLanes),
        .Words          (Words),
        .GroupBits      (GroupBits),
        .ColumnWordBits (ColumnWordBits),
        .AccumulatorBits(AccumulatorBits),
        .Depth          (1 << $clog2(Accumulate / DrainCycles + 2))
    ) u_drain_control (
        .clk_i           (clk_i),
        .rst_ni          (rst_ni),
        .push_i          (slot_last),
        .final_i         (drain_final),
        .clear_i         (drain_clear),
        .write_i         (drain_write),
        .vector_i        (vector),
        .dense_i         (index_bits == 3'd0),
        .row_i           (drain_row),
        .rows_i          (drain_rows),
        .cols_i          (drain_cols),
        .column_i        (part_column),
        .scale_row_i     (drain_scale_row),
        .slot_i          (drain_slot),
        .dst_i           (drain_dst),
        .dst_stride_i    (drain_dst_stride),
        .take_i          (accumulate_last),
        .group_o         (group),
        .interleaved_o   (interleaved),
        .second_o        (second),
        .half_row_o      (half_row),
        .half_column_o   (half_column),
        .read_address_o  (read_address),
        .clear_o         (clear),
        .slot_address_o  (slot_address_o),
        .write_address_o (write_address),
        .write_o         (write),
        .result_address_o(result_address),
        .result_write_o  (result_write_valid_o),
        .done_o          (done)
    );

    wire [16*ScaleLanes-1:0] half_scales;
    scale_buffer #(
        .Channels     (Channels),
        .PortBytes    (PortBytes),
        .Width        (Width),
        .ScaleLanes   (ScaleLanes),
        .ScaleRows    (ScaleRows),
        .TwoLevel     (TwoLevel),
        .LineAddressBits(LineAddressBits),
        .Style        (ScaleStyle)
    ) u_scale_buffer (
        .clk_i           (scale_clk_i),
        .write_valid_i   (write_scale),
        .write_line_i    (load_write_line_i),
        .write_data_i    (load_write_data_i),
        .write_strobe_i  (load_write_strobe_i),
        .integer_row_i   (integer_scale_row),
        .integer_scales_o(integer_scales),
        .half_row_i      (half_row),
        .half_column_i   (half_column),
        .half_scales_o   (half_scales)
    );

    genvar lane;
    generate
        for (lane = 0; lane < ScaleLanes; lane = lane + 1) begin : gen_lane
            drain_lane #(
                .AccumulatorBits(AccumulatorBits),
                .Accumulators   (AccumulatorRows << ColumnWordBits),
                .Luts           ((LutMultipliers & LutScales) != 0)
            ) u_lane (
                .clk_i          (clk_i),
                .sum_i          (word[32*lane+:32]),
                .half_scale_i   (half_scales[16*lane+:16]),
                .read_address_i (read_address),
                .clear_i        (clear),
                .write_i        (write[lane]),
                .write_address_i(write_address),
                .row_scale_i    (slot_i),
                .result_o       (result_write_data_o[32*lane+:32])
            );
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Blocks != 0 && (Chain != 16 || Columns % 16 != 0 || GemvColumns % 16 != 0 || IndexChunks == 0)) begin
        $display("matrix_unit: Chain %0d, Columns %0d, GemvColumns %0d, IndexChunks %0d: expected 16, multiples of 16, and",
                 Chain, Columns, GemvColumns, IndexChunks);
        $display("matrix_unit: indices, for an N per block");
        $finish;
    end
    initial if (Rows % 2 != 0 || ScaleLanes > Columns || ScaleLanes > SparseColumns || Width < 2) begin
        $display("matrix_unit: Rows %0d, Columns %0d, GemvColumns %0d, ScaleLanes %0d: expected even Rows, and at most",
                 Rows, Columns, GemvColumns, ScaleLanes);
        $display("matrix_unit: Columns, GemvColumns and the chains %0d as ScaleLanes", Chains);
        $finish;
    end
`endif
endmodule
