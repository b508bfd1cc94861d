// The matrix unit of a bit-serial array: `mm` and `mv` on processing elements, with the buffers of weights and group scales.
//
// Period t: issue. Periods t + 1 .. t + occupancy: one term of `Dot` weights of every column each while a slot has some. A
// period s:
//   s      weight and scale addresses             s + 1  activation addresses
//   s + 2  pieces: the codes of the place cut out s + 3  those of the part's columns, parted
//   s + 4  codes; activation windows; selectors   s + 5  terms and factors: operands of the elements
//   s + 5 + latency of serial_element  the sums of a slot that ends with this period stand still
// There they are multiplied by their integer scales for ScaleBits periods, and then drained, a word of `ScaleLanes` columns a
// period; a result is written 22 periods after its word is taken. The instruction retires in the period after that of the last
// word of a whole set: t + occupancy + 5 + latency of serial_element + ScaleBits + Elements / ScaleLanes + 22.
//
// `matrix_ready_o` and `matrix_retire_o` follow from registers only. Results of columns and rows that an instruction does not
// have are not written. Does not check legality, and does not order itself with other units: waits do.
module serial_unit #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Chain = 16,
    parameter Dot = 4,
    parameter Rows = 4,
    parameter Columns = 16,
    parameter GemvColumns = 32,
    parameter ScaleLanes = 4,
    parameter AccumulatorRows = 32,
    parameter WeightChunks = 128,
    parameter ScaleRows = 256,
    parameter ResultElements = 16384,
    // Activation words of a window: those of a step.
    parameter MaxRatio = 2,
    // Bit i: the i-th Code of the instruction set occurs.
    parameter Codes = 8191,
    parameter ClockGates = 0,
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0,
    parameter LineAddressBits = 11,
    // What the memories are built from, as `ram_sdp` names it.
    parameter WeightStyle = "block",
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
    // An instruction is issued or has not retired; weights are read; indices are never read.
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
    localparam Elements = Rows * Columns > GemvColumns ? Rows * Columns : GemvColumns;
    localparam Words = Elements / ScaleLanes;
    localparam LeastSlot = ScaleBits + Words;
    localparam PlaceBits = Chain > Dot ? $clog2(Chain / Dot) : 1;
    localparam PlacesLog2 = $clog2(Chain / Dot);
    localparam CodeBits = Codes[{1'b0, IsaCodeF16}] ? 16 : 8;
    // Strips of `Dot` bits: of a step's two pieces, and fours of them in the window that serial_piece cuts out.
    localparam StripBits = PlacesLog2 + 5;
    localparam FourBits = PlacesLog2 + 2;
    localparam Fours = CodeBits == 16 ? 4 : 3;
    localparam TermBits = Codes[{1'b0, IsaCodeF16}] ? 6 : 4;
    // A step of a width that does not divide 8 begins in one chunk and ends in the next, or has two.
    localparam Straddle = Codes[{1'b0, IsaCodeInt3}] || Codes[{1'b0, IsaCodeInt5}] || Codes[{1'b0, IsaCodeInt6}] || Codes[{1'b0, IsaCodeInt7}]
        || Codes[{1'b0, IsaCodeFp3}] || Codes[{1'b0, IsaCodeFp6E2m3}] || Codes[{1'b0, IsaCodeFp6E3m2}] || Codes[{1'b0, IsaCodeF16}] ? 1 : 0;

    // Latency of serial_element, and the stages behind a period: sums stand still; sums are drained.
    localparam TreeCycles = ($clog2(Dot) + 1) / 2;
    localparam ElementCycles = 7 + 2 * TreeCycles;
    localparam Multiply = SerialFrontCycles + ElementCycles;
    localparam Drain = Multiply + ScaleBits;

    localparam ColumnWordBits = Width > ScaleLanes ? $clog2(Width / ScaleLanes) : 1;
    localparam AccumulatorBits = $clog2(AccumulatorRows) + ColumnWordBits;
    localparam WordBits = Words > 1 ? $clog2(Words) : 1;

    // Every part of columns begins at a multiple of `Grain`.
    localparam Grain = Columns < GemvColumns ? Columns : GemvColumns;
    localparam GrainBits = $clog2(Grain);
    localparam Parts = Width / Grain;
    localparam PartBits = Parts > 1 ? $clog2(Parts) : 1;

    // ---- Issue and periods ----

    wire        empty;
    wire        i_vector;
    wire        i_first;
    wire        i_last;
    wire  [3:0] unused_code_bits;
    wire  [3:0] unused_ratio;
    wire  [2:0] unused_index_bits;
    wire  [2:0] unused_window_steps;
    wire        i_two_level;
    wire  [3:0] i_kind;
    wire  [9:0] i_rows;
    wire [11:0] i_cols;
    wire [15:0] i_steps;
    wire [15:0] i_group;
    wire [19:0] i_act;
    wire [11:0] i_act_stride;
    wire [11:0] i_slot;
    wire [15:0] i_weight;
    wire [15:0] unused_index;
    wire [17:0] i_scale;
    wire [19:0] i_dst;
    wire [17:0] i_dst_stride;
    matrix_decode u_decode (
        .word_i        (matrix_word_i),
        .rows_value_i  (matrix_value_a_i),
        .extent_value_i(matrix_value_b_i),
        .empty_o       (empty),
        .vector_o      (i_vector),
        .first_o       (i_first),
        .last_o        (i_last),
        .code_bits_o   (unused_code_bits),
        .ratio_o       (unused_ratio),
        .index_bits_o  (unused_index_bits),
        .window_steps_o(unused_window_steps),
        .two_level_o   (i_two_level),
        .code_o        (i_kind),
        .rows_o        (i_rows),
        .cols_o        (i_cols),
        .steps_o       (i_steps),
        .group_o       (i_group),
        .act_o         (i_act),
        .act_stride_o  (i_act_stride),
        .slot_o        (i_slot),
        .weight_o      (i_weight),
        .index_o       (unused_index),
        .scale_o       (i_scale),
        .dst_o         (i_dst),
        .dst_stride_o  (i_dst_stride)
    );
    wire [4:0] i_code_bits;
    wire [2:0] i_terms;
    wire       i_special;
    wire [5:0] unused_unit;
    serial_code u_code (
        .kind_i   (i_kind),
        .bits_o   (i_code_bits),
        .terms_o  (i_terms),
        .special_o(i_special),
        .unit_o   (unused_unit)
    );

    wire                 start = matrix_issue_i && !empty;
    wire                 busy;
    wire                 step;
    wire                 slot_first;
    wire                 slot_last;
    wire                 vector;
    wire           [3:0] kind;
    wire           [4:0] code_bits;
    wire           [2:0] digit;
    wire [PlaceBits-1:0] place;
    wire          [15:0] weight_chunk;
    wire           [2:0] weight_unit;
    wire          [17:0] scale_row;
    wire           [1:0] selector_place;
    wire                 special;
    wire                 two_level;
    wire          [11:0] part_column;
    wire                 drain_final;
    wire                 drain_clear;
    wire                 drain_write;
    wire           [9:0] drain_row;
    wire           [4:0] drain_rows;
    wire          [11:0] drain_cols;
    wire          [17:0] drain_scale_row;
    wire          [11:0] drain_slot;
    wire          [19:0] drain_dst;
    wire          [17:0] drain_dst_stride;
    serial_control #(
        .Chain      (Chain),
        .Dot        (Dot),
        .Rows       (Rows),
        .Columns    (Columns),
        .GemvColumns(GemvColumns),
        .LeastSlot  (LeastSlot),
        .PlaceBits  (PlaceBits)
    ) u_control (
        .clk_i             (clk_i),
        .rst_ni            (rst_ni),
        .start_i           (start),
        .vector_i          (i_vector),
        .first_i           (i_first),
        .last_i            (i_last),
        .kind_i            (i_kind),
        .code_bits_i       (i_code_bits),
        .terms_i           (i_terms),
        .special_i         (i_special),
        .two_level_i       (i_two_level),
        .rows_i            (i_rows),
        .cols_i            (i_cols),
        .steps_i           (i_steps),
        .group_i           (i_group),
        .act_i             (i_act),
        .act_stride_i      (i_act_stride),
        .slot_i            (i_slot),
        .weight_i          (i_weight),
        .scale_i           (i_scale),
        .dst_i             (i_dst),
        .dst_stride_i      (i_dst_stride),
        .ready_o           (matrix_ready_o),
        .busy_o            (busy),
        .step_o            (step),
        .slot_first_o      (slot_first),
        .slot_last_o       (slot_last),
        .vector_o          (vector),
        .kind_o            (kind),
        .code_bits_o       (code_bits),
        .digit_o           (digit),
        .place_o           (place),
        .weight_chunk_o    (weight_chunk),
        .weight_unit_o     (weight_unit),
        .scale_row_o       (scale_row),
        .selector_o        (selector_place),
        .special_o         (special),
        .two_level_o       (two_level),
        .part_column_o     (part_column),
        .window_word_o     (window_word_o),
        .drain_final_o     (drain_final),
        .drain_clear_o     (drain_clear),
        .drain_write_o     (drain_write),
        .drain_row_o       (drain_row),
        .drain_rows_o      (drain_rows),
        .drain_cols_o      (drain_cols),
        .drain_scale_row_o (drain_scale_row),
        .drain_slot_o      (drain_slot),
        .drain_dst_o       (drain_dst),
        .drain_dst_stride_o(drain_dst_stride)
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
    assign matrix_index_run_o = 1'b0;

    // Periods and ends of slots on their way: bit k - 1 belongs to stage s + k.
    reg [SerialFrontCycles-1:0] step_q;
    reg [SerialFrontCycles-1:0] first_q;
    reg             [Drain-1:0] last_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            step_q <= {SerialFrontCycles{1'b0}};
            last_q <= {Drain{1'b0}};
        end else begin
            step_q <= {step_q[SerialFrontCycles-2:0], step};
            last_q <= {last_q[Drain-2:0], slot_last};
        end
        first_q <= {first_q[SerialFrontCycles-2:0], slot_first};
    end

    // The data path holds still while nothing is on its way: power, and simulation time.
    localparam RunBits = $clog2(Drain + 2);
    localparam [RunBits-1:0] RunPeriods = Drain[RunBits-1:0] + 1'b1;
    wire              run;
    reg               run_q;
    reg [RunBits-1:0] run_left_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            run_q <= 1'b0;
            run_left_q <= {RunBits{1'b0}};
        end else begin
            run_q <= run;
            if (start || busy) run_left_q <= RunPeriods;
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

    // Where the place begins in its piece, in strips of `Dot` bits, `Chain / Dot` of them an eighth (serial_piece).
    wire [StripBits-1:0] place_strips = {{(StripBits-PlaceBits){1'b0}}, place} * {{(StripBits-5){1'b0}}, code_bits};
    wire [StripBits-1:0] strip = ({{(StripBits-3){1'b0}}, weight_unit} << PlacesLog2) + place_strips;
    wire unused_strip = &{1'b0, strip};

    // What the stages must know of the period.
    wire [FourBits-1:0] four_s2;
    wire  [1:0] strip_s3;
    wire  [4:0] code_bits_s3;
    wire  [3:0] kind_s4;
    wire  [2:0] digit_s4;
    wire [PlaceBits-1:0] place_s4;
    wire        vector_s5;
    delay #(.Width(FourBits), .Cycles(RamCycles)) u_delay_s2 (
        .clk_i (data_clk),
        .data_i(strip[2+:FourBits]),
        .data_o(four_s2)
    );
    delay #(.Width(2 + 5), .Cycles(RamCycles + 1)) u_delay_s3 (
        .clk_i (data_clk),
        .data_i({strip[1:0], code_bits}),
        .data_o({strip_s3, code_bits_s3})
    );
    delay #(.Width(4 + 3 + PlaceBits), .Cycles(RamCycles + 2)) u_delay_s4 (
        .clk_i (data_clk),
        .data_i({kind, digit, place}),
        .data_o({kind_s4, digit_s4, place_s4})
    );
    delay #(.Width(1), .Cycles(SerialFrontCycles)) u_delay_s5 (
        .clk_i (data_clk),
        .data_i(vector),
        .data_o(vector_s5)
    );

    // ---- Buffers ----

    wire [Channels-1:0] write_weight;
    wire [Channels-1:0] write_scale;
    genvar channel;
    generate
        for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_write
            wire [2:0] buffer = load_write_buffer_i[3*channel+:3];
            assign write_weight[channel] = load_write_valid_i[channel] && buffer == IsaLoadBufferWeight;
            assign write_scale[channel] = load_write_valid_i[channel] && buffer == IsaLoadBufferScale;
        end
    endgenerate

    localparam ChunkBits = 8 * Width * Chain;
    wire [ChunkBits-1:0] weight_low;
    wire [ChunkBits-1:0] weight_high;
    generate
        if (Straddle != 0) begin : gen_pairs
            weight_pairs #(
                .Channels       (Channels),
                .PortBytes      (PortBytes),
                .Width          (Width),
                .Chain          (Chain),
                .Chunks         (WeightChunks),
                .LineAddressBits(LineAddressBits),
                .ClockGates     (ClockGates),
                .Style          (WeightStyle)
            ) u_weight_pairs (
                .clk_i         (weight_clk_i),
                .run_i         (run),
                .write_valid_i (write_weight),
                .write_line_i  (load_write_line_i),
                .write_data_i  (load_write_data_i),
                .write_strobe_i(load_write_strobe_i),
                .chunk_i       (weight_chunk),
                .low_o         (weight_low),
                .high_o        (weight_high)
            );
        end else begin : gen_chunks
            weight_buffer #(
                .Channels       (Channels),
                .PortBytes      (PortBytes),
                .Width          (Width),
                .Chain          (Chain),
                .Chunks         (WeightChunks),
                .Straddle       (0),
                .LineAddressBits(LineAddressBits),
                .ClockGates     (ClockGates),
                .Style          (WeightStyle)
            ) u_weight_buffer (
                .clk_i         (weight_clk_i),
                .run_i         (run),
                .write_valid_i (write_weight),
                .write_line_i  (load_write_line_i),
                .write_data_i  (load_write_data_i),
                .write_strobe_i(load_write_strobe_i),
                .chunk_i       (weight_chunk),
                .half_i        (1'b0),
                .chunk_o       (weight_low)
            );
            assign weight_high = {ChunkBits{1'b0}};
        end
    endgenerate

    wire      [8*Width-1:0] scale_bytes;
    wire             [17:0] half_row;
    wire             [11:0] half_column;
    wire [16*ScaleLanes-1:0] half_scales;
    scale_buffer #(
        .Channels     (Channels),
        .PortBytes    (PortBytes),
        .Width        (Width),
        .ScaleLanes   (ScaleLanes),
        .ScaleRows    (ScaleRows),
        .LineAddressBits(LineAddressBits),
        .Style        (ScaleStyle)
    ) u_scale_buffer (
        .clk_i           (scale_clk_i),
        .write_valid_i   (write_scale),
        .write_line_i    (load_write_line_i),
        .write_data_i    (load_write_data_i),
        .write_strobe_i  (load_write_strobe_i),
        .integer_row_i   (scale_row),
        .integer_scales_o(scale_bytes),
        .half_row_i      (half_row),
        .half_column_i   (half_column),
        .half_scales_o   (half_scales)
    );

    // ---- Selectors and integer scales of the slot: the row of its first period, and that of its second ----

    // The part's columns come first.
    wire [PartBits-1:0] part_s3;
    delay #(.Width(PartBits), .Cycles(BufferReadCycles)) u_delay_part (
        .clk_i (data_clk),
        .data_i(part_column[GrainBits+:PartBits]),
        .data_o(part_s3)
    );
    wire [8*Width-1:0] part_bytes;
    rotate_words #(
        .Words(Parts),
        .Width(8 * Grain),
        .Taken(Parts)
    ) u_part_bytes (
        .words_i (scale_bytes),
        .offset_i(part_s3),
        .words_o (part_bytes)
    );
    wire       first_s3;
    wire [1:0] selector_s3;
    wire       special_s3;
    wire       two_level_s3;
    delay #(.Width(1 + 2 + 1 + 1), .Cycles(BufferReadCycles)) u_delay_slot (
        .clk_i (data_clk),
        .data_i({slot_first, selector_place, special, two_level}),
        .data_o({first_s3, selector_s3, special_s3, two_level_s3})
    );
    reg              second_s3_q;
    reg [2*Width-1:0] selectors_q;
    reg [8*Width-1:0] integers_q;
    integer column_number;
    always @(posedge data_clk) begin
        if (run_q) begin
            second_s3_q <= first_s3;
            for (column_number = 0; column_number < Width; column_number = column_number + 1) begin
                if (first_s3)
                    selectors_q[2*column_number+:2] <=
                        special_s3 ? part_bytes[8*column_number+2*selector_s3+:2] : 2'd0;
                if (second_s3_q)
                    integers_q[8*column_number+:8] <= two_level_s3 ? part_bytes[8*column_number+:8] : 8'd1;
            end
        end
    end
    // A slot's integers stand in `integers_q` when it ends, and wait beside its sums.
    wire [8*Width-1:0] integers_late;
    delay #(.Width(8 * Width), .Cycles(Multiply - 1)) u_delay_integers (
        .clk_i (data_clk),
        .data_i(integers_q),
        .data_o(integers_late)
    );
    localparam MultiplyBits = $clog2(ScaleBits + 1);
    localparam [MultiplyBits-1:0] AllBits = ScaleBits[MultiplyBits-1:0];
    reg [MultiplyBits-1:0] bits_left_q;
    reg      [8*Width-1:0] shifted_q;
    wire                   begin_next = last_q[Multiply-2];
    integer scale_number;
    always @(posedge clk_i) begin
        if (!rst_ni) bits_left_q <= {MultiplyBits{1'b0}};
        else if (begin_next) bits_left_q <= AllBits;
        else if (bits_left_q != {MultiplyBits{1'b0}}) bits_left_q <= bits_left_q - {{(MultiplyBits-1){1'b0}}, 1'b1};
    end
    always @(posedge data_clk) begin
        if (run_q) begin
            for (scale_number = 0; scale_number < Width; scale_number = scale_number + 1)
                shifted_q[8*scale_number+:8] <= begin_next ? integers_late[8*scale_number+:8]
                    : {shifted_q[8*scale_number+:7], 1'b0};
        end
    end
    wire multiply = bits_left_q != {MultiplyBits{1'b0}};
    wire multiply_begin = bits_left_q == AllBits;

    // Which mode the slot that is multiplied belongs to.
    wire vector_late;
    delay #(.Width(1), .Cycles(Multiply - 1)) u_delay_vector (
        .clk_i (data_clk),
        .data_i(vector),
        .data_o(vector_late)
    );
    reg vector_multiply_q;
    always @(posedge data_clk) if (run_q && begin_next) vector_multiply_q <= vector_late;

    // ---- Columns: codes of the place, terms ----

    wire [4*Dot*Fours*Width-1:0] windows;
    wire          [Dot*Width-1:0] terms;
    wire          [Dot*Width-1:0] negatives;
    wire [TermBits*Dot*Width-1:0] exponents;
    genvar column;
    genvar part;
    generate
        for (column = 0; column < Width; column = column + 1) begin : gen_column
            serial_piece #(
                .Chain   (Chain),
                .Dot     (Dot),
                .Straddle(Straddle),
                .CodeBits(CodeBits)
            ) u_piece (
                .clk_i   (data_clk),
                .enable_i(run_q),
                .low_i   (weight_low[8*Chain*column+:8*Chain]),
                .high_i  (weight_high[8*Chain*column+:8*Chain]),
                .four_i  (four_s2),
                .window_o(windows[4*Dot*Fours*column+:4*Dot*Fours])
            );
            // The part's columns come first.
            wire [4*Dot*Fours-1:0] window;
            if (Parts == 1) begin : gen_one
                assign window = windows[4*Dot*Fours*column+:4*Dot*Fours];
            end else begin : gen_parts
                wire [4*Dot*Fours*Parts-1:0] choices;
                for (part = 0; part < Parts; part = part + 1) begin : gen_part
                    localparam Piece = (part * Grain + column) % Width;
                    assign choices[4*Dot*Fours*part+:4*Dot*Fours] = windows[4*Dot*Fours*Piece+:4*Dot*Fours];
                end
                assign window = choices[4*Dot*Fours*part_s3+:4*Dot*Fours];
            end
            serial_column #(
                .Dot     (Dot),
                .Codes   (Codes),
                .CodeBits(CodeBits),
                .TermBits(TermBits)
            ) u_column (
                .clk_i     (data_clk),
                .enable_i  (run_q),
                .window_i  (window),
                .strip_i   (strip_s3),
                .bits_i    (code_bits_s3),
                .kind_i    (kind_s4),
                .digit_i   (digit_s4),
                .selector_i(selectors_q[2*column+:2]),
                .term_o    (terms[Dot*column+:Dot]),
                .negative_o(negatives[Dot*column+:Dot]),
                .exponent_o(exponents[TermBits*Dot*column+:TermBits*Dot])
            );
        end
    endgenerate

    // ---- Rows: factors ----

    wire    [Dot*Rows-1:0] row_negatives;
    wire  [5*Dot*Rows-1:0] row_exponents;
    wire [11*Dot*Rows-1:0] row_significands;
    wire        [Rows-1:0] row_finite;
    genvar row;
    generate
        for (row = 0; row < Rows; row = row + 1) begin : gen_row
            serial_factors #(
                .Chain    (Chain),
                .Dot      (Dot),
                .PlaceBits(PlaceBits)
            ) u_factors (
                .clk_i        (data_clk),
                .enable_i     (run_q),
                .step_i       (window_i[8*MaxRatio*Chain*row+:16*Chain]),
                .place_i      (place_s4),
                .negative_o   (row_negatives[Dot*row+:Dot]),
                .exponent_o   (row_exponents[5*Dot*row+:5*Dot]),
                .significand_o(row_significands[11*Dot*row+:11*Dot]),
                .finite_o     (row_finite[row])
            );
        end
    endgenerate

    // ---- Elements ----

    // Of each element: its product, the exponent, whether it is a number; 64 bits, so that a word of the drain is a multiplexer.
    wire [64*Elements-1:0] sums;
    genvar element;
    generate
        for (element = 0; element < Elements; element = element + 1) begin : gen_element
            // `mm`: a row and a column; those beyond all rows work in `mv` only, where all rows are the same.
            localparam Row = element < Rows * Columns ? element / Columns : 0;
            localparam Column = element < Rows * Columns ? element % Columns : element;
            // `mv`: the column of the element's number.
            localparam Own = element < GemvColumns ? element : Column;
            wire          [Dot-1:0] term;
            wire          [Dot-1:0] negative;
            wire [TermBits*Dot-1:0] exponent;
            wire              [7:0] scale;
            if (Own == Column) begin : gen_one
                assign term = terms[Dot*Column+:Dot];
                assign negative = negatives[Dot*Column+:Dot];
                assign exponent = exponents[TermBits*Dot*Column+:TermBits*Dot];
                assign scale = shifted_q[8*Column+:8];
            end else begin : gen_choice
                assign term = vector_s5 ? terms[Dot*Own+:Dot] : terms[Dot*Column+:Dot];
                assign negative = vector_s5 ? negatives[Dot*Own+:Dot] : negatives[Dot*Column+:Dot];
                assign exponent = vector_s5 ? exponents[TermBits*Dot*Own+:TermBits*Dot]
                    : exponents[TermBits*Dot*Column+:TermBits*Dot];
                assign scale = vector_multiply_q ? shifted_q[8*Own+:8] : shifted_q[8*Column+:8];
            end
            wire unused_scale = &{1'b0, scale[6:0]};
            serial_element #(
                .Dot     (Dot),
                .TermBits(TermBits)
            ) u_element (
                .clk_i          (data_clk),
                .enable_i       (run_q),
                .step_i         (step_q[SerialFrontCycles-1]),
                .first_i        (first_q[SerialFrontCycles-1]),
                .last_i         (last_q[SerialFrontCycles-1]),
                .negative_i     (row_negatives[Dot*Row+:Dot]),
                .exponent_i     (row_exponents[5*Dot*Row+:5*Dot]),
                .significand_i  (row_significands[11*Dot*Row+:11*Dot]),
                .finite_i       (row_finite[Row]),
                .term_i         (term),
                .term_negative_i(negative),
                .term_exponent_i(exponent),
                .begin_i        (multiply_begin),
                .multiply_i     (multiply),
                .scale_bit_i    (scale[7]),
                .product_o      (sums[64*element+:40]),
                .exponent_o     (sums[64*element+40+:7]),
                .finite_o       (sums[64*element+47])
            );
            assign sums[64*element+48+:16] = 16'd0;
        end
    endgenerate
    // ---- Drain: a word of neighbouring elements a period; what the element is of follows from the drain's order ----

    wire take = last_q[Drain-2];
    reg  [WordBits-1:0] word_q;
    always @(posedge clk_i) begin
        if (take) word_q <= {WordBits{1'b0}};
        else word_q <= word_q + {{(WordBits-1){1'b0}}, 1'b1};
    end
    wire [5:0] unit;
    wire [4:0] unused_drained_bits;
    wire [2:0] unused_drained_terms;
    wire       unused_drained_special;
    wire [3:0] kind_late;
    reg  [3:0] kind_drained;
    serial_code u_drained_code (
        .kind_i   (kind_drained),
        .bits_o   (unused_drained_bits),
        .terms_o  (unused_drained_terms),
        .special_o(unused_drained_special),
        .unit_o   (unit)
    );
    delay #(.Width(4), .Cycles(Drain - 1)) u_delay_kind (
        .clk_i (data_clk),
        .data_i(kind),
        .data_o(kind_late)
    );
    always @(posedge clk_i) if (take) kind_drained <= kind_late;

    reg [48*ScaleLanes-1:0] group_q;
    reg               [5:0] group_unit_q;
    reg [48*ScaleLanes-1:0] drained_q;
    reg               [5:0] drained_unit_q;
    wire [64*ScaleLanes-1:0] word = sums[64*ScaleLanes*word_q+:64*ScaleLanes];
    wire unused_padding = &{1'b0, word};
    integer lane_number;
    always @(posedge clk_i) begin
        for (lane_number = 0; lane_number < ScaleLanes; lane_number = lane_number + 1)
            group_q[48*lane_number+:48] <= word[64*lane_number+:48];
        group_unit_q <= unit;
        drained_q <= group_q;
        drained_unit_q <= group_unit_q;
    end

    localparam GroupBits = $clog2(Words + 1);
    wire       [GroupBits-1:0] unused_group;
    wire                      unused_interleaved;
    wire                      unused_second;
    wire [AccumulatorBits-1:0] read_address;
    wire                [19:0] result_address;
    wire                       clear;
    wire [AccumulatorBits-1:0] write_address;
    wire      [ScaleLanes-1:0] write;
    assign result_write_address_o = result_address[$clog2(ResultElements)-1:0];
    drain_control #(
        .Columns        (Columns),
        .ScaleLanes     (ScaleLanes),
        .Words          (Words),
        .GroupBits      (GroupBits),
        .ColumnWordBits (ColumnWordBits),
        .AccumulatorBits(AccumulatorBits),
        .Depth          (1 << $clog2(Drain / LeastSlot + 2))
    ) u_drain_control (
        .clk_i           (clk_i),
        .rst_ni          (rst_ni),
        .push_i          (slot_last),
        .final_i         (drain_final),
        .clear_i         (drain_clear),
        .write_i         (drain_write),
        .vector_i        (vector),
        .dense_i         (1'b1),
        .row_i           (drain_row),
        .rows_i          (drain_rows),
        .cols_i          (drain_cols),
        .column_i        (part_column),
        .scale_row_i     (drain_scale_row),
        .slot_i          (drain_slot),
        .dst_i           (drain_dst),
        .dst_stride_i    (drain_dst_stride),
        .take_i          (take),
        .group_o         (unused_group),
        .interleaved_o   (unused_interleaved),
        .second_o        (unused_second),
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

    genvar lane;
    generate
        for (lane = 0; lane < ScaleLanes; lane = lane + 1) begin : gen_lane
            wire [31:0] sum;
            product_to_fp32 u_convert (
                .clk_i     (clk_i),
                .product_i (drained_q[48*lane+:40]),
                .exponent_i(drained_q[48*lane+40+:7]),
                .unit_i    (drained_unit_q),
                .finite_i  (drained_q[48*lane+47]),
                .y_o       (sum)
            );
            drain_lane #(
                .AccumulatorBits(AccumulatorBits),
                .Accumulators   (AccumulatorRows << ColumnWordBits),
                .Converted      (1),
                .Luts           ((LutMultipliers & LutScales) != 0)
            ) u_lane (
                .clk_i          (clk_i),
                .sum_i          (sum),
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

    wire unused =
        &{1'b0, index_clk_i, vector_s5, vector_multiply_q, unused_code_bits, unused_ratio, unused_index_bits,
          unused_window_steps, unused_index, unused_unit, unused_group, unused_interleaved, unused_second, result_address,
          unused_drained_bits, unused_drained_terms, unused_drained_special, row_finite};

`ifndef SYNTHESIS
    initial if (MaxRatio < 2 || ScaleLanes > Grain || Width < 2) begin
        $display("serial_unit: MaxRatio %0d, ScaleLanes %0d: expected 2 words of a step, at most %0d lanes", MaxRatio,
                 ScaleLanes, Grain);
        $finish;
    end
`endif
endmodule
