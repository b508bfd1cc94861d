// kernel_address: an AXI address channel on its way out of the kernel. Adds the base address that the host has set for
// the channel and registers the sum, so that no adder stands in the path to the interconnect.
// Latency 1, initiation interval 1 while ready_i is high. Registered: valid_o, address_o, length_o; ready_o is not: it
// follows ready_i in the same period. Bursts are not cut: base_i must be a multiple of 4 KiB, and must not change while
// an address is on its way.
module kernel_address #(
    // Bits of an address within the channel, at most 64.
    parameter AddressBits = 28
) (
    input  wire                   clk_i,
    input  wire                   rst_ni,
    input  wire [63:0]            base_i,
    // From the core.
    input  wire                   valid_i,
    output wire                   ready_o,
    input  wire [AddressBits-1:0] address_i,
    input  wire [7:0]             length_i,
    // To the AXI master port.
    output wire                   valid_o,
    input  wire                   ready_i,
    output wire [63:0]            address_o,
    output wire [7:0]             length_o
);
`ifndef SYNTHESIS
    initial begin
        if (AddressBits < 1 || AddressBits > 64) begin
            $display("kernel_address: AddressBits is %0d, expected 1 to 64", AddressBits);
            $finish;
        end
    end
`endif

    reg        valid_q;
    reg [63:0] address_q;
    reg [7:0]  length_q;

    assign ready_o   = !valid_q || ready_i;
    assign valid_o   = valid_q;
    assign address_o = address_q;
    assign length_o  = length_q;

    always @(posedge clk_i) begin
        if (!rst_ni) begin
            valid_q <= 1'b0;
        end else if (ready_o) begin
            valid_q <= valid_i;
        end
    end

    wire [64:0] wide = {{(65 - AddressBits){1'b0}}, address_i};

    always @(posedge clk_i) begin
        if (ready_o) begin
            address_q <= base_i + wide[63:0];
            length_q  <= length_i;
        end
    end

    wire unused_carry = wide[64];
endmodule
