// Fetches the program, dispatches it to the queues of the four units, and issues each instruction with the values of
// its registers when what it waits for has retired; tells when `end` issues.
//
// Period 0 is the one after `start_i`. One dispatch a period, one issue a period and unit; an instruction dispatched in
// period d can issue in period d + 1, one that retires in period r is seen in period r + 1. What each unit takes and
// when it is ready is the unit's affair. A word that is no instruction, an `end` that is not the last word, and a
// program without one stop the dispatch: when all that was dispatched has retired, `done_o` comes with `error_o`, which
// stays up to the next start. It does not start while busy, and takes register writes of the host only while idle.
// Registered: `busy_o`, `error_o`, `fetch_ar*` (functions of registers). `*_issue_o`, `*_word_o`, `*_value_*_o` follow
// from registers and `*_ready_i`.
module sequencer #(
    parameter Queue = 16,
    parameter FetchPortBytes = 64,
    parameter FetchBurstBytes = 512,
    parameter FetchOutstanding = 4,
    parameter FetchAddressBits = 34
) (
    input  wire                        clk_i,
    input  wire                        rst_ni,
    // Host.
    input  wire                        start_i,
    input  wire                 [31:0] instruction_count_i,
    output wire                        busy_o,
    output wire                        done_o,
    output wire                        error_o,
    input  wire                        register_write_i,
    input  wire                  [6:0] register_number_i,
    input  wire                 [31:0] register_value_i,
    // Read channel of the instruction memory.
    output wire                        fetch_arvalid_o,
    output wire [FetchAddressBits-1:0] fetch_araddr_o,
    output wire                  [7:0] fetch_arlen_o,
    input  wire                        fetch_arready_i,
    input  wire                        fetch_rvalid_i,
    input  wire [8*FetchPortBytes-1:0] fetch_rdata_i,
    input  wire                        fetch_rlast_i,
    output wire                        fetch_rready_o,
    // Load unit.
    input  wire                        load_ready_i,
    output wire                        load_issue_o,
    output wire                [255:0] load_word_o,
    output wire                 [31:0] load_value_a_o,
    output wire                 [31:0] load_value_b_o,
    input  wire                        load_retire_i,
    // Store unit.
    input  wire                        store_ready_i,
    output wire                        store_issue_o,
    output wire                [255:0] store_word_o,
    output wire                 [31:0] store_value_a_o,
    output wire                 [31:0] store_value_b_o,
    input  wire                        store_retire_i,
    // Matrix unit.
    input  wire                        matrix_ready_i,
    output wire                        matrix_issue_o,
    output wire                [255:0] matrix_word_o,
    output wire                 [31:0] matrix_value_a_o,
    output wire                 [31:0] matrix_value_b_o,
    input  wire                        matrix_retire_i,
    // Vector unit.
    input  wire                        vector_ready_i,
    output wire                        vector_issue_o,
    output wire                [255:0] vector_word_o,
    output wire                 [31:0] vector_value_a_o,
    output wire                 [31:0] vector_value_b_o,
    output wire                 [31:0] vector_value_c_o,
    input  wire                        vector_retire_i,
    input  wire                        topk_write_i,
    input  wire                  [2:0] topk_number_i,
    input  wire                 [31:0] topk_value_i,
    // Probe: load, store, matrix, vector, end.
    output wire                        probe_dispatch_o,
    output wire                  [4:0] probe_issue_o,
    output wire                  [4:0] probe_retire_o
);
    `include "constants.vh"

    // The vector unit takes one instruction at a time.
    localparam VectorInFlight = 0;
    localparam FirstTopkRegister = 4'b0001;

    reg busy_q;
    reg stopped_q;
    reg error_q;
    reg end_q;

    wire start = start_i && !busy_q;

    // The next word, and whether it can go to its queue.
    wire         word_valid;
    wire         word_last;
    wire [255:0] word;
    wire   [4:0] unit;
    wire   [5:0] unused_opcode;
    wire         legal;
    wire  [23:0] after;
    wire         fetch_idle;
    wire   [3:0] room;
    wire         is_end = unit[4];
    wire         sound = legal && is_end == word_last;
    wire         dispatch = word_valid && !stopped_q && sound && (is_end || (unit[3:0] & room) != 4'd0);
    wire         fault = word_valid && !stopped_q && !sound;

    // The units, in the order of the waits: load, store, matrix, vector.
    wire    [3:0] ready = {vector_ready_i, matrix_ready_i, store_ready_i, load_ready_i};
    wire    [3:0] retire = {vector_retire_i, matrix_retire_i, store_retire_i, load_retire_i};
    wire    [3:0] issue;
    wire    [3:0] idle;
    wire [1023:0] words;
    wire  [127:0] targets;
    wire  [127:0] dispatched;
    wire  [127:0] retired;
    wire          all_idle = idle == 4'b1111;

    assign {vector_issue_o, matrix_issue_o, store_issue_o, load_issue_o} = issue;
    assign {vector_word_o, matrix_word_o, store_word_o, load_word_o} = words;

    assign busy_o = busy_q;
    assign error_o = error_q;
    assign done_o = busy_q && all_idle && (end_q || (error_q && fetch_idle));
    assign probe_dispatch_o = dispatch;
    assign probe_issue_o = {done_o && !error_q, issue};
    assign probe_retire_o = {done_o && !error_q, retire};

    fetch_unit #(
        .FetchPortBytes  (FetchPortBytes),
        .FetchBurstBytes (FetchBurstBytes),
        .FetchOutstanding(FetchOutstanding),
        .FetchAddressBits(FetchAddressBits)
    ) u_fetch (
        .clk_i              (clk_i),
        .rst_ni             (rst_ni),
        .start_i            (start),
        .instruction_count_i(instruction_count_i),
        .stop_i             (error_q),
        .fetch_arvalid_o    (fetch_arvalid_o),
        .fetch_araddr_o     (fetch_araddr_o),
        .fetch_arlen_o      (fetch_arlen_o),
        .fetch_arready_i    (fetch_arready_i),
        .fetch_rvalid_i     (fetch_rvalid_i),
        .fetch_rdata_i      (fetch_rdata_i),
        .fetch_rlast_i      (fetch_rlast_i),
        .fetch_rready_o     (fetch_rready_o),
        .word_valid_o       (word_valid),
        .word_o             (word),
        .word_last_o        (word_last),
        .word_take_i        (dispatch),
        .idle_o             (fetch_idle)
    );

    decode_header u_header (
        .word_i    (word),
        .opcode_o  (unused_opcode),
        .after_ld_o(after[5:0]),
        .after_st_o(after[11:6]),
        .after_mx_o(after[17:12]),
        .after_vx_o(after[23:18]),
        .unit_o    (unit),
        .legal_o   (legal)
    );

    genvar u;
    generate
        for (u = 0; u < 4; u = u + 1) begin : gen_unit
            // The n-th most recent instruction has retired when all but the n - 1 latest have. No wait is 64 back:
            // an instruction that has surely retired.
            wire [5:0] distance = after[6*u+:6];
            assign targets[32*u+:32] = dispatched[32*u+:32] + 32'd1 - {25'd0, distance == 6'd0, distance};

            dispatch_queue #(
                .Queue(Queue),
                .Limit(u == 0 ? LoadsInFlight : u == 1 ? StoresInFlight : u == 2 ? MatrixInFlight : VectorInFlight)
            ) u_queue (
                .clk_i        (clk_i),
                .rst_ni       (rst_ni),
                .clear_i      (start),
                .push_i       (dispatch && unit[u]),
                .word_i       (word),
                .targets_i    (targets),
                .room_o       (room[u]),
                .retired_i    (retired),
                .unit_ready_i (ready[u]),
                .issue_o      (issue[u]),
                .word_o       (words[256*u+:256]),
                .unit_retire_i(retire[u]),
                .dispatched_o (dispatched[32*u+:32]),
                .retired_o    (retired[32*u+:32]),
                .idle_o       (idle[u])
            );
        end
    endgenerate

    wire [62:0] register_numbers;

    sequencer_registers u_numbers (
        .load_word_i  (load_word_o),
        .store_word_i (store_word_o),
        .matrix_word_i(matrix_word_o),
        .vector_word_i(vector_word_o),
        .numbers_o    (register_numbers)
    );

    wire host_write = register_write_i && !busy_q;

    register_file u_registers (
        .clk_i        (clk_i),
        .write_i      (host_write || topk_write_i),
        .number_i     (host_write ? register_number_i : {FirstTopkRegister, topk_number_i}),
        .value_i      (host_write ? register_value_i : topk_value_i),
        .read_number_i(register_numbers),
        .read_value_o ({
            vector_value_c_o, vector_value_b_o, vector_value_a_o, matrix_value_b_o, matrix_value_a_o,
            store_value_b_o, store_value_a_o, load_value_b_o, load_value_a_o
        })
    );

    always @(posedge clk_i) begin
        if (dispatch && is_end) begin
            end_q <= 1'b1;
            stopped_q <= 1'b1;
        end
        if (fault) begin
            error_q <= 1'b1;
            stopped_q <= 1'b1;
        end
        if (done_o) begin
            busy_q <= 1'b0;
            end_q <= 1'b0;
        end
        if (start) begin
            busy_q <= 1'b1;
            end_q <= 1'b0;
            error_q <= instruction_count_i == 32'd0;
            stopped_q <= instruction_count_i == 32'd0;
        end
        if (!rst_ni) begin
            busy_q <= 1'b0;
            end_q <= 1'b0;
            error_q <= 1'b0;
            stopped_q <= 1'b1;
        end
    end

    wire unused = &{1'b0, unused_opcode};
endmodule
