// INT8 activation words of `Chain` codes, and the f32 scale of each scale slot.
//
// Every read port has memories of its own: `Rows` windows of `MaxRatio` words for the matrix unit, one word for the store
// unit; slots two. All reads: latency 3, initiation interval 1. A write in period p is seen by a read
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
    parameter HalfActivations = 0,
    parameter WriteWords = (1 + HalfActivations) * (Lanes > Chain ? Lanes / Chain : 1),
    // What the memories are built from, as `ram_sdp` names it: windows, the store unit's words, slots.
    parameter Style = "block",
    parameter StoreStyle = "block",
    parameter SlotStyle = "block"
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
    localparam SlotBits = $clog2(ScaleSlots);

    activation_words #(
        .Chain          (Chain),
        .Ports          (Rows),
        .Ratio          (MaxRatio),
        .ActivationWords(ActivationWords),
        .WriteWords     (WriteWords),
        .Style          (Style)
    ) u_windows (
        .clk_i         (clk_i),
        .write_i       (activation_write_valid_i),
        .write_word_i  (activation_write_word_i),
        .write_data_i  (activation_write_data_i),
        .write_strobe_i(activation_write_strobe_i),
        .word_i        (window_word_i),
        .window_o      (window_o)
    );
    // The store unit takes a word at a time, so its copy needs no banks beside each other but those of a write.
    activation_words #(
        .Chain          (Chain),
        .Ports          (1),
        .Ratio          (1),
        .ActivationWords(ActivationWords),
        .WriteWords     (WriteWords),
        .Style          (StoreStyle)
    ) u_store_words (
        .clk_i         (clk_i),
        .write_i       (activation_write_valid_i),
        .write_word_i  (activation_write_word_i),
        .write_data_i  (activation_write_data_i),
        .write_strobe_i(activation_write_strobe_i),
        .word_i        (store_address_i[19:0]),
        .window_o      (store_word_o)
    );

    // ---- Slots ----

    wire [31:0] slot;
    wire [31:0] store_slot;
    ram_sdp #(
        .Width(32),
        .Depth(ScaleSlots),
        .Style(SlotStyle)
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
        .Style(SlotStyle)
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
    initial if (ScaleSlots < 2 || ActivationWords < 2) begin
        $display("activation_buffer: ActivationWords %0d, ScaleSlots %0d: expected at least 2 words and slots",
                 ActivationWords, ScaleSlots);
        $finish;
    end
`endif
endmodule
