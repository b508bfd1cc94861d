// The weights of one column's step as `Chain` signed 8-bit codes: cut out of the column's packed stream, sign-extended,
// and with two-level scales multiplied by the integer scale of their group (the product fits 8 bits by contract;
// this module does not check it).
//
// A step of codes of b bits is b units of `Chain` bits of the stream, beginning `unit_i` units into the chunk.
// Latency 3 from `low_i`, `high_i` and `unit_i`: period 0; `code_bits_i` belongs to the same step one period later,
// `two_level_i` and `integer_scale_i` two. Initiation interval 1; `enable_i` is the clock enable of every register.
// Registered: `codes_o`.
module weight_expander #(
    parameter Chain = 16,
    // Bit i: codes of the i-th width of the instruction set's CodeBits (2, 3, 4, 5, 8) occur.
    parameter CodeWidths = 31
) (
    input  wire               clk_i,
    input  wire               enable_i,
    // The column's piece of the chunk in which the step begins, and of the one behind it.
    input  wire [8*Chain-1:0] low_i,
    input  wire [8*Chain-1:0] high_i,
    input  wire         [2:0] unit_i,
    input  wire         [3:0] code_bits_i,
    input  wire               two_level_i,
    input  wire         [3:0] integer_scale_i,
    output wire [8*Chain-1:0] codes_o
);
    // Codes of 8 bits always begin with a chunk; those of up to 5 bits have 5 units that move.
    localparam Moving = 5 * Chain;
    wire [16*Chain-1:0] shifted = {high_i, low_i} >> (unit_i * Chain);
    wire unused_shifted_bits = &{1'b0, shifted};

    reg [8*Chain-1:0] stream_q;
    reg [8*Chain-1:0] code_q;
    reg [8*Chain-1:0] product_q;
    integer i;
    always @(posedge clk_i) begin
        if (enable_i) begin
            stream_q <= {low_i[8*Chain-1:Moving], shifted[Moving-1:0]};

            code_q <= stream_q;
            if (CodeWidths[0] && code_bits_i == 4'd2) begin
                for (i = 0; i < Chain; i = i + 1) code_q[8*i+:8] <= {{6{stream_q[2*i+1]}}, stream_q[2*i+:2]};
            end
            if (CodeWidths[1] && code_bits_i == 4'd3) begin
                for (i = 0; i < Chain; i = i + 1) code_q[8*i+:8] <= {{5{stream_q[3*i+2]}}, stream_q[3*i+:3]};
            end
            if (CodeWidths[2] && code_bits_i == 4'd4) begin
                for (i = 0; i < Chain; i = i + 1) code_q[8*i+:8] <= {{4{stream_q[4*i+3]}}, stream_q[4*i+:4]};
            end
            if (CodeWidths[3] && code_bits_i == 4'd5) begin
                for (i = 0; i < Chain; i = i + 1) code_q[8*i+:8] <= {{3{stream_q[5*i+4]}}, stream_q[5*i+:5]};
            end

            product_q <= code_q;
            if (two_level_i) begin
                for (i = 0; i < Chain; i = i + 1) product_q[8*i+:8] <= scaled(code_q[8*i+:8], integer_scale_i);
            end
        end
    end
    assign codes_o = product_q;

    // The low 8 bits of a product do not depend on the signs; written as additions, which stay out of the DSPs.
    function [7:0] scaled(input [7:0] code, input [3:0] scale);
        scaled = (code & {8{scale[0]}}) + ({code[6:0], 1'd0} & {8{scale[1]}})
            + ({code[5:0], 2'd0} & {8{scale[2]}}) + ({code[4:0], 3'd0} & {8{scale[3]}});
    endfunction
endmodule
