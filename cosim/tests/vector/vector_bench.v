// The vector unit with the buffers it reads, and ports to fill and to read them from outside.
module vector_bench #(
    parameter Lanes = 8,
    parameter Chain = 16,
    parameter ScaleLanes = 4,
    parameter Channels = 2,
    parameter PortBytes = 32,
    parameter ParameterBytes = 4096,
    parameter ResultElements = 8192,
    parameter VectorElements = 8192,
    parameter HalfActivations = 0,
    parameter WriteWords = (1 + HalfActivations) * (Lanes > Chain ? Lanes / Chain : 1)
) (
    input  wire                              clk_i,
    input  wire                              rst_ni,

    output wire                              ready_o,
    input  wire                              issue_i,
    input  wire                      [255:0] word_i,
    input  wire                       [31:0] value_a_i,
    input  wire                       [31:0] value_b_i,
    input  wire                       [31:0] value_c_i,
    output wire                              retire_o,
    output wire                              topk_write_o,
    output wire                        [2:0] topk_number_o,
    output wire                       [31:0] topk_value_o,

    input  wire                              fill_vector_i,
    input  wire                  [Lanes-1:0] fill_vector_valid_i,
    input  wire                       [19:0] fill_vector_address_i,
    input  wire               [32*Lanes-1:0] fill_vector_data_i,
    input  wire             [ScaleLanes-1:0] fill_result_valid_i,
    input  wire [$clog2(ResultElements)-1:0] fill_result_address_i,
    input  wire          [32*ScaleLanes-1:0] fill_result_data_i,
    input  wire               [Channels-1:0] fill_parameter_valid_i,
    input  wire             [3*Channels-1:0] fill_parameter_buffer_i,
    input  wire            [24*Channels-1:0] fill_parameter_line_i,
    input  wire   [8*PortBytes*Channels-1:0] fill_parameter_data_i,
    input  wire     [PortBytes*Channels-1:0] fill_parameter_strobe_i,

    input  wire                       [19:0] store_address_i,
    output wire               [32*Lanes-1:0] store_o,

    output wire                  [Lanes-1:0] vector_write_valid_o,
    output wire                       [19:0] vector_write_address_o,
    output wire               [32*Lanes-1:0] vector_write_data_o,
    output wire                              activation_write_valid_o,
    output wire                       [19:0] activation_write_word_o,
    output wire     [8*Chain*WriteWords-1:0] activation_write_data_o,
    output wire       [Chain*WriteWords-1:0] activation_write_strobe_o,
    output wire                              slot_write_valid_o,
    output wire                       [11:0] slot_write_address_o,
    output wire                       [31:0] slot_write_value_o
);
    wire         [19:0] a_address;
    wire                a_half;
    wire [32*Lanes-1:0] a_parameter;
    wire [32*Lanes-1:0] a_result;
    wire [32*Lanes-1:0] a_vector;
    wire         [19:0] b_address;
    wire                b_half;
    wire [32*Lanes-1:0] b_parameter;
    wire [32*Lanes-1:0] b_result;
    wire [32*Lanes-1:0] b_vector;
    wire                unused_run;
    // A core alone has no link.
    wire                unused_here;
    wire                unused_valid;
    wire [32*Lanes-1:0] unused_data;

    vector_unit #(
        .Lanes          (Lanes),
        .Chain          (Chain),
        .HalfActivations(HalfActivations)
    ) u_unit (
        .clk_i                    (clk_i),
        .rst_ni                   (rst_ni),
        .vector_ready_o           (ready_o),
        .vector_issue_i           (issue_i),
        .vector_word_i            (word_i),
        .vector_value_a_i         (value_a_i),
        .vector_value_b_i         (value_b_i),
        .vector_value_c_i         (value_c_i),
        .vector_retire_o          (retire_o),
        .vector_run_o             (unused_run),
        .topk_write_o             (topk_write_o),
        .topk_number_o            (topk_number_o),
        .topk_value_o             (topk_value_o),
        .a_address_o              (a_address),
        .a_half_o                 (a_half),
        .a_parameter_i            (a_parameter),
        .a_result_i               (a_result),
        .a_vector_i               (a_vector),
        .b_address_o              (b_address),
        .b_half_o                 (b_half),
        .b_parameter_i            (b_parameter),
        .b_result_i               (b_result),
        .b_vector_i               (b_vector),
        .vector_write_valid_o     (vector_write_valid_o),
        .vector_write_address_o   (vector_write_address_o),
        .vector_write_data_o      (vector_write_data_o),
        .activation_write_valid_o (activation_write_valid_o),
        .activation_write_word_o  (activation_write_word_o),
        .activation_write_data_o  (activation_write_data_o),
        .activation_write_strobe_o(activation_write_strobe_o),
        .slot_write_valid_o       (slot_write_valid_o),
        .slot_write_address_o     (slot_write_address_o),
        .slot_write_value_o       (slot_write_value_o),
        .link_core_i              (4'd0),
        .link_here_o              (unused_here),
        .link_met_i               (1'b0),
        .link_valid_o             (unused_valid),
        .link_data_o              (unused_data),
        .link_data_i              ({(32*Lanes){1'b0}})
    );

    vector_buffer #(
        .VectorElements(VectorElements),
        .Lanes         (Lanes)
    ) u_vector (
        .clk_i                 (clk_i),
        .vector_write_valid_i  (fill_vector_i ? fill_vector_valid_i : vector_write_valid_o),
        .vector_write_address_i(fill_vector_i ? fill_vector_address_i : vector_write_address_o),
        .vector_write_data_i   (fill_vector_i ? fill_vector_data_i : vector_write_data_o),
        .a_address_i           (a_address),
        .a_o                   (a_vector),
        .b_address_i           (b_address),
        .b_o                   (b_vector),
        .store_read_address_i  (store_address_i),
        .store_vector_o        (store_o)
    );

    result_buffer #(
        .ResultElements(ResultElements),
        .ScaleLanes    (ScaleLanes),
        .Lanes         (Lanes)
    ) u_result (
        .clk_i                 (clk_i),
        .result_write_valid_i  (fill_result_valid_i),
        .result_write_address_i(fill_result_address_i),
        .result_write_data_i   (fill_result_data_i),
        .a_address_i           (a_address),
        .a_o                   (a_result),
        .b_address_i           (b_address),
        .b_o                   (b_result)
    );

    parameter_buffer #(
        .ParameterBytes(ParameterBytes),
        .Channels      (Channels),
        .PortBytes     (PortBytes),
        .Lanes         (Lanes)
    ) u_parameter (
        .clk_i              (clk_i),
        .load_write_valid_i (fill_parameter_valid_i),
        .load_write_buffer_i(fill_parameter_buffer_i),
        .load_write_line_i  (fill_parameter_line_i),
        .load_write_data_i  (fill_parameter_data_i),
        .load_write_strobe_i(fill_parameter_strobe_i),
        .a_address_i        (a_address),
        .a_half_i           (a_half),
        .a_o                (a_parameter),
        .b_address_i        (b_address),
        .b_half_i           (b_half),
        .b_o                (b_parameter)
    );
endmodule
