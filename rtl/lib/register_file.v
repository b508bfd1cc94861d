// The 128 registers of a core: one write port, nine read ports, register 0 reads 0.
//
// Latency 0 from a number to its value (asynchronous read), 1 from a write to its being read. Ports 0 to 3 read all
// registers; ports 4 to 8, whose instruction fields have four bits, the first sixteen. It does not clear registers:
// what was never written since power-on is unknown. Registered: nothing but the registers.
module register_file (
    input  wire         clk_i,
    input  wire         write_i,
    input  wire   [6:0] number_i,
    input  wire  [31:0] value_i,
    // Port k: bits 7 k + 6 .. 7 k, and bits 32 k + 31 .. 32 k.
    input  wire  [62:0] read_number_i,
    output wire [287:0] read_value_o
);
    localparam Ports = 9;
    localparam WidePorts = 4;

    genvar port;
    generate
        for (port = 0; port < Ports; port = port + 1) begin : gen_port
            wire  [6:0] number = read_number_i[7*port+:7];
            wire [31:0] value;
            if (port < WidePorts) begin : gen_wide
                ram_async #(
                    .Width(32),
                    .Depth(128)
                ) u_registers (
                    .clk_i          (clk_i),
                    .write_i        (write_i),
                    .write_address_i(number_i),
                    .write_data_i   (value_i),
                    .read_address_i (number),
                    .read_data_o    (value)
                );
            end else begin : gen_narrow
                ram_async #(
                    .Width(32),
                    .Depth(16)
                ) u_registers (
                    .clk_i          (clk_i),
                    .write_i        (write_i && number_i[6:4] == 3'd0),
                    .write_address_i(number_i[3:0]),
                    .write_data_i   (value_i),
                    .read_address_i (number[3:0]),
                    .read_data_o    (value)
                );
            end
            assign read_value_o[32*port+:32] = number == 7'd0 ? 32'd0 : value;
        end
    endgenerate
endmodule
