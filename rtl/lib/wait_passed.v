// Whether as many instructions of a unit have retired as an instruction waits for.
//
// Latency 0: combinational. Counts are modulo 2^32; the difference is taken as signed, so a target before the first
// instruction is passed from the beginning. It does not hold state.
module wait_passed (
    input  wire [31:0] target_i,
    input  wire [31:0] retired_i,
    output wire        passed_o
);
    wire [31:0] beyond = retired_i - target_i;
    assign passed_o = !beyond[31];

    wire unused = &{1'b0, beyond[30:0]};
endmodule
