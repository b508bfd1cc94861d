// The weights of one column of a bit-serial array: the `Dot` codes of a place, parted, and their terms.
//
// Latency 2, initiation interval 1, a stage each. Period 0: the codes are parted: `window_i` is that of serial_piece, the place
// begins `strip_i` strips of `Dot` bits into it, and its codes have `bits_i` bits. Period 1: their terms, with the instruction
// set's Code `kind_i`, `digit_i` and `selector_i`; only digits that the code has terms for may be asked of it.
// `enable_i` is the clock enable of every register. Registered: all outputs.
module serial_column #(
    parameter Dot = 4,
    parameter Codes = 8191,
    parameter CodeBits = 16,
    parameter TermBits = 6,
    parameter Fours = CodeBits == 16 ? 4 : 3
) (
    input  wire                    clk_i,
    input  wire                    enable_i,
    input  wire  [4*Dot*Fours-1:0] window_i,
    input  wire              [1:0] strip_i,
    input  wire              [4:0] bits_i,
    input  wire              [3:0] kind_i,
    input  wire              [2:0] digit_i,
    input  wire              [1:0] selector_i,
    output wire          [Dot-1:0] term_o,
    output wire          [Dot-1:0] negative_o,
    output wire [TermBits*Dot-1:0] exponent_o
);
    // Codes of up to 8 bits from the place's first bit on.
    wire [8*Dot-1:0] place;
    slice_words #(
        .Words     (12),
        .Width     (Dot),
        .Taken     (8),
        .OffsetBits(2)
    ) u_place (
        .words_i (window_i[12*Dot-1:0]),
        .offset_i(strip_i),
        .words_o (place)
    );

    genvar lane;
    generate
        for (lane = 0; lane < Dot; lane = lane + 1) begin : gen_lane
            wire [CodeBits-1:0] code;
            serial_lane #(
                .Dot     (Dot),
                .Lane    (lane),
                .CodeBits(CodeBits)
            ) u_lane (
                .place_i(place),
                .wide_i (window_i[CodeBits*lane+:CodeBits]),
                .bits_i (bits_i),
                .code_o (code)
            );
            reg           [CodeBits-1:0] code_q;
            wire                         term;
            wire                         negative;
            wire          [TermBits-1:0] exponent;
            serial_terms #(
                .Codes   (Codes),
                .CodeBits(CodeBits),
                .TermBits(TermBits)
            ) u_terms (
                .code_i    (code_q),
                .kind_i    (kind_i),
                .selector_i(selector_i),
                .digit_i   (digit_i),
                .term_o    (term),
                .negative_o(negative),
                .exponent_o(exponent)
            );
            reg                term_q;
            reg                negative_q;
            reg [TermBits-1:0] exponent_q;
            always @(posedge clk_i) begin
                if (enable_i) begin
                    code_q <= code;
                    term_q <= term;
                    negative_q <= negative;
                    exponent_q <= exponent;
                end
            end
            assign term_o[lane] = term_q;
            assign negative_o[lane] = negative_q;
            assign exponent_o[TermBits*lane+:TermBits] = exponent_q;
        end
    endgenerate
endmodule
