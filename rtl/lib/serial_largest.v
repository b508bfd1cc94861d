// The largest of `Dot` exponents of 7 bits: groups of four, then those, a period each.
//
// Latency 0 (Dot = 1), 1 (2 and 4) or 2 (8 and 16), initiation interval 1. `enable_i` is the clock enable of every
// register. Registered: `largest_o` if Dot > 1.
module serial_largest #(
    parameter Dot = 4
) (
    input  wire             clk_i,
    input  wire             enable_i,
    input  wire [7*Dot-1:0] exponents_i,
    output wire       [6:0] largest_o
);
    function [6:0] largest(input [27:0] exponents);
        reg [6:0] low;
        reg [6:0] high;
        begin
            low = exponents[6:0] > exponents[13:7] ? exponents[6:0] : exponents[13:7];
            high = exponents[20:14] > exponents[27:21] ? exponents[20:14] : exponents[27:21];
            largest = low > high ? low : high;
        end
    endfunction

    localparam Groups = (Dot + 3) / 4;
    localparam Padded = 4 * Groups;
    genvar i;
    generate
        if (Dot == 1) begin : gen_one
            wire unused_clock = &{1'b0, clk_i, enable_i};
            assign largest_o = exponents_i;
        end else begin : gen_tree
            wire [7*Padded-1:0] exponents;
            if (Padded > Dot) begin : gen_padded
                assign exponents = {{(7*(Padded-Dot)){1'b0}}, exponents_i};
            end else begin : gen_whole
                assign exponents = exponents_i;
            end
            reg [7*Groups-1:0] groups_q;
            for (i = 0; i < Groups; i = i + 1) begin : gen_group
                always @(posedge clk_i) if (enable_i) groups_q[7*i+:7] <= largest(exponents[28*i+:28]);
            end
            if (Groups == 1) begin : gen_first
                assign largest_o = groups_q;
            end else begin : gen_second
                reg [6:0] largest_q;
                always @(posedge clk_i)
                    if (enable_i) largest_q <= largest({{(28-7*Groups){1'b0}}, groups_q});
                assign largest_o = largest_q;
            end
        end
    endgenerate
endmodule
