// IEEE 754 binary16 to binary32, exact, as in hw_config::numeric::convert::f16_to_f32: binary16 subnormals become
// normals, every NaN becomes 7fc00000.
//
// Latency 1, initiation interval 1, no enable. The input is not registered. Registered: `y_o`.
// Cells (yosys 0.23 synth_xilinx -family xcup): no DSP, 91 LUT, 19 FF, 2 CARRY4.
module fp16_to_fp32 (
    input  wire        clk_i,
    input  wire [15:0] a_i,
    output wire [31:0] y_o
);
    wire subnormal = a_i[14:10] == 5'd0;
    wire top = a_i[14:10] == 5'd31;
    wire nan = top && a_i[9:0] != 10'd0;
    wire zero = subnormal && a_i[9:0] == 10'd0;

    // The leading one of a subnormal becomes the hidden one: 1 to 10 places to the left.
    reg [3:0] places;
    always @* begin
        casez (a_i[9:0])
            10'b1?????????: places = 4'd1;
            10'b01????????: places = 4'd2;
            10'b001???????: places = 4'd3;
            10'b0001??????: places = 4'd4;
            10'b00001?????: places = 4'd5;
            10'b000001????: places = 4'd6;
            10'b0000001???: places = 4'd7;
            10'b00000001??: places = 4'd8;
            10'b000000001?: places = 4'd9;
            default:        places = 4'd10;
        endcase
    end
    wire [9:0] fraction = subnormal ? a_i[9:0] << places : a_i[9:0];

    // The biases differ by 112; a subnormal counts from an exponent field of 1.
    reg [7:0] exponent;
    always @* begin
        exponent = {3'd0, a_i[14:10]} + 8'd112;
        if (top) exponent = 8'd255;
        else if (zero) exponent = 8'd0;
        else if (subnormal) exponent = 8'd113 - {4'd0, places};
    end

    reg [31:0] y_q;
    always @(posedge clk_i) begin
        y_q[31] <= a_i[15] && !nan;
        y_q[30:23] <= exponent;
        y_q[22:13] <= nan ? 10'h200 : fraction;
        y_q[12:0] <= 13'd0;
    end
    assign y_o = y_q;
endmodule
