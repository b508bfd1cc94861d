//! What is run: machine, model, format.

use crate::SessionError;
use compiler::{CompileError, Compiler, FormatTable, Optimisations, Options};
use hw_config::machine::Machine;
use models::Model;
use models::compress::{ActivationFormat, ActivationRanges, CompressedModel, Profile, compress};

/// Tokens of a calibration window for static activation scales.
const CALIBRATION_WINDOW: usize = 256;

/// A machine, a model in a format, and the room for its run.
pub struct Setup {
    /// The machine.
    pub machine: Machine,
    /// The model.
    pub model: Model,
    /// The format.
    pub profile: Profile,
    /// The compressed weights; none where only shapes are known.
    pub compressed: Option<CompressedModel>,
    /// What the compiler knows of the format.
    pub formats: FormatTable,
    /// Batch and context.
    pub options: Options,
    /// What programs are made fast with.
    pub optimisations: Optimisations,
}

impl Setup {
    /// With weights: the model is compressed by the profile. `calibration` are the tokens over which static activation
    /// scales are found; only profiles with such scales read them.
    ///
    /// # Errors
    /// A model without weights, or static scales without calibration tokens.
    pub fn with_weights(
        machine: Machine,
        model: Model,
        profile: Profile,
        calibration: &[u32],
        options: Options,
    ) -> Result<Self, SessionError> {
        let ranges = match profile.activations() {
            ActivationFormat::Int8Dynamic => None,
            ActivationFormat::Int8Static => Some(ActivationRanges::record(&model, calibration, CALIBRATION_WINDOW)?),
        };
        let compressed = compress(&model, &profile, ranges.as_ref())?;
        let formats = FormatTable::of_model(&compressed);
        let optimisations = Optimisations::ALL;
        Ok(Self { machine, model, profile, compressed: Some(compressed), formats, options, optimisations })
    }

    /// With shapes alone: enough for cycles, bytes and joules.
    pub fn with_shapes(machine: Machine, model: Model, profile: Profile, options: Options) -> Self {
        let formats = FormatTable::of_shapes(&model.config, &profile);
        Self { machine, model, profile, compressed: None, formats, options, optimisations: Optimisations::ALL }
    }

    /// The compiler of its programs.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn compiler(&self, name: &str) -> Result<Compiler<'_>, CompileError> {
        self.compiler_for(name, self.options)
    }

    /// The same with other options.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn compiler_for(&self, name: &str, options: Options) -> Result<Compiler<'_>, CompileError> {
        let Self { machine, model, formats, optimisations, .. } = self;
        Compiler::with_optimisations(machine, &model.config, name, formats, options, *optimisations)
    }
}
