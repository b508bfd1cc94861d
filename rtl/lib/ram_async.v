// Distributed RAM: one synchronous write port, one asynchronous read port.
//
// A write in period p is seen by a read in period p + 1 or later; a read in period p itself gives the old word.
// Read latency 0: the word follows the address within the period, and whoever wants it registered registers it.
// No reset, no strobes; what is read before it is written, or past `Depth`, is undefined.
// Registered: nothing but the memory itself.
// Cells (yosys synth_xilinx -family xcup): a RAM64M8 for each 7 bits of 64 words, 32 x 64: 5; deeper ones need
// read multiplexers, 16 x 512: 24 RAM64M8 and 62 LUT.
module ram_async #(
    parameter Width = 32,
    parameter Depth = 64
) (
    input  wire                     clk_i,
    input  wire                     write_i,
    input  wire [$clog2(Depth)-1:0] write_address_i,
    input  wire         [Width-1:0] write_data_i,
    input  wire [$clog2(Depth)-1:0] read_address_i,
    output wire         [Width-1:0] read_data_o
);
    (* ram_style = "distributed" *)
    reg [Width-1:0] memory_q [0:Depth-1];

    always @(posedge clk_i) if (write_i) memory_q[write_address_i] <= write_data_i;

    assign read_data_o = memory_q[read_address_i];

`ifndef SYNTHESIS
    initial if (Width < 1 || Depth < 2) begin
        $display("ram_async: Width %0d, Depth %0d: expected Width >= 1 and Depth >= 2", Width, Depth);
        $finish;
    end
`endif
endmodule
