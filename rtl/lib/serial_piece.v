// The codes of a place, roughly cut out of the packed stream of one column.
//
// A step of codes of b bits is b eighths of `Chain` bytes, beginning in the first of two pieces; its codes are taken `Dot` at a
// time. So every place begins at a whole number of strips of `Dot` bits, `Chain / Dot` of them an eighth: place p of a step that
// begins u eighths into the piece at strip u x Chain / Dot + p x b, and it is b strips long.
// Latency 1, initiation interval 1: `window_o` is three fours of strips from the `four_i`-th on, so it holds any place of at most 8
// strips that begins in its first four. With codes of 16 bits it is four fours: all of their places begin at a four.
// `enable_i` is the clock enable of every register. Registered: all outputs. Does not part the codes: serial_column does.
module serial_piece #(
    parameter Chain = 16,
    parameter Dot = 4,
    // A step can begin in one piece and end in the next, or has two.
    parameter Straddle = 1,
    parameter CodeBits = 16,
    parameter FourBits = $clog2(4 * Chain / Dot),
    parameter Fours = CodeBits == 16 ? 4 : 3
) (
    input  wire                   clk_i,
    input  wire                   enable_i,
    input  wire     [8*Chain-1:0] low_i,
    input  wire     [8*Chain-1:0] high_i,
    input  wire    [FourBits-1:0] four_i,
    output wire [4*Dot*Fours-1:0] window_o
);
    wire [4*Dot*Fours-1:0] window;
    slice_words #(
        .Words     (4 * Chain / Dot),
        .Width     (4 * Dot),
        .Taken     (Fours),
        .OffsetBits(FourBits)
    ) u_slice (
        .words_i ({Straddle != 0 ? high_i : {8*Chain{1'b0}}, low_i}),
        .offset_i(four_i),
        .words_o (window)
    );
    wire unused_high = &{1'b0, high_i};
    reg [4*Dot*Fours-1:0] window_q;
    always @(posedge clk_i) if (enable_i) window_q <= window;
    assign window_o = window_q;

`ifndef SYNTHESIS
    initial if ((CodeBits != 8 && CodeBits != 16) || Chain % Dot != 0) begin
        $display("serial_piece: CodeBits %0d, Chain %0d, Dot %0d: expected 8 or 16, and a multiple", CodeBits, Chain, Dot);
        $finish;
    end
`endif
endmodule
