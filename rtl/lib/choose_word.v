// One of two words.
//
// Combinational. Under `SYNTHESIS` two bits share a LUT6_2, since mapping from a description takes a LUT a bit; otherwise
// the same in plain Verilog; the netlist tests of rtl/tests/leaves compare the two. `Width` is even. Registered: nothing.
// Cells (yosys synth_xilinx -family xcup): a LUT6_2 for two bits.
module choose_word #(
    parameter Width = 8
) (
    input  wire             choose_i,
    // Taken if `choose_i` is 1; if it is 0.
    input  wire [Width-1:0] one_i,
    input  wire [Width-1:0] zero_i,
    output wire [Width-1:0] word_o
);
`ifdef SYNTHESIS
    genvar at;
    generate
        for (at = 0; at < Width; at = at + 2) begin : gen_pair
            // O5: I4 chooses I1 or I0; O6, as I5 is 1: I3 or I2.
            LUT6_2 #(
                .INIT(64'hFF00_F0F0_CCCC_AAAA)
            ) u_lut (
                .I0(zero_i[at]),
                .I1(one_i[at]),
                .I2(zero_i[at+1]),
                .I3(one_i[at+1]),
                .I4(choose_i),
                .I5(1'b1),
                .O5(word_o[at]),
                .O6(word_o[at+1])
            );
        end
    endgenerate
`else
    assign word_o = choose_i ? one_i : zero_i;

    initial if (Width % 2 != 0) begin
        $display("choose_word: Width %0d: expected an even number", Width);
        $finish;
    end
`endif
endmodule
