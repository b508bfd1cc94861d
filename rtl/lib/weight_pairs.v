// Two chunks of weight codes at a time: the chunk at `chunk_i`, `low_o`, and that behind it, `high_o`.
//
// Chunks of even and of odd number stand in a weight_buffer each, written as those are. A write in period p is seen by a read
// whose address is presented in period p + 1. Read latency 2, initiation interval 1.
// Registered: the memories' own address and output registers; the choice of even or odd stands behind them.
module weight_pairs #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Width = 32,
    parameter Chain = 16,
    parameter Chunks = 128,
    parameter LineAddressBits = 11,
    parameter ChunkAddressBits = 16,
    parameter ClockGates = 0,
    parameter Style = "block"
) (
    input  wire                              clk_i,
    // As weight_buffer has it.
    input  wire                              run_i,
    input  wire               [Channels-1:0] write_valid_i,
    input  wire [Channels*LineAddressBits-1:0] write_line_i,
    input  wire   [Channels*8*PortBytes-1:0] write_data_i,
    input  wire     [Channels*PortBytes-1:0] write_strobe_i,
    input  wire       [ChunkAddressBits-1:0] chunk_i,
    output wire          [8*Width*Chain-1:0] low_o,
    output wire          [8*Width*Chain-1:0] high_o
);
    localparam Lines = Width * Chain / (Channels * PortBytes);
    localparam LinePlaceBits = $clog2(Lines);
    localparam ChunkBits = 8 * Width * Chain;

    wire read_clk;
    clock_gate #(.ClockGates(ClockGates)) u_read_gate (
        .clk_i   (clk_i),
        .enable_i(run_i),
        .clk_o   (read_clk)
    );
    reg [1:0] odd_q;
    always @(posedge read_clk) odd_q <= {odd_q[0], chunk_i[0]};

    wire [2*ChunkBits-1:0] bank_word;
    genvar bank;
    genvar channel;
    genvar column;
    generate
        for (bank = 0; bank < 2; bank = bank + 1) begin : gen_bank
            // The even chunk of a pair: that of an even `chunk_i`, or the one behind an odd one.
            wire [ChunkAddressBits-1:0] read_chunk = (chunk_i + {{(ChunkAddressBits-1){1'b0}}, bank == 0}) >> 1;
            wire               [Channels-1:0] write_valid;
            wire [Channels*LineAddressBits-1:0] write_line;
            for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_channel
                wire [LineAddressBits-1:0] index = write_line_i[LineAddressBits*channel+:LineAddressBits];
                wire [LineAddressBits-1:0] chunk = index >> LinePlaceBits;
                assign write_valid[channel] = write_valid_i[channel] && chunk[0] == (bank == 1);
                // The same line of chunk `chunk / 2`.
                assign write_line[LineAddressBits*channel+:LineAddressBits] =
                    index - ((chunk - (chunk >> 1)) << LinePlaceBits);
            end
            weight_buffer #(
                .Channels        (Channels),
                .PortBytes       (PortBytes),
                .Width           (Width),
                .Chain           (Chain),
                .Chunks          ((Chunks + 1) / 2),
                .Straddle        (0),
                .LineAddressBits (LineAddressBits),
                .ChunkAddressBits(ChunkAddressBits),
                .ClockGates      (ClockGates),
                .Style           (Style)
            ) u_chunks (
                .clk_i         (clk_i),
                .run_i         (run_i),
                .write_valid_i (write_valid),
                .write_line_i  (write_line),
                .write_data_i  (write_data_i),
                .write_strobe_i(write_strobe_i),
                .chunk_i       (read_chunk),
                .half_i        (1'b0),
                .chunk_o       (bank_word[ChunkBits*bank+:ChunkBits])
            );
        end
        // Column by column, as they are used: Verilator then builds no word of a whole chunk.
        for (column = 0; column < Width; column = column + 1) begin : gen_column
            localparam At = 8 * Chain * column;
            assign low_o[At+:8*Chain] = odd_q[1] ? bank_word[ChunkBits+At+:8*Chain] : bank_word[At+:8*Chain];
            assign high_o[At+:8*Chain] = odd_q[1] ? bank_word[At+:8*Chain] : bank_word[ChunkBits+At+:8*Chain];
        end
    endgenerate
endmodule
