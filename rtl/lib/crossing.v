// Registers on the way from one region of the device to another: `control_i` and `data_i`, `Cycles` clock periods later.
//
// Latency `Cycles` (0 is a wire), initiation interval 1. The bits of control are reset, those of data are not. Unlike
// `delay` it is flip-flops and never a shift-register LUT, which would stand in one place. Nothing can hold it back.
// Registered: both outputs if Cycles > 0.
module crossing #(
    parameter Control = 1,
    parameter Width = 8,
    parameter Cycles = 2
) (
    input  wire               clk_i,
    input  wire               rst_ni,
    input  wire [Control-1:0] control_i,
    input  wire   [Width-1:0] data_i,
    output wire [Control-1:0] control_o,
    output wire   [Width-1:0] data_o
);
    generate
        if (Cycles == 0) begin : gen_wire
            wire unused_clk = &{1'b0, clk_i, rst_ni};
            assign control_o = control_i;
            assign data_o = data_i;
        end else begin : gen_registers
            (* shreg_extract = "no" *) reg [Cycles*Control-1:0] control_q;
            (* shreg_extract = "no" *) reg [Cycles*Width-1:0] data_q;
            if (Cycles == 1) begin : gen_one
                always @(posedge clk_i) begin
                    control_q <= rst_ni ? control_i : {Control{1'b0}};
                    data_q <= data_i;
                end
            end else begin : gen_chain
                always @(posedge clk_i) begin
                    if (!rst_ni) control_q <= {Cycles * Control{1'b0}};
                    else control_q <= {control_q[(Cycles-1)*Control-1:0], control_i};
                    data_q <= {data_q[(Cycles-1)*Width-1:0], data_i};
                end
            end
            assign control_o = control_q[Cycles*Control-1-:Control];
            assign data_o = data_q[Cycles*Width-1-:Width];
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Control < 1 || Width < 1 || Cycles < 0) begin
        $display("crossing: Control %0d, Width %0d, Cycles %0d: expected at least one bit of each, Cycles >= 0",
                 Control, Width, Cycles);
        $finish;
    end
`endif
endmodule
