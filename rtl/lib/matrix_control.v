// The steps of matrix instructions, one a period: parts of columns, in each groups, in each row sets, in each steps.
//
// Issue period t; the first step is in period t + 1, the last period of the input phase is that of the last slot. A slot
// (row set of a group of a part) takes max(steps, DrainCycles) periods, its steps first. `ready_o` is high when nothing is
// under way and in the last period. Addresses grow by additions: a weight or index position counts eighths of a chunk, of
// which a step of codes of b bits takes b.
//
// Registered: `window_word_o`, which belongs to the step of the period before; all other outputs follow from registers,
// so that an address leaves in the period of its step. Does not wait for anything, and does not follow the pipeline behind
// it.
module matrix_control #(
    parameter Rows = 2,
    parameter Columns = 16,
    parameter GemvColumns = 32,
    // Columns at a time of a sparse `mv`: one a chain.
    parameter SparseColumns = 16,
    parameter DrainCycles = 8
) (
    input  wire                            clk_i,
    input  wire                            rst_ni,

    // An instruction, valid while `start_i`.
    input  wire                            start_i,
    input  wire                            vector_i,
    input  wire                            first_i,
    input  wire                            last_i,
    input  wire                      [3:0] code_bits_i,
    input  wire                      [3:0] ratio_i,
    input  wire                      [2:0] index_bits_i,
    input  wire                      [2:0] window_steps_i,
    input  wire                            two_level_i,
    input  wire                      [9:0] rows_i,
    input  wire                     [11:0] cols_i,
    input  wire                     [15:0] steps_i,
    input  wire                     [15:0] group_i,
    input  wire                     [19:0] act_i,
    input  wire                     [11:0] act_stride_i,
    input  wire                     [11:0] slot_i,
    input  wire                     [15:0] weight_i,
    input  wire                     [15:0] index_i,
    input  wire                     [17:0] scale_i,
    input  wire                     [19:0] dst_i,
    input  wire                     [17:0] dst_stride_i,

    output wire                            ready_o,
    output wire                            busy_o,

    // The step of this period.
    output wire                            step_o,
    output wire                            slot_first_o,
    output wire                            slot_last_o,
    output wire                            vector_o,
    output wire                      [3:0] code_bits_o,
    output wire                      [3:0] ratio_o,
    output wire                      [2:0] index_bits_o,
    output wire                            two_level_o,
    output wire                     [15:0] weight_chunk_o,
    output wire                      [2:0] weight_unit_o,
    output wire                     [15:0] index_chunk_o,
    output wire                      [2:0] index_unit_o,
    // Density bytes, with an N per block: the window's row, and the step's number in the window.
    output wire                            of_blocks_o,
    output wire                     [15:0] density_row_o,
    output wire                      [2:0] phase_o,
    output wire                     [17:0] integer_scale_row_o,
    output wire                     [11:0] part_column_o,
    output wire              [Rows*20-1:0] window_word_o,

    // What the drain needs of the slot, valid while `slot_last_o`.
    output wire                            drain_final_o,
    output wire                            drain_clear_o,
    output wire                            drain_write_o,
    output wire                      [9:0] drain_row_o,
    output wire                      [4:0] drain_rows_o,
    output wire                     [11:0] drain_cols_o,
    output wire                     [17:0] drain_scale_row_o,
    output wire                     [11:0] drain_slot_o,
    output wire                     [19:0] drain_dst_o,
    output wire                     [17:0] drain_dst_stride_o
);
    localparam [11:0] PartMatrix = Columns[11:0];
    localparam [11:0] PartVector = GemvColumns[11:0];
    localparam [11:0] PartSparse = SparseColumns[11:0];
    `include "constants.vh"

    localparam [15:0] LeastSlot = DrainCycles[15:0];
    localparam  [9:0] SetRows = Rows[9:0];

    // The instruction.
    reg        vector_q;
    reg        first_q;
    reg        last_q;
    reg  [3:0] code_bits_q;
    reg  [3:0] ratio_q;
    reg  [2:0] index_bits_q;
    reg  [2:0] window_last_q;
    reg        two_level_q;
    reg  [9:0] rows_q;
    reg [15:0] steps_q;
    // Steps of an accumulated group, and steps of an integer scale.
    reg [15:0] group_q;
    reg [15:0] integer_group_q;
    reg [19:0] act_q;
    reg [11:0] act_stride_q;
    reg [11:0] slot_q;
    reg [15:0] weight_q;
    reg [15:0] index_q;
    reg [17:0] scale_q;
    reg [19:0] dst_q;
    reg [17:0] dst_stride_q;

    // Where it is: the part, the group, the row set, the slot.
    reg        busy_q;
    reg [11:0] part_column_q;
    reg [11:0] cols_left_q;
    reg        group_first_q;
    reg [15:0] group_steps_q;
    reg [15:0] steps_after_q;
    reg [17:0] group_scale_q;
    reg [18:0] group_weight_q;
    reg [18:0] group_index_q;
    reg [19:0] group_offset_q;
    reg  [2:0] group_phase_q;
    reg  [9:0] set_row_q;
    reg  [9:0] rows_left_q;
    reg [19:0] set_act_q;
    reg [19:0] set_dst_q;
    reg        slot_first_q;
    reg [15:0] slot_left_q;
    reg [15:0] steps_left_q;
    reg [18:0] weight_position_q;
    reg [18:0] index_position_q;
    reg [19:0] offset_q;
    reg  [2:0] phase_q;
    reg [17:0] integer_scale_row_q;
    reg [15:0] integer_left_q;

    wire [11:0] part = !vector_q ? PartMatrix : ratio_q == 4'd1 ? PartVector : PartSparse;
    wire        set_last = vector_q || rows_left_q <= SetRows;
    wire        group_last = steps_after_q == 16'd0;
    wire        part_last = cols_left_q <= part;
    wire        slot_last = busy_q && slot_left_q == 16'd1;
    wire        last = slot_last && set_last && group_last && part_last;
    wire        step = busy_q && steps_left_q != 16'd0;

    // Positions behind the step of this period.
    wire [18:0] weight_next = weight_position_q + (step ? {15'd0, code_bits_q} : 19'd0);
    wire [18:0] index_next = index_position_q + (step ? {16'd0, index_bits_q} : 19'd0);
    // The words of a window stay for all of its steps.
    wire        window_last = phase_q == window_last_q;
    wire [19:0] offset_next = offset_q + (step && window_last ? {16'd0, ratio_q} : 20'd0);
    wire  [2:0] phase_next = !step ? phase_q : window_last ? 3'd0 : phase_q + 3'd1;

    // The next slot: of the instruction that starts, the same group, the next group, or the first group of the next part.
    wire [15:0] drained_i = two_level_i ? steps_i : group_i;
    wire [15:0] group_next = group_q < steps_after_q ? group_q : steps_after_q;
    wire [15:0] slot_steps = start_i ? drained_i : !set_last ? group_steps_q : !group_last ? group_next : group_q;
    wire [15:0] slot_periods = slot_steps > LeastSlot ? slot_steps : LeastSlot;

    // `value` times a constant, by additions.
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
            vector_q <= vector_i;
            first_q <= first_i;
            last_q <= last_i;
            code_bits_q <= code_bits_i;
            ratio_q <= ratio_i;
            index_bits_q <= index_bits_i;
            window_last_q <= window_steps_i - 3'd1;
            two_level_q <= two_level_i;
            rows_q <= rows_i;
            steps_q <= steps_i;
            group_q <= drained_i;
            integer_group_q <= group_i;
            act_q <= act_i;
            act_stride_q <= act_stride_i;
            slot_q <= slot_i;
            weight_q <= weight_i;
            index_q <= index_i;
            scale_q <= scale_i;
            dst_q <= dst_i;
            dst_stride_q <= dst_stride_i;
        end
    end

    // Part: `part` columns.
    wire part_end = slot_last && set_last && group_last;
    always @(posedge clk_i) begin
        if (start_i) begin
            part_column_q <= 12'd0;
            cols_left_q <= cols_i;
        end else if (part_end) begin
            part_column_q <= part_column_q + part;
            cols_left_q <= cols_left_q - part;
        end
    end

    // Group: the positions at its first step stay, for the row sets to come.
    wire group_end = slot_last && set_last;
    always @(posedge clk_i) begin
        if (start_i) begin
            group_first_q <= 1'b1;
            group_steps_q <= slot_steps;
            steps_after_q <= steps_i - slot_steps;
            group_scale_q <= scale_i;
            group_weight_q <= {weight_i, 3'd0};
            group_index_q <= {index_i, 3'd0};
            group_offset_q <= 20'd0;
            group_phase_q <= 3'd0;
        end else if (part_end) begin
            group_first_q <= 1'b1;
            group_steps_q <= slot_steps;
            steps_after_q <= steps_q - slot_steps;
            group_scale_q <= scale_q;
            group_weight_q <= {weight_q, 3'd0};
            group_index_q <= {index_q, 3'd0};
            group_offset_q <= 20'd0;
            group_phase_q <= 3'd0;
        end else if (group_end) begin
            group_first_q <= 1'b0;
            group_steps_q <= slot_steps;
            steps_after_q <= steps_after_q - slot_steps;
            group_scale_q <= group_scale_q + 18'd2;
            group_weight_q <= weight_next;
            group_index_q <= index_next;
            group_offset_q <= offset_next;
            group_phase_q <= phase_next;
        end
    end

    // Row set.
    always @(posedge clk_i) begin
        if (start_i) begin
            set_row_q <= 10'd0;
            rows_left_q <= rows_i;
            set_act_q <= act_i;
            set_dst_q <= dst_i;
        end else if (group_end) begin
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

    // Slot and step.
    wire integer_end = integer_left_q == 16'd1;
    always @(posedge clk_i) begin
        if (start_i || slot_last) begin
            slot_first_q <= 1'b1;
            slot_left_q <= slot_periods;
            steps_left_q <= slot_steps;
            integer_scale_row_q <= (start_i ? scale_i : scale_q) + 18'd2;
            integer_left_q <= start_i ? group_i : integer_group_q;
            if (start_i) begin
                weight_position_q <= {weight_i, 3'd0};
                index_position_q <= {index_i, 3'd0};
                offset_q <= 20'd0;
                phase_q <= 3'd0;
            end else if (!set_last) begin
                weight_position_q <= group_weight_q;
                index_position_q <= group_index_q;
                offset_q <= group_offset_q;
                phase_q <= group_phase_q;
            end else if (!group_last) begin
                weight_position_q <= weight_next;
                index_position_q <= index_next;
                offset_q <= offset_next;
                phase_q <= phase_next;
            end else begin
                weight_position_q <= {weight_q, 3'd0};
                index_position_q <= {index_q, 3'd0};
                offset_q <= 20'd0;
                phase_q <= 3'd0;
            end
        end else begin
            slot_first_q <= 1'b0;
            if (busy_q) slot_left_q <= slot_left_q - 16'd1;
            if (step) begin
                steps_left_q <= steps_left_q - 16'd1;
                weight_position_q <= weight_next;
                index_position_q <= index_next;
                offset_q <= offset_next;
                phase_q <= phase_next;
                integer_left_q <= integer_end ? integer_group_q : integer_left_q - 16'd1;
                integer_scale_row_q <= integer_scale_row_q + {17'd0, integer_end};
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
    assign code_bits_o = code_bits_q;
    assign ratio_o = ratio_q;
    assign index_bits_o = index_bits_q;
    assign two_level_o = two_level_q;
    assign {weight_chunk_o, weight_unit_o} = weight_position_q;
    assign {index_chunk_o, index_unit_o} = index_position_q;
    assign of_blocks_o = window_last_q != 3'd0;
    assign density_row_o = index_q + offset_q[18:3];
    assign phase_o = phase_q;
    assign integer_scale_row_o = integer_scale_row_q;
    assign part_column_o = part_column_q;

    assign drain_final_o = last;
    assign drain_clear_o = first_q && group_first_q;
    assign drain_write_o = last_q && group_last;
    assign drain_row_o = set_row_q;
    assign drain_rows_o = set_last && !vector_q ? rows_left_q[4:0] : vector_q ? 5'd1 : SetRows[4:0];
    assign drain_cols_o = part_last ? cols_left_q : part;
    assign drain_scale_row_o = group_scale_q;
    assign drain_slot_o = slot_q + {2'd0, set_row_q};
    assign drain_dst_o = set_dst_q + {8'd0, part_column_q};
    assign drain_dst_stride_o = dst_stride_q;

`ifndef SYNTHESIS
    initial if (Rows < 2 || Rows > 16 || Rows % 2 != 0 || DrainCycles < AddCycles) begin
        $display("matrix_control: Rows %0d, DrainCycles %0d: expected an even 2 to 16, and at least 8", Rows,
                 DrainCycles);
        $finish;
    end
    always @(posedge clk_i) if (rst_ni && start_i && !ready_o) begin
        $display("matrix_control: an instruction starts while another is under way");
        $stop;
    end
`endif
endmodule
