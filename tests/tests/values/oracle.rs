//! What a quantized model computes, the obvious way: f64 throughout, weights widened, INT8 codes by their rule.
//!
//! Written from the documentation alone: one token at a time, no tiles, no chunks, no machine. It shares no arithmetic
//! with the simulator or with the float reference, and reads weights from their codes, indices, density bytes and scales
//! by itself. What it has of `models` are the compressed tensors and the model's shape.

use half::f16;
use hw_config::isa::Sparsity;
use models::compress::{CompressedLinear, CompressedModel, Grouping, Scales};
use models::config::{Activation, Gating, HeadNorm, NormKind, Position, Residual};
use models::{ExpertPart, LayerPart, Model, ModelConfig, Param, Rope, RopeScaling, TensorId};
use std::collections::BTreeMap;

/// A key or a value of the cache: codes times scale.
type Entry = Vec<f64>;

/// A model at some point of a sequence.
pub(crate) struct Oracle<'a> {
    config: &'a ModelConfig,
    model: &'a Model,
    /// Widened weights of every linear, `[outputs][inputs]`.
    linears: BTreeMap<TensorId, Vec<Vec<f64>>>,
    /// By layer, then KV head: keys and values of every token so far.
    keys: Vec<Vec<Vec<Entry>>>,
    values: Vec<Vec<Vec<Coded>>>,
    sees: Sees<'a>,
}

/// Whether a query head of a layer sees a token from another: (layer, head, position, earlier position).
pub(crate) type Sees<'a> = &'a dyn Fn(usize, usize, usize, usize) -> bool;

/// INT8 codes and their scale.
#[derive(Clone)]
struct Coded {
    codes: Vec<f64>,
    scale: f64,
}

/// Whether a scale is stored as f16.
#[derive(Clone, Copy, PartialEq)]
enum ScaleKind {
    F32,
    F16,
}

/// INT8 codes: scale = largest magnitude / 127, nearest code, ties to even.
fn quantize(x: &[f64], kind: ScaleKind) -> Coded {
    let most = x.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let scale = match kind {
        ScaleKind::F32 => most / 127.0,
        ScaleKind::F16 => f16::from_f64(most / 127.0).to_f64(),
    };
    let code = |v: f64| if scale == 0.0 { 0.0 } else { (v / scale).round_ties_even().clamp(-127.0, 127.0) };
    Coded { codes: x.iter().map(|v| code(*v)).collect(), scale }
}

impl Coded {
    fn widened(&self) -> Vec<f64> {
        self.codes.iter().map(|code| code * self.scale).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(a: &mut [f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = x.iter().map(|x| (x - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|p| p / sum).collect()
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Relu => x.max(0.0),
        Activation::GeluTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
        Activation::GeluErf => unreachable!("not drawn"),
    }
}

fn rms_norm(x: &[f64], weight: &[f64], epsilon: f64) -> Vec<f64> {
    let mean = dot(x, x) / x.len() as f64;
    x.iter().zip(weight).map(|(x, w)| x / (mean + epsilon).sqrt() * w).collect()
}

impl<'a> Oracle<'a> {
    /// The start of a sequence.
    pub(crate) fn new(model: &'a Model, compressed: &CompressedModel) -> Self {
        let linears = compressed.linears.iter().map(|(id, linear)| (*id, widen(linear))).collect();
        let layers = model.config.layers;
        let heads = model.config.kv_heads;
        let (keys, values) = (vec![vec![Vec::new(); heads]; layers], vec![vec![Vec::new(); heads]; layers]);
        Self { config: &model.config, model, linears, keys, values, sees: &|_, _, _, _| true }
    }

    /// The same with heads that skip some of what is before them.
    #[allow(dead_code, reason = "one of the tests that share this oracle has no masks")]
    pub(crate) fn seeing(self, sees: Sees<'a>) -> Self {
        Self { sees, ..self }
    }

    fn tensor(&self, id: TensorId) -> Option<Vec<f64>> {
        let weights = self.model.weights.as_ref().expect("an oracle needs weights");
        weights.find(id).map(|tensor| tensor.data().iter().map(|v| f64::from(*v)).collect())
    }

    /// Row of a table that is stored as f16.
    fn row(&self, id: TensorId, row: usize) -> Vec<f64> {
        let weights = self.model.weights.as_ref().expect("an oracle needs weights");
        weights.get(id).row(row).iter().map(|v| f16::from_f32(*v).to_f64()).collect()
    }

    fn norm(&self, part: impl Fn(Param) -> TensorId, x: &[f64]) -> Vec<f64> {
        let weight = self.tensor(part(Param::Weight)).expect("a norm has a scale");
        let epsilon = self.config.norm.epsilon;
        match self.config.norm.kind {
            NormKind::Rms => rms_norm(x, &weight, epsilon),
            NormKind::Layer => {
                let mean = x.iter().sum::<f64>() / x.len() as f64;
                let centred: Vec<f64> = x.iter().map(|x| x - mean).collect();
                let mut out = rms_norm(&centred, &weight, epsilon);
                add(&mut out, &self.tensor(part(Param::Bias)).expect("a layer norm has a shift"));
                out
            }
        }
    }

    /// A linear on codes, with its bias if it has one.
    fn linear(&self, part: impl Fn(Param) -> TensorId, x: &Coded) -> Vec<f64> {
        let input = x.widened();
        let mut out: Vec<f64> = self.linears[&part(Param::Weight)].iter().map(|row| dot(row, &input)).collect();
        if let Some(bias) = self.tensor(part(Param::Bias)) {
            add(&mut out, &bias);
        }
        out
    }

    fn heads(&self, x: &[f64], norm: LayerPart, layer: usize, position: usize) -> Vec<Vec<f64>> {
        let heads = x.chunks(self.config.head_dim).map(<[f64]>::to_vec);
        heads
            .map(|mut head| {
                if self.config.head_norm == HeadNorm::Rms {
                    let weight = self.tensor(TensorId::Layer(layer, norm)).expect("a norm of heads");
                    head = rms_norm(&head, &weight, self.config.norm.epsilon);
                }
                if let Position::Rope(Rope { theta, rotary_dims, scaling }) = self.config.position {
                    let half = rotary_dims / 2;
                    for i in 0..half {
                        let wavelength = std::f64::consts::TAU * theta.powf(2.0 * i as f64 / rotary_dims as f64);
                        let angle = position as f64 * std::f64::consts::TAU / stretched(wavelength, scaling);
                        let (a, b) = (head[i], head[i + half]);
                        head[i] = a * angle.cos() - b * angle.sin();
                        head[i + half] = b * angle.cos() + a * angle.sin();
                    }
                }
                head
            })
            .collect()
    }

    fn attention(&mut self, layer: usize, input: &Coded) -> Vec<f64> {
        let at = |part| TensorId::Layer(layer, part);
        let query = self.linear(|p| at(LayerPart::Query(p)), input);
        let key = self.linear(|p| at(LayerPart::Key(p)), input);
        let value = self.linear(|p| at(LayerPart::Value(p)), input);
        let position = self.keys[layer][0].len();
        let queries = self.heads(&query, LayerPart::QueryNorm, layer, position);
        for (head, key) in self.heads(&key, LayerPart::KeyNorm, layer, position).iter().enumerate() {
            self.keys[layer][head].push(quantize(key, ScaleKind::F16).widened());
        }
        for (head, value) in value.chunks(self.config.head_dim).enumerate() {
            self.values[layer][head].push(quantize(value, ScaleKind::F16));
        }
        let group = self.config.heads / self.config.kv_heads;
        let mut attended = Vec::new();
        for (head, query) in queries.iter().enumerate() {
            let (keys, values) = (&self.keys[layer][head / group], &self.values[layer][head / group]);
            let query = quantize(query, ScaleKind::F32).widened();
            let sees = |(at, _): &(usize, _)| (self.sees)(layer, head, position, *at);
            let keys: Vec<&Entry> = keys.iter().enumerate().filter(sees).map(|(_, key)| key).collect();
            let sees = |(at, _): &(usize, _)| (self.sees)(layer, head, position, *at);
            let values: Vec<&Coded> = values.iter().enumerate().filter(sees).map(|(_, value)| value).collect();
            let root = (self.config.head_dim as f64).sqrt();
            let scores: Vec<f64> = keys.iter().map(|key| dot(&query, key) / root).collect();
            // The values' scales go into the weights, so that their codes can be summed as integers.
            let weights: Vec<f64> = softmax(&scores).iter().zip(&values).map(|(p, v)| p * v.scale).collect();
            let weights = quantize(&weights, ScaleKind::F32).widened();
            let mut sum = vec![0.0; self.config.head_dim];
            for (weight, value) in weights.iter().zip(&values) {
                add(&mut sum, &value.codes.iter().map(|code| code * weight).collect::<Vec<f64>>());
            }
            attended.extend(sum);
        }
        self.linear(|p| at(LayerPart::AttentionOutput(p)), &quantize(&attended, ScaleKind::F32))
    }

    fn feed_forward(&self, layer: usize, input: &Coded) -> Vec<f64> {
        let at = |part| TensorId::Layer(layer, part);
        let ff = self.config.feed_forward;
        let gated = |gate: &[f64], up: &[f64]| -> Coded {
            let product = gate.iter().zip(up).map(|(g, u)| activate(ff.activation, *g) * u);
            quantize(&product.collect::<Vec<f64>>(), ScaleKind::F32)
        };
        let Some(experts) = ff.experts else {
            let up = self.linear(|p| at(LayerPart::Up(p)), input);
            let hidden = match ff.gating {
                Gating::Gated => gated(&self.matrix(at(LayerPart::Gate), input), &up),
                Gating::Plain => {
                    let hidden: Vec<f64> = up.iter().map(|x| activate(ff.activation, *x)).collect();
                    quantize(&hidden, ScaleKind::F32)
                }
            };
            return self.linear(|p| at(LayerPart::Down(p)), &hidden);
        };
        let scores = self.matrix(at(LayerPart::Router), input);
        let mut order: Vec<usize> = (0..experts.count).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order.truncate(experts.top_k);
        let shares = softmax(&order.iter().map(|e| scores[*e]).collect::<Vec<f64>>());
        let mut out = vec![0.0; self.config.hidden];
        for (expert, share) in order.iter().zip(shares) {
            let part = |part| at(LayerPart::Expert(*expert, part));
            let (gate, up) = (self.matrix(part(ExpertPart::Gate), input), self.matrix(part(ExpertPart::Up), input));
            let down = self.matrix(part(ExpertPart::Down), &gated(&gate, &up));
            add(&mut out, &down.iter().map(|x| x * share).collect::<Vec<f64>>());
        }
        out
    }

    /// A linear that never has a bias.
    fn matrix(&self, id: TensorId, x: &Coded) -> Vec<f64> {
        let input = x.widened();
        self.linears[&id].iter().map(|row| dot(row, &input)).collect()
    }

    /// The logits after one more token.
    pub(crate) fn forward(&mut self, token: u32) -> Vec<f64> {
        let mut x = self.row(TensorId::Embedding, token as usize);
        if let Position::Learned { offset } = self.config.position {
            let position = self.keys[0][0].len();
            add(&mut x, &self.row(TensorId::PositionEmbedding, position + offset));
        }
        for layer in 0..self.config.layers {
            let at = |part| TensorId::Layer(layer, part);
            let normed = |x: &[f64], oracle: &Self, second: bool| {
                let part = |p| if second { LayerPart::FeedForwardNorm(p) } else { LayerPart::AttentionNorm(p) };
                quantize(&oracle.norm(|p| at(part(p)), x), ScaleKind::F32)
            };
            let input = normed(&x, self, false);
            let attended = self.attention(layer, &input);
            let fed = match self.config.residual {
                Residual::Sequential => {
                    add(&mut x, &attended);
                    self.feed_forward(layer, &normed(&x, self, true))
                }
                Residual::ParallelOneNorm => {
                    let fed = self.feed_forward(layer, &input);
                    add(&mut x, &attended);
                    fed
                }
                Residual::ParallelTwoNorms => {
                    let fed = self.feed_forward(layer, &normed(&x, self, true));
                    add(&mut x, &attended);
                    fed
                }
            };
            add(&mut x, &fed);
        }
        let last = quantize(&self.norm(TensorId::FinalNorm, &x), ScaleKind::F32);
        self.linear(TensorId::Output, &last)
    }
}

/// The weights `[outputs][inputs]` of integer codes; 0 where nothing is stored.
fn widen(linear: &CompressedLinear) -> Vec<Vec<f64>> {
    let stored = linear.codes.len() / linear.outputs;
    let group = match linear.group {
        Grouping::Channel => stored,
        Grouping::Stored(weights) => weights as usize,
    };
    let groups = stored.div_ceil(group);
    let half = |pattern: u16| f16::from_bits(pattern).to_f64();
    let mut all = vec![vec![0.0; linear.inputs]; linear.outputs];
    for (output, row) in all.iter_mut().enumerate() {
        for i in 0..stored {
            let at = output * groups + i / group;
            let scale = match &linear.scales {
                Scales::F16 { bits } => half(bits[at]),
                Scales::TwoLevel { group, column } => f64::from(group[at]) * half(column[output]),
            };
            // What fills the short last block of a row lies beyond its end.
            if let Some(weight) = row.get_mut(input(linear, (output, i), stored)) {
                *weight = f64::from(linear.codes[output * stored + i]) * scale;
            }
        }
    }
    all
}

/// The input that stored weight `i` of an output multiplies.
fn input(linear: &CompressedLinear, (output, i): (usize, usize), stored: usize) -> usize {
    let uniform = |n, m| i / n * m + usize::from(linear.indices[output * stored + i]);
    match linear.sparsity {
        Sparsity::Dense => i,
        Sparsity::N1M4 => uniform(1, 4),
        Sparsity::N2M4 => uniform(2, 4),
        Sparsity::N2M16 => uniform(2, 16),
        Sparsity::N4M16 => uniform(4, 16),
        Sparsity::N8M16 => uniform(8, 16),
        Sparsity::Blocks4M16
        | Sparsity::Blocks6M16
        | Sparsity::Blocks8M16
        | Sparsity::Blocks10M16
        | Sparsity::Blocks12M16 => {
            // The weights of a window of 8 blocks stand one block behind the other; a density byte says where each begins
            // (in pairs) and how many weights it has.
            let windows = linear.inputs.div_ceil(128);
            let (window, place) = (i / (stored / windows), i % (stored / windows));
            let bytes = &linear.densities[(output / 16 * windows + window) * 8..][..8];
            let has = |byte: &u8| {
                let (first, weights) = (2 * usize::from(byte & 63), 2 << (byte >> 6));
                (first..first + weights).contains(&place)
            };
            let block = bytes.iter().position(has).expect("every stored weight has a block");
            window * 128 + block * 16 + usize::from(linear.indices[output * stored + i])
        }
    }
}

/// A rotary wave's length in positions after scaling, case by case as its authors published it.
fn stretched(wavelength: f64, scaling: RopeScaling) -> f64 {
    match scaling {
        RopeScaling::None => wavelength,
        RopeScaling::Linear { factor } => wavelength * factor,
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            let context = original_context as f64;
            if wavelength < context / high_freq_factor {
                wavelength
            } else if wavelength > context / low_freq_factor {
                wavelength * factor
            } else {
                let smooth = (context / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
                wavelength / ((1.0 - smooth) / factor + smooth)
            }
        }
    }
}
