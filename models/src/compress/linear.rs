//! One compressed linear: its codes, indices and scales, and the way there and back.
//!
//! This is the storage format as numbers, one code an element; how they are packed into bytes and laid out for a
//! machine is the compiler's. Reading back is exact: `dequantize` gives `f32(value of the code) * f32(scale)`, one rounding.

use half::f16;
use hw_config::isa::{Code, Sparsity};
use hw_config::numeric::density::{BLOCK, BLOCKS, WINDOW, block_of_pair};

use super::format::{FloatFormat, Grouping, IntegerFormat, LinearLayout, ScaleFormat, TensorFormat, WeightFormat};
use super::grid::Grid;
use super::{blocks, prune, quantize};
use crate::{ModelError, Tensor};

/// The largest weight magnitude accepted: the largest finite f16, so that every scale is finite.
const MAX_MAGNITUDE: f32 = 65_504.0;

/// A linear in its storage format. `stored` below is [`LinearLayout::stored`], `groups` [`LinearLayout::groups`].
#[derive(Debug, Clone, PartialEq)]
pub struct CompressedLinear {
    /// Canonical tensor name.
    pub name: String,
    /// Rows of the matrix.
    pub outputs: usize,
    /// Columns of the matrix.
    pub inputs: usize,
    /// What a code stands for.
    pub code: Code,
    /// Pattern of the stored weights.
    pub sparsity: Sparsity,
    /// Stored weights that share a scale.
    pub group: Grouping,
    /// Codes `[outputs][stored]`, as patterns that are sign-extended (`hw_config::numeric::integer`).
    pub codes: Vec<i8>,
    /// f16 patterns `[outputs][stored]` where the code is f16, and `codes` is empty.
    pub halves: Vec<u16>,
    /// The special value of each group ([`Code::special_values`]), `[outputs][groups]`; empty for types that have none.
    pub selectors: Vec<u8>,
    /// Position of each stored weight within its block of M, ascending within the block, `[outputs][stored]`; empty
    /// when dense. Where blocks have an N of their own, those of a window stand in descending N.
    pub indices: Vec<u8>,
    /// Density bytes ([`hw_config::numeric::density`]) `[ceil(outputs / 16)][windows][8]`; empty where N is one for all.
    pub densities: Vec<u8>,
    /// The scales.
    pub scales: Scales,
}

/// The scales of a linear.
#[derive(Debug, Clone, PartialEq)]
pub enum Scales {
    /// One a group.
    F16 {
        /// f16 patterns `[outputs][groups]`; negative ones occur below 8 bits, 0 where all weights are 0.
        bits: Vec<u16>,
    },
    /// An integer a group below an f16 an output.
    TwoLevel {
        /// `[outputs][groups]`, 1 to the format's largest: `max_scale` of integers, 255 of other codes.
        group: Vec<u8>,
        /// f16 patterns `[outputs]`.
        column: Vec<u16>,
    },
}

impl Scales {
    /// How they are stored.
    pub fn format(&self) -> ScaleFormat {
        match self {
            Self::F16 { .. } => ScaleFormat::F16,
            Self::TwoLevel { .. } => ScaleFormat::TwoLevel,
        }
    }
}

impl CompressedLinear {
    /// Compresses `weights` `[outputs][inputs]`.
    ///
    /// # Errors
    /// A weight that is not finite or whose magnitude is over 65504, with its place.
    pub fn compress(name: &str, weights: &Tensor, format: TensorFormat) -> Result<Self, ModelError> {
        check_weights(name, weights)?;
        let inputs = weights.columns();
        let found = prune::find_pattern(weights.data(), inputs);
        let layout = format.layout(weights.rows(), inputs, Some(found));
        let mut linear = Self::empty(name, layout);
        if layout.sparsity.is_of_blocks() {
            linear.densities = blocks::density_bytes(weights.data(), inputs, layout.sparsity);
        }
        let group_densities = layout.windows() * BLOCKS;
        let mut kept = Vec::with_capacity(layout.stored());
        for output in 0..layout.outputs {
            let row = weights.row(output);
            match layout.sparsity {
                Sparsity::Dense => linear.push_row(row, layout.group_length(), format.weights),
                Sparsity::N2M4 | Sparsity::N2M16 | Sparsity::N4M16 | Sparsity::N8M16 | Sparsity::N1M4 => {
                    kept.clear();
                    prune::select_row(row, layout.sparsity, &mut kept, &mut linear.indices);
                    linear.push_row(&kept, layout.group_length(), format.weights);
                }
                Sparsity::Blocks4M16
                | Sparsity::Blocks6M16
                | Sparsity::Blocks8M16
                | Sparsity::Blocks10M16
                | Sparsity::Blocks12M16 => {
                    kept.clear();
                    let densities = &linear.densities[output / BLOCK * group_densities..][..group_densities];
                    prune::select_row_of_blocks(row, densities, &mut kept, &mut linear.indices);
                    linear.push_row(&kept, layout.group_length(), format.weights);
                }
            }
        }
        Ok(linear)
    }

    /// A linear of `layout` without rows.
    fn empty(name: &str, layout: LinearLayout) -> Self {
        let LinearLayout { outputs, inputs, code, sparsity, group, scales } = layout;
        let scales = match scales {
            ScaleFormat::F16 => Scales::F16 { bits: Vec::with_capacity(outputs * layout.groups()) },
            ScaleFormat::TwoLevel => Scales::TwoLevel {
                group: Vec::with_capacity(outputs * layout.groups()),
                column: Vec::with_capacity(outputs),
            },
        };
        let is_half = code == Code::F16;
        let codes = Vec::with_capacity(if is_half { 0 } else { outputs * layout.stored() });
        let halves = Vec::with_capacity(if is_half { outputs * layout.stored() } else { 0 });
        let selectors = Vec::new();
        let (name, indices, densities) = (name.to_owned(), Vec::new(), Vec::new());
        Self { name, outputs, inputs, code, sparsity, group, codes, halves, selectors, indices, densities, scales }
    }

    /// Appends the stored weights of the next output.
    fn push_row(&mut self, stored: &[f32], group_length: usize, format: WeightFormat) {
        match format {
            WeightFormat::Integer(format) => self.push_integers(stored, group_length, format),
            WeightFormat::Float(FloatFormat { code: Code::F16, .. }) => self.push_halves(stored, group_length),
            WeightFormat::Float(format) => self.push_floats(stored, group_length, format),
        }
    }

    fn push_integers(&mut self, stored: &[f32], group_length: usize, format: IntegerFormat) {
        let groups = stored.chunks(group_length);
        match &mut self.scales {
            Scales::F16 { bits } => {
                for group in groups {
                    let scale = quantize::group_scale(group, format.code);
                    bits.push(scale.to_bits());
                    quantize::encode(group, scale.to_f32(), format.code, &mut self.codes);
                }
            }
            Scales::TwoLevel { group: integers, column } => {
                let (scales, top) = quantize::two_level_scales(stored, group_length, format.code, format.max_scale);
                for (group, &scale) in groups.zip(&scales) {
                    quantize::encode(group, f32::from(scale) * top.to_f32(), format.code, &mut self.codes);
                }
                integers.extend(scales);
                column.push(top.to_bits());
            }
        }
    }

    /// Weights that are f16 themselves, under scales of 1.
    fn push_halves(&mut self, stored: &[f32], group_length: usize) {
        match &mut self.scales {
            Scales::F16 { bits } => bits.extend(stored.chunks(group_length).map(|_| f16::ONE.to_bits())),
            Scales::TwoLevel { .. } => panic!("{}: f16 weights have no scales of groups", self.name),
        }
        self.halves.extend(stored.iter().map(|weight| f16::from_f32(*weight).to_bits()));
    }

    fn push_floats(&mut self, stored: &[f32], group_length: usize, format: FloatFormat) {
        let grid = Grid::new(format.code, format.specials);
        let top = grid.column_scale(stored);
        if let Scales::TwoLevel { column, .. } = &mut self.scales {
            column.push(top.to_bits());
        }
        for group in stored.chunks(group_length) {
            let (scale, special) = match &mut self.scales {
                Scales::F16 { bits } => {
                    let (scale, special) = grid.group_scale(group);
                    bits.push(scale.to_bits());
                    (scale.to_f32(), special)
                }
                Scales::TwoLevel { group: integers, .. } => {
                    let (integer, special) = grid.integer_scale(group, top);
                    integers.push(integer);
                    (f32::from(integer) * top.to_f32(), special)
                }
            };
            if !format.code.special_values().is_empty() {
                self.selectors.push(special.unwrap_or(0));
            }
            grid.encode(group, scale, special, &mut self.codes);
        }
    }

    /// The same linear with every weight stored, those that the pattern leaves out as codes of 0: see
    /// [`LinearLayout::densified`].
    ///
    /// # Panics
    /// Where its layout has no dense one, and on f16 weights, which are dense.
    pub fn densified(&self) -> Self {
        assert!(self.halves.is_empty(), "{}: f16 weights are dense", self.name);
        let dense = self.layout().densified();
        let dense =
            dense.unwrap_or_else(|| panic!("{}: its groups of stored weights are no runs of inputs", self.name));
        let mut codes = vec![0; self.outputs * self.inputs];
        if self.indices.is_empty() {
            codes.copy_from_slice(&self.codes);
        }
        let stored = self.layout().stored();
        for (i, index) in self.indices.iter().enumerate() {
            let input = self.block_input(i / stored, i % stored) + usize::from(*index);
            // The rest of a short last block lies beyond the row, and its codes are 0.
            if input < self.inputs {
                codes[i / stored * self.inputs + input] = self.codes[i];
            }
        }
        let Self { name, outputs, inputs, code, selectors, scales, .. } = self.clone();
        let (sparsity, group) = (dense.sparsity, dense.group);
        let (halves, indices, densities) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, outputs, inputs, code, sparsity, group, codes, halves, selectors, indices, densities, scales }
    }

    /// The code of stored weight `at` of all, in its low bits.
    pub fn pattern(&self, at: usize) -> u16 {
        if self.code == Code::F16 { self.halves[at] } else { u16::from(self.codes[at].cast_unsigned()) }
    }

    /// Its sizes.
    pub fn layout(&self) -> LinearLayout {
        let Self { outputs, inputs, code, sparsity, group, .. } = *self;
        LinearLayout { outputs, inputs, code, sparsity, group, scales: self.scales.format() }
    }

    /// The scale of `group` of `output`, both levels together.
    pub fn scale(&self, output: usize, group: usize) -> f32 {
        let at = output * self.layout().groups() + group;
        match &self.scales {
            Scales::F16 { bits } => f16::from_bits(bits[at]).to_f32(),
            Scales::TwoLevel { group, column } => f32::from(group[at]) * f16::from_bits(column[output]).to_f32(),
        }
    }

    /// The selector of `group` of `output`; 0 for types without special values.
    pub fn selector(&self, output: usize, group: usize) -> u8 {
        self.selectors.get(output * self.layout().groups() + group).copied().unwrap_or(0)
    }

    /// What a code stands for, before its scale. Exact: every value has less than 24 bits.
    fn value(&self, code: u16, selector: u8) -> f32 {
        self.code.value(code, selector) as f32 * 2_f32.powi(self.code.unit_log2())
    }

    /// The weights that the codes stand for, `[outputs][inputs]`; 0 where nothing is stored.
    pub fn dequantize(&self) -> Tensor {
        let layout = self.layout();
        let mut data = vec![0.0; self.outputs * self.inputs];
        for (output, row) in data.chunks_mut(self.inputs).enumerate() {
            let first = output * layout.stored();
            for group in 0..layout.groups() {
                let (scale, selector) = (self.scale(output, group), self.selector(output, group));
                let start = group * layout.group_length();
                for at in start..layout.stored().min(start + layout.group_length()) {
                    let position = self.indices.get(first + at).map_or(0, |&index| usize::from(index));
                    // Filler of a short last block lies beyond the row.
                    if let Some(weight) = row.get_mut(self.block_input(output, at) + position) {
                        *weight = self.value(self.pattern(first + at), selector) * scale;
                    }
                }
            }
        }
        Tensor::new(vec![self.outputs, self.inputs], data)
    }

    /// The first input of the block that stored weight `at` of an output belongs to.
    fn block_input(&self, output: usize, at: usize) -> usize {
        let (n, m) = self.sparsity.pattern();
        let layout = self.layout();
        if !self.sparsity.is_of_blocks() {
            return at / n as usize * m as usize;
        }
        let stored = layout.stored() / layout.windows();
        let (window, slot) = (at / stored, at % stored);
        let bytes = self.densities.as_chunks::<BLOCKS>().0[output / BLOCK * layout.windows() + window];
        window * WINDOW + block_of_pair(&bytes, slot as u32 / 2) * BLOCK
    }

    /// Codes, indices, density bytes and scales in bits.
    pub fn stored_bits(&self) -> u64 {
        self.layout().stored_bits()
    }

    /// Stored bits for each weight of the matrix.
    pub fn bits_per_weight(&self) -> f64 {
        self.layout().bits_per_weight()
    }
}

/// Refuses what no code can stand for.
fn check_weights(name: &str, weights: &Tensor) -> Result<(), ModelError> {
    assert_eq!(weights.shape().len(), 2, "linear {name} has shape {:?}, not [outputs][inputs]", weights.shape());
    let bad = weights.data().iter().position(|w| !w.is_finite() || w.abs() > MAX_MAGNITUDE);
    bad.map_or(Ok(()), |at| {
        let (row, column) = (at / weights.columns(), at % weights.columns());
        Err(ModelError::input(
            format!("tensor {name}, output {row}, input {column}"),
            format!(
                "got {}, expected a finite weight of magnitude up to {MAX_MAGNITUDE}; repair the model file or run it \
                 with format `float`",
                weights.data()[at]
            ),
        ))
    })
}
