// The N:M indices of one column's step as `Chain` numbers of 4 bits, cut out of the column's packed stream.
//
// A dense step (0 bits) has the indices 0, 1, 0, 1...: those of a pair's own activations among its candidates. With 1:4
// (`single_i`) the second weight of a pair has a group of its own, the second of its candidates: its index is 4 more.
// A step of indices of b bits (2 or 4) is b units of `Chain` bits of the stream, beginning `unit_i` units into the chunk; it
// never straddles two chunks. Latency 2 from `piece_i` and `unit_i`: period 0; `index_bits_i` and `single_i` belong to the same step
// one period later. Initiation interval 1; `enable_i` is the clock enable of every register. Registered: `indices_o`.
module index_expander #(
    parameter Chain = 16
) (
    input  wire               clk_i,
    input  wire               enable_i,
    input  wire [8*Chain-1:0] piece_i,
    input  wire         [2:0] unit_i,
    input  wire         [2:0] index_bits_i,
    input  wire               single_i,
    output wire [4*Chain-1:0] indices_o
);
    // Steps begin at even units.
    wire [4*Chain-1:0] half = unit_i[2] ? piece_i[8*Chain-1:4*Chain] : piece_i[4*Chain-1:0];
    wire [2*Chain-1:0] quarter = unit_i[1] ? half[4*Chain-1:2*Chain] : half[2*Chain-1:0];
    wire [4*Chain-1:0] stream = {half[4*Chain-1:2*Chain], quarter};
    wire unused_unit = unit_i[0];

    reg [4*Chain-1:0] stream_q;
    reg [4*Chain-1:0] indices_q;
    integer i;
    always @(posedge clk_i) begin
        if (enable_i) begin
            stream_q <= stream;
            indices_q <= stream_q;
            if (index_bits_i == 3'd2) begin
                for (i = 0; i < Chain; i = i + 1) indices_q[4*i+:4] <= {1'b0, single_i && i[0], stream_q[2*i+:2]};
            end
            if (index_bits_i == 3'd0) begin
                for (i = 0; i < Chain; i = i + 1) indices_q[4*i+:4] <= {3'd0, i[0]};
            end
        end
    end
    assign indices_o = indices_q;
endmodule
