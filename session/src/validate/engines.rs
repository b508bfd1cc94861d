//! The designs of a published layer model on machines of ours that are like them: every model and task, cycle by cycle with a
//! memory system; and designs compared as that model compares them.
//!
//! It must never take anything from the layer model but which step is compared, and its figures to stand beside ours.

use hw_config::validation::layers::{EngineDesign, LayerModel, LayerQuantity, PerTask, Ratio, RatioQuantity, Task};
use reports::validation_report::{EngineRow, RatioRow, RatioValue};

use super::layers::Layers;
use super::measure::{Measured, Steps};
use crate::resolve::ResolveError;

/// Microjoules of a joule.
const UJ_PER_J: f64 = 1e6;

/// What a step takes.
#[derive(Clone, Copy)]
struct Cost {
    cycles: u64,
    energy_uj: f64,
}

/// All steps of all machines.
pub(super) struct Engines<'m> {
    model: &'m LayerModel,
    rows: Vec<EngineRow>,
    /// By machine, then by model.
    costs: Vec<Vec<PerTask<Cost>>>,
}

impl<'m> Engines<'m> {
    /// Steps that are simulated.
    pub(super) fn steps(model: &LayerModel) -> usize {
        model.engines.len() * model.models.len() * Task::ALL.len()
    }

    /// Simulates every step; `done` is called after each.
    ///
    /// # Errors
    /// A machine, model or format that is not there, or that refuses the step.
    pub(super) fn run(layers: &Layers<'m>, mut done: impl FnMut()) -> Result<Self, ResolveError> {
        let model = layers.model();
        let mut rows = Vec::new();
        let mut costs = Vec::new();
        for engine in &model.engines {
            let mut of_engine = Vec::new();
            for place in 0..model.models.len() {
                let mut step = |task| {
                    let row = row(layers, engine, place, task)?;
                    let cost = Cost { cycles: row.cycles, energy_uj: row.energy_uj };
                    rows.push(row);
                    done();
                    Ok::<_, ResolveError>(cost)
                };
                let discriminative = step(Task::Discriminative)?;
                of_engine.push(PerTask { discriminative, generative: step(Task::Generative)? });
            }
            costs.push(of_engine);
        }
        Ok(Self { model, rows, costs })
    }

    /// The steps.
    pub(super) fn rows(&self) -> Vec<EngineRow> {
        self.rows.clone()
    }

    /// The comparisons of the layer model whose designs both have a machine, a row a task.
    pub(super) fn ratios(&self) -> Vec<RatioRow> {
        let place = |design| self.model.engines.iter().position(|engine| engine.design == design);
        let pairs = self.model.ratios.iter().filter_map(|ratio| Some((ratio, place(ratio.of)?, place(ratio.over)?)));
        pairs.flat_map(|(ratio, of, over)| Task::ALL.map(|task| self.ratio_row(ratio, (of, over), task))).collect()
    }

    fn ratio_row(&self, ratio: &Ratio, (of, over): (usize, usize), task: Task) -> RatioRow {
        let total = |engine: usize, place: usize| self.task_total(engine, place, task, ratio.quantity);
        let models = self.model.models.iter().enumerate();
        let values: Vec<RatioValue> = models
            .map(|(place, name)| RatioValue { model: name.clone(), ratio: total(over, place) / total(of, place) })
            .collect();
        RatioRow {
            id: ratio.id.clone(),
            quantity: ratio.quantity.quantity().name().to_owned(),
            of: self.model.designs[ratio.of].id.clone(),
            over: self.model.designs[ratio.over].id.clone(),
            task: task.name().to_owned(),
            mean: values.iter().map(|value| value.ratio).sum::<f64>() / values.len() as f64,
            values,
        }
    }

    /// The prompt; or the prompt and the tokens after it, each as dear as the first, as the published figure adds them up.
    fn task_total(&self, engine: usize, place: usize, task: Task, quantity: RatioQuantity) -> f64 {
        let step = |task| {
            let Cost { cycles, energy_uj } = *self.costs[engine][place].of(task);
            match quantity {
                RatioQuantity::SpeedUp => cycles as f64,
                RatioQuantity::Energy => energy_uj,
            }
        };
        match task {
            Task::Discriminative => step(Task::Discriminative),
            Task::Generative => step(Task::Discriminative) + f64::from(self.model.generated) * step(Task::Generative),
        }
    }
}

/// One step on a machine, with what the layer model says of its design.
fn row(layers: &Layers<'_>, engine: &EngineDesign, place: usize, task: Task) -> Result<EngineRow, ResolveError> {
    let model = layers.model();
    let run = model.engine_run(engine, place, task);
    let measured = Measured::new(&run)?;
    let steps = Steps::simulate(&measured.setup, &run)?;
    let layer = |quantity| layers.of_step(quantity, (engine.design, place), task);
    Ok(EngineRow {
        design: model.designs[engine.design].id.clone(),
        machine: run.machine.clone(),
        format: run.format.clone(),
        model: run.model.clone(),
        task: task.name().to_owned(),
        weight_bits: measured.bits_per_weight(),
        layer_weight_bits: model.designs[engine.design].weight_bits.of(task)[place].bits(),
        cycles: steps.cycles,
        layer_cycles: layer(LayerQuantity::Cycles)? as u64,
        energy_uj: steps.energy_j * UJ_PER_J,
        layer_energy_uj: layer(LayerQuantity::TotalUj)?,
    })
}
