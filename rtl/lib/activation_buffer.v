// INT8 activation words of `Chain` codes, and the f32 scale of each scale slot.
//
// Words stand in banks, word w in bank w mod `Banks`, so that a window of consecutive words may begin anywhere. Every read
// port has memories of its own: `Rows` windows of `MaxRatio` words for the matrix unit, one word for the store unit; slots
// two. All reads: latency 3, initiation interval 1. A write in period p is seen by a read
// whose address is presented in period p + 1. Reads past the end of the buffer give anything.
// Registered: all outputs.
module activation_buffer #(
    parameter Chain = 16,
    parameter Rows = 2,
    // Words of a window.
    parameter MaxRatio = 8,
    parameter ActivationWords = 2048,
    parameter ScaleSlots = 256,
    parameter Lanes = 8,
    // Words written together.
    parameter WriteWords = Lanes > Chain ? Lanes / Chain : 1,
    parameter Style = "block"
) (
    input  wire                             clk_i,

    // Vector unit: words from an address on, a strobe a byte.
    input  wire                             activation_write_valid_i,
    input  wire                      [19:0] activation_write_word_i,
    input  wire    [8*Chain*WriteWords-1:0] activation_write_data_i,
    input  wire      [Chain*WriteWords-1:0] activation_write_strobe_i,
    input  wire                             slot_write_valid_i,
    input  wire                      [11:0] slot_write_address_i,
    input  wire                      [31:0] slot_write_value_i,

    // Matrix unit.
    input  wire               [Rows*20-1:0] window_word_i,
    output wire [Rows*8*MaxRatio*Chain-1:0] window_o,
    input  wire                      [11:0] slot_address_i,
    output wire                      [31:0] slot_o,

    // Store unit: a word address for `store_word_o`, a slot for `store_slot_o`.
    input  wire                      [21:0] store_address_i,
    output wire               [8*Chain-1:0] store_word_o,
    output wire                      [31:0] store_slot_o
);
    `include "constants.vh"

    localparam Banks = MaxRatio > WriteWords ? MaxRatio : WriteWords;
    localparam PlaceBits = $clog2(Banks);
    localparam BankWords = ActivationWords > 2 * Banks ? (ActivationWords + Banks - 1) / Banks : 2;
    localparam BankBits = $clog2(BankWords);
    localparam SlotBits = $clog2(ScaleSlots);
    localparam WordBits = 8 * Chain;

    // ---- Writes: bank b takes the word that has its place ----

    wire [20:0] write_place = {1'b0, activation_write_word_i} & ((21'd1 << PlaceBits) - 21'd1);
    wire           [Banks-1:0] bank_write;
    wire  [Banks*BankBits-1:0] bank_write_address;
    wire  [Banks*WordBits-1:0] bank_write_data;
    wire     [Banks*Chain-1:0] bank_write_strobe;
    genvar bank;
    generate
        for (bank = 0; bank < Banks; bank = bank + 1) begin : gen_write
            localparam [20:0] Place = bank;
            // The first word is in bank `write_place`; those behind its last bank wrap to the next row of banks.
            wire wrapped = Place < write_place;
            wire [20:0] number = Place - write_place + (wrapped ? Banks[20:0] : 21'd0);
            wire [20:0] bank_word = ({1'b0, activation_write_word_i} >> PlaceBits) + {20'd0, wrapped};
            wire unused_bank_word = &{1'b0, bank_word};
            assign bank_write[bank] = activation_write_valid_i && number < WriteWords[20:0];
            assign bank_write_address[BankBits*bank+:BankBits] = bank_word[BankBits-1:0];
            if (WriteWords == 1) begin : gen_one
                assign bank_write_data[WordBits*bank+:WordBits] = activation_write_data_i;
                assign bank_write_strobe[Chain*bank+:Chain] = activation_write_strobe_i;
            end else begin : gen_rotated
                localparam NumberBits = $clog2(WriteWords);
                assign bank_write_data[WordBits*bank+:WordBits] =
                    activation_write_data_i[WordBits*number[NumberBits-1:0]+:WordBits];
                assign bank_write_strobe[Chain*bank+:Chain] =
                    activation_write_strobe_i[Chain*number[NumberBits-1:0]+:Chain];
            end
        end
    endgenerate

    // ---- Windows, and the store unit's word: port `Rows` ----

    genvar port;
    generate
        for (port = 0; port <= Rows; port = port + 1) begin : gen_port
            localparam Ratio = port < Rows ? MaxRatio : 1;
            wire [20:0] word;
            if (port < Rows) begin : gen_window
                assign word = {1'b0, window_word_i[20*port+:20]};
            end else begin : gen_store
                assign word = store_address_i[20:0];
            end
            wire [20:0] place = word & ((21'd1 << PlaceBits) - 21'd1);

            wire [Banks*WordBits-1:0] words;
            for (bank = 0; bank < Banks; bank = bank + 1) begin : gen_bank
                localparam [20:0] Place = bank;
                wire [20:0] bank_word = (word >> PlaceBits) + {20'd0, Place < place};
                wire unused_bank_word = &{1'b0, bank_word};
                ram_sdp #(
                    .Width(WordBits),
                    .Depth(BankWords),
                    .Style(Style)
                ) u_ram (
                    .clk_i          (clk_i),
                    .write_i        (bank_write[bank]),
                    .write_strobe_i (bank_write_strobe[Chain*bank+:Chain]),
                    .write_address_i(bank_write_address[BankBits*bank+:BankBits]),
                    .write_data_i   (bank_write_data[WordBits*bank+:WordBits]),
                    .read_address_i (bank_word[BankBits-1:0]),
                    .read_data_o    (words[WordBits*bank+:WordBits])
                );
            end

            wire [20:0] place_late;
            delay #(.Width(21), .Cycles(RamCycles)) u_place (
                .clk_i (clk_i),
                .data_i(place),
                .data_o(place_late)
            );
            // The window begins in bank `place_late` and goes on in bank 0.
            wire [2*Banks*WordBits-1:0] turned = {words, words} >> (place_late * WordBits);
            wire unused_turned_bits = &{1'b0, turned};
            reg [Ratio*WordBits-1:0] window_q;
            always @(posedge clk_i) window_q <= turned[Ratio*WordBits-1:0];
            if (port < Rows) begin : gen_window_out
                assign window_o[Ratio*WordBits*port+:Ratio*WordBits] = window_q;
            end else begin : gen_store_out
                assign store_word_o = window_q;
            end
        end
    endgenerate

    // ---- Slots ----

    wire [31:0] slot;
    wire [31:0] store_slot;
    ram_sdp #(
        .Width(32),
        .Depth(ScaleSlots),
        .Style(Style)
    ) u_slots (
        .clk_i          (clk_i),
        .write_i        (slot_write_valid_i),
        .write_strobe_i (4'hf),
        .write_address_i(slot_write_address_i[SlotBits-1:0]),
        .write_data_i   (slot_write_value_i),
        .read_address_i (slot_address_i[SlotBits-1:0]),
        .read_data_o    (slot)
    );
    ram_sdp #(
        .Width(32),
        .Depth(ScaleSlots),
        .Style(Style)
    ) u_store_slots (
        .clk_i          (clk_i),
        .write_i        (slot_write_valid_i),
        .write_strobe_i (4'hf),
        .write_address_i(slot_write_address_i[SlotBits-1:0]),
        .write_data_i   (slot_write_value_i),
        .read_address_i (store_address_i[SlotBits-1:0]),
        .read_data_o    (store_slot)
    );
    reg [31:0] slot_q;
    reg [31:0] store_slot_q;
    always @(posedge clk_i) begin
        slot_q <= slot;
        store_slot_q <= store_slot;
    end
    assign slot_o = slot_q;
    assign store_slot_o = store_slot_q;

    wire unused_address_bits = &{1'b0, store_address_i, slot_address_i, slot_write_address_i};

`ifndef SYNTHESIS
    initial if (ScaleSlots < 2 || ActivationWords < 2 || (1 << PlaceBits) != Banks) begin
        $display("activation_buffer: ActivationWords %0d, ScaleSlots %0d, MaxRatio %0d, WriteWords %0d: expected at least",
                 ActivationWords, ScaleSlots, MaxRatio, WriteWords);
        $display("activation_buffer: 2 words and slots, and powers of two for the others");
        $finish;
    end
`endif
endmodule
