// Two INT8 products with one shared factor in one DSP48E2: cascade_o = cascade_i + ((hi << 18) + lo) * shared, wrapped to
// 48 bits, as hw_config::numeric::packed::packed_pair_mac.
//
// Latency 4 from the operands, 1 from `cascade_i`; initiation interval 1; `enable_i` is the clock enable of every
// register. The low lane is exact for at most 7 products; this module does not count them and does not part the lanes.
// `First`: nothing is added, `cascade_i` is not read. Registered: `cascade_o` and `sum_o`, which are equal (`dsp48e2.v`). Registers of the DSP48E2: A, D and B1; AD and B2; M; P.
// Cells (yosys synth_xilinx -family xcup): 1 DSP48E2.
module dsp_pair_mac #(
    parameter First = 0
) (
    input  wire        clk_i,
    input  wire        enable_i,
    input  wire  [7:0] hi_i,
    input  wire  [7:0] lo_i,
    input  wire  [7:0] shared_i,
    input  wire [47:0] cascade_i,
    output wire [47:0] cascade_o,
    output wire [47:0] sum_o
);
    dsp48e2 #(
        .ARegisters(1),
        .BRegisters(2),
        .DRegisters(1),
        .PreAdd    (1),
        .Addend    (First != 0 ? 0 : 1)
    ) u_dsp (
        .clk_i    (clk_i),
        .enable_i (enable_i),
        .a_i      ({hi_i[7], hi_i, 18'd0}),
        .b_i      ({{10{shared_i[7]}}, shared_i}),
        .c_i      (48'd0),
        .d_i      ({{19{lo_i[7]}}, lo_i}),
        .cascade_i(cascade_i),
        .cascade_o(cascade_o),
        .p_o      (sum_o)
    );
endmodule
