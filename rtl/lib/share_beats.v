// The beats of a `share`, one after the other: row by row, in a row the cores' parts by number, in a part beats of `Lanes`
// elements.
//
// Core k has the elements k x chunk_i up to (k + 1) x chunk_i of a row, or up to its end: the last parts may be short, and
// those without elements have no beat. `start_i` makes the first beat the present one, from the next period on; `step_i`:
// the present beat has been used, the next one follows in the next period. Operands hold still in between.
// Initiation interval 1. Registered: `core_o`, `left_o`; the others are functions of registers. No reset: `start_i` comes
// before the first step. It knows neither addresses nor whose core it stands in.
module share_beats #(
    parameter Lanes = 8
) (
    input  wire        clk_i,
    input  wire        start_i,
    input  wire  [9:0] rows_i,          // at least one
    input  wire [17:0] len_i,           // at least one
    input  wire [17:0] chunk_i,         // at least one
    input  wire        step_i,
    output wire  [3:0] core_o,          // whose part the beat belongs to
    output wire [17:0] left_o,          // elements of the part from this beat on
    output wire        part_last_o,     // the beat is its part's last
    output wire        row_last_o,      // and its row's
    output wire        last_o           // and the last of all
);
    localparam [17:0] Beat = Lanes[17:0];

    reg  [3:0] core_q;
    reg [17:0] left_q;
    reg [17:0] rest_q;        // elements of the row behind the part
    reg  [9:0] rows_left_q;

    wire        part_last = left_q <= Beat;
    wire        row_last = part_last && rest_q == 18'd0;
    // A part is cut from what is left of its row.
    wire [17:0] from = start_i || row_last ? len_i : rest_q;
    wire [17:0] part = chunk_i < from ? chunk_i : from;

    always @(posedge clk_i) begin
        if (start_i || (step_i && part_last)) begin
            left_q <= part;
            rest_q <= from - part;
            core_q <= start_i || row_last ? 4'd0 : core_q + 4'd1;
        end else if (step_i) begin
            left_q <= left_q - Beat;
        end
        if (start_i) rows_left_q <= rows_i;
        else if (step_i && row_last) rows_left_q <= rows_left_q - 10'd1;
    end

    assign core_o = core_q;
    assign left_o = left_q;
    assign part_last_o = part_last;
    assign row_last_o = row_last;
    assign last_o = row_last && rows_left_q == 10'd1;
endmodule
