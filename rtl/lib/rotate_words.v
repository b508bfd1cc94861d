// Words turned down: word j of the output is word (`offset_i` + j) mod `Words` of the input, for the first `Taken` words.
//
// Combinational: log2 `Words` levels of two-to-one multiplexers, so that synthesis sees no shift by an arbitrary number.
// `Words` is a power of two. Registered: nothing.
module rotate_words #(
    parameter Words = 8,
    parameter Width = 32,
    parameter Taken = 8
) (
    input  wire            [Words*Width-1:0] words_i,
    input  wire [(Words > 1 ? $clog2(Words) : 1)-1:0] offset_i,
    output wire            [Taken*Width-1:0] words_o
);
    localparam Levels = $clog2(Words);
    localparam AllBits = Words * Width;

    reg [AllBits-1:0] turned;
    integer level;
    always @* begin
        turned = words_i;
        for (level = 0; level < Levels; level = level + 1)
            if (offset_i[level]) turned = turned >> (Width << level) | turned << (AllBits - (Width << level));
    end
    assign words_o = turned[Taken*Width-1:0];
    wire unused_words = &{1'b0, turned, offset_i};

`ifndef SYNTHESIS
    initial if ((1 << Levels) != Words || Taken < 1 || Taken > Words) begin
        $display("rotate_words: Words %0d, Taken %0d: expected a power of two, and 1 to as many", Words, Taken);
        $finish;
    end
`endif
endmodule
