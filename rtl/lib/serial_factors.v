// `Dot` activations of one row, taken apart: the f16 of a step that a period multiplies.
//
// Latency 1, initiation interval 1: `step_i` holds `Chain` f16, `place_i` says which `Dot` of them. An exponent is the field, 1
// for subnormals and 0 for zero. `finite_o`: none of them is infinite or NaN. `enable_i` is the clock enable of every register.
// Registered: all outputs.
module serial_factors #(
    parameter Chain = 16,
    parameter Dot = 4,
    parameter PlaceBits = 2
) (
    input  wire                 clk_i,
    input  wire                 enable_i,
    input  wire  [16*Chain-1:0] step_i,
    input  wire [PlaceBits-1:0] place_i,
    output wire       [Dot-1:0] negative_o,
    output wire     [5*Dot-1:0] exponent_o,
    output wire    [11*Dot-1:0] significand_o,
    output wire                 finite_o
);
    wire [16*Dot-1:0] chosen;
    generate
        if (Dot == Chain) begin : gen_all
            wire unused_place = &{1'b0, place_i};
            assign chosen = step_i;
        end else begin : gen_choice
            assign chosen = step_i[16*Dot*place_i+:16*Dot];
        end
    endgenerate

    reg    [Dot-1:0] negative_q;
    reg  [5*Dot-1:0] exponent_q;
    reg [11*Dot-1:0] significand_q;
    reg              finite_q;
    reg              finite;
    integer lane;
    always @* begin
        finite = 1'b1;
        for (lane = 0; lane < Dot; lane = lane + 1) if (&chosen[16*lane+10+:5]) finite = 1'b0;
    end
    integer i;
    always @(posedge clk_i) begin
        if (enable_i) begin
            finite_q <= finite;
            for (i = 0; i < Dot; i = i + 1) begin
                negative_q[i] <= chosen[16*i+15];
                exponent_q[5*i+:5] <= chosen[16*i+10+:5] != 5'd0 ? chosen[16*i+10+:5]
                    : {4'd0, chosen[16*i+:10] != 10'd0};
                significand_q[11*i+:11] <= {chosen[16*i+10+:5] != 5'd0, chosen[16*i+:10]};
            end
        end
    end
    assign negative_o = negative_q;
    assign exponent_o = exponent_q;
    assign significand_o = significand_q;
    assign finite_o = finite_q;
endmodule
