// The weights of one column of a bit-serial array: the codes of a step cut out of the column's packed stream, `Dot` at a time,
// and their terms.
//
// A step of codes of b bits is b units of `Chain` bits, beginning `unit_i` units into the first of the two pieces.
// Latency 3, a stage each: period 0, with `load_i`: `low_i`, `high_i`, `unit_i`; with `next_i`: the codes behind those before.
// Period 1: the codes of the period; period 2: their terms, with `digit_i` and `selector_i`. `kind_i` (the instruction set's
// Code) and `code_bits_i` belong to all three: to period 0 `shift_bits_i`, to period 1 `kind_i`, to period 2 `term_kind_i`.
// Registered: all outputs.
module serial_column #(
    parameter Chain = 16,
    parameter Dot = 4,
    parameter Codes = 8191,
    parameter CodeBits = 16,
    parameter TermBits = 6
) (
    input  wire                    clk_i,
    input  wire                    enable_i,
    input  wire                    load_i,
    input  wire                    next_i,
    input  wire      [8*Chain-1:0] low_i,
    input  wire      [8*Chain-1:0] high_i,
    input  wire              [2:0] unit_i,
    input  wire              [4:0] shift_bits_i,
    input  wire              [3:0] kind_i,
    input  wire              [3:0] term_kind_i,
    input  wire              [2:0] digit_i,
    input  wire              [1:0] selector_i,
    output wire          [Dot-1:0] term_o,
    output wire          [Dot-1:0] negative_o,
    output wire [TermBits*Dot-1:0] exponent_o
);
`include "isa.vh"

    // ---- Period 0: the stream of the step; `Dot` codes further on ----

    localparam StreamBits = CodeBits * Chain;
    wire [16*Chain-1:0] both = {high_i, low_i};
    wire [16*Chain-1:0] moved_4 = unit_i[2] ? both >> 4 * Chain : both;
    wire [16*Chain-1:0] moved_2 = unit_i[1] ? moved_4 >> 2 * Chain : moved_4;
    wire [16*Chain-1:0] moved = unit_i[0] ? moved_2 >> Chain : moved_2;
    wire unused_moved = &{1'b0, moved};
    reg  [StreamBits-1:0] stream_q;
    reg  [StreamBits-1:0] further;
    integer width;
    always @* begin
        further = stream_q;
        for (width = 2; width <= CodeBits; width = width + 1)
            if (shift_bits_i == width[4:0]) further = stream_q >> width * Dot;
    end
    always @(posedge clk_i) begin
        if (enable_i) begin
            if (load_i) stream_q <= moved[StreamBits-1:0];
            else if (next_i) stream_q <= further;
        end
    end

    // ---- Periods 1 and 2: codes, integers sign-extended to 8 bits; terms ----

    genvar lane;
    generate
        for (lane = 0; lane < Dot; lane = lane + 1) begin : gen_lane
            reg [CodeBits-1:0] code;
            always @* begin
                case (kind_i)
                    IsaCodeInt2: code = {{(CodeBits-8){1'b0}}, {6{stream_q[2*lane+1]}}, stream_q[2*lane+:2]};
                    IsaCodeInt3: code = {{(CodeBits-8){1'b0}}, {5{stream_q[3*lane+2]}}, stream_q[3*lane+:3]};
                    IsaCodeInt4: code = {{(CodeBits-8){1'b0}}, {4{stream_q[4*lane+3]}}, stream_q[4*lane+:4]};
                    IsaCodeInt5: code = {{(CodeBits-8){1'b0}}, {3{stream_q[5*lane+4]}}, stream_q[5*lane+:5]};
                    IsaCodeInt6: code = {{(CodeBits-8){1'b0}}, {2{stream_q[6*lane+5]}}, stream_q[6*lane+:6]};
                    IsaCodeInt7: code = {{(CodeBits-8){1'b0}}, stream_q[7*lane+6], stream_q[7*lane+:7]};
                    IsaCodeInt8: code = {{(CodeBits-8){1'b0}}, stream_q[8*lane+:8]};
                    IsaCodeFp3: code = {{(CodeBits-3){1'b0}}, stream_q[3*lane+:3]};
                    IsaCodeFp4, IsaCodeFlint4: code = {{(CodeBits-4){1'b0}}, stream_q[4*lane+:4]};
                    IsaCodeFp6E2m3, IsaCodeFp6E3m2: code = {{(CodeBits-6){1'b0}}, stream_q[6*lane+:6]};
                    default: code = stream_q[CodeBits*lane+:CodeBits];
                endcase
            end
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
                .kind_i    (term_kind_i),
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

`ifndef SYNTHESIS
    initial if ((CodeBits != 8 && CodeBits != 16) || Dot > Chain) begin
        $display("serial_column: CodeBits %0d, Dot %0d: expected 8 or 16, and at most Chain %0d", CodeBits, Dot, Chain);
        $finish;
    end
`endif
endmodule
