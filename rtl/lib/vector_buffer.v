// The vector buffer: written by the vector unit, read by it (operands a and b) and by the store unit.
//
// `Lanes` consecutive elements a period on every port, at any element address. Read latency 3.
// A write in period p is seen by a read presented in p + 1. Registered: all outputs. Initiation interval 1.
module vector_buffer #(
    parameter VectorElements = 1024,
    parameter Lanes = 8,
    parameter Style = "block"
) (
    input  wire                clk_i,
    input  wire    [Lanes-1:0] vector_write_valid_i,
    input  wire         [19:0] vector_write_address_i,
    input  wire [32*Lanes-1:0] vector_write_data_i,
    input  wire         [19:0] a_address_i,
    output wire [32*Lanes-1:0] a_o,
    input  wire         [19:0] b_address_i,
    output wire [32*Lanes-1:0] b_o,
    input  wire         [19:0] store_read_address_i,
    output wire [32*Lanes-1:0] store_vector_o
);
    vector_banks #(
        .Elements     (VectorElements),
        .WriteElements(Lanes),
        .ReadElements (Lanes),
        .ReadPorts    (3),
        .Style        (Style)
    ) u_banks (
        .clk_i          (clk_i),
        .write_valid_i  (vector_write_valid_i),
        .write_address_i(vector_write_address_i),
        .write_data_i   (vector_write_data_i),
        .read_address_i ({store_read_address_i, b_address_i, a_address_i}),
        .read_data_o    ({store_vector_o, b_o, a_o})
    );
endmodule
