// One DSP48E2 as a signed multiplier with an adder behind it: p_o = z + (a_i [+ d_i]) * b_i, wrapped to 48 bits, where z is 0,
// `c_i`, or what the DSP48E2 below gives, whole or shifted right by 17 bits.
//
// Under `SYNTHESIS` it is the primitive itself, otherwise the same in plain Verilog; rtl/tests/dsp48e2.rs compares the two.
// Registers as the parameters say, all with `enable_i`; latency from an operand: its registers, M and P; from
// `cascade_i` 1. Initiation interval 1. It has no reset, no pattern detector, and no dynamic mode.
// Registered: `p_o` and `cascade_o`, which are equal: fabric takes the one, the next DSP48E2 the other.
// Cells (yosys synth_xilinx -family xcup): 1 DSP48E2.
module dsp48e2 #(
    // Registers in front of the multiplier: of A, of B (0 to 2), of D.
    parameter ARegisters = 1,
    parameter BRegisters = 1,
    parameter DRegisters = 0,
    // 1: the multiplier takes A + D, which is registered.
    parameter PreAdd = 0,
    parameter CRegisters = 0,
    // What is added to the product: 0: nothing, 1: `cascade_i`, 3: `c_i`, 5: `cascade_i` shifted right by 17 bits, signed.
    parameter Addend = 0
) (
    input  wire        clk_i,
    input  wire        enable_i,
    input  wire [26:0] a_i,
    input  wire [17:0] b_i,
    input  wire [47:0] c_i,
    input  wire [26:0] d_i,
    input  wire [47:0] cascade_i,
    output wire [47:0] cascade_o,
    output wire [47:0] p_o
);
`ifdef SYNTHESIS
    localparam [2:0] Z = Addend;
    DSP48E2 #(
        .AREG(ARegisters), .ACASCREG(ARegisters), .BREG(BRegisters), .BCASCREG(BRegisters), .CREG(CRegisters),
        .DREG(DRegisters), .ADREG(PreAdd), .MREG(1), .PREG(1), .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0),
        .INMODEREG(0), .OPMODEREG(0), .A_INPUT("DIRECT"), .B_INPUT("DIRECT"), .AMULTSEL(PreAdd != 0 ? "AD" : "A"),
        .BMULTSEL("B"), .PREADDINSEL("A"), .USE_MULT("MULTIPLY")
    ) u_dsp48e2 (
        .CLK(clk_i), .A({{3{a_i[26]}}, a_i}), .B(b_i), .C(c_i), .D(d_i), .PCIN(cascade_i), .PCOUT(cascade_o), .P(p_o),
        .OPMODE({2'b00, Z, 4'b0101}), .ALUMODE(4'b0000), .INMODE(PreAdd != 0 ? 5'b00100 : 5'b00000),
        .CARRYIN(1'b0), .CARRYINSEL(3'b000), .ACIN(30'd0), .BCIN(18'd0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
        .CEA1(enable_i), .CEA2(enable_i), .CEB1(enable_i), .CEB2(enable_i), .CEC(enable_i), .CED(enable_i),
        .CEAD(enable_i), .CEM(enable_i), .CEP(enable_i), .CEALUMODE(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0),
        .CEINMODE(1'b0), .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0),
        .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0), .RSTCTRL(1'b0), .RSTINMODE(1'b0)
    );
`else
    reg [26:0] a_q;
    reg [17:0] b1_q;
    reg [17:0] b2_q;
    reg [47:0] c_q;
    reg [26:0] d_q;
    reg [26:0] ad_q;
    reg [44:0] m_q;
    reg [47:0] p_q;
    wire [26:0] a = ARegisters != 0 ? a_q : a_i;
    wire [17:0] b = BRegisters == 2 ? b2_q : BRegisters == 1 ? b1_q : b_i;
    wire [47:0] c = CRegisters != 0 ? c_q : c_i;
    wire [26:0] d = DRegisters != 0 ? d_q : d_i;
    wire signed [44:0] wide_factor = PreAdd != 0 ? {{18{ad_q[26]}}, ad_q} : {{18{a[26]}}, a};
    wire signed [44:0] narrow_factor = {{27{b[17]}}, b};
    wire [47:0] z = Addend == 1 ? cascade_i : Addend == 3 ? c
        : Addend == 5 ? {{17{cascade_i[47]}}, cascade_i[47:17]} : 48'd0;
    always @(posedge clk_i) begin
        if (enable_i) begin
            a_q <= a_i;
            b1_q <= b_i;
            b2_q <= b1_q;
            c_q <= c_i;
            d_q <= d_i;
            ad_q <= a + d;
            m_q <= wide_factor * narrow_factor;
            p_q <= z + {{3{m_q[44]}}, m_q};
        end
    end
    assign p_o = p_q;
    assign cascade_o = p_q;
    wire unused_inputs = &{1'b0, a_q, b1_q, b2_q, c_q, d_q, ad_q, c, d, c_i, d_i, cascade_i};

    initial if (ARegisters > 1 || BRegisters > 2 || (Addend != 0 && Addend != 1 && Addend != 3 && Addend != 5)) begin
        $display("dsp48e2: ARegisters %0d, BRegisters %0d, Addend %0d: expected at most 1 and 2, and 0, 1, 3 or 5",
                 ARegisters, BRegisters, Addend);
        $finish;
    end
`endif
endmodule
