// The vector unit: one operation at a time, pass by pass over all rows (docs/src/rtl.md, "Vector unit").
//
// Issue in period t; the row starts are computed in t + 1 and t + 2; the first address of operand a is presented in
// t + 3; its elements arrive from their buffer in t + 6 and are in the operand registers in t + 7, one beat of `Lanes`
// elements a period. What happens how many periods after an address is in vector_passes.v. The operation retires in
// the period in which its last result is written; an empty one in t + 1.
//
// Operand b and the scalars of the rows are read late, just when the lanes want them, by streams of their own that follow
// tags of the beats: so nothing but operand a is ever delayed.
//
// A `share` waits for all cores when its extents are known, and is then a copy whose beats pass the link between operand
// and result registers; `vector_share` knows whose beat each is. With `Cores` = 1 there is no link.
//
// Ready is a function of registers. Registered: addresses, results and the addresses they go to. It checks nothing:
// a program that breaks a rule of hw_config::program gets anything.
module vector_unit #(
    parameter Lanes = 8,
    parameter Chain = 16,
    parameter Cores = 1,
    parameter LinkCycles = 0,           // periods of a way over the link
    parameter ClockGates = 0,
    // 1: activations in f16 too.
    parameter HalfActivations = 0,
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0,
    parameter WriteWords = (1 + HalfActivations) * (Lanes > Chain ? Lanes / Chain : 1)
) (
    input  wire                          clk_i,
    input  wire                          rst_ni,

    output wire                          vector_ready_o,
    input  wire                          vector_issue_i,
    input  wire                  [255:0] vector_word_i,
    input  wire                   [31:0] vector_value_a_i,
    input  wire                   [31:0] vector_value_b_i,
    input  wire                   [31:0] vector_value_c_i,
    output wire                          vector_retire_o,
    // An instruction is issued or under way.
    output wire                          vector_run_o,

    output wire                          topk_write_o,
    output wire                    [2:0] topk_number_o,
    output wire                   [31:0] topk_value_o,

    // Operand a and operand b: one element address each for all buffers, data three periods later.
    output wire                   [19:0] a_address_o,
    output wire                          a_half_o,
    input  wire           [32*Lanes-1:0] a_parameter_i,
    input  wire           [32*Lanes-1:0] a_result_i,
    input  wire           [32*Lanes-1:0] a_vector_i,
    output wire                   [19:0] b_address_o,
    output wire                          b_half_o,
    input  wire           [32*Lanes-1:0] b_parameter_i,
    input  wire           [32*Lanes-1:0] b_result_i,
    input  wire           [32*Lanes-1:0] b_vector_i,

    output wire              [Lanes-1:0] vector_write_valid_o,
    output wire                   [19:0] vector_write_address_o,
    output wire           [32*Lanes-1:0] vector_write_data_o,

    output wire                          activation_write_valid_o,
    output wire                   [19:0] activation_write_word_o,
    output wire [8*Chain*WriteWords-1:0] activation_write_data_o,
    output wire   [Chain*WriteWords-1:0] activation_write_strobe_o,
    output wire                          slot_write_valid_o,
    output wire                   [11:0] slot_write_address_o,
    output wire                   [31:0] slot_write_value_o,

    // The link: this core has come to a share, all have; its beats, and those of all.
    input  wire                    [3:0] link_core_i,
    output wire                          link_here_o,
    input  wire                          link_met_i,
    output wire                          link_valid_o,
    output wire           [32*Lanes-1:0] link_data_o,
    input  wire           [32*Lanes-1:0] link_data_i
);
    `include "isa.vh"
    `include "constants.vh"

    // States: collect (t + 1), begin (t + 2), then passes: run (an address a period) and wait. Between collect and begin a
    // share meets those of the other cores.
    localparam [2:0] Idle = 0;
    localparam [2:0] Collect = 1;
    localparam [2:0] Begin = 2;
    localparam [2:0] Run = 3;
    localparam [2:0] Wait = 4;
    localparam [2:0] Meet = 5;
    reg  [2:0] state_q;

    // ---- The instruction and its run-time values, held while it runs.
    reg [255:0] word_q;
    reg  [31:0] value_a_q;
    reg  [31:0] value_b_q;
    reg  [31:0] value_c_q;
    always @(posedge clk_i) begin
        if (vector_issue_i) begin
            word_q <= vector_word_i;
            value_a_q <= vector_value_a_i;
            value_b_q <= vector_value_b_i;
            value_c_q <= vector_value_c_i;
        end
    end

    wire  [4:0] op;
    wire  [2:0] a_buffer;
    wire [19:0] a_base;
    wire [15:0] a_stride;
    wire  [3:0] a_reg;
    wire  [2:0] b_buffer;
    wire [19:0] b_base;
    wire [15:0] b_stride;
    wire [19:0] dst;
    wire [15:0] dst_stride;
    wire [11:0] aux;
    wire  [9:0] max_rows;
    wire  [3:0] rows_reg;
    wire [17:0] max_len;
    wire  [3:0] len_reg;
    wire [15:0] len_sub;
    wire        causal;
    wire        f16_scale;
    wire [31:0] imm;
    decode_misc u_decode (
        .word_i      (word_q),
        .op_o        (op),
        .a_buffer_o  (a_buffer),
        .a_o         (a_base),
        .a_stride_o  (a_stride),
        .a_reg_o     (a_reg),
        .b_buffer_o  (b_buffer),
        .b_o         (b_base),
        .b_stride_o  (b_stride),
        .dst_o       (dst),
        .dst_stride_o(dst_stride),
        .aux_o       (aux),
        .rows_o      (max_rows),
        .rows_reg_o  (rows_reg),
        .len_o       (max_len),
        .len_reg_o   (len_reg),
        .len_sub_o   (len_sub),
        .causal_o    (causal),
        .f16_scale_o (f16_scale),
        .imm_o       (imm)
    );
    // The register number of a is looked up by the sequencer: r0 reads 0.
    wire unused_number = &{1'b0, a_reg};

    wire rotary = op == IsaVectorOpRope;
    wire axpy = op == IsaVectorOpAxpy;
    wire share = Cores > 1 && op == IsaVectorOpShare;
    wire with_b = b_buffer != IsaOperandNone;
    // imm > 0: positive, neither zero (nor subnormal, which counts as zero) nor NaN.
    wire static_scale = !imm[31] && imm[30:23] != 8'd0 && imm[30:0] <= 31'h7f800000;

    // ---- Run-time extents, in t + 1.
    wire [31:0] len_left = value_c_q - {16'd0, len_sub};
    wire        len_none = value_c_q <= {16'd0, len_sub};
    wire        len_bound = len_reg != 4'd0;
    wire        rows_bound = rows_reg != 4'd0;
    wire        empty = max_rows == 10'd0 || max_len == 18'd0 || (rows_bound && value_b_q == 32'd0) ||
                        (len_bound && len_none);
    wire [17:0] len = len_bound && len_left < {14'd0, max_len} ? len_left[17:0] : max_len;
    wire  [9:0] rows = rows_bound && value_b_q < {22'd0, max_rows} ? value_b_q[9:0] : max_rows;

    // Operand a starts at row `value_a`. Addresses are modulo 2^20, so the high bits of the value do not matter.
    wire        unused_high = &{1'b0, value_a_q[31:20]};
    wire [19:0] skipped;
    generate
        if ((LutMultipliers & LutRows) != 0) begin : gen_skipped_luts
            lut_multiply #(
                .AWidth        (20),
                .BWidth        (16),
                .YWidth        (20),
                .OutputRegister(0)
            ) u_skipped (
                .clk_i(clk_i),
                .a_i  (value_a_q[19:0]),
                .b_i  (a_stride),
                .c_i  (20'd0),
                .y_o  (skipped)
            );
        end else begin : gen_skipped_dsp
            wire [35:0] product = value_a_q[19:0] * a_stride;
            reg  [19:0] skipped_q;
            always @(posedge clk_i) if (state_q == Collect) skipped_q <= product[19:0];
            assign skipped = skipped_q;
            wire        unused_product = &{1'b0, product[35:20]};
        end
    endgenerate

    reg  [17:0] len_q;
    reg   [9:0] rows_q;
    always @(posedge clk_i) begin
        if (state_q == Collect) begin
            len_q <= len;
            rows_q <= rows;
        end
    end
    wire [16:0] half = len_q[17:1];

    // ---- Control.
    reg  [7:0] wait_q;

    wire       last_pass;
    wire       beats;
    wire [7:0] wait_periods;
    wire       first_pass = state_q == Begin;
    wire       pass_over = state_q == Wait && wait_q == 8'd0;
    wire       start = first_pass || (pass_over && !last_pass);
    wire       retire = (pass_over && last_pass) || (state_q == Collect && empty);
    wire       last_address;
    assign vector_ready_o = state_q == Idle || retire;
    assign vector_retire_o = retire;
    assign vector_run_o = vector_issue_i || state_q != Idle;
    assign link_here_o = share && ((state_q == Collect && !empty) || state_q == Meet);

    // The first period of a pass: its control is there, its first address is presented.
    reg  started_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            state_q <= Idle;
            started_q <= 1'b0;
        end else begin
            started_q <= start;
            case (state_q)
                Collect: state_q <= empty ? Idle : share ? Meet : Begin;
                Meet:    if (link_met_i) state_q <= Begin;
                Begin:   state_q <= Run;
                Run:     if (last_address || !beats) state_q <= Wait;
                Wait:    if (pass_over) state_q <= last_pass ? Idle : Run;
                default: ;
            endcase
            if (vector_issue_i) state_q <= Collect;
        end
        if (state_q == Run) wait_q <= wait_periods - (beats ? 8'd1 : 8'd2);
        else wait_q <= wait_q - 8'd1;
    end

    wire        inject;
    wire  [5:0] b_tap;
    wire  [5:0] exit_tap;
    wire  [5:0] scalar_0_tap;
    wire  [5:0] scalar_1_tap;
    wire  [5:0] a_late_periods;
    wire  [1:0] multiply_0;
    wire  [2:0] multiply_1;
    wire  [2:0] add_0;
    wire  [1:0] multiply_2;
    wire  [1:0] exponential;
    wire        multiply_3;
    wire  [3:0] result_select;
    wire [31:0] fill;
    wire  [1:0] factor_select;
    wire  [7:0] uses;
    wire        sum;
    wire        largest;
    wire        any;
    wire  [2:0] scalar_select;
    wire        write;
    wire        codes;
    wire        halves;
    wire        choose;
    vector_passes #(
        .Lanes     (Lanes),
        .LinkCycles(LinkCycles)
    ) u_passes (
        .clk_i         (clk_i),
        .rst_ni        (rst_ni),
        .op_i          (op),
        .static_i      (static_scale),
        .with_b_i      (with_b),
        .most_i        (aux[3:0]),
        .start_i       (start),
        .first_i       (first_pass),
        .last_pass_o   (last_pass),
        .beats_o       (beats),
        .inject_o      (inject),
        .wait_o        (wait_periods),
        .b_tap_o       (b_tap),
        .exit_tap_o    (exit_tap),
        .scalar_0_tap_o(scalar_0_tap),
        .scalar_1_tap_o(scalar_1_tap),
        .a_late_o      (a_late_periods),
        .multiply_0_o  (multiply_0),
        .multiply_1_o  (multiply_1),
        .add_0_o       (add_0),
        .multiply_2_o  (multiply_2),
        .exp_o         (exponential),
        .multiply_3_o  (multiply_3),
        .result_o      (result_select),
        .fill_o        (fill),
        .factor_o      (factor_select),
        .uses_o        (uses),
        .sum_o         (sum),
        .largest_o     (largest),
        .any_o         (any),
        .scalar_o      (scalar_select),
        .write_o       (write),
        .codes_o       (codes),
        .halves_o      (halves),
        .choose_o      (choose)
    );

    // ---- Addresses of operand a: rows of beats, of pairs of beats (rotary), or of a scalar and beats (axpy). In a share the
    // beats are those of all cores, part by part, and only this core's are addresses.
    wire share_mine;
    wire share_part_last;
    wire share_last;
    localparam [17:0] Beat = Lanes[17:0];
    wire [17:0] row_len = rotary ? {1'b0, half} : len_q;

    reg  [17:0] left_q;       // elements of the row not yet addressed; of a rotary row, pairs
    reg   [9:0] rows_left_q;
    reg         second_q;
    reg         fetch_q;
    wire        running = state_q == Run && beats;
    wire        address_valid = running && !fetch_q;
    wire        row_end = share ? share_part_last : left_q <= Beat && (second_q || !rotary);
    assign last_address = address_valid && (share ? share_last : row_end && rows_left_q == 10'd1);
    always @(posedge clk_i) begin
        if (start) begin
            left_q <= row_len;
            rows_left_q <= rows_q;
            second_q <= 1'b0;
            fetch_q <= axpy;
        end else if (running) begin
            if (fetch_q) begin
                fetch_q <= 1'b0;
            end else begin
                second_q <= rotary && !second_q;
                if (row_end) begin
                    left_q <= row_len;
                    rows_left_q <= rows_left_q - 10'd1;
                    fetch_q <= axpy;
                end else if (second_q || !rotary) begin
                    left_q <= left_q - Beat;
                end
            end
        end
    end

    reg  [19:0] a_first_q;
    wire [19:0] a_first = first_pass ? a_base + skipped : a_first_q;
    always @(posedge clk_i) if (first_pass) a_first_q <= a_first;

    wire [19:0] a_place;
    vector_stream #(
        .Lanes(Lanes)
    ) u_a (
        .clk_i    (clk_i),
        .start_i  (start),
        .base_i   (a_first),
        .stride_i (a_stride),
        .pair_i   (rotary),
        .half_i   (half),
        .one_i    (1'b0),
        .step_i   (address_valid && (share_mine || !share)),
        .last_i   (row_end),
        .address_o(a_place)
    );

    reg [19:0] fetch_place_q;
    always @(posedge clk_i) begin
        if (start) fetch_place_q <= imm[19:0];
        else if (fetch_q && running) fetch_place_q <= fetch_place_q + {8'd0, aux};
    end
    assign a_address_o = fetch_q ? fetch_place_q : a_place;
    assign a_half_o = a_buffer == IsaOperandParameter16;

    // ---- Tags: what was addressed i periods ago. A beat; the last one of its row or part; the second of a pair; a scalar.
    // A pass leaves none to the next one, whose taps may be later.
    localparam Tags = 64;
    localparam RotaryMultiply = VectorOperandCycles + RotaryPairCycles;
    localparam RotaryAdd = RotaryMultiply + MulCycles;
    reg [Tags-1:1] tag_valid_q;
    reg [Tags-1:1] tag_last_q;
    reg [RotaryAdd:1] tag_second_q;
    reg [BufferReadCycles:1] tag_fetch_q;
    wire [Tags-1:0] tag_valid = {tag_valid_q, address_valid};
    wire [Tags-1:0] tag_last = {tag_last_q, address_valid && row_end};
    always @(posedge clk_i) begin
        if (!rst_ni || start) begin
            tag_valid_q <= {Tags - 1{1'b0}};
            tag_last_q <= {Tags - 1{1'b0}};
            tag_fetch_q <= {BufferReadCycles{1'b0}};
        end else begin
            tag_valid_q <= tag_valid[Tags-2:0];
            tag_last_q <= tag_last[Tags-2:0];
            tag_fetch_q <= {tag_fetch_q[BufferReadCycles-1:1], running && fetch_q};
        end
        tag_second_q <= {tag_second_q[RotaryAdd-1:1], second_q};
    end
    wire unused_oldest = &{1'b0, tag_valid[Tags-1], tag_last[Tags-1]};

    // ---- Operand b: its addresses follow the tags.
    wire b_step = with_b && tag_valid[b_tap];
    vector_stream #(
        .Lanes(Lanes)
    ) u_b (
        .clk_i    (clk_i),
        .start_i  (start),
        .base_i   (b_base),
        .stride_i (b_stride),
        .pair_i   (rotary),
        .half_i   (half),
        .one_i    (1'b0),
        .step_i   (b_step),
        .last_i   (tag_last[b_tap]),
        .address_o(b_address_o)
    );
    assign b_half_o = b_buffer == IsaOperandParameter16;
    reg [BufferReadCycles:1] b_step_q;
    always @(posedge clk_i) begin
        if (!rst_ni) b_step_q <= {BufferReadCycles{1'b0}};
        else b_step_q <= {b_step_q[BufferReadCycles-1:1], b_step};
    end

    // ---- Operand registers. They move only for a beat, so that the lanes rest when nothing runs.
    reg [32*Lanes-1:0] a_q;
    reg [32*Lanes-1:0] b_q;
    reg         [31:0] axpy_q;
    always @(posedge clk_i) begin
        if (tag_valid[BufferReadCycles]) begin
            case (a_buffer)
                IsaOperandResult: a_q <= a_result_i;
                IsaOperandVector: a_q <= a_vector_i;
                default:          a_q <= a_parameter_i;
            endcase
        end
        if (b_step_q[BufferReadCycles]) begin
            case (b_buffer)
                IsaOperandResult: b_q <= b_result_i;
                IsaOperandVector: b_q <= b_vector_i;
                default:          b_q <= b_parameter_i;
            endcase
        end
        if (tag_fetch_q[BufferReadCycles]) axpy_q <= a_vector_i[31:0];
    end

    // Late copies of operand a.
    wire [32*Lanes-1:0] a_argument;
    wire [32*Lanes-1:0] a_late;
    wire busy = state_q != Idle;
    vector_delay #(
        .Width(32 * Lanes),
        .Depth(32)
    ) u_a_argument (
        .clk_i   (clk_i),
        .rst_ni  (rst_ni),
        .enable_i(busy),
        .delay_i (GeluSlopeCycles[4:0]),
        .data_i  (a_q),
        .data_o  (a_argument)
    );
    vector_delay #(
        .Width(32 * Lanes),
        .Depth(64)
    ) u_a_late (
        .clk_i   (clk_i),
        .rst_ni  (rst_ni),
        .enable_i(busy),
        .delay_i (a_late_periods),
        .data_i  (a_q),
        .data_o  (a_late)
    );

    // ---- What is left of the row when a beat leaves the lanes: elements, and visible ones.
    wire exit = tag_valid[exit_tap];
    wire exit_last = tag_last[exit_tap];
    reg                [17:0] exit_left_q;
    reg signed         [19:0] exit_visible_q;
    reg signed         [19:0] row_visible_q;
    reg                [17:0] exit_index_q;
    reg                       exit_second_q;
    wire signed        [19:0] hidden = causal ? {10'd0, rows_q - 10'd1} : 20'sd0;
    wire signed        [19:0] next_visible = row_visible_q + {19'd0, causal};
    localparam signed  [19:0] VisibleBeat = Lanes[19:0];
    always @(posedge clk_i) begin
        if (start) begin
            exit_left_q <= row_len;
            exit_visible_q <= $signed({2'd0, row_len}) - hidden;
            row_visible_q <= $signed({2'd0, row_len}) - hidden;
            exit_index_q <= 18'd0;
            exit_second_q <= 1'b0;
        end else if (exit) begin
            exit_second_q <= rotary && !exit_second_q;
            if (exit_last) begin
                exit_left_q <= row_len;
                exit_visible_q <= next_visible;
                row_visible_q <= next_visible;
                exit_index_q <= 18'd0;
            end else if (exit_second_q || !rotary) begin
                exit_left_q <= exit_left_q - Beat;
                exit_visible_q <= exit_visible_q - VisibleBeat;
                exit_index_q <= exit_index_q + Beat;
            end
        end
    end

    // ---- The link. Its beats reach the lanes as its periods after the operand registers.
    wire [Lanes-1:0] share_mask;
    wire      [19:0] share_address;
    generate
        if (Cores > 1) begin : gen_link
            vector_share #(
                .Lanes(Lanes)
            ) u_share (
                .clk_i      (clk_i),
                .rst_ni     (rst_ni),
                .core_i     (link_core_i),
                .start_i    (first_pass),
                .rows_i     (rows_q),
                .len_i      (len_q),
                .chunk_i    (imm),
                .base_i     (dst),
                .stride_i   (dst_stride),
                .step_i     (address_valid && share),
                .mine_o     (share_mine),
                .part_last_o(share_part_last),
                .last_o     (share_last),
                .valid_o    (link_valid_o),
                .exit_i     (exit),
                .mask_o     (share_mask),
                .address_o  (share_address)
            );
        end else begin : gen_alone
            wire unused_link = &{1'b0, link_core_i, link_met_i};
            assign share_mine = 1'b0;
            assign share_part_last = 1'b0;
            assign share_last = 1'b0;
            assign share_mask = {Lanes{1'b0}};
            assign share_address = 20'd0;
            assign link_valid_o = 1'b0;
        end
    endgenerate
    assign link_data_o = a_q;

    // ---- Clocks of what a pass uses: a pass leaves nothing in a unit that a later one takes.
    wire [7:0] unit_clk;
    genvar unit;
    generate
        for (unit = 0; unit < 8; unit = unit + 1) begin : gen_unit
            clock_gate #(.ClockGates(ClockGates)) u_gate (
                .clk_i   (clk_i),
                .enable_i(uses[unit]),
                .clk_o   (unit_clk[unit])
            );
        end
    endgenerate
    wire sum_clk;
    clock_gate #(.ClockGates(ClockGates)) u_sum_gate (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || sum),
        .clk_o   (sum_clk)
    );
    wire largest_clk;
    clock_gate #(.ClockGates(ClockGates)) u_largest_gate (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || largest),
        .clk_o   (largest_clk)
    );

    // ---- The lanes.
    wire [31:0] scalar_0;
    wire [31:0] scalar_1;
    reg  [31:0] factor;
    always @* begin
        case (factor_select)
            2'd0:    factor = imm;
            2'd1:    factor = scalar_1;
            default: factor = axpy_q;
        endcase
    end
    wire [32*Lanes-1:0] result;
    wire    [Lanes-1:0] mask;
    genvar lane;
    generate
        for (lane = 0; lane < Lanes; lane = lane + 1) begin : gen_lanes
            localparam        [17:0] Place = lane;
            localparam signed [19:0] VisiblePlace = lane;
            assign mask[lane] = exit_left_q > Place;
            vector_lane #(
                .Lane           (lane),
                .HalfActivations(HalfActivations),
                .LutMultipliers (LutMultipliers)
            ) u_lane (
                .clk_i        (clk_i),
                .unit_clk_i   (unit_clk),
                .a_i          (a_q[32*lane+:32]),
                .b_i          (b_q[32*lane+:32]),
                .link_i       (link_data_i[32*lane+:32]),
                .a_argument_i (a_argument[32*lane+:32]),
                .a_late_i     (a_late[32*lane+:32]),
                .factor_i     (factor),
                .scalar_0_i   (scalar_0),
                .scalar_1_i   (scalar_1),
                .multiply_0_i (multiply_0),
                .multiply_1_i (multiply_1),
                .add_0_i      (add_0),
                .multiply_2_i (multiply_2),
                .exp_i        (exponential),
                .multiply_3_i (multiply_3),
                .result_i     (result_select),
                .rotary_high_i(tag_second_q[RotaryMultiply]),
                .rotary_add_i (tag_second_q[RotaryAdd]),
                .index_i      (exit_index_q),
                .any_i        (any),
                .load_i       (exit),
                .live_i       (exit_visible_q > VisiblePlace),
                .fill_i       (fill),
                .result_o     (result[32*lane+:32])
            );
        end
    endgenerate

    reg             result_valid_q;
    reg             result_last_q;
    reg [Lanes-1:0] result_mask_q;
    reg      [31:0] slot_value_q;
    always @(posedge clk_i) begin
        if (!rst_ni) result_valid_q <= 1'b0;
        else result_valid_q <= exit;
        if (exit) begin
            result_last_q <= exit_last;
            result_mask_q <= share ? share_mask : mask;
            slot_value_q <= scalar_0;
        end
    end

    // ---- Reductions, the scalars they give, and the results.
    wire        sum_valid;
    wire [31:0] sum_value;
    reduce_sum #(
        .Lanes(Lanes)
    ) u_sum (
        .clk_i  (sum_clk),
        .rst_ni (rst_ni),
        .valid_i(result_valid_q && sum),
        .last_i (result_last_q),
        .data_i (result),
        .valid_o(sum_valid),
        .sum_o  (sum_value)
    );

    wire        largest_valid;
    wire [31:0] largest_key;
    wire [17:0] largest_index;
    topk_largest #(
        .Lanes(Lanes)
    ) u_largest (
        .clk_i  (largest_clk),
        .rst_ni (rst_ni),
        .valid_i(result_valid_q && largest),
        .last_i (result_last_q),
        .key_i  (result),
        .valid_o(largest_valid),
        .key_o  (largest_key),
        .index_o(largest_index)
    );

    wire [19:0] row_address;
    assign vector_write_address_o = share ? share_address : row_address;

    wire [31:0] largest_value;
    vector_scalar #(
        .LutMultipliers(LutMultipliers)
    ) u_scalar (
        .clk_i          (clk_i),
        .rst_ni         (rst_ni),
        .scalar_i       (scalar_select),
        .half_i         (f16_scale),
        .imm_i          (imm),
        .length_i       (len_q),
        .shared_i       (static_scale && op == IsaVectorOpQuant),
        .sum_valid_i    (sum_valid),
        .sum_i          (sum_value),
        .largest_valid_i(largest_valid),
        .largest_key_i  (largest_key),
        .largest_index_i(largest_index),
        .inject_i       (inject && started_q),
        .value_o        (largest_value),
        .rewind_i       (start),
        .scalar_0_step_i(tag_last[scalar_0_tap]),
        .scalar_1_step_i(tag_last[scalar_1_tap]),
        .scalar_0_o     (scalar_0),
        .scalar_1_o     (scalar_1)
    );

    vector_writer #(
        .Lanes     (Lanes),
        .Chain     (Chain),
        .HalfActivations(HalfActivations),
        .WriteWords(WriteWords)
    ) u_writer (
        .clk_i                    (clk_i),
        .rst_ni                   (rst_ni),
        .restart_i                (first_pass),
        .base_i                   (dst),
        .stride_i                 (dst_stride),
        .slot_i                   (aux),
        .pair_i                   (rotary),
        .half_i                   (half),
        .vector_i                 (write),
        .codes_i                  (codes),
        .halves_i                 (halves),
        .valid_i                  (result_valid_q),
        .last_i                   (result_last_q),
        .mask_i                   (result_mask_q),
        .data_i                   (result),
        .slot_value_i             (halves ? F32One : slot_value_q),
        .choose_i                 (choose),
        .choose_valid_i           (largest_valid),
        .choose_value_i           (largest_value),
        .choose_index_i           (largest_index),
        .vector_write_valid_o     (vector_write_valid_o),
        .vector_write_address_o   (row_address),
        .vector_write_data_o      (vector_write_data_o),
        .activation_write_valid_o (activation_write_valid_o),
        .activation_write_word_o  (activation_write_word_o),
        .activation_write_data_o  (activation_write_data_o),
        .activation_write_strobe_o(activation_write_strobe_o),
        .slot_write_valid_o       (slot_write_valid_o),
        .slot_write_address_o     (slot_write_address_o),
        .slot_write_value_o       (slot_write_value_o),
        .topk_write_o             (topk_write_o),
        .topk_number_o            (topk_number_o),
        .topk_value_o             (topk_value_o)
    );
endmodule
