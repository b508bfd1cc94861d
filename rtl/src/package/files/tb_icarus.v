// tb_icarus: runs the core, or all cores, on plain AXI memories and compares the data memory with the expected one, byte by byte.
// Prints PASS or FAIL. Plusargs: +vectors=FOLDER (default ../vectors), +stall=PERCENT, +seed=N.
// It does not look at cycles: those are compared where the simulator's own memory is behind the ports.
`timescale 1ns / 1ps
module tb_icarus;
    `include "tb_config.vh"

    localparam QuietPeriodsMax = 200000;
    localparam MismatchesShown = 10;
    localparam ChannelWords    = ChannelBytes / PortBytes;
    localparam ProgramWords    = ProgramBytes / FetchPortBytes;

    reg         clk;
    reg         rst_n;
    reg         start;
    reg         register_write;
    reg  [6:0]  register_number;
    reg  [31:0] register_value;
    reg  [31:0] registers [0:Registers-1];
    reg  [31:0] stall_percent;
    reg  [31:0] seed;
    wire        done;
    wire        refused;

    wire [Cores-1:0]                       fetch_arvalid;
    wire [Cores*FetchAddressBits-1:0]      fetch_araddr;
    wire [8*Cores-1:0]                     fetch_arlen;
    wire [Cores-1:0]                       fetch_arready;
    wire [Cores-1:0]                       fetch_rvalid;
    wire [8*Cores*FetchPortBytes-1:0]      fetch_rdata;
    wire [Cores-1:0]                       fetch_rlast;
    wire [Cores-1:0]                       fetch_rready;

    wire [Channels-1:0]                    load_arvalid;
    wire [Channels*ChannelAddressBits-1:0] load_araddr;
    wire [8*Channels-1:0]                  load_arlen;
    wire [Channels-1:0]                    load_arready;
    wire [Channels-1:0]                    load_rvalid;
    wire [8*Channels*PortBytes-1:0]        load_rdata;
    wire [Channels-1:0]                    load_rlast;
    wire [Channels-1:0]                    load_rready;
    wire [Channels-1:0]                    store_awvalid;
    wire [Channels*ChannelAddressBits-1:0] store_awaddr;
    wire [Channels-1:0]                    store_awready;
    wire [Channels-1:0]                    store_wvalid;
    wire [8*Channels*PortBytes-1:0]        store_wdata;
    wire [Channels*PortBytes-1:0]          store_wstrb;
    wire [Channels-1:0]                    store_wready;
    wire [Channels-1:0]                    store_bvalid;
    wire [Channels-1:0]                    store_bready;

    wire   [Cores-1:0] busy;
    wire   [Cores-1:0] dispatch;
    wire [5*Cores-1:0] issue;
    wire [5*Cores-1:0] retire;

    wire [32*(Channels+Cores)-1:0] events;
    wire [Channels+Cores-1:0]      faults;

    `TB_TOP u_core (
        .clk_i               (clk),
        .rst_ni              (rst_n),
        .start_i             (start),
        .instruction_count_i (InstructionCounts),
        .register_write_i    (register_write),
        .register_number_i   (register_number),
        .register_value_i    (register_value),
        .busy_o              (busy),
        .done_o              (done),
        .error_o             (refused),
        .fetch_arvalid_o     (fetch_arvalid),
        .fetch_araddr_o      (fetch_araddr),
        .fetch_arlen_o       (fetch_arlen),
        .fetch_arready_i     (fetch_arready),
        .fetch_rvalid_i      (fetch_rvalid),
        .fetch_rdata_i       (fetch_rdata),
        .fetch_rlast_i       (fetch_rlast),
        .fetch_rready_o      (fetch_rready),
        .load_arvalid_o      (load_arvalid),
        .load_araddr_o       (load_araddr),
        .load_arlen_o        (load_arlen),
        .load_arready_i      (load_arready),
        .load_rvalid_i       (load_rvalid),
        .load_rdata_i        (load_rdata),
        .load_rlast_i        (load_rlast),
        .load_rready_o       (load_rready),
        .store_awvalid_o     (store_awvalid),
        .store_awaddr_o      (store_awaddr),
        .store_awready_i     (store_awready),
        .store_wvalid_o      (store_wvalid),
        .store_wdata_o       (store_wdata),
        .store_wstrb_o       (store_wstrb),
        .store_wready_i      (store_wready),
        .store_bvalid_i      (store_bvalid),
        .store_bready_o      (store_bready),
        .probe_dispatch_o    (dispatch),
        .probe_issue_o       (issue),
        .probe_retire_o      (retire)
    );

    // After reset nothing that the core says may be unknown: its flags ever, an address or a byte when it is offered.
    reg     unknown;
    integer at;
    initial unknown = 1'b0;
    always @(negedge clk) if (rst_n) begin
        if (^{busy, done, refused, dispatch, issue, retire, fetch_arvalid, fetch_rready, load_arvalid, load_rready,
              store_awvalid, store_wvalid, store_bready} === 1'bx) unknown = 1'b1;
        for (at = 0; at < Cores; at = at + 1) begin
            if (fetch_arvalid[at] && ^{fetch_araddr[at*FetchAddressBits +: FetchAddressBits],
                                           fetch_arlen[8*at +: 8]} === 1'bx) unknown = 1'b1;
        end
        for (at = 0; at < Channels; at = at + 1) begin
            if (load_arvalid[at] && ^{load_araddr[at*ChannelAddressBits +: ChannelAddressBits],
                                          load_arlen[8*at +: 8]} === 1'bx) unknown = 1'b1;
            if (store_awvalid[at] && ^store_awaddr[at*ChannelAddressBits +: ChannelAddressBits] === 1'bx)
                unknown = 1'b1;
            if (store_wvalid[at] && ^store_wstrb[at*PortBytes +: PortBytes] === 1'bx) unknown = 1'b1;
        end
        for (at = 0; at < Channels * PortBytes; at = at + 1) begin
            if (store_wvalid[at/PortBytes] && store_wstrb[at] && ^store_wdata[8*at +: 8] === 1'bx)
                unknown = 1'b1;
        end
        if (unknown) begin
            $display("FAIL: period %0d: an output is unknown after reset: done %b, error %b, busy %b, dispatch %b,",
                     periods, done, refused, busy, dispatch);
            $display("issue %b, retire %b, valid: fetch %b, load %b, store %b %b, address %h, strobe %h, data %h",
                     issue, retire, fetch_arvalid, load_arvalid, store_awvalid, store_wvalid, store_awaddr, store_wstrb,
                     store_wdata);
            $finish;
        end
    end

    reg [8*256-1:0] folder;
    reg             load_now;
    reg             compare_now;

    // The instruction memories: their write channels are idle, their numbers as channels those after the last.
    wire [Cores-1:0] fetch_awready, fetch_wready, fetch_bvalid;
    genvar number;
    generate
        for (number = 0; number < Cores; number = number + 1) begin : gen_fetch
            tb_memory #(
                .PortBytes   (FetchPortBytes),
                .AddressBits (FetchAddressBits),
                .Words       (ProgramWords),
                .Channel     (Channels + number)
            ) u_memory (
                .clk_i           (clk),
                .rst_ni          (rst_n),
                .seed_i          (seed),
                .stall_percent_i (stall_percent),
                .arvalid_i       (fetch_arvalid[number]),
                .araddr_i        (fetch_araddr[number*FetchAddressBits +: FetchAddressBits]),
                .arlen_i         (fetch_arlen[8*number +: 8]),
                .arready_o       (fetch_arready[number]),
                .rvalid_o        (fetch_rvalid[number]),
                .rdata_o         (fetch_rdata[8*FetchPortBytes*number +: 8*FetchPortBytes]),
                .rlast_o         (fetch_rlast[number]),
                .rready_i        (fetch_rready[number]),
                .awvalid_i       (1'b0),
                .awaddr_i        ({FetchAddressBits{1'b0}}),
                .awready_o       (fetch_awready[number]),
                .wvalid_i        (1'b0),
                .wdata_i         ({8*FetchPortBytes{1'b0}}),
                .wstrb_i         ({FetchPortBytes{1'b0}}),
                .wready_o        (fetch_wready[number]),
                .bvalid_o        (fetch_bvalid[number]),
                .bready_i        (1'b1),
                .events_o        (events[32*(Channels+number) +: 32]),
                .fault_o         (faults[Channels+number])
            );

            reg [8*300-1:0] path;
            integer         word;
            always @(posedge load_now) begin
                for (word = 0; word < ProgramWords; word = word + 1) u_memory.words[word] = 0;
                $sformat(path, "%0s/program_%0d.hex", folder, number);
                $readmemh(path, u_memory.words);
            end
        end
    endgenerate

    // Each channel fills its memory before the start and compares it after the end.
    reg [63:0]      compared [0:Channels-1];
    reg [63:0]      changed  [0:Channels-1];
    reg [63:0]      wrong    [0:Channels-1];

    genvar channel;
    generate
        for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_channel
            tb_memory #(
                .PortBytes   (PortBytes),
                .AddressBits (ChannelAddressBits),
                .Words       (ChannelWords),
                .Channel     (channel)
            ) u_memory (
                .clk_i           (clk),
                .rst_ni          (rst_n),
                .seed_i          (seed),
                .stall_percent_i (stall_percent),
                .arvalid_i       (load_arvalid[channel]),
                .araddr_i        (load_araddr[channel*ChannelAddressBits +: ChannelAddressBits]),
                .arlen_i         (load_arlen[8*channel +: 8]),
                .arready_o       (load_arready[channel]),
                .rvalid_o        (load_rvalid[channel]),
                .rdata_o         (load_rdata[8*PortBytes*channel +: 8*PortBytes]),
                .rlast_o         (load_rlast[channel]),
                .rready_i        (load_rready[channel]),
                .awvalid_i       (store_awvalid[channel]),
                .awaddr_i        (store_awaddr[channel*ChannelAddressBits +: ChannelAddressBits]),
                .awready_o       (store_awready[channel]),
                .wvalid_i        (store_wvalid[channel]),
                .wdata_i         (store_wdata[8*PortBytes*channel +: 8*PortBytes]),
                .wstrb_i         (store_wstrb[PortBytes*channel +: PortBytes]),
                .wready_o        (store_wready[channel]),
                .bvalid_o        (store_bvalid[channel]),
                .bready_i        (store_bready[channel]),
                .events_o        (events[32*channel +: 32]),
                .fault_o         (faults[channel])
            );

            reg [8*PortBytes-1:0] before   [0:ChannelWords-1];
            reg [8*PortBytes-1:0] expected [0:ChannelWords-1];
            reg [8*300-1:0]       path;
            integer               word;
            integer               byte_index;

            always @(posedge load_now) begin
                for (word = 0; word < ChannelWords; word = word + 1) begin
                    u_memory.words[word] = 0;
                    before[word]         = 0;
                    expected[word]       = 0;
                end
                $sformat(path, "%0s/memory_%0d.hex", folder, channel);
                $readmemh(path, u_memory.words);
                $readmemh(path, before);
                $sformat(path, "%0s/expected_%0d.hex", folder, channel);
                $readmemh(path, expected);
            end

            always @(posedge compare_now) begin
                compared[channel] = 0;
                changed[channel]  = 0;
                wrong[channel]    = 0;
                for (word = 0; word < ChannelWords; word = word + 1) begin
                    compared[channel] = compared[channel] + PortBytes;
                    // Most words are as expected and never written: bytes are looked at only in the others.
                    if (before[word] !== expected[word] || u_memory.words[word] !== expected[word]) begin
                        for (byte_index = 0; byte_index < PortBytes; byte_index = byte_index + 1) begin
                            if (before[word][8*byte_index +: 8] !== expected[word][8*byte_index +: 8]) begin
                                changed[channel] = changed[channel] + 1;
                            end
                            if (u_memory.words[word][8*byte_index +: 8] !== expected[word][8*byte_index +: 8]) begin
                                if (wrong[channel] < MismatchesShown) begin
                                    $display("channel %0d byte 0x%0h: got %h, expected %h", channel,
                                             word * PortBytes + byte_index, u_memory.words[word][8*byte_index +: 8],
                                             expected[word][8*byte_index +: 8]);
                                end
                                wrong[channel] = wrong[channel] + 1;
                            end
                        end
                    end
                end
            end
        end
    endgenerate

    initial clk = 1'b0;
    always #(HalfPeriodPs / 1000.0) clk = !clk;

    integer    index;
    integer    periods;
    integer    quiet;
    reg [32*(Channels+Cores)-1:0] events_before;
    reg [8*300-1:0]               file;
    reg [63:0]                    compared_all, changed_all, wrong_all;

    initial begin
        if (!$value$plusargs("vectors=%s", folder)) folder = "../vectors";
        if (!$value$plusargs("stall=%d", stall_percent)) stall_percent = 0;
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        rst_n           = 1'b0;
        start           = 1'b0;
        register_write  = 1'b0;
        register_number = 7'd0;
        register_value  = 32'd0;
        load_now        = 1'b0;
        compare_now     = 1'b0;
        $sformat(file, "%0s/registers.hex", folder);
        $readmemh(file, registers);
        #1 load_now = 1'b1;

        // Signals change between the rising edges.
        repeat (ResetPeriods) @(negedge clk);
        rst_n = 1'b1;
        @(negedge clk);
        for (index = 0; index < Registers; index = index + 1) begin
            register_write  = 1'b1;
            register_number = index;
            register_value  = registers[index];
            @(negedge clk);
        end
        register_write = 1'b0;
        start          = 1'b1;
        @(negedge clk);
        start         = 1'b0;
        periods       = 0;
        quiet         = 0;
        events_before = 0;
        while (done !== 1'b1) begin
            @(negedge clk);
            periods = periods + 1;
            if (periods % 10000 == 0) begin
                $display("period %0d", periods);
                $fflush;
            end
            quiet   = (events === events_before) ? quiet + 1 : 0;
            events_before = events;
            if (quiet > QuietPeriodsMax || (|faults) || refused === 1'b1 || done === 1'bx) begin
                $display("FAIL: period %0d: quiet for %0d periods, faults %b, instruction refused %b, done %b",
                         periods, quiet, faults, refused, done);
                $finish;
                #1;
            end
        end
        compare_now = 1'b1;
        #1;
        compared_all = 0;
        changed_all  = 0;
        wrong_all    = 0;
        for (index = 0; index < Channels; index = index + 1) begin
            compared_all = compared_all + compared[index];
            changed_all  = changed_all + changed[index];
            wrong_all    = wrong_all + wrong[index];
        end
        if (wrong_all == 0 && changed_all > 0) $write("PASS");
        else $write("FAIL");
        $display(": %0d bytes compared, %0d of them changed by the program, %0d wrong; %0d instructions, %0d periods",
                 compared_all, changed_all, wrong_all, InstructionCount, periods);
        $finish;
    end
endmodule
