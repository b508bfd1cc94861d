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
    always @(posedge clk_i) begin
        if (enable_i) begin
            lo_q <= vector_i ? lo_codes_i : lo;
            hi_q <= vector_i ? hi_codes_i : hi;
            shared_q <= vector_i ? row_i : column_codes_i;
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
                rotate_words #(
                    .Words(16),
                    .Width(8),
                    .Taken(1)
                ) u_lo (
                    .words_i (lo_candidates_i[128*(i/2)+:128]),
                    .offset_i(column_indices_i[4*i+:4]),
                    .words_o (lo[8*i+:8])
                );
                rotate_words #(
                    .Words(16),
                    .Width(8),
                    .Taken(1)
                ) u_hi (
                    .words_i (hi_candidates_i[128*(i/2)+:128]),
                    .offset_i(column_indices_i[4*i+:4]),
                    .words_o (hi[8*i+:8])
                );
            end
            wire unused_rows = &{1'b0, lo_row_i, hi_row_i};
        end
    endgenerate
endmodule
