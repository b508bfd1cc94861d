// Simple dual-port RAM: one write port with a strobe for each `ByteWidth` bits, one read port.
//
// Read latency 2: the address is registered inside the RAM, then comes an output register. A write in period p is seen
// by a read whose address is presented in period p + 1 or later; a read presented in period p itself gives the old
// word. Initiation interval 1 on both ports, no read enable, no reset; what is read before it is written, or past
// `Depth`, is undefined. `Style`: "block", "ultra" or "distributed". For "block" and "ultra" a `ByteWidth` of 8 fills
// 32 of 36 and 64 (or 72, as 9 strobes) of 72 bits of the primitive; without strobes set `ByteWidth` to `Width`.
// An "ultra" RAM that is deeper than an UltraRAM and at most half as wide keeps two words in a row, and picks one in
// front of its output register.
// Registered: `read_data_o`.
// Cells (yosys 0.23 synth_xilinx -family xcup, with -uram for "ultra"; the output register stays outside as Width FDRE,
// and `write_i` costs a LUT a strobe):
//   block, ByteWidth 8:       32 x 64: 1 RAMB18E2; 32 x 1024: 1 RAMB36E2; 72 x 512: 3 RAMB18E2;
//                             256 x 512: 4 RAMB36E2; 256 x 2048: 16 RAMB36E2
//   block, ByteWidth 9:       72 x 512: 1 RAMB36E2
//   ultra, ByteWidth 8:       144 x 4096: 2 URAM288; 144 x 8192: 4 URAM288 and 144 LUT to select (not cascaded)
//   ultra, ByteWidth 32:      32 x 8192: 1 URAM288 and 32 LUT to pick
//   distributed, ByteWidth 8: 32 x 64: 8 RAM64M8, and Width FDRE more for the first register
module ram_sdp #(
    parameter Width = 32,
    parameter Depth = 1024,
    parameter ByteWidth = 8,
    parameter Style = "block"
) (
    input  wire                       clk_i,
    input  wire                       write_i,
    input  wire [Width/ByteWidth-1:0] write_strobe_i,
    input  wire   [$clog2(Depth)-1:0] write_address_i,
    input  wire           [Width-1:0] write_data_i,
    input  wire   [$clog2(Depth)-1:0] read_address_i,
    output wire           [Width-1:0] read_data_o
);
    localparam Bytes = Width / ByteWidth;

    localparam AddressBits = $clog2(Depth);
    /* verilator lint_off WIDTH */ // strings of different lengths: the shorter is extended, as it should be
    localparam Words = Style == "ultra" && Depth > 4096 && 2 * Width <= 72 ? 2 : 1;
    /* verilator lint_on WIDTH */

    reg [Width-1:0] read_data_q;
`ifdef SYNTHESIS
    integer i;
`else
    // A row with its strobed bytes written: one assignment a write instead of one a byte. The tests of
    // rtl/tests/fp_leaves/memories.rs hold both bodies to the same array.
    function [Words*Width-1:0] written(
        input [Words*Width-1:0] old, input [Words*Width-1:0] data, input [Words*Bytes-1:0] strobe
    );
        integer at;
        begin
            written = data;
            if (!(&strobe))
                for (at = 0; at < Words * Bytes; at = at + 1)
                    if (!strobe[at]) written[at*ByteWidth+:ByteWidth] = old[at*ByteWidth+:ByteWidth];
        end
    endfunction
`endif
    generate
        if (Words == 2) begin : gen_pair
            localparam Rows = (Depth + 1) / 2;
            (* ram_style = Style *)
            reg [2*Width-1:0] memory_q [0:Rows-1];
            reg [2*Width-1:0] row_q;
            reg               odd_q;
            wire [2*Bytes-1:0] strobe =
                {write_strobe_i & {Bytes{write_address_i[0]}}, write_strobe_i & {Bytes{!write_address_i[0]}}};
            wire [2*Width-1:0] data = {write_data_i, write_data_i};
            always @(posedge clk_i) begin
`ifdef SYNTHESIS
                for (i = 0; i < 2 * Bytes; i = i + 1)
                    if (write_i && strobe[i])
                        memory_q[write_address_i[AddressBits-1:1]][i*ByteWidth+:ByteWidth] <=
                            data[i*ByteWidth+:ByteWidth];
`else
                if (write_i)
                    memory_q[write_address_i[AddressBits-1:1]] <=
                        written(memory_q[write_address_i[AddressBits-1:1]], data, strobe);
`endif
                row_q <= memory_q[read_address_i[AddressBits-1:1]];
                odd_q <= read_address_i[0];
                read_data_q <= odd_q ? row_q[Width+:Width] : row_q[0+:Width];
            end
        end else begin : gen_word
            (* ram_style = Style *)
            reg [Width-1:0] memory_q [0:Depth-1];
            reg [Width-1:0] word_q;
            always @(posedge clk_i) begin
`ifdef SYNTHESIS
                for (i = 0; i < Bytes; i = i + 1)
                    if (write_i && write_strobe_i[i])
                        memory_q[write_address_i][i*ByteWidth+:ByteWidth] <= write_data_i[i*ByteWidth+:ByteWidth];
`else
                if (write_i)
                    memory_q[write_address_i] <= written(memory_q[write_address_i], write_data_i, write_strobe_i);
`endif
                word_q <= memory_q[read_address_i];
                read_data_q <= word_q;
            end
        end
    endgenerate
    assign read_data_o = read_data_q;

`ifndef SYNTHESIS
    /* verilator lint_off WIDTH */ // strings of different lengths: the shorter is extended, as it should be
    initial if (Depth < 2 || Bytes * ByteWidth != Width
        || (Style != "block" && Style != "ultra" && Style != "distributed")) begin
        $display("ram_sdp: Width %0d, Depth %0d, ByteWidth %0d, Style %0s", Width, Depth, ByteWidth, Style);
        $display("ram_sdp: expected Depth >= 2, whole bytes, and block, ultra or distributed");
        $finish;
    end
    /* verilator lint_on WIDTH */
`endif
endmodule
