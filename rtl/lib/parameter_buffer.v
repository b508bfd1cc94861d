// The parameter buffer: raw bytes, written by the load unit a line at a time, read by the vector unit as f32 or f16.
//
// Each channel writes its own byte lanes of a line, when `load_write_buffer_i` is the parameter buffer's code; channels
// may be in different lines in the same period. Two read ports: latency 3 from an element address (of 4 bytes, or of 2
// with `half`) to `Lanes` consecutive elements in stored form: an f32 without subnormals and with the canonical NaN,
// an f16 widened. A write in period p is seen by a read presented in p + 1. Elements past the end are anything.
// Initiation interval 1. Registered: both forms of each element; the selection between them follows.
//
// 32-bit words: word i stands in lane bank i mod `Lanes`. A line of more words than lanes has several words in each lane
// bank, which are memories of their own (`Subs`), of which one is selected before the rotation; a line of fewer words
// fills only some of the lane banks.
module parameter_buffer #(
    parameter ParameterBytes = 32768,
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Lanes = 8,
    parameter LineIndexBits = 24,
    parameter Style = "block"
) (
    input  wire                            clk_i,
    input  wire             [Channels-1:0] load_write_valid_i,
    input  wire           [3*Channels-1:0] load_write_buffer_i,
    input  wire [LineIndexBits*Channels-1:0] load_write_line_i,
    input  wire [8*PortBytes*Channels-1:0] load_write_data_i,
    input  wire   [PortBytes*Channels-1:0] load_write_strobe_i,
    input  wire                     [19:0] a_address_i,
    input  wire                            a_half_i,
    output wire             [32*Lanes-1:0] a_o,
    input  wire                     [19:0] b_address_i,
    input  wire                            b_half_i,
    output wire             [32*Lanes-1:0] b_o
);
    `include "isa.vh"

    localparam Lines = ParameterBytes / (Channels * PortBytes);
    localparam Words = Channels * PortBytes / 4;                    // of a line
    localparam PortWords = PortBytes / 4;
    localparam Subs = Words > Lanes ? Words / Lanes : 1;
    localparam Groups = Lanes > Words ? Lanes / Words : 1;          // lines of a row of all lane banks
    localparam Rows = (Lines + Groups - 1) / Groups;
    localparam RowBits = Rows > 1 ? $clog2(Rows) : 1;
    localparam LaneBits = $clog2(Lanes);
    localparam SubBits = $clog2(Subs);
    localparam GroupBits = $clog2(Groups);
    // A word address: row, sub, lane bank. Widths of at least one bit for what may have none.
    localparam OffsetBits = Lanes > 1 ? LaneBits : 1;
    localparam SelectBits = Subs > 1 ? SubBits : 1;

    wire [Channels-1:0] write;
    genvar channel;
    generate
        for (channel = 0; channel < Channels; channel = channel + 1) begin : gen_channel
            assign write[channel] = load_write_valid_i[channel] &&
                                    load_write_buffer_i[3*channel+:3] == IsaLoadBufferParameter;
        end
    endgenerate

    genvar port;
    genvar lane;
    genvar sub;
    generate
        for (port = 0; port < 2; port = port + 1) begin : gen_port
            wire        half = port == 0 ? a_half_i : b_half_i;
            wire [19:0] address = port == 0 ? a_address_i : b_address_i;
            wire [19:0] word_address = half ? {1'b0, address[19:1]} : address;
            wire   [OffsetBits-1:0] offset = Lanes > 1 ? word_address[OffsetBits-1:0] : {OffsetBits{1'b0}};
            wire        [Lanes-1:0] here = {Lanes{1'b1}} << offset;
            wire [19-LaneBits:0] place = word_address[19:LaneBits];
            wire [19-LaneBits:0] next_place = place + 1'b1;

            wire [32*Lanes-1:0] word;
            for (lane = 0; lane < Lanes; lane = lane + 1) begin : gen_lane
                wire        [19-LaneBits:0] lane_place = here[lane] ? place : next_place;
                wire [19-LaneBits-SubBits:0] read_row = lane_place[19-LaneBits:SubBits];
                wire unused_row = &{1'b0, read_row};
                wire [32*Subs-1:0] sub_word;
                for (sub = 0; sub < Subs; sub = sub + 1) begin : gen_sub
                    // Where this word stands in its line, and which lines of a row reach this lane bank.
                    localparam Word = (sub * Lanes + lane) % Words;
                    localparam Channel = Word / PortWords;
                    localparam Byte = 4 * Word;
                    localparam Group = lane / Words;
                    wire [LineIndexBits-1:0] line = load_write_line_i[LineIndexBits*Channel+:LineIndexBits];
                    wire [LineIndexBits-1:0] write_row = line >> GroupBits;
                    wire [LineIndexBits-1:0] group = line - (write_row << GroupBits);
                    wire unused_high = &{1'b0, write_row};
                    ram_sdp #(
                        .Width    (32),
                        .Depth    (Rows),
                        .ByteWidth(8),
                        .Style    (Style)
                    ) u_ram (
                        .clk_i          (clk_i),
                        .write_i        (write[Channel] && group == Group[LineIndexBits-1:0]),
                        .write_strobe_i (load_write_strobe_i[Byte+:4]),
                        .write_address_i(write_row[RowBits-1:0]),
                        .write_data_i   (load_write_data_i[8*Byte+:32]),
                        .read_address_i (read_row[RowBits-1:0]),
                        .read_data_o    (sub_word[32*sub+:32])
                    );
                end
                wire [SelectBits-1:0] select = Subs > 1 ? lane_place[SelectBits-1:0] : {SelectBits{1'b0}};
                reg  [SelectBits-1:0] select_1_q;
                reg  [SelectBits-1:0] select_2_q;
                always @(posedge clk_i) begin
                    select_1_q <= select;
                    select_2_q <= select_1_q;
                end
                assign word[32*lane+:32] = sub_word[32*select_2_q+:32];
            end

            // Rotated down by the offset of two periods ago. An f16 of an odd address begins in the middle of a word.
            reg  [OffsetBits-1:0] offset_1_q;
            reg  [OffsetBits-1:0] offset_2_q;
            reg             [1:0] half_q;
            reg             [1:0] odd_q;
            reg                   widened_q;
            always @(posedge clk_i) begin
                offset_1_q <= offset;
                offset_2_q <= offset_1_q;
                half_q <= {half_q[0], half};
                odd_q <= {odd_q[0], address[0]};
                widened_q <= half_q[1];
            end
            wire [32*Lanes-1:0] turned;
            rotate_words #(
                .Words(Lanes),
                .Width(32),
                .Taken(Lanes)
            ) u_turn (
                .words_i (word),
                .offset_i(offset_2_q),
                .words_o (turned)
            );
            // Elements 0 to `Lanes` - 1 of 16 bits stand in the lower words, from the first half or the second one on.
            wire [32*Lanes+15:0] padded = {turned[15:0], turned};
            wire [16*Lanes-1:0] halves = odd_q[1] ? padded[16+:16*Lanes] : padded[0+:16*Lanes];
            wire unused_padded = &{1'b0, padded};

            for (lane = 0; lane < Lanes; lane = lane + 1) begin : gen_element
                wire [31:0] raw = turned[32*lane+:32];
                wire        nan = raw[30:23] == 8'd255 && raw[22:0] != 23'd0;
                wire        normal = raw[30:23] != 8'd0;
                reg  [31:0] stored_q;
                always @(posedge clk_i) begin
                    stored_q[31] <= raw[31] && !nan;
                    stored_q[30:23] <= raw[30:23];
                    stored_q[22:0] <= nan ? 23'h400000 : raw[22:0] & {23{normal}};
                end
                wire [31:0] widened;
                fp16_to_fp32 u_widen (
                    .clk_i(clk_i),
                    .a_i  (halves[16*lane+:16]),
                    .y_o  (widened)
                );
                if (port == 0) begin : gen_a
                    assign a_o[32*lane+:32] = widened_q ? widened : stored_q;
                end else begin : gen_b
                    assign b_o[32*lane+:32] = widened_q ? widened : stored_q;
                end
            end
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (PortBytes < 4 || (1 << LaneBits) != Lanes || Words * 4 != Channels * PortBytes ||
                Lines * Words * 4 != ParameterBytes) begin
        $display("parameter_buffer: ParameterBytes %0d, Channels %0d, PortBytes %0d, Lanes %0d: expected whole lines of powers of two",
                 ParameterBytes, Channels, PortBytes, Lanes);
        $finish;
    end
`endif
endmodule
