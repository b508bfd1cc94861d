//! A second, naive computation of every instruction, and so of whole programs: memory and buffers as bytes and plain
//! values, codes and indices bit by bit, sums of products in i64, `f32` operations one by one, all by the letter of
//! `docs/src/machine.md`, `isa.md` and `numerics.md`.
//!
//! With the functional simulator it shares the decoded instruction and the geometry of the machine, and of arithmetic only
//! `hw_config::numeric`'s table functions `exp`, `reciprocal` and `rsqrt` and the terms of a bit-serial code, which
//! have oracles of their own in `hw-configs/tests/numeric`. Additions and products are Rust's `f32` with a flush of
//! subnormals. It takes the state of a core once and from then on never looks at the simulator.
//!
//! Two test programs include this folder: single random instructions (`sim/tests/functional_oracle.rs`) and the programs of
//! whole models (`tests/tests/whole_programs.rs`). Reading order: `codes` (widths and patterns), `floats`, this file,
//! `serial` (bit-serial sums), `share` (several cores), `compare`.

mod codes;
pub(crate) mod compare;
pub(crate) mod floats;
mod serial;
pub(crate) mod share;

use codes::{Pattern, bits, pattern};
use floats::{f16_to_f32, f32_to_f16, gelu_tanh, plus, rne_i8, silu, stored, times, tree_sum};
use hw_config::engine::Engine;
use hw_config::isa::{
    Load, LoadBuffer, LoadExtent, MatMul, MatVec, MatrixExtent, Misc, Operand, Operation, Store, StoreSource, VectorOp,
};
use hw_config::machine::Machine;
use hw_config::numeric::functions::{exp, reciprocal, rsqrt};
use sim::functional::{Core, MemoryImage};

/// Everything that an instruction can change.
pub(crate) struct Oracle {
    chain: usize,
    width: usize,
    lanes: usize,
    /// Weights side by side of a bit-serial array and terms of each, a cycle, if the engine is one.
    each: Option<(usize, u32)>,
    pub(crate) registers: [u32; 128],
    pub(crate) weight: Vec<u8>,
    pub(crate) index: Vec<u8>,
    pub(crate) density: Vec<u8>,
    pub(crate) scale: Vec<u8>,
    pub(crate) parameter: Vec<u8>,
    pub(crate) activation: Vec<i8>,
    pub(crate) slots: Vec<f32>,
    pub(crate) result: Vec<f32>,
    pub(crate) vector: Vec<f32>,
    pub(crate) accumulators: Vec<f32>,
    pub(crate) memory: Vec<u8>,
}

/// Bits `at .. at + count` of a byte stream, least significant first.
fn take_bits(byte_at: impl Fn(usize) -> u8, at: usize, count: usize) -> u32 {
    (0..count).map(|i| u32::from(byte_at((at + i) / 8) >> ((at + i) % 8) & 1) << i).sum()
}

fn limit(max: u32, register: u8, registers: &[u32; 128], sub: u32) -> u32 {
    if register == 0 { max } else { max.min(registers[register as usize].saturating_sub(sub)) }
}

impl Oracle {
    /// The state of a core and a memory.
    pub(crate) fn of(machine: &Machine, core: &Core, memory: &MemoryImage) -> Self {
        Self {
            chain: machine.chain() as usize,
            width: machine.width() as usize,
            lanes: machine.core.lanes as usize,
            each: match &machine.core.engine {
                Engine::SparseDspChain(_) => None,
                Engine::BitSerial(engine) => Some((engine.dot as usize, engine.terms)),
            },
            registers: core.registers,
            weight: core.weight.clone(),
            index: core.index.clone(),
            density: core.density.clone(),
            scale: core.scale.clone(),
            parameter: core.parameter.clone(),
            activation: core.activation.clone(),
            slots: core.slots.clone(),
            result: core.result.clone(),
            vector: core.vector.clone(),
            accumulators: core.accumulators.clone(),
            memory: memory.read(0, memory.len()).to_vec(),
        }
    }

    /// Executes an operation and gives how many values it wrote.
    pub(crate) fn execute(&mut self, operation: &Operation) -> usize {
        match operation {
            Operation::Load(ld) => self.load(ld),
            Operation::Store(st) => self.store(st),
            Operation::MatMul(mm) => self.matrix(mm),
            Operation::MatVec(mv) => self.matrix(&of_mat_vec(mv)),
            Operation::Misc(misc) => self.misc(misc),
            Operation::End(_) => 0,
        }
    }

    fn load(&mut self, ld: &Load) -> usize {
        let n = u64::from(limit(u32::MAX, ld.extent_reg, &self.registers, ld.extent_sub));
        let unit = 1_u64 << ld.extent_unit;
        let rows =
            if ld.extent == LoadExtent::Rows { u64::from(ld.rows).min(n.div_ceil(unit)) } else { ld.rows.into() };
        let bytes = if ld.extent == LoadExtent::Bytes { u64::from(ld.bytes).min(n * unit) } else { ld.bytes.into() };
        let base = ld.base + u64::from(self.registers[ld.reg as usize]) * ld.high;
        for row in 0..rows {
            let from = (base + row * ld.stride) as usize;
            let to = ld.dst as usize + row as usize * ld.dst_stride as usize;
            let source = self.memory[from..from + bytes as usize].to_vec();
            for (i, &byte) in source.iter().enumerate() {
                match ld.buffer {
                    LoadBuffer::Weight => self.weight[to * self.chain * self.width + i] = byte,
                    LoadBuffer::Index => self.index[to * self.chain * self.width + i] = byte,
                    LoadBuffer::Density => self.density[to * self.width / 16 * 8 + i] = byte,
                    LoadBuffer::Scale => self.scale[to * self.width + i] = byte,
                    LoadBuffer::Parameter => self.parameter[4 * to + i] = byte,
                }
            }
        }
        (rows * bytes) as usize
    }

    fn store(&mut self, st: &Store) -> usize {
        let rows = limit(st.rows, st.rows_reg, &self.registers, 0);
        for row in 0..rows {
            let v = u64::from(self.registers[st.reg as usize] + if st.token_step { row } else { 0 });
            let (high, low) = (v / (1 << st.shift), v % (1 << st.shift));
            let start = st.base + high * st.high + low * u64::from(st.low) + u64::from(row) * st.row_stride;
            for j in 0..st.count {
                let (fragment, offset) = match st.fragment {
                    0 => (0, j),
                    length => (j / length, j % length),
                };
                let element = st.src as usize + row as usize * st.src_stride as usize;
                let bytes: Vec<u8> = match st.source {
                    StoreSource::Codes => vec![self.activation[element * self.chain + j as usize] as u8],
                    StoreSource::Scales => {
                        f32_to_f16(self.slots[st.src as usize + row as usize]).to_le_bytes().to_vec()
                    }
                    StoreSource::Vector => self.vector[element + j as usize].to_bits().to_le_bytes().to_vec(),
                };
                let at =
                    start + u64::from(fragment) * u64::from(st.fragment_stride) + offset as u64 * bytes.len() as u64;
                self.memory[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
            }
        }
        rows as usize * st.count as usize
    }

    /// The stored weight `i` of a column: its value and the activation that it multiplies.
    fn weight(&self, m: &MatMul, column: usize, i: usize) -> (i64, usize) {
        let piece = |buffer: &[u8], base: u32, byte: usize| {
            let chunk = base as usize + byte / self.chain;
            buffer[(chunk * self.width + column) * self.chain + byte % self.chain]
        };
        let width = bits(m.code);
        let code = take_bits(|byte| piece(&self.weight, m.weight, byte), i * width, width);
        let sign = 1_i64 << (width - 1);
        let mut value = (i64::from(code) ^ sign) - sign;
        if m.two_level {
            let group = if m.group_steps == 0 { 0 } else { i / self.chain / m.group_steps as usize };
            value *= i64::from(self.scale[(m.scale as usize + 2 + group) * self.width + column]);
        }
        let index = |width: usize| take_bits(|byte| piece(&self.index, m.index, byte), i * width, width) as usize;
        match pattern(m.sparsity) {
            Pattern::Dense => (value, i),
            Pattern::Uniform { stored, of, index_bits } => (value, i / stored * of + index(index_bits)),
            Pattern::Blocks { mean } => {
                // A window of 128 weights stores 8 times the mean number of 16.
                let (window, place) = (i / (8 * mean), i % (8 * mean));
                let row = (m.index as usize + window) * (self.width / 16 * 8) + column / 16 * 8;
                (value, window * 128 + block_of(&self.density[row..row + 8], place / 2) * 16 + index(4))
            }
        }
    }

    fn matrix(&mut self, m: &MatMul) -> usize {
        let rows = limit(m.rows, m.rows_reg, &self.registers, 0) as usize;
        let n = limit(u32::MAX, m.extent_reg, &self.registers, m.extent_sub);
        let cols = if m.extent == MatrixExtent::Columns { m.cols.min(n) } else { m.cols } as usize;
        let rounded = u64::from(n).div_ceil(1 << m.extent_unit);
        let steps =
            if m.extent == MatrixExtent::Steps { u64::from(m.steps).min(rounded) } else { m.steps.into() } as usize;
        if rows == 0 || cols == 0 || steps == 0 {
            return 0;
        }
        match self.each {
            None => self.chain_matrix(m, (rows, cols, steps)),
            Some(each) => self.serial_matrix(m, each, (rows, cols, steps)),
        }
        for row in (0..rows).filter(|_| m.last) {
            for column in 0..cols {
                let to = m.dst as usize + row * m.dst_stride as usize + column;
                let total = self.accumulators[row * self.width + column];
                self.result[to] = stored(times(total, self.slots[m.slot as usize + row]));
            }
        }
        rows * cols
    }

    fn chain_matrix(&mut self, m: &MatMul, (rows, cols, steps): (usize, usize, usize)) {
        let group = if m.two_level || m.group_steps == 0 { steps } else { m.group_steps as usize };
        for column in 0..cols {
            let weights: Vec<(i64, usize)> = (0..steps * self.chain).map(|i| self.weight(m, column, i)).collect();
            for row in 0..rows {
                let act = (m.act as usize + row * m.act_stride as usize) * self.chain;
                let place = row * self.width + column;
                let mut total = if m.first { 0.0 } else { self.accumulators[place] };
                for (g, weights) in weights.chunks(group * self.chain).enumerate() {
                    let sum: i64 = weights.iter().map(|&(w, a)| w * i64::from(self.activation[act + a])).sum();
                    let byte = (m.scale as usize + 2 * g) * self.width + 2 * column;
                    let scale = f16_to_f32(u16::from(self.scale[byte]) | u16::from(self.scale[byte + 1]) << 8);
                    total = plus(total, times(sum as f32, scale));
                }
                self.accumulators[place] = total;
            }
        }
    }

    fn element(&self, operand: Operand, at: usize) -> f32 {
        match operand {
            Operand::None => panic!("no operand"),
            Operand::Parameter => {
                let word = (0..4).map(|k| u32::from(self.parameter[4 * at + k]) << (8 * k)).sum();
                stored(f32::from_bits(word))
            }
            Operand::ParameterHalf => {
                let half = u16::from(self.parameter[2 * at]) | u16::from(self.parameter[2 * at + 1]) << 8;
                stored(f16_to_f32(half))
            }
            Operand::Result => self.result[at],
            Operand::Vector => self.vector[at],
        }
    }

    fn misc(&mut self, m: &Misc) -> usize {
        let rows = limit(m.rows, m.rows_reg, &self.registers, 0) as usize;
        let len = limit(m.len, m.len_reg, &self.registers, m.len_sub) as usize;
        if len == 0 {
            return 0;
        }
        let first = self.registers[m.a_reg as usize] as usize;
        for row in 0..rows {
            let read =
                |o: &Self, i: usize| o.element(m.a_buffer, m.a as usize + (first + row) * m.a_stride as usize + i);
            let a: Vec<f32> = (0..len).map(|i| read(self, i)).collect();
            let b: Vec<f32> = if m.b_buffer == Operand::None {
                Vec::new()
            } else {
                let at = m.b as usize + row * m.b_stride as usize;
                (0..len).map(|i| self.element(m.b_buffer, at + i)).collect()
            };
            let dst = m.dst as usize + row * m.dst_stride as usize;
            if m.op == VectorOp::Quant {
                self.quant(m, row, dst, &a);
            } else if m.op == VectorOp::Half {
                self.halve(m, row, dst, &a);
            } else if m.op == VectorOp::TopK {
                for (rank, &(index, x)) in ranked(&a).iter().take(m.aux as usize).enumerate() {
                    self.vector[dst + rank] = x;
                    self.registers[8 + rank] = index as u32;
                }
            } else {
                let out = self.row(m, row, rows, &a, &b);
                for (i, x) in out.into_iter().enumerate() {
                    self.vector[dst + i] = stored(x);
                }
            }
        }
        rows * len
    }

    fn quant(&mut self, m: &Misc, row: usize, dst: usize, a: &[f32]) {
        let imm = operand(m.imm.0);
        let largest =
            if a.iter().any(|x| x.is_nan()) { f32::NAN } else { a.iter().fold(0.0_f32, |l, x| l.max(x.abs())) };
        let mut scale = if imm > 0.0 { imm } else { times(largest, 1.0_f32 / 127.0) };
        if m.f16_scale {
            scale = f16_to_f32(f32_to_f16(scale));
        }
        let inverse = if scale == 0.0 { 0.0 } else { reciprocal(scale) };
        for i in 0..a.len().div_ceil(self.chain) * self.chain {
            self.activation[dst * self.chain + i] = a.get(i).map_or(0, |&x| rne_i8(times(x, inverse)));
        }
        self.slots[m.aux as usize + row] = scale;
    }

    /// Two bytes an element, whole steps of `chain` elements.
    fn halve(&mut self, m: &Misc, row: usize, dst: usize, a: &[f32]) {
        for i in 0..a.len().div_ceil(self.chain) * self.chain {
            let half = a.get(i).map_or(0, |&x| f32_to_f16(x));
            self.activation[dst * self.chain + 2 * i] = half as u8 as i8;
            self.activation[dst * self.chain + 2 * i + 1] = (half >> 8) as u8 as i8;
        }
        self.slots[m.aux as usize + row] = 1.0;
    }

    fn row(&self, m: &Misc, row: usize, rows: usize, a: &[f32], b: &[f32]) -> Vec<f32> {
        let imm = operand(m.imm.0);
        let n = a.len();
        let each = |f: &dyn Fn(usize) -> f32| (0..n).map(f).collect::<Vec<f32>>();
        let sum = |values: Vec<f32>| stored(tree_sum(&values, self.lanes));
        match m.op {
            VectorOp::Copy => a.to_vec(),
            VectorOp::Add => each(&|i| plus(a[i], b[i])),
            VectorOp::Mul => each(&|i| times(a[i], b[i])),
            VectorOp::Axpy => {
                let s = self.vector[m.imm.0 as usize + row * m.aux as usize];
                each(&|i| plus(times(a[i], s), b[i]))
            }
            VectorOp::Relu => each(&|i| if a[i] <= 0.0 { 0.0 } else { a[i] }),
            VectorOp::Silu => each(&|i| silu(a[i])),
            VectorOp::Gelu => each(&|i| gelu_tanh(a[i])),
            VectorOp::SiluMul => each(&|i| times(silu(a[i]), b[i])),
            VectorOp::RmsNorm => {
                let t = rsqrt(plus(sum(each(&|i| times(a[i], a[i]))), imm));
                each(&|i| times(times(a[i], t), b[i]))
            }
            VectorOp::LayerNorm => {
                let mean = stored(times(sum(a.to_vec()), reciprocal(n as f32)));
                let t = rsqrt(plus(sum(each(&|i| times(plus(a[i], -mean), plus(a[i], -mean)))), imm));
                each(&|i| times(times(plus(a[i], -mean), t), b[i]))
            }
            VectorOp::Softmax => {
                let visible = if m.causal { (n + row + 1).saturating_sub(rows) } else { n };
                let x: Vec<f32> = (0..visible).map(|i| stored(times(a[i], imm))).collect();
                let top = ranked_with_nan_first(&x);
                let e: Vec<f32> = x.iter().map(|&x| exp(plus(x, -top))).collect();
                let r = reciprocal(sum(e.clone()));
                let weight = |i: usize| times(e[i], r);
                each(&|i| match () {
                    () if i >= visible => 0.0,
                    () if b.is_empty() => weight(i),
                    () => times(weight(i), b[i]),
                })
            }
            VectorOp::Rope => each(&|i| {
                let h = n / 2;
                if i < h {
                    plus(times(a[i], b[i]), -times(a[i + h], b[i + h]))
                } else {
                    plus(times(a[i], b[i - h]), times(a[i - h], b[i]))
                }
            }),
            VectorOp::TopKMask => {
                let mut out = vec![f32::NEG_INFINITY; n];
                ranked(a).iter().take(m.aux as usize).for_each(|&(i, x)| out[i] = x);
                out
            }
            VectorOp::Quant | VectorOp::Half | VectorOp::TopK | VectorOp::Share => unreachable!(),
        }
    }
}

/// The numbers of all blocks that claim a pair of stored weights, or-ed.
fn block_of(density: &[u8], pair: usize) -> usize {
    let claims = |byte: u8| {
        let (first, pairs) = (usize::from(byte % 64), 1_usize << (byte / 64));
        let aligned = first / pairs * pairs;
        (aligned..aligned + pairs).contains(&pair)
    };
    (0..8).filter(|block| claims(density[*block])).fold(0, |all, block| all | block)
}

/// The largest value, NaN above all.
fn ranked_with_nan_first(x: &[f32]) -> f32 {
    if x.iter().any(|x| x.is_nan()) {
        return f32::NAN;
    }
    ranked(x).first().map_or(f32::NEG_INFINITY, |&(_, x)| x)
}

/// Elements with their indices, largest first, +0 before -0, the lower index first among equals, NaN last.
fn ranked(a: &[f32]) -> Vec<(usize, f32)> {
    let mut left: Vec<(usize, f32)> = a.iter().copied().enumerate().collect();
    let mut ranked = Vec::new();
    let beats = |x: f32, y: f32| {
        (!x.is_nan() && y.is_nan()) || x > y || (x == 0.0 && y == 0.0 && x.is_sign_positive() && y.is_sign_negative())
    };
    while !left.is_empty() {
        let best = (1..left.len()).fold(0, |best, i| if beats(left[i].1, left[best].1) { i } else { best });
        ranked.push(left.remove(best));
    }
    ranked
}

fn of_mat_vec(m: &MatVec) -> MatMul {
    MatMul {
        first: m.first,
        last: m.last,
        code: m.code,
        sparsity: m.sparsity,
        steps: m.steps,
        group_steps: m.group_steps,
        two_level: m.two_level,
        rows: 1,
        rows_reg: 0,
        cols: m.cols,
        act: m.act,
        act_stride: 0,
        slot: m.slot,
        weight: m.weight,
        index: m.index,
        scale: m.scale,
        dst: m.dst,
        dst_stride: 0,
        extent: m.extent,
        extent_reg: m.extent_reg,
        extent_sub: m.extent_sub,
        extent_unit: m.extent_unit,
    }
}

/// An immediate as an operand: a subnormal is zero.
fn operand(bits: u32) -> f32 {
    if bits & 0x7f80_0000 == 0 { f32::from_bits(bits & 1 << 31) } else { f32::from_bits(bits) }
}
