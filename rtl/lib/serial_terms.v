// The term of a weight code in a period: a signed power of two, as in hw_config::numeric::terms.
//
// Combinational. Integers and significands are taken apart into radix-4 Booth digits, digit `digit_i` of bits 2 d + 1, 2 d and
// 2 d - 1; codes of a table give the leading one of their magnitude as term 0 and what is left as term 1. Bits of `code_i` above
// those of its type count for integers alone, which must be sign-extended. `kind_i` is the instruction set's Code.
module serial_terms #(
    // Bit i: the i-th Code of the instruction set occurs.
    parameter Codes = 8191,
    parameter CodeBits = 16,
    parameter TermBits = 6
) (
    input  wire [CodeBits-1:0] code_i,
    input  wire          [3:0] kind_i,
    input  wire          [1:0] selector_i,
    input  wire          [2:0] digit_i,
    output reg                 term_o,
    output reg                 negative_o,
    output reg  [TermBits-1:0] exponent_o
);
`include "isa.vh"

    wire [15:0] code = {{(16-CodeBits){1'b0}}, code_i};

    // Codes of a table: magnitude by its ones, {term 1, exponent 1, exponent 0}; term 0 unless all is zero.
    function [5:0] ones(input [4:0] magnitude);
        case (magnitude)
            5'd1:    ones = {1'b0, 2'd0, 3'd0};
            5'd2:    ones = {1'b0, 2'd0, 3'd1};
            5'd3:    ones = {1'b1, 2'd0, 3'd1};
            5'd4:    ones = {1'b0, 2'd0, 3'd2};
            5'd6:    ones = {1'b1, 2'd1, 3'd2};
            5'd8:    ones = {1'b0, 2'd0, 3'd3};
            5'd10:   ones = {1'b1, 2'd1, 3'd3};
            5'd12:   ones = {1'b1, 2'd2, 3'd3};
            default: ones = {1'b0, 2'd0, 3'd4};
        endcase
    endfunction

    reg  [4:0] magnitude;
    reg        table_negative;
    always @* begin
        magnitude = 5'd0;
        table_negative = 1'b0;
        if (Codes[{1'b0, IsaCodeFp3}] && kind_i == IsaCodeFp3) begin
            table_negative = code[2];
            case (code[1:0])
                2'd0: if (code[2]) begin
                    magnitude = selector_i[1] ? 5'd6 : 5'd3;
                    table_negative = selector_i[0];
                end
                2'd3: magnitude = 5'd4;
                default: magnitude = {3'd0, code[1:0]};
            endcase
        end
        if (Codes[{1'b0, IsaCodeFp4}] && kind_i == IsaCodeFp4) begin
            table_negative = code[3];
            case (code[2:0])
                // Halves: 5 and 8.
                3'd0: if (code[3]) begin
                    magnitude = selector_i[1] ? 5'd16 : 5'd10;
                    table_negative = selector_i[0];
                end
                3'd5: magnitude = 5'd6;
                3'd6: magnitude = 5'd8;
                3'd7: magnitude = 5'd12;
                default: magnitude = {2'd0, code[2:0]};
            endcase
        end
        if (Codes[{1'b0, IsaCodeFlint4}] && kind_i == IsaCodeFlint4) begin
            table_negative = code[3];
            case (code[2:0])
                3'd5: magnitude = 5'd6;
                3'd6: magnitude = 5'd8;
                3'd7: magnitude = 5'd16;
                default: magnitude = {2'd0, code[2:0]};
            endcase
        end
    end
    wire [5:0] table_ones = ones(magnitude);
    wire       is_table = (Codes[{1'b0, IsaCodeFp3}] && kind_i == IsaCodeFp3) || (Codes[{1'b0, IsaCodeFp4}] && kind_i == IsaCodeFp4) ||
        (Codes[{1'b0, IsaCodeFlint4}] && kind_i == IsaCodeFlint4);

    // What has digits: an integer of 8 bits, or a significand and the exponent that it is shifted by.
    reg signed [12:0] digits;
    reg         [4:0] shift;
    reg               digits_negative;
    always @* begin
        digits = {{5{code[7]}}, code[7:0]};
        shift = 5'd0;
        digits_negative = 1'b0;
        if (Codes[{1'b0, IsaCodeFp6E2m3}] && kind_i == IsaCodeFp6E2m3) begin
            digits = {9'd0, code[4:3] != 2'd0, code[2:0]};
            shift = {3'd0, code[4:3] == 2'd0 ? 2'd0 : code[4:3] - 2'd1};
            digits_negative = code[5];
        end
        if (Codes[{1'b0, IsaCodeFp6E3m2}] && kind_i == IsaCodeFp6E3m2) begin
            digits = {10'd0, code[4:2] != 3'd0, code[1:0]};
            shift = {2'd0, code[4:2] == 3'd0 ? 3'd0 : code[4:2] - 3'd1};
            digits_negative = code[5];
        end
        if (Codes[{1'b0, IsaCodeF16}] && kind_i == IsaCodeF16) begin
            digits = {2'd0, code[14:10] != 5'd0, code[9:0]};
            shift = code[14:10] == 5'd0 ? 5'd0 : code[14:10] - 5'd1;
            digits_negative = code[15];
        end
    end
    wire signed [13:0] windows = {digits, 1'b0};
    wire signed [13:0] moved = windows >>> {digit_i, 1'b0};
    wire         [2:0] window = moved[2:0];
    wire               twice = window == 3'd3 || window == 3'd4;
    wire         [5:0] digit_exponent = {1'b0, shift} + {2'd0, digit_i, 1'b0} + {5'd0, twice};
    wire unused_bits = &{1'b0, code, moved, digit_exponent};

    always @* begin
        if (is_table) begin
            term_o = magnitude != 5'd0 && (digit_i[0] ? table_ones[5] : 1'b1);
            negative_o = table_negative;
            exponent_o = {{(TermBits-3){1'b0}}, digit_i[0] ? {1'b0, table_ones[4:3]} : table_ones[2:0]};
        end else begin
            term_o = window != 3'd0 && window != 3'd7;
            negative_o = window[2] ^ digits_negative;
            exponent_o = digit_exponent[TermBits-1:0];
        end
    end
endmodule
