//! Speed of the comparison alone: random runs against a replay, which costs next to nothing itself.

use cosim::{Case, Dut, Replay};
use hw_config::machine::Machine;
use hw_config::raw::machine_text;
use std::time::Instant;

fn main() {
    let text = machine_text("tiny").expect("a shipped machine");
    let machine = Machine::from_toml("tiny", text).expect("a shipped machine");
    let mut dut = Dut::Replay(Box::new(Replay::new(&machine)));
    let cases: Vec<Case> = (0..20).map(|seed| Case::random(&machine, text, seed..seed + 1, 400, None)).collect();
    let start = Instant::now();
    let mut cycles = 0;
    for case in &cases {
        cycles += case.run(&machine, &mut dut).expect("equal").rtl_cycles;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{cycles} cycles in {seconds:.3} s: {:.0} cycles/s", cycles as f64 / seconds);
}
