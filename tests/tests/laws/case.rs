//! One pair of machine and model, drawn from a seed, and what it prints as when it fails.

use compiler::{FormatTable, Options};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use lapwing_tests::draw::{self, DrawnMachine, Style};
use lapwing_tests::host::Host;
use lapwing_tests::profile;
use models::ModelConfig;
use std::fmt;

/// How a profile stores its linears, written from the profile's description and not from its file: bits, N, M, stored
/// weights in a group (0: all of an output), and whether scales have two levels. Output head and router are always
/// dense 8-bit codes with one scale an output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) name: &'static str,
    pub(crate) bits: u64,
    pub(crate) n: u64,
    pub(crate) m: u64,
    pub(crate) group: u64,
    pub(crate) two_level: bool,
    /// Each block has an N of its own, `n` in the mean.
    pub(crate) of_blocks: bool,
}

const fn stored(name: &'static str, bits: u64, n: u64, m: u64, group: u64) -> Stored {
    Stored { name, bits, n, m, group, two_level: false, of_blocks: false }
}

pub(crate) const FORMATS: [Stored; 12] = [
    stored("w8a8", 8, 1, 1, 0),
    stored("w5a8", 5, 1, 1, 32),
    stored("w4a8", 4, 1, 1, 32),
    stored("w3a8", 3, 1, 1, 32),
    stored("w2a8", 2, 1, 1, 32),
    stored("w8a8-2of4", 8, 2, 4, 0),
    stored("w8a8-4of16", 8, 4, 16, 0),
    stored("w8a8-1of4", 8, 1, 4, 0),
    Stored { of_blocks: true, ..stored("w8a8-blocks-4of16", 8, 4, 16, 0) },
    stored("w4a8-2of4", 4, 2, 4, 32),
    stored("w8a8-8of16", 8, 8, 16, 0),
    Stored { two_level: true, ..stored("w4a8-two-level", 4, 1, 1, 32) },
];

/// A pair of machine and model with all that a run needs.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) drawn: DrawnMachine,
    pub(crate) config: ModelConfig,
    pub(crate) format: Stored,
    pub(crate) options: Options,
    pub(crate) formats: FormatTable,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, drawn, config, format, options, formats: _ } = self;
        let set: Vec<String> = drawn.overrides.iter().map(|(key, value)| format!("--set '{key}={value}'")).collect();
        write!(f, "case {seed}: tiny {}, {}, {options:?}, {:?}", set.join(" "), format.name, **config)
    }
}

impl Case {
    /// The case of a seed; nothing where the compiler says that it does not fit.
    pub(crate) fn draw(seed: u64) -> Option<Self> {
        let mut rng = Rng::new(seed);
        let drawn = draw::machine(&mut rng);
        let style = rng.choose(&Style::ALL);
        let config = draw::config(draw::architecture(&mut rng, style));
        let format = rng.choose(&FORMATS);
        let options = Options { batch: rng.choose(&[1, 1, 2, 3]), context: rng.choose(&[64, 100, 192]) };
        let formats = FormatTable::of_shapes(&config, &profile(format.name));
        let case = Self { seed, drawn, config, format, options, formats };
        case.host_on(&case.drawn.machine).is_some().then_some(case)
    }

    /// The model on a machine; nothing where it does not fit.
    pub(crate) fn host_on<'a>(&'a self, machine: &'a Machine) -> Option<Host<'a>> {
        let host = Host::new(machine, &self.config, &self.formats, self.options).ok()?;
        // The longest bucket must fit too: decode has rows of its own.
        let bucket = host.compiler().bucket(compiler::StepKind::Decode, self.options.context);
        host.compiler().compile(compiler::StepKind::Decode, bucket).ok()?;
        Some(host)
    }

    pub(crate) fn host(&self) -> Host<'_> {
        self.host_on(&self.drawn.machine).expect("a drawn case fits")
    }
}

/// `count` cases from a seed on, and how many draws did not fit.
pub(crate) fn cases(first_seed: u64, count: usize) -> Vec<Case> {
    let mut tried = 0;
    let cases: Vec<Case> = (first_seed..).inspect(|_| tried += 1).filter_map(Case::draw).take(count).collect();
    let refused: u32 = cases.iter().map(|case| case.drawn.refused).sum();
    println!("{count} pairs from seed {first_seed}; {} did not fit, {refused} machines were illegal", tried - count);
    cases
}
