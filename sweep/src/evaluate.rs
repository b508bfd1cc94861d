//! One point: from the values of its axes to a machine and a run, and to what became of it. Points that have their programs
//! in common share them; no result depends on that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hw_config::machine::Machine;
use reports::run_report::RunReport;
use session::report::{Facts, resources, run_report};
use session::resolve::{self, Attention, MachineFile, ResolveError};
use session::setup::room;
use session::timing;
use session::{Plan, Runner, Setup};

use crate::axis::{Axis, Field, Values};
use crate::results::Figures;
use crate::row::{Outcome, Row};
use crate::spec::{Base, Sweep};
use crate::value::Value;

/// A model in a format, and a hash of both.
struct Subject {
    setup: Setup,
    hash: u64,
}

/// What is found once for all points.
type Found<T> = Mutex<BTreeMap<String, Arc<Result<T, String>>>>;

/// Makes rows of points.
pub struct Evaluator<'s> {
    sweep: Cow<'s, Sweep>,
    axes: Vec<String>,
    version: String,
    machines: Found<MachineFile>,
    subjects: Found<Subject>,
    attentions: Found<Attention>,
    plans: Mutex<BTreeMap<u64, Shared>>,
}

/// A plan that is made by the first who needs it.
type SharedPlan = OnceLock<Result<Arc<Plan>, String>>;

/// What points of a kind share.
#[derive(Default)]
struct Shared {
    plan: Arc<SharedPlan>,
    /// Points that still need it.
    users: u64,
}

/// A point whose machine, model and run are known, or that has none.
pub struct Point {
    number: u64,
    values: Vec<Value>,
    /// A hash of everything that its figures depend on.
    pub config: u64,
    /// Points of equal kind have equal programs, but for a coincidence that costs time and changes nothing.
    pub kind: u64,
    ready: Result<Ready, String>,
}

struct Ready {
    machine: Arc<Machine>,
    subject: Arc<Result<Subject, String>>,
    attention: Arc<Result<Attention, String>>,
    workload: Workload,
}

#[derive(Clone, Copy)]
struct Workload {
    prefill: u32,
    decode: u32,
    batch: u32,
}

/// Finds what the sweep file names and no axis varies, so that a wrong name is refused before anything is run and is not the
/// reason of every row.
///
/// # Errors
/// The first name that stands for nothing usable.
pub fn check_base(sweep: &Sweep) -> Result<(), ResolveError> {
    let base = &sweep.base;
    let varied = |field: Field| sweep.space.axes().iter().any(|axis| axis.field == field);
    if !varied(Field::Machine) {
        MachineFile::find(&base.machine)?;
    }
    if !varied(Field::Model) {
        resolve::shapes(&base.model)?;
    }
    if !varied(Field::Format) {
        resolve::profile(&base.format)?;
    }
    if !varied(Field::Attention) {
        resolve::attention(&base.attention)?;
    }
    Ok(())
}

impl Point {
    /// Its machine, if there is one.
    pub fn machine(&self) -> Option<&Machine> {
        self.ready.as_ref().ok().map(|ready| &*ready.machine)
    }
}

impl<'s> Evaluator<'s> {
    /// The evaluator of a sweep, borrowed or its own; `version` is the program's and stands in every row.
    pub fn new(sweep: Cow<'s, Sweep>, version: &str) -> Self {
        let axes = sweep.axis_names();
        let (machines, subjects, attentions, plans) = Default::default();
        Self { sweep, axes, version: version.to_owned(), machines, subjects, attentions, plans }
    }

    /// The sweep.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// The point with these values.
    pub fn point(&self, number: u64, values: Vec<Value>) -> Point {
        let ready = self.ready(&values);
        let (config, kind) = match &ready {
            Ok(ready) => (self.config(ready), ready.kind()),
            Err(reason) => {
                let values: Vec<String> = values.iter().map(Value::literal).collect();
                (hash(&format!("{} {:?} {values:?} {reason}", self.version, self.sweep.base)), 0)
            }
        };
        Point { number, values, config, kind, ready }
    }

    /// Runs a point. What fails in it, fails for its row alone.
    pub fn run(&self, point: &Point) -> Row {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.outcome(point)))
            .unwrap_or_else(|panic| Outcome::Failed(format!("fault of the simulator: {}", text_of(&*panic))));
        self.row(point, outcome)
    }

    /// Says that so many more points of each of these kinds will be run, so that what they share is kept so long.
    pub fn announce<'p>(&self, points: impl IntoIterator<Item = &'p Point>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        for point in points {
            plans.entry(point.kind).or_default().users += 1;
        }
    }

    /// The same row as another point's with equal configuration.
    pub fn row_like(&self, point: &Point, known: &Row) -> Row {
        self.row(point, known.outcome.clone())
    }

    /// A hash of all that the sweep's names stand for: machines, models in their formats, masks.
    pub fn inputs(&self) -> u64 {
        let Base { machine, model, format, attention, .. } = &self.sweep.base;
        let named = |field: Field, base: &str| -> Vec<String> {
            match self.sweep.space.axes().iter().find(|axis| axis.field == field).map(|axis| &axis.values) {
                Some(Values::Listed(values)) => values.iter().map(Value::to_string).collect(),
                Some(Values::Between(_)) | None => vec![base.to_owned()],
            }
        };
        let machine_of = |name: &String| {
            let file = find(&self.machines, name, || MachineFile::find(name).map_err(one_line));
            file.as_ref().as_ref().map_err(Clone::clone).and_then(|file| file.machine(&[]).map_err(one_line))
        };
        let machines: Vec<_> = named(Field::Machine, machine).iter().map(machine_of).collect();
        let mut found: Vec<String> =
            machines.iter().map(|machine| format!("{:?}", machine.as_ref().map(Machine::fingerprint))).collect();
        if let Some(machine) = machines.iter().flatten().next() {
            for model in named(Field::Model, model) {
                for format in named(Field::Format, format) {
                    let made = || subject(machine, &model, &format);
                    let subject = find(&self.subjects, &format!("{model}\n{format}"), made);
                    found.push(format!("{:?}", subject.as_ref().as_ref().map(|subject| subject.hash)));
                }
            }
        }
        for name in named(Field::Attention, attention) {
            let mask = find(&self.attentions, &name, || resolve::attention(&name).map_err(one_line));
            found.push(format!("{mask:?}"));
        }
        hash(&format!("{found:?}"))
    }

    /// Whether the axes allow such a row, and seed and version are the same.
    pub fn may_have(&self, row: &Row) -> bool {
        let axes = self.sweep.space.axes();
        let allowed = |(axis, (name, value)): (&Axis, &(String, Value))| {
            axis.name == *name
                && match &axis.values {
                    Values::Listed(values) => values.contains(value),
                    Values::Between(_) => true,
                }
        };
        row.seed == self.sweep.seed
            && row.version == self.version
            && row.axes.len() == axes.len()
            && axes.iter().zip(&row.axes).all(allowed)
    }

    fn row(&self, point: &Point, outcome: Outcome) -> Row {
        Row {
            point: point.number,
            axes: self.named(point),
            outcome,
            front: false,
            config: point.config,
            seed: self.sweep.seed,
            version: self.version.clone(),
        }
    }

    fn named(&self, point: &Point) -> Vec<(String, Value)> {
        self.axes.iter().cloned().zip(point.values.iter().cloned()).collect()
    }

    fn ready(&self, values: &[Value]) -> Result<Ready, String> {
        let base = &self.sweep.base;
        let (mut machine, mut model, mut format, mut attention) =
            (base.machine.clone(), base.model.clone(), base.format.clone(), base.attention.clone());
        let mut workload = Workload { prefill: base.prefill, decode: base.decode, batch: base.batch };
        let mut overrides = Vec::new();
        for (axis, value) in self.sweep.space.axes().iter().zip(values) {
            match &axis.field {
                Field::Machine => machine = value.to_string(),
                Field::MachineKey(key) => overrides.push((key.clone(), value.literal())),
                Field::Model => model = value.to_string(),
                Field::Format => format = value.to_string(),
                Field::Attention => attention = value.to_string(),
                Field::Prefill => workload.prefill = tokens(&axis.name, value)?,
                Field::Decode => workload.decode = tokens(&axis.name, value)?,
                Field::Batch => workload.batch = tokens(&axis.name, value)?,
            }
        }
        if workload.batch == 0 {
            return Err("workload.batch is 0, expected at least 1 sequence; raise it".to_owned());
        }
        let file = find(&self.machines, &machine, || MachineFile::find(&machine).map_err(one_line));
        let file = file.as_ref().as_ref().map_err(Clone::clone)?;
        let machine = Arc::new(file.machine(&overrides).map_err(one_line)?);
        let subject = find(&self.subjects, &format!("{model}\n{format}"), || subject(&machine, &model, &format));
        let attention = find(&self.attentions, &attention, || resolve::attention(&attention).map_err(one_line));
        Ok(Ready { machine, subject, attention, workload })
    }

    fn config(&self, ready: &Ready) -> u64 {
        let subject = ready.subject.as_ref().as_ref().map(|subject| subject.hash);
        let Workload { prefill, decode, batch } = ready.workload;
        hash(&format!(
            "{} {:016x} {subject:?} {:?} {prefill} {decode} {batch} {:?}",
            self.version,
            ready.machine.fingerprint(),
            ready.attention,
            self.constraint_texts(),
        ))
    }

    fn constraint_texts(&self) -> Vec<&str> {
        self.sweep.constraints.iter().map(|constraint| constraint.text.as_str()).collect()
    }

    fn outcome(&self, point: &Point) -> Outcome {
        let plan = self.shared(point);
        match self.judged(point, &plan) {
            Ok(outcome) => outcome,
            Err(reason) => Outcome::Failed(reason),
        }
    }

    fn judged(&self, point: &Point, shared: &SharedPlan) -> Result<Outcome, String> {
        let ready = point.ready.as_ref().map_err(Clone::clone)?;
        if self.sweep.constraints.iter().any(|constraint| constraint.is_static(&self.axes)) {
            let early = Figures::of_resources(&resources(&ready.machine));
            if let Some(constraint) = self.violated(point, ready, &early, true)? {
                return Ok(Outcome::Excluded { constraint, figures: early });
            }
        }
        let setup = ready.setup()?;
        let plan = shared.get_or_init(|| Plan::new(&setup).map(Arc::new).map_err(|error| flat(&error.to_string())));
        let plan = match plan {
            Ok(plan) if plan.serves(&setup) => Arc::clone(plan),
            // Points of one kind that are not: their hashes are equal by coincidence.
            Ok(_) => Arc::new(Plan::new(&setup).map_err(|error| flat(&error.to_string()))?),
            Err(reason) => return Err(reason.clone()),
        };
        let Workload { prefill, decode, .. } = ready.workload;
        let runner = timing::run_with(plan, &setup, prefill, decode);
        let runner = runner.map_err(|error| flat(&error.to_string()))?;
        let figures = Figures::of_report(&report(ready, &setup, &runner)?);
        Ok(match self.violated(point, ready, &figures, false)? {
            Some(constraint) => Outcome::Excluded { constraint, figures },
            None => Outcome::Done(figures),
        })
    }

    /// What points of a kind share; forgotten once none of those that were announced is left.
    fn shared(&self, point: &Point) -> Arc<SharedPlan> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = plans.entry(point.kind).or_default();
        entry.users = entry.users.saturating_sub(1);
        let plan = Arc::clone(&entry.plan);
        if entry.users == 0 {
            plans.remove(&point.kind);
        }
        plan
    }

    /// The first constraint that a point does not hold, of those that are judged before or after its simulation.
    fn violated(&self, point: &Point, ready: &Ready, figures: &Figures, early: bool) -> Result<Option<String>, String> {
        let named = self.named(point);
        for constraint in self.sweep.constraints.iter().filter(|c| c.is_static(&self.axes) == early) {
            if !constraint.holds(&ready.machine, &named, figures)? {
                return Ok(Some(constraint.text.clone()));
            }
        }
        Ok(None)
    }
}

impl Ready {
    fn kind(&self) -> u64 {
        let subject = self.subject.as_ref().as_ref().map(|subject| subject.hash);
        let Workload { prefill, decode, batch } = self.workload;
        hash(&format!(
            "{:016x} {subject:?} {:?} {prefill} {decode} {batch}",
            self.machine.form().fingerprint(),
            self.attention
        ))
    }

    fn setup(&self) -> Result<Setup, String> {
        let subject = self.subject.as_ref().as_ref().map_err(Clone::clone)?;
        let attention = self.attention.as_ref().as_ref().map_err(Clone::clone)?;
        let Workload { prefill, decode, batch } = self.workload;
        let options = room(batch, prefill, decode).map_err(|error| flat(&error.to_string()))?;
        let setup = subject.setup.on(Machine::clone(&self.machine), options);
        let mask = attention.mask(&setup.model, prefill as usize).map_err(one_line)?;
        setup.with_attention(mask).map_err(|error| flat(&error.to_string()))
    }
}

fn report(ready: &Ready, setup: &Setup, runner: &Runner<'_>) -> Result<RunReport, String> {
    let facts = Facts {
        prefill_tokens: ready.workload.prefill.into(),
        decode_tokens: ready.workload.decode.into(),
        text: None,
        // Of the host, and therefore in no row.
        host_seconds: 0.0,
        peak_memory_bytes: runner.compiler().used_bytes(),
        program_bytes: runner.program_bytes(),
    };
    run_report(setup, &runner.totals, facts).map_err(|error| flat(&error.to_string()))
}

/// The value of a name; found where it was not yet.
fn find<T>(found: &Found<T>, name: &str, make: impl FnOnce() -> Result<T, String>) -> Arc<Result<T, String>> {
    // What was put in before a panic elsewhere is whole.
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = found.get(name) {
        return Arc::clone(known);
    }
    let made = Arc::new(make());
    found.insert(name.to_owned(), Arc::clone(&made));
    made
}

fn subject(machine: &Machine, model: &str, format: &str) -> Result<Subject, String> {
    let profile = resolve::profile(format).map_err(one_line)?;
    let options = room(1, 1, 0).map_err(|error| error.to_string())?;
    let setup = resolve::timing_setup(machine.clone(), model, profile, options).map_err(one_line)?;
    let hash = hash(&format!("{} {:?} {:?} {:?}", setup.model.name, setup.model.config, setup.profile, setup.formats));
    Ok(Subject { setup, hash })
}

fn tokens(axis: &str, value: &Value) -> Result<u32, String> {
    match value {
        Value::Whole(number) if u32::try_from(*number).is_ok() => Ok(*number as u32),
        Value::Whole(_) | Value::Real(_) | Value::Text(_) | Value::Flag(_) | Value::List(_) => {
            Err(format!("{axis} is {}, expected a whole number from 0; change the value", value.literal()))
        }
    }
}

/// The first fault of a file, or whatever else stands in the way.
fn one_line(error: ResolveError) -> String {
    match error {
        ResolveError::Faults { faults, text: _ } => {
            let more = match faults.0.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            format!("{}{more}", flat(&faults.0[0].to_string()))
        }
        error @ (ResolveError::Input(_) | ResolveError::Model(_) | ResolveError::Session(_) | ResolveError::Io(_)) => {
            flat(&error.to_string())
        }
    }
}

fn flat(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    flat(text.unwrap_or("it did not say why"))
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo), as a machine's fingerprint.
pub(crate) fn hash(text: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
