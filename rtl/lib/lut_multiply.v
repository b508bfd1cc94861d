// a * b, and with `Addend` = 1 a * b + c, the low `YWidth` bits, out of LUTs and carry chains: no DSP block.
//
// A row is a times a digit of b of two bits (Booth: -2, -1, 0, 1 or 2), which is selected in the LUTs that add it. As many rows
// as there are groups are added in each group; stage 1 registers the groups and c, stage 2 adds them up.
// Latency 2 from all operands if `OutputRegister` = 1, 1 if it is 0. Initiation interval 1, no enable. It does not round or
// saturate. The inputs are not registered. Registered: `y_o` if `OutputRegister` = 1.
// Under `SYNTHESIS` rows and sums are written out, since what tools make of a product is theirs to choose; otherwise the same in
// plain Verilog. The netlist tests of rtl/tests/leaves compare the two.
// Cells (yosys 0.23 synth_xilinx -family xcup): 24 x 17 unsigned bits 290 LUT, 132 FF, 80 CARRY4; 24 x 18 signed bits + 48
// 351 LUT, 186 FF, 95 CARRY4.
module lut_multiply #(
    parameter AWidth = 24,
    parameter BWidth = 17,
    parameter YWidth = 41,
    // 1: a and b are signed.
    parameter Signed = 0,
    // 0: `c_i` is not read.
    parameter Addend = 0,
    parameter OutputRegister = 1
) (
    input  wire              clk_i,
    input  wire [AWidth-1:0] a_i,
    input  wire [BWidth-1:0] b_i,
    input  wire [YWidth-1:0] c_i,
    output wire [YWidth-1:0] y_o
);
    wire a_sign = Signed != 0 && a_i[AWidth-1];
    wire b_sign = Signed != 0 && b_i[BWidth-1];
    wire [YWidth-1:0] sum;

`ifdef SYNTHESIS
    // Rows beyond the bits that are wanted do not count.
    localparam Digits = Signed != 0 ? (BWidth + 1) / 2 : (BWidth + 2) / 2;
    localparam Rows = 2 * Digits > YWidth ? (YWidth + 1) / 2 : Digits;
    localparam GroupRows = Rows > 16 ? 5 : Rows > 9 ? 4 : Rows > 4 ? 3 : Rows > 1 ? 2 : 1;
    localparam Groups = (Rows + GroupRows - 1) / GroupRows;
    // A sum of rows that are four times as much each is less than 8/3 a.
    localparam RowWidth = Signed != 0 ? AWidth + 2 : AWidth + 3;
    localparam GroupWidth = RowWidth + 2 * (GroupRows - 1);

    wire [RowWidth-1:0] a = {{(RowWidth-AWidth){a_sign}}, a_i};
    // A digit is two bits and the one below them.
    wire   [BWidth+2:0] digits = {{2{b_sign}}, b_i, 1'b0};
    wire                unused_digits = &{1'b0, digits};

    // a times a digit; of a negative one without the 1 that completes it.
    function [RowWidth-1:0] row(input [RowWidth-1:0] once, input [2:0] digit);
        reg [RowWidth-1:0] magnitude;
        begin
            magnitude = ({RowWidth{digit[1] ^ digit[0]}} & once)
                | ({RowWidth{digit == 3'b011 || digit == 3'b100}} & {once[RowWidth-2:0], 1'b0});
            row = magnitude ^ {RowWidth{digit[2]}};
        end
    endfunction

    // The lowest bit of `partial` carries that 1 in. Written as a difference: an adder's first operand goes to the carry chain
    // beside the LUT, and Yosys takes the row for it if it may choose.
    reg [Groups*GroupWidth-1:0] groups;
    reg            [RowWidth:0] partial;
    integer                     group;
    integer                     at;
    always @* begin
        groups = {(Groups*GroupWidth){1'b0}};
        for (group = 0; group < Groups; group = group + 1) begin
            partial = {(RowWidth+1){1'b0}};
            for (at = 0; at < GroupRows; at = at + 1) begin
                partial = {{2{partial[RowWidth]}}, partial[RowWidth:3], 1'b0};
                if (group * GroupRows + at < Rows)
                    partial = partial - ~{row(a, digits[2*(group*GroupRows+at)+:3]),
                                          digits[2*(group*GroupRows+at)+2]};
                groups[group*GroupWidth+2*at+:RowWidth] = partial[RowWidth:1];
            end
        end
    end
    reg [Groups*GroupWidth-1:0] groups_q;
    always @(posedge clk_i) groups_q <= groups;

    /* verilator lint_off UNOPTFLAT */ // each sum has bits of its own in it
    wire [(Groups+1)*YWidth-1:0] sums;
    /* verilator lint_on UNOPTFLAT */
    generate
        if (Addend != 0) begin : gen_addend
            reg [YWidth-1:0] c_q;
            always @(posedge clk_i) c_q <= c_i;
            assign sums[YWidth-1:0] = c_q;
        end else begin : gen_no_addend
            wire unused_c = &{1'b0, c_i};
            assign sums[YWidth-1:0] = {YWidth{1'b0}};
        end
    endgenerate
    genvar number;
    generate
        for (number = 0; number < Groups; number = number + 1) begin : gen_sum
            localparam Shift = 2 * GroupRows * number;
            wire        [GroupWidth-1:0] part = groups_q[GroupWidth*number+:GroupWidth];
            wire [GroupWidth+YWidth-1:0] wide = {{YWidth{part[GroupWidth-1]}}, part};
            wire                         unused_wide = &{1'b0, wide};
            wire            [YWidth-1:0] below = sums[YWidth*number+:YWidth];
            /* verilator lint_off UNOPTFLAT */ // likewise
            wire            [YWidth-1:0] above;
            /* verilator lint_on UNOPTFLAT */
            assign above[YWidth-1:Shift] = below[YWidth-1:Shift] + wide[YWidth-Shift-1:0];
            if (number > 0) begin : gen_low
                assign above[Shift-1:0] = below[Shift-1:0];
            end
            assign sums[YWidth*(number+1)+:YWidth] = above;
        end
    endgenerate
    assign sum = sums[YWidth*Groups+:YWidth];
`else
    wire [AWidth+YWidth-1:0] wide_a = {{YWidth{a_sign}}, a_i};
    wire [BWidth+YWidth-1:0] wide_b = {{YWidth{b_sign}}, b_i};
    wire                     unused_wide = &{1'b0, wide_a, wide_b, c_i};

    reg [YWidth-1:0] product_q;
    reg [YWidth-1:0] c_q;
    always @(posedge clk_i) begin
        product_q <= wide_a[YWidth-1:0] * wide_b[YWidth-1:0];
        c_q <= Addend != 0 ? c_i : {YWidth{1'b0}};
    end
    assign sum = product_q + c_q;

    initial if (AWidth < 1 || BWidth < 1 || BWidth > 48 || YWidth < 1) begin
        $display("lut_multiply: %0d x %0d to %0d bits: expected at least 1 each, and at most 48 of b", AWidth, BWidth, YWidth);
        $finish;
    end
`endif

    generate
        if (OutputRegister != 0) begin : gen_register
            reg [YWidth-1:0] y_q;
            always @(posedge clk_i) y_q <= sum;
            assign y_o = y_q;
        end else begin : gen_wire
            assign y_o = sum;
        end
    endgenerate
endmodule
