//! Changes of the Verilog, each of which breaks one property of a master.

/// A change: which property it breaks, and in which file what becomes what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mutant {
    pub(crate) property: u32,
    pub(crate) file: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

const fn mutant(property: u32, file: &'static str, from: &'static str, to: &'static str) -> Mutant {
    Mutant { property, file, from, to }
}

const ADDRESS: &str = "kernel_address.v";
const TOP: &str = "kernel_tiny.v";

// The address register: its valid is not reset, is not held, its address is not held.
const NO_RESET: (&str, &str) = ("valid_q <= 1'b0;", "valid_q <= valid_q;");
const NO_HOLD: (&str, &str) = ("end else if (ready_o) begin", "end else if (1'b1) begin");
const NO_PAYLOAD: (&str, &str) =
    ("if (ready_o) begin\n            address_q", "if (1'b1) begin\n            address_q");

/// Of `axi4_reads` behind the data channel; 15 is the count of the bursts under way.
pub(crate) const LOADS: &[Mutant] = &[
    mutant(1, ADDRESS, NO_RESET.0, NO_RESET.1),
    mutant(2, ADDRESS, NO_HOLD.0, NO_HOLD.1),
    mutant(3, ADDRESS, NO_PAYLOAD.0, NO_PAYLOAD.1),
    mutant(4, TOP, "m_axi_gmem0_ARBURST = 2'd1", "m_axi_gmem0_ARBURST = 2'd0"),
    mutant(5, TOP, "m_axi_gmem0_ARSIZE = 3'd4", "m_axi_gmem0_ARSIZE = 3'd3"),
    mutant(6, "load_port.v", "{request_beat_q, {PortShift{1'b0}}}", "{request_beat_q, {PortShift{1'b1}}}"),
    mutant(7, "load_port.v", "request_beat_q[8:0] & BurstMask[8:0]", "request_beat_q[8:0] & 9'd0"),
    mutant(8, "load_port.v", "row_requested = left <= {23'd0, to_boundary}", "row_requested = 1'b1"),
    mutant(9, "load_port.v", "flying_q != MostFlying", "1'b1"),
    mutant(10, "load_unit.v", "load_rready_o[c] = 1'b1", "load_rready_o[c] = !load_write_valid_o[c]"),
    mutant(15, "load_port.v", "if (rvalid_i && rlast_i && !request)", "if (rvalid_i && !request)"),
];

/// Of `axi4_single_writes`; 17 and 18 are the addresses and beats of the lines that are not answered.
pub(crate) const STORES: &[Mutant] = &[
    mutant(1, ADDRESS, NO_RESET.0, NO_RESET.1),
    mutant(2, "store_port.v", "fired_q <= 1'b0;", "fired_q <= fired_q;"),
    mutant(3, ADDRESS, NO_HOLD.0, NO_HOLD.1),
    mutant(4, ADDRESS, NO_PAYLOAD.0, NO_PAYLOAD.1),
    mutant(5, "fifo.v", "!(passing && ready_i)", "!passing"),
    mutant(6, "fifo.v", "data_o = passing ?", "data_o = valid_i ?"),
    mutant(7, TOP, "m_axi_gmem0_AWBURST = 2'd1", "m_axi_gmem0_AWBURST = 2'd2"),
    mutant(8, TOP, "m_axi_gmem0_AWSIZE = 3'd4", "m_axi_gmem0_AWSIZE = 3'd5"),
    mutant(9, "store_port.v", "{beat, {PortShift{1'b0}}}", "{beat, {PortShift{1'b1}}}"),
    mutant(10, TOP, ".length_i (8'd0)", ".length_i (8'd1)"),
    mutant(11, "store_unit.v", "(line_touch & ~acknowledged) == {Channels{1'b0}}", "1'b1"),
    mutant(12, TOP, "m_axi_gmem0_WLAST = 1'b1", "m_axi_gmem0_WLAST = 1'b0"),
    mutant(13, "store_unit.v", ".ready_i(settled)", ".ready_i(line_open)"),
    mutant(14, "store_unit.v", "store_bready_o[c] = 1'b1", "store_bready_o[c] = !store_wvalid_o[c]"),
    mutant(17, "store_port.v", "if (done_first && !fire_first)", "if (done_first)"),
    mutant(18, "store_port.v", "fired_q <= fire_i;", "fired_q <= fire_i && store_i;"),
];

/// Of `axi4_reads` behind the instruction channel; 15 is the count of the bursts under way, 16 their absence while no
/// program runs, 17 that nothing is written, 18 the room that every burst has.
pub(crate) const INSTRUCTIONS: &[Mutant] = &[
    mutant(1, ADDRESS, NO_RESET.0, NO_RESET.1),
    mutant(2, ADDRESS, NO_HOLD.0, NO_HOLD.1),
    mutant(3, ADDRESS, NO_PAYLOAD.0, NO_PAYLOAD.1),
    mutant(4, TOP, "m_axi_instructions_ARBURST = 2'd1", "m_axi_instructions_ARBURST = 2'd2"),
    mutant(5, TOP, "m_axi_instructions_ARSIZE = 3'd6", "m_axi_instructions_ARSIZE = 3'd5"),
    mutant(6, "fetch_unit.v", "{request_index_q, {BurstShift{1'b0}}}", "{request_index_q, {BurstShift{1'b1}}}"),
    mutant(7, "fetch_unit.v", "beats = whole_burst ? most_beats : request_beats_q", "beats = request_beats_q"),
    mutant(8, "fetch_unit.v", "most_beats = {1'b0, BurstBeatCount}", "most_beats = {BurstBeatCount, 1'b0}"),
    mutant(9, "fetch_unit.v", "&& open_q != MostOpen", ""),
    mutant(10, "fetch_unit.v", "fetch_rready_o = 1'b1", "fetch_rready_o = word_valid_o"),
    mutant(15, "fetch_unit.v", "if (burst_arrived && !request)", "if (burst_arrived)"),
    mutant(16, "fetch_unit.v", "idle_o = flying_q == {OpenBits{1'b0}}", "idle_o = 1'b1"),
    mutant(17, TOP, "m_axi_instructions_AWVALID = 1'b0", "m_axi_instructions_AWVALID = 1'b1"),
    mutant(18, "fetch_unit.v", "&& open_q != MostOpen", ""),
];
