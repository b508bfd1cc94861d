// INT32 sums over the steps of a slot, two a chain, and the sums of the slot before, which are being drained.
//
// In the period in which `last_i` belongs to a slot, its sums (that of the same period included) are complete; from the
// next period on they can be read for as long as the next slot is not complete. Sums wrap; they fit by contract.
// Reads: latency 2, initiation interval 1: in period 0 `group_i` selects `ScaleLanes` neighbouring chains; one period later
// `interleaved_i` and `second_i` select `ScaleLanes` of their sums: the first or second half of them in the order of
// chains and in each lo, hi (dense `mv`: columns), or all lo or all hi ones (a row).
// `enable_i` is the clock enable of the sums. Registered: `word_o`.
module accumulator_bank #(
    parameter Chains = 16,
    parameter ScaleLanes = 4,
    parameter GroupBits = 2
) (
    input  wire                     clk_i,
    input  wire                     enable_i,
    // Step, first step of a slot, last period of a slot; lo and hi of each chain.
    input  wire                     step_i,
    input  wire                     first_i,
    input  wire                     last_i,
    input  wire     [64*Chains-1:0] sums_i,
    input  wire     [GroupBits-1:0] group_i,
    input  wire                     interleaved_i,
    input  wire                     second_i,
    output wire [32*ScaleLanes-1:0] word_o
);
    reg [64*Chains-1:0] sum_q;
    reg [64*Chains-1:0] drained_q;
    reg [64*Chains-1:0] sum_d;

    integer i;
    always @* begin
        sum_d = sum_q;
        if (step_i) begin
            for (i = 0; i < 2 * Chains; i = i + 1)
                sum_d[32*i+:32] = (first_i ? 32'd0 : sum_q[32*i+:32]) + sums_i[32*i+:32];
        end
    end
    always @(posedge clk_i) begin
        if (enable_i) begin
            if (step_i) sum_q <= sum_d;
            if (last_i) drained_q <= sum_d;
        end
    end

    reg [64*ScaleLanes-1:0] group_q;
    reg [32*ScaleLanes-1:0] word_q;
    integer lane;
    always @(posedge clk_i) begin
        group_q <= drained_q[64*ScaleLanes*group_i+:64*ScaleLanes];
        if (interleaved_i) begin
            word_q <= second_i ? group_q[32*ScaleLanes+:32*ScaleLanes] : group_q[0+:32*ScaleLanes];
        end else begin
            for (lane = 0; lane < ScaleLanes; lane = lane + 1)
                word_q[32*lane+:32] <= second_i ? group_q[64*lane+32+:32] : group_q[64*lane+:32];
        end
    end
    assign word_o = word_q;
endmodule
