// The steps of an `mm` or `mv` on a bit-serial array: part by part, slot by slot, in each row set by row set, in each step by
// step, in each the `Dot` weights of a product side by side, in each the terms of a code.
//
// Issue period t; the first product is in period t + 1, the last period of the input phase is that of the last slot. A slot is a
// row set of at most 128 weights of a group of a part and takes max(its products' periods, LeastSlot) periods, its products
// first. `ready_o` is high when nothing is under way and in the last period. A weight position counts eighths of a chunk,
// of which a step of codes of b bits takes b.
//
// Rows of scales, from the instruction's: two of f16 for all groups, or for each; before every four groups one of selectors, if
// the code has special values; one of integers a group, if scales have two levels. `scale_row_o` is that of selectors in a
// slot's first period and that of integers from its second on.
// Registered: `window_word_o`, which belongs to the period before; all other outputs follow from registers. Does not wait
// for anything, and does not follow the pipeline behind it.
module serial_control #(
    parameter Chain = 16,
    parameter Dot = 4,
    parameter Rows = 4,
    parameter Columns = 16,
    parameter GemvColumns = 32,
    parameter LeastSlot = 24,
    parameter PlaceBits = 2
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,

    // An instruction, valid while `start_i`.
    input  wire                 start_i,
    input  wire                 vector_i,
    input  wire                 first_i,
    input  wire                 last_i,
    input  wire           [3:0] kind_i,
    input  wire           [4:0] code_bits_i,
    input  wire           [2:0] terms_i,
    input  wire                 special_i,
    input  wire                 two_level_i,
    input  wire           [9:0] rows_i,
    input  wire          [11:0] cols_i,
    input  wire          [15:0] steps_i,
    input  wire          [15:0] group_i,
    input  wire          [19:0] act_i,
    input  wire          [11:0] act_stride_i,
    input  wire          [11:0] slot_i,
    input  wire          [15:0] weight_i,
    input  wire          [17:0] scale_i,
    input  wire          [19:0] dst_i,
    input  wire          [17:0] dst_stride_i,

    output wire                 ready_o,
    output wire                 busy_o,

    // The period: it has products.
    output wire                 step_o,
    output wire                 slot_first_o,
    output wire                 slot_last_o,
    output wire                 vector_o,
    output wire           [3:0] kind_o,
    output wire           [4:0] code_bits_o,
    output wire           [2:0] digit_o,
    output wire [PlaceBits-1:0] place_o,
    output wire          [15:0] weight_chunk_o,
    output wire           [2:0] weight_unit_o,
    output wire          [17:0] scale_row_o,
    // Of the slot: where its group's selectors are in each byte; whether there are some, and integers.
    output wire           [1:0] selector_o,
    output wire                 special_o,
    output wire                 two_level_o,
    output wire          [11:0] part_column_o,
    output wire   [Rows*20-1:0] window_word_o,

    // What the drain needs of the slot, valid while `slot_last_o`.
    output wire                 drain_final_o,
    output wire                 drain_clear_o,
    output wire                 drain_write_o,
    output wire           [9:0] drain_row_o,
    output wire           [4:0] drain_rows_o,
    output wire          [11:0] drain_cols_o,
    output wire          [17:0] drain_scale_row_o,
    output wire          [11:0] drain_slot_o,
    output wire          [19:0] drain_dst_o,
    output wire          [17:0] drain_dst_stride_o
);
`include "constants.vh"

    localparam [11:0] PartMatrix = Columns[11:0];
    localparam [11:0] PartVector = GemvColumns[11:0];
    localparam  [9:0] SetRows = Rows[9:0];
    localparam        PlacesLog2 = $clog2(Chain / Dot);
    localparam        LastPlaceNumber = Chain / Dot - 1;
    localparam [PlaceBits-1:0] LastPlace = LastPlaceNumber[PlaceBits-1:0];
    localparam        SlotStepsNumber = SlotWeights / Chain;
    localparam [15:0] SlotSteps = SlotStepsNumber[15:0];
    localparam [15:0] Least = LeastSlot[15:0];

    // The instruction.
    reg        vector_q;
    reg        first_q;
    reg        last_q;
    reg  [3:0] kind_q;
    reg  [4:0] code_bits_q;
    reg  [2:0] terms_q;
    reg        special_q;
    reg        two_level_q;
    reg  [9:0] rows_q;
    reg [15:0] steps_q;
    reg [15:0] group_q;
    reg [19:0] act_q;
    reg [11:0] act_stride_q;
    reg [11:0] slot_q;
    reg [15:0] weight_q;
    reg [17:0] scale_q;
    reg [19:0] dst_q;
    reg [17:0] dst_stride_q;
    always @(posedge clk_i) begin
        if (start_i) begin
            vector_q <= vector_i;
            first_q <= first_i;
            last_q <= last_i;
            kind_q <= kind_i;
            code_bits_q <= code_bits_i;
            terms_q <= terms_i;
            special_q <= special_i;
            two_level_q <= two_level_i;
            rows_q <= rows_i;
            steps_q <= steps_i;
            group_q <= group_i;
            act_q <= act_i;
            act_stride_q <= act_stride_i;
            slot_q <= slot_i;
            weight_q <= weight_i;
            scale_q <= scale_i;
            dst_q <= dst_i;
            dst_stride_q <= dst_stride_i;
        end
    end

    // Where it is: the part; the piece of its weights and that piece's group; the row set; the slot; the step.
    reg                 busy_q;
    reg          [11:0] part_column_q;
    reg          [11:0] cols_left_q;
    reg                 piece_first_q;
    reg          [15:0] piece_steps_q;
    reg          [15:0] steps_after_q;
    reg          [15:0] group_after_q;
    reg          [17:0] group_row_q;
    reg          [17:0] selector_row_q;
    reg           [1:0] selector_q;
    reg          [18:0] piece_weight_q;
    reg          [19:0] piece_offset_q;
    reg           [9:0] set_row_q;
    reg           [9:0] rows_left_q;
    reg          [19:0] set_act_q;
    reg          [19:0] set_dst_q;
    reg                 slot_first_q;
    reg          [15:0] slot_left_q;
    reg          [15:0] steps_left_q;
    reg           [2:0] digit_q;
    reg [PlaceBits-1:0] place_q;
    reg          [18:0] weight_position_q;
    reg          [19:0] offset_q;

    wire [11:0] part = vector_q ? PartVector : PartMatrix;
    wire        set_last = vector_q || rows_left_q <= SetRows;
    wire        piece_last = steps_after_q == 16'd0;
    wire        part_last = cols_left_q <= part;
    wire        slot_last = busy_q && slot_left_q == 16'd1;
    wire        piece_end = slot_last && set_last;
    wire        part_end = piece_end && piece_last;
    wire        last = part_end && part_last;
    wire        step = busy_q && steps_left_q != 16'd0;
    wire        digit_last = digit_q == terms_q - 3'd1;
    wire        step_last = step && digit_last && place_q == LastPlace;

    // Positions behind the step that ends in this period.
    wire [18:0] weight_next = weight_position_q + (step_last ? {14'd0, code_bits_q} : 19'd0);
    wire [19:0] offset_next = offset_q + (step_last ? 20'd2 : 20'd0);

    // The next piece: of the instruction that starts, of the same group, of the next, or of the first of the next part.
    wire        new_part = start_i || piece_last;
    wire [15:0] group_all = start_i ? group_i : group_q;
    wire [15:0] steps_there = start_i ? steps_i : piece_last ? steps_q : steps_after_q;
    wire        new_group = new_part || group_after_q == 16'd0;
    wire [15:0] group_there = !new_group ? group_after_q : group_all < steps_there ? group_all : steps_there;
    wire [15:0] next_piece = group_there < SlotSteps ? group_there : SlotSteps;

    // Periods of the products of a slot: steps x terms, at most 8 x 6, times the places of a step.
    wire [15:0] slot_steps = start_i || set_last ? next_piece : piece_steps_q;
    wire  [2:0] slot_terms = start_i ? terms_i : terms_q;
    wire [15:0] products = {12'd0, slot_steps[3:0]} * {13'd0, slot_terms};
    wire [15:0] product_periods = products << PlacesLog2;
    wire [15:0] slot_periods = product_periods > Least ? product_periods : Least;

    function [19:0] times(input [19:0] value, input [4:0] factor);
        integer place;
        begin
            times = 20'd0;
            for (place = 0; place < 5; place = place + 1) if (factor[place]) times = times + (value << place);
        end
    endfunction

    always @(posedge clk_i) begin
        if (!rst_ni) busy_q <= 1'b0;
        else busy_q <= start_i || (busy_q && !last);
    end

    always @(posedge clk_i) begin
        if (start_i) begin
            part_column_q <= 12'd0;
            cols_left_q <= cols_i;
        end else if (part_end) begin
            part_column_q <= part_column_q + part;
            cols_left_q <= cols_left_q - part;
        end
    end

    // Rows of scales of a part's first group, and of the group behind this one.
    wire        has_special = start_i ? special_i : special_q;
    wire        has_levels = start_i ? two_level_i : two_level_q;
    wire [17:0] first_row = (start_i ? scale_i : scale_q) + (has_levels ? 18'd2 : 18'd0);
    wire [17:0] row_behind = group_row_q + (two_level_q ? 18'd1 : 18'd2);
    wire        next_four = special_q && selector_q == 2'd3;
    always @(posedge clk_i) begin
        if (start_i || piece_end) begin
            piece_first_q <= new_part;
            piece_steps_q <= next_piece;
            steps_after_q <= steps_there - next_piece;
            group_after_q <= group_there - next_piece;
            if (new_part) begin
                selector_row_q <= first_row;
                group_row_q <= first_row + {17'd0, has_special};
                selector_q <= 2'd0;
            end else if (new_group) begin
                selector_row_q <= next_four ? row_behind : selector_row_q;
                group_row_q <= row_behind + {17'd0, next_four};
                selector_q <= selector_q + 2'd1;
            end
            piece_weight_q <= start_i ? {weight_i, 3'd0} : piece_last ? {weight_q, 3'd0} : weight_next;
            piece_offset_q <= start_i || piece_last ? 20'd0 : offset_next;
        end
    end

    always @(posedge clk_i) begin
        if (start_i) begin
            set_row_q <= 10'd0;
            rows_left_q <= rows_i;
            set_act_q <= act_i;
            set_dst_q <= dst_i;
        end else if (piece_end) begin
            set_row_q <= 10'd0;
            rows_left_q <= rows_q;
            set_act_q <= act_q;
            set_dst_q <= dst_q;
        end else if (slot_last) begin
            set_row_q <= set_row_q + SetRows;
            rows_left_q <= rows_left_q - SetRows;
            set_act_q <= set_act_q + times({8'd0, act_stride_q}, SetRows[4:0]);
            set_dst_q <= set_dst_q + times({2'd0, dst_stride_q}, SetRows[4:0]);
        end
    end

    always @(posedge clk_i) begin
        if (start_i || slot_last) begin
            slot_first_q <= 1'b1;
            slot_left_q <= slot_periods;
            steps_left_q <= slot_steps;
            digit_q <= 3'd0;
            place_q <= {PlaceBits{1'b0}};
            if (start_i) begin
                weight_position_q <= {weight_i, 3'd0};
                offset_q <= 20'd0;
            end else if (!set_last) begin
                weight_position_q <= piece_weight_q;
                offset_q <= piece_offset_q;
            end else if (!piece_last) begin
                weight_position_q <= weight_next;
                offset_q <= offset_next;
            end else begin
                weight_position_q <= {weight_q, 3'd0};
                offset_q <= 20'd0;
            end
        end else begin
            slot_first_q <= 1'b0;
            if (busy_q) slot_left_q <= slot_left_q - 16'd1;
            if (step) begin
                digit_q <= digit_last ? 3'd0 : digit_q + 3'd1;
                if (digit_last) place_q <= place_q == LastPlace ? {PlaceBits{1'b0}} : place_q + 1'b1;
                if (step_last) steps_left_q <= steps_left_q - 16'd1;
                weight_position_q <= weight_next;
                offset_q <= offset_next;
            end
        end
    end

    // Activation words: the set's first row, its rows, the step. An `mv` has a stride of 0: every row reads the same.
    genvar row;
    generate
        for (row = 0; row < Rows; row = row + 1) begin : gen_row
            localparam [4:0] Number = row;
            reg [19:0] row_offset_q;
            reg [19:0] window_word_q;
            always @(posedge clk_i) begin
                if (start_i) row_offset_q <= times({8'd0, act_stride_i}, Number);
                if (step) window_word_q <= set_act_q + offset_q + row_offset_q;
            end
            assign window_word_o[20*row+:20] = window_word_q;
        end
    endgenerate

    assign ready_o = !busy_q || last;
    assign busy_o = busy_q;
    assign step_o = step;
    assign slot_first_o = slot_first_q;
    assign slot_last_o = slot_last;
    assign vector_o = vector_q;
    assign kind_o = kind_q;
    assign code_bits_o = code_bits_q;
    assign digit_o = digit_q;
    assign place_o = place_q;
    assign {weight_chunk_o, weight_unit_o} = weight_position_q;
    assign scale_row_o = slot_first_q ? selector_row_q : group_row_q;
    assign selector_o = selector_q;
    assign special_o = special_q;
    assign two_level_o = two_level_q;
    assign part_column_o = part_column_q;

    assign drain_final_o = last;
    assign drain_clear_o = first_q && piece_first_q;
    assign drain_write_o = last_q && piece_last;
    assign drain_row_o = set_row_q;
    assign drain_rows_o = set_last && !vector_q ? rows_left_q[4:0] : vector_q ? 5'd1 : SetRows[4:0];
    assign drain_cols_o = part_last ? cols_left_q : part;
    assign drain_scale_row_o = two_level_q ? scale_q : group_row_q;
    assign drain_slot_o = slot_q + {2'd0, set_row_q};
    assign drain_dst_o = set_dst_q + {8'd0, part_column_q};
    assign drain_dst_stride_o = dst_stride_q;
    wire unused_slot_steps = &{1'b0, slot_steps};

`ifndef SYNTHESIS
    initial if (Rows < 1 || Rows > 16 || Chain % Dot != 0 || SlotWeights % Chain != 0 || LeastSlot < AddCycles) begin
        $display("serial_control: Rows %0d, Chain %0d, Dot %0d, LeastSlot %0d: expected 1 to 16, a multiple, at least 8",
                 Rows, Chain, Dot, LeastSlot);
        $finish;
    end
    always @(posedge clk_i) if (rst_ni && start_i && !ready_o) begin
        $display("serial_control: an instruction starts while another is under way");
        $stop;
    end
`endif
endmodule
