// The place of one core on the link: a bus up and a bus down through the stations of all cores, on which in each period
// one core's beat goes by (docs/src/machine.md, "Shares").
//
// The buses run from the station of the first region to that of the last and back; the registers of a boundary stand
// between stations (crossing.v). A beat waits `Before` periods before it joins the bus up and `After` before it joins the bus
// down, as long as it would have taken from the bus's beginning to here, and as long as it still has to go when it leaves
// it: so every beat is in all cores, its own included, `Before + After` periods after its core gave it, and two that were given
// in different periods never meet. `met_o` is high that long after all cores were here.
//
//   Before   periods over all boundaries from the first region with a core to this one
//   After    those of the whole way less `Before`; all of it if the cores stand in one region
//
// Latency `Before + After`, initiation interval 1. Registered: everything that has periods to wait; what passes is a function
// of its inputs. It does not know whose turn it is: two beats given in one period give anything.
module link_station #(
    parameter Lanes = 8,
    parameter Before = 0,
    parameter After = 2
) (
    input  wire                clk_i,
    input  wire                rst_ni,
    // Core.
    input  wire                here_i,
    input  wire                valid_i,
    input  wire [32*Lanes-1:0] data_i,
    output wire                met_o,
    output wire [32*Lanes-1:0] data_o,
    // Bus up: from the station before, to the one behind.
    input  wire                up_here_i,
    input  wire                up_valid_i,
    input  wire [32*Lanes-1:0] up_data_i,
    output wire                up_here_o,
    output wire                up_valid_o,
    output wire [32*Lanes-1:0] up_data_o,
    // Bus down: from the station behind, to the one before.
    input  wire                down_here_i,
    input  wire                down_valid_i,
    input  wire [32*Lanes-1:0] down_data_i,
    output wire                down_here_o,
    output wire                down_valid_o,
    output wire [32*Lanes-1:0] down_data_o
);
    localparam Bits = 32 * Lanes;

    // Joining. The core's own beat takes the place of what passes.
    wire            own_up_here;
    wire            own_up_valid;
    wire [Bits-1:0] own_up_data;
    crossing #(
        .Control(2),
        .Width  (Bits),
        .Cycles (Before)
    ) u_join_up (
        .clk_i    (clk_i),
        .rst_ni   (rst_ni),
        .control_i({here_i, valid_i}),
        .data_i   (data_i),
        .control_o({own_up_here, own_up_valid}),
        .data_o   (own_up_data)
    );
    assign up_here_o = up_here_i && own_up_here;
    assign up_valid_o = up_valid_i || own_up_valid;
    assign up_data_o = own_up_valid ? own_up_data : up_data_i;

    wire            own_down_here;
    wire            own_down_valid;
    wire [Bits-1:0] own_down_data;
    crossing #(
        .Control(2),
        .Width  (Bits),
        .Cycles (After)
    ) u_join_down (
        .clk_i    (clk_i),
        .rst_ni   (rst_ni),
        .control_i({here_i, valid_i}),
        .data_i   (data_i),
        .control_o({own_down_here, own_down_valid}),
        .data_o   (own_down_data)
    );
    assign down_here_o = down_here_i && own_down_here;
    assign down_valid_o = down_valid_i || own_down_valid;
    assign down_data_o = own_down_valid ? own_down_data : down_data_i;

    // Leaving. The core's own beat comes by the bus up.
    wire            from_up_here;
    wire            from_up_valid;
    wire [Bits-1:0] from_up_data;
    crossing #(
        .Control(2),
        .Width  (Bits),
        .Cycles (After)
    ) u_leave_up (
        .clk_i    (clk_i),
        .rst_ni   (rst_ni),
        .control_i({up_here_o, up_valid_o}),
        .data_i   (up_data_o),
        .control_o({from_up_here, from_up_valid}),
        .data_o   (from_up_data)
    );

    wire            from_down_here;
    wire            from_down_valid;
    wire [Bits-1:0] from_down_data;
    crossing #(
        .Control(2),
        .Width  (Bits),
        .Cycles (Before)
    ) u_leave_down (
        .clk_i    (clk_i),
        .rst_ni   (rst_ni),
        .control_i({down_here_i, down_valid_i}),
        .data_i   (down_data_i),
        .control_o({from_down_here, from_down_valid}),
        .data_o   (from_down_data)
    );

    assign met_o = from_up_here && from_down_here;
    assign data_o = from_down_valid ? from_down_data : from_up_data;

`ifndef SYNTHESIS
    // In a period one core sends.
    always @(posedge clk_i) begin
        if (rst_ni && from_up_valid && from_down_valid) begin
            $display("link_station: two cores send in one period");
            $finish;
        end
    end
    initial if (Lanes < 1 || Before < 0 || After < 0 || Before + After < 1) begin
        $display("link_station: Lanes %0d, Before %0d, After %0d: expected a way of at least one period",
                 Lanes, Before, After);
        $finish;
    end
`else
    wire unused_valid = from_up_valid;
`endif
endmodule
