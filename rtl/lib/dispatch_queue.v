// The instructions of one unit between dispatch and retirement: a queue of those not issued, each with what it waits
// for, and counts of those dispatched and retired.
//
// Pushed in period d, an instruction can issue from period d + 1 on: the oldest does when its unit is ready, fewer than
// `Limit` of the unit's instructions are unretired, and all awaited instructions have retired in earlier periods.
// An issue in period i makes room for a push in period i + 1. Initiation interval 1. It does not look at the
// instruction. Registered: all counts, `room_o`; `issue_o` is a function of registers and `unit_ready_i`.
module dispatch_queue #(
    parameter Queue = 16,
    // Unretired instructions at most; 0: the unit limits itself.
    parameter Limit = 4
) (
    input  wire         clk_i,
    input  wire         rst_ni,
    input  wire         clear_i,
    // Dispatch. Target u (bits 32 u + 31 .. 32 u): as many instructions of unit u must have retired.
    input  wire         push_i,
    input  wire [255:0] word_i,
    input  wire [127:0] targets_i,
    output wire         room_o,
    // Instructions of the four units that have retired.
    input  wire [127:0] retired_i,
    // The unit.
    input  wire         unit_ready_i,
    output wire         issue_o,
    output wire [255:0] word_o,
    input  wire         unit_retire_i,
    // Instructions dispatched and retired since `clear_i`.
    output wire  [31:0] dispatched_o,
    output wire  [31:0] retired_o,
    output wire         idle_o
);
    localparam CountBits = $clog2(Queue + 1);

    wire                 valid;
    wire         [127:0] targets;
    wire                 within_limit;
    wire           [3:0] passed;
    wire [CountBits-1:0] unused_count;
    reg           [31:0] dispatched_q;
    reg           [31:0] retired_q;

    assign issue_o = valid && unit_ready_i && within_limit && passed == 4'b1111;
    assign dispatched_o = dispatched_q;
    assign retired_o = retired_q;
    assign idle_o = dispatched_q == retired_q;

    fifo #(
        .Width(256 + 128),
        .Depth(Queue)
    ) u_queue (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(push_i),
        .ready_o(room_o),
        .data_i ({targets_i, word_i}),
        .valid_o(valid),
        .ready_i(issue_o),
        .data_o ({targets, word_o}),
        .count_o(unused_count)
    );

    genvar unit;
    generate
        for (unit = 0; unit < 4; unit = unit + 1) begin : gen_wait
            wait_passed u_passed (
                .target_i (targets[32*unit+:32]),
                .retired_i(retired_i[32*unit+:32]),
                .passed_o (passed[unit])
            );
        end

        if (Limit == 0) begin : gen_unlimited
            assign within_limit = 1'b1;
        end else begin : gen_limit
            localparam FlightBits = $clog2(Limit + 1);
            localparam [FlightBits-1:0] Most = Limit[FlightBits-1:0];
            reg [FlightBits-1:0] unretired_q;
            assign within_limit = unretired_q != Most;
            always @(posedge clk_i) begin
                if (issue_o && !unit_retire_i) unretired_q <= unretired_q + 1'b1;
                if (unit_retire_i && !issue_o) unretired_q <= unretired_q - 1'b1;
                if (!rst_ni || clear_i) unretired_q <= {FlightBits{1'b0}};
            end
        end
    endgenerate

    always @(posedge clk_i) begin
        if (push_i) dispatched_q <= dispatched_q + 32'd1;
        if (unit_retire_i) retired_q <= retired_q + 32'd1;
        if (!rst_ni || clear_i) begin
            dispatched_q <= 32'd0;
            retired_q <= 32'd0;
        end
    end

`ifndef SYNTHESIS
    // A wait of 64 back stands for no wait at all: more can never be unretired.
    initial if (Queue < 1 || Queue > 44 || Limit < 0 || Limit > 16) begin
        $display("dispatch_queue: Queue %0d, Limit %0d: expected Queue 1 to 44 and Limit 0 to 16", Queue, Limit);
        $finish;
    end
`endif
endmodule
