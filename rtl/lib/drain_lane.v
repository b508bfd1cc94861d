// One column of the drain: INT32 sum to f32, times the group's f16 scale, plus the f32 accumulator, which takes the sum;
// the sum times the row's activation scale is the result.
//
// Latency 20 from `sum_i` to `result_o`, initiation interval 1. Period 0: `sum_i`, and `half_scale_i` three periods
// later, for the product; period 8: the accumulator is read; period 16: it is written, and may be read again in the same
// period (the new value is seen); `row_scale_i` belongs to period 16. Additions to one accumulator are at least as many
// periods apart as fp32_add takes, by contract.
// Registered: `result_o`. Numbers are those of hw_config::numeric::fp32.
// Cells (yosys synth_xilinx -family xcup): 4 DSP48E2.
// With `Luts` = 1: 884 LUT and 500 FF in place of the DSP48E2.
module drain_lane #(
    parameter AccumulatorBits = 8,
    parameter Accumulators = 256,
    // 1: `sum_i` is an f32 already and comes as many periods later as i32_to_fp32 takes.
    parameter Converted = 0,
    // 1: its products are of LUTs.
    parameter Luts = 0
) (
    input  wire                       clk_i,
    input  wire                [31:0] sum_i,
    input  wire                [15:0] half_scale_i,
    input  wire [AccumulatorBits-1:0] read_address_i,
    // The first group counts from +0.
    input  wire                       clear_i,
    input  wire                       write_i,
    input  wire [AccumulatorBits-1:0] write_address_i,
    input  wire                [31:0] row_scale_i,
    output wire                [31:0] result_o
);
    wire [31:0] sum;
    generate
        if (Converted != 0) begin : gen_converted
            assign sum = sum_i;
        end else begin : gen_convert
            i32_to_fp32 u_convert (
                .clk_i(clk_i),
                .a_i  (sum_i),
                .y_o  (sum)
            );
        end
    endgenerate
    wire [31:0] scale;
    fp16_to_fp32 u_scale (
        .clk_i(clk_i),
        .a_i  (half_scale_i),
        .y_o  (scale)
    );
    wire [31:0] scaled;
    fp32_mul #(
        .Luts(Luts)
    ) u_mul_scale (
        .clk_i(clk_i),
        .a_i  (sum),
        .b_i  (scale),
        .y_o  (scaled)
    );

    wire [31:0] accumulated;
    wire [31:0] stored;
    ram_async #(
        .Width(32),
        .Depth(Accumulators)
    ) u_accumulators (
        .clk_i          (clk_i),
        .write_i        (write_i),
        .write_address_i(write_address_i),
        .write_data_i   (accumulated),
        .read_address_i (read_address_i),
        .read_data_o    (stored)
    );
    wire bypass = write_i && write_address_i == read_address_i;
    wire [31:0] addend = clear_i ? 32'd0 : bypass ? accumulated : stored;
    fp32_add u_add (
        .clk_i     (clk_i),
        .a_i       (addend),
        .b_i       (scaled),
        .subtract_i(1'b0),
        .y_o       (accumulated)
    );

    fp32_mul #(
        .Luts(Luts)
    ) u_mul_row (
        .clk_i(clk_i),
        .a_i  (accumulated),
        .b_i  (row_scale_i),
        .y_o  (result_o)
    );
endmodule
