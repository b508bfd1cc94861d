// The result buffer: written by the matrix unit, read by the vector unit (operands a and b).
//
// `ScaleLanes` consecutive elements are written in a period, each with its own valid, and `Lanes` are read on each port,
// all at any element address. Read latency 3. A write in period p is seen by a read
// presented in p + 1. Registered: all outputs. Initiation interval 1.
module result_buffer #(
    parameter ResultElements = 1024,
    parameter ScaleLanes = 4,
    parameter Lanes = 8,
    parameter Style = "block"
) (
    input  wire                     clk_i,
    input  wire    [ScaleLanes-1:0] result_write_valid_i,
    input  wire [$clog2(ResultElements)-1:0] result_write_address_i,
    input  wire [32*ScaleLanes-1:0] result_write_data_i,
    input  wire              [19:0] a_address_i,
    output wire      [32*Lanes-1:0] a_o,
    input  wire              [19:0] b_address_i,
    output wire      [32*Lanes-1:0] b_o
);
    vector_banks #(
        .Elements     (ResultElements),
        .WriteElements(ScaleLanes),
        .ReadElements (Lanes),
        .ReadPorts    (2),
        .Style        (Style)
    ) u_banks (
        .clk_i          (clk_i),
        .write_valid_i  (result_write_valid_i),
        .write_address_i({{20 - $clog2(ResultElements){1'b0}}, result_write_address_i}),
        .write_data_i   (result_write_data_i),
        .read_address_i ({b_address_i, a_address_i}),
        .read_data_o    ({b_o, a_o})
    );
endmodule
