//! What a step took: cycles, why units waited, what was counted, and which operator it belongs to.
//! Plain data, in whole numbers; joules are made of it in `energy`. Nothing here decides anything.

use crate::memory::Statistics;
use hw_config::isa::VectorOp;
use hw_config::program::TrafficClass;

/// Why a unit did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StallCause {
    /// Its next instruction had not been fetched, or was still behind others in the dispatcher.
    Fetch,
    /// The dispatcher waited at another unit's full queue.
    QueueFull,
    /// Its next instruction waited for a load to retire.
    AfterLoad,
    /// Its next instruction waited for a store to retire.
    AfterStore,
    /// Its next instruction waited for a matrix instruction to retire.
    AfterMatrix,
    /// Its next instruction waited for a vector operation to retire.
    AfterVector,
    /// It had as many unretired instructions as it may have.
    InFlightLimit,
    /// Its `share` waited for that of another core.
    Core,
    /// It had no instruction left in the step.
    Drained,
}

impl StallCause {
    /// All causes, in order.
    pub const ALL: [Self; 9] = [
        Self::Fetch,
        Self::QueueFull,
        Self::AfterLoad,
        Self::AfterStore,
        Self::AfterMatrix,
        Self::AfterVector,
        Self::InFlightLimit,
        Self::Core,
        Self::Drained,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::QueueFull => "queue_full",
            Self::AfterLoad => "after_load",
            Self::AfterStore => "after_store",
            Self::AfterMatrix => "after_matrix",
            Self::AfterVector => "after_vector",
            Self::InFlightLimit => "in_flight_limit",
            Self::Core => "core",
            Self::Drained => "drained",
        }
    }
}

/// The time of one unit: busy and stalls add up to the cycles of the step.
///
/// The matrix and vector units are busy while they are occupied, the load and store units while an instruction of
/// theirs is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitTime {
    /// Cycles at work.
    pub busy_cycles: u64,
    /// Cycles not at work, by cause, in the order of [`StallCause::ALL`].
    pub stalls: [u64; StallCause::ALL.len()],
}

/// Bytes moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
}

impl Traffic {
    /// Adds other bytes.
    pub fn add(&mut self, other: Self) {
        self.read_bytes += other.read_bytes;
        self.written_bytes += other.written_bytes;
    }
}

/// The buffers of a core, as energy and reports count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Buffer {
    /// Weight codes.
    Weight,
    /// N:M indices.
    Index,
    /// Density bytes.
    Density,
    /// Group scales.
    Scale,
    /// f32 constants.
    Parameter,
    /// INT8 activations.
    Activation,
    /// f32 outputs of the matrix engine.
    Result,
    /// f32 vectors.
    Vector,
}

impl Buffer {
    /// All buffers, in order.
    pub const ALL: [Self; 8] = [
        Self::Weight,
        Self::Index,
        Self::Density,
        Self::Scale,
        Self::Parameter,
        Self::Activation,
        Self::Result,
        Self::Vector,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Index => "index",
            Self::Density => "density",
            Self::Scale => "scale",
            Self::Parameter => "parameter",
            Self::Activation => "activation",
            Self::Result => "result",
            Self::Vector => "vector",
        }
    }
}

/// Operations of the vector unit's hardware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FloatOps {
    /// f32 additions and subtractions.
    pub adds: u64,
    /// f32 multiplications, quantisation's included.
    pub muls: u64,
    /// Comparisons of a maximum.
    pub compares: u64,
    /// Table functions: reciprocal, rsqrt, exp.
    pub functions: u64,
}

impl FloatOps {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.adds += other.adds;
        self.muls += other.muls;
        self.compares += other.compares;
        self.functions += other.functions;
    }

    /// Operations of all kinds, as rooflines count them.
    pub fn total(&self) -> u64 {
        self.adds + self.muls + self.compares + self.functions
    }
}

/// What happened in a step, as energy counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Multiply-accumulates on stored weights.
    pub macs: u64,
    /// Multiply-accumulates that a dense matrix of the same shape would take.
    pub dense_macs: u64,
    /// Scaled sums: INT32 -> f32, a multiplication and an addition each.
    pub scaled_sums: u64,
    /// Results written: a multiplication by the activation scale each.
    pub results: u64,
    /// Elements of vector operations, by the code of [`VectorOp`].
    pub vector_elements: [u64; VectorOp::ALL.len()],
    /// What these elements took.
    pub float_ops: FloatOps,
    /// Bytes read from and written to each buffer, in the order of [`Buffer::ALL`].
    pub buffers: [Traffic; Buffer::ALL.len()],
    /// Instructions dispatched.
    pub instructions: u64,
    /// Bytes that the core put on the link.
    pub link_bytes: u64,
}

impl Events {
    /// Adds what others have counted.
    pub fn add(&mut self, other: &Self) {
        let Self {
            macs,
            dense_macs,
            scaled_sums,
            results,
            vector_elements,
            float_ops,
            buffers,
            instructions,
            link_bytes,
        } = *other;
        self.macs += macs;
        self.dense_macs += dense_macs;
        self.scaled_sums += scaled_sums;
        self.results += results;
        for (sum, elements) in self.vector_elements.iter_mut().zip(vector_elements) {
            *sum += elements;
        }
        self.float_ops.add(float_ops);
        for (sum, traffic) in self.buffers.iter_mut().zip(buffers) {
            sum.add(traffic);
        }
        self.instructions += instructions;
        self.link_bytes += link_bytes;
    }
}

/// The part of a step that belongs to one operator of the program (one mark).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperatorOutcome {
    /// Cycles by which the operator's last retirement lies behind all retirements of earlier operators: these add up
    /// to the last retirement before `end`.
    pub cycles: u64,
    /// Cycle of the operator's first issue.
    pub first_issue: u64,
    /// Cycle of its last retirement.
    pub last_retirement: u64,
    /// Cycles that it kept the matrix unit.
    pub matrix_busy_cycles: u64,
    /// Cycles that it kept the vector unit.
    pub vector_busy_cycles: u64,
    /// Multiply-accumulates on stored weights.
    pub macs: u64,
    /// Multiply-accumulates of the dense matrix.
    pub dense_macs: u64,
    /// Operations of the vector unit.
    pub vector_ops: u64,
    /// Bytes on the memory ports.
    pub traffic: Traffic,
}

/// What one step took.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutcome {
    /// Kernel cycles from the start to the retirement of the last core's `end`.
    pub cycles: u64,
    /// Load, store, matrix, vector.
    pub units: [UnitTime; 4],
    /// Events.
    pub events: Events,
    /// The same by name of the program's operators, in the order in which they first come.
    pub named_events: Vec<Events>,
    /// Bytes on the memory ports by class, in the order of [`TrafficClass::ALL`]: whole beats.
    pub traffic: [Traffic; TrafficClass::ALL.len()],
    /// The same for addresses in no region.
    pub unnamed_traffic: Traffic,
    /// Bytes of instructions fetched.
    pub instruction_bytes: u64,
    /// Commands and row hits of each data channel.
    pub data_memory: Vec<Statistics>,
    /// The same of the instruction channel.
    pub instruction_memory: Statistics,
    /// By mark of the program.
    pub operators: Vec<OperatorOutcome>,
}

impl StepOutcome {
    /// The traffic of one class.
    pub fn traffic_of(&self, class: TrafficClass) -> Traffic {
        self.traffic[class as usize]
    }
}

/// When each instruction was dispatched, issued and retired, by its place in the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Kernel cycle of dispatch.
    pub dispatch: Vec<u64>,
    /// Kernel cycle of issue.
    pub issue: Vec<u64>,
    /// Kernel cycle of retirement.
    pub retire: Vec<u64>,
}

impl Timeline {
    pub(crate) fn new(instructions: usize) -> Self {
        Self { dispatch: vec![0; instructions], issue: vec![0; instructions], retire: vec![0; instructions] }
    }

    /// `end`, the last instruction, issues in cycle `end` and retires in it.
    pub(crate) fn finish(&mut self, end: u64) {
        if let (Some(issue), Some(retire)) = (self.issue.last_mut(), self.retire.last_mut()) {
            (*issue, *retire) = (end, end + 1);
        }
    }
}
