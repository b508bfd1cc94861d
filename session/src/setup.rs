//! What is run: machine, model, format.

use crate::SessionError;
use compiler::{FormatTable, Options, Schedule};
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
    /// How far ahead programs load.
    pub schedule: Schedule,
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
        let schedule = Schedule::default();
        Ok(Self { machine, model, profile, compressed: Some(compressed), formats, options, schedule })
    }

    /// With shapes alone: enough for cycles, bytes and joules.
    pub fn with_shapes(machine: Machine, model: Model, profile: Profile, options: Options) -> Self {
        let formats = FormatTable::of_shapes(&model.config, &profile);
        Self { machine, model, profile, compressed: None, formats, options, schedule: Schedule::default() }
    }
}
