// Number of leading zeros of a 32-bit word: 0 ..= 31, and 31 for zero too (a caller that must tell the two apart pads
// its operand with a one). Combinational: a tree of four levels from nibbles up. No register.
module fp32_leading_zeros (
    input  wire [31:0] data_i,
    output wire  [4:0] count_o
);
    wire  [7:0] zero_4;
    wire [15:0] count_4;
    wire  [3:0] zero_8;
    wire [11:0] count_8;
    wire  [1:0] zero_16;
    wire  [7:0] count_16;

    genvar i;
    generate
        for (i = 0; i < 8; i = i + 1) begin : gen_nibble
            wire [3:0] nibble = data_i[4*i+:4];
            assign zero_4[i] = nibble == 4'd0;
            assign count_4[2*i+:2] = {nibble[3:2] == 2'd0, nibble[3:2] == 2'd0 ? !nibble[1] : !nibble[3]};
        end
        for (i = 0; i < 4; i = i + 1) begin : gen_byte
            assign zero_8[i] = zero_4[2*i+1] && zero_4[2*i];
            assign count_8[3*i+:3] = {zero_4[2*i+1], zero_4[2*i+1] ? count_4[4*i+:2] : count_4[4*i+2+:2]};
        end
        for (i = 0; i < 2; i = i + 1) begin : gen_half
            assign zero_16[i] = zero_8[2*i+1] && zero_8[2*i];
            assign count_16[4*i+:4] = {zero_8[2*i+1], zero_8[2*i+1] ? count_8[6*i+:3] : count_8[6*i+3+:3]};
        end
    endgenerate

    wire unused_zero = zero_16[0];
    assign count_o = {zero_16[1], zero_16[1] ? count_16[3:0] : count_16[7:4]};
endmodule
