// Neighbouring words: word j of the output is word `offset_i` + j of the input, zero behind the last.
//
// Combinational: a level of four-to-one multiplexers for every two bits of the offset, the highest first, so that each level passes
// on only what those below it can still choose. Registered: nothing.
module slice_words #(
    parameter Words = 64,
    parameter Width = 4,
    parameter Taken = 8,
    parameter OffsetBits = 6
) (
    input  wire [Words*Width-1:0] words_i,
    input  wire  [OffsetBits-1:0] offset_i,
    output wire [Taken*Width-1:0] words_o
);
    localparam Levels = (OffsetBits + 1) / 2;
    // Words that the widest level gives, and zeros that it may find behind the last.
    localparam Most = (Words > Taken ? Words : Taken) + (1 << 2 * Levels);
    wire [2*Levels-1:0] offset = {{(2*Levels-OffsetBits){1'b0}}, offset_i};

    genvar level;
    generate
        for (level = Levels - 1; level >= 0; level = level - 1) begin : gen_level
            // It moves by 0 to 3 times `Step` words; those below it by up to `Step` - 1.
            localparam Step = 1 << 2 * level;
            localparam Given = Taken + Step - 1;
            wire [Most*Width-1:0] from;
            if (level == Levels - 1) begin : gen_first
                assign from = {{(Most-Words)*Width{1'b0}}, words_i};
            end else begin : gen_next
                assign from = {{(Most-Taken-4*Step+1)*Width{1'b0}}, gen_level[level+1].moved};
            end
            wire [Given*Width-1:0] moved;
            mux_4 #(.Width(Given * Width)) u_mux (
                .words_i({from[3*Step*Width+:Given*Width], from[2*Step*Width+:Given*Width], from[Step*Width+:Given*Width],
                          from[0+:Given*Width]}),
                .index_i(offset[2*level+:2]),
                .word_o (moved)
            );
            wire unused_from = &{1'b0, from};
        end
    endgenerate
    assign words_o = gen_level[0].moved;
endmodule
