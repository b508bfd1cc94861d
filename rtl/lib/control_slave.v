// The kernel's registers behind an AXI4-Lite port, as a Vitis kernel with ap_ctrl_hs has them (UG1393, "RTL Kernel
// Requirements"), and a window onto the core's registers.
//
//   0x00  CTRL  bit 0 start (held until the kernel is ready), 1 done and 3 ready (cleared by reading), 2 idle,
//               7 start again by itself
//   0x04  GIER  bit 0: interrupts on
//   0x08  IER   bit 0: an interrupt when done, 1: when ready
//   0x0c  ISR   what has interrupted, likewise; a 1 written toggles
//   FirstArgument + ArgumentStride k: argument k, the low word, then for 64 bits the high word: k = 2 n the address of
//               core n's program (64), 2 n + 1 the number of its instructions (32), 2 Cores + c the address of channel c's
//               memory (64), the channels of all cores
//   RegisterWindow - 4: status, read only, bit 0: a program stopped at an error
//   RegisterWindow + 4 r: register r of the cores, write only; it reads 0, and takes whole words only
// What has no register reads 0 and ignores writes. Every access is answered OKAY.
//
// One write and one read at a time: a write is done in the period after both its address and its data have come, its
// response and `register_write_o` come one period later; a read answers in the period after its address. Initiation
// interval 2. It does not know whether the core takes a register: it does while idle.
// Registered: all outputs, or functions of registers (`interrupt_o`, `awready_o`, `wready_o`, `arready_o`).
module control_slave #(
    parameter Cores = 1,
    parameter Channels = 2,
    parameter FirstArgument = 'h10,
    parameter ArgumentStride = 12,
    parameter RegisterWindow = 'h400,
    parameter AddressBits = 12
) (
    input  wire                   clk_i,
    input  wire                   rst_ni,
    // AXI4-Lite.
    input  wire                   awvalid_i,
    output wire                   awready_o,
    input  wire [AddressBits-1:0] awaddr_i,
    input  wire                   wvalid_i,
    output wire                   wready_o,
    input  wire            [31:0] wdata_i,
    input  wire             [3:0] wstrb_i,
    output wire                   bvalid_o,
    input  wire                   bready_i,
    output wire             [1:0] bresp_o,
    input  wire                   arvalid_i,
    output wire                   arready_o,
    input  wire [AddressBits-1:0] araddr_i,
    output wire                   rvalid_o,
    input  wire                   rready_i,
    output wire            [31:0] rdata_o,
    output wire             [1:0] rresp_o,
    output wire                   interrupt_o,
    // Kernel.
    output wire                   ap_start_o,
    input  wire                   ap_done_i,
    input  wire                   ap_ready_i,
    input  wire                   ap_idle_i,
    input  wire                   error_i,
    // Arguments.
    output wire    [64*Cores-1:0] instructions_o,
    output wire    [32*Cores-1:0] instruction_count_o,
    output wire [64*Channels-1:0] memory_o,
    // Registers of the core.
    output wire                   register_write_o,
    output wire             [6:0] register_number_o,
    output wire            [31:0] register_value_o
);
    localparam Registers = 128;
    localparam Programs = 2 * Cores;
    localparam Arguments = Channels + Programs;
    localparam WordBits = AddressBits - 2;
    localparam integer StatusAddress = RegisterWindow - 4;
    localparam [WordBits-1:0] ControlWord = 0;
    localparam [WordBits-1:0] InterruptsWord = 1;
    localparam [WordBits-1:0] EnableWord = 2;
    localparam [WordBits-1:0] PendingWord = 3;
    localparam [WordBits-1:0] StatusWord = StatusAddress[AddressBits-1:2];
    localparam [WordBits-1:0] WindowWord = RegisterWindow[AddressBits-1:2];
    localparam WindowBits = $clog2(Registers);
    localparam [1:0] Okay = 2'b00;

    // Writes: address and data wait for each other.
    reg                aw_held_q;
    reg [WordBits-1:0] aw_word_q;
    reg                w_held_q;
    reg         [31:0] w_data_q;
    reg          [3:0] w_strobe_q;
    reg                b_valid_q;

    wire write = aw_held_q && w_held_q && (!b_valid_q || bready_i);
    wire [31:0] w_mask = {{8{w_strobe_q[3]}}, {8{w_strobe_q[2]}}, {8{w_strobe_q[1]}}, {8{w_strobe_q[0]}}};

    assign awready_o = !aw_held_q;
    assign wready_o = !w_held_q;
    assign bvalid_o = b_valid_q;
    assign bresp_o = Okay;

    always @(posedge clk_i) begin
        if (awready_o) aw_word_q <= awaddr_i[AddressBits-1:2];
        if (wready_o) {w_data_q, w_strobe_q} <= {wdata_i, wstrb_i};
        aw_held_q <= aw_held_q ? !write : awvalid_i;
        w_held_q <= w_held_q ? !write : wvalid_i;
        b_valid_q <= write || (b_valid_q && !bready_i);
        if (!rst_ni) begin
            aw_held_q <= 1'b0;
            w_held_q <= 1'b0;
            b_valid_q <= 1'b0;
        end
    end

    // Reads.
    reg         r_valid_q;
    reg  [31:0] r_data_q;
    wire        read = arvalid_i && arready_o;
    wire [WordBits-1:0] r_word = araddr_i[AddressBits-1:2];
    wire        read_control = read && r_word == ControlWord;

    assign arready_o = !r_valid_q;
    assign rvalid_o = r_valid_q;
    assign rdata_o = r_data_q;
    assign rresp_o = Okay;

    // Control and interrupts.
    reg       start_q;
    reg       restart_q;
    reg       done_q;
    reg       ready_q;
    reg       interrupts_q;
    reg [1:0] enable_q;
    reg [1:0] pending_q;

    wire write_control = write && aw_word_q == ControlWord && w_strobe_q[0];
    wire write_pending = write && aw_word_q == PendingWord && w_strobe_q[0];

    assign ap_start_o = start_q;
    assign interrupt_o = interrupts_q && pending_q != 2'b00;

    always @(posedge clk_i) begin
        if (write_control && w_data_q[0]) start_q <= 1'b1;
        else if (ap_ready_i) start_q <= restart_q;
        if (write_control) restart_q <= w_data_q[7];
        done_q <= ap_done_i || (done_q && !read_control);
        ready_q <= ap_ready_i || (ready_q && !read_control);
        if (write && aw_word_q == InterruptsWord && w_strobe_q[0]) interrupts_q <= w_data_q[0];
        if (write && aw_word_q == EnableWord && w_strobe_q[0]) enable_q <= w_data_q[1:0];
        pending_q <= (pending_q ^ (write_pending ? w_data_q[1:0] : 2'b00)) | (enable_q & {ap_ready_i, ap_done_i});
        if (!rst_ni) begin
            start_q <= 1'b0;
            restart_q <= 1'b0;
            done_q <= 1'b0;
            ready_q <= 1'b0;
            interrupts_q <= 1'b0;
            enable_q <= 2'b00;
            pending_q <= 2'b00;
        end
    end

    // Arguments.
    wire [64*Arguments-1:0] arguments;
    // What each argument gives to a read, of which at most one is not zero.
    wire [32*Arguments-1:0] argument_reads;

    assign memory_o = arguments[64*Arguments-1:64*Programs];

    genvar k;
    generate
        for (k = 0; k < Arguments; k = k + 1) begin : gen_argument
            localparam integer LowAddress = FirstArgument + ArgumentStride * k;
            localparam integer HighAddress = LowAddress + 4;
            localparam [WordBits-1:0] LowWord = LowAddress[AddressBits-1:2];
            localparam [WordBits-1:0] HighWord = HighAddress[AddressBits-1:2];

            reg [31:0] low_q;
            wire read_low = r_word == LowWord;
            always @(posedge clk_i) if (write && aw_word_q == LowWord) low_q <= (low_q & ~w_mask) | (w_data_q & w_mask);

            if (k < Programs && k % 2 == 1) begin : gen_word
                assign instruction_count_o[32*(k/2)+:32] = low_q;
                assign arguments[64*k+:64] = {32'd0, low_q};
                assign argument_reads[32*k+:32] = read_low ? low_q : 32'd0;
                wire unused = &{1'b0, HighWord};
            end else begin : gen_address
                reg [31:0] high_q;
                wire read_high = r_word == HighWord;
                always @(posedge clk_i)
                    if (write && aw_word_q == HighWord) high_q <= (high_q & ~w_mask) | (w_data_q & w_mask);
                assign arguments[64*k+:64] = {high_q, low_q};
                assign argument_reads[32*k+:32] = read_low ? low_q : read_high ? high_q : 32'd0;
                if (k < Programs) begin : gen_program
                    assign instructions_o[64*(k/2)+:64] = {high_q, low_q};
                end
            end
        end
    endgenerate

    reg [31:0] read_value;
    integer i;
    always @* begin
        read_value = 32'd0;
        for (i = 0; i < Arguments; i = i + 1) read_value = read_value | argument_reads[32*i+:32];
        if (r_word == ControlWord) read_value = {24'd0, restart_q, 3'd0, ready_q, ap_idle_i, done_q, start_q};
        if (r_word == InterruptsWord) read_value = {31'd0, interrupts_q};
        if (r_word == EnableWord) read_value = {30'd0, enable_q};
        if (r_word == PendingWord) read_value = {30'd0, pending_q};
        if (r_word == StatusWord) read_value = {31'd0, error_i};
    end

    always @(posedge clk_i) begin
        if (read) r_data_q <= read_value;
        r_valid_q <= read || (r_valid_q && !rready_i);
        if (!rst_ni) r_valid_q <= 1'b0;
    end

    // Window.
    reg        register_write_q;
    reg  [6:0] register_number_q;
    reg [31:0] register_value_q;

    assign register_write_o = register_write_q;
    assign register_number_o = register_number_q;
    assign register_value_o = register_value_q;

    always @(posedge clk_i) begin
        register_number_q <= aw_word_q[WindowBits-1:0];
        register_value_q <= w_data_q;
        register_write_q <= write && w_strobe_q == 4'b1111
                            && aw_word_q[WordBits-1:WindowBits] == WindowWord[WordBits-1:WindowBits];
        if (!rst_ni) register_write_q <= 1'b0;
    end

    wire unused = &{1'b0, awaddr_i[1:0], araddr_i[1:0], arguments};

`ifdef FORMAL
    // The rules of AXI4-Lite for a subordinate, counted from the port alone: no answer without what it answers, each
    // answer stays as it is until it is taken, nothing is left out or doubled; and the protocol of start and done.
    reg        f_past = 1'b0;
    reg  [1:0] f_addresses_q;
    reg  [1:0] f_data_q;
    reg  [1:0] f_reads_q;
    reg        f_was_reset_q;
    reg        f_b_waits_q;
    reg  [1:0] f_bresp_q;
    reg        f_r_waits_q;
    reg [33:0] f_r_q;
    reg        f_start_waits_q;

    always @(posedge clk_i) begin
        f_past <= 1'b1;
        f_was_reset_q <= !rst_ni;
        f_addresses_q <= f_addresses_q + {1'b0, awvalid_i && awready_o} - {1'b0, bvalid_o && bready_i};
        f_data_q <= f_data_q + {1'b0, wvalid_i && wready_o} - {1'b0, bvalid_o && bready_i};
        f_reads_q <= f_reads_q + {1'b0, arvalid_i && arready_o} - {1'b0, rvalid_o && rready_i};
        f_b_waits_q <= rst_ni && bvalid_o && !bready_i;
        f_bresp_q <= bresp_o;
        f_r_waits_q <= rst_ni && rvalid_o && !rready_i;
        f_r_q <= {rdata_o, rresp_o};
        f_start_waits_q <= rst_ni && ap_start_o && !ap_ready_i;
        if (!rst_ni) begin
            f_addresses_q <= 2'd0;
            f_data_q <= 2'd0;
            f_reads_q <= 2'd0;
        end
    end

    always @* begin
        if (!f_past) assume (!rst_ni);
        if (f_past && f_was_reset_q) assert (!bvalid_o && !rvalid_o && !ap_start_o && !register_write_o);
        if (f_past && rst_ni) begin
            assert (f_addresses_q == {1'b0, aw_held_q} + {1'b0, b_valid_q});
            assert (f_data_q == {1'b0, w_held_q} + {1'b0, b_valid_q});
            if (bvalid_o) assert (f_addresses_q != 0 && f_data_q != 0);
            assert (rvalid_o == (f_reads_q == 2'd1) && f_reads_q <= 2'd1);
            if (f_b_waits_q) assert (bvalid_o && bresp_o == f_bresp_q);
            if (f_r_waits_q) assert (rvalid_o && {rdata_o, rresp_o} == f_r_q);
            if (f_start_waits_q) assert (ap_start_o);
            // A subordinate that nobody holds back answers: it cannot deadlock.
            assert (awready_o || wready_o || write || bvalid_o);
            assert (arready_o || rvalid_o);
        end
    end
`endif

`ifndef SYNTHESIS
    initial if (Cores < 1 || Channels < 1 || FirstArgument < 16 || ArgumentStride < 8 || ArgumentStride % 4 != 0
                || FirstArgument + ArgumentStride * Arguments > StatusAddress || RegisterWindow % (4 * Registers) != 0
                || RegisterWindow + 4 * Registers > (1 << AddressBits)) begin
        $display("control_slave: Cores %0d, Channels %0d, FirstArgument %0d, ArgumentStride %0d, RegisterWindow %0d, ",
                 Cores, Channels, FirstArgument, ArgumentStride, RegisterWindow,
                 "AddressBits %0d: expected arguments below the window, the window at a multiple of 512",
                 AddressBits);
        $finish;
    end
`endif
endmodule
