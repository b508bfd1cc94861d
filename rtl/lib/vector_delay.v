// `data_i`, `delay_i` periods later, where `delay_i` may differ from one vector operation to the next.
//
// A ring in LUT RAM: unlike a shift register it moves nothing but a pointer, and its depth is an input.
// `delay_i` is 2 .. `Depth`; it may change only when what went in before is no longer wanted. `enable_i` stops the ring:
// periods without it are not counted. Initiation interval 1. Registered: `data_o`.
module vector_delay #(
    parameter Width = 32,
    parameter Depth = 64
) (
    input  wire                     clk_i,
    input  wire                     rst_ni,
    input  wire                     enable_i,
    input  wire [$clog2(Depth)-1:0] delay_i,
    input  wire         [Width-1:0] data_i,
    output wire         [Width-1:0] data_o
);
    localparam Bits = $clog2(Depth);

    reg [Bits-1:0] place_q;
    always @(posedge clk_i) begin
        if (!rst_ni) place_q <= {Bits{1'b0}};
        else if (enable_i) place_q <= place_q + 1'b1;
    end

    // The output register is one of the periods.
    wire [Width-1:0] data;
    wire  [Bits-1:0] back = delay_i - 1'b1;
    ram_async #(
        .Width(Width),
        .Depth(Depth)
    ) u_ring (
        .clk_i          (clk_i),
        .write_i        (enable_i),
        .write_address_i(place_q),
        .write_data_i   (data_i),
        .read_address_i (place_q - back),
        .read_data_o    (data)
    );

    reg [Width-1:0] data_q;
    always @(posedge clk_i) if (enable_i) data_q <= data;
    assign data_o = data_q;

`ifndef SYNTHESIS
    initial if (Depth < 2 || (1 << Bits) != Depth) begin
        $display("vector_delay: Depth %0d: expected a power of two", Depth);
        $finish;
    end
`endif
endmodule
