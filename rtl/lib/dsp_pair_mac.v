// Two INT8 products with one shared factor in one DSP48E2: cascade_o = cascade_i + ((hi << 18) + lo) * shared, wrapped to
// 48 bits, as hw_config::numeric::packed::packed_pair_mac.
//
// Latency 4 from the operands, 1 from `cascade_i`; initiation interval 1; `enable_i` is the clock enable of every
// register. The low lane is exact for at most 7 products; this module does not count them and does not part the lanes.
// Registered: `cascade_o` (P). Registers of the DSP48E2: A, D and B1; AD and B2; M; P.
// Cells (yosys synth_xilinx -family xcup): 1 DSP48E2.
module dsp_pair_mac (
    input  wire        clk_i,
    input  wire        enable_i,
    input  wire  [7:0] hi_i,
    input  wire  [7:0] lo_i,
    input  wire  [7:0] shared_i,
    input  wire [47:0] cascade_i,
    output wire [47:0] cascade_o
);
    reg         [7:0] a_q;
    reg         [7:0] d_q;
    reg         [7:0] b1_q;
    reg signed [26:0] ad_q;
    reg signed [17:0] b2_q;
    reg signed [44:0] m_q;
    reg        [47:0] p_q;

    always @(posedge clk_i) begin
        if (enable_i) begin
            a_q <= hi_i;
            d_q <= lo_i;
            b1_q <= shared_i;
            ad_q <= {a_q[7], a_q, 18'd0} + {{19{d_q[7]}}, d_q};
            b2_q <= {{10{b1_q[7]}}, b1_q};
            m_q <= ad_q * b2_q;
            p_q <= cascade_i + {{3{m_q[44]}}, m_q};
        end
    end
    assign cascade_o = p_q;
endmodule
