//! What is run: machine, model, format.

use crate::SessionError;
use compiler::{CompileError, Compiler, FormatTable, Optimisations, Options};
use hw_config::machine::Machine;
use models::Model;
use models::attention::AttentionMask;
use models::compress::{ActivationFormat, ActivationRanges, CompressedModel, Profile, compress};

/// The room for `before` tokens of each of `batch` sequences and `after` more.
///
/// # Errors
/// No token at all, or more than can be counted.
pub fn room(batch: u32, before: u32, after: u32) -> Result<Options, SessionError> {
    match before.checked_add(after) {
        Some(context) if context > 0 => Ok(Options { batch, context }),
        Some(_) => Err(SessionError::Input(
            "prefill and decode are both 0, expected at least 1 token; give one of them".to_owned(),
        )),
        None => {
            Err(SessionError::Input(format!("got {before} and {after} tokens, expected a sum below 2^32; use fewer")))
        }
    }
}

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
    /// What tokens of a prompt see of it; nothing where they see all that is before them.
    pub attention: Option<AttentionMask>,
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
            ActivationFormat::Int8Dynamic | ActivationFormat::F16 => None,
            ActivationFormat::Int8Static => Some(ActivationRanges::record(&model, calibration, CALIBRATION_WINDOW)?),
        };
        let compressed = compress(&model, &profile, ranges.as_ref())?;
        let formats = FormatTable::of_model(&compressed);
        let optimisations = Optimisations::ALL;
        Ok(Self {
            machine,
            model,
            profile,
            compressed: Some(compressed),
            formats,
            options,
            optimisations,
            attention: None,
        })
    }

    /// With shapes alone: enough for cycles, bytes and joules.
    pub fn with_shapes(machine: Machine, model: Model, profile: Profile, options: Options) -> Self {
        let formats = FormatTable::of_shapes(&model.config, &profile);
        let optimisations = Optimisations::ALL;
        Self { machine, model, profile, compressed: None, formats, options, optimisations, attention: None }
    }

    /// The same model in the same format on another machine, for another number of sequences and tokens, with no mask.
    pub fn on(&self, machine: Machine, options: Options) -> Self {
        let Self { model, profile, compressed, formats, optimisations, .. } = self;
        Self {
            machine,
            model: model.clone(),
            profile: profile.clone(),
            compressed: compressed.clone(),
            formats: formats.clone(),
            options,
            optimisations: *optimisations,
            attention: None,
        }
    }

    /// The compiler of its programs.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn compiler(&self, name: &str) -> Result<Compiler, CompileError> {
        self.compiler_for(name, self.options)
    }

    /// The same with other options.
    ///
    /// # Errors
    /// What the compiler refuses.
    pub fn compiler_for(&self, name: &str, options: Options) -> Result<Compiler, CompileError> {
        let Self { machine, model, formats, optimisations, attention, .. } = self;
        let compiler = Compiler::with_optimisations(machine, &model.config, name, formats, options, *optimisations)?;
        match attention {
            Some(mask) => compiler.with_attention(mask),
            None => Ok(compiler),
        }
    }

    /// The same with another mask on prompts, or none.
    ///
    /// # Errors
    /// A mask of another model, with the numbers.
    pub fn with_attention(self, attention: Option<AttentionMask>) -> Result<Self, SessionError> {
        if let Some(mask) = &attention {
            mask.check(&self.model.name, &self.model.config)?;
        }
        Ok(Self { attention, ..self })
    }

    /// Name of the mask on prompts.
    pub fn attention_name(&self) -> &str {
        self.attention.as_ref().map_or("dense", AttentionMask::name)
    }

    /// Blocks that a prompt of `tokens` tokens sees of those that causal attention has.
    pub fn attention_density(&self, tokens: usize) -> f64 {
        self.attention.as_ref().map_or(1.0, |mask| mask.density(tokens))
    }

    /// Whether the mask, if there is one, says what a prompt of `tokens` tokens sees.
    ///
    /// # Errors
    /// A longer prompt, with the numbers.
    pub fn check_prompt(&self, tokens: usize) -> Result<(), SessionError> {
        match &self.attention {
            Some(mask) => Ok(mask.check_prompt(tokens)?),
            None => Ok(()),
        }
    }
}
