// The matrix unit with its activation buffer, for the test beside it.
module matrix_bench #(
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter Chain = 16,
    parameter Rows = 2,
    parameter Columns = 16,
    parameter GemvColumns = 32,
    parameter ScaleLanes = 4,
    parameter AccumulatorRows = 32,
    parameter WeightChunks = 128,
    parameter IndexChunks = 64,
    parameter ScaleRows = 256,
    parameter ActivationWords = 2048,
    parameter ScaleSlots = 256,
    parameter ResultElements = 16384,
    parameter MaxRatio = 8,
    parameter CodeWidths = 31,
    parameter Lanes = 8,
    parameter WriteWords = 1,
    parameter LineAddressBits = 11
) (
    input  wire                                  clk_i,
    input  wire                                  rst_ni,
    output wire                                  matrix_ready_o,
    input  wire                                  matrix_issue_i,
    input  wire                          [255:0] matrix_word_i,
    input  wire                           [31:0] matrix_value_a_i,
    input  wire                           [31:0] matrix_value_b_i,
    output wire                                  matrix_retire_o,
    input  wire                   [Channels-1:0] load_write_valid_i,
    input  wire                 [2*Channels-1:0] load_write_buffer_i,
    input  wire   [Channels*LineAddressBits-1:0] load_write_line_i,
    input  wire       [Channels*8*PortBytes-1:0] load_write_data_i,
    input  wire         [Channels*PortBytes-1:0] load_write_strobe_i,
    input  wire                                  activation_write_valid_i,
    input  wire                           [19:0] activation_write_word_i,
    input  wire         [8*Chain*WriteWords-1:0] activation_write_data_i,
    input  wire           [Chain*WriteWords-1:0] activation_write_strobe_i,
    input  wire                                  slot_write_valid_i,
    input  wire                           [11:0] slot_write_address_i,
    input  wire                           [31:0] slot_write_value_i,
    input  wire                           [21:0] store_address_i,
    output wire                    [8*Chain-1:0] store_word_o,
    output wire                           [31:0] store_slot_o,
    output wire                 [ScaleLanes-1:0] result_write_valid_o,
    output wire     [$clog2(ResultElements)-1:0] result_write_address_o,
    output wire              [32*ScaleLanes-1:0] result_write_data_o
);
    wire              [Rows*20-1:0] window_word;
    wire [Rows*8*MaxRatio*Chain-1:0] window;
    wire                     [11:0] slot_address;
    wire                     [31:0] slot;

    matrix_unit #(
        .Channels       (Channels),
        .PortBytes      (PortBytes),
        .Chain          (Chain),
        .Rows           (Rows),
        .Columns        (Columns),
        .GemvColumns    (GemvColumns),
        .ScaleLanes     (ScaleLanes),
        .AccumulatorRows(AccumulatorRows),
        .WeightChunks   (WeightChunks),
        .IndexChunks    (IndexChunks),
        .ScaleRows      (ScaleRows),
        .ResultElements (ResultElements),
        .MaxRatio       (MaxRatio),
        .CodeWidths     (CodeWidths),
        .LineAddressBits(LineAddressBits)
    ) u_matrix (
        .clk_i                 (clk_i),
        .rst_ni                (rst_ni),
        .matrix_ready_o        (matrix_ready_o),
        .matrix_issue_i        (matrix_issue_i),
        .matrix_word_i         (matrix_word_i),
        .matrix_value_a_i      (matrix_value_a_i),
        .matrix_value_b_i      (matrix_value_b_i),
        .matrix_retire_o       (matrix_retire_o),
        .load_write_valid_i    (load_write_valid_i),
        .load_write_buffer_i   (load_write_buffer_i),
        .load_write_line_i     (load_write_line_i),
        .load_write_data_i     (load_write_data_i),
        .load_write_strobe_i   (load_write_strobe_i),
        .window_word_o         (window_word),
        .window_i              (window),
        .slot_address_o        (slot_address),
        .slot_i                (slot),
        .result_write_valid_o  (result_write_valid_o),
        .result_write_address_o(result_write_address_o),
        .result_write_data_o   (result_write_data_o)
    );

    activation_buffer #(
        .Chain          (Chain),
        .Rows           (Rows),
        .MaxRatio       (MaxRatio),
        .ActivationWords(ActivationWords),
        .ScaleSlots     (ScaleSlots),
        .Lanes          (Lanes),
        .WriteWords     (WriteWords)
    ) u_activation (
        .clk_i                    (clk_i),
        .activation_write_valid_i (activation_write_valid_i),
        .activation_write_word_i  (activation_write_word_i),
        .activation_write_data_i  (activation_write_data_i),
        .activation_write_strobe_i(activation_write_strobe_i),
        .slot_write_valid_i       (slot_write_valid_i),
        .slot_write_address_i     (slot_write_address_i),
        .slot_write_value_i       (slot_write_value_i),
        .window_word_i            (window_word),
        .window_o                 (window),
        .slot_address_i           (slot_address),
        .slot_o                   (slot),
        .store_address_i          (store_address_i),
        .store_word_o             (store_word_o),
        .store_slot_o             (store_slot_o)
    );
endmodule
