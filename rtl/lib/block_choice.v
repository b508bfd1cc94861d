// The block of its window from which each pair of a step's stored weights picks its activations: its word of 16.
//
// With an N per block it is the block whose density byte claims the pair: bits 5 to 0 are the first of a block's pairs in the
// window, bits 7 and 6 log2 of how many they are, and a block begins at a multiple of its own length. Of bytes that
// no window has, numbers are or-ed, and no claim gives 0 (hw_config::numeric::density). With one N for all of
// 16 it follows from M / N. Latency 1, initiation interval 1; `enable_i` is the clock enable of every register.
// Registered: `blocks_o`. Chains have 16 multipliers.
module block_choice (
    input  wire        clk_i,
    input  wire        enable_i,
    // The window's density bytes, and the step's number in the window.
    input  wire [63:0] density_i,
    input  wire  [2:0] phase_i,
    // 1: an N per block; 0: M / N is `ratio_i`.
    input  wire        of_blocks_i,
    input  wire  [3:0] ratio_i,
    // 3 bits for each of 8 pairs.
    output wire [23:0] blocks_o
);
    reg [23:0] blocks;
    reg [23:0] blocks_q;
    reg  [5:0] different;
    integer pair;
    integer block;
    always @* begin
        blocks = 24'd0;
        different = 6'd0;
        for (pair = 0; pair < 8; pair = pair + 1) begin
            if (of_blocks_i) begin
                for (block = 0; block < 8; block = block + 1) begin
                    different = density_i[8*block+:6] ^ {phase_i, pair[2:0]};
                    if (different >> density_i[8*block+6+:2] == 6'd0)
                        blocks[3*pair+:3] = blocks[3*pair+:3] | block[2:0];
                end
            end else if (ratio_i == 4'd8) begin
                blocks[3*pair+:3] = pair[2:0];
            end else if (ratio_i == 4'd4) begin
                blocks[3*pair+:3] = {1'b0, pair[2:1]};
            end else begin
                blocks[3*pair+:3] = {2'b00, pair[2]};
            end
        end
    end
    always @(posedge clk_i) if (enable_i) blocks_q <= blocks;
    assign blocks_o = blocks_q;
endmodule
