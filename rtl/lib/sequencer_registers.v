// The numbers of the registers that the oldest instruction of each unit reads.
//
// Latency 0: combinational. An instruction class without such a field gives 0. It does not check the class.
module sequencer_registers (
    input  wire [255:0] load_word_i,
    input  wire [255:0] store_word_i,
    input  wire [255:0] matrix_word_i,
    input  wire [255:0] vector_word_i,
    // Seven bits each: load reg, extent_reg; store reg, rows_reg; matrix rows_reg, extent_reg; vector a_reg, rows_reg,
    // len_reg.
    output wire  [62:0] numbers_o
);
    `include "isa.vh"

    wire [6:0] load_reg;
    wire [6:0] load_extent_reg;
    wire [6:0] store_reg;
    wire [6:0] store_rows_reg;
    wire [3:0] mm_rows_reg;
    wire [3:0] mm_extent_reg;
    wire [3:0] mv_extent_reg;
    wire [3:0] vector_a_reg;
    wire [3:0] vector_rows_reg;
    wire [3:0] vector_len_reg;
    wire [5:0] matrix_opcode = matrix_word_i[5:0];
    wire is_mv = matrix_opcode == IsaOpcodeMv;

    /* verilator lint_off PINMISSING */ // the other fields are for the units
    decode_ld u_ld (
        .word_i      (load_word_i),
        .reg_o       (load_reg),
        .extent_reg_o(load_extent_reg)
    );
    decode_st u_st (
        .word_i    (store_word_i),
        .reg_o     (store_reg),
        .rows_reg_o(store_rows_reg)
    );
    decode_mm u_mm (
        .word_i      (matrix_word_i),
        .rows_reg_o  (mm_rows_reg),
        .extent_reg_o(mm_extent_reg)
    );
    decode_mv u_mv (
        .word_i      (matrix_word_i),
        .extent_reg_o(mv_extent_reg)
    );
    decode_misc u_misc (
        .word_i    (vector_word_i),
        .a_reg_o   (vector_a_reg),
        .rows_reg_o(vector_rows_reg),
        .len_reg_o (vector_len_reg)
    );
    /* verilator lint_on PINMISSING */ // all pins are named again

    wire [3:0] matrix_rows_reg = is_mv ? 4'd0 : mm_rows_reg;
    wire [3:0] matrix_extent_reg = is_mv ? mv_extent_reg : mm_extent_reg;

    assign numbers_o = {
        {3'd0, vector_len_reg},
        {3'd0, vector_rows_reg},
        {3'd0, vector_a_reg},
        {3'd0, matrix_extent_reg},
        {3'd0, matrix_rows_reg},
        store_rows_reg,
        store_reg,
        load_extent_reg,
        load_reg
    };
endmodule
