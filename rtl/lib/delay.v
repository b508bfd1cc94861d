// `data_i`, `Cycles` clock periods later.
//
// Latency `Cycles` (0 is a wire), initiation interval 1. No reset and no enable, so that each bit of three or more
// cycles fits one shift-register LUT (up to 32 cycles) instead of a chain of flip-flops.
// Registered: `data_o` if Cycles > 0.
// Cells (yosys synth_xilinx -family xcup), Width 8: Cycles 1: 8 FDRE; 2: 16 FDRE; 3 to 16: 8 SRL16E; 17:
// 8 SRL16E and 8 FDRE; 32: 8 SRLC32E.
module delay #(
    parameter Width = 1,
    parameter Cycles = 1
) (
    input  wire             clk_i,
    input  wire [Width-1:0] data_i,
    output wire [Width-1:0] data_o
);
    generate
        if (Cycles == 0) begin : gen_wire
            wire unused_clk = clk_i;
            assign data_o = data_i;
        end else if (Cycles == 1) begin : gen_register
            reg [Width-1:0] data_q;
            always @(posedge clk_i) data_q <= data_i;
            assign data_o = data_q;
        end else begin : gen_chain
            reg [Cycles*Width-1:0] data_q;
            always @(posedge clk_i) data_q <= {data_q[(Cycles-1)*Width-1:0], data_i};
            assign data_o = data_q[Cycles*Width-1-:Width];
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Width < 1 || Cycles < 0) begin
        $display("delay: Width %0d, Cycles %0d: expected Width >= 1 and Cycles >= 0", Width, Cycles);
        $finish;
    end
`endif
endmodule
