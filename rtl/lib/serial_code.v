// What the units of a bit-serial array must know of a weight code (the instruction set's Code): its bits, its terms, whether its
// groups have special values, and log2 of its unit, as in hw_config::numeric::code.
//
// Combinational.
module serial_code (
    input  wire [3:0] kind_i,
    output reg  [4:0] bits_o,
    output reg  [2:0] terms_o,
    output reg        special_o,
    output reg  [5:0] unit_o
);
`include "isa.vh"

    always @* begin
        case (kind_i)
            IsaCodeInt2:    {bits_o, terms_o, special_o, unit_o} = {5'd2, 3'd2, 1'b0, 6'd0};
            IsaCodeInt3:    {bits_o, terms_o, special_o, unit_o} = {5'd3, 3'd2, 1'b0, 6'd0};
            IsaCodeInt4:    {bits_o, terms_o, special_o, unit_o} = {5'd4, 3'd2, 1'b0, 6'd0};
            IsaCodeInt5:    {bits_o, terms_o, special_o, unit_o} = {5'd5, 3'd3, 1'b0, 6'd0};
            IsaCodeInt6:    {bits_o, terms_o, special_o, unit_o} = {5'd6, 3'd3, 1'b0, 6'd0};
            IsaCodeInt7:    {bits_o, terms_o, special_o, unit_o} = {5'd7, 3'd4, 1'b0, 6'd0};
            IsaCodeFp3:     {bits_o, terms_o, special_o, unit_o} = {5'd3, 3'd2, 1'b1, 6'd0};
            IsaCodeFp4:     {bits_o, terms_o, special_o, unit_o} = {5'd4, 3'd2, 1'b1, -6'd1};
            IsaCodeFp6E2m3: {bits_o, terms_o, special_o, unit_o} = {5'd6, 3'd3, 1'b0, -6'd3};
            IsaCodeFp6E3m2: {bits_o, terms_o, special_o, unit_o} = {5'd6, 3'd3, 1'b0, -6'd4};
            IsaCodeFlint4:  {bits_o, terms_o, special_o, unit_o} = {5'd4, 3'd2, 1'b0, 6'd0};
            IsaCodeF16:     {bits_o, terms_o, special_o, unit_o} = {5'd16, 3'd6, 1'b0, -6'd24};
            default:        {bits_o, terms_o, special_o, unit_o} = {5'd8, 3'd4, 1'b0, 6'd0};
        endcase
    end
endmodule
