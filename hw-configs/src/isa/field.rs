//! What a field of an instruction can be: its bits, its text, and the macro that turns one table into
//! structs, encoder, decoder, assembler and documentation. It must never know a particular instruction.

use crate::numeric::fp32::flush;
use std::fmt;

/// One row of the instruction table as data: what documentation and the RTL decoder are generated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Name in the assembler and in the struct.
    pub name: &'static str,
    /// Width in bits.
    pub bits: u32,
    /// What the field means, with its unit.
    pub doc: &'static str,
    /// The names of an enumerated field's values, in order of their codes; empty for a number.
    pub values: &'static [&'static str],
}

/// A value that fits in an instruction field.
pub trait FieldValue: Copy + PartialEq + fmt::Debug {
    /// Names of the values of an enumeration, by code; empty for numbers.
    const VALUES: &'static [&'static str];
    /// The field's bits, right-aligned.
    fn to_bits(self) -> u64;
    /// The value of these bits, or `None` where no value has them.
    fn from_bits(bits: u64) -> Option<Self>;
    /// The text of the value in the assembler.
    fn write(self, out: &mut String);
    /// The value of a text, or `None`.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! number_field {
    ($($t:ty),*) => {$(
        impl FieldValue for $t {
            const VALUES: &'static [&'static str] = &[];
            fn to_bits(self) -> u64 { u64::from(self) }
            fn from_bits(bits: u64) -> Option<Self> { <$t>::try_from(bits).ok() }
            fn write(self, out: &mut String) { out.push_str(&self.to_string()); }
            fn read(text: &str) -> Option<Self> {
                match text.strip_prefix("0x") {
                    Some(hex) => <$t>::from_str_radix(hex, 16).ok(),
                    None => text.parse().ok(),
                }
            }
        }
    )*};
}
number_field!(u8, u16, u32, u64);

impl FieldValue for bool {
    const VALUES: &'static [&'static str] = &["no", "yes"];
    fn to_bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> Option<Self> {
        match bits {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
    fn write(self, out: &mut String) {
        out.push_str(Self::VALUES[usize::from(self)]);
    }
    fn read(text: &str) -> Option<Self> {
        Self::VALUES.iter().position(|v| *v == text).map(|i| i == 1)
    }
}

/// An f32 immediate, compared and kept by its bits so that a program text assembles back byte-identically.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Immediate(pub u32);

impl Immediate {
    /// The immediate of an f32.
    pub fn new(value: f32) -> Self {
        Self(value.to_bits())
    }
    /// The f32 of the immediate.
    pub fn value(self) -> f32 {
        f32::from_bits(self.0)
    }
    /// The immediate as an operand: a subnormal one counts as zero, like every operand.
    pub fn operand(self) -> f32 {
        flush(self.value())
    }
}

impl FieldValue for Immediate {
    const VALUES: &'static [&'static str] = &[];
    fn to_bits(self) -> u64 {
        u64::from(self.0)
    }
    fn from_bits(bits: u64) -> Option<Self> {
        u32::try_from(bits).ok().map(Self)
    }
    fn write(self, out: &mut String) {
        let value = self.value();
        // `{:?}` prints the shortest text that reads back to the same f32; NaNs carry their bits instead, and so do
        // subnormals, which are whole numbers in all but name: addresses and lengths.
        if value.is_nan() || value.is_subnormal() {
            out.push_str(&format!("0x{:08x}", self.0))
        } else {
            out.push_str(&format!("{value:?}"))
        }
    }
    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok().map(Self),
            None => text.parse::<f32>().ok().map(Self::new),
        }
    }
}

/// Declares an enumeration that is an instruction field: code = position, text = the given name.
macro_rules! field_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All values, in order of their codes.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The name in program text and reports.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl $crate::isa::field::FieldValue for $name {
            const VALUES: &'static [&'static str] = &[$($text),+];
            fn to_bits(self) -> u64 { self as u64 }
            fn from_bits(bits: u64) -> Option<Self> { Self::ALL.get(usize::try_from(bits).ok()?).copied() }
            fn write(self, out: &mut String) { out.push_str(self.name()); }
            fn read(text: &str) -> Option<Self> { Self::ALL.iter().copied().find(|v| v.name() == text) }
        }
    };
}
pub(crate) use field_enum;

/// A 256-bit instruction word, written and read from its least significant bit on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word(pub [u64; 4]);

impl Word {
    /// Bytes of one instruction: one beat of a 256-bit port.
    pub const BYTES: usize = 32;

    /// Little-endian bytes.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    /// The word of 32 little-endian bytes.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut limbs = [0; 4];
        for (chunk, limb) in bytes.chunks_exact(8).zip(&mut limbs) {
            *limb = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        Self(limbs)
    }

    /// Puts `bits` (at most `width` wide) at bit `at`.
    pub(crate) fn put(&mut self, at: u32, width: u32, bits: u64) {
        assert!(width == 64 || bits >> width == 0, "field value {bits:#x} is wider than {width} bits");
        for i in 0..width {
            let (limb, bit) = ((at + i) / 64, (at + i) % 64);
            self.0[limb as usize] |= ((bits >> i) & 1) << bit;
        }
    }

    /// The `width` bits at bit `at`.
    pub(crate) fn get(&self, at: u32, width: u32) -> u64 {
        let (limb, bit) = ((at / 64) as usize, at % 64);
        let low = self.0[limb] >> bit;
        let high = if bit + width > 64 { self.0[limb + 1] << (64 - bit) } else { 0 };
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        (low | high) & mask
    }
}

/// Declares every instruction class once: struct, field table, encoder, decoder, assembler text.
/// The first five fields of a word (opcode and the four waits) are common and belong to `Instruction`.
macro_rules! instruction_table {
    ($($(#[doc = $cdoc:literal])+ $class:ident = $opcode:literal, $mnemonic:literal, $unit:ident {
        $($(#[doc = $fdoc:literal])+ $field:ident: $ty:ty = $bits:literal),* $(,)?
    })+) => {
        $(
            $(#[doc = $cdoc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $class { $($(#[doc = $fdoc])+ pub $field: $ty),* }

            impl $class {
                /// The field table of this class, in order of their place in the word.
                pub const FIELDS: &'static [FieldSpec] = &[$(FieldSpec {
                    name: stringify!($field), bits: $bits, doc: concat!($($fdoc),+),
                    values: <$ty as FieldValue>::VALUES,
                }),*];

                #[allow(unused_variables, unused_mut, unused_assignments, reason = "a class may have no field")]
                fn encode(&self, word: &mut Word) {
                    let mut at = HEADER_BITS;
                    $( word.put(at, $bits, self.$field.to_bits()); at += $bits; )*
                }

                #[allow(unused_variables, unused_mut, unused_assignments, reason = "a class may have no field")]
                fn decode(word: &Word) -> Result<Self, DecodeError> {
                    let mut at = HEADER_BITS;
                    let value = Self { $($field: {
                        let bits = word.get(at, $bits);
                        at += $bits;
                        <$ty>::from_bits(bits).ok_or(DecodeError::Field {
                            mnemonic: $mnemonic, field: stringify!($field), bits })?
                    }),* };
                    while at < 256 {
                        let width = (256 - at).min(64);
                        if word.get(at, width) != 0 {
                            return Err(DecodeError::Padding { mnemonic: $mnemonic });
                        }
                        at += width;
                    }
                    Ok(value)
                }

                fn wide_field(&self) -> Option<(&'static str, u64, u32)> {
                    $( let bits = self.$field.to_bits();
                    if $bits < 64 && bits >> $bits != 0 {
                        return Some((stringify!($field), bits, $bits));
                    } )*
                    None
                }

                #[allow(unused_variables, clippy::ptr_arg, reason = "a class may have no field")]
                fn write(&self, out: &mut String) {
                    $( if self.$field.to_bits() != 0 {
                        out.push_str(concat!(" ", stringify!($field), "="));
                        self.$field.write(out);
                    } )*
                }

                #[allow(unused_mut, unused_variables, reason = "a class may have no field")]
                fn read(pairs: &mut Pairs<'_>) -> Result<Self, AssembleError> {
                    Ok(Self { $($field: pairs.take(stringify!($field), $bits)?),* })
                }
            }
        )+

        /// One operation with its operands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation { $($(#[doc = $cdoc])+ $class($class)),+ }

        impl Operation {
            /// The table: every class with its opcode, mnemonic, unit, documentation and fields.
            pub const TABLE: &'static [ClassSpec] = &[$(ClassSpec {
                mnemonic: $mnemonic, opcode: $opcode, unit: Unit::$unit,
                doc: concat!($($cdoc, "\n"),+), fields: $class::FIELDS,
            }),+];

            /// The row of the table of this operation.
            pub fn spec(&self) -> &'static ClassSpec {
                match self { $(Operation::$class(_) => &ClassSpec {
                    mnemonic: $mnemonic, opcode: $opcode, unit: Unit::$unit,
                    doc: concat!($($cdoc, "\n"),+), fields: $class::FIELDS,
                }),+ }
            }

            /// The unit that executes this operation.
            #[inline]
            pub fn unit(&self) -> Unit {
                match self { $(Operation::$class(_) => Unit::$unit),+ }
            }

            /// The first field whose value does not fit its width: its name, its value and the width in bits.
            /// An instruction that has none encodes without a panic (its waits have `WAIT_BITS`).
            pub fn wide_field(&self) -> Option<(&'static str, u64, u32)> {
                match self { $(Operation::$class(fields) => fields.wide_field()),+ }
            }

            pub(super) fn encode_into(&self, word: &mut Word) {
                match self { $(Operation::$class(fields) => {
                    word.put(0, OPCODE_BITS, $opcode);
                    fields.encode(word);
                }),+ }
            }

            pub(super) fn decode_from(word: &Word) -> Result<Self, DecodeError> {
                match word.get(0, OPCODE_BITS) {
                    $($opcode => Ok(Operation::$class($class::decode(word)?)),)+
                    opcode => Err(DecodeError::Opcode { opcode }),
                }
            }

            pub(super) fn write_fields(&self, out: &mut String) {
                match self { $(Operation::$class(fields) => fields.write(out)),+ }
            }

            pub(super) fn read_fields(mnemonic: &str, pairs: &mut Pairs<'_>) -> Result<Self, AssembleError> {
                match mnemonic {
                    $($mnemonic => Ok(Operation::$class($class::read(pairs)?)),)+
                    other => Err(AssembleError::mnemonic(pairs.line, other)),
                }
            }
        }
    };
}
pub(crate) use instruction_table;
