// The clocks of the core's units and buffers: each runs while its unit has an instruction that has not retired, or
// while somebody reads or writes its buffer.
//
// A unit at rest is as it would be with its clock running: nothing in it is taken before its next instruction makes
// it anew. A buffer at rest is neither written nor read by a unit that runs, and a read takes three periods, in all of
// which its reader runs. During reset all clocks run. With `ClockGates` = 0 every clock is `clk_i`.
// Registered: nothing; enables follow from registers of the units and from what is issued and written in the period.
module core_clocks #(
    parameter Channels = 2,
    parameter Lanes = 8,
    parameter ScaleLanes = 4,
    parameter ClockGates = 0
) (
    input  wire                  clk_i,
    input  wire                  rst_ni,
    input  wire                  store_run_i,
    input  wire                  matrix_run_i,
    input  wire                  matrix_weight_run_i,
    input  wire                  matrix_index_run_i,
    input  wire                  vector_run_i,
    input  wire   [Channels-1:0] load_write_valid_i,
    input  wire [3*Channels-1:0] load_write_buffer_i,
    input  wire [ScaleLanes-1:0] result_write_valid_i,
    input  wire      [Lanes-1:0] vector_write_valid_i,
    input  wire                  activation_write_valid_i,
    input  wire                  slot_write_valid_i,
    output wire                  store_clk_o,
    output wire                  matrix_clk_o,
    output wire                  weight_clk_o,
    output wire                  index_clk_o,
    output wire                  scale_clk_o,
    output wire                  vector_clk_o,
    output wire                  activation_clk_o,
    output wire                  parameter_clk_o,
    output wire                  result_clk_o,
    output wire                  vector_buffer_clk_o
);
    `include "isa.vh"

    reg weight_write;
    reg index_write;
    reg scale_write;
    reg parameter_write;
    integer channel;
    always @* begin
        weight_write = 1'b0;
        index_write = 1'b0;
        scale_write = 1'b0;
        parameter_write = 1'b0;
        for (channel = 0; channel < Channels; channel = channel + 1) begin
            if (load_write_valid_i[channel]) begin
                case (load_write_buffer_i[3*channel+:3])
                    IsaLoadBufferWeight: weight_write = 1'b1;
                    IsaLoadBufferIndex,
                    IsaLoadBufferDensity: index_write = 1'b1;
                    IsaLoadBufferScale:  scale_write = 1'b1;
                    default:             parameter_write = 1'b1;
                endcase
            end
        end
    end
    wire activation_write = activation_write_valid_i || slot_write_valid_i;

    clock_gate #(.ClockGates(ClockGates)) u_store (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || store_run_i),
        .clk_o   (store_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_matrix (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || matrix_run_i),
        .clk_o   (matrix_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_weight (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || matrix_weight_run_i || weight_write),
        .clk_o   (weight_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_index (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || matrix_index_run_i || index_write),
        .clk_o   (index_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_scale (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || matrix_run_i || scale_write),
        .clk_o   (scale_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_vector (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || vector_run_i),
        .clk_o   (vector_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_activation (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || matrix_run_i || store_run_i || activation_write),
        .clk_o   (activation_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_parameter (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || vector_run_i || parameter_write),
        .clk_o   (parameter_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_result (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || vector_run_i || |result_write_valid_i),
        .clk_o   (result_clk_o)
    );
    clock_gate #(.ClockGates(ClockGates)) u_vector_buffer (
        .clk_i   (clk_i),
        .enable_i(!rst_ni || vector_run_i || store_run_i || |vector_write_valid_i),
        .clk_o   (vector_buffer_clk_o)
    );
endmodule
