// A model of the primitive DSP48E2 for tests, written from UG579 and from nothing of the library: the multiplier with
// pre-adder, registers and 48-bit adder, in the static modes of the attributes. It stops at any other mode.
module DSP48E2 #(
    parameter AREG = 1, parameter ACASCREG = 1, parameter BREG = 1, parameter BCASCREG = 1, parameter CREG = 1,
    parameter DREG = 1, parameter ADREG = 1, parameter MREG = 1, parameter PREG = 1, parameter ALUMODEREG = 1,
    parameter CARRYINREG = 1, parameter CARRYINSELREG = 1, parameter INMODEREG = 1, parameter OPMODEREG = 1,
    parameter A_INPUT = "DIRECT", parameter B_INPUT = "DIRECT", parameter AMULTSEL = "A", parameter BMULTSEL = "B",
    parameter PREADDINSEL = "A", parameter USE_MULT = "MULTIPLY"
) (
    input CLK, input [29:0] A, input [17:0] B, input [47:0] C, input [26:0] D, input [47:0] PCIN,
    output [47:0] PCOUT, output [47:0] P, input [8:0] OPMODE, input [3:0] ALUMODE, input [4:0] INMODE,
    input CARRYIN, input [2:0] CARRYINSEL, input [29:0] ACIN, input [17:0] BCIN, input CARRYCASCIN, input MULTSIGNIN,
    input CEA1, input CEA2, input CEB1, input CEB2, input CEC, input CED, input CEAD, input CEM, input CEP,
    input CEALUMODE, input CECARRYIN, input CECTRL, input CEINMODE, input RSTA, input RSTB, input RSTC, input RSTD,
    input RSTM, input RSTP, input RSTALLCARRYIN, input RSTALUMODE, input RSTCTRL, input RSTINMODE
);
    reg [29:0] a2; reg [17:0] b1; reg [17:0] b2; reg [47:0] c1; reg [26:0] d1; reg [26:0] ad1; reg [44:0] m1; reg [47:0] p1;
    // A single A register is A2, a single B register B2 (figure "A input logic", "B input logic").
    wire [29:0] a = AREG == 0 ? A : a2;
    wire [17:0] b = BREG == 0 ? B : b2;
    wire [47:0] c = CREG == 0 ? C : c1;
    wire [26:0] d = DREG == 0 ? D : d1;
    // INMODE[1] takes A away, INMODE[2] lets D in (table "INMODE[3:0] functions").
    wire [26:0] ad_sum = (INMODE[2] ? d : 27'd0) + (INMODE[1] ? 27'd0 : a[26:0]);
    wire [26:0] ad = ADREG == 0 ? ad_sum : ad1;
    wire signed [26:0] x_factor = AMULTSEL == "AD" ? ad : a[26:0];
    wire signed [17:0] y_factor = b;
    wire signed [44:0] product = x_factor * y_factor;
    wire [44:0] m = MREG == 0 ? product : m1;
    reg [47:0] z;
    always @* case (OPMODE[6:4])
        3'b000: z = 48'd0;
        3'b001: z = PCIN;
        3'b011: z = c;
        3'b101: z = $signed(PCIN) >>> 17;
        default: z = {48{1'bx}};
    endcase
    wire [47:0] sum = z + {{3{m[44]}}, m};
    always @(posedge CLK) begin
        if (CEA2) a2 <= A;
        if (CEB1) b1 <= B;
        if (CEB2) b2 <= BREG == 2 ? b1 : B;
        if (CEC) c1 <= C;
        if (CED) d1 <= D;
        if (CEAD) ad1 <= ad_sum;
        if (CEM) m1 <= product;
        if (CEP) p1 <= sum;
    end
    assign P = p1;
    assign PCOUT = p1;
`ifndef NETLIST
    // Yosys takes no tasks.
    always @(posedge CLK)
        if (OPMODE[8:7] != 0 || OPMODE[3:0] != 4'b0101 || ALUMODE != 0 || INMODE[4] || INMODE[3] || INMODE[0] || CARRYIN
            || CARRYINSEL != 0 || PREG != 1 || AREG > 1 || ACASCREG != AREG || BCASCREG != BREG || A_INPUT != "DIRECT"
            || B_INPUT != "DIRECT" || BMULTSEL != "B" || PREADDINSEL != "A" || USE_MULT != "MULTIPLY" || ALUMODEREG != 0
            || CARRYINREG != 0 || CARRYINSELREG != 0 || INMODEREG != 0 || OPMODEREG != 0
            || {RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTALLCARRYIN, RSTALUMODE, RSTCTRL, RSTINMODE} != 0) begin
            $display("DSP48E2: a mode that the model has not");
            $finish;
        end
`endif
endmodule
