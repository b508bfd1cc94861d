//! What a model computes, in plain float32: the oracle for quality.
//!
//! One token at a time through every layer, with a cache of keys and values. It shares no code with the bit-exact
//! numerics or the simulator and must stay readable in one sitting: no tricks. The arithmetic on vectors is in `arithmetic`.

use crate::arithmetic::{activation, add, dot, product, rms_norm, rotate, softmax, times};
use crate::attention::{AttentionMask, BLOCK_TOKENS};
use crate::config::{Family, Gating, HeadNorm, ModelConfig, NormKind, OutputHead, Position, Residual};
use crate::weights::{ExpertPart, LayerPart, Param, TensorId, Weights};
use crate::{Model, ModelError};

/// Mean loss over a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// Mean negative log likelihood of a token, in nats.
    pub nats_per_token: f64,
    /// Tokens that were predicted.
    pub tokens: usize,
}

/// Sees the input vector of every linear, by the linear's name: for calibration.
pub type Observer<'o> = &'o mut dyn FnMut(TensorId, &[f32]);

/// A model at some point of a sequence.
#[derive(Debug, Clone)]
pub struct Reference<'w> {
    config: &'w ModelConfig,
    weights: &'w Weights,
    /// Keys of each layer, `[position][kv_heads * head_dim]`.
    keys: Vec<Vec<f32>>,
    /// Values, likewise.
    values: Vec<Vec<f32>>,
    /// Radians that a pair of dimensions turns by from one position to the next; empty without RoPE.
    frequencies: Vec<f64>,
    /// What the first tokens of a sequence see of it, and how many those are.
    attention: Option<(&'w AttentionMask, usize)>,
    position: usize,
}

impl<'w> Reference<'w> {
    /// An executor for `model` at the start of a sequence.
    ///
    /// # Errors
    /// A model without weights; an architecture that is not built here, by name.
    pub fn new(model: &'w Model) -> Result<Self, ModelError> {
        let missing =
            || ModelError::input(&model.name, "has shapes and no weights; give a folder or file with weights");
        Self::with_weights(&model.config, model.weights.as_ref().ok_or_else(missing)?)
    }

    /// An executor for `config` with other weights than the model's own, such as compressed ones widened again.
    ///
    /// # Errors
    /// An architecture that is not built here, by name.
    pub fn with_weights(config: &'w ModelConfig, weights: &'w Weights) -> Result<Self, ModelError> {
        refuse_what_is_not_built(config)?;
        let empty = vec![Vec::new(); config.layers];
        let frequencies = match config.position {
            Position::Rope(rope) => rope.frequencies(),
            Position::Learned { .. } => Vec::new(),
        };
        Ok(Self { config, weights, keys: empty.clone(), values: empty, frequencies, attention: None, position: 0 })
    }

    /// The same executor whose first `prompt` tokens of a sequence see of it what a mask says; the others see everything.
    ///
    /// # Errors
    /// A mask of another model or of fewer tokens, with the numbers.
    pub fn with_attention(self, model: &str, mask: &'w AttentionMask, prompt: usize) -> Result<Self, ModelError> {
        mask.check(model, self.config)?;
        mask.check_prompt(prompt)?;
        Ok(Self { attention: Some((mask, prompt)), ..self })
    }

    /// The RoPE frequencies in use, in radians a position, one for each pair of dimensions.
    pub fn frequencies(&self) -> &[f64] {
        &self.frequencies
    }

    /// The same executor with other RoPE frequencies: for comparison with outputs of a library that rounded its own, as
    /// PyTorch modules do when they are converted to half precision.
    ///
    /// # Panics
    /// If the number of frequencies differs from `frequencies()`.
    pub fn with_frequencies(self, frequencies: Vec<f64>) -> Self {
        assert_eq!(frequencies.len(), self.frequencies.len(), "one frequency for each pair of dimensions");
        Self { frequencies, ..self }
    }

    /// Forgets the sequence.
    pub fn reset(&mut self) {
        self.keys.iter_mut().chain(&mut self.values).for_each(Vec::clear);
        self.position = 0;
    }

    /// Takes `token` at the next position and returns the logits of the one after, `[vocab]`.
    ///
    /// # Errors
    /// A token outside the vocabulary; a sequence longer than the model's context.
    pub fn forward(&mut self, token: u32) -> Result<Vec<f32>, ModelError> {
        self.forward_observed(token, &mut |_, _| {})
    }

    /// As `forward`, showing the input of every linear to `observe`.
    ///
    /// # Errors
    /// As `forward`.
    pub fn forward_observed(&mut self, token: u32, observe: Observer<'_>) -> Result<Vec<f32>, ModelError> {
        let c = self.config;
        if token as usize >= c.vocab {
            return Err(ModelError::input(
                "tokens",
                format!("got {token}, expected below the vocabulary of {}", c.vocab),
            ));
        }
        if self.position >= c.context {
            let what = format!("the sequence is full at {} tokens, the model's context", c.context);
            return Err(ModelError::input("tokens", what));
        }
        let mut x = self.weights.get(TensorId::Embedding).row(token as usize).to_vec();
        if let Position::Learned { offset } = c.position {
            add(&mut x, self.weights.get(TensorId::PositionEmbedding).row(self.position + offset));
        }
        for layer in 0..c.layers {
            let normed = self.norm(&x, |p| TensorId::Layer(layer, LayerPart::AttentionNorm(p)));
            add(&mut x, &self.attention(layer, &normed, observe));
            let normed = self.norm(&x, |p| TensorId::Layer(layer, LayerPart::FeedForwardNorm(p)));
            add(&mut x, &self.feed_forward(layer, &normed, observe));
        }
        self.position += 1;
        let x = self.norm(&x, TensorId::FinalNorm);
        observe(TensorId::Output(Param::Weight), &x);
        Ok(times(self.weights.output_head(), &x))
    }

    /// The logits after each of `tokens`, from the start of a sequence.
    ///
    /// # Errors
    /// As `forward`.
    pub fn logits_of(&mut self, tokens: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.reset();
        tokens.iter().map(|&t| self.forward(t)).collect()
    }

    /// `prompt` and the `count` tokens that follow it by always taking the likeliest.
    ///
    /// # Errors
    /// An empty prompt, and as `forward`.
    pub fn greedy(&mut self, prompt: &[u32], count: usize) -> Result<Vec<u32>, ModelError> {
        let mut tokens = prompt.to_vec();
        let mut logits = self
            .logits_of(prompt)?
            .pop()
            .ok_or_else(|| ModelError::input("prompt", "got no tokens, expected at least one to begin from"))?;
        for step in 0..count {
            tokens.push(argmax(&logits));
            if step + 1 < count {
                logits = self.forward(tokens[tokens.len() - 1])?;
            }
        }
        Ok(tokens)
    }

    /// Mean loss over `tokens` in windows of `window` that do not overlap. Each starts a sequence of its own and
    /// predicts all its tokens but the first; what is left after the last whole window (of all tokens but the last one)
    /// is not used. This is the rule by which the losses in the tiny models' `golden.json` were made.
    ///
    /// # Errors
    /// A text shorter than a window and one token; and as `forward`.
    pub fn nats_per_token(&mut self, tokens: &[u32], window: usize) -> Result<Loss, ModelError> {
        let whole = tokens.len().saturating_sub(1) / window.max(1);
        if window < 2 || whole == 0 {
            let what = format!(
                "got {} tokens for windows of {window}, expected windows of 2 or more and one token over",
                tokens.len()
            );
            return Err(ModelError::input("text", what));
        }
        let (mut sum, mut count) = (0.0, 0);
        for tokens in tokens.chunks_exact(window).take(whole) {
            let logits = self.logits_of(&tokens[..window - 1])?;
            sum += logits.iter().zip(&tokens[1..]).map(|(l, &next)| nats(l, next)).sum::<f64>();
            count += window - 1;
        }
        Ok(Loss { nats_per_token: sum / count as f64, tokens: count })
    }

    fn norm(&self, x: &[f32], id: impl Fn(Param) -> TensorId) -> Vec<f32> {
        let scale = self.weights.get(id(Param::Weight)).data();
        let (n, epsilon) = (x.len() as f32, self.config.norm.epsilon as f32);
        match self.config.norm.kind {
            NormKind::Rms => rms_norm(x, scale, epsilon),
            NormKind::Layer => {
                let shift = self.weights.get(id(Param::Bias)).data();
                let mean = x.iter().sum::<f32>() / n;
                let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
                let factor = 1.0 / (variance + epsilon).sqrt();
                x.iter().zip(scale.iter().zip(shift)).map(|(v, (s, b))| (v - mean) * factor * s + b).collect()
            }
        }
    }

    /// A linear of `layer` with its bias, if it has one.
    fn linear(&self, layer: usize, part: fn(Param) -> LayerPart, x: &[f32], observe: Observer<'_>) -> Vec<f32> {
        let id = |param| TensorId::Layer(layer, part(param));
        observe(id(Param::Weight), x);
        let mut y = times(self.weights.get(id(Param::Weight)), x);
        if let Some(bias) = self.weights.find(id(Param::Bias)) {
            add(&mut y, bias.data());
        }
        y
    }

    fn attention(&mut self, layer: usize, x: &[f32], observe: Observer<'_>) -> Vec<f32> {
        let c = self.config;
        let mut query = self.linear(layer, LayerPart::Query, x, observe);
        let mut key = self.linear(layer, LayerPart::Key, x, observe);
        let value = self.linear(layer, LayerPart::Value, x, observe);
        if let HeadNorm::Rms = c.head_norm {
            for (heads, part) in [(&mut query, LayerPart::QueryNorm), (&mut key, LayerPart::KeyNorm)] {
                let scale = self.weights.get(TensorId::Layer(layer, part)).data();
                for head in heads.chunks_exact_mut(c.head_dim) {
                    head.copy_from_slice(&rms_norm(head, scale, c.norm.epsilon as f32));
                }
            }
        }
        for head in query.chunks_exact_mut(c.head_dim).chain(key.chunks_exact_mut(c.head_dim)) {
            rotate(head, self.position, &self.frequencies);
        }
        self.keys[layer].extend(key);
        self.values[layer].extend(value);
        let first = c.sliding_window.map_or(0, |window| (self.position + 1).saturating_sub(window));
        let mut out = Vec::with_capacity(c.query_width());
        for (index, head) in query.chunks_exact(c.head_dim).enumerate() {
            let kv_head = index / (c.heads / c.kv_heads);
            let at = |position: usize| position * c.kv_width() + kv_head * c.head_dim;
            let scale = 1.0 / (c.head_dim as f32).sqrt();
            let sees = |p: &usize| match self.attention {
                Some((mask, prompt)) if self.position < prompt => {
                    mask.sees(layer, index, self.position / BLOCK_TOKENS, p / BLOCK_TOKENS)
                }
                Some(_) | None => true,
            };
            let seen: Vec<usize> = (first..=self.position).filter(sees).collect();
            let scores = seen.iter().map(|p| dot(head, &self.keys[layer][at(*p)..][..c.head_dim]) * scale);
            let shares = softmax(&scores.collect::<Vec<_>>());
            let mut mixed = vec![0.0; c.head_dim];
            for (position, share) in seen.into_iter().zip(shares) {
                let value = &self.values[layer][at(position)..][..c.head_dim];
                mixed.iter_mut().zip(value).for_each(|(m, v)| *m += share * v);
            }
            out.extend(mixed);
        }
        self.linear(layer, LayerPart::AttentionOutput, &out, observe)
    }

    fn feed_forward(&self, layer: usize, x: &[f32], observe: Observer<'_>) -> Vec<f32> {
        let f = &self.config.feed_forward;
        let activate = |v: &mut f32| *v = activation(f.activation, *v);
        let Some(experts) = f.experts else {
            let up = self.linear(layer, LayerPart::Up, x, observe);
            let inner = match f.gating {
                Gating::Plain => {
                    let mut up = up;
                    up.iter_mut().for_each(activate);
                    up
                }
                Gating::Gated => {
                    let mut gate = self.matrix(layer, LayerPart::Gate, x, observe);
                    gate.iter_mut().for_each(activate);
                    product(&gate, &up)
                }
            };
            return self.linear(layer, LayerPart::Down, &inner, observe);
        };
        let scores = self.matrix(layer, LayerPart::Router, x, observe);
        // softmax over all, then the chosen ones made to sum to 1: the same as softmax over the chosen ones.
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order.truncate(experts.top_k);
        let shares = softmax(&order.iter().map(|&e| scores[e]).collect::<Vec<_>>());
        let mut out = vec![0.0; self.config.hidden];
        for (&expert, share) in order.iter().zip(&shares) {
            let part = |p| LayerPart::Expert(expert, p);
            let mut gate = self.matrix(layer, part(ExpertPart::Gate), x, observe);
            gate.iter_mut().for_each(activate);
            let inner = product(&gate, &self.matrix(layer, part(ExpertPart::Up), x, observe));
            let y = self.matrix(layer, part(ExpertPart::Down), &inner, observe);
            out.iter_mut().zip(y).for_each(|(o, v)| *o += share * v);
        }
        out
    }

    /// A linear that never has a bias.
    fn matrix(&self, layer: usize, part: LayerPart, x: &[f32], observe: Observer<'_>) -> Vec<f32> {
        let id = TensorId::Layer(layer, part);
        observe(id, x);
        times(self.weights.get(id), x)
    }
}

/// Refuses shape-only architectures, naming what is missing.
fn refuse_what_is_not_built(c: &ModelConfig) -> Result<(), ModelError> {
    let refuse = |what: &str| Err(ModelError::unsupported("reference executor", what));
    match c.family {
        Family::Llama | Family::Mixtral | Family::Opt => {}
        Family::Gpt | Family::Phi | Family::NeoX => {
            return refuse(&format!("the {:?} family; nearest that works: Llama, Mixtral, Opt", c.family));
        }
    }
    match c.residual {
        Residual::Sequential => {}
        Residual::ParallelOneNorm | Residual::ParallelTwoNorms => {
            return refuse("parallel residuals; nearest that works: sequential ones");
        }
    }
    match c.output {
        OutputHead::Tied | OutputHead::Own => {}
        OutputHead::OwnWithBias => {
            return refuse("an output head with bias; nearest that works: one without");
        }
    }
    if let (Some(_), Gating::Plain) = (c.feed_forward.experts, c.feed_forward.gating) {
        return refuse("experts without gate; nearest that works: gated experts");
    }
    Ok(())
}

/// The index of the greatest value; the first of equals.
pub fn argmax(values: &[f32]) -> u32 {
    let best =
        values.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (i, &v)| if v > best.1 { (i, v) } else { best });
    best.0 as u32
}

/// Negative log likelihood of token `next` under `logits`.
pub fn nats(logits: &[f32], next: u32) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&l| f64::from(l - highest).exp()).sum();
    sum.ln() - f64::from(logits[next as usize] - highest)
}
