//! The instruction table: the one place where an instruction and its fields are declared.
//! Everything else about the encoding (encoder, decoder, assembler, disassembler, the ISA page, the RTL decoder)
//! is derived from it. Meanings that need more than a line stand in `docs/src/machine.md`.

use super::field::{FieldSpec, FieldValue, Immediate, Word, field_enum, instruction_table};
use super::text::Pairs;
use super::{AssembleError, DecodeError};
use crate::numeric::density;

/// Bits of the opcode.
pub const OPCODE_BITS: u32 = 6;
/// Bits of each of the four waits; 0 means no wait.
pub const WAIT_BITS: u32 = 6;
/// Bits before an instruction's own fields: the opcode and four waits.
pub const HEADER_BITS: u32 = OPCODE_BITS + 4 * WAIT_BITS;
/// Registers of a core. `r0` is zero and means "no register".
pub const REGISTERS: usize = 128;

/// One instruction class of the table.
#[derive(Clone, Copy, Debug)]
pub struct ClassSpec {
    /// Name in program text.
    pub mnemonic: &'static str,
    /// Code in the word.
    pub opcode: u64,
    /// The unit that executes it.
    pub unit: Unit,
    /// Documentation, one or more lines.
    pub doc: &'static str,
    /// Its fields, in order of their place in the word, after the header.
    pub fields: &'static [FieldSpec],
}

field_enum! {
    /// The units of a core: each issues and retires its instructions in order.
    Unit {
        /// Memory to buffers.
        Load = "ld",
        /// Buffers to memory.
        Store = "st",
        /// The matrix engine.
        Matrix = "mx",
        /// The vector unit.
        Vector = "vx",
        /// The sequencer itself.
        System = "sys",
    }
}

field_enum! {
    /// The buffers that `ld` writes.
    LoadBuffer {
        /// Packed weight codes, in chunks.
        Weight = "weight",
        /// Packed N:M indices, in chunks.
        Index = "index",
        /// Group scales, in rows of `width` bytes.
        Scale = "scale",
        /// f32 and f16 constants, in elements of 4 bytes.
        Parameter = "parameter",
        /// Density bytes of patterns chosen per block, in rows of `width` / 2 bytes.
        Density = "density",
    }
}

field_enum! {
    /// Which dimension of an `ld` its run-time extent bounds.
    LoadExtent {
        /// Neither: the instruction's own numbers hold.
        Fixed = "fixed",
        /// `rows = min(rows, ceil(n / 2^unit))`.
        Rows = "rows",
        /// `bytes = min(bytes, n * 2^unit)`.
        Bytes = "bytes",
    }
}

field_enum! {
    /// Which dimension of an `mm` or `mv` its run-time extent bounds.
    MatrixExtent {
        /// Neither: the instruction's own numbers hold.
        Fixed = "fixed",
        /// `cols = min(cols, n)`.
        Columns = "cols",
        /// `steps = min(steps, ceil(n / 2^unit))`.
        Steps = "steps",
    }
}

field_enum! {
    /// What `st` writes.
    StoreSource {
        /// INT8 codes of the activation buffer (1 byte an element).
        Codes = "codes",
        /// Activation scales, rounded to f16 (2 bytes an element).
        Scales = "scales",
        /// f32 elements of the vector buffer (4 bytes an element).
        Vector = "vector",
    }
}

field_enum! {
    /// The buffers that the vector unit reads.
    Operand {
        /// Nothing: the operation has no such operand.
        None = "none",
        /// The parameter buffer, written by `ld`, as f32: addresses in elements of 4 bytes.
        Parameter = "parameter",
        /// The result buffer, written by the matrix unit.
        Result = "result",
        /// The vector buffer, written by the vector unit.
        Vector = "vector",
        /// The parameter buffer as f16, widened when it is read: addresses in elements of 2 bytes.
        ParameterHalf = "parameter16",
    }
}

field_enum! {
    /// What the bits of a stored weight mean; `numeric::code` says it to the bit. The codes of 3 and 4 bits with an
    /// exponent are those of BitMoD (HPCA 2025, arXiv 2411.11745), whose pattern of -0 is a special value of the group.
    Code {
        /// 2 bits, two's complement.
        I2 = "int2",
        /// 3 bits, two's complement.
        I3 = "int3",
        /// 4 bits, two's complement.
        I4 = "int4",
        /// 5 bits, two's complement.
        I5 = "int5",
        /// 6 bits, two's complement.
        I6 = "int6",
        /// 7 bits, two's complement.
        I7 = "int7",
        /// 8 bits, two's complement.
        I8 = "int8",
        /// 0, +-1, +-2, +-4 and a special value of the group.
        Fp3 = "fp3",
        /// 0, +-0.5, +-1, +-1.5, +-2, +-3, +-4, +-6 and a special value of the group.
        Fp4 = "fp4",
        /// Sign, 2 bits of exponent, 3 of mantissa, up to 7.5 (OCP Microscaling Formats 1.0).
        Fp6E2M3 = "fp6-e2m3",
        /// Sign, 3 bits of exponent, 2 of mantissa, up to 28 (OCP Microscaling Formats 1.0).
        Fp6E3M2 = "fp6-e3m2",
        /// 0, +-1, +-2, +-3, +-4, +-6, +-8, +-16 (ANT, MICRO 2022).
        Flint4 = "flint4",
        /// IEEE 754 binary16: keys and values, never the weights of a linear.
        F16 = "f16",
    }
}

field_enum! {
    /// The patterns of the sparse multiplexer: N of each M consecutive weights are stored. In a pattern of blocks each
    /// 16 x 16 block has an N of its own (2, 4, 8 or 16), so that the 8 blocks of a window of 128 weights store the
    /// named number of 16 in the mean, exactly.
    Sparsity {
        /// All weights are stored; no index.
        Dense = "dense",
        /// 2 of 4, index of 2 bits.
        N2M4 = "2:4",
        /// 2 of 16, index of 4 bits.
        N2M16 = "2:16",
        /// 4 of 16, index of 4 bits.
        N4M16 = "4:16",
        /// 8 of 16, index of 4 bits.
        N8M16 = "8:16",
        /// 1 of 4, index of 2 bits.
        N1M4 = "1:4",
        /// 4 of 16 in the mean of 8 blocks, index of 4 bits.
        Blocks4M16 = "blocks-4:16",
        /// 6 of 16 in the mean of 8 blocks, index of 4 bits.
        Blocks6M16 = "blocks-6:16",
        /// 8 of 16 in the mean of 8 blocks, index of 4 bits.
        Blocks8M16 = "blocks-8:16",
        /// 10 of 16 in the mean of 8 blocks, index of 4 bits.
        Blocks10M16 = "blocks-10:16",
        /// 12 of 16 in the mean of 8 blocks, index of 4 bits.
        Blocks12M16 = "blocks-12:16",
    }
}

impl Sparsity {
    /// (N, M), N in the mean where blocks have their own; dense counts as 1 of 1.
    #[inline]
    pub fn pattern(self) -> (u32, u32) {
        match self {
            Sparsity::Dense => (1, 1),
            Sparsity::N2M4 => (2, 4),
            Sparsity::N2M16 => (2, 16),
            Sparsity::N4M16 | Sparsity::Blocks4M16 => (4, 16),
            Sparsity::N8M16 | Sparsity::Blocks8M16 => (8, 16),
            Sparsity::N1M4 => (1, 4),
            Sparsity::Blocks6M16 => (6, 16),
            Sparsity::Blocks10M16 => (10, 16),
            Sparsity::Blocks12M16 => (12, 16),
        }
    }

    /// Whether each 16 x 16 block has an N of its own, in a density byte.
    #[inline]
    pub fn is_of_blocks(self) -> bool {
        match self {
            Sparsity::Dense | Sparsity::N2M4 | Sparsity::N2M16 | Sparsity::N4M16 | Sparsity::N8M16 | Sparsity::N1M4 => {
                false
            }
            Sparsity::Blocks4M16
            | Sparsity::Blocks6M16
            | Sparsity::Blocks8M16
            | Sparsity::Blocks10M16
            | Sparsity::Blocks12M16 => true,
        }
    }

    /// Steps that share a window of activations: 1 unless N is chosen per block. Then a window of 8 blocks stores
    /// 8 N weights a column, N in the mean, which are N / 2 steps of 16.
    #[inline]
    pub fn window_steps(self) -> u32 {
        let (n, _) = self.pattern();
        if self.is_of_blocks() { n / 2 } else { 1 }
    }

    /// Activation words of a window, and what a step reads: M / N, or the 8 blocks.
    #[inline]
    pub fn window_words(self) -> u32 {
        let (n, m) = self.pattern();
        if self.is_of_blocks() { density::BLOCKS as u32 } else { m / n }
    }

    /// The first activation word of a step.
    #[inline]
    pub fn first_word(self, step: u32) -> u32 {
        step / self.window_steps() * self.window_words()
    }

    /// Activation words of `steps` steps: whole windows.
    #[inline]
    pub fn words(self, steps: u32) -> u32 {
        steps.div_ceil(self.window_steps()) * self.window_words()
    }

    /// Rows of density bytes of `steps` steps: one a window; none where N is one for all.
    #[inline]
    pub fn density_rows(self, steps: u32) -> u32 {
        if self.is_of_blocks() { steps.div_ceil(self.window_steps()) } else { 0 }
    }

    /// Bits of the index of one stored weight; 0 when dense.
    #[inline]
    pub fn index_bits(self) -> u32 {
        let (_, m) = self.pattern();
        m.ilog2()
    }
}

field_enum! {
    /// The operations of the vector unit; `docs/src/machine.md` says what each computes.
    VectorOp {
        /// a.
        Copy = "copy",
        /// a + b.
        Add = "add",
        /// a x b.
        Mul = "mul",
        /// a x s + b, s a scalar of the vector buffer.
        Axpy = "axpy",
        /// max(a, 0).
        Relu = "relu",
        /// a x sigmoid(a).
        Silu = "silu",
        /// GELU, tanh form.
        Gelu = "gelu",
        /// silu(a) x b.
        SiluMul = "silu_mul",
        /// a x rsqrt(sum of squares + imm) x b.
        RmsNorm = "rmsnorm",
        /// (a - mean) x rsqrt(sum of squared deviations + imm) x b.
        LayerNorm = "layernorm",
        /// Softmax of a x imm, times b if given.
        Softmax = "softmax",
        /// Rotary embedding of pairs (i, i + len/2).
        Rope = "rope",
        /// INT8 codes and a scale.
        Quant = "quant",
        /// The largest elements and their indices.
        TopK = "topk",
        /// All but the largest elements replaced by -inf.
        TopKMask = "topk_mask",
        /// a rounded to f16, for an engine that takes such activations.
        Half = "half",
        /// Every core's part of a, put together in every core.
        Share = "share",
    }
}

impl VectorOp {
    /// The operations that a core does by itself: all but the last.
    pub const ALONE: &'static [Self] = Self::ALL.split_at(Self::ALL.len() - 1).0;
}

instruction_table! {
    /// Read rows of memory into a buffer.
    Load = 1, "ld", Load {
        /// Buffer written.
        buffer: LoadBuffer = 3,
        /// Address of the first row in the buffer, in the buffer's unit; a whole line.
        dst: u32 = 24,
        /// Distance between rows in the buffer, in the buffer's unit; whole lines when there are several rows.
        dst_stride: u32 = 14,
        /// Rows to read.
        rows: u32 = 16,
        /// Bytes of each row.
        bytes: u32 = 22,
        /// Distance between rows in memory, in bytes; a multiple of a line.
        stride: u64 = 32,
        /// Byte address of row 0; a multiple of a line.
        base: u64 = 38,
        /// Register v of the run-time address `base + v x high`.
        reg: u8 = 7,
        /// Bytes a unit of `reg`; a multiple of a line.
        high: u64 = 32,
        /// Dimension bounded at run time.
        extent: LoadExtent = 2,
        /// Register n of the run-time extent.
        extent_reg: u8 = 7,
        /// Subtracted from the extent register.
        extent_sub: u32 = 16,
        /// log2 of the elements a row, or of the bytes an element.
        extent_unit: u8 = 4,
    }
    /// Write rows of the activation or vector buffer to memory.
    Store = 2, "st", Store {
        /// What is written.
        source: StoreSource = 2,
        /// Address of row 0 in the source (words, slots or elements).
        src: u32 = 22,
        /// Distance between rows in the source, in the same unit.
        src_stride: u32 = 14,
        /// Rows to write.
        rows: u32 = 10,
        /// Register that bounds the rows.
        rows_reg: u8 = 7,
        /// Elements of a row.
        count: u32 = 20,
        /// Byte address of row 0 when v = 0.
        base: u64 = 38,
        /// Register v of the run-time address.
        reg: u8 = 7,
        /// Bits of v that take the low stride.
        shift: u8 = 5,
        /// Bytes a unit of `v >> shift`.
        high: u64 = 28,
        /// Bytes a unit of the low `shift` bits of v.
        low: u32 = 16,
        /// Row i uses v + i (rows are tokens) instead of v (rows are heads).
        token_step: bool = 1,
        /// Bytes between rows, besides the run-time address.
        row_stride: u64 = 28,
        /// Elements a fragment; 0: the row is one run.
        fragment: u32 = 8,
        /// Bytes between fragments.
        fragment_stride: u32 = 18,
    }
    /// Matrix times several activation rows (GEMM, SpMM).
    MatMul = 3, "mm", Matrix {
        /// Clear the f32 accumulators first.
        first: bool = 1,
        /// Write the results afterwards.
        last: bool = 1,
        /// What a stored weight's bits mean.
        code: Code = 4,
        /// Pattern of the stored weights.
        sparsity: Sparsity = 4,
        /// Reduction steps of `chain` stored weights.
        steps: u32 = 16,
        /// Steps a scale group; 0: the whole instruction is one group.
        group_steps: u32 = 12,
        /// Integer group scales below one f16 scale a column.
        two_level: bool = 1,
        /// Activation rows.
        rows: u32 = 10,
        /// Register that bounds the rows.
        rows_reg: u8 = 4,
        /// Columns (outputs).
        cols: u32 = 12,
        /// Word address of activation row 0.
        act: u32 = 20,
        /// Words between activation rows.
        act_stride: u32 = 12,
        /// Scale slot of activation row 0.
        slot: u32 = 12,
        /// Chunk address of the weights.
        weight: u32 = 16,
        /// Chunk address of the indices; row address of the density bytes.
        index: u32 = 16,
        /// Row address of the scales.
        scale: u32 = 18,
        /// Element address of result row 0.
        dst: u32 = 20,
        /// Elements between result rows.
        dst_stride: u32 = 18,
        /// Dimension bounded at run time.
        extent: MatrixExtent = 2,
        /// Register n of the run-time extent.
        extent_reg: u8 = 4,
        /// Subtracted from the extent register.
        extent_sub: u32 = 16,
        /// log2 of the activations a step.
        extent_unit: u8 = 4,
    }
    /// Matrix times one activation row (GEMV, SpMV): every multiplier works on outputs.
    MatVec = 4, "mv", Matrix {
        /// Clear the f32 accumulators first.
        first: bool = 1,
        /// Write the results afterwards.
        last: bool = 1,
        /// What a stored weight's bits mean.
        code: Code = 4,
        /// Pattern of the stored weights.
        sparsity: Sparsity = 4,
        /// Reduction steps of `chain` stored weights.
        steps: u32 = 16,
        /// Steps a scale group; 0: the whole instruction is one group.
        group_steps: u32 = 12,
        /// Integer group scales below one f16 scale a column.
        two_level: bool = 1,
        /// Columns (outputs).
        cols: u32 = 12,
        /// Word address of the activation row.
        act: u32 = 20,
        /// Scale slot of the activation row.
        slot: u32 = 12,
        /// Chunk address of the weights.
        weight: u32 = 16,
        /// Chunk address of the indices; row address of the density bytes.
        index: u32 = 16,
        /// Row address of the scales.
        scale: u32 = 18,
        /// Element address of the results.
        dst: u32 = 20,
        /// Dimension bounded at run time.
        extent: MatrixExtent = 2,
        /// Register n of the run-time extent.
        extent_reg: u8 = 4,
        /// Subtracted from the extent register.
        extent_sub: u32 = 16,
        /// log2 of the activations a step.
        extent_unit: u8 = 4,
    }
    /// One operation of the vector unit on each of several rows.
    Misc = 5, "misc", Vector {
        /// The operation.
        op: VectorOp = 5,
        /// Buffer of operand a.
        a_buffer: Operand = 3,
        /// Element address of row 0 of a.
        a: u32 = 20,
        /// Elements between rows of a.
        a_stride: u32 = 16,
        /// Register v: a starts at row v.
        a_reg: u8 = 4,
        /// Buffer of operand b.
        b_buffer: Operand = 3,
        /// Element address of row 0 of b.
        b: u32 = 20,
        /// Elements between rows of b.
        b_stride: u32 = 16,
        /// Address of row 0 of the result: elements of the vector buffer, words of the activation buffer for `quant`.
        dst: u32 = 20,
        /// Distance between result rows, in the same unit.
        dst_stride: u32 = 16,
        /// `quant`: scale slot of row 0. `topk`, `topk_mask`: how many. `axpy`: elements between the scalars of rows.
        aux: u32 = 12,
        /// Rows.
        rows: u32 = 10,
        /// Register that bounds the rows.
        rows_reg: u8 = 4,
        /// Elements of a row.
        len: u32 = 18,
        /// Register that bounds the elements.
        len_reg: u8 = 4,
        /// Subtracted from the length register.
        len_sub: u32 = 16,
        /// Softmax: row r of n sees `len - (n - 1 - r)` elements.
        causal: bool = 1,
        /// Quant: the scale is rounded to f16 before it is used.
        f16_scale: bool = 1,
        /// An f32; for `axpy` the element address of the scalar of row 0 in the vector buffer; for `share` the elements of
        /// a core's part of a row.
        imm: Immediate = 32,
    }
    /// The step is over when everything before has retired.
    End = 6, "end", System {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_share_needs_other_cores() {
        assert_eq!(VectorOp::ALL.last(), Some(&VectorOp::Share));
        assert!(!VectorOp::ALONE.contains(&VectorOp::Share));
        assert_eq!(VectorOp::ALONE.len() + 1, VectorOp::ALL.len());
    }

    #[test]
    fn every_class_fits_in_a_word() {
        for class in Operation::TABLE {
            let bits: u32 = HEADER_BITS + class.fields.iter().map(|f| f.bits).sum::<u32>();
            println!("{}: {bits} of 256 bits", class.mnemonic);
            assert!(bits <= 256, "{} needs {bits} bits", class.mnemonic);
        }
    }
}
