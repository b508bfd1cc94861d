// The weights of one column's step as `Chain` signed 8-bit codes: cut out of the column's packed stream, sign-extended,
// and with two-level scales multiplied by the integer scale of their group (the product fits 8 bits by contract;
// this module does not check it).
//
// A step of codes of b bits is b units of `Chain` bits of the stream, beginning `unit_i` units into the chunk. From the fifth unit
// (4) on, the first half of the piece is that of the chunk behind.
// Under `SYNTHESIS` the product is two factors of two bits with their carries written out, six inputs and a LUT a bit;
// otherwise the same in plain Verilog; the netlist tests of rtl/tests/leaves compare the two.
// Latency 3 from `piece_i` and `unit_i`: period 0; `code_bits_i` belongs to the same step one period later,
// `two_level_i` and `integer_scale_i` two. Initiation interval 1; `enable_i` is the clock enable of every register.
// Registered: `codes_o`.
module weight_expander #(
    parameter Chain = 16,
    // Bit i: codes of the i-th of the widths 2, 3, 4, 5, 8 occur.
    parameter CodeWidths = 31,
    // 0: no step begins in one chunk and ends in the next.
    parameter Straddle = 1,
    // 0: no two-level scales; `two_level_i` and `integer_scale_i` are not read, and the latency stays.
    parameter TwoLevel = 1
) (
    input  wire               clk_i,
    input  wire               enable_i,
    input  wire [8*Chain-1:0] piece_i,
    input  wire         [2:0] unit_i,
    input  wire         [3:0] code_bits_i,
    input  wire               two_level_i,
    input  wire         [3:0] integer_scale_i,
    output wire [8*Chain-1:0] codes_o
);
    // Codes of 8 bits always begin with a chunk; of the others, the widest has as many units that move as it has bits.
    // Codes of 3 and 5 bits begin at any unit, of 2 bits at even ones, of 4 bits at the fifth (unit 4) or the first.
    localparam Moving = (CodeWidths[3] ? 5 : CodeWidths[2] ? 4 : CodeWidths[1] ? 3 : CodeWidths[0] ? 2 : 0) * Chain;
    localparam [2:0] UnitMask = Straddle != 0 ? 3'd7 : CodeWidths[0] ? 3'd6 : CodeWidths[2] ? 3'd4 : 3'd0;
    wire         [2:0] unit = unit_i & UnitMask;
    wire [8*Chain-1:0] turned = unit[2] ? {piece_i[4*Chain-1:0], piece_i[8*Chain-1:4*Chain]} : piece_i;
    wire [8*Chain-1:0] shifted_2 = unit[1] ? turned >> 2 * Chain : turned;
    wire [8*Chain-1:0] shifted = unit[0] ? shifted_2 >> Chain : shifted_2;
    wire unused_shifted_bits = &{1'b0, shifted, unit_i};
    wire [8*Chain-1:0] stream;
    generate
        if (Moving == 0) begin : gen_bytes
            assign stream = piece_i;
        end else begin : gen_moving
            assign stream = {piece_i[8*Chain-1:Moving], shifted[Moving-1:0]};
        end
    endgenerate
    reg wide_q;
    // Bits of the widest codes that have a scale: those of 8 bits have none but 1.
    localparam Narrow = CodeWidths[3] ? 5 : CodeWidths[2] ? 4 : CodeWidths[1] ? 3 : 2;
    wire       wide = CodeWidths[4] && (CodeWidths[3:0] == 4'd0 || wide_q);
    // Codes of one level are multiplied by one; wide ones pass beside the product.
    wire [3:0] scale = wide ? 4'd0 : two_level_i ? integer_scale_i : 4'd1;

    reg [8*Chain-1:0] stream_q;
    reg [8*Chain-1:0] code_q;
    reg [8*Chain-1:0] product_q;
    wire [8*Chain-1:0] product;
    reg [8*Chain-1:0] extended;
    integer i;
    always @* begin
        extended = stream_q;
        if (CodeWidths[0] && code_bits_i == 4'd2) begin
            for (i = 0; i < Chain; i = i + 1) extended[8*i+:8] = {{6{stream_q[2*i+1]}}, stream_q[2*i+:2]};
        end
        if (CodeWidths[1] && code_bits_i == 4'd3) begin
            for (i = 0; i < Chain; i = i + 1) extended[8*i+:8] = {{5{stream_q[3*i+2]}}, stream_q[3*i+:3]};
        end
        if (CodeWidths[2] && code_bits_i == 4'd4) begin
            for (i = 0; i < Chain; i = i + 1) extended[8*i+:8] = {{4{stream_q[4*i+3]}}, stream_q[4*i+:4]};
        end
        if (CodeWidths[3] && code_bits_i == 4'd5) begin
            for (i = 0; i < Chain; i = i + 1) extended[8*i+:8] = {{3{stream_q[5*i+4]}}, stream_q[5*i+:5]};
        end
    end
    wire unused_extended = &{1'b0, extended};

    integer j;
    always @(posedge clk_i) begin
        if (enable_i) begin
            stream_q <= stream;

            // Sign-extended as far as the product looks at them; above are the bits of wide codes.
            for (j = 0; j < Chain; j = j + 1)
                code_q[8*j+:8] <= {stream_q[8*j+Narrow+:8-Narrow], extended[8*j+:Narrow]};
            wide_q <= code_bits_i == 4'd8;

            product_q <= product;
        end
    end
    assign codes_o = product_q;

`ifdef SYNTHESIS
    genvar lane;
    generate
        for (lane = 0; lane < Chain; lane = lane + 1) begin : gen_lane
            wire [7:0] code = code_q[8*lane+:8];
            if (TwoLevel != 0) begin : gen_scaled
                assign product[8*lane+:8] = scaled(code, scale, wide);
            end else begin : gen_code
                assign product[8*lane+:8] = {wide ? code[7:Narrow] : {(8-Narrow){code[Narrow-1]}}, code[Narrow-1:0]};
            end
        end
        if (TwoLevel == 0) begin : gen_no_scale
            wire unused_scale = &{1'b0, scale};
        end
    endgenerate

    // A narrow code times two bits of a scale.
    function [6:0] times(input [6:0] code, input [1:0] factor);
        reg [6:0] once;
        reg [6:0] twice;
        reg       carry;
        integer   at;
        begin
            once = code & {7{factor[0]}};
            twice = {code[5:0], 1'b0} & {7{factor[1]}};
            carry = 1'b0;
            for (at = 0; at < 7; at = at + 1) begin
                times[at] = once[at] ^ twice[at] ^ carry;
                carry = once[at] & twice[at] | carry & (once[at] | twice[at]);
            end
        end
    endfunction

    function [7:0] scaled(input [7:0] code, input [3:0] factor, input is_wide);
        reg [6:0] signed_code;
        reg [6:0] low;
        reg [5:0] high;
        reg       unused_high;
        begin
            signed_code = {{(7-Narrow){code[Narrow-1]}}, code[Narrow-1:0]};
            low = times(signed_code, factor[1:0]);
            {unused_high, high} = times(signed_code, factor[3:2]);
            scaled[1:0] = is_wide ? code[1:0] : low[1:0];
            scaled[7:2] = {low[6], low[6:2]} + (is_wide ? code[7:2] : high);
        end
    endfunction
`else
    wire [3:0] factor = TwoLevel != 0 ? scale : 4'd1;
    reg  [8*Chain-1:0] products;
    integer lane;
    always @* begin
        products = code_q;
        if (!wide) begin
            for (lane = 0; lane < Chain; lane = lane + 1)
                products[8*lane+:8] =
                    {{(8-Narrow){code_q[8*lane+Narrow-1]}}, code_q[8*lane+:Narrow]} * {4'd0, factor};
        end
    end
    assign product = products;
    wire unused_scale = &{1'b0, scale, factor};
`endif
endmodule
