//! A run of a validation file, measured: each quantity from the setup and from what was counted.

use compiler::{Loads, Optimisation, Optimisations, Options, Schedule, Switch};
use hw_config::engine::MatrixMode;
use hw_config::fault::suggest;
use hw_config::machine::Machine;
use hw_config::program::TrafficClass;
use hw_config::resources::{Amounts, Excess};
use hw_config::validation::{Quantity, Run};

use crate::programs::{self, ProgramSizes};
use crate::report::board_bytes_per_s;
use crate::resolve::{self, ResolveError};
use crate::{Mode, Phase, Runner, SessionError, Setup, Totals};

/// A run and what is known of it.
pub(super) struct Measured {
    /// Machine, model and format.
    pub(super) setup: Setup,
    /// What the machine takes that its board does not have, a line each.
    pub(super) beyond_board: Vec<String>,
    /// What its linears take in memory, padding included.
    placed_bytes: u64,
    /// Its steps, where somebody asks for them.
    pub(super) steps: Option<Steps>,
    /// The programs of all lengths, likewise.
    pub(super) programs: Option<Programs>,
}

/// The programs of all lengths, in both ways of writing transfers.
pub(super) struct Programs {
    /// Loads and stores apart for each channel.
    apart: ProgramSizes,
    /// One for what all channels hold.
    merged: ProgramSizes,
}

impl Programs {
    /// Compiles all of them. The setup is the same afterwards.
    pub(super) fn compile(setup: &mut Setup) -> Result<Self, SessionError> {
        let optimisations = setup.optimisations;
        setup.optimisations = optimisations.with(Optimisation::MergedTransfers, Switch::Off);
        let apart = programs::sizes(setup, programs::LENGTHS);
        setup.optimisations = optimisations;
        Ok(Self { apart: apart?, merged: programs::sizes(setup, programs::LENGTHS)? })
    }
}

/// The steps of a run, prompt and answer apart.
pub(super) struct Steps {
    /// Of all steps.
    pub(super) cycles: u64,
    /// Of all steps.
    pub(super) energy_j: f64,
    prefill_s: f64,
    decode_s: f64,
    decode_cycles: u64,
    decode_tokens: u32,
    /// Bytes on the ports of the data memory in decode.
    decode_bytes: u64,
    decode_macs: u64,
    decode_energy_j: f64,
}

impl Measured {
    /// Machine, model and format found and laid out; nothing simulated yet.
    pub(super) fn new(run: &Run) -> Result<Self, ResolveError> {
        let machine = resolve::machine(&run.machine, &run.overrides)?;
        let profile = match resolve::format(&run.format)? {
            models::compress::Format::Compressed(profile) => profile,
            models::compress::Format::Float => {
                let line = format!("run `{}`: format `float` has no machine, expected a compressed one", run.id);
                return Err(ResolveError::Input(format!("{line}; use w8a8 or another")));
            }
        };
        let options = Options { batch: 1, context: run.kv + run.prefill + run.decode };
        let setup = resolve::timing_setup(machine, &run.model, profile, options)?;
        let chosen = without(run)?;
        let schedule = schedule(run)?.unwrap_or(chosen.schedule);
        if chosen.switch(Optimisation::Prefetch) == Switch::Off && schedule != chosen.schedule {
            let line = format!("run `{}`: schedule `{}` beside `without` prefetch", run.id, schedule.name());
            return Err(ResolveError::Input(format!(
                "{line}, expected {}; leave one of the two out",
                chosen.schedule.name()
            )));
        }
        let optimisations = Optimisations { schedule, loads: loads(run), ..chosen };
        let setup = Setup { optimisations, ..setup };
        let setup = match &run.attention {
            Some(name) => {
                let mask = resolve::attention(name)?.mask(&setup.model, run.prefill as usize)?;
                setup.with_attention(mask)?
            }
            None => setup,
        };
        let compiler = setup.compiler(&run.id).map_err(SessionError::Compile)?;
        let regions = compiler.maps().iter().flat_map(|map| &map.regions);
        let placed_bytes = regions.filter(|region| is_weight(region.class)).map(|region| region.bytes).sum();
        let beyond_board = beyond_board(&setup.machine);
        Ok(Self { setup, beyond_board, placed_bytes, steps: None, programs: None })
    }

    /// A quantity, in its unit.
    ///
    /// # Panics
    /// When the run was not measured for what the quantity is taken from.
    pub(super) fn value(&self, quantity: Quantity) -> f64 {
        match quantity {
            Quantity::DecodeMsPerToken => self.steps().decode_step_s() * 1e3,
            Quantity::DecodeCyclesPerToken => self.steps().decode_cycles as f64 / f64::from(self.steps().decode_tokens),
            Quantity::DecodeSpeedUp => unreachable!("it is of two runs"),
            Quantity::TokensPerS => 1.0 / self.steps().decode_step_s(),
            Quantity::PrefillMs => self.steps().prefill_s * 1e3,
            Quantity::TotalMs => (self.steps().prefill_s + self.steps().decode_s) * 1e3,
            Quantity::MemoryShare => {
                let steps = self.steps();
                100.0 * steps.decode_bytes as f64 / steps.decode_s / board_bytes_per_s(&self.setup.machine)
            }
            Quantity::StoredShare => {
                100.0 * self.stored_bytes() as f64
                    / self.steps().decode_step_s()
                    / board_bytes_per_s(&self.setup.machine)
            }
            Quantity::MultiplierShare => {
                let core = &self.setup.machine.core;
                let a_cycle = u64::from(core.count) * core.engine.peak_macs_per_cycle(MatrixMode::Matrix);
                let steps = self.steps();
                100.0 * steps.decode_macs as f64 / (a_cycle as f64 * steps.decode_cycles as f64)
            }
            Quantity::AveragePowerW => self.steps().decode_energy_j / self.steps().decode_s,
            Quantity::TokensPerJ => f64::from(self.steps().decode_tokens) / self.steps().decode_energy_j,
            Quantity::StoredWeightBytes => self.stored_bytes() as f64,
            Quantity::PlacedWeightBytes => self.placed_bytes as f64,
            Quantity::InstructionBytesDecode => self.programs().apart.decode.mean_bytes(),
            Quantity::InstructionBytesPrefill => self.programs().apart.prefill.mean_bytes(),
            Quantity::InstructionBytesEveryLength => self.programs().apart.every_length().bytes() as f64,
            Quantity::InstructionBytesBucketsCore => self.programs().apart.buckets.bytes_of_largest_core() as f64,
            Quantity::InstructionBytesMergedCore => self.programs().merged.buckets.bytes_of_largest_core() as f64,
            Quantity::InstructionBytesMerged => self.programs().merged.buckets.bytes() as f64,
            Quantity::InstructionBytesStoredCore => self.programs().merged.steps.bytes_of_largest_core() as f64,
            Quantity::InstructionBytesStored => self.programs().merged.steps.bytes() as f64,
            Quantity::Dsp => self.amounts().dsp as f64,
            Quantity::MatrixDsp => self.matrix_dsp() as f64,
            Quantity::Bram36 => self.amounts().bram36 as f64,
            Quantity::Uram => self.amounts().uram as f64,
            Quantity::Lut => self.amounts().lut as f64,
            Quantity::Ff => self.amounts().ff as f64,
            Quantity::LayerCycles
            | Quantity::LayerOnChipUj
            | Quantity::LayerTotalUj
            | Quantity::LayerSpeedUp
            | Quantity::LayerEnergyRatio => unreachable!("the reader lets no run have a figure of the layer model"),
        }
    }

    fn steps(&self) -> &Steps {
        self.steps.as_ref().expect("a run is simulated when anybody asks for its steps")
    }

    fn programs(&self) -> &Programs {
        self.programs.as_ref().expect("programs are compiled when a row asks for their sizes")
    }

    /// Whole bytes of each linear.
    fn stored_bytes(&self) -> u64 {
        self.setup.formats.iter().map(|(_, layout)| layout.stored_bits().div_ceil(8)).sum()
    }

    /// Bits that a weight of a linear takes on average, scales included.
    pub(super) fn bits_per_weight(&self) -> f64 {
        let layouts = || self.setup.formats.iter().map(|(_, layout)| layout);
        let bits: u64 = layouts().map(|layout| layout.stored_bits()).sum();
        let weights: u64 = layouts().map(|layout| layout.outputs as u64 * layout.inputs as u64).sum();
        bits as f64 / weights as f64
    }

    /// What all cores take.
    fn amounts(&self) -> Amounts {
        let regions = self.setup.machine.resources_by_region();
        regions.iter().fold(Amounts::default(), |sum, (_, resources)| sum.plus(resources.total))
    }

    fn matrix_dsp(&self) -> u64 {
        let one = self.setup.machine.resources();
        let rows = one.units.iter().filter(|row| row.unit == "mx chains");
        u64::from(self.setup.machine.core.count) * rows.map(|row| row.amounts.dsp).sum::<u64>()
    }
}

impl Steps {
    /// Simulates prompt and answer, every step to the cycle.
    pub(super) fn simulate(setup: &Setup, run: &Run) -> Result<Self, SessionError> {
        let mut runner = Runner::new(setup, Mode::Cycles { seed: crate::timing::ROUTING_SEED })?;
        if run.prefill > 0 {
            runner.prefill(0, run.kv, &vec![0; run.prefill as usize])?;
        }
        let (bytes, prompt_j) = (bytes(&runner.totals), energy_j(&runner.totals));
        for token in 0..run.decode {
            runner.decode(run.kv + run.prefill + token, &[0])?;
        }
        let totals = &runner.totals;
        let prefill_cycles = totals.cycles_of(Phase::Prefill);
        let decode_cycles = totals.cycles_of(Phase::Decode);
        let decode_energy_j = self::energy_j(totals) - prompt_j;
        Ok(Self {
            cycles: prefill_cycles + decode_cycles,
            energy_j: prompt_j + decode_energy_j,
            prefill_s: setup.machine.seconds(prefill_cycles),
            decode_s: setup.machine.seconds(decode_cycles),
            decode_cycles,
            decode_tokens: run.decode,
            decode_bytes: self::bytes(totals) - bytes,
            decode_macs: totals.macs.get(&Phase::Decode).copied().unwrap_or(0),
            decode_energy_j,
        })
    }

    fn decode_step_s(&self) -> f64 {
        self.decode_s / f64::from(self.decode_tokens)
    }
}

/// What a machine takes that the regions of its board do not have, a line each.
fn beyond_board(machine: &Machine) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, resources) in machine.resources_by_region() {
        for excess in machine.excess(&resources) {
            let Excess { resource, needed, allowed } = excess;
            let (region, board) = (resources.slr, &machine.board.name);
            lines.push(format!("{needed} {} in SLR{region} of board {board}, which has {allowed}", resource.name()));
        }
    }
    lines
}

/// The schedule that a run asks for, if it does.
fn schedule(run: &Run) -> Result<Option<Schedule>, SessionError> {
    let Some(name) = &run.schedule else { return Ok(None) };
    Schedule::by_name(name).map(Some).ok_or_else(|| {
        let known = Schedule::ALL.map(Schedule::name);
        let advice = suggest(name, known, "leave the key out for the default");
        let expected = known.join(", ");
        SessionError::Input(format!(
            "run `{}`: schedule `{name}` is unknown, expected one of: {expected}; {advice}",
            run.id
        ))
    })
}

/// All optimisations but those that a run leaves out.
fn without(run: &Run) -> Result<Optimisations, SessionError> {
    run.without.iter().try_fold(Optimisations::ALL, |all, name| match Optimisation::by_name(name) {
        Some(optimisation) => Ok(all.with(optimisation, Switch::Off)),
        None => {
            let known = Optimisation::ALL.map(Optimisation::name);
            let advice = suggest(name, known, "leave it out of the list");
            let expected = known.join(", ");
            Err(SessionError::Input(format!(
                "run `{}`: optimisation `{name}` is unknown, expected one of: {expected}; {advice}",
                run.id
            )))
        }
    })
}

/// How much a run gives the load unit at a time.
fn loads(run: &Run) -> Loads {
    let in_flight = run.loads_in_flight.unwrap_or(Loads::ALL.in_flight);
    Loads { channel_bytes: run.load_bytes, in_flight }
}

fn bytes(totals: &Totals) -> u64 {
    totals.traffic.iter().map(|traffic| traffic.read_bytes + traffic.written_bytes).sum()
}

fn energy_j(totals: &Totals) -> f64 {
    totals.energy_j.values().sum()
}

fn is_weight(class: TrafficClass) -> bool {
    match class {
        TrafficClass::Weights | TrafficClass::Index | TrafficClass::Scales => true,
        TrafficClass::Kv | TrafficClass::Activations | TrafficClass::Parameters => false,
    }
}
