//! What machines of one form share when they run a model in a format: the compiler and the programs that it has made. Runs
//! on several threads may use one plan; no result depends on who compiled what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use compiler::{Bucket, Compiler, FormatTable, Optimisations, Options, StepKind};
use hw_config::machine::Machine;
use hw_config::program::{Program, check_set};
use models::ModelConfig;
use models::attention::AttentionMask;
use sim::engine::StepPrograms;

use crate::{SessionError, Setup};

/// Equal programs, decoded for links of different lengths.
type OfLinks = Vec<Arc<StepPrograms>>;

/// A model in a format, compiled for machines of one form.
pub struct Plan {
    /// The machine that programs are compiled and checked for, and whose fingerprint they carry.
    machine: Machine,
    made_from: MadeFrom,
    compiler: Compiler,
    /// Of a step kind and length bucket: the same programs for each length of links that has been asked for.
    programs: Mutex<BTreeMap<(StepKind, Bucket), OfLinks>>,
}

/// Everything that programs are made from, but for the machine.
#[derive(PartialEq)]
struct MadeFrom {
    name: String,
    config: ModelConfig,
    formats: FormatTable,
    options: Options,
    optimisations: Optimisations,
    attention: Option<AttentionMask>,
}

impl MadeFrom {
    fn of(setup: &Setup) -> Self {
        let Setup { model, profile, formats, options, optimisations, attention, .. } = setup;
        Self {
            name: format!("{} {}", model.name, profile.name()),
            config: model.config.clone(),
            formats: formats.clone(),
            options: *options,
            optimisations: *optimisations,
            attention: attention.clone(),
        }
    }
}

impl Plan {
    /// Compiles what all steps share.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn new(setup: &Setup) -> Result<Self, SessionError> {
        let made_from = MadeFrom::of(setup);
        let compiler = setup.compiler(&made_from.name)?;
        Ok(Self { machine: setup.machine.clone(), made_from, compiler, programs: Mutex::default() })
    }

    /// Whether its programs are those of this setup: the machine has the same form, and everything else is equal.
    pub fn serves(&self, setup: &Setup) -> bool {
        setup.machine.form() == *self.compiler.form() && MadeFrom::of(setup) == self.made_from
    }

    /// The compiler, for its memory map.
    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The programs of a step for a machine that the plan serves, compiled if nobody has asked for them before.
    ///
    /// # Errors
    /// What the compiler refuses.
    ///
    /// # Panics
    /// When the compiler makes an illegal program.
    pub(crate) fn programs(
        &self,
        machine: &Machine,
        kind: StepKind,
        bucket: Bucket,
    ) -> Result<Arc<StepPrograms>, SessionError> {
        // What was put in before a panic elsewhere is whole. Others that need the same programs wait for them.
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let of_step = programs.entry((kind, bucket)).or_default();
        if let Some(known) = of_step.iter().find(|known| known.serves(machine)) {
            return Ok(Arc::clone(known));
        }
        if let Some(known) = of_step.first() {
            of_step.push(Arc::new(known.on(machine)));
            return Ok(Arc::clone(&of_step[of_step.len() - 1]));
        }
        let made: Arc<[Program]> = self.compiler.compile_cores(kind, bucket)?.into();
        if let Err(violations) = check_set(&made, &self.machine) {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            panic!("the compiler made an illegal program `{}`:\n{}", made[0].name, lines.join("\n"));
        }
        of_step.push(Arc::new(StepPrograms::new(machine, made)));
        Ok(Arc::clone(&of_step[0]))
    }
}
