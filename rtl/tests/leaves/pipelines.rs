//! Leaves that are pipelines: one operand a period, results a fixed number of periods later.

use hw_config::latency::{
    ADD_CYCLES, BLOCK_CHOICE_CYCLES, CANDIDATES_CYCLES, MUL_CYCLES, MULTIPLY_ADD_CYCLES, QUANTIZE_I8_CYCLES,
};
use hw_config::numeric::convert::{f16_to_f32, i32_to_f32, quantize_i8};
use hw_config::numeric::density::{BLOCKS, CHOICES, block_of_pair, window_bytes};
use hw_config::numeric::fp32::{add, canonical, flush, mul, sub};
use hw_config::numeric::packed::packed_pair_mac;

use crate::operands::{
    Random, exponent, factor, factors, near_codes, special_pairs, specials, summands, tie_grid, tied_products,
};
use crate::trace::{Trace, Value, field, pack, word};

/// Drawn operands of a leaf.
const DRAWN: u32 = 60_000;
/// Steps of the leaves with a clock enable.
const STEPS: usize = 4_000;
/// Products of the traced chain leaves.
const CHAIN: usize = 4;

pub(crate) fn fp32_add() -> Trace {
    let mut random = Random(21);
    let drawn = (0..DRAWN).map(|draw| {
        let [a, b] = summands(&mut random, draw);
        [a, b, random.bits() & 1]
    });
    let fixed = special_pairs().flat_map(|[a, b]| [[a, b, 0], [a, b, 1]]);
    pipeline(&["a_i", "b_i", "subtract_i"], ADD_CYCLES, fixed.chain(drawn), |[a, b, subtract]| {
        let [a, b] = [a, b].map(|bits| flush(f32::from_bits(bits)));
        canonical(if subtract == 1 { sub(a, b) } else { add(a, b) }).to_bits()
    })
}

pub(crate) fn fp32_mul() -> Trace {
    let mut random = Random(22);
    let drawn = (0..DRAWN).map(|draw| factors(&mut random, draw));
    // Products that are a tie but for one bit far below.
    let lone_bits = (2..=16).map(|bit| [0x3f80_0002, 0x3fa0_0000 | 1 << (bit - 1)]);
    pipeline(&["a_i", "b_i"], MUL_CYCLES, special_pairs().chain(lone_bits).chain(drawn), |[a, b]| {
        let [a, b] = [a, b].map(|bits| flush(f32::from_bits(bits)));
        canonical(mul(a, b)).to_bits()
    })
}

/// Every signed 6 x 7 bits, each with an addend at an end of its range or drawn.
pub(crate) fn lut_multiply_signed() -> Trace {
    let signed = |bits: u32, width: u32| (bits << (32 - width)).cast_signed() >> (32 - width);
    let mut random = Random(24);
    let operands = (0..1 << 13).map(move |pair: u32| [pair % 64, pair / 64, random.bits() % (1 << 15)]);
    pipeline(&["a_i", "b_i", "c_i"], MULTIPLY_ADD_CYCLES, operands, move |[a, b, c]| {
        (signed(a, 6) * signed(b, 7) + signed(c, 15)).cast_unsigned() % (1 << 15)
    })
}

/// Every unsigned 5 x 9 bits, as far as their 11 low bits go.
pub(crate) fn lut_multiply_low() -> Trace {
    let operands = (0..1 << 14).map(|pair: u32| [pair % 32, pair / 32]);
    pipeline(&["a_i", "b_i"], MULTIPLY_ADD_CYCLES - 1, operands, |[a, b]| a * b % (1 << 11))
}

pub(crate) fn fp32_quantize() -> Trace {
    let mut random = Random(23);
    let drawn = (0..DRAWN).map(|draw| near_codes(&mut random, draw));
    let fixed = special_pairs().chain(tie_grid(24).step_by(3)).chain(tied_products(47));
    pipeline(&["a_i", "b_i"], QUANTIZE_I8_CYCLES, fixed.chain(drawn), |[a, b]| {
        let [a, b] = [a, b].map(|bits| flush(f32::from_bits(bits)));
        u32::from(quantize_i8(a, b).cast_unsigned())
    })
}

fn pipeline<const N: usize>(
    ports: &[&'static str; N],
    latency: u32,
    operands: impl Iterator<Item = [u32; N]>,
    expected: impl Fn([u32; N]) -> u32,
) -> Trace {
    let mut trace = Trace::new(ports, &["y_o"]);
    let operands: Vec<[u32; N]> = operands.chain(std::iter::repeat_n([0; N], latency as usize)).collect();
    for (period, tuple) in operands.iter().enumerate() {
        let result = period.checked_sub(latency as usize).map(|at| vec![expected(operands[at])]);
        trace.push(tuple.map(|value| vec![value]).to_vec(), vec![result]);
    }
    trace
}

/// A pipeline with a clock enable, held now and then. `drive` gives the inputs before the n-th enabled edge, without
/// the enable; `expected` the outputs after the enabled edge that is `latency` after the first that saw step n.
fn held_pipeline(
    mut trace: Trace,
    seed: u64,
    latency: usize,
    drive: impl Fn(usize) -> Vec<Value>,
    expected: impl Fn(usize) -> Vec<Value>,
) -> Trace {
    let mut random = Random(seed);
    let mut edges = 0;
    while edges < STEPS {
        let is_enabled = random.below(4) > 0;
        // What comes while it is held is of another step.
        let of = if is_enabled { edges } else { random.below(STEPS as u32) as usize };
        let outputs = match edges.checked_sub(latency) {
            Some(step) => expected(step).into_iter().map(Some).collect(),
            None => vec![None; trace.outputs.len()],
        };
        trace.push([vec![word(u64::from(is_enabled))], drive(of)].concat(), outputs);
        edges += usize::from(is_enabled);
    }
    trace
}

/// A step that is before the first, or past the last, is the last.
fn step_of(at: usize, before: usize) -> usize {
    at.checked_sub(before).filter(|step| *step < STEPS).unwrap_or(STEPS - 1)
}

fn codes(random: &mut Random, count: usize) -> Vec<u64> {
    // The ends of the range more often than by chance.
    (0..count)
        .map(|_| if random.below(8) == 0 { random.one_of(&[0x80, 0x7f, 0, 0xff]).into() } else { random.wide(8) })
        .collect()
}

pub(crate) fn weight_expander() -> Trace {
    expander(true)
}

/// An expander that multiplies nothing, whatever it is told.
pub(crate) fn weight_expander_of_one_level() -> Trace {
    expander(false)
}

fn expander(has_two_level: bool) -> Trace {
    struct Step {
        piece: Vec<u64>,
        unit: u64,
        bits: usize,
        two_level: bool,
        scale: u64,
    }
    let mut random = Random(25);
    let steps: Vec<Step> = (0..STEPS)
        .map(|_| {
            let bits = random.one_of(&[2, 3, 4, 5, 8]) as usize;
            let unit = if bits == 8 { 0 } else { random.wide(3) };
            let piece = codes(&mut random, CHAIN);
            // Codes of 8 bits have one integer scale: 1.
            let scale = if bits == 8 { 1 } else { random.wide(4) };
            Step { piece, unit, bits, two_level: random.below(2) == 1, scale }
        })
        .collect();
    let inputs = ["enable_i", "piece_i", "unit_i", "code_bits_i", "two_level_i", "integer_scale_i"];
    let drive = |edge: usize| {
        let [first, second, third] = [0, 1, 2].map(|before| &steps[step_of(edge, before)]);
        let (two_level, scale) = (word(third.two_level.into()), word(third.scale));
        vec![pack(&first.piece, 8), word(first.unit), word(second.bits as u64), two_level, scale]
    };
    let expected = |step: usize| {
        let Step { piece, unit, bits, two_level, scale } = &steps[step];
        // From unit 4 on, the piece's first half is that of the chunk behind.
        let (first, second) = piece.split_at(CHAIN / 2);
        let stream = pack(&[first, second, first].concat(), 8);
        let code = |i: usize| {
            let raw = field(&stream, *unit as usize * CHAIN + i * bits, *bits);
            let signed = (raw << (32 - bits)).cast_signed() >> (32 - bits);
            let product = if has_two_level && *two_level { signed * *scale as i32 } else { signed };
            u64::from(product.cast_unsigned() & 0xff)
        };
        vec![pack(&(0..CHAIN).map(code).collect::<Vec<_>>(), 8)]
    };
    held_pipeline(Trace::new(&inputs, &["codes_o"]), 26, 3, drive, expected)
}

/// One of 16 bytes, every index.
pub(crate) fn mux_16() -> Trace {
    let mut random = Random(34);
    let mut trace = Trace::new(&["words_i", "index_i"], &["word_o"]);
    for step in 0..STEPS {
        let (words, index) = (codes(&mut random, 16), step % 16);
        trace.push(vec![pack(&words, 8), word(index as u64)], vec![Some(word(words[index]))]);
    }
    trace
}

pub(crate) fn choose_word() -> Trace {
    let mut random = Random(35);
    let mut trace = Trace::new(&["choose_i", "one_i", "zero_i"], &["word_o"]);
    for _ in 0..STEPS {
        let (choose, one, zero) = (random.wide(1), random.wide(8), random.wide(8));
        trace.push([choose, one, zero].map(word).to_vec(), vec![Some(word(if choose == 1 { one } else { zero }))]);
    }
    trace
}

pub(crate) fn index_expander() -> Trace {
    let mut random = Random(27);
    let steps: Vec<(Vec<u64>, u64, usize, bool)> = (0..STEPS)
        .map(|_| {
            let bits = random.one_of(&[2, 4]) as usize;
            // A step never straddles two chunks of eight units.
            let unit = u64::from(random.below(8 / bits as u32)) * bits as u64;
            (codes(&mut random, CHAIN), unit, bits, random.below(2) == 1)
        })
        .collect();
    let drive = |edge: usize| {
        let [first, second] = [0, 1].map(|before| &steps[step_of(edge, before)]);
        vec![pack(&first.0, 8), word(first.1), word(second.2 as u64), word(second.3.into())]
    };
    let expected = |step: usize| {
        let (piece, unit, bits, single) = &steps[step];
        let stream = pack(piece, 8);
        // The second of a pair has its own four candidates behind those of the first.
        let behind = |i: usize| if *bits == 2 && *single && i % 2 == 1 { 4 } else { 0 };
        let index = |i: usize| behind(i) + u64::from(field(&stream, *unit as usize * CHAIN + i * bits, *bits));
        vec![pack(&(0..CHAIN).map(index).collect::<Vec<_>>(), 4)]
    };
    let inputs = ["enable_i", "piece_i", "unit_i", "index_bits_i", "single_i"];
    held_pipeline(Trace::new(&inputs, &["indices_o"]), 28, 2, drive, expected)
}

/// Density bytes of windows, and bytes that no window has; patterns of one N between them.
pub(crate) fn block_choice() -> Trace {
    let mut random = Random(36);
    let steps: Vec<([u8; BLOCKS], u64, bool, u64)> = (0..STEPS)
        .map(|_| {
            let kept = [(); BLOCKS].map(|()| random.one_of(&CHOICES.map(u32::from)) as u8);
            // More pairs than a byte can count are no window's, but bytes all the same.
            let fits = kept.iter().map(|n| u32::from(*n) / 2).sum::<u32>() < 64;
            let bytes = if fits && random.below(4) > 0 {
                window_bytes(kept)
            } else {
                [(); BLOCKS].map(|()| random.wide(8) as u8)
            };
            (bytes, random.wide(3), random.below(4) > 0, random.one_of(&[2, 4, 8]).into())
        })
        .collect();
    let drive = |edge: usize| {
        let (bytes, phase, of_blocks, ratio) = &steps[step_of(edge, 0)];
        vec![pack(&bytes.map(u64::from), 8), word(*phase), word((*of_blocks).into()), word(*ratio)]
    };
    let expected = |step: usize| {
        let (bytes, phase, of_blocks, ratio) = &steps[step];
        let block = |pair: u64| match of_blocks {
            true => block_of_pair(bytes, (phase * 8 + pair) as u32) as u64,
            // M / N words for 8 pairs.
            false => pair * ratio / 8,
        };
        vec![pack(&(0..8).map(block).collect::<Vec<_>>(), 3)]
    };
    let inputs = ["enable_i", "density_i", "phase_i", "of_blocks_i", "ratio_i"];
    held_pipeline(Trace::new(&inputs, &["blocks_o"]), 37, BLOCK_CHOICE_CYCLES as usize, drive, expected)
}

/// Candidates of 16 multipliers, of every pattern.
pub(crate) fn sparse_candidates() -> Trace {
    let mut random = Random(38);
    // Ratio and index bits: dense, 2:4, 1:4, and of 16 whatever block each pair has, with any N.
    let steps: Vec<_> = (0..STEPS / 4)
        .map(|_| {
            let of_16 = (random.one_of(&[2, 4, 8]).into(), 4);
            let pattern: (u64, u64) = [(1, 0), (2, 2), (4, 2), of_16][random.below(4) as usize];
            let blocks: Vec<u64> = (0..8).map(|_| random.wide(3)).collect();
            (codes(&mut random, 128), pattern, blocks)
        })
        .collect();
    let step_of = |at: usize| steps.get(at).unwrap_or(&steps[steps.len() - 1]);
    let drive = |edge: usize| {
        let (window, (ratio, bits), blocks) = step_of(edge);
        vec![pack(window, 8), word(*ratio), word(*bits), pack(blocks, 3)]
    };
    let expected = |step: usize| {
        let (window, (ratio, bits), blocks) = step_of(step);
        let candidate = |pair: usize, at: usize| match bits {
            // A pair's own two; M of its group, or of both weights' groups.
            0 if at < 2 => window[2 * pair + at],
            2 if at < 2 * *ratio as usize => window[2 * *ratio as usize * pair + at],
            0 | 2 => 0,
            _ => window[16 * blocks[pair] as usize + at],
        };
        let all: Vec<u64> = (0..128).map(|i| candidate(i / 16, i % 16)).collect();
        vec![pack(&all, 8)]
    };
    let inputs = ["enable_i", "window_i", "ratio_i", "index_bits_i", "blocks_i"];
    held_pipeline(Trace::new(&inputs, &["candidates_o"]), 39, CANDIDATES_CYCLES as usize, drive, expected)
}

/// What comes to `chain_operands` for a step: bytes, and indices of four bits.
struct Operands {
    vector: bool,
    indices: Vec<u64>,
    /// Codes lo and hi, column's codes, row, row lo and hi, in the order of the ports.
    codes: [Vec<u64>; 6],
    lo_candidates: Vec<u64>,
    hi_candidates: Vec<u64>,
}

impl Operands {
    fn draw(random: &mut Random) -> Self {
        let vector = random.below(3) == 1;
        let drawn = [(); 6].map(|()| codes(random, CHAIN));
        let [lo_candidates, hi_candidates] = [(); 2].map(|()| codes(random, 8 * CHAIN));
        let indices = (0..CHAIN).map(|_| random.wide(4)).collect();
        Self { vector, indices, codes: drawn, lo_candidates, hi_candidates }
    }

    fn inputs(&self) -> Vec<Value> {
        let [lo_codes, hi_codes, column, row, lo_row, hi_row] = self.codes.each_ref().map(|values| pack(values, 8));
        let candidates = [&self.lo_candidates, &self.hi_candidates].map(|values| pack(values, 8));
        let before = [word(self.vector.into()), lo_codes, hi_codes, column, pack(&self.indices, 4)];
        before.into_iter().chain([row, lo_row, hi_row]).chain(candidates).collect()
    }

    fn outputs(&self) -> Vec<Value> {
        // Two products have 16 candidates together.
        let picked = |candidates: &[u64]| {
            let pick = |i: usize| candidates[16 * (i / 2) + self.indices[i] as usize];
            (0..CHAIN).map(pick).collect::<Vec<_>>()
        };
        let [lo_codes, hi_codes, column, row, ..] = self.codes.clone();
        let chosen = match self.vector {
            true => [lo_codes, hi_codes, row],
            false => [picked(&self.lo_candidates), picked(&self.hi_candidates), column],
        };
        chosen.map(|values| pack(&values, 8)).to_vec()
    }
}

pub(crate) fn chain_operands() -> Trace {
    let mut random = Random(29);
    let steps: Vec<Operands> = (0..STEPS).map(|_| Operands::draw(&mut random)).collect();
    let inputs = [
        "enable_i",
        "vector_i",
        "lo_codes_i",
        "hi_codes_i",
        "column_codes_i",
        "column_indices_i",
        "row_i",
        "lo_row_i",
        "hi_row_i",
        "lo_candidates_i",
        "hi_candidates_i",
    ];
    let trace = Trace::new(&inputs, &["lo_o", "hi_o", "shared_o"]);
    held_pipeline(trace, 30, 1, |edge| steps[step_of(edge, 0)].inputs(), |step| steps[step].outputs())
}

pub(crate) fn dsp_pair_mac() -> Trace {
    let mut random = Random(31);
    let steps: Vec<([i8; 3], i64)> = (0..STEPS)
        .map(|_| {
            let operands = codes(&mut random, 3);
            ([0, 1, 2].map(|i| (operands[i] as u8).cast_signed()), random.wide(48).cast_signed())
        })
        .collect();
    let drive = |edge: usize| {
        let operands = steps[step_of(edge, 0)].0;
        let cascade = steps[step_of(edge, 3)].1;
        let mut values = operands.map(|value| word(u64::from(value.cast_unsigned()))).to_vec();
        values.push(word(cascade.cast_unsigned()));
        values
    };
    let expected = |step: usize| {
        let ([hi, lo, shared], cascade) = steps[step];
        // Sign-extended from 48 bits.
        let sum = packed_pair_mac(cascade << 16 >> 16, hi, lo, shared);
        vec![word(sum.cast_unsigned() & ((1 << 48) - 1))]
    };
    let inputs = ["enable_i", "hi_i", "lo_i", "shared_i", "cascade_i"];
    held_pipeline(Trace::new(&inputs, &["cascade_o"]), 32, 4, drive, expected)
}

/// Periods of `drain_lane` from a sum to its scale, to the reading and the writing of its accumulator, to its result.
const SCALE_AFTER: usize = 3;
const READ_AFTER: usize = 8;
const WRITE_AFTER: usize = 16;
const RESULT_AFTER: usize = 20;
/// Additions to one accumulator are at least so many periods apart.
const APART: usize = 8;

/// Bits below the last of a product's significand: a tie, or one bit beside it, or none.
fn near_tie(random: &mut Random, cut: u32) -> u64 {
    let (tie, bit) = (1 << (cut - 1), 1 << random.below(cut - 1));
    [tie, tie + bit, tie - bit, bit][random.below(4) as usize]
}

/// A sum and a scale, by turns: moderate ones, of few ones, whose product is a tie or nearly so, which take away most of what
/// the accumulator holds, or fill it up to a power of two, subnormal and special scales.
fn sum_and_scale(random: &mut Random, held: Option<f32>) -> (i32, u16) {
    let sum = random.bits().cast_signed() >> random.below(31);
    // Mostly moderate scales: infinities stay in an accumulator.
    let any = random.bits() as u16;
    let moderate = 0x2000 | any & 0x9fff;
    match random.below(8) {
        0 => (sum & (-1 << random.below(31)), moderate & (0xffff << random.below(10))),
        1 => {
            let cut = 10 + random.below(2);
            let significand = u64::from(moderate & 0x3ff | 0x401);
            let low = near_tie(random, cut);
            let product = (factor(random, significand, cut, low) | 1 << 23) as i32;
            (if random.below(2) == 0 { product } else { -product }, moderate | 1)
        }
        2 | 3 if held.is_some_and(f32::is_normal) => {
            let bits = held.unwrap_or_default().to_bits();
            let significand = (bits & 0x7f_ffff | 0x80_0000).cast_signed();
            let (added, halves) = match random.below(4) {
                // All bits are ones, and a half: it is rounded up to a power of two.
                0 => ((1 << 25) - 2 * significand - 1, 1),
                // Little is left.
                _ => (-(significand ^ (random.fraction() >> random.below(24)).cast_signed()) >> random.below(3), 0),
            };
            // The unit of the significand as a scale, if f16 has it.
            let field = exponent(bits) - 150 + 15 - halves;
            (if bits >> 31 == 0 { added } else { -added }, (field.clamp(1, 30) << 10) as u16)
        }
        // Subnormals of every length.
        4 => (sum, any & 0x8000 | (any & 0x3ff) >> random.below(10)),
        5 if random.below(4) == 0 => {
            (sum, random.one_of(&[0, 0x8000, 0x7c00, 0xfc00, 0x7c01, 0x7e00, u32::from(any)]) as u16)
        }
        _ => (if random.below(32) == 0 { 0 } else { sum }, moderate),
    }
}

/// The scale of a row, by turns: moderate, of few ones, with a product that is a tie or nearly so, or just below a power of
/// two, there also at the least normal; near the ends of the range; special.
fn row_scale(random: &mut Random, value: f32) -> u32 {
    let significand = u64::from(value.to_bits() & 0x7f_ffff | 0x80_0000);
    let of_exponent = |random: &mut Random, sum: i32, fraction: u64| {
        random.with_exponent(sum - exponent(value.to_bits())) & 0xff80_0000 | fraction as u32 & 0x7f_ffff
    };
    // The sum of both fields where products are about one, and where they are the least normal.
    let sum = [254, 126, 127, 128, 380, 381][random.below(6) as usize];
    let few_ones = random.fraction().into();
    match random.below(8) {
        0 | 1 => {
            let cut = 23 + random.below(2);
            let low = near_tie(random, cut) << significand.trailing_zeros() & ((1 << cut) - 1);
            let fraction = if low == 0 { few_ones } else { factor(random, significand, cut, low) };
            of_exponent(random, sum, fraction)
        }
        2 => {
            let fraction = (1 << 47) / significand - u64::from(random.below(2));
            of_exponent(random, sum, fraction)
        }
        3 => of_exponent(random, sum, few_ones),
        4 => random.one_of(&specials()),
        _ => {
            let field = 110 + random.below(24).cast_signed();
            random.with_exponent(field)
        }
    }
}

pub(crate) fn drain_lane() -> Trace {
    const ACCUMULATORS: usize = 16;
    #[derive(Clone)]
    struct Step {
        sum: u32,
        scale: u16,
        row: u32,
        accumulator: usize,
        clear: bool,
        result: Option<u32>,
    }
    let mut random = Random(33);
    let mut last = [None; ACCUMULATORS];
    let mut accumulators = [None; ACCUMULATORS];
    let mut steps = Vec::new();
    for at in 0..20_000 {
        let accumulator = if random.below(3) == 0 { at % APART } else { random.below(16) as usize };
        let is_free = last[accumulator].is_none_or(|before| at - before >= APART);
        let clear = random.below(6) == 0 || accumulators[accumulator].is_none();
        let (sum, scale) = sum_and_scale(&mut random, accumulators[accumulator].filter(|_| !clear));
        let row = random.bits();
        let mut step = Step { sum: sum.cast_unsigned(), scale, row, accumulator, clear, result: None };
        if is_free && random.below(8) > 0 {
            let product = canonical(mul(i32_to_f32(sum), f16_to_f32(scale)));
            let before = if clear { 0.0 } else { accumulators[accumulator].expect("it was cleared once") };
            let value = canonical(add(before, product));
            (accumulators[accumulator], last[accumulator]) = (Some(value), Some(at));
            step.row = row_scale(&mut random, value);
            step.result = Some(canonical(mul(value, flush(f32::from_bits(step.row)))).to_bits());
        }
        steps.push(step);
    }
    let inputs = ["sum_i", "half_scale_i", "read_address_i", "clear_i", "write_i", "write_address_i", "row_scale_i"];
    let mut trace = Trace::new(&inputs, &["result_o"]);
    for at in 0..steps.len() {
        let of = |after: usize| at.checked_sub(after).map_or(&steps[0], |step| &steps[step]);
        let writes = at >= WRITE_AFTER && of(WRITE_AFTER).result.is_some();
        let values = vec![
            vec![of(0).sum],
            vec![u32::from(of(SCALE_AFTER).scale)],
            vec![of(READ_AFTER).accumulator as u32],
            vec![u32::from(of(READ_AFTER).clear)],
            vec![u32::from(writes)],
            vec![of(WRITE_AFTER).accumulator as u32],
            vec![of(WRITE_AFTER).row],
        ];
        let result = if at < RESULT_AFTER { None } else { of(RESULT_AFTER).result };
        trace.push(values, vec![result.map(|bits| vec![bits])]);
    }
    trace
}
