//! Joules: what was counted, times the prices of `hw_config::energy` and of the memory standards, plus the power that
//! flows whatever happens. `docs/src/energy.md` has the table of what is counted where; this module follows it row by
//! row. It never holds a price of its own and never counts an event.

use crate::memory::Statistics;
use crate::outcome::{Buffer, Events, StepOutcome, Traffic};
use hw_config::asic::AsicTable;
use hw_config::energy::{EnergyTable, Prices};
use hw_config::engine::Engine;
use hw_config::fault::Faults;
use hw_config::machine::Machine;
use hw_config::memory::MemoryStandard;
use hw_config::resources::{PhysicalMemory, Resources};

/// Joules of a pJ.
const J_PER_PJ: f64 = 1e-12;
/// Watts of a mW.
const W_PER_MW: f64 = 1e-3;
/// Bytes of an f32 accumulator, read and written once a scaled sum.
const ACCUMULATOR_BYTES: u64 = 4;

/// Joules by component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Energy {
    /// Products of the matrix engine.
    pub matrix_products_j: f64,
    /// Logic of the matrix engine while it works.
    pub matrix_logic_j: f64,
    /// The link between cores.
    pub link_j: f64,
    /// f32 operations of the scale lanes and the vector unit.
    pub float_ops_j: f64,
    /// Buffers and accumulators.
    pub buffers_j: f64,
    /// Logic of the load and store ports while they work.
    pub ports_j: f64,
    /// Dispatching.
    pub dispatch_j: f64,
    /// Clock trees.
    pub clock_j: f64,
    /// Commands and interface of the data memory.
    pub data_memory_j: f64,
    /// Commands and interface of the instruction memory.
    pub instruction_memory_j: f64,
    /// Background of both memories.
    pub memory_background_j: f64,
    /// Static power of the board.
    pub static_j: f64,
}

impl Energy {
    /// The components by name, in a fixed order.
    pub fn components(&self) -> [(&'static str, f64); 12] {
        [
            ("matrix_products", self.matrix_products_j),
            ("matrix_logic", self.matrix_logic_j),
            ("float_ops", self.float_ops_j),
            ("link", self.link_j),
            ("buffers", self.buffers_j),
            ("ports", self.ports_j),
            ("dispatch", self.dispatch_j),
            ("clock", self.clock_j),
            ("data_memory", self.data_memory_j),
            ("instruction_memory", self.instruction_memory_j),
            ("memory_background", self.memory_background_j),
            ("static", self.static_j),
        ]
    }

    /// All joules.
    pub fn total_j(&self) -> f64 {
        self.components().iter().map(|(_, joules)| joules).sum()
    }

    /// Mean power over `seconds`, in W.
    pub fn average_power_w(&self, seconds: f64) -> f64 {
        self.total_j() / seconds
    }

    /// The sum of two, component by component.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            matrix_products_j: self.matrix_products_j + other.matrix_products_j,
            matrix_logic_j: self.matrix_logic_j + other.matrix_logic_j,
            float_ops_j: self.float_ops_j + other.float_ops_j,
            link_j: self.link_j + other.link_j,
            buffers_j: self.buffers_j + other.buffers_j,
            ports_j: self.ports_j + other.ports_j,
            dispatch_j: self.dispatch_j + other.dispatch_j,
            clock_j: self.clock_j + other.clock_j,
            data_memory_j: self.data_memory_j + other.data_memory_j,
            instruction_memory_j: self.instruction_memory_j + other.instruction_memory_j,
            memory_background_j: self.memory_background_j + other.memory_background_j,
            static_j: self.static_j + other.static_j,
        }
    }
}

/// What some instructions of a core's step counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Events.
    pub events: Events,
    /// Bytes on the memory ports.
    pub traffic: Traffic,
    /// Cycles that they kept the matrix unit.
    pub matrix_busy_cycles: u64,
    /// Cycles by which they lengthen the step.
    pub cycles: u64,
}

/// What prices of a core multiply, of a step or of a part of it.
struct Charged<'e> {
    events: &'e Events,
    load_cycles: f64,
    store_cycles: f64,
    matrix_cycles: u64,
    cycles: u64,
}

/// The prices of a machine.
#[derive(Clone, Debug)]
pub struct EnergyModel<'a> {
    machine: &'a Machine,
    prices: Prices,
    /// By core.
    resources: Vec<Resources>,
}

impl<'a> EnergyModel<'a> {
    /// The prices of the machine's board and of its memories.
    ///
    /// # Errors
    /// The board names prices that do not exist, or that are not of such a machine.
    pub fn new(machine: &'a Machine) -> Result<Self, Faults> {
        let resources = (0..machine.core.count).map(|core| machine.resources_of(core)).collect();
        Ok(Self { machine, prices: machine.prices()?, resources })
    }

    /// The joules of a step on a machine of one core.
    pub fn step(&self, outcome: &StepOutcome) -> Energy {
        self.step_of_cores(std::slice::from_ref(outcome))
    }

    /// The joules of a step, of which each core has an outcome.
    pub fn step_of_cores(&self, outcomes: &[StepOutcome]) -> Energy {
        assert_eq!(outcomes.len(), self.resources.len(), "an outcome a core");
        let seconds = self.machine.seconds(outcomes.iter().map(|outcome| outcome.cycles).max().unwrap_or(0));
        let board = Energy {
            memory_background_j: seconds * self.background_w(),
            static_j: seconds * self.prices.static_w(),
            ..Energy::default()
        };
        let cores = outcomes.iter().zip(&self.resources);
        cores.fold(board, |sum, (outcome, resources)| sum.plus(&self.core(outcome, resources)))
    }

    /// The part of a step's joules that falls to some instructions of a core. What they counted is theirs, and beside it their
    /// share of what is not counted by instruction: of the load port and the data memory by bytes (of the store port by bytes
    /// written), of the instruction memory by instructions, of what flows whatever happens by the cycles by which they
    /// lengthen the step. The parts of all operators and the wait for the ends of the cores are the step's joules.
    pub fn part_of_step(&self, outcomes: &[StepOutcome], core: usize, counted: &Counted) -> Energy {
        let (outcome, resources) = (&outcomes[core], &self.resources[core]);
        let mut all = outcome.unnamed_traffic;
        outcome.traffic.iter().for_each(|traffic| all.add(*traffic));
        let [load, store, ..] = &outcome.units;
        let bytes = |traffic: Traffic| traffic.read_bytes + traffic.written_bytes;
        let charged = Charged {
            events: &counted.events,
            load_cycles: load.busy_cycles as f64 * share(counted.traffic.read_bytes, all.read_bytes),
            store_cycles: store.busy_cycles as f64 * share(counted.traffic.written_bytes, all.written_bytes),
            matrix_cycles: counted.matrix_busy_cycles,
            cycles: counted.cycles,
        };
        let (data_memory_j, instruction_memory_j) = self.memories_j(outcome);
        let longest = outcomes.iter().map(|outcome| outcome.cycles).max().unwrap_or(0);
        let cores = outcomes.len() as f64;
        let seconds = self.machine.seconds(longest) / cores * share(counted.cycles, longest);
        Energy {
            data_memory_j: data_memory_j * share(bytes(counted.traffic), bytes(all)),
            instruction_memory_j: instruction_memory_j
                * share(counted.events.instructions, outcome.events.instructions),
            memory_background_j: seconds * self.background_w(),
            static_j: seconds * self.prices.static_w(),
            ..self.on_chip(&charged, resources)
        }
    }

    /// What a core takes beside what the board takes whatever happens.
    fn core(&self, outcome: &StepOutcome, resources: &Resources) -> Energy {
        let [load, store, matrix, _] = &outcome.units;
        let charged = Charged {
            events: &outcome.events,
            load_cycles: load.busy_cycles as f64,
            store_cycles: store.busy_cycles as f64,
            matrix_cycles: matrix.busy_cycles,
            cycles: outcome.cycles,
        };
        let (data_memory_j, instruction_memory_j) = self.memories_j(outcome);
        Energy { data_memory_j, instruction_memory_j, ..self.on_chip(&charged, resources) }
    }

    /// Commands of a core's data channels, and of its instruction channel.
    fn memories_j(&self, outcome: &StepOutcome) -> (f64, f64) {
        let (data, instructions) = (&self.machine.memory.standard, &self.machine.instructions.standard);
        (commands_j(&outcome.data_memory, data), commands_j(&[outcome.instruction_memory], instructions))
    }

    fn on_chip(&self, charged: &Charged<'_>, resources: &Resources) -> Energy {
        match &self.prices {
            Prices::Fabric(table) => self.fabric(table, charged, resources),
            Prices::Asic(table) => self.asic(table, charged, resources),
        }
    }

    /// A core in an FPGA's fabric.
    fn fabric(&self, table: &EnergyTable, charged: &Charged<'_>, resources: &Resources) -> Energy {
        let events = charged.events;
        let logic = |unit, cycles: f64| J_PER_PJ * cycles * table.logic_pj_per_cycle(resources, unit);
        let link_pj = table.link_pj_per_byte(self.machine.link_boundaries());
        let engine = &self.machine.core.engine;
        let products_pj = match engine {
            Engine::SparseDspChain(_) => events.macs as f64 * table.mac_i8_pj(),
            // Processing elements are logic and nothing else.
            Engine::BitSerial(_) => 0.0,
        };
        let buffer_j = |memory: &PhysicalMemory, read: f64, written: f64| {
            J_PER_PJ * (read + written) * table.memory_pj_per_byte(memory.primitive)
        };
        Energy {
            matrix_products_j: J_PER_PJ * products_pj,
            matrix_logic_j: logic(engine.array_unit(), charged.matrix_cycles as f64),
            float_ops_j: floats_j(events, table.f32_add_pj, table.f32_mul_pj, table.f32_function_pj),
            link_j: J_PER_PJ * events.link_bytes as f64 * link_pj,
            buffers_j: buffers_j(events, resources, buffer_j),
            ports_j: logic("ld ports", charged.load_cycles) + logic("st port", charged.store_cycles),
            dispatch_j: J_PER_PJ * events.instructions as f64 * table.instruction_pj,
            clock_j: J_PER_PJ * charged.cycles as f64 * table.clock_pj_per_cycle(resources),
            ..Energy::default()
        }
    }

    /// A core on a die: elements, buffers, f32 operations and instructions. Ports and clock trees outside the elements have
    /// no published price and are left out (`docs/src/energy.md`).
    fn asic(&self, table: &AsicTable, charged: &Charged<'_>, resources: &Resources) -> Energy {
        let events = charged.events;
        let array_cycle_pj = match &self.machine.core.engine {
            Engine::BitSerial(engine) => table.array_cycle_pj(engine),
            Engine::SparseDspChain(_) => None,
        };
        let array_cycle_pj = array_cycle_pj.expect("`Machine::prices` refuses an engine without a price on a die");
        let buffer_j = |memory: &PhysicalMemory, read: f64, written: f64| {
            let bits = memory.width_bits;
            J_PER_PJ * (read * table.read_pj_per_byte(bits) + written * table.write_pj_per_byte(bits))
        };
        Energy {
            matrix_logic_j: J_PER_PJ * charged.matrix_cycles as f64 * array_cycle_pj,
            float_ops_j: floats_j(events, table.f32_add.value, table.f32_mul.value, table.f32_function.value),
            buffers_j: buffers_j(events, resources, buffer_j),
            dispatch_j: J_PER_PJ * events.instructions as f64 * table.instruction.value,
            ..Energy::default()
        }
    }

    fn background_w(&self) -> f64 {
        let (data, instructions) = (&self.machine.memory, &self.machine.instructions);
        W_PER_MW
            * (f64::from(self.machine.all_channels()) * data.standard.energy.background_mw
                + f64::from(self.machine.core.count) * instructions.standard.energy.background_mw)
    }
}

/// `part / whole`; nothing of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Joules of f32 operations. A scaled sum is a multiplication and an addition; a result one more multiplication.
fn floats_j(events: &Events, add_pj: f64, mul_pj: f64, function_pj: f64) -> f64 {
    let adds = events.float_ops.adds + events.scaled_sums;
    let muls = events.float_ops.muls + events.scaled_sums + events.results;
    J_PER_PJ * (adds as f64 * add_pj + muls as f64 * mul_pj + events.float_ops.functions as f64 * function_pj)
}

/// Joules of the buffers and the accumulators. `price` is the joules of bytes read from one copy of a memory and of bytes
/// written, which go to all.
fn buffers_j(events: &Events, resources: &Resources, price: impl Fn(&PhysicalMemory, f64, f64) -> f64) -> f64 {
    let memory_j = |name: &str, read_bytes: u64, written_bytes: u64| {
        let Some(memory) = resources.memories.iter().find(|memory| memory.name == name) else {
            // Only a buffer of no bytes is not built, and nothing can have touched it.
            assert!(read_bytes + written_bytes == 0, "`{name}` moved bytes and is not in the machine's resources");
            return 0.0;
        };
        price(memory, read_bytes as f64, written_bytes as f64 * memory.copies as f64)
    };
    let buffers = Buffer::ALL.into_iter().map(|buffer| {
        let traffic = events.buffers[buffer as usize];
        memory_j(memory_name(buffer), traffic.read_bytes, traffic.written_bytes)
    });
    let accumulated = events.scaled_sums * ACCUMULATOR_BYTES;
    buffers.fold(0.0, |sum, joules| sum + joules) + memory_j("mx accumulators", accumulated, accumulated)
}

fn commands_j(channels: &[Statistics], standard: &MemoryStandard) -> f64 {
    J_PER_PJ * channels.iter().map(|channel| channel.dynamic_energy_pj(standard)).sum::<f64>()
}

/// The row of `Machine::resources` that holds a buffer.
fn memory_name(buffer: Buffer) -> &'static str {
    match buffer {
        Buffer::Weight => "weight buffer",
        Buffer::Index => "index buffer",
        Buffer::Density => "density buffer",
        Buffer::Scale => "scale buffer",
        Buffer::Parameter => "parameter buffer",
        Buffer::Activation => "activation buffer",
        Buffer::Result => "result buffer",
        Buffer::Vector => "vector buffer",
    }
}
