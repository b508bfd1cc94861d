//! Cycles and accesses of one step in the layer model: every matrix of the decoder, then a sum over them.

use super::{BitSixteenths, Design, FeedForwardKind, Multiplier, Preset, Shape, Task};

/// Bytes that DRAM moves a cycle: 128 bits at both edges of 1 GHz.
const DRAM_BYTES_PER_CYCLE: u64 = 32;
/// Bytes of an activation.
const ACTIVATION_BYTES: u64 = 2;
/// Bits of an activation.
const ACTIVATION_BITS: u32 = 16;
/// Bits of one SRAM write.
const WRITE_BITS: u64 = 64;

/// What a step takes, in whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Cycles of 1 GHz: the longer of computation and DRAM, added over layers.
    pub cycles: u64,
    /// Cycles of computation alone.
    pub compute_cycles: u64,
    /// Steps of the array: a tile of outputs by tokens, `dot` inputs deep.
    pub tile_steps: u64,
    /// Bytes from and to DRAM.
    pub dram_bytes: u64,
    /// Writes of 64 bits into the weight SRAM.
    pub weight_writes: u64,
    /// Writes of 64 bits into the input SRAM, results included.
    pub input_writes: u64,
}

/// Whether a matrix holds weights or keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Linear,
    Attention,
}

/// A product of a stored matrix with inputs, as the simulators describe it. Input width and token count are apart from the
/// matrix's own because the paper's attention has them contradict each other.
#[derive(Clone, Copy, Debug)]
struct Matrix {
    kind: Kind,
    /// How often it stands in the model.
    instances: u64,
    /// How many independent ones it is: KV heads in the release.
    batch: u64,
    inputs: u64,
    outputs: u64,
    /// Elements of an input row as bytes are counted.
    input_width: u64,
    /// Rows of the result.
    tokens: u64,
}

/// What is counted, whatever the design and the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// A prompt or a token.
    pub task: Task,
    /// Tokens of the prompt, or entries of the KV cache.
    pub context: u32,
    /// Bytes of the weight SRAM, and of the input SRAM.
    pub sram_bytes: u64,
}

/// What one step of a design on a model takes. `weight_bits` are the design's for this model and task.
pub fn count(design: &Design, weight_bits: BitSixteenths, shape: &Shape, step: Step) -> Counts {
    let context = u64::from(step.context);
    let tokens = match step.task {
        Task::Discriminative => context,
        Task::Generative => 1,
    };
    let mut matrices = linears(shape, tokens);
    matrices.extend(match design.preset {
        Preset::Paper => attention_merged(shape, tokens, context),
        Preset::HpcaRelease => attention_by_head(shape, tokens, context),
    });
    let mut sum = Counts::default();
    for matrix in &matrices {
        let one = of_matrix(design, weight_bits, step, matrix);
        sum.cycles += matrix.instances * one.cycles;
        sum.compute_cycles += matrix.instances * one.compute_cycles;
        sum.tile_steps += matrix.instances * one.tile_steps;
        sum.dram_bytes += matrix.instances * one.dram_bytes;
        sum.weight_writes += matrix.instances * one.weight_writes;
        sum.input_writes += matrix.instances * one.input_writes;
    }
    sum
}

/// Query, key, value and output projections, the feed-forward part, the output head.
fn linears(shape: &Shape, tokens: u64) -> Vec<Matrix> {
    let (hidden, inner) = (shape.hidden, shape.feed_forward);
    let kv_width = hidden / shape.heads * shape.kv_heads;
    let mut shapes = vec![(hidden, hidden), (hidden, kv_width), (hidden, kv_width), (hidden, hidden)];
    shapes.extend(match shape.feed_forward_kind {
        FeedForwardKind::Plain => vec![(hidden, inner), (inner, hidden)],
        FeedForwardKind::Gated => vec![(hidden, inner), (hidden, inner), (inner, hidden)],
    });
    let linear = |instances, (inputs, outputs)| Matrix {
        kind: Kind::Linear,
        instances,
        batch: 1,
        inputs,
        outputs,
        input_width: inputs,
        tokens,
    };
    let mut all: Vec<Matrix> = shapes.into_iter().map(|shape_of| linear(shape.layers, shape_of)).collect();
    all.push(linear(1, (hidden, shape.vocabulary)));
    all
}

/// The paper's attention: all heads in one matrix, queries and scores as the stored ones, and rows of keys and values counted
/// by the rows of the result.
fn attention_merged(shape: &Shape, tokens: u64, context: u64) -> Vec<Matrix> {
    let kv_width = shape.hidden / shape.heads * shape.kv_heads;
    let score_rows = shape.heads * tokens;
    let attention = |inputs, outputs, rows| Matrix {
        kind: Kind::Attention,
        instances: shape.layers,
        batch: 1,
        inputs,
        outputs,
        input_width: kv_width,
        tokens: rows,
    };
    vec![attention(shape.hidden, tokens, score_rows), attention(context, score_rows, tokens)]
}

/// The release's attention: keys and values as the stored matrices, one a KV head, for the queries that share it.
fn attention_by_head(shape: &Shape, tokens: u64, context: u64) -> Vec<Matrix> {
    let width = shape.hidden / shape.heads;
    let rows = shape.heads / shape.kv_heads * tokens;
    let attention = |inputs, outputs| Matrix {
        kind: Kind::Attention,
        instances: shape.layers,
        batch: shape.kv_heads,
        inputs,
        outputs,
        input_width: inputs,
        tokens: rows,
    };
    vec![attention(width, context), attention(context, width)]
}

/// One instance of a matrix.
fn of_matrix(design: &Design, weight_bits: BitSixteenths, step: Step, matrix: &Matrix) -> Counts {
    let array = design.arrays.of(step.task);
    let Matrix { batch, inputs, outputs, tokens, .. } = *matrix;
    let tile_steps = inputs.div_ceil(design.dot.into())
        * outputs.div_ceil(array.rows.into())
        * tokens.div_ceil(array.columns.into())
        * batch;
    let compute_cycles = tile_steps * terms(design, weight_bits, matrix.kind);

    let stored = stored_bits(design, weight_bits, matrix.kind);
    let weights = bytes_of(inputs, stored) * outputs * batch;
    let fetched = matrix.input_width * ACTIVATION_BYTES * tokens * batch;
    let results = outputs * ACTIVATION_BYTES * tokens * batch;
    let (weight_fetches, input_fetches) = fetches(weights, fetched, step.sram_bytes);
    let dram_bytes = weights * weight_fetches + fetched * input_fetches + results;

    let written = match design.preset {
        // The paper's simulator passes the weights' width to every layer here.
        Preset::Paper => weight_bits,
        Preset::HpcaRelease => stored,
    };
    let row_writes = |elements: u64| (elements * u64::from(ACTIVATION_BITS)).div_ceil(WRITE_BITS) * tokens * batch;
    Counts {
        cycles: compute_cycles.max(dram_bytes / DRAM_BYTES_PER_CYCLE),
        compute_cycles,
        tile_steps,
        dram_bytes,
        weight_writes: (inputs * u64::from(written.0)).div_ceil(16 * WRITE_BITS) * outputs * batch * weight_fetches,
        input_writes: row_writes(matrix.input_width) * input_fetches + row_writes(outputs),
    }
}

/// Cycles of a PE for one weight.
fn terms(design: &Design, weight_bits: BitSixteenths, kind: Kind) -> u64 {
    let whole = u64::from(match (design.preset, kind) {
        (Preset::HpcaRelease, Kind::Attention) => design.kv_bits,
        (Preset::HpcaRelease, Kind::Linear) | (Preset::Paper, Kind::Linear | Kind::Attention) => weight_bits.0 / 16,
    });
    match (design.multiplier, design.preset) {
        (Multiplier::Parallel, _) => 1,
        (Multiplier::BitSerial, Preset::Paper) => half_to_even(whole),
        (Multiplier::BitSerial, Preset::HpcaRelease) => whole.div_ceil(2),
    }
}

/// Half of a whole number, rounded as Python's `round` does: a half goes to the even neighbour.
fn half_to_even(whole: u64) -> u64 {
    let below = whole / 2;
    if whole % 2 == 1 && below % 2 == 1 { below + 1 } else { below }
}

/// Width of a stored element in DRAM.
fn stored_bits(design: &Design, weight_bits: BitSixteenths, kind: Kind) -> BitSixteenths {
    match (kind, design.preset) {
        (Kind::Linear, _) => weight_bits,
        (Kind::Attention, Preset::Paper) => BitSixteenths(16 * ACTIVATION_BITS),
        (Kind::Attention, Preset::HpcaRelease) => BitSixteenths(16 * design.kv_bits),
    }
}

/// Whole bytes of a row of elements.
fn bytes_of(elements: u64, bits: BitSixteenths) -> u64 {
    (elements * u64::from(bits.0)).div_ceil(16 * 8)
}

/// How often weights and inputs are fetched: once, unless neither fits.
fn fetches(weights: u64, inputs: u64, sram_bytes: u64) -> (u64, u64) {
    if weights <= sram_bytes || inputs <= sram_bytes {
        return (1, 1);
    }
    let (of_weights, of_inputs) = (inputs.div_ceil(sram_bytes), weights.div_ceil(sram_bytes));
    if of_weights * weights + inputs < of_inputs * inputs + weights { (of_weights, 1) } else { (1, of_inputs) }
}

#[cfg(test)]
mod tests {
    use super::super::{Array, PerTask};
    use super::*;
    use crate::technology::Block;

    fn design(preset: Preset) -> Design {
        let array = Array { rows: 4, columns: 2 };
        let (bits, pe) = (vec![BitSixteenths(81)], Block::of_nothing());
        Design {
            id: "d".to_owned(),
            title: "a small array".to_owned(),
            preset,
            multiplier: Multiplier::BitSerial,
            dot: 4,
            arrays: PerTask { discriminative: array, generative: array },
            pe,
            weight_bits: PerTask { discriminative: bits.clone(), generative: bits },
            kv_bits: 8,
            source: "this test".to_owned(),
        }
    }

    /// A layer of 8 wide, 4 heads on 2 KV heads, one token at 6 entries, 5.0625 bits a weight: every matrix by hand.
    #[test]
    fn a_small_layer_is_counted_as_by_hand() {
        let shape = Shape {
            layers: 1,
            hidden: 8,
            heads: 4,
            kv_heads: 2,
            feed_forward: 16,
            feed_forward_kind: FeedForwardKind::Plain,
            vocabulary: 10,
        };
        // Tile steps of q, k, v, o, up, down, head: 4 2 2 4 8 8 6; bytes 80 48 48 80 144 136 96.
        let (steps, bytes) = (34, 632);
        // Release: 3 terms a weight, 4 a key or value; keys and values take 4 steps, 24 bytes stored and 64 moved each.
        let release = Counts {
            cycles: 3 * steps + 4 * 8,
            compute_cycles: 3 * steps + 4 * 8,
            tile_steps: steps + 8,
            dram_bytes: bytes + 2 * 88,
            weight_writes: 66 + 12 + 4,
            input_writes: 31 + 12 + 12,
        };
        // Paper: 2 terms each; scores (8 by 1, 4 rows of KV width 4) take 2 x 1 x 2 steps, values (6 by 4, 1 row) 2 x 1 x 1;
        // 16 + 32 + 8 and 48 + 8 + 8 bytes; rows of 8 and 6 weights are one write each, times 1 and 4.
        let paper = Counts {
            cycles: 2 * (steps + 6),
            compute_cycles: 2 * (steps + 6),
            tile_steps: steps + 6,
            dram_bytes: bytes + 56 + 64,
            weight_writes: 66 + 1 + 4,
            input_writes: 31 + 8 + 2,
        };
        for (preset, expected) in [(Preset::HpcaRelease, release), (Preset::Paper, paper)] {
            let design = design(preset);
            let step = Step { task: Task::Generative, context: 6, sram_bytes: 512 << 10 };
            assert_eq!(count(&design, BitSixteenths(81), &shape, step), expected, "{}", preset.name());
        }
        println!("compared {} counts", 2 * 6);
    }

    #[test]
    fn terms_are_rounded_as_python_does() {
        // round(n / 2) of Python 3 for n = 0..=16.
        let python = [0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5, 6, 6, 6, 7, 8, 8];
        let ours: Vec<u64> = (0..=16).map(half_to_even).collect();
        assert_eq!(ours, python);
        println!("compared {} roundings", python.len());
    }

    #[test]
    fn what_fits_is_fetched_once_and_the_cheaper_of_two_twice() {
        let kib = |n: u64| n << 10;
        let cases = [
            ((kib(512), kib(4096)), (1, 1)),
            ((kib(4096), kib(512)), (1, 1)),
            // 2 x 600 + 1024 < 2 x 1024 + 600.
            ((kib(600), kib(1024)), (2, 1)),
            // 2 x 1024 + 600 is more than 2 x 600 + 1024.
            ((kib(1024), kib(600)), (1, 2)),
            // A tie fetches the inputs again.
            ((kib(1024), kib(1024)), (1, 2)),
        ];
        for ((weights, inputs), expected) in cases {
            assert_eq!(fetches(weights, inputs, kib(512)), expected, "{weights} {inputs}");
        }
        println!("compared {} cases", cases.len());
    }
}
