//! Number formats by name: those that are built, and by name those that are not.
//!
//! A format that is not built is an error that names the nearest one that works; it is never approximated.

use std::fmt;

use super::integer::Code;

/// A number format for which every layer (simulator, RTL) has an implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberFormat {
    /// A weight code ([`super::code`]), binary16 among them; a scale, if any, belongs to the tensor.
    Code(Code),
    /// IEEE 754 binary32 without subnormals (see [`super::fp32`]).
    F32,
    /// The upper half of a binary32.
    Bf16,
}

/// Why a name is not a [`NumberFormat`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// A known format that is not built.
    NotBuilt {
        /// The name given.
        name: String,
        /// What it is.
        what: &'static str,
        /// The nearest format that works: no narrower, except where nothing wider is built.
        nearest: NumberFormat,
    },
    /// Not a format known here.
    Unknown {
        /// The name given.
        name: String,
    },
}

impl NumberFormat {
    /// All formats, in the order in which messages list them.
    pub const ALL: [Self; Code::ALL.len() + 2] = {
        let mut all = [Self::F32; Code::ALL.len() + 2];
        let mut i = 0;
        while i < Code::ALL.len() {
            all[i] = Self::Code(Code::ALL[i]);
            i += 1;
        }
        all[i] = Self::Bf16;
        all
    };

    /// Storage bits of one element, scales not counted.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Code(code) => code.bits(),
            Self::Bf16 => 16,
            Self::F32 => 32,
        }
    }

    /// The one name of the format, which [`NumberFormat::parse`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code(code) => code.name(),
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
        }
    }

    /// The format of a name (lower case, as [`NumberFormat::name`] writes it).
    pub fn parse(name: &str) -> Result<Self, Unsupported> {
        if let Some(format) = Self::ALL.into_iter().find(|format| format.name() == name) {
            return Ok(format);
        }
        let known = NOT_BUILT.iter().find(|row| row.name == name);
        Err(known.map_or_else(
            || Unsupported::Unknown { name: name.to_owned() },
            |row| Unsupported::NotBuilt { name: name.to_owned(), what: row.what, nearest: row.nearest },
        ))
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt { name, what, nearest } => write!(
                f,
                "number format `{name}` ({what}) is not built: the nearest that works is `{nearest}` ({} bits)",
                nearest.bits()
            ),
            Self::Unknown { name } => {
                write!(f, "unknown number format `{name}`: expected one of")?;
                for (i, format) in NumberFormat::ALL.iter().enumerate() {
                    write!(f, "{} {format}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Unsupported {}

/// A format that is refused by name.
struct NotBuilt {
    name: &'static str,
    what: &'static str,
    nearest: NumberFormat,
}

const fn row(name: &'static str, what: &'static str, nearest: NumberFormat) -> NotBuilt {
    NotBuilt { name, what, nearest }
}

const INT2: NumberFormat = NumberFormat::Code(Code::I2);
const INT3: NumberFormat = NumberFormat::Code(Code::I3);
const INT4: NumberFormat = NumberFormat::Code(Code::I4);
const INT8: NumberFormat = NumberFormat::Code(Code::I8);
const FP3: NumberFormat = NumberFormat::Code(Code::Fp3);
const FP4: NumberFormat = NumberFormat::Code(Code::Fp4);
const FP6: NumberFormat = NumberFormat::Code(Code::Fp6E2M3);
const FLINT4: NumberFormat = NumberFormat::Code(Code::Flint4);
const F16: NumberFormat = NumberFormat::Code(Code::F16);

/// The formats of published systems that are not built, by the name that asks for them. `float` names such
/// as `fp16` are other spellings: the answer is the same, the nearest that works.
const NOT_BUILT: [NotBuilt; 26] = [
    row("int1", "1-bit integer", INT2),
    row("int16", "16-bit integer", F16),
    row("fp16", "spelled `f16` here", F16),
    row("fp32", "spelled `f32` here", NumberFormat::F32),
    row("fp5", "5-bit floating point", FP6),
    row("fp6", "6-bit floating point without its split", FP6),
    row("fp8", "8-bit floating point", INT8),
    row("bitmod-fp3", "a choice of `fp3` values for each group, as a profile makes it", FP3),
    row("bitmod-fp4", "a choice of `fp4` values for each group, as a profile makes it", FP4),
    row("flint", "flint of another width", FLINT4),
    row("nf4", "4-bit normal-quantile table", INT4),
    row("ternary", "-1, 0, +1", INT2),
    row("binary", "0, 1 bit-planes", INT2),
    row("bipolar", "-1, +1 bit-planes", INT2),
    row("table", "values looked up in a table of the tensor", INT4),
    row("codebook", "vectors looked up in a codebook (SqueezeLLM, AQLM)", INT4),
    row("planes", "bit-planes of mixed width (ABQ-LLM, BitStack)", INT4),
    row("nested", "bit-nested planes (matryoshka, D2MoE)", INT8),
    row("mixed", "one data type per group", INT8),
    row("outliers", "dense codes with separate outliers (SpQR, PB-LLM)", INT8),
    row("shiftadd", "binary matrices with group scales (ShiftAddLLM)", INT3),
    row("entropy", "entropy-coded values (QMoE)", INT2),
    row("dfloat11", "entropy-coded bf16 (DFloat11)", NumberFormat::Bf16),
    row("lowrank", "product of two thin matrices", INT8),
    row("delta", "difference to a base model (ComPEFT)", INT8),
    row("hadamard", "codes after a Hadamard transform (QuEST)", INT4),
];
