// Reads the program in order into a FIFO of whole bursts and gives it out word by word.
//
// Burst k, at address k x FetchBurstBytes, is requested while fewer than `FetchOutstanding` bursts are requested and
// not wholly taken: the first in period 0, the one after `start_i`, then at most one a period. The words of a burst are
// offered from the period after its last beat on, one a period. The FIFO has room for all that is requested, so
// `fetch_rready_o` is always high. It does not look at words, and does not cancel what it has requested: after `stop_i`
// it requests no more, and `idle_o` tells when everything has come.
// Registered: `fetch_ar*`, `word_valid_o`, `idle_o` (functions of registers); `word_o` is read asynchronously.
module fetch_unit #(
    parameter FetchPortBytes = 64,
    parameter FetchBurstBytes = 512,
    parameter FetchOutstanding = 4,
    parameter FetchAddressBits = 34
) (
    input  wire                        clk_i,
    input  wire                        rst_ni,
    input  wire                        start_i,
    input  wire                 [31:0] instruction_count_i,
    input  wire                        stop_i,
    // Read channel of the instruction memory.
    output wire                        fetch_arvalid_o,
    output wire [FetchAddressBits-1:0] fetch_araddr_o,
    output wire                  [7:0] fetch_arlen_o,
    input  wire                        fetch_arready_i,
    input  wire                        fetch_rvalid_i,
    input  wire [8*FetchPortBytes-1:0] fetch_rdata_i,
    input  wire                        fetch_rlast_i,
    output wire                        fetch_rready_o,
    // The next word of the program.
    output wire                        word_valid_o,
    output wire                [255:0] word_o,
    output wire                        word_last_o,
    input  wire                        word_take_i,
    output wire                        idle_o
);
    localparam WordBytes = 32;
    localparam BeatWords = FetchPortBytes / WordBytes;
    localparam BurstWords = FetchBurstBytes / WordBytes;
    localparam BurstBeats = FetchBurstBytes / FetchPortBytes;
    localparam Beats = FetchOutstanding * BurstBeats;
    localparam BeatShift = $clog2(BeatWords);
    localparam BurstShift = $clog2(FetchBurstBytes);
    localparam BurstIndexBits = FetchAddressBits - BurstShift;
    // The RAM has at least two words.
    localparam Words = Beats > 1 ? Beats : 2;
    localparam PointerBits = $clog2(Words);
    localparam OpenBits = $clog2(FetchOutstanding + 1);
    localparam AvailableBits = $clog2(FetchOutstanding * BurstWords + 1);
    localparam integer LastBeatIndex = Beats - 1;
    localparam integer BeatRound = BeatWords - 1;
    localparam integer BurstLastWord = BurstWords - 1;
    localparam [PointerBits-1:0] LastBeat = LastBeatIndex[PointerBits-1:0];
    localparam [OpenBits-1:0] MostOpen = FetchOutstanding[OpenBits-1:0];
    localparam [31:0] BurstWordCount = BurstWords;
    localparam [31:0] BurstBeatCount = BurstBeats;

    // Requests.
    reg               [32:0] request_beats_q;
    reg [BurstIndexBits-1:0] request_index_q;
    reg       [OpenBits-1:0] open_q;
    reg       [OpenBits-1:0] flying_q;
    // Beats in, words out.
    reg    [PointerBits-1:0] write_q;
    reg    [PointerBits-1:0] read_q;
    reg                [1:0] read_word_q;
    reg                [6:0] burst_word_q;
    reg  [AvailableBits-1:0] available_q;
    reg               [31:0] arrive_words_q;
    reg               [31:0] take_words_q;

    wire [32:0] start_beats = ({1'b0, instruction_count_i} + {1'b0, BeatRound[31:0]}) >> BeatShift;
    wire request = fetch_arvalid_o && fetch_arready_i;
    wire [32:0] most_beats = {1'b0, BurstBeatCount};
    wire whole_burst = request_beats_q >= most_beats;
    wire [32:0] beats = whole_burst ? most_beats : request_beats_q;
    wire [32:0] length = beats - 33'd1;
    wire burst_arrived = fetch_rvalid_i && fetch_rlast_i;
    wire [31:0] arrived = arrive_words_q < BurstWordCount ? arrive_words_q : BurstWordCount;
    wire burst_taken = word_take_i && (burst_word_q == BurstLastWord[6:0] || word_last_o);
    wire beat_taken = word_take_i && read_word_q == BeatRound[1:0];
    wire [8*FetchPortBytes-1:0] beat;

    assign fetch_arvalid_o = request_beats_q != 33'd0 && open_q != MostOpen;
    assign fetch_araddr_o = {request_index_q, {BurstShift{1'b0}}};
    assign fetch_arlen_o = length[7:0];
    assign fetch_rready_o = 1'b1;
    assign word_valid_o = available_q != {AvailableBits{1'b0}};
    assign word_last_o = take_words_q == 32'd1;
    assign idle_o = flying_q == {OpenBits{1'b0}};

    ram_async #(
        .Width(8 * FetchPortBytes),
        .Depth(Words)
    ) u_beats (
        .clk_i          (clk_i),
        .write_i        (fetch_rvalid_i),
        .write_address_i(write_q),
        .write_data_i   (fetch_rdata_i),
        .read_address_i (read_q),
        .read_data_o    (beat)
    );

    generate
        if (BeatWords == 1) begin : gen_word
            assign word_o = beat;
        end else begin : gen_select
            assign word_o = beat[256*read_word_q[BeatShift-1:0]+:256];
        end
    endgenerate

    always @(posedge clk_i) begin
        if (request) begin
            request_beats_q <= whole_burst ? request_beats_q - most_beats : 33'd0;
            request_index_q <= request_index_q + 1'b1;
        end
        if (stop_i && !(fetch_arvalid_o && !fetch_arready_i)) request_beats_q <= 33'd0;
        if (request && !burst_taken) open_q <= open_q + 1'b1;
        if (burst_taken && !request) open_q <= open_q - 1'b1;
        if (request && !burst_arrived) flying_q <= flying_q + 1'b1;
        if (burst_arrived && !request) flying_q <= flying_q - 1'b1;
        if (fetch_rvalid_i) write_q <= write_q == LastBeat ? {PointerBits{1'b0}} : write_q + 1'b1;
        if (burst_arrived) arrive_words_q <= arrive_words_q - arrived;
        available_q <= available_q + (burst_arrived ? arrived[AvailableBits-1:0] : {AvailableBits{1'b0}})
                     - {{(AvailableBits - 1) {1'b0}}, word_take_i};
        if (word_take_i) begin
            take_words_q <= take_words_q - 32'd1;
            burst_word_q <= burst_word_q == BurstLastWord[6:0] ? 7'd0 : burst_word_q + 7'd1;
            read_word_q <= beat_taken ? 2'd0 : read_word_q + 2'd1;
        end
        if (beat_taken) read_q <= read_q == LastBeat ? {PointerBits{1'b0}} : read_q + 1'b1;
        if (start_i) begin
            request_beats_q <= start_beats;
            request_index_q <= {BurstIndexBits{1'b0}};
            arrive_words_q <= instruction_count_i;
            take_words_q <= instruction_count_i;
        end
        if (!rst_ni) request_beats_q <= 33'd0;
        if (!rst_ni || start_i) begin
            open_q <= {OpenBits{1'b0}};
            flying_q <= {OpenBits{1'b0}};
            write_q <= {PointerBits{1'b0}};
            read_q <= {PointerBits{1'b0}};
            read_word_q <= 2'd0;
            burst_word_q <= 7'd0;
            available_q <= {AvailableBits{1'b0}};
        end
    end

    wire unused = &{1'b0, length[32:8]};

`ifndef SYNTHESIS
    initial if (FetchPortBytes < 32 || FetchPortBytes > 128 || FetchBurstBytes < FetchPortBytes || FetchBurstBytes < 64
                || FetchBurstBytes > 4096
                || (FetchPortBytes & (FetchPortBytes - 1)) != 0 || (FetchBurstBytes & (FetchBurstBytes - 1)) != 0
                || FetchOutstanding < 1 || FetchAddressBits <= BurstShift || BurstBeats > 256) begin
        $display("fetch_unit: FetchPortBytes %0d, FetchBurstBytes %0d, FetchOutstanding %0d, FetchAddressBits %0d: ",
                 FetchPortBytes, FetchBurstBytes, FetchOutstanding, FetchAddressBits,
                 "expected powers of two, a port of 32 to 128, a burst of 64 to 4096, and at least 1 outstanding");
        $finish;
    end
`endif
endmodule
