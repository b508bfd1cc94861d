// Sums of rows of f32, in the order of hw_config::numeric::reduce: a tree over the lanes of a beat (neighbours first),
// beat i of the row into partial sum i mod `SumPartials`, a tree over the partial sums. Every addition is fp32_add.
//
// A row is a run of beats without a gap, `last_i` with its last; the next row may begin in the next period.
// Lanes past the end of the row must hold +0. Latency 8 (clog2(Lanes) + 4) + 1 from `last_i` to `valid_o` and `sum_o`.
// Initiation interval 1 beat. Registered: all outputs. It takes one row's beats at a time and no stall.
//
// Why the accumulator needs no control but a multiplexer: its adder takes as many periods, so what comes out of it is the
// partial sum that the present beat belongs to. The first beat of each partial sum takes +0 instead.
module reduce_sum #(
    parameter Lanes = 8
) (
    input  wire                clk_i,
    input  wire                rst_ni,
    input  wire                valid_i,
    input  wire                last_i,
    input  wire [32*Lanes-1:0] data_i,
    output wire                valid_o,
    output wire         [31:0] sum_o
);
    `include "constants.vh"

    localparam Levels = $clog2(Lanes);
    localparam TreeCycles = AddCycles * Levels;
    localparam Partials = SumPartials;
    localparam TurnBits = $clog2(Partials);

    // The tree as a heap: node n adds nodes 2n + 1 and 2n + 2; the lanes are the last nodes.
    wire [32*(2*Lanes-1)-1:0] node;
    assign node[32*(Lanes-1)+:32*Lanes] = data_i;
    genvar n;
    generate
        for (n = 0; n < Lanes - 1; n = n + 1) begin : gen_tree
            fp32_add u_add (
                .clk_i     (clk_i),
                .a_i       (node[32*(2*n+1)+:32]),
                .b_i       (node[32*(2*n+2)+:32]),
                .subtract_i(1'b0),
                .y_o       (node[32*n+:32])
            );
        end
    endgenerate
    wire [31:0] beat = node[31:0];

    // Valid and last of the beats in the tree and in the accumulator: bit i is i periods after the inputs.
    localparam Tags = TreeCycles + AddCycles + 1;
    reg [Tags-1:1] valid_q;
    reg [Tags-1:1] last_q;
    wire [Tags-1:0] valid = {valid_q, valid_i};
    wire [Tags-1:0] last = {last_q, valid_i && last_i};
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            valid_q <= {Tags - 1{1'b0}};
            last_q <= {Tags - 1{1'b0}};
        end else begin
            valid_q <= valid[Tags-2:0];
            last_q <= last[Tags-2:0];
        end
    end

    // Accumulator. `turn_q`: partial sum of the beat that enters; `again_q`: it has one from an earlier beat.
    wire enter = valid[TreeCycles];
    wire enter_last = last[TreeCycles];
    reg [TurnBits-1:0] turn_q;
    reg                again_q;
    always @(posedge clk_i) begin
        if (!rst_ni || (enter && enter_last)) begin
            turn_q <= {TurnBits{1'b0}};
            again_q <= 1'b0;
        end else if (enter) begin
            turn_q <= turn_q + 1'b1;
            again_q <= again_q || &turn_q;
        end
    end

    wire [31:0] accumulated;
    fp32_add u_accumulate (
        .clk_i     (clk_i),
        .a_i       (again_q ? accumulated : 32'd0),
        .b_i       (beat),
        .subtract_i(1'b0),
        .y_o       (accumulated)
    );

    // The partial sums of the row that leaves the accumulator; its first beat clears those that get none.
    wire leave = valid[TreeCycles+AddCycles];
    wire leave_last = last[TreeCycles+AddCycles];
    reg                   first_leaves_q;
    reg    [TurnBits-1:0] leave_turn_q;
    reg [32*Partials-1:0] partial_q;
    always @(posedge clk_i) begin
        if (!rst_ni || (leave && leave_last)) begin
            first_leaves_q <= 1'b1;
            leave_turn_q <= {TurnBits{1'b0}};
        end else if (leave) begin
            first_leaves_q <= 1'b0;
            leave_turn_q <= leave_turn_q + 1'b1;
        end
    end
    integer i;
    always @(posedge clk_i) begin
        if (leave) begin
            for (i = 0; i < Partials; i = i + 1)
                if (leave_turn_q == i[TurnBits-1:0]) partial_q[32*i+:32] <= accumulated;
                else if (first_leaves_q) partial_q[32*i+:32] <= 32'd0;
        end
    end

    // The tree over the partial sums, a heap again. They stand still for one period only: that is all it needs.
    wire [32*(2*Partials-1)-1:0] partial;
    assign partial[32*(Partials-1)+:32*Partials] = partial_q;
    generate
        for (n = 0; n < Partials - 1; n = n + 1) begin : gen_partials
            fp32_add u_add (
                .clk_i     (clk_i),
                .a_i       (partial[32*(2*n+1)+:32]),
                .b_i       (partial[32*(2*n+2)+:32]),
                .subtract_i(1'b0),
                .y_o       (partial[32*n+:32])
            );
        end
    endgenerate
    assign sum_o = partial[31:0];

    localparam SumTags = AddCycles * TurnBits + PartialGatherCycles;
    reg [SumTags-1:0] sum_valid_q;
    always @(posedge clk_i) begin
        if (!rst_ni) sum_valid_q <= {SumTags{1'b0}};
        else sum_valid_q <= {sum_valid_q[SumTags-2:0], leave && leave_last};
    end
    assign valid_o = sum_valid_q[SumTags-1];

`ifndef SYNTHESIS
    initial if (Lanes < 1 || (1 << Levels) != Lanes) begin
        $display("reduce_sum: Lanes %0d: expected a power of two", Lanes);
        $finish;
    end
`endif
endmodule
