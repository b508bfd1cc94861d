// Takes an `mm` or `mv` apart and applies its run-time extents (hw_config::timing::mat_mul_shape and ::mat_vec_shape).
// An `mv` is given as an `mm` of one row.
//
// Combinational: outputs belong to the word and register values of the same period. Does not check that the
// instruction is legal on this machine.
module matrix_decode (
    input  wire [255:0] word_i,
    // Values of `rows_reg` and `extent_reg`.
    input  wire  [31:0] rows_value_i,
    input  wire  [31:0] extent_value_i,
    // Some extent is zero: the instruction does nothing.
    output wire         empty_o,
    output wire         vector_o,
    output wire         first_o,
    output wire         last_o,
    // Bits of a code: 2, 3, 4, 5 or 8.
    output reg    [3:0] code_bits_o,
    // Activation words of a step, M / N or the 8 blocks of a window, and bits of an index; 1 and 0 when dense.
    output reg    [3:0] ratio_o,
    output reg    [2:0] index_bits_o,
    // Steps of a window of activations: 1, or with an N per block so many take the stored weights of 8 blocks.
    output reg    [2:0] window_steps_o,
    output wire         two_level_o,
    // The code as the instruction has it.
    output wire   [3:0] code_o,
    output wire   [9:0] rows_o,
    output wire  [11:0] cols_o,
    output wire  [15:0] steps_o,
    // Steps that share a scale, 1 to `steps_o`.
    output wire  [15:0] group_o,
    output wire  [19:0] act_o,
    output wire  [11:0] act_stride_o,
    output wire  [11:0] slot_o,
    output wire  [15:0] weight_o,
    output wire  [15:0] index_o,
    output wire  [17:0] scale_o,
    output wire  [19:0] dst_o,
    output wire  [17:0] dst_stride_o
);
`include "isa.vh"

    wire        mm_first;
    wire        mm_last;
    wire  [3:0] mm_code;
    wire  [3:0] mm_sparsity;
    wire [15:0] mm_steps;
    wire [11:0] mm_group_steps;
    wire        mm_two_level;
    wire  [9:0] mm_rows;
    wire  [3:0] mm_rows_reg;
    wire [11:0] mm_cols;
    wire [19:0] mm_act;
    wire [11:0] mm_act_stride;
    wire [11:0] mm_slot;
    wire [15:0] mm_weight;
    wire [15:0] mm_index;
    wire [17:0] mm_scale;
    wire [19:0] mm_dst;
    wire [17:0] mm_dst_stride;
    wire  [1:0] mm_extent;
    wire  [3:0] mm_extent_reg;
    wire [15:0] mm_extent_sub;
    wire  [3:0] mm_extent_unit;
    decode_mm u_decode_mm (
        .word_i        (word_i),
        .first_o       (mm_first),
        .last_o        (mm_last),
        .code_o        (mm_code),
        .sparsity_o    (mm_sparsity),
        .steps_o       (mm_steps),
        .group_steps_o (mm_group_steps),
        .two_level_o   (mm_two_level),
        .rows_o        (mm_rows),
        .rows_reg_o    (mm_rows_reg),
        .cols_o        (mm_cols),
        .act_o         (mm_act),
        .act_stride_o  (mm_act_stride),
        .slot_o        (mm_slot),
        .weight_o      (mm_weight),
        .index_o       (mm_index),
        .scale_o       (mm_scale),
        .dst_o         (mm_dst),
        .dst_stride_o  (mm_dst_stride),
        .extent_o      (mm_extent),
        .extent_reg_o  (mm_extent_reg),
        .extent_sub_o  (mm_extent_sub),
        .extent_unit_o (mm_extent_unit)
    );

    wire        mv_first;
    wire        mv_last;
    wire  [3:0] mv_code;
    wire  [3:0] mv_sparsity;
    wire [15:0] mv_steps;
    wire [11:0] mv_group_steps;
    wire        mv_two_level;
    wire [11:0] mv_cols;
    wire [19:0] mv_act;
    wire [11:0] mv_slot;
    wire [15:0] mv_weight;
    wire [15:0] mv_index;
    wire [17:0] mv_scale;
    wire [19:0] mv_dst;
    wire  [1:0] mv_extent;
    wire  [3:0] mv_extent_reg;
    wire [15:0] mv_extent_sub;
    wire  [3:0] mv_extent_unit;
    decode_mv u_decode_mv (
        .word_i        (word_i),
        .first_o       (mv_first),
        .last_o        (mv_last),
        .code_o        (mv_code),
        .sparsity_o    (mv_sparsity),
        .steps_o       (mv_steps),
        .group_steps_o (mv_group_steps),
        .two_level_o   (mv_two_level),
        .cols_o        (mv_cols),
        .act_o         (mv_act),
        .slot_o        (mv_slot),
        .weight_o      (mv_weight),
        .index_o       (mv_index),
        .scale_o       (mv_scale),
        .dst_o         (mv_dst),
        .extent_o      (mv_extent),
        .extent_reg_o  (mv_extent_reg),
        .extent_sub_o  (mv_extent_sub),
        .extent_unit_o (mv_extent_unit)
    );

    assign vector_o = word_i[5:0] == IsaOpcodeMv;
    assign first_o = vector_o ? mv_first : mm_first;
    assign last_o = vector_o ? mv_last : mm_last;
    assign two_level_o = vector_o ? mv_two_level : mm_two_level;
    assign act_o = vector_o ? mv_act : mm_act;
    assign act_stride_o = vector_o ? 12'd0 : mm_act_stride;
    assign slot_o = vector_o ? mv_slot : mm_slot;
    assign weight_o = vector_o ? mv_weight : mm_weight;
    assign index_o = vector_o ? mv_index : mm_index;
    assign scale_o = vector_o ? mv_scale : mm_scale;
    assign dst_o = vector_o ? mv_dst : mm_dst;
    assign dst_stride_o = vector_o ? 18'd0 : mm_dst_stride;

    wire [3:0] code = vector_o ? mv_code : mm_code;
    assign code_o = code;
    always @* begin
        case (code)
            IsaCodeInt2: code_bits_o = 4'd2;
            IsaCodeInt3: code_bits_o = 4'd3;
            IsaCodeInt4: code_bits_o = 4'd4;
            IsaCodeInt5: code_bits_o = 4'd5;
            default:     code_bits_o = 4'd8;
        endcase
    end

    wire [3:0] sparsity = vector_o ? mv_sparsity : mm_sparsity;
    always @* begin
        case (sparsity)
            IsaSparsity2To4:        {ratio_o, index_bits_o, window_steps_o} = {4'd2, 3'd2, 3'd1};
            IsaSparsity2To16:       {ratio_o, index_bits_o, window_steps_o} = {4'd8, 3'd4, 3'd1};
            IsaSparsity4To16:       {ratio_o, index_bits_o, window_steps_o} = {4'd4, 3'd4, 3'd1};
            IsaSparsity8To16:       {ratio_o, index_bits_o, window_steps_o} = {4'd2, 3'd4, 3'd1};
            IsaSparsity1To4:        {ratio_o, index_bits_o, window_steps_o} = {4'd4, 3'd2, 3'd1};
            IsaSparsityBlocks4To16:  {ratio_o, index_bits_o, window_steps_o} = {4'd8, 3'd4, 3'd2};
            IsaSparsityBlocks6To16:  {ratio_o, index_bits_o, window_steps_o} = {4'd8, 3'd4, 3'd3};
            IsaSparsityBlocks8To16:  {ratio_o, index_bits_o, window_steps_o} = {4'd8, 3'd4, 3'd4};
            IsaSparsityBlocks10To16: {ratio_o, index_bits_o, window_steps_o} = {4'd8, 3'd4, 3'd5};
            IsaSparsityBlocks12To16: {ratio_o, index_bits_o, window_steps_o} = {4'd8, 3'd4, 3'd6};
            default:                {ratio_o, index_bits_o, window_steps_o} = {4'd1, 3'd0, 3'd1};
        endcase
    end

    // Run-time extents. Without a register the bound is out of reach; n / 2^unit is rounded up.
    wire  [1:0] extent = vector_o ? mv_extent : mm_extent;
    wire  [3:0] extent_reg = vector_o ? mv_extent_reg : mm_extent_reg;
    wire [15:0] extent_sub = vector_o ? mv_extent_sub : mm_extent_sub;
    wire  [3:0] extent_unit = vector_o ? mv_extent_unit : mm_extent_unit;
    wire [32:0] difference = {1'b0, extent_value_i} - {17'd0, extent_sub};
    wire [31:0] bound = extent_reg == 4'd0 ? 32'hffff_ffff : difference[32] ? 32'd0 : difference[31:0];
    wire [31:0] whole_units = bound >> extent_unit;
    wire        part_unit = (bound & ~(32'hffff_ffff << extent_unit)) != 32'd0;
    wire [31:0] units = whole_units + {31'd0, part_unit};

    wire [11:0] cols = vector_o ? mv_cols : mm_cols;
    wire        fewer_cols = extent == IsaMatrixExtentCols && bound < {20'd0, cols};
    assign cols_o = fewer_cols ? bound[11:0] : cols;

    wire [15:0] steps = vector_o ? mv_steps : mm_steps;
    wire        fewer_steps = extent == IsaMatrixExtentSteps && units < {16'd0, steps};
    assign steps_o = fewer_steps ? units[15:0] : steps;

    wire        fewer_rows = mm_rows_reg != 4'd0 && rows_value_i < {22'd0, mm_rows};
    assign rows_o = vector_o ? 10'd1 : fewer_rows ? rows_value_i[9:0] : mm_rows;

    wire [15:0] group_steps = {4'd0, vector_o ? mv_group_steps : mm_group_steps};
    assign group_o = group_steps == 16'd0 || group_steps > steps_o ? steps_o : group_steps;

    assign empty_o = rows_o == 10'd0 || cols_o == 12'd0 || steps_o == 16'd0;
endmodule
