// Puts the results of the lanes where they belong: elements into the vector buffer, codes and scales into the activation
// buffer, the largest elements into the vector buffer and their indices into registers.
//
// Results come a beat a period with `valid_i`; `mask_i` says which lanes hold elements of the row, `last_i` that the row
// ends. They are written in the period they come. `restart_i` loads the addresses of row 0.
//   vector_i: an element a lane. pair_i, half_i: as vector_stream.v.
//   codes_i:  a code a lane (its 8 low bits). A row begins a word of `Chain` codes and fills its last one with zeros.
//             With its last beat goes `slot_value_i` to the row's slot.
//   halves_i: with codes_i, an f16 a lane (its 16 low bits). A row fills its last step, two words, with zeros.
//   choose_valid_i: an index, written at once, and its element, a period later; elements follow one another.
// Initiation interval 1. Registered: the chosen element; the other outputs follow their inputs. It rounds nothing.
module vector_writer #(
    parameter Lanes = 8,
    parameter Chain = 16,
    // 1: f16 in two bytes too, in steps of two words.
    parameter HalfActivations = 0,
    parameter WriteWords = (1 + HalfActivations) * (Lanes > Chain ? Lanes / Chain : 1)
) (
    input  wire                          clk_i,
    input  wire                          rst_ni,

    input  wire                          restart_i,
    input  wire                   [19:0] base_i,
    input  wire                   [15:0] stride_i,
    input  wire                   [11:0] slot_i,
    input  wire                          pair_i,
    input  wire                   [16:0] half_i,

    input  wire                          vector_i,
    input  wire                          codes_i,
    input  wire                          halves_i,
    input  wire                          valid_i,
    input  wire                          last_i,
    input  wire              [Lanes-1:0] mask_i,
    input  wire           [32*Lanes-1:0] data_i,
    input  wire                   [31:0] slot_value_i,

    input  wire                          choose_i,
    input  wire                          choose_valid_i,
    input  wire                   [31:0] choose_value_i,
    input  wire                   [17:0] choose_index_i,

    output wire              [Lanes-1:0] vector_write_valid_o,
    output wire                   [19:0] vector_write_address_o,
    output wire           [32*Lanes-1:0] vector_write_data_o,

    output wire                          activation_write_valid_o,
    output wire                   [19:0] activation_write_word_o,
    output wire [8*Chain*WriteWords-1:0] activation_write_data_o,
    output wire   [Chain*WriteWords-1:0] activation_write_strobe_o,

    output wire                          slot_write_valid_o,
    output wire                   [11:0] slot_write_address_o,
    output wire                   [31:0] slot_write_value_o,

    output wire                          topk_write_o,
    output wire                    [2:0] topk_number_o,
    output wire                   [31:0] topk_value_o
);
    // The choice of a pass: the register at once, so that whoever issues when the operation retires reads it; the
    // element a period later.
    wire       choose = choose_i && choose_valid_i;
    reg        chosen_q;
    reg  [2:0] number_q;
    reg [31:0] value_q;
    always @(posedge clk_i) begin
        if (!rst_ni) chosen_q <= 1'b0;
        else chosen_q <= choose;
        if (restart_i) number_q <= 3'd0;
        else if (choose) number_q <= number_q + 3'd1;
        if (choose) value_q <= choose_value_i;
    end
    assign topk_write_o = choose;
    assign topk_number_o = number_q;
    assign topk_value_o = {14'd0, choose_index_i};

    // Elements.
    wire element_step = vector_i && valid_i;
    vector_stream #(
        .Lanes(Lanes)
    ) u_elements (
        .clk_i    (clk_i),
        .start_i  (restart_i),
        .base_i   (base_i),
        .stride_i (stride_i),
        .pair_i   (pair_i),
        .half_i   (half_i),
        .one_i    (choose_i),
        .step_i   (element_step || chosen_q),
        .last_i   (last_i && !choose_i),
        .address_o(vector_write_address_o)
    );
    generate
        if (Lanes == 1) begin : gen_one_lane
            assign vector_write_valid_o = (element_step && mask_i) || chosen_q;
            assign vector_write_data_o = choose_i ? value_q : data_i;
        end else begin : gen_lanes
            assign vector_write_valid_o = (mask_i & {Lanes{element_step}}) | {{Lanes - 1{1'b0}}, chosen_q};
            assign vector_write_data_o = {data_i[32*Lanes-1:32], choose_i ? value_q : data_i[31:0]};
        end
    endgenerate

    // Codes: word address of the row and of the beat.
    wire [8*Lanes-1:0] codes;
    genvar lane;
    generate
        for (lane = 0; lane < Lanes; lane = lane + 1) begin : gen_codes
            assign codes[8*lane+:8] = data_i[32*lane+:8];
        end
    endgenerate

    wire codes_step = codes_i && valid_i;
    wire word_done;
    localparam CodeWords = Lanes > Chain ? Lanes / Chain : 1;
    localparam [19:0] Words = CodeWords[19:0];
    reg  [19:0] row_q;
    reg  [19:0] word_q;
    reg  [11:0] slot_q;
    wire [19:0] next_row = row_q + {4'd0, stride_i};
    always @(posedge clk_i) begin
        if (restart_i) begin
            row_q <= base_i;
            word_q <= base_i;
            slot_q <= slot_i;
        end else if (codes_step) begin
            if (last_i) begin
                row_q <= next_row;
                word_q <= next_row;
                slot_q <= slot_q + 12'd1;
            end else if (word_done) begin
                word_q <= word_q + (HalfActivations != 0 && halves_i ? 2 * Words : Words);
            end
        end
    end
    assign activation_write_valid_o = codes_step;
    assign activation_write_word_o = word_q;
    assign slot_write_valid_o = codes_step && last_i;
    assign slot_write_address_o = slot_q;
    assign slot_write_value_o = slot_value_i;

    // What a beat writes of the words of codes, and of the steps of f16, each twice as long.
    wire [8*Chain*CodeWords-1:0] code_data;
    wire   [Chain*CodeWords-1:0] code_strobe;
    wire [16*Chain*CodeWords-1:0] half_data;
    wire  [2*Chain*CodeWords-1:0] half_strobe;
    wire           [16*Lanes-1:0] halves;
    generate
        for (lane = 0; lane < Lanes; lane = lane + 1) begin : gen_halves
            assign halves[16*lane+:16] = data_i[32*lane+:16];
        end
        if (Lanes >= Chain) begin : gen_words
            // A beat is whole words; those are written of which a lane holds an element.
            assign word_done = 1'b1;
            assign code_data = codes;
            assign half_data = halves;
            for (lane = 0; lane < CodeWords; lane = lane + 1) begin : gen_word
                assign code_strobe[Chain*lane+:Chain] = {Chain{mask_i[Chain*lane]}};
                assign half_strobe[2*Chain*lane+:2*Chain] = {(2*Chain){mask_i[Chain*lane]}};
            end
        end else begin : gen_parts
            // A beat is a part of a word; the last of a row writes the parts behind it too, as zeros.
            localparam Parts = Chain / Lanes;
            localparam PartBits = $clog2(Parts);
            reg [PartBits-1:0] part_q;
            always @(posedge clk_i) begin
                if (restart_i) part_q <= {PartBits{1'b0}};
                else if (codes_step) part_q <= last_i ? {PartBits{1'b0}} : part_q + 1'b1;
            end
            assign word_done = &part_q;
            wire [Parts-1:0] from_here = {Parts{1'b1}} << part_q;
            for (lane = 0; lane < Parts; lane = lane + 1) begin : gen_part
                localparam [PartBits-1:0] Part = lane;
                wire here = part_q == Part;
                wire written = last_i ? from_here[lane] : here;
                assign code_data[8*Lanes*lane+:8*Lanes] = codes & {8 * Lanes{here}};
                assign code_strobe[Lanes*lane+:Lanes] = {Lanes{written}};
                assign half_data[16*Lanes*lane+:16*Lanes] = halves & {16 * Lanes{here}};
                assign half_strobe[2*Lanes*lane+:2*Lanes] = {2 * Lanes{written}};
            end
        end
        if (HalfActivations != 0) begin : gen_both
            assign activation_write_data_o = halves_i ? half_data : {{(8*Chain*CodeWords){1'b0}}, code_data};
            assign activation_write_strobe_o = halves_i ? half_strobe : {{(Chain*CodeWords){1'b0}}, code_strobe};
        end else begin : gen_codes_alone
            wire unused_halves = &{1'b0, halves_i, half_data, half_strobe};
            assign activation_write_data_o = code_data;
            assign activation_write_strobe_o = code_strobe;
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Lanes < 1 || Chain < 1 || WriteWords != (1 + HalfActivations) * CodeWords) begin
        $display("vector_writer: Lanes %0d, Chain %0d, WriteWords %0d: expected max(1, Lanes / Chain) words, twice with f16",
                 Lanes, Chain, WriteWords);
        $finish;
    end
`endif
endmodule
