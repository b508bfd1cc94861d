// One of four words by index.
//
// Combinational. A module of its own, since its six inputs a bit are those of a LUT, and mapping from a larger description finds
// that seldom. Registered: nothing.
// Cells (yosys synth_xilinx -family xcup): a LUT6 a bit.
module mux_4 #(
    parameter Width = 8
) (
    input  wire [4*Width-1:0] words_i,
    input  wire         [1:0] index_i,
    output wire   [Width-1:0] word_o
);
    wire [Width-1:0] low = index_i[0] ? words_i[Width+:Width] : words_i[0+:Width];
    wire [Width-1:0] high = index_i[0] ? words_i[3*Width+:Width] : words_i[2*Width+:Width];
    assign word_o = index_i[1] ? high : low;
endmodule
