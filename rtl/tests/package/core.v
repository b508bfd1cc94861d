// core, a stand-in for tests of what stands around it: it has the ports of the real one, and for each channel reads one
// burst of `register 1` beats from the channel's address 0 and writes each beat, inverted, Distance beats further on,
// all bytes but the first of each beat. It fetches the program in single beats and looks at none of it, but that an
// instruction whose low byte is ff is refused.
module core #(
    parameter Channels           = 2,
    parameter PortBytes          = 32,
    parameter ChannelAddressBits = 28,
    parameter FetchPortBytes     = 64,
    parameter FetchAddressBits   = 34,
    parameter Distance           = 16
) (
    input  wire                                   clk_i,
    input  wire                                   rst_ni,
    input  wire                                   start_i,
    input  wire [31:0]                            instruction_count_i,
    output wire                                   busy_o,
    output wire                                   done_o,
    output wire                                   error_o,
    input  wire                                   register_write_i,
    input  wire [6:0]                             register_number_i,
    input  wire [31:0]                            register_value_i,
    output wire                                   probe_dispatch_o,
    output wire [4:0]                             probe_issue_o,
    output wire [4:0]                             probe_retire_o,
    output wire                                   fetch_arvalid_o,
    output wire [FetchAddressBits-1:0]            fetch_araddr_o,
    output wire [7:0]                             fetch_arlen_o,
    input  wire                                   fetch_arready_i,
    input  wire                                   fetch_rvalid_i,
    input  wire [8*FetchPortBytes-1:0]            fetch_rdata_i,
    input  wire                                   fetch_rlast_i,
    output wire                                   fetch_rready_o,
    output wire [Channels-1:0]                    load_arvalid_o,
    output wire [Channels*ChannelAddressBits-1:0] load_araddr_o,
    output wire [8*Channels-1:0]                  load_arlen_o,
    input  wire [Channels-1:0]                    load_arready_i,
    input  wire [Channels-1:0]                    load_rvalid_i,
    input  wire [8*Channels*PortBytes-1:0]        load_rdata_i,
    input  wire [Channels-1:0]                    load_rlast_i,
    output wire [Channels-1:0]                    load_rready_o,
    output wire [Channels-1:0]                    store_awvalid_o,
    output wire [Channels*ChannelAddressBits-1:0] store_awaddr_o,
    input  wire [Channels-1:0]                    store_awready_i,
    output wire [Channels-1:0]                    store_wvalid_o,
    output wire [8*Channels*PortBytes-1:0]        store_wdata_o,
    output wire [Channels*PortBytes-1:0]          store_wstrb_o,
    input  wire [Channels-1:0]                    store_wready_i,
    input  wire [Channels-1:0]                    store_bvalid_i,
    output wire [Channels-1:0]                    store_bready_o
);
    localparam PortShift  = $clog2(PortBytes);
    localparam FetchShift = $clog2(FetchPortBytes);

    reg [7:0]  beats_q;
    reg        busy_q;
    reg        error_q;
    reg [31:0] fetch_left_q;
    reg [31:0] fetch_beat_q;
    reg        fetch_wait_q;

    wire [Channels-1:0] idle;

    assign busy_o          = busy_q;
    assign error_o         = error_q;
    assign {probe_dispatch_o, probe_issue_o, probe_retire_o} = 11'd0;
    assign done_o          = busy_q && (&idle) && fetch_left_q == 32'd0 && !fetch_wait_q;
    assign fetch_arvalid_o = busy_q && fetch_left_q != 32'd0 && !fetch_wait_q;
    assign fetch_araddr_o  = {fetch_beat_q[FetchAddressBits-FetchShift-1:0], {FetchShift{1'b0}}};
    assign fetch_arlen_o   = 8'd0;
    assign fetch_rready_o  = 1'b1;

    wire unused = &{1'b0, fetch_rlast_i, fetch_rdata_i, register_value_i[31:8], fetch_beat_q, load_rlast_i};

    always @(posedge clk_i) begin
        if (!rst_ni) begin
            busy_q       <= 1'b0;
            error_q      <= 1'b0;
            fetch_left_q <= 32'd0;
            fetch_wait_q <= 1'b0;
        end else begin
            if (register_write_i && register_number_i == 7'd1) beats_q <= register_value_i[7:0];
            if (start_i) begin
                busy_q       <= 1'b1;
                error_q      <= 1'b0;
                fetch_left_q <= (instruction_count_i + FetchPortBytes / 32 - 1) / (FetchPortBytes / 32);
                fetch_beat_q <= 32'd0;
            end else if (done_o) begin
                busy_q <= 1'b0;
            end
            if (fetch_arvalid_o && fetch_arready_i) fetch_wait_q <= 1'b1;
            if (fetch_rvalid_i) begin
                fetch_wait_q <= 1'b0;
                fetch_left_q <= fetch_left_q - 32'd1;
                fetch_beat_q <= fetch_beat_q + 32'd1;
                if (fetch_rdata_i[7:0] == 8'hff) error_q <= 1'b1;
            end
        end
    end

    genvar c;
    generate
        for (c = 0; c < Channels; c = c + 1) begin : gen_channel
            reg                   request_q;
            reg                   reading_q;
            reg [7:0]             number_q;
            reg                   address_q;
            reg                   data_q;
            reg                   answer_q;
            reg [8*PortBytes-1:0] beat_q;

            // One beat at a time: it waits here until it is written and acknowledged.
            assign load_rready_o[c] = reading_q && !address_q && !data_q && !answer_q;
            assign idle[c]          = !request_q && !reading_q && !address_q && !data_q && !answer_q;

            assign load_arvalid_o[c]  = request_q;
            assign load_araddr_o[c*ChannelAddressBits +: ChannelAddressBits] = {ChannelAddressBits{1'b0}};
            assign load_arlen_o[8*c +: 8] = beats_q - 8'd1;
            assign store_awvalid_o[c] = address_q;
            assign store_awaddr_o[c*ChannelAddressBits +: ChannelAddressBits] =
                {{(ChannelAddressBits - PortShift - 8){1'b0}}, number_q + Distance[7:0] - 8'd1, {PortShift{1'b0}}};
            assign store_wvalid_o[c] = data_q;
            assign store_wdata_o[8*PortBytes*c +: 8*PortBytes] = ~beat_q;
            assign store_wstrb_o[PortBytes*c +: PortBytes] = {{(PortBytes - 1){1'b1}}, 1'b0};
            assign store_bready_o[c] = 1'b1;

            always @(posedge clk_i) begin
                if (!rst_ni) begin
                    request_q <= 1'b0;
                    reading_q <= 1'b0;
                    address_q <= 1'b0;
                    data_q    <= 1'b0;
                    answer_q  <= 1'b0;
                end else begin
                    if (start_i) begin
                        request_q <= 1'b1;
                        reading_q <= 1'b1;
                        number_q  <= 8'd0;
                    end
                    if (request_q && load_arready_i[c]) request_q <= 1'b0;
                    if (load_rvalid_i[c] && load_rready_o[c]) begin
                        beat_q    <= load_rdata_i[8*PortBytes*c +: 8*PortBytes];
                        number_q  <= number_q + 8'd1;
                        address_q <= 1'b1;
                        data_q    <= 1'b1;
                        answer_q  <= 1'b1;
                    end
                    if (address_q && store_awready_i[c]) address_q <= 1'b0;
                    if (data_q && store_wready_i[c]) data_q <= 1'b0;
                    if (store_bvalid_i[c]) begin
                        answer_q <= 1'b0;
                        if (number_q == beats_q) reading_q <= 1'b0;
                    end
                end
            end
        end
    endgenerate
endmodule
