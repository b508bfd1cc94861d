// INT8 activation words of `Chain` codes with `Ports` read ports, each of which reads a window of `Ratio` words.
//
// Words stand in banks, word w in bank w mod `Banks`, so that a window of consecutive words may begin anywhere; so may the
// `WriteWords` words that are written together. Every read port has memories of its own.
// Latency 3, initiation interval 1. A write in period p is seen by a read whose address is
// presented in period p + 1. Reads past the end of the buffer give anything. Registered: all outputs.
module activation_words #(
    parameter Chain = 16,
    parameter Ports = 2,
    // Words of a window.
    parameter Ratio = 8,
    parameter ActivationWords = 2048,
    // Words written together.
    parameter WriteWords = 1,
    parameter Style = "block"
) (
    input  wire                            clk_i,
    input  wire                            write_i,
    input  wire                     [19:0] write_word_i,
    input  wire   [8*Chain*WriteWords-1:0] write_data_i,
    input  wire     [Chain*WriteWords-1:0] write_strobe_i,
    input  wire             [Ports*20-1:0] word_i,
    output wire [Ports*8*Ratio*Chain-1:0] window_o
);
    `include "constants.vh"

    localparam Banks = Ratio > WriteWords ? Ratio : WriteWords;
    localparam PlaceBits = $clog2(Banks);
    localparam BankWords = ActivationWords > 2 * Banks ? (ActivationWords + Banks - 1) / Banks : 2;
    localparam BankBits = $clog2(BankWords);
    localparam WordBits = 8 * Chain;

    // ---- Writes: bank b takes the word that has its place ----

    wire [20:0] write_place = {1'b0, write_word_i} & ((21'd1 << PlaceBits) - 21'd1);
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
            wire [20:0] bank_word = ({1'b0, write_word_i} >> PlaceBits) + {20'd0, wrapped};
            wire unused_bank_word = &{1'b0, bank_word};
            assign bank_write[bank] = write_i && number < WriteWords[20:0];
            assign bank_write_address[BankBits*bank+:BankBits] = bank_word[BankBits-1:0];
            if (WriteWords == 1) begin : gen_one
                assign bank_write_data[WordBits*bank+:WordBits] = write_data_i;
                assign bank_write_strobe[Chain*bank+:Chain] = write_strobe_i;
            end else begin : gen_rotated
                localparam NumberBits = $clog2(WriteWords);
                assign bank_write_data[WordBits*bank+:WordBits] =
                    write_data_i[WordBits*number[NumberBits-1:0]+:WordBits];
                assign bank_write_strobe[Chain*bank+:Chain] =
                    write_strobe_i[Chain*number[NumberBits-1:0]+:Chain];
            end
        end
    endgenerate

    // ---- Reads ----

    genvar port;
    generate
        for (port = 0; port < Ports; port = port + 1) begin : gen_port
            wire [20:0] word = {1'b0, word_i[20*port+:20]};
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
            wire unused_place_bits = &{1'b0, place_late};
            // The window begins in bank `place_late` and goes on in bank 0.
            wire [Ratio*WordBits-1:0] window;
            rotate_words #(
                .Words(Banks),
                .Width(WordBits),
                .Taken(Ratio)
            ) u_rotate (
                .words_i (words),
                .offset_i(place_late[(PlaceBits > 0 ? PlaceBits : 1)-1:0]),
                .words_o (window)
            );
            reg [Ratio*WordBits-1:0] window_q;
            always @(posedge clk_i) window_q <= window;
            assign window_o[Ratio*WordBits*port+:Ratio*WordBits] = window_q;
        end
    endgenerate

`ifndef SYNTHESIS
    initial if ((1 << PlaceBits) != Banks) begin
        $display("activation_words: Ratio %0d, WriteWords %0d: expected powers of two", Ratio, WriteWords);
        $finish;
    end
`endif
endmodule
