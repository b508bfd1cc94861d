// How a property is checked: proven with yosys, or looked at in simulation at each edge of the clock.
`ifdef FORMAL
`define CHECK *
`define MUST(number, condition) if (Only == 0 || Only == number) assert (condition)
`define MAY(number, condition) assume (condition)
`else
`define CHECK posedge clk_i
`define MUST(number, condition) if ((condition) !== 1'b1) $display("AXI4 FAULT: %m, property %0d", number)
`define MAY(number, condition) if ((condition) !== 1'b1) $display("AXI4 FAULT: %m, slave rule %0d", number)
`endif
