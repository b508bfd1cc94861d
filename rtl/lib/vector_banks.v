// A memory of f32 elements in which any element address is a good one: `Banks` banks with an address each, and a
// rotation. `WriteElements` consecutive elements are written in a period, each with its own valid; each of `ReadPorts`
// ports reads `ReadElements` consecutive elements.
//
// Read latency 3 (RAM 2, rotation 1), the element at the address in the low bits. A write in period p is seen by a read
// presented in p + 1. Elements past the end of the memory are anything, and are not written. Initiation interval 1 on
// every port. Registered: `read_data_o`.
// Each read port is a copy of the memory, so that no port ever waits for another.
module vector_banks #(
    parameter Elements = 1024,
    parameter WriteElements = 8,
    parameter ReadElements = 8,
    parameter ReadPorts = 2,
    parameter Style = "block"
) (
    input  wire                                  clk_i,
    input  wire              [WriteElements-1:0] write_valid_i,
    input  wire                           [19:0] write_address_i,
    input  wire           [32*WriteElements-1:0] write_data_i,
    input  wire               [20*ReadPorts-1:0] read_address_i,
    output wire  [32*ReadElements*ReadPorts-1:0] read_data_o
);
    localparam Banks = WriteElements > ReadElements ? WriteElements : ReadElements;
    localparam BankBits = $clog2(Banks);
    localparam OffsetBits = Banks > 1 ? BankBits : 1;
    localparam Rows = (Elements + Banks - 1) / Banks;
    localparam RowBits = Rows > 1 ? $clog2(Rows) : 1;
    localparam PlaceBits = 20 - BankBits;

    // ---- Write: lane j goes to bank offset + j; those that wrap go to the next row.
    wire [OffsetBits-1:0] write_offset = Banks > 1 ? write_address_i[OffsetBits-1:0] : {OffsetBits{1'b0}};
    wire      [Banks-1:0] write_here = {Banks{1'b1}} << write_offset;
    wire  [PlaceBits-1:0] write_row = write_address_i[19:BankBits];
    wire  [PlaceBits-1:0] write_next_row = write_row + 1'b1;
    wire        [Banks-1:0] lane_valid;
    wire     [32*Banks-1:0] lane_data;
    generate
        if (Banks > WriteElements) begin : gen_narrow_write
            assign lane_valid = {{Banks - WriteElements{1'b0}}, write_valid_i};
            assign lane_data = {{32 * (Banks - WriteElements){1'b0}}, write_data_i};
        end else begin : gen_whole_write
            assign lane_valid = write_valid_i;
            assign lane_data = write_data_i;
        end
    endgenerate
    // Bank b takes lane b - offset.
    wire [OffsetBits-1:0] write_turn = {OffsetBits{1'b0}} - write_offset;
    wire      [Banks-1:0] bank_valid;
    wire   [32*Banks-1:0] bank_data;
    rotate_words #(
        .Words(Banks),
        .Width(1),
        .Taken(Banks)
    ) u_turn_valid (
        .words_i (lane_valid),
        .offset_i(write_turn),
        .words_o (bank_valid)
    );
    rotate_words #(
        .Words(Banks),
        .Width(32),
        .Taken(Banks)
    ) u_turn_data (
        .words_i (lane_data),
        .offset_i(write_turn),
        .words_o (bank_data)
    );

    genvar port;
    genvar bank;
    generate
        for (port = 0; port < ReadPorts; port = port + 1) begin : gen_port
            wire           [19:0] address = read_address_i[20*port+:20];
            wire [OffsetBits-1:0] offset = Banks > 1 ? address[OffsetBits-1:0] : {OffsetBits{1'b0}};
            wire      [Banks-1:0] here = {Banks{1'b1}} << offset;
            wire  [PlaceBits-1:0] row = address[19:BankBits];
            wire  [PlaceBits-1:0] next_row = row + 1'b1;
            wire   [32*Banks-1:0] word;
            for (bank = 0; bank < Banks; bank = bank + 1) begin : gen_bank
                wire [PlaceBits-1:0] read_place = here[bank] ? row : next_row;
                wire [PlaceBits-1:0] write_place = write_here[bank] ? write_row : write_next_row;
                wire unused_place = &{1'b0, read_place, write_place};
                ram_sdp #(
                    .Width    (32),
                    .Depth    (Rows),
                    .ByteWidth(32),
                    .Style    (Style)
                ) u_ram (
                    .clk_i          (clk_i),
                    .write_i        (bank_valid[bank]),
                    .write_strobe_i (1'b1),
                    .write_address_i(write_place[RowBits-1:0]),
                    .write_data_i   (bank_data[32*bank+:32]),
                    .read_address_i (read_place[RowBits-1:0]),
                    .read_data_o    (word[32*bank+:32])
                );
            end

            // Rotated down by the offset of two periods ago.
            reg  [OffsetBits-1:0] offset_1_q;
            reg  [OffsetBits-1:0] offset_2_q;
            wire [32*ReadElements-1:0] turned;
            rotate_words #(
                .Words(Banks),
                .Width(32),
                .Taken(ReadElements)
            ) u_turn (
                .words_i (word),
                .offset_i(offset_2_q),
                .words_o (turned)
            );
            reg [32*ReadElements-1:0] data_q;
            always @(posedge clk_i) begin
                offset_1_q <= offset;
                offset_2_q <= offset_1_q;
                data_q <= turned;
            end
            assign read_data_o[32*ReadElements*port+:32*ReadElements] = data_q;
        end
    endgenerate

`ifndef SYNTHESIS
    initial if (Elements < Banks || Elements > 1 << 20 || ReadPorts < 1 || (1 << BankBits) != Banks) begin
        $display("vector_banks: Elements %0d, WriteElements %0d, ReadElements %0d, ReadPorts %0d: expected powers of two of elements a port, and at least one row of them",
                 Elements, WriteElements, ReadElements, ReadPorts);
        $finish;
    end
`endif
endmodule
