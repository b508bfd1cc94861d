// The operands of one chain's step. Dense `mv`: two columns (`lo`, `hi`) share the activations of one row. Otherwise two
// activation rows (`lo`, `hi`) share the weights of one column. Each product's activation is picked by index from its
// pair's candidates, also in a dense step, so that one multiplexer does both; in a sparse `mv` both rows are the same.
//
// Latency 1, initiation interval 1; `enable_i` is the clock enable of every register. Registered: all outputs.
module chain_operands #(
    parameter Chain = 16,
    // 0: no N:M patterns; candidates and indices are not read, rows are taken as they are.
    parameter Sparse = 1
) (
    input  wire                clk_i,
    input  wire                enable_i,
    // Dense `mv`.
    input  wire                vector_i,
    input  wire  [8*Chain-1:0] lo_codes_i,
    input  wire  [8*Chain-1:0] hi_codes_i,
    input  wire  [8*Chain-1:0] column_codes_i,
    input  wire  [4*Chain-1:0] column_indices_i,
    input  wire  [8*Chain-1:0] row_i,
    input  wire  [8*Chain-1:0] lo_row_i,
    input  wire  [8*Chain-1:0] hi_row_i,
    input  wire [64*Chain-1:0] lo_candidates_i,
    input  wire [64*Chain-1:0] hi_candidates_i,
    output wire  [8*Chain-1:0] lo_o,
    output wire  [8*Chain-1:0] hi_o,
    output wire  [8*Chain-1:0] shared_o
);
    reg [8*Chain-1:0] lo_q;
    reg [8*Chain-1:0] hi_q;
    reg [8*Chain-1:0] shared_q;
    wire [8*Chain-1:0] lo;
    wire [8*Chain-1:0] hi;
    wire [8*Chain-1:0] chosen_lo;
    wire [8*Chain-1:0] chosen_hi;
    wire [8*Chain-1:0] chosen_shared;
    choose_word #(
        .Width(8 * Chain)
    ) u_lo (
        .choose_i(vector_i),
        .one_i   (lo_codes_i),
        .zero_i  (lo),
        .word_o  (chosen_lo)
    );
    choose_word #(
        .Width(8 * Chain)
    ) u_hi (
        .choose_i(vector_i),
        .one_i   (hi_codes_i),
        .zero_i  (hi),
        .word_o  (chosen_hi)
    );
    choose_word #(
        .Width(8 * Chain)
    ) u_shared (
        .choose_i(vector_i),
        .one_i   (row_i),
        .zero_i  (column_codes_i),
        .word_o  (chosen_shared)
    );
    always @(posedge clk_i) begin
        if (enable_i) begin
            lo_q <= chosen_lo;
            hi_q <= chosen_hi;
            shared_q <= chosen_shared;
        end
    end
    assign lo_o = lo_q;
    assign hi_o = hi_q;
    assign shared_o = shared_q;

    genvar i;
    generate
        if (Sparse == 0) begin : gen_dense
            assign lo = lo_row_i;
            assign hi = hi_row_i;
            wire unused_sparse = &{1'b0, column_indices_i, lo_candidates_i, hi_candidates_i};
        end else begin : gen_sparse
            for (i = 0; i < Chain; i = i + 1) begin : gen_pick
                mux_16 #(
                    .Width(8)
                ) u_pick_lo (
                    .words_i(lo_candidates_i[128*(i/2)+:128]),
                    .index_i(column_indices_i[4*i+:4]),
                    .word_o (lo[8*i+:8])
                );
                mux_16 #(
                    .Width(8)
                ) u_pick_hi (
                    .words_i(hi_candidates_i[128*(i/2)+:128]),
                    .index_i(column_indices_i[4*i+:4]),
                    .word_o (hi[8*i+:8])
                );
            end
            wire unused_rows = &{1'b0, lo_row_i, hi_row_i};
        end
    endgenerate
endmodule
