// tb_memory: the memory of one channel, for simulation: AXI reads and single-beat writes, from and to a word array.
// A burst's first beat comes Latency periods after its address, then a beat a period. With stall_percent_i > 0 each
// ready and each valid is withheld with that probability; what is offered stays until it is taken.
// It does not interleave bursts, and knows one ID. All outputs are registered.
module tb_memory #(
    parameter PortBytes    = 32,
    parameter AddressBits  = 28,
    parameter Words        = 1024,
    parameter Latency      = 40,
    parameter Channel      = 0
) (
    input  wire                   clk_i,
    input  wire                   rst_ni,
    input  wire [31:0]            seed_i,
    input  wire [31:0]            stall_percent_i,
    // Read address and data.
    input  wire                   arvalid_i,
    input  wire [AddressBits-1:0] araddr_i,
    input  wire [7:0]             arlen_i,
    output reg                    arready_o,
    output reg                    rvalid_o,
    output reg  [8*PortBytes-1:0] rdata_o,
    output reg                    rlast_o,
    input  wire                   rready_i,
    // Write address, data and response.
    input  wire                   awvalid_i,
    input  wire [AddressBits-1:0] awaddr_i,
    output reg                    awready_o,
    input  wire                   wvalid_i,
    input  wire [8*PortBytes-1:0] wdata_i,
    input  wire [PortBytes-1:0]   wstrb_i,
    output reg                    wready_o,
    output reg                    bvalid_o,
    input  wire                   bready_i,
    // Beats taken, for a watchdog; and what was not as it should be.
    output reg  [31:0]            events_o,
    output reg                    fault_o
);
    // Requests that wait, at most: more than any port may have outstanding.
    localparam Slots = 1024;

    reg [8*PortBytes-1:0] words [0:Words-1];

    reg [AddressBits-1:0] read_address [0:Slots-1];
    reg [7:0]             read_length [0:Slots-1];
    reg [31:0]            read_due [0:Slots-1];
    reg [AddressBits-1:0] write_address [0:Slots-1];
    reg [8*PortBytes-1:0] write_data [0:Slots-1];
    reg [PortBytes-1:0]   write_strobe [0:Slots-1];
    reg [31:0]            response_due [0:Slots-1];

    integer read_in, read_out, read_beat;
    integer address_in, data_in, write_out;
    integer response_in, response_out;
    integer word, byte_index;
    integer seed;
    reg [31:0] now;

    function stalled;
        input integer percent;
        begin
            stalled = 1'b0;
            if (percent > 0) begin
                stalled = ($unsigned($random(seed)) % 100) < percent;
            end
        end
    endfunction

    always @(posedge clk_i) begin
        if (!rst_ni) begin
            now          = 0;
            seed         = seed_i + 7919 * Channel + 1;
            read_in      = 0;
            read_out     = 0;
            read_beat    = 0;
            address_in   = 0;
            data_in      = 0;
            write_out    = 0;
            response_in  = 0;
            response_out = 0;
            arready_o   <= 1'b0;
            rvalid_o    <= 1'b0;
            rlast_o     <= 1'b0;
            rdata_o     <= 0;
            awready_o   <= 1'b0;
            wready_o    <= 1'b0;
            bvalid_o    <= 1'b0;
            events_o    <= 0;
            fault_o     <= 1'b0;
        end else begin
            now = now + 1;

            // What was taken in the period that ends here.
            if (arvalid_i && arready_o) begin
                read_address[read_in % Slots] = araddr_i;
                read_length[read_in % Slots]  = arlen_i;
                read_due[read_in % Slots]     = now + Latency;
                read_in = read_in + 1;
                if (araddr_i / PortBytes + arlen_i >= Words) begin
                    $display("channel %0d: a read at byte %0d ends outside the image", Channel, araddr_i);
                    fault_o <= 1'b1;
                end
            end
            if (awvalid_i && awready_o) begin
                write_address[address_in % Slots] = awaddr_i;
                address_in = address_in + 1;
                if (awaddr_i / PortBytes >= Words) begin
                    $display("channel %0d: a write at byte %0d lies outside the image", Channel, awaddr_i);
                    fault_o <= 1'b1;
                end
            end
            if (wvalid_i && wready_o) begin
                write_data[data_in % Slots]   = wdata_i;
                write_strobe[data_in % Slots] = wstrb_i;
                data_in = data_in + 1;
            end
            if ((rvalid_o && rready_i) || (bvalid_o && bready_i) || (wvalid_i && wready_o)) begin
                events_o <= events_o + 1;
            end
            if ((arvalid_i === 1'bx) || (awvalid_i === 1'bx) || (wvalid_i === 1'bx)) begin
                $display("channel %0d: a valid is unknown after reset", Channel);
                fault_o <= 1'b1;
            end

            if (write_out < address_in && write_out < data_in) begin
                word = write_address[write_out % Slots] / PortBytes;
                for (byte_index = 0; byte_index < PortBytes; byte_index = byte_index + 1) begin
                    if (write_strobe[write_out % Slots][byte_index]) begin
                        words[word][8*byte_index +: 8] = write_data[write_out % Slots][8*byte_index +: 8];
                    end
                end
                response_due[response_in % Slots] = now + Latency;
                response_in = response_in + 1;
                write_out   = write_out + 1;
            end

            // What is offered in the next period.
            arready_o <= !stalled(stall_percent_i);
            awready_o <= !stalled(stall_percent_i);
            wready_o  <= !stalled(stall_percent_i);
            if (!rvalid_o || rready_i) begin
                rvalid_o <= 1'b0;
                rlast_o  <= 1'b0;
                if (read_out < read_in && read_due[read_out % Slots] <= now && !stalled(stall_percent_i)) begin
                    rvalid_o <= 1'b1;
                    rdata_o  <= words[read_address[read_out % Slots] / PortBytes + read_beat];
                    rlast_o  <= read_beat == read_length[read_out % Slots];
                    if (read_beat == read_length[read_out % Slots]) begin
                        read_beat = 0;
                        read_out  = read_out + 1;
                    end else begin
                        read_beat = read_beat + 1;
                    end
                end
            end
            if (!bvalid_o || bready_i) begin
                bvalid_o <= 1'b0;
                if (response_out < response_in && response_due[response_out % Slots] <= now
                    && !stalled(stall_percent_i)) begin
                    bvalid_o <= 1'b1;
                    response_out = response_out + 1;
                end
            end
        end
    end
endmodule
