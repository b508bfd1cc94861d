// A chain of `Chain` DSP48E2: the sums over i of hi[i] * shared[i] and of lo[i] * shared[i], exact.
//
// The low lane of a DSP48E2 holds at most 7 products, so the cascade is cut into segments of at most 7 whose lanes are
// parted and added in fabric. Operands are skewed along each segment, shorter segments starting later, so that all
// segments end together.
//
// Latency (longest segment - 1) + 4 + 1 + clog2(segments): Chain 16: 12, Chain 32: 14, Chain 64: 15. Initiation interval
// 1; `enable_i` is the clock enable of every register. The inputs are not registered before the skew.
// Registered: the sums. Does not accumulate over steps.
// Cells (yosys synth_xilinx -family xcup): `Chain` DSP48E2.
module dsp_chain #(
    parameter Chain = 16
) (
    input  wire               clk_i,
    input  wire               enable_i,
    input  wire [8*Chain-1:0] hi_i,
    input  wire [8*Chain-1:0] lo_i,
    input  wire [8*Chain-1:0] shared_i,
    output wire        [31:0] hi_sum_o,
    output wire        [31:0] lo_sum_o
);
    `include "constants.vh"

    localparam Segments = (Chain + PackedMaxProducts - 1) / PackedMaxProducts;
    localparam Longest = (Chain + Segments - 1) / Segments;
    // The first segments have `Longest` products, the rest one less.
    localparam LongSegments = Chain - Segments * (Longest - 1);
    localparam Levels = $clog2(Segments);
    // The sum of all segments needs `Levels` bits more than a lane.
    localparam LaneBits = PackedLaneBits;
    localparam SumBits = LaneBits + Levels;

    // Operands 0, 1, 2... periods late: one word a delay, of which each product uses one.
    wire [8*Chain*Longest-1:0] hi_late;
    wire [8*Chain*Longest-1:0] lo_late;
    wire [8*Chain*Longest-1:0] shared_late;
    assign hi_late[8*Chain-1:0] = hi_i;
    assign lo_late[8*Chain-1:0] = lo_i;
    assign shared_late[8*Chain-1:0] = shared_i;

    genvar late;
    generate
        for (late = 1; late < Longest; late = late + 1) begin : gen_skew
            reg [8*Chain-1:0] hi_q;
            reg [8*Chain-1:0] lo_q;
            reg [8*Chain-1:0] shared_q;
            always @(posedge clk_i) begin
                if (enable_i) begin
                    hi_q <= hi_late[8*Chain*(late-1)+:8*Chain];
                    lo_q <= lo_late[8*Chain*(late-1)+:8*Chain];
                    shared_q <= shared_late[8*Chain*(late-1)+:8*Chain];
                end
            end
            assign hi_late[8*Chain*late+:8*Chain] = hi_q;
            assign lo_late[8*Chain*late+:8*Chain] = lo_q;
            assign shared_late[8*Chain*late+:8*Chain] = shared_q;
        end
    endgenerate

    // Products of the longest segments need no operand later than their own place.
    wire unused_skew = &{1'b0, hi_late, lo_late, shared_late};

    // Nodes of the adder tree: level 0 is the segments' parted lanes, each level halves their number, rounded up.
    function integer nodes(input integer level);
        nodes = (Segments + (1 << level) - 1) >> level;
    endfunction
    function integer first_node(input integer level);
        integer below;
        begin
            first_node = 0;
            for (below = 0; below < level; below = below + 1) first_node = first_node + nodes(below);
        end
    endfunction
    wire [SumBits*first_node(Levels+1)-1:0] hi_tree;
    wire [SumBits*first_node(Levels+1)-1:0] lo_tree;

    genvar segment;
    genvar place;
    generate
        for (segment = 0; segment < Segments; segment = segment + 1) begin : gen_segment
            localparam Length = segment < LongSegments ? Longest : Longest - 1;
            localparam First = segment < LongSegments ? segment * Longest :
                LongSegments * Longest + (segment - LongSegments) * (Longest - 1);
            wire [48*(Length+1)-1:0] cascade;
            wire [48*Length-1:0] sum;
            assign cascade[47:0] = 48'd0;
            for (place = 0; place < Length; place = place + 1) begin : gen_place
                localparam Byte = 8 * (Chain * (Longest - Length + place) + First + place);
                dsp_pair_mac #(
                    .First(place == 0 ? 1 : 0)
                ) u_pair_mac (
                    .clk_i    (clk_i),
                    .enable_i (enable_i),
                    .hi_i     (hi_late[Byte+:8]),
                    .lo_i     (lo_late[Byte+:8]),
                    .shared_i (shared_late[Byte+:8]),
                    .cascade_i(cascade[48*place+:48]),
                    .cascade_o(cascade[48*(place+1)+:48]),
                    .sum_o    (sum[48*place+:48])
                );
            end

            // A negative low lane has borrowed one from the high lane.
            wire [LaneBits-1:0] lo = sum[48*(Length-1)+:LaneBits];
            wire [LaneBits-1:0] hi = sum[48*(Length-1)+LaneBits+:LaneBits] + {{(LaneBits-1){1'b0}}, lo[LaneBits-1]};
            wire unused_sums = &{1'b0, sum, cascade[48*Length+:48]};
            reg [SumBits-1:0] hi_q;
            reg [SumBits-1:0] lo_q;
            always @(posedge clk_i) begin
                if (enable_i) begin
                    hi_q <= {{Levels{hi[LaneBits-1]}}, hi};
                    lo_q <= {{Levels{lo[LaneBits-1]}}, lo};
                end
            end
            assign hi_tree[SumBits*segment+:SumBits] = hi_q;
            assign lo_tree[SumBits*segment+:SumBits] = lo_q;
        end
    endgenerate

    genvar level;
    genvar node;
    generate
        for (level = 1; level <= Levels; level = level + 1) begin : gen_level
            for (node = 0; node < nodes(level); node = node + 1) begin : gen_node
                localparam To = SumBits * (first_node(level) + node);
                localparam From = SumBits * (first_node(level - 1) + 2 * node);
                reg [SumBits-1:0] hi_q;
                reg [SumBits-1:0] lo_q;
                if (2 * node + 1 < nodes(level - 1)) begin : gen_add
                    always @(posedge clk_i) begin
                        if (enable_i) begin
                            hi_q <= hi_tree[From+:SumBits] + hi_tree[From+SumBits+:SumBits];
                            lo_q <= lo_tree[From+:SumBits] + lo_tree[From+SumBits+:SumBits];
                        end
                    end
                end else begin : gen_pass
                    always @(posedge clk_i) begin
                        if (enable_i) begin
                            hi_q <= hi_tree[From+:SumBits];
                            lo_q <= lo_tree[From+:SumBits];
                        end
                    end
                end
                assign hi_tree[To+:SumBits] = hi_q;
                assign lo_tree[To+:SumBits] = lo_q;
            end
        end
    endgenerate

    localparam Root = SumBits * first_node(Levels);
    assign hi_sum_o = {{(32-SumBits){hi_tree[Root+SumBits-1]}}, hi_tree[Root+:SumBits]};
    assign lo_sum_o = {{(32-SumBits){lo_tree[Root+SumBits-1]}}, lo_tree[Root+:SumBits]};

`ifndef SYNTHESIS
    initial if (Chain < 16) begin
        $display("dsp_chain: Chain %0d: expected at least 16", Chain);
        $finish;
    end
`endif
endmodule
