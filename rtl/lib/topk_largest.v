// The largest key of each row and its element index: signed 32-bit keys, the lowest index among equals.
//
// A row is a run of beats, `last_i` with its last; lanes that do not take part hold a key below all others. Latency clog2(Lanes) + 1
// from `last_i` to `valid_o`, `key_o`, `index_o`. Initiation interval 1 beat; rows may follow each other
// without a gap. Registered: all outputs. It does not know what a key stands for.
module topk_largest #(
    parameter Lanes = 8
) (
    input  wire                clk_i,
    input  wire                rst_ni,
    input  wire                valid_i,
    input  wire                last_i,
    input  wire [32*Lanes-1:0] key_i,
    output wire                valid_o,
    output wire         [31:0] key_o,
    output wire         [17:0] index_o
);
    localparam Levels = $clog2(Lanes);

    // What the tree over the lanes gives: valid, last, key and lane of a beat's largest.
    wire        beat_valid;
    wire        beat_last;
    wire [31:0] beat_key;
    wire [17:0] beat_lane;
    generate
        if (Lanes == 1) begin : gen_no_tree
            assign beat_valid = valid_i;
            assign beat_last = last_i;
            assign beat_key = key_i;
            assign beat_lane = 18'd0;
        end else begin : gen_tree
            // A heap: node n is the larger of nodes 2n + 1 and 2n + 2; the lanes are the last nodes.
            reg  [32*(Lanes-1)-1:0] key_q;
            reg  [18*(Lanes-1)-1:0] lane_q;
            wire [32*(2*Lanes-1)-1:0] key = {key_i, key_q};
            wire [18*(2*Lanes-1)-1:0] lane;
            assign lane[18*(Lanes-1)-1:0] = lane_q;
            genvar leaf;
            for (leaf = 0; leaf < Lanes; leaf = leaf + 1) begin : gen_lane
                localparam [17:0] Lane = leaf;
                assign lane[18*(Lanes-1+leaf)+:18] = Lane;
            end
            integer n;
            always @(posedge clk_i) begin
                for (n = 0; n < Lanes - 1; n = n + 1) begin
                    // Equal keys keep the left one, which has the lower index.
                    if ($signed(key[32*(2*n+2)+:32]) > $signed(key[32*(2*n+1)+:32])) begin
                        key_q[32*n+:32] <= key[32*(2*n+2)+:32];
                        lane_q[18*n+:18] <= lane[18*(2*n+2)+:18];
                    end else begin
                        key_q[32*n+:32] <= key[32*(2*n+1)+:32];
                        lane_q[18*n+:18] <= lane[18*(2*n+1)+:18];
                    end
                end
            end
            reg  [Levels-1:0] valid_q;
            reg  [Levels-1:0] last_q;
            wire   [Levels:0] valid = {valid_q, valid_i};
            wire   [Levels:0] last = {last_q, last_i};
            always @(posedge clk_i) begin
                if (!rst_ni) valid_q <= {Levels{1'b0}};
                else valid_q <= valid[Levels-1:0];
                last_q <= last[Levels-1:0];
            end
            assign beat_valid = valid[Levels];
            assign beat_last = last[Levels];
            assign beat_key = key_q[31:0];
            assign beat_lane = lane_q[17:0];
        end
    endgenerate

    // Over the beats of a row. `at_q`: index of the beat's lane 0.
    localparam [17:0] Beat = Lanes[17:0];
    reg        first_q;
    reg [17:0] at_q;
    reg        valid_q;
    reg [31:0] key_q;
    reg [17:0] index_q;
    always @(posedge clk_i) begin
        if (!rst_ni) begin
            first_q <= 1'b1;
            valid_q <= 1'b0;
            at_q <= 18'd0;
        end else begin
            valid_q <= beat_valid && beat_last;
            if (beat_valid) begin
                first_q <= beat_last;
                at_q <= beat_last ? 18'd0 : at_q + Beat;
            end
        end
        if (beat_valid && (first_q || $signed(beat_key) > $signed(key_q))) begin
            key_q <= beat_key;
            index_q <= at_q | beat_lane;
        end
    end
    assign valid_o = valid_q;
    assign key_o = key_q;
    assign index_o = index_q;

`ifndef SYNTHESIS
    initial if (Lanes < 1 || (1 << Levels) != Lanes) begin
        $display("topk_largest: Lanes %0d: expected a power of two", Lanes);
        $finish;
    end
`endif
endmodule
