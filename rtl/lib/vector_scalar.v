// The scalars of rows: what a reduction gives becomes what a later pass needs, and is kept for up to 1,024 rows.
//
// `scalar_i`, what becomes of the sum s or the largest key m of a row, and what is kept as scalar 0 and scalar 1:
//   1  scalar 1 = rsqrt(s + imm)                                                    after 16 periods
//   2  scalar 0 = s x reciprocal(length)                                            after 4
//   3  scalar 0 = the value of m                                                    at once
//   4  scalar 1 = reciprocal(s)                                                     after 8
//   5  scalar 0 = m / 127, through f16 when asked; scalar 1 = its reciprocal        after 7 and 15
//   6  the same with imm instead of m / 127, once for all rows (`inject_i`)         after 3 and 11
//   7  scalar 0 = m, scalar 1 = its element index                                   at once
// "At once": written in the period of `sum_valid_i` or `largest_valid_i`. The reciprocal of 0 as a scale is 0.
//
// `rewind_i` goes back to row 0, for writing and for reading. `scalar_0_o` is that of the row two periods before
// `scalar_0_step_i` goes on to the next one; likewise scalar 1. With `shared_i` all rows have row 0's.
// The largest value itself is at `value_o` in the period of `largest_valid_i`.
// Initiation interval 1 row. Registered: `scalar_0_o`, `scalar_1_o`. It knows nothing of operations.
module vector_scalar #(
    // Multipliers that are of LUTs: a sum of constants `Lut...`.
    parameter LutMultipliers = 0
) (
    input  wire        clk_i,
    input  wire        rst_ni,

    input  wire  [2:0] scalar_i,
    input  wire        half_i,
    input  wire [31:0] imm_i,
    input  wire [17:0] length_i,
    input  wire        shared_i,

    input  wire        sum_valid_i,
    input  wire [31:0] sum_i,
    input  wire        largest_valid_i,
    input  wire [31:0] largest_key_i,
    input  wire [17:0] largest_index_i,
    input  wire        inject_i,
    output wire [31:0] value_o,

    input  wire        rewind_i,
    input  wire        scalar_0_step_i,
    input  wire        scalar_1_step_i,
    output wire [31:0] scalar_0_o,
    output wire [31:0] scalar_1_o
);
    `include "constants.vh"

    localparam [2:0] Norm = 1;
    localparam [2:0] Mean = 2;
    localparam [2:0] Maximum = 3;
    localparam [2:0] Inverse = 4;
    localparam [2:0] Scale = 5;
    localparam [2:0] StaticScale = 6;
    localparam [2:0] Chosen = 7;

    // The value of a key; NaN is the key below that of -inf.
    wire [31:0] ordered = {largest_key_i[31], largest_key_i[30:0] ^ {31{largest_key_i[31]}}};
    wire [31:0] value = largest_key_i == RankNan ? F32Nan : ordered;
    assign value_o = value;

    // Mean and scale.
    wire [31:0] reciprocal;
    wire [31:0] product;
    fp32_mul #(
        .Luts((LutMultipliers & LutProducts) != 0)
    ) u_mul (
        .clk_i(clk_i),
        .a_i  (scalar_i == Mean ? sum_i : value),
        .b_i  (scalar_i == Mean ? reciprocal : F32InverseCodeMax),
        .y_o  (product)
    );

    // The scale, through f16 or beside it.
    wire [31:0] wide = scalar_i == StaticScale ? imm_i : product;
    wire [15:0] half;
    wire [31:0] rounded;
    wire [31:0] wide_late;
    fp32_to_fp16 u_to_half (
        .clk_i(clk_i),
        .a_i  (wide),
        .y_o  (half)
    );
    fp16_to_fp32 u_from_half (
        .clk_i(clk_i),
        .a_i  (half),
        .y_o  (rounded)
    );
    delay #(
        .Width (32),
        .Cycles(HalfCycles)
    ) u_delay_wide (
        .clk_i (clk_i),
        .data_i(wide),
        .data_o(wide_late)
    );
    wire [31:0] scale = half_i ? rounded : wide_late;

    // Reciprocals: of the scale, of the sum, or, while there is neither, of the length.
    wire        scaling = scalar_i == Scale || scalar_i == StaticScale;
    wire [31:0] length;
    wire        scale_zero_late;
    i32_to_fp32 u_length (
        .clk_i(clk_i),
        .a_i  ({14'd0, length_i}),
        .y_o  (length)
    );
    fp32_reciprocal #(
        .Luts((LutMultipliers & LutReciprocals) != 0)
    ) u_reciprocal (
        .clk_i(clk_i),
        .a_i  (scaling ? scale : scalar_i == Inverse ? sum_i : length),
        .y_o  (reciprocal)
    );
    delay #(
        .Width (1),
        .Cycles(ReciprocalCycles)
    ) u_delay_zero (
        .clk_i (clk_i),
        .data_i(scale[30:0] == 31'd0),
        .data_o(scale_zero_late)
    );

    // Norms.
    wire [31:0] shifted;
    wire [31:0] root;
    fp32_add u_add (
        .clk_i     (clk_i),
        .a_i       (sum_i),
        .b_i       (imm_i),
        .subtract_i(1'b0),
        .y_o       (shifted)
    );
    fp32_rsqrt #(
        .Luts((LutMultipliers & LutRoots) != 0)
    ) u_rsqrt (
        .clk_i(clk_i),
        .a_i  (shifted),
        .y_o  (root)
    );

    // `tag[i]`: a row's reduction ended i periods ago. When a pass is over, nothing of it may be taken for the next one's.
    localparam Tags = AddCycles + RsqrtCycles + 1;
    reg  [Tags-1:1] tag_q;
    wire [Tags-1:0] tag = {tag_q, sum_valid_i || largest_valid_i || inject_i};
    always @(posedge clk_i) begin
        if (!rst_ni || rewind_i) tag_q <= {Tags - 1{1'b0}};
        else tag_q <= tag[Tags-2:0];
    end

    reg        write_0;
    reg [31:0] data_0;
    reg        write_1;
    reg [31:0] data_1;
    always @* begin
        write_0 = 1'b0;
        data_0 = product;
        write_1 = 1'b0;
        data_1 = reciprocal;
        case (scalar_i)
            Norm: begin
                write_1 = tag[AddCycles+RsqrtCycles];
                data_1 = root;
            end
            Mean:    write_0 = tag[MulCycles];
            Maximum: begin
                write_0 = tag[0];
                data_0 = value;
            end
            Inverse: write_1 = tag[ReciprocalCycles];
            Scale: begin
                write_0 = tag[MulCycles+HalfCycles];
                data_0 = scale;
                write_1 = tag[MulCycles+HalfCycles+ReciprocalCycles];
                data_1 = scale_zero_late ? 32'd0 : reciprocal;
            end
            StaticScale: begin
                write_0 = tag[HalfCycles];
                data_0 = scale;
                write_1 = tag[HalfCycles+ReciprocalCycles];
                data_1 = scale_zero_late ? 32'd0 : reciprocal;
            end
            Chosen: begin
                write_0 = tag[0];
                data_0 = largest_key_i;
                write_1 = tag[0];
                data_1 = {14'd0, largest_index_i};
            end
            default: ;
        endcase
    end

    reg [9:0] write_row_0_q;
    reg [9:0] write_row_1_q;
    reg [9:0] read_row_0_q;
    reg [9:0] read_row_1_q;
    always @(posedge clk_i) begin
        if (rewind_i) begin
            write_row_0_q <= 10'd0;
            write_row_1_q <= 10'd0;
            read_row_0_q <= 10'd0;
            read_row_1_q <= 10'd0;
        end else begin
            write_row_0_q <= write_row_0_q + {9'd0, write_0};
            write_row_1_q <= write_row_1_q + {9'd0, write_1};
            read_row_0_q <= read_row_0_q + {9'd0, scalar_0_step_i && !shared_i};
            read_row_1_q <= read_row_1_q + {9'd0, scalar_1_step_i && !shared_i};
        end
    end

    ram_sdp #(
        .Width    (32),
        .Depth    (1024),
        .ByteWidth(32)
    ) u_scalar_0 (
        .clk_i          (clk_i),
        .write_i        (write_0),
        .write_strobe_i (1'b1),
        .write_address_i(write_row_0_q),
        .write_data_i   (data_0),
        .read_address_i (read_row_0_q),
        .read_data_o    (scalar_0_o)
    );
    ram_sdp #(
        .Width    (32),
        .Depth    (1024),
        .ByteWidth(32)
    ) u_scalar_1 (
        .clk_i          (clk_i),
        .write_i        (write_1),
        .write_strobe_i (1'b1),
        .write_address_i(write_row_1_q),
        .write_data_i   (data_1),
        .read_address_i (read_row_1_q),
        .read_data_o    (scalar_1_o)
    );
endmodule
