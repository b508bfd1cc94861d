//! What is said about a run: the totals as the documented report.

use crate::{Phase, SessionError, Setup, Totals};
use hw_config::board::DspKind;
use hw_config::engine::{ActivationType, Engine};
use hw_config::isa::Unit;
use hw_config::machine::Machine;
use hw_config::memory::Command;
use hw_config::program::TrafficClass;
use hw_config::resources;
use models::compress::{Grouping, LinearLayout, ScaleFormat};
use reports::roofline::{self, Bandwidth, Ceiling, CeilingKind};
use reports::run_report::{BytesByClass, MemoryReport, OperatorRow, PhaseRow, Resource, Roofs, RunReport};
use reports::table::plain;
use sim::outcome::StallCause;
use std::collections::BTreeMap;

/// Operations of a multiply-accumulate.
const OPS_PER_MAC: u64 = 2;
/// The state of a unit that works, beside the causes for which it does not.
pub const BUSY: &str = "busy";
/// Units in the order of the totals.
const UNITS: [Unit; 4] = [Unit::Load, Unit::Store, Unit::Matrix, Unit::Vector];

/// What only the caller knows of a run.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Prompt tokens of each sequence.
    pub prefill_tokens: u64,
    /// Generated tokens of each sequence.
    pub decode_tokens: u64,
    /// The text, where one was generated.
    pub text: Option<String>,
    /// Seconds that the host simulated for.
    pub host_seconds: f64,
    /// Bytes of the data memory in use: weights, caches, tables and logits.
    pub peak_memory_bytes: u64,
    /// Bytes of all programs.
    pub program_bytes: u64,
}

/// The report of a run.
///
/// # Errors
/// None today: the machine was checked; kept for tables that a board may name.
pub fn run_report(setup: &Setup, totals: &Totals, facts: Facts) -> Result<RunReport, SessionError> {
    let machine = &setup.machine;
    let total_cycles = totals.total_cycles();
    let total_s = machine.seconds(total_cycles);
    let decode_s = machine.seconds(totals.cycles_of(Phase::Decode));
    let batch = u64::from(setup.options.batch);
    let generated = facts.decode_tokens * batch;
    let energy_j: f64 = totals.energy_j.values().sum();
    let operators = operators(setup, totals);
    Ok(RunReport {
        machine: machine.name.clone(),
        model: setup.model.name.clone(),
        format: setup.profile.name().to_string(),
        attention: setup.attention_name().to_string(),
        attention_density: setup.attention_density(facts.prefill_tokens as usize),
        prefill_tokens: facts.prefill_tokens,
        decode_tokens: facts.decode_tokens,
        batch,
        cores: u64::from(machine.core.count),
        prefill_ms: machine.seconds(totals.cycles_of(Phase::Prefill)) * 1e3,
        decode_ms_per_token: ratio(decode_s * 1e3, facts.decode_tokens as f64),
        total_ms: total_s * 1e3,
        total_cycles,
        phases: phases(&setup.machine, totals, &operators),
        tokens_per_s: ratio(generated as f64, decode_s),
        energy_j,
        average_power_w: ratio(energy_j, total_s),
        tokens_per_j: ratio(generated as f64, energy_j),
        bytes: bytes(totals),
        link_bytes: totals.link_bytes,
        utilisation: utilisation(setup, totals),
        stalls: stalls(totals),
        unit_cycles: unit_cycles(totals),
        program_bytes: facts.program_bytes,
        text: facts.text,
        simulated_cycles_per_host_s: ratio(total_cycles as f64, facts.host_seconds),
        energy_by_component_j: totals.energy_j.clone(),
        resources: resources(machine),
        operators,
        roofs: roofs(setup, totals),
        memory: memory(setup, totals),
        peak_memory_bytes: facts.peak_memory_bytes,
        left_out: left_out(&setup.machine),
        assumptions: assumptions(setup),
    })
}

/// `a / b`, and 0 where there was nothing to divide by: a run without decode has no tokens a second.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

fn bytes(totals: &Totals) -> BytesByClass {
    let of = |class: TrafficClass| {
        let traffic = totals.traffic[class as usize];
        traffic.read_bytes + traffic.written_bytes
    };
    BytesByClass {
        // Norm weights, biases and embedding rows are weights that are not quantized.
        weights: of(TrafficClass::Weights) + of(TrafficClass::Parameters),
        index: of(TrafficClass::Index),
        scales: of(TrafficClass::Scales),
        kv: of(TrafficClass::Kv),
        activations: of(TrafficClass::Activations),
        instructions: totals.instruction_bytes,
    }
}

/// The published peak of the machine's data memory on its board, all channels, in bytes a second.
pub(crate) fn board_bytes_per_s(machine: &Machine) -> f64 {
    let memory =
        machine.board.memory(&machine.memory.standard.name).expect("a checked machine's memory is the board's");
    memory.peak_gb_per_s * 1e9
}

fn all_bytes(totals: &Totals) -> u64 {
    totals.traffic.iter().map(|t| t.read_bytes + t.written_bytes).sum()
}

fn utilisation(setup: &Setup, totals: &Totals) -> BTreeMap<String, f64> {
    let cycles = totals.total_cycles() as f64;
    let mut all: BTreeMap<String, f64> =
        units(totals).into_iter().map(|(name, (busy, _), cores)| (name, ratio(busy as f64, cores * cycles))).collect();
    let standard = &setup.machine.memory.standard;
    let per_kernel_cycle =
        f64::from(standard.clock.mhz) / f64::from(standard.clock.mhz_divisor * setup.machine.kernel_mhz);
    for (channel, busy) in totals.data_bus_busy_cycles.iter().enumerate() {
        all.insert(format!("channel_{channel:02}"), ratio(*busy as f64, cycles * per_kernel_cycle));
    }
    all
}

/// Busy cycles and stalls of a unit.
type Time = (u64, [u64; StallCause::ALL.len()]);

/// The units by name, with how many cores' time is added up: each unit over all cores, and where there are several,
/// of each core too.
fn units(totals: &Totals) -> Vec<(String, Time, f64)> {
    let mut all = Vec::new();
    for (number, unit) in UNITS.iter().enumerate() {
        let mut sum = Time::default();
        for (core, times) in totals.cores.iter().enumerate() {
            let (busy, stalls) = times[number];
            sum.0 += busy;
            sum.1.iter_mut().zip(stalls).for_each(|(sum, stall)| *sum += stall);
            if totals.cores.len() > 1 {
                all.push((format!("core_{core:02}_{}", unit.name()), (busy, stalls), 1.0));
            }
        }
        all.push((unit.name().to_string(), sum, totals.cores.len() as f64));
    }
    all
}

fn stalls(totals: &Totals) -> BTreeMap<String, BTreeMap<String, f64>> {
    let cycles = totals.total_cycles() as f64;
    units(totals)
        .into_iter()
        .map(|(name, (_, stalls), cores)| {
            let causes = StallCause::ALL.iter().zip(stalls);
            let share = |stall: u64| ratio(stall as f64, cores * cycles);
            (name, causes.map(|(cause, stall)| (cause.name().to_string(), share(stall))).collect())
        })
        .collect()
}

fn unit_cycles(totals: &Totals) -> BTreeMap<String, BTreeMap<String, u64>> {
    let states = |(busy, stalls): Time| {
        let causes = StallCause::ALL.iter().map(|cause| cause.name()).zip(stalls);
        [(BUSY, busy)].into_iter().chain(causes).map(|(state, cycles)| (state.to_owned(), cycles)).collect()
    };
    units(totals).into_iter().map(|(name, time, _)| (name, states(time))).collect()
}

/// What sums of joules in another order may differ by, in parts of the sum.
const ROUNDING: f64 = 1e-9;

/// The phases that had a step, and what is left of each beside its operators.
fn phases(machine: &Machine, totals: &Totals, operators: &[OperatorRow]) -> Vec<PhaseRow> {
    let row = |(phase, steps): (&Phase, &u64)| {
        let (cycles, energy_j) = (totals.cycles_of(*phase), totals.phase_energy_j[phase]);
        let end = totals.operators.get(&(*phase, compiler::END_MARK.to_owned()));
        let end_energy_j = totals.wait_energy_j[phase] + end.map_or(0.0, |end| end.energy_j);
        let phase = figure_phase(*phase);
        let of = || operators.iter().filter(|row| row.phase == phase);
        let own_cycles: u64 = of().map(|row| row.cycles).sum();
        assert!(own_cycles <= cycles, "operators of {phase:?} take {own_cycles} cycles of {cycles}");
        let own_j: f64 = of().map(|row| row.energy_j).sum();
        let sum = own_j + end_energy_j;
        assert!((sum - energy_j).abs() <= ROUNDING * energy_j, "parts of {phase:?} take {sum} J of {energy_j}");
        let end_cycles = cycles - own_cycles;
        let power_w = ratio(energy_j, machine.seconds(cycles));
        PhaseRow { phase, steps: *steps, cycles, end_cycles, energy_j, end_energy_j, power_w }
    };
    totals.steps.iter().map(row).collect()
}

/// What a machine takes of its board, by kind of resource in lower case, over the regions of its cores.
pub fn resources(machine: &Machine) -> BTreeMap<String, Resource> {
    let mut rows = BTreeMap::new();
    for (_, resources) in machine.resources_by_region() {
        let region = &machine.board.slrs[resources.slr];
        for kind in hw_config::resources::Resource::ALL {
            let row =
                rows.entry(kind.name().to_lowercase()).or_insert(Resource { used: 0, available: 0, percent: 0.0 });
            row.used += resources.total.of(kind);
            row.available += kind.of(region);
        }
    }
    for row in rows.values_mut() {
        row.percent = 100.0 * ratio(row.used as f64, row.available as f64);
    }
    rows
}

/// Operations a second that the machine can do at most on an operator of this many performed and dense MACs and
/// vector operations, and at this intensity.
pub(crate) fn attainable(setup: &Setup, phase: Phase, total: &crate::totals::OperatorTotal) -> (f64, &'static str) {
    let machine = &setup.machine;
    let hertz = f64::from(machine.kernel_mhz) * 1e6;
    let compute = if total.events.macs > 0 {
        // Skipped products count as done: a sparse operator's roof is that much higher.
        let sparse = total.events.dense_macs as f64 / total.events.macs as f64;
        peak_macs(setup, phase) * OPS_PER_MAC as f64 * hertz * sparse
    } else {
        f64::from(machine.core.count * machine.core.lanes) * hertz * VECTOR_OPS_PER_LANE
    };
    let memory = ops(total) as f64 / (total.bytes().max(1) as f64) * machine.peak_bytes_per_s();
    if memory < compute { (memory, "memory") } else { (compute, "compute") }
}

/// f32 operations of a lane a cycle at most: `gelu` has two additions, four multiplications and two functions in a row.
pub(crate) const VECTOR_OPS_PER_LANE: f64 = 8.0;

/// The most products a cycle of a phase on all cores: `mm` in prefill, the better of the two in decode.
pub(crate) fn peak_macs(setup: &Setup, phase: Phase) -> f64 {
    use hw_config::engine::MatrixMode;
    let engine = &setup.machine.core.engine;
    let matrix = engine.peak_macs_per_cycle(MatrixMode::Matrix);
    let vector = engine.peak_macs_per_cycle(MatrixMode::Vector);
    match phase {
        Phase::Prefill | Phase::Decode => f64::from(setup.machine.core.count) * matrix.max(vector) as f64,
    }
}

/// Operations of an operator: those of its matrices where it has any (what the vector unit does beside them works
/// under another roof), else those of the vector unit.
pub(crate) fn ops(total: &crate::totals::OperatorTotal) -> u64 {
    let events = &total.events;
    if events.dense_macs > 0 { OPS_PER_MAC * events.dense_macs } else { events.float_ops.total() }
}

fn operators(setup: &Setup, totals: &Totals) -> Vec<OperatorRow> {
    let mut rows = Vec::new();
    for ((phase, name), total) in &totals.operators {
        let ops = ops(total);
        if name == compiler::END_MARK {
            continue;
        }
        let (attainable, bound) = attainable(setup, *phase, total);
        rows.push(OperatorRow {
            name: name.clone(),
            phase: figure_phase(*phase),
            unit: if total.events.macs > 0 { Unit::Matrix } else { Unit::Vector }.name().to_owned(),
            ops,
            bytes: total.bytes(),
            cycles: total.cycles / u64::from(setup.machine.core.count),
            energy_j: total.energy_j,
            intensity_ops_per_byte: ratio(ops as f64, total.bytes() as f64),
            attained_ops_per_s: attained(setup, total),
            attainable_ops_per_s: attainable,
            bound: bound.to_string(),
        });
    }
    rows
}

/// The machine's roofs, named by what the engine multiplies weights with. The sparse ceiling is that of the run's sparsest operator: skipped products count as done.
fn roofs(setup: &Setup, totals: &Totals) -> Roofs {
    let machine = &setup.machine;
    let hertz = f64::from(machine.kernel_mhz) * 1e6;
    let dense = peak_macs(setup, Phase::Prefill) * OPS_PER_MAC as f64 * hertz;
    let multiplying = totals.operators.values().filter(|total| total.events.macs > 0 && total.bytes() > 0);
    let sparsest =
        multiplying.map(|total| total.events.dense_macs as f64 / total.events.macs as f64).fold(1.0, f64::max);
    let precision = match machine.core.engine.activation() {
        ActivationType::Int8 => "INT8",
        ActivationType::F16 => "FP16",
    };
    let label = format!("{precision} dense");
    let mut ceilings = vec![Ceiling { label, ops_per_s: dense, kind: CeilingKind::ComputeDense }];
    if sparsest > 1.0 {
        let label = format!("{precision} sparse, {sparsest:.1}x");
        ceilings.push(Ceiling { label, ops_per_s: dense * sparsest, kind: CeilingKind::ComputeSparse });
    }
    let vector = f64::from(machine.core.count * machine.core.lanes) * VECTOR_OPS_PER_LANE * hertz;
    ceilings.push(Ceiling { label: "FP32 vector".into(), ops_per_s: vector, kind: CeilingKind::Vector });
    // The weight buffer gives the engine one chunk a cycle.
    let on_chip = f64::from(machine.core.count) * machine.chunk_bytes() as f64 * hertz;
    let bandwidths = vec![
        Bandwidth { label: machine.memory.standard.name.clone(), bytes_per_s: machine.peak_bytes_per_s() },
        Bandwidth { label: "weight buffer".into(), bytes_per_s: on_chip },
    ];
    Roofs { ceilings, bandwidths }
}

/// Operations a second of an operator while it is under way: of all cores, in the mean of their times.
pub(crate) fn attained(setup: &Setup, total: &crate::totals::OperatorTotal) -> f64 {
    let cores = f64::from(setup.machine.core.count);
    ratio(cores * ops(total) as f64, setup.machine.seconds(total.span_cycles))
}

/// The phase as figures name it.
pub(crate) fn figure_phase(phase: Phase) -> roofline::Phase {
    match phase {
        Phase::Prefill => roofline::Phase::Prefill,
        Phase::Decode => roofline::Phase::Decode,
    }
}

fn memory(setup: &Setup, totals: &Totals) -> MemoryReport {
    let seconds = setup.machine.seconds(totals.total_cycles());
    MemoryReport {
        row_hits: totals.memory.row_hits,
        row_misses: totals.memory.row_misses,
        row_conflicts: totals.memory.row_conflicts,
        refreshes: totals.memory.refreshes,
        achieved_gb_per_s: ratio(all_bytes(totals) as f64 / 1e9, seconds),
        peak_gb_per_s: setup.machine.peak_bytes_per_s() / 1e9,
    }
}

/// What no figure of the report counts.
fn left_out(machine: &Machine) -> Vec<String> {
    let mut all = [
        "host: tokenizing, sampling and writing the registers between steps take no cycles",
        "PCIe: prompt and logits reach and leave the card's memory at no cost",
        "clock frequency is a target of the machine file, not a result of place and route",
        "LUT and flip-flop counts are estimates; DSP, BRAM and URAM follow from the geometry",
    ]
    .map(String::from)
    .to_vec();
    if !machine.verilog {
        let regions = machine.resources_by_region();
        let over = |kind: &resources::Resource| {
            let excess = regions.iter().flat_map(|(_, resources)| machine.excess(resources));
            excess.into_iter().any(|excess| excess.resource == *kind)
        };
        let names: Vec<&str> =
            resources::Resource::ALL.iter().filter(|kind| over(kind)).map(|kind| kind.name()).collect();
        let why = match (&names[..], machine.board.is_die()) {
            _ if machine.core.engine.no_power_of_two().is_some() => {
                "our Verilog has powers of two of columns and lanes alone".to_owned()
            }
            ([], true) => "a die has no Verilog of ours".to_owned(),
            ([], false) => "in our Verilog it would fit its board".to_owned(),
            (names, _) => format!("in our Verilog it would not fit its board for {}", names.join(", ")),
        };
        all.push(format!("the machine is described for simulation alone: {why}"));
    }
    all
}

fn assumptions(setup: &Setup) -> Vec<String> {
    let memory = &setup.machine.memory;
    let mut all = vec![
        format!(
            "memory ports: {} kernel cycles to the controller, {} back",
            memory.request_cycles, memory.response_cycles
        ),
        "energy per event: the table named by the board, each figure with its source in hw-configs/energy".to_string(),
    ];
    match setup.machine.board.dsp_kind {
        DspKind::Dsp48e2 => {}
        DspKind::Dsp58 => all.push(
            "a DSP58 is used as the DSP48E2 that it can stand for; LUTs and flip-flops are estimated as on UltraScale+"
                .to_string(),
        ),
    }
    let core = &setup.machine.core;
    for number in 0..core.count {
        let (data, fetch) = (setup.machine.memory_distance(number), setup.machine.instruction_distance(number));
        if data + fetch > 0 {
            all.push(format!(
                "core {number} in SLR{}: {data} boundaries to its data and {fetch} to its instructions, {} kernel cycles each",
                setup.machine.slr_of(number),
                core.crossing_cycles
            ));
        }
    }
    if core.count > 1 {
        all.push(format!("link: {} kernel cycles from core to core", setup.machine.link_cycles()));
    }
    all.extend(short_groups(setup));
    if setup.attention.is_some() {
        all.push("attention mask: on the prompt alone; tokens of the answer see everything".to_owned());
    }
    if setup.compressed.is_none() && setup.model.config.feed_forward.experts.is_some() {
        let seed = crate::timing::ROUTING_SEED;
        all.push(format!("experts are drawn uniformly with seed {seed}: shapes alone do not say which are chosen"));
    }
    all
}

/// What groups cost that are shorter than it takes the chains to drain: the matrix unit then waits for that and for nothing else.
fn short_groups(setup: &Setup) -> Option<String> {
    let Engine::SparseDspChain(chain) = &setup.machine.core.engine else { return None };
    let steps = |layout: LinearLayout| match (layout.group, layout.scales) {
        (Grouping::Stored(length), ScaleFormat::F16) => Some((length, u64::from(length / setup.machine.chain()))),
        (Grouping::Stored(_), ScaleFormat::TwoLevel) | (Grouping::Channel, _) => None,
    };
    let (length, steps) = setup.formats.iter().filter_map(|(_, layout)| steps(layout)).min()?;
    let drain = chain.drain_cycles();
    (steps < drain).then(|| {
        format!(
            "groups of {length} weights are {steps} steps of the matrix unit, and their sums take {drain} cycles to drain: products of \
             such linears take {} times as long as in groups of {} or more, whatever their width",
            plain(drain as f64 / steps as f64),
            drain * u64::from(setup.machine.chain())
        )
    })
}

/// The command whose count is a refresh.
pub(crate) const REFRESH: Command = Command::Ref;
