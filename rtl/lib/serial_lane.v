// One code of a place of a bit-serial array's column, whatever its width.
//
// Combinational. A place of codes of b bits is a stream of them: that of number `Lane` begins at bit b x `Lane` of `place_i`, or of
// 16 bits is `wide_i`. Above the code's bits stand those of the next, but where b is odd (or 2) its sign once more, since Booth
// digits, which the terms of integers are, take two bits each. Registered: nothing.
module serial_lane #(
    parameter Dot = 4,
    parameter Lane = 3,
    parameter CodeBits = 16
) (
    input  wire    [8*Dot-1:0] place_i,
    input  wire [CodeBits-1:0] wide_i,
    // 2 to 8, or 16.
    input  wire          [4:0] bits_i,
    output wire [CodeBits-1:0] code_o
);
    wire [7:0] code_2 = {4'd0, {2{place_i[2*Lane+1]}}, place_i[2*Lane+:2]};
    wire [7:0] code_3 = {place_i[3*Lane+4+:4], place_i[3*Lane+2], place_i[3*Lane+:3]};
    wire [7:0] code_5 = {place_i[5*Lane+6+:2], place_i[5*Lane+4], place_i[5*Lane+:5]};
    wire [7:0] code_7 = {place_i[7*Lane+6], place_i[7*Lane+:7]};

    // By the low bits of the width, those of 8 and 16 being 0.
    wire [7:0] upper;
    wire [7:0] lower;
    mux_4 #(.Width(8)) u_upper (
        .words_i({code_7, place_i[6*Lane+:8], code_5, place_i[4*Lane+:8]}),
        .index_i(bits_i[1:0]),
        .word_o (upper)
    );
    mux_4 #(.Width(8)) u_lower (
        .words_i({code_3, code_2, {2{place_i[8*Lane+:8]}}}),
        .index_i(bits_i[1:0]),
        .word_o (lower)
    );
    wire [7:0] narrow = bits_i[2] ? upper : lower;
    generate
        if (CodeBits == 16) begin : gen_wide
            assign code_o = bits_i[4] ? wide_i : {8'd0, narrow};
        end else begin : gen_narrow
            wire unused_wide = &{1'b0, wide_i};
            assign code_o = narrow;
        end
    endgenerate
    wire unused_bits = &{1'b0, bits_i, place_i};
endmodule
