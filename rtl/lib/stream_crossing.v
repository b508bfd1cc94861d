// A valid/ready stream from one region of the device to another: `Cycles` skid buffers in a row, so that neither payload
// nor ready goes farther than from one register to the next.
//
// Latency `Cycles`, initiation interval 1, two entries of storage a period of latency. It does not reorder or drop.
// Registered: `ready_o`, `valid_o`, `data_o`.
module stream_crossing #(
    parameter Width = 8,
    parameter Cycles = 2
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    // In.
    input  wire             valid_i,
    output wire             ready_o,
    input  wire [Width-1:0] data_i,
    // Out.
    output wire             valid_o,
    input  wire             ready_i,
    output wire [Width-1:0] data_o
);
    wire       [Cycles:0] valid;
    wire       [Cycles:0] ready;
    wire [Width-1:0] data [0:Cycles];

    assign valid[0] = valid_i;
    assign ready_o = ready[0];
    assign data[0] = data_i;
    assign valid_o = valid[Cycles];
    assign ready[Cycles] = ready_i;
    assign data_o = data[Cycles];

    genvar stage;
    generate
        for (stage = 0; stage < Cycles; stage = stage + 1) begin : gen_stages
            skid_buffer #(
                .Width(Width)
            ) u_stage (
                .clk_i  (clk_i),
                .rst_ni (rst_ni),
                .valid_i(valid[stage]),
                .ready_o(ready[stage]),
                .data_i (data[stage]),
                .valid_o(valid[stage+1]),
                .ready_i(ready[stage+1]),
                .data_o (data[stage+1])
            );
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Cycles < 1) begin
        $display("stream_crossing: Cycles %0d, expected at least 1", Cycles);
        $finish;
    end
`endif
endmodule
