// What the vector unit needs for `share` beside its operand and result registers: whose turn it is on the link, and where
// each beat that leaves the link belongs (docs/src/machine.md, "Shares").
//
// All cores go through the same beats in the same periods. `start_i` begins; `step_i`: a beat is addressed in this period.
// `mine_o` says that it is this core's, `valid_o` the same when its elements stand in the operand registers,
// `VectorOperandCycles` periods later. `exit_i`: a beat leaves the link in this period; `mask_o` says which lanes
// hold elements of it, and in the next period, when it stands in the result registers, `address_o` is its place in the
// vector buffer. Initiation interval 1. Registered: `valid_o`, `address_o`. It moves no data.
module vector_share #(
    parameter Lanes = 8
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    input  wire       [3:0] core_i,       // number of this core
    input  wire             start_i,
    input  wire       [9:0] rows_i,
    input  wire      [17:0] len_i,
    input  wire      [31:0] chunk_i,
    input  wire      [19:0] base_i,
    input  wire      [15:0] stride_i,
    // Out to the link.
    input  wire             step_i,
    output wire             mine_o,
    output wire             part_last_o,
    output wire             last_o,
    output wire             valid_o,
    // In from the link.
    input  wire             exit_i,
    output wire [Lanes-1:0] mask_o,
    output wire      [19:0] address_o
);
    `include "constants.vh"

    // A part longer than any row is a row.
    wire [17:0] chunk = |chunk_i[31:18] ? {18{1'b1}} : chunk_i[17:0];

    wire  [3:0] out_core;
    wire [17:0] unused_out_left;
    wire        unused_out_row_last;
    share_beats #(
        .Lanes(Lanes)
    ) u_out (
        .clk_i      (clk_i),
        .start_i    (start_i),
        .rows_i     (rows_i),
        .len_i      (len_i),
        .chunk_i    (chunk),
        .step_i     (step_i),
        .core_o     (out_core),
        .left_o     (unused_out_left),
        .part_last_o(part_last_o),
        .row_last_o (unused_out_row_last),
        .last_o     (last_o)
    );
    assign mine_o = out_core == core_i;

    reg [VectorOperandCycles:1] mine_q;
    always @(posedge clk_i) begin
        if (!rst_ni) mine_q <= {VectorOperandCycles{1'b0}};
        else mine_q <= {mine_q[VectorOperandCycles-1:1], step_i && mine_o};
    end
    assign valid_o = mine_q[VectorOperandCycles];

    wire [17:0] left;
    wire        part_last;
    wire        row_last;
    wire  [3:0] unused_core;
    wire        unused_last;
    share_beats #(
        .Lanes(Lanes)
    ) u_in (
        .clk_i      (clk_i),
        .start_i    (start_i),
        .rows_i     (rows_i),
        .len_i      (len_i),
        .chunk_i    (chunk),
        .step_i     (exit_i),
        .core_o     (unused_core),
        .left_o     (left),
        .part_last_o(part_last),
        .row_last_o (row_last),
        .last_o     (unused_last)
    );

    genvar lane;
    generate
        for (lane = 0; lane < Lanes; lane = lane + 1) begin : gen_mask
            localparam [17:0] Place = lane;
            assign mask_o[lane] = left > Place;
        end
    endgenerate

    // Addresses are modulo 2^20.
    localparam [19:0] Beat = Lanes[19:0];
    reg  [19:0] row_q;      // the row's first element
    reg  [19:0] part_q;     // the part's
    reg  [19:0] place_q;    // the beat's
    reg  [19:0] address_q;
    wire [19:0] next_row = row_q + {4'd0, stride_i};
    wire [19:0] next_part = row_last ? next_row : part_q + {2'd0, chunk};
    always @(posedge clk_i) begin
        if (start_i) begin
            row_q <= base_i;
            part_q <= base_i;
            place_q <= base_i;
        end else if (exit_i) begin
            place_q <= part_last ? next_part : place_q + Beat;
            if (part_last) part_q <= next_part;
            if (row_last) row_q <= next_row;
        end
        if (exit_i) address_q <= place_q;
    end
    assign address_o = address_q;
endmodule
