//! Quality of formats on a text: nats per byte and perplexity, on the bit-exact functional simulator, or on the float
//! reference, for the `float` format and for what a format's weights alone cost.

use crate::{Mode, Runner, SessionError, Setup};
use models::attention::AttentionMask;
use models::reference::nats;
use models::{Model, Reference, Weights};
use reports::run_report::EvalRow;

/// Tokens of a window; every window starts anew, so the last token of one does not predict the first of the next.
pub const WINDOW: usize = 256;

/// A text to be judged on.
pub struct Text {
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// Bytes that a token stands for, on average.
    pub bytes_per_token: f64,
    /// Windows to use at most.
    pub windows: usize,
}

impl Text {
    /// A text in a model's tokens.
    ///
    /// # Errors
    /// A text that the tokenizer refuses, or that is shorter than one window.
    pub fn new(model: &Model, name: &str, text: &str, windows: usize) -> Result<Self, SessionError> {
        let tokens = model.tokenizer.encode(text)?;
        if tokens.len() < WINDOW {
            return Err(SessionError::Input(format!(
                "{name}: got {} tokens, expected at least the {WINDOW} of one window; give a longer text",
                tokens.len()
            )));
        }
        let bytes_per_token = text.len() as f64 / tokens.len() as f64;
        Ok(Self { tokens, bytes_per_token, windows })
    }

    fn windows(&self) -> impl Iterator<Item = &[u32]> {
        self.tokens.chunks_exact(WINDOW).take(self.windows)
    }
}

/// Sum of losses.
struct Loss {
    nats: f64,
    predicted: u64,
}

impl Loss {
    fn row(
        &self,
        (format, computed_by): (&str, &str),
        mask: Option<&AttentionMask>,
        text: &Text,
        bits_per_weight: f64,
    ) -> EvalRow {
        let nats_per_token = self.nats / self.predicted as f64;
        EvalRow {
            format: format.to_string(),
            computed_by: computed_by.to_string(),
            attention: mask.map_or("dense", AttentionMask::name).to_string(),
            attention_density: mask.map_or(1.0, |mask| mask.density(WINDOW - 1)),
            nats_per_byte: nats_per_token / text.bytes_per_token,
            perplexity: nats_per_token.exp(),
            bits_per_weight,
            tokens: self.predicted,
        }
    }
}

/// The float reference on a text, with a mask on each window or none. `progress` is told each window.
///
/// # Errors
/// A model without weights, or a mask of another model or of shorter prompts.
pub fn float(
    model: &Model,
    mask: Option<&AttentionMask>,
    text: &Text,
    progress: impl FnMut(u64),
) -> Result<EvalRow, SessionError> {
    let loss = loss_of(Reference::new(model)?, &model.name, mask, text, progress)?;
    Ok(loss.row(("float", "float reference"), mask, text, 32.0))
}

/// What the weights of a compressed format cost alone: the float reference on the weights that the codes stand for.
/// Activations, keys and values stay float, so no machine has a part in it and every format can be compared.
///
/// # Errors
/// As [`float`].
///
/// # Panics
/// If the setup has shapes alone.
pub fn weights_only(setup: &Setup, text: &Text, progress: impl FnMut(u64)) -> Result<EvalRow, SessionError> {
    let (model, mask) = (&setup.model, setup.attention.as_ref());
    let (Some(compressed), Some(weights)) = (&setup.compressed, &model.weights) else {
        panic!("{}: a setup without weights has no quality", model.name);
    };
    let stored: Weights = compressed.dequantized_into(weights);
    let loss = loss_of(Reference::with_weights(&model.config, &stored)?, &model.name, mask, text, progress)?;
    let computed_by = "float reference on stored weights";
    Ok(loss.row((setup.profile.name(), computed_by), mask, text, setup.formats.bits_per_weight()))
}

fn loss_of<'a>(
    mut reference: Reference<'a>,
    model: &str,
    mask: Option<&'a AttentionMask>,
    text: &Text,
    mut progress: impl FnMut(u64),
) -> Result<Loss, SessionError> {
    if let Some(mask) = mask {
        reference = reference.with_attention(model, mask, WINDOW - 1)?;
    }
    let mut loss = Loss { nats: 0.0, predicted: 0 };
    for window in text.windows() {
        reference.reset();
        let logits = reference.logits_of(&window[..WINDOW - 1])?;
        add(&mut loss, &logits, window);
        progress(1);
    }
    Ok(loss)
}

/// A compressed format on a text, on the functional simulator.
///
/// # Errors
/// What the compiler refuses.
pub fn simulated(setup: &Setup, text: &Text, mut progress: impl FnMut(u64)) -> Result<EvalRow, SessionError> {
    let mut runner = Runner::new(setup, Mode::Values)?;
    let mut loss = Loss { nats: 0.0, predicted: 0 };
    for window in text.windows() {
        let logits = runner.prefill_all(0, &window[..WINDOW - 1])?;
        add(&mut loss, &logits, window);
        progress(1);
    }
    Ok(loss.row((setup.profile.name(), "simulator"), setup.attention.as_ref(), text, setup.formats.bits_per_weight()))
}

fn add(loss: &mut Loss, logits: &[Vec<f32>], window: &[u32]) {
    for (logits, next) in logits.iter().zip(&window[1..]) {
        loss.nats += nats(logits, *next);
        loss.predicted += 1;
    }
}
