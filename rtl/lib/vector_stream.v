// Element addresses of one operand, beat by beat and row by row, by additions alone.
//
// `start_i` loads the address of row 0; it is at `address_o` from the next period on. `step_i`: the present address has
// been used; the next one follows in the next period: `Lanes` further, or, after `last_i`, the next row's first.
// With `pair_i` every place of a row is visited twice, the second time `half_i` elements further (rotary pairs); `last_i`
// then belongs to the second visit. With `one_i` a step is one element.
// Registered: `address_o`. No reset: `start_i` comes before the first step. It does not know where a row ends.
module vector_stream #(
    parameter Lanes = 8
) (
    input  wire        clk_i,
    input  wire        start_i,
    input  wire [19:0] base_i,
    input  wire [15:0] stride_i,
    input  wire        pair_i,
    input  wire [16:0] half_i,
    input  wire        one_i,
    input  wire        step_i,
    input  wire        last_i,
    output wire [19:0] address_o
);
    localparam [19:0] Beat = Lanes[19:0];

    reg [19:0] row_q;      // first element of the row
    reg [19:0] place_q;    // of the pair: its first element
    reg [19:0] address_q;
    reg        second_q;

    wire        twice = pair_i && !second_q;
    wire [19:0] next_row = row_q + {4'd0, stride_i};
    wire [19:0] next_place = last_i ? next_row : place_q + (one_i ? 20'd1 : Beat);

    always @(posedge clk_i) begin
        if (start_i) begin
            row_q <= base_i;
            place_q <= base_i;
            address_q <= base_i;
            second_q <= 1'b0;
        end else if (step_i) begin
            second_q <= twice;
            address_q <= twice ? place_q + {3'd0, half_i} : next_place;
            if (!twice) begin
                place_q <= next_place;
                if (last_i) row_q <= next_row;
            end
        end
    end
    assign address_o = address_q;
endmodule
