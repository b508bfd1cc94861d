//! `.lwp`: a program as bytes. Versioned, of stated length, with a CRC-32 over everything before it, which detects
//! every change within any four neighbouring bytes.
//! The reader must never panic, never trust a count before it has seen that the file is long enough for it, and never
//! accept two files for one program: what it reads writes back to the same bytes.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `LWPROG\r\n`: a transfer as text would change it |
//! | 8 | 4 | version |
//! | 12 | 8 | bytes of the file |
//! | 20 | 8 | fingerprint of the machine |
//! | 28 | 8 | buckets: rows, end |
//! | 36 | 4 | core |
//! | 40 | 12 | number of regions, marks, instructions |
//! | 52 | | machine, name: a length byte and UTF-8 each |
//! | | | regions: name, base (8), bytes (8), class (1) |
//! | | | marks: first instruction (4), 1 when of a layer else 0 (1), layer (4), operator |
//! | | 32 each | instruction words |
//! | end - 4 | 4 | CRC-32 (IEEE 802.3) |
//!
//! All numbers are little-endian.

use super::{Mark, Program, Region, TrafficClass};
use crate::isa::{DecodeError, FieldValue, Instruction, Word};
use std::fmt;

const MAGIC: [u8; 8] = *b"LWPROG\r\n";
/// The version that this crate writes, and the only one that it reads.
const VERSION: u32 = 4;
const LENGTH_AT: usize = 12;
/// Bytes of the fields of fixed size, and of the checksum.
const FIXED_BYTES: usize = 52;
const CHECKSUM_BYTES: usize = 4;
/// The least bytes of an entry: names have at least a length byte.
const LEAST_REGION_BYTES: usize = 18;
const LEAST_MARK_BYTES: usize = 10;

/// Why bytes are no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Offset in the file, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub fault: FileFault,
}

/// What is wrong at an offset of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// The file does not begin with the magic bytes.
    Magic,
    /// The file has another version.
    Version {
        /// The version found.
        got: u32,
    },
    /// The file is not as long as it says.
    Length {
        /// Bytes that there are.
        got: u64,
        /// Bytes that there should be.
        expected: u64,
    },
    /// The checksum does not match.
    Checksum {
        /// CRC-32 of the file.
        got: u32,
        /// CRC-32 that stands in it.
        expected: u32,
    },
    /// There are not enough bytes left for what is announced.
    Short {
        /// What is announced.
        what: &'static str,
        /// Bytes that it needs at least.
        needed: u64,
        /// Bytes left.
        left: u64,
    },
    /// Bytes are left behind the last instruction.
    Trailing {
        /// How many.
        left: u64,
    },
    /// A byte or number is none of the values that may stand here.
    Value {
        /// What it is.
        what: &'static str,
        /// The value found.
        got: u64,
    },
    /// A name is not UTF-8.
    Utf8 {
        /// Whose name.
        what: &'static str,
    },
    /// A word is no instruction.
    Instruction {
        /// Its index.
        index: usize,
        /// Why.
        fault: DecodeError,
    },
    /// Names, buckets, regions or marks are not in order.
    Header {
        /// All that is wrong.
        faults: Vec<String>,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}: ", self.offset)?;
        match &self.fault {
            FileFault::Magic => f.write_str("not a program file: expected `LWPROG\\r\\n`"),
            FileFault::Version { got } => {
                write!(f, "version {got}, expected {VERSION}; compile or assemble the program again")
            }
            FileFault::Length { got, expected } => {
                write!(f, "file has {got} bytes, expected {expected}; copy it again")
            }
            FileFault::Checksum { got, expected } => {
                write!(f, "checksum is {got:#010x}, expected {expected:#010x}: the file is damaged, copy it again")
            }
            FileFault::Short { what, needed, left } => {
                write!(f, "{what} needs at least {needed} bytes, {left} are left")
            }
            FileFault::Trailing { left } => {
                write!(f, "{left} bytes behind the last instruction, expected none")
            }
            FileFault::Value { what, got } => {
                write!(f, "{what} is {got}, which is none of its values")
            }
            FileFault::Utf8 { what } => write!(f, "{what} is not UTF-8"),
            FileFault::Instruction { index, fault } => write!(f, "instruction {index}: {fault}"),
            FileFault::Header { faults } => f.write_str(&faults.join("; ")),
        }
    }
}

impl std::error::Error for FileError {}

impl Program {
    /// The program as the bytes of a `.lwp` file.
    ///
    /// # Panics
    /// When the header has faults or a field does not fit its width: `check` says so beforehand.
    pub fn to_bytes(&self) -> Vec<u8> {
        let faults = self.header_faults();
        assert!(faults.is_empty(), "program without a sound header: {faults:?}");
        let mut out = MAGIC.to_vec();
        put_u32(&mut out, VERSION);
        put_u64(&mut out, 0);
        put_u64(&mut out, self.machine_fingerprint);
        put_u32(&mut out, self.max_rows);
        put_u32(&mut out, self.max_end);
        put_u32(&mut out, self.core);
        for count in [self.regions.len(), self.marks.len(), self.instructions.len()] {
            put_u32(&mut out, u32::try_from(count).expect("a program has less than 2^32 of everything"));
        }
        put_name(&mut out, &self.machine);
        put_name(&mut out, &self.name);
        for region in &self.regions {
            put_name(&mut out, &region.name);
            put_u64(&mut out, region.base);
            put_u64(&mut out, region.bytes);
            out.push(region.class.to_bits() as u8);
        }
        for mark in &self.marks {
            put_u32(&mut out, mark.first);
            out.push(u8::from(mark.layer.is_some()));
            put_u32(&mut out, mark.layer.unwrap_or(0));
            put_name(&mut out, &mark.operator);
        }
        for instruction in &self.instructions {
            out.extend(instruction.encode().to_bytes());
        }
        let length = (out.len() + CHECKSUM_BYTES) as u64;
        out[LENGTH_AT..LENGTH_AT + 8].copy_from_slice(&length.to_le_bytes());
        let checksum = crc32(&out);
        put_u32(&mut out, checksum);
        out
    }

    /// The program of the bytes of a `.lwp` file. Memory stays within a small multiple of `bytes.len()`.
    ///
    /// # Errors
    /// The first fault, with its offset.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileError> {
        let mut reader = open(bytes)?;
        let machine_fingerprint = reader.u64("fingerprint")?;
        let (max_rows, max_end) = (reader.u32("bucket rows")?, reader.u32("bucket end")?);
        let core = reader.u32("core")?;
        let regions_at = reader.at;
        let counts = [reader.u32("region count")?, reader.u32("mark count")?, reader.u32("instruction count")?];
        let (machine, name) = (reader.name("machine name")?, reader.name("program name")?);
        reader.enough("regions", counts[0], LEAST_REGION_BYTES)?;
        let regions = (0..counts[0]).map(|_| reader.region()).collect::<Result<_, _>>()?;
        reader.enough("marks", counts[1], LEAST_MARK_BYTES)?;
        let marks = (0..counts[1]).map(|_| reader.mark()).collect::<Result<_, _>>()?;
        reader.enough("instructions", counts[2], Word::BYTES)?;
        let instructions = (0..counts[2]).map(|i| reader.instruction(i as usize)).collect::<Result<_, _>>()?;
        let left = reader.left() as u64;
        if left > 0 {
            return Err(reader.error(FileFault::Trailing { left }));
        }
        let program =
            Program { machine, machine_fingerprint, name, core, max_rows, max_end, regions, marks, instructions };
        match program.header_faults() {
            faults if faults.is_empty() => Ok(program),
            faults => Err(FileError { offset: regions_at, fault: FileFault::Header { faults } }),
        }
    }
}

/// Checks what says that the bytes are a whole program file; the reader then stands behind the length.
fn open(bytes: &[u8]) -> Result<Reader<'_>, FileError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(FileError { offset: 0, fault: FileFault::Magic });
    }
    let mut reader = Reader { bytes, at: MAGIC.len() };
    let version_at = reader.at;
    let got = reader.u32("version")?;
    if got != VERSION {
        return Err(FileError { offset: version_at, fault: FileFault::Version { got } });
    }
    let (got, expected) = (bytes.len() as u64, reader.u64("length")?);
    if got != expected || bytes.len() < FIXED_BYTES + CHECKSUM_BYTES {
        return Err(FileError { offset: LENGTH_AT, fault: FileFault::Length { got, expected } });
    }
    let (body, stored) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
    let expected = u32::from_le_bytes(stored.try_into().expect("four bytes"));
    let got = crc32(body);
    if got != expected {
        return Err(FileError { offset: body.len(), fault: FileFault::Checksum { got, expected } });
    }
    reader.bytes = body;
    Ok(reader)
}

/// A place in the bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, fault: FileFault) -> FileError {
        FileError { offset: self.at, fault }
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Refuses a count that the bytes left cannot hold, before anything is reserved for it.
    fn enough(&self, what: &'static str, count: u32, least_bytes: usize) -> Result<(), FileError> {
        let (needed, left) = (u64::from(count) * least_bytes as u64, self.left() as u64);
        if needed > left { Err(self.error(FileFault::Short { what, needed, left })) } else { Ok(()) }
    }

    fn take(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], FileError> {
        if count > self.left() {
            let (needed, left) = (count as u64, self.left() as u64);
            return Err(self.error(FileFault::Short { what, needed, left }));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    fn u8(&mut self, what: &'static str) -> Result<u8, FileError> {
        Ok(self.take(what, 1)?[0])
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, FileError> {
        Ok(u32::from_le_bytes(self.take(what, 4)?.try_into().expect("four bytes")))
    }

    fn u64(&mut self, what: &'static str) -> Result<u64, FileError> {
        Ok(u64::from_le_bytes(self.take(what, 8)?.try_into().expect("eight bytes")))
    }

    fn name(&mut self, what: &'static str) -> Result<String, FileError> {
        let length = usize::from(self.u8(what)?);
        let at = self.at;
        let text = self.take(what, length)?;
        let fault = |_| FileError { offset: at, fault: FileFault::Utf8 { what } };
        std::str::from_utf8(text).map(str::to_owned).map_err(fault)
    }

    fn region(&mut self) -> Result<Region, FileError> {
        let name = self.name("region name")?;
        let (base, bytes) = (self.u64("region base")?, self.u64("region bytes")?);
        let got = u64::from(self.u8("region class")?);
        let fault = FileError { offset: self.at - 1, fault: FileFault::Value { what: "region class", got } };
        let class = TrafficClass::from_bits(got).ok_or(fault)?;
        Ok(Region { name, base, bytes, class })
    }

    fn mark(&mut self) -> Result<Mark, FileError> {
        let first = self.u32("mark")?;
        let at = self.at;
        let has_layer = self.u8("mark layer")?;
        let number = self.u32("mark layer")?;
        let layer = match (has_layer, number) {
            (0, 0) => None,
            (1, layer) => Some(layer),
            (got, _) => {
                let fault = FileFault::Value { what: "layer of a mark", got: u64::from(got) };
                return Err(FileError { offset: at, fault });
            }
        };
        Ok(Mark { first, layer, operator: self.name("operator")? })
    }

    fn instruction(&mut self, index: usize) -> Result<Instruction, FileError> {
        let at = self.at;
        let bytes = self.take("instruction", Word::BYTES)?.try_into().expect("the bytes of a word");
        Instruction::decode(&Word::from_bytes(bytes))
            .map_err(|fault| FileError { offset: at, fault: FileFault::Instruction { index, fault } })
    }
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(u8::try_from(name.len()).expect("names have at most 255 bytes"));
    out.extend(name.as_bytes());
}

/// CRC-32 of IEEE 802.3 (reflected, polynomial 0xedb88320). It detects every burst of up to 32 changed bits.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = crc32_table();
    let next = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !bytes.iter().fold(u32::MAX, next)
}

const fn crc32_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::crc32;

    /// The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
    #[test]
    fn crc32_gives_the_catalogue_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
