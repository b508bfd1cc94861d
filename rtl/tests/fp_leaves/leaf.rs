//! A leaf as a pipeline: operands in, results out a fixed number of periods later.

use std::path::{Path, PathBuf};

use rtl::sources_for_test;
use rtl::verilated::{Design, Model};

/// Where the built models are kept.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilated")
}

/// A library module and those below it, generated ones included.
pub(crate) fn library(module: &str) -> Vec<PathBuf> {
    sources_for_test(module, &folder())
}

/// Where a test writes the Verilog file of its own `module`.
pub(crate) fn generated(module: &str) -> PathBuf {
    folder().join(format!("{module}.v"))
}

/// Where these tests write Verilog files.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fp_leaves");
    std::fs::create_dir_all(&folder).expect("the target folder is ours");
    folder
}

/// The model of a design, which must build.
pub(crate) fn build(design: Design) -> Model {
    let top = design.top.clone();
    design.build(&cache(), false).unwrap_or_else(|error| panic!("{top}: {error}"))
}

/// A pipeline under test: the operand ports `inputs`, the result port `y_o`.
pub(crate) struct Leaf {
    /// The module.
    pub(crate) name: &'static str,
    /// Names of the operand ports.
    pub(crate) inputs: &'static [&'static str],
    /// Periods from operands to result.
    pub(crate) latency: u32,
}

impl Leaf {
    /// Feeds every operand tuple (zeros after the last) and compares every result with `expected`. Gives and prints
    /// how many were compared; panics at the first that differs.
    pub(crate) fn check<const N: usize>(
        &self,
        operands: impl Iterator<Item = [u32; N]>,
        expected: impl Fn([u32; N]) -> u32,
    ) -> u64 {
        assert_eq!(self.inputs.len(), N, "{}: one port an operand", self.name);
        let mut model = build(Design::new(self.name, library(self.name)));
        let inputs: Vec<_> = self.inputs.iter().map(|name| model.port(name)).collect();
        let result = model.port("y_o");
        let latency = u64::from(self.latency);
        let mut in_flight = vec![[0; N]; self.latency as usize];
        let (mut fed, mut compared) = (0_u64, 0_u64);
        for tuple in operands.chain(std::iter::repeat_n([0; N], self.latency as usize)) {
            for (&port, value) in inputs.iter().zip(tuple) {
                model.set(port, u64::from(value));
            }
            model.eval();
            let slot = (fed % latency) as usize;
            if fed >= latency {
                let (got, wanted) = (model.get(result), u64::from(expected(in_flight[slot])));
                assert_eq!(
                    got, wanted,
                    "{}{:08x?}: got {got:08x}, expected {wanted:08x} (operand {})",
                    self.name, in_flight[slot], compared
                );
                compared += 1;
            }
            in_flight[slot] = tuple;
            fed += 1;
            model.tick();
        }
        assert!(compared > 0, "{}: nothing was compared", self.name);
        println!("{}: {compared} results compared, 0 differ", self.name);
        compared
    }
}
