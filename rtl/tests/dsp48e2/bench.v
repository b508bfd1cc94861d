// The leaves that are made of DSP48E2, on operands from a generator: prints what they give in each period, and with `LUTS` where the
// same of LUTs gives something else.
module bench;
    reg         clk = 0;
    reg [127:0] random = 128'h0123456789abcdef_fedcba9876543210;
    reg         enable = 1;
    integer     period;

    wire [31:0] hi_sum, lo_sum;
    dsp_chain #(.Chain(16)) u_chain (
        .clk_i(clk), .enable_i(enable), .hi_i(random), .lo_i({random[30:0], random[127:31]}),
        .shared_i({random[76:0], random[127:77]}), .hi_sum_o(hi_sum), .lo_sum_o(lo_sum)
    );
    wire [47:0] wide_sum;
    multiply_add #(.AWidth(27), .BWidth(18), .YWidth(48)) u_wide (
        .clk_i(clk), .a_i(random[26:0]), .b_i(random[50:33]), .c_i({{3{random[127]}}, random[124:80]}), .y_o(wide_sum)
    );
    wire [41:0] narrow_sum;
    multiply_add #(.AWidth(15), .BWidth(18), .YWidth(42)) u_narrow (
        .clk_i(clk), .a_i(random[14:0]), .b_i(random[50:33]), .c_i({random[127], random[120:80]}), .y_o(narrow_sum)
    );
    wire [16:0] low;
    wire [30:0] high;
    multiply_cascade #(.AWidth(24), .BWidth(24)) u_cascade (
        .clk_i(clk), .a_i(random[23:0]), .b_i(random[60:37]), .low_o(low), .high_o(high)
    );
    wire [16:0] widest_low;
    wire [42:0] widest_high;
    multiply_cascade #(.AWidth(26), .BWidth(34)) u_widest (
        .clk_i(clk), .a_i(random[25:0] | {26{period[3:0] == 4'd0}}), .b_i(random[70:37] | {34{period[4:0] == 5'd0}}),
        .low_o(widest_low), .high_o(widest_high)
    );

`ifdef LUTS
    // The same of LUTs.
    wire [47:0] wide_luts;
    multiply_add #(.AWidth(27), .BWidth(18), .YWidth(48), .Luts(1)) u_wide_luts (
        .clk_i(clk), .a_i(random[26:0]), .b_i(random[50:33]), .c_i({{3{random[127]}}, random[124:80]}), .y_o(wide_luts)
    );
    wire [16:0] low_luts;
    wire [30:0] high_luts;
    multiply_cascade #(.AWidth(24), .BWidth(24), .Luts(1)) u_cascade_luts (
        .clk_i(clk), .a_i(random[23:0]), .b_i(random[60:37]), .low_o(low_luts), .high_o(high_luts)
    );
    wire [16:0] widest_low_luts;
    wire [42:0] widest_high_luts;
    multiply_cascade #(.AWidth(26), .BWidth(34), .Luts(1)) u_widest_luts (
        .clk_i(clk), .a_i(random[25:0] | {26{period[3:0] == 4'd0}}), .b_i(random[70:37] | {34{period[4:0] == 5'd0}}),
        .low_o(widest_low_luts), .high_o(widest_high_luts)
    );
    wire equal = {wide_sum, low, high, widest_low, widest_high}
        === {wide_luts, low_luts, high_luts, widest_low_luts, widest_high_luts};
`else
    wire equal = 1'b1;
`endif

    initial begin
        for (period = 0; period < 4096; period = period + 1) begin
            #1 clk = 1;
            // Xorshift: every operand bit changes.
            #1 random = random ^ (random << 23);
            random = random ^ (random >> 17);
            random = random ^ (random << 41);
            enable = random[5:3] != 3'd0;
            clk = 0;
            #1 if (period >= 64 && !equal) $display("LUTs differ in period %0d", period);
            if (period >= 64)
                $display("%h %h %h %h %h %h %h %h", hi_sum, lo_sum, wide_sum, narrow_sum, low, high, widest_low, widest_high);
        end
        $finish;
    end
endmodule
