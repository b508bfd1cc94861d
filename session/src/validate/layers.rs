//! The published layer model on the models of a validation file: every design, model and task counted once, then looked up.
//!
//! It must never touch a machine, a program or the cycle engine: this is what others published, and none of it is ours but
//! the shapes of the models.

use hw_config::validation::LayerFigure;
use hw_config::validation::layers::{
    Counts, Design, Energy, FeedForwardKind, LayerModel, LayerQuantity, PerTask, RatioQuantity, Shape, Step, Task,
    count, energy, interpolated_port,
};
use models::ModelError;
use models::config::{Gating, ModelConfig};
use models::presets;
use reports::validation_report::{RatioRow, RatioValue};

use crate::resolve::ResolveError;

/// The layer model with the counts of all its steps.
pub(super) struct Layers<'m> {
    model: &'m LayerModel,
    /// By design, then by model.
    counts: Vec<Vec<PerTask<Counts>>>,
}

impl<'m> Layers<'m> {
    /// Counts every step.
    ///
    /// # Errors
    /// A model that is not there or that the layer model cannot say.
    pub(super) fn new(model: &'m LayerModel) -> Result<Self, ResolveError> {
        let shapes: Vec<Shape> = model.models.iter().map(|name| shape(name)).collect::<Result<_, _>>()?;
        let sram_bytes = u64::from(model.technology.sram_kib) << 10;
        let of_design = |design: &Design| {
            let step = |number: usize, task| {
                let step = Step { task, context: model.context, sram_bytes };
                count(design, design.weight_bits.of(task)[number], &shapes[number], step)
            };
            let tasks = |number| PerTask {
                discriminative: step(number, Task::Discriminative),
                generative: step(number, Task::Generative),
            };
            (0..shapes.len()).map(tasks).collect()
        };
        Ok(Self { counts: model.designs.iter().map(of_design).collect(), model })
    }

    /// What it was made from.
    pub(super) fn model(&self) -> &'m LayerModel {
        self.model
    }

    /// A figure, in the unit of its quantity.
    ///
    /// # Errors
    /// An energy without a price.
    pub(super) fn value(&self, figure: &LayerFigure) -> Result<f64, ResolveError> {
        self.of_step(figure.quantity, (figure.design, figure.model), figure.task)
    }

    /// What a step of a design takes on a model, in the unit of the quantity.
    ///
    /// # Errors
    /// An energy without a price.
    pub(super) fn of_step(
        &self,
        quantity: LayerQuantity,
        (design, model): (usize, usize),
        task: Task,
    ) -> Result<f64, ResolveError> {
        match quantity {
            LayerQuantity::Cycles => Ok(self.counts[design][model].of(task).cycles as f64),
            LayerQuantity::OnChipUj => Ok(self.energy(design, model, task)?.on_chip_uj),
            LayerQuantity::TotalUj => Ok(self.energy(design, model, task)?.total_uj()),
        }
    }

    /// What has to be known about an energy.
    pub(super) fn remark(&self, figure: &LayerFigure) -> Option<String> {
        if !figure.quantity.is_energy() {
            return None;
        }
        let design = &self.model.designs[figure.design];
        let bits = design.weight_bits.of(figure.task)[figure.model];
        let technology = &self.model.technology;
        Some(match interpolated_port(design, bits, figure.task, technology) {
            None => "SRAM energies are recovered from these figures: twelve numbers under which all of them come out; energies of \
                     DRAM, the greater part of a total, are not fitted to anything"
                .to_owned(),
            Some(port) => {
                let (read, write) = (port.read_uncertainty_pj, port.write_uncertainty_pj);
                format!("a port of {} bits: a read is known to {read} pJ and a write of 64 bits to {write} pJ", port.bits)
            }
        })
    }

    /// Mean of a ratio over the models and both tasks.
    ///
    /// # Errors
    /// An energy without a price.
    pub(super) fn mean(&self, number: usize) -> Result<f64, ResolveError> {
        let rows = self.ratio_rows(number)?;
        Ok(rows.iter().map(|row| row.mean).sum::<f64>() / rows.len() as f64)
    }

    /// Every comparison, a row a task.
    ///
    /// # Errors
    /// An energy without a price.
    pub(super) fn ratios(&self) -> Result<Vec<RatioRow>, ResolveError> {
        let rows = (0..self.model.ratios.len()).map(|number| self.ratio_rows(number));
        Ok(rows.collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn ratio_rows(&self, number: usize) -> Result<Vec<RatioRow>, ResolveError> {
        let ratio = &self.model.ratios[number];
        let row = |task: Task| {
            let value = |(place, name): (usize, &String)| {
                let of = self.task_total(ratio.of, place, task, ratio.quantity)?;
                let over = self.task_total(ratio.over, place, task, ratio.quantity)?;
                Ok(RatioValue { model: name.clone(), ratio: over / of })
            };
            let values = self.model.models.iter().enumerate().map(value).collect::<Result<Vec<_>, ResolveError>>()?;
            Ok(RatioRow {
                id: ratio.id.clone(),
                quantity: ratio.quantity.quantity().name().to_owned(),
                of: self.model.designs[ratio.of].id.clone(),
                over: self.model.designs[ratio.over].id.clone(),
                task: task.name().to_owned(),
                mean: values.iter().map(|value| value.ratio).sum::<f64>() / values.len() as f64,
                values,
            })
        };
        Task::ALL.into_iter().map(row).collect()
    }

    /// What the published figure of a task adds up: the prompt; or the prompt and the tokens after it, each as dear as the
    /// first.
    fn task_total(
        &self,
        design: usize,
        model: usize,
        task: Task,
        quantity: RatioQuantity,
    ) -> Result<f64, ResolveError> {
        let step = |task| match quantity {
            RatioQuantity::SpeedUp => Ok(self.counts[design][model].of(task).cycles as f64),
            RatioQuantity::Energy => Ok(self.energy(design, model, task)?.total_uj()),
        };
        match task {
            Task::Discriminative => step(Task::Discriminative),
            Task::Generative => {
                let tokens = f64::from(self.model.generated);
                Ok(step(Task::Discriminative)? + tokens * step(Task::Generative)?)
            }
        }
    }

    fn energy(&self, design: usize, model: usize, task: Task) -> Result<Energy, ResolveError> {
        let counts = self.counts[design][model].of(task);
        let design = &self.model.designs[design];
        energy(design, design.weight_bits.of(task)[model], task, counts, &self.model.technology)
            .map_err(|why| ResolveError::Input(why.to_string()))
    }
}

/// A preset's matrices as the layer model takes them.
fn shape(name: &str) -> Result<Shape, ResolveError> {
    let config = presets::preset(name)?;
    let place = format!("preset {name}");
    if config.feed_forward.experts.is_some() {
        return Err(ModelError::unsupported(
            place,
            "experts in the published layer model; nearest that works: llama-2-7b",
        )
        .into());
    }
    if config.query_width() != config.hidden {
        let what = format!(
            "heads of {} in the published layer model, which takes them {} / {} wide; nearest that works: llama-2-7b",
            config.head_dim, config.hidden, config.heads
        );
        return Err(ModelError::unsupported(place, what).into());
    }
    Ok(matrices(&config))
}

fn matrices(config: &ModelConfig) -> Shape {
    let wide = |number: usize| number as u64;
    Shape {
        layers: wide(config.layers),
        hidden: wide(config.hidden),
        heads: wide(config.heads),
        kv_heads: wide(config.kv_heads),
        feed_forward: wide(config.feed_forward.width),
        feed_forward_kind: match config.feed_forward.gating {
            Gating::Plain => FeedForwardKind::Plain,
            Gating::Gated => FeedForwardKind::Gated,
        },
        vocabulary: wide(config.vocab),
    }
}
