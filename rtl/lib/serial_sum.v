// The sum of `Dot` signed addends of 16 bits: groups of four, then those, a period each.
//
// Latency 0 (Dot = 1), 1 (2 and 4) or 2 (8 and 16), initiation interval 1. `enable_i` is the clock enable of every
// register. Registered: `sum_o` if Dot > 1.
module serial_sum #(
    parameter Dot = 4
) (
    input  wire                      clk_i,
    input  wire                      enable_i,
    input  wire         [16*Dot-1:0] addends_i,
    output wire [15+$clog2(Dot):0] sum_o
);
    localparam Groups = (Dot + 3) / 4;
    localparam Padded = 4 * Groups;
    // Sixteen addends add four bits.
    function [19:0] sum(input [79:0] addends);
        sum = (addends[19:0] + addends[39:20]) + (addends[59:40] + addends[79:60]);
    endfunction

    genvar i;
    generate
        if (Dot == 1) begin : gen_one
            wire unused_clock = &{1'b0, clk_i, enable_i};
            assign sum_o = addends_i;
        end else begin : gen_tree
            wire [20*Padded-1:0] addends;
            for (i = 0; i < Padded; i = i + 1) begin : gen_addend
                if (i < Dot) begin : gen_given
                    assign addends[20*i+:20] = {{4{addends_i[16*i+15]}}, addends_i[16*i+:16]};
                end else begin : gen_none
                    assign addends[20*i+:20] = 20'd0;
                end
            end
            reg [20*Groups-1:0] groups_q;
            for (i = 0; i < Groups; i = i + 1) begin : gen_group
                always @(posedge clk_i) if (enable_i) groups_q[20*i+:20] <= sum(addends[80*i+:80]);
            end
            wire [19:0] whole;
            if (Groups == 1) begin : gen_first
                assign whole = groups_q;
            end else begin : gen_second
                reg [19:0] sum_q;
                always @(posedge clk_i) if (enable_i) sum_q <= sum({{(80-20*Groups){1'b0}}, groups_q});
                assign whole = sum_q;
            end
            assign sum_o = whole[15+$clog2(Dot):0];
            wire unused_whole = &{1'b0, whole};
        end
    endgenerate
endmodule
