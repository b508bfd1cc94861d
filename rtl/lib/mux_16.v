// One of 16 words by index.
//
// Combinational. Under `SYNTHESIS` it is four LUT6 a bit, joined by the F7 and F8 multiplexers behind them, since mapping
// from a description takes five to six; otherwise the same in plain Verilog; the netlist tests of rtl/tests/leaves compare the two.
// Registered: nothing.
// Cells (yosys synth_xilinx -family xcup): 4 LUT6, 2 MUXF7, 1 MUXF8 a bit.
module mux_16 #(
    parameter Width = 8
) (
    input  wire [16*Width-1:0] words_i,
    input  wire          [3:0] index_i,
    output wire    [Width-1:0] word_o
);
`ifdef SYNTHESIS
    genvar at;
    genvar quarter;
    generate
        for (at = 0; at < Width; at = at + 1) begin : gen_bit
            wire [3:0] quarters;
            wire [1:0] halves;
            for (quarter = 0; quarter < 4; quarter = quarter + 1) begin : gen_quarter
                // I5 and I4 choose of I3 to I0.
                LUT6 #(
                    .INIT(64'hFF00_F0F0_CCCC_AAAA)
                ) u_lut (
                    .I0(words_i[Width*(4*quarter+0)+at]),
                    .I1(words_i[Width*(4*quarter+1)+at]),
                    .I2(words_i[Width*(4*quarter+2)+at]),
                    .I3(words_i[Width*(4*quarter+3)+at]),
                    .I4(index_i[0]),
                    .I5(index_i[1]),
                    .O (quarters[quarter])
                );
            end
            MUXF7 u_low (.I0(quarters[0]), .I1(quarters[1]), .S(index_i[2]), .O(halves[0]));
            MUXF7 u_high (.I0(quarters[2]), .I1(quarters[3]), .S(index_i[2]), .O(halves[1]));
            MUXF8 u_word (.I0(halves[0]), .I1(halves[1]), .S(index_i[3]), .O(word_o[at]));
        end
    endgenerate
`else
    // In two steps: of 64 bits Verilator takes a byte with a shift.
    wire [8*Width-1:0] half = index_i[3] ? words_i[8*Width+:8*Width] : words_i[0+:8*Width];
    assign word_o = half[Width*index_i[2:0]+:Width];
`endif
endmodule
