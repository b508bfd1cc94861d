// The activations from which each pair of a chain's stored weights picks, for all patterns: the M of its group, or of both
// weights' groups.
//
// With one N for all, stored weight i belongs to group i / N: an even N gives weights 2h and 2h + 1 one group, and 1:4 gives
// each its own, so that a pair has 8 activations. With an N per block, and if `Blocks` for every N of 16, a pair's block comes
// from `block_choice`. Patterns are told by `ratio_i` = M / N and `index_bits_i` = log2 M (0: a dense step, whose pairs have
// their own two), which belong to the same step as `window_i`, and so does `blocks_i`.
// Latency 1, initiation interval 1; `enable_i` is the clock enable of every register. Registered: `candidates_o`.
module sparse_candidates #(
    parameter Chain = 16,
    // Largest M / N: words of `Chain` activations in a window.
    parameter MaxRatio = 8,
    // 0: no 1:4.
    parameter Single = 1,
    // 1: `blocks_i` says which word of 16 a pair picks from; chains have 16 multipliers and windows 8 words.
    parameter Blocks = 0
) (
    input  wire                        clk_i,
    input  wire                        enable_i,
    input  wire [8*MaxRatio*Chain-1:0] window_i,
    input  wire                  [3:0] ratio_i,
    input  wire                  [2:0] index_bits_i,
    input  wire                 [23:0] blocks_i,
    // 16 activations for each pair of weights; with 2:4 the first four, with 1:4 the first eight.
    output wire         [64*Chain-1:0] candidates_o
);
    reg [64*Chain-1:0] candidates_q;
    integer pair;
    always @(posedge clk_i) begin
        if (enable_i) begin
            for (pair = 0; pair < Chain / 2; pair = pair + 1) begin
                if (index_bits_i == 3'd0)
                    candidates_q[128*pair+:128] <= {112'd0, window_i[16*pair+:16]};
                else if (MaxRatio >= 4 && Single != 0 && index_bits_i == 3'd2 && ratio_i == 4'd4)
                    candidates_q[128*pair+:128] <= {64'd0, window_i[64*(MaxRatio >= 4 ? pair : 0)+:64]};
                else if (index_bits_i == 3'd2)
                    candidates_q[128*pair+:128] <= {96'd0, window_i[32*pair+:32]};
                else if (Blocks != 0)
                    candidates_q[128*pair+:128] <= window_i[128*blocks_i[3*(Blocks != 0 ? pair : 0)+:3]+:128];
                else if (MaxRatio >= 8 && ratio_i == 4'd8)
                    candidates_q[128*pair+:128] <= window_i[128*(MaxRatio >= 8 ? pair : 0)+:128];
                else if (MaxRatio >= 4 && ratio_i == 4'd4)
                    candidates_q[128*pair+:128] <= window_i[128*(MaxRatio >= 4 ? pair / 2 : 0)+:128];
                else
                    candidates_q[128*pair+:128] <= window_i[128*(pair/4)+:128];
            end
        end
    end
    assign candidates_o = candidates_q;
    wire unused_blocks = &{1'b0, blocks_i};

`ifndef SYNTHESIS
    initial if (Blocks != 0 && (Chain != 16 || MaxRatio != 8)) begin
        $display("sparse_candidates: Chain %0d, MaxRatio %0d: expected 16 and 8 for an N per block", Chain, MaxRatio);
        $finish;
    end
`endif
endmodule
