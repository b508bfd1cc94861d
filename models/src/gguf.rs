//! The GGUF container, versions 2 and 3, little-endian: metadata, tensor table, tensors widened to float32.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Every count and length is checked against the
//! bytes that are left in the file before it is believed; nothing here panics on any input.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::huggingface::clip;
use crate::quant_blocks::BlockType;
use crate::{ModelError, Tensor};

const MAX_DIMENSIONS: u32 = 4;
const MAX_KEY_BYTES: u64 = 65_535;

/// A metadata value; arrays are kept in the three kinds that models use.
#[derive(Debug, Clone, PartialEq)]
pub enum Metadata {
    /// Any integer, widened.
    Integer(i128),
    /// Either float, widened.
    Float(f64),
    /// A flag.
    Flag(bool),
    /// A string.
    Text(String),
    /// An array of strings.
    Texts(Vec<String>),
    /// An array of 32-bit floats.
    Floats(Vec<f32>),
    /// An array of 32-bit integers.
    Integers(Vec<i32>),
    /// An array of another element type, read past and not kept.
    Skipped,
}

#[derive(Debug, Clone)]
struct Entry {
    kind: BlockType,
    shape: Vec<usize>,
    begin: u64,
    bytes: u64,
}

/// An open GGUF file whose header has passed every check.
#[derive(Debug)]
pub struct Gguf<R> {
    place: String,
    reader: R,
    metadata: BTreeMap<String, Metadata>,
    entries: BTreeMap<String, Entry>,
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads and checks everything before the tensors; `place` is the path, for messages.
    ///
    /// # Errors
    /// Wrong magic or version, counts or lengths past the end, keys empty or given twice, more than four dimensions,
    /// an alignment that is not a power of two of 8 at least, element types not read (by name), tensors that overlap,
    /// are misaligned or past the end.
    pub fn open(place: &str, mut reader: R) -> Result<Self, ModelError> {
        let length = reader.seek(SeekFrom::End(0)).map_err(|e| ModelError::io(place, e))?;
        reader.seek(SeekFrom::Start(0)).map_err(|e| ModelError::io(place, e))?;
        let mut header = Header { place, reader: BufReader::new(&mut reader), at: 0, length };
        let (tensor_count, metadata_count) = header.counts()?;
        let mut metadata = BTreeMap::new();
        for _ in 0..metadata_count {
            let start = header.at;
            let key = header.text("metadata key", MAX_KEY_BYTES)?;
            if key.is_empty() {
                return Err(header.fault(start, "metadata key: got an empty one, expected a name"));
            }
            let value = header.value(&key)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(header.fault(start, &format!("metadata key {} stands twice, expected once", clip(&key))));
            }
        }
        let alignment = header.alignment(&metadata)?;
        let mut table = Vec::new();
        for _ in 0..tensor_count {
            table.push(header.tensor(alignment)?);
        }
        let entries = header.check_table(table, alignment)?;
        Ok(Self { place: place.into(), reader, metadata, entries })
    }

    /// All metadata by key.
    pub fn metadata(&self) -> &BTreeMap<String, Metadata> {
        &self.metadata
    }

    /// The tensors' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of tensor `name`, outermost dimension first.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|e| e.shape.as_slice())
    }

    /// Reads tensor `name`, widened to float32.
    ///
    /// # Errors
    /// An absent name, a read that fails.
    pub fn read_f32(&mut self, name: &str) -> Result<Tensor, ModelError> {
        let Some(entry) = self.entries.get(name) else {
            return Err(ModelError::input(format!("{}: {name}", self.place), "the file holds no such tensor"));
        };
        let mut bytes = vec![0; entry.bytes as usize];
        self.reader
            .seek(SeekFrom::Start(entry.begin))
            .and_then(|_| self.reader.read_exact(&mut bytes))
            .map_err(|e| ModelError::io(format!("{}: offset {}", self.place, entry.begin), e))?;
        Ok(Tensor::new(entry.shape.clone(), entry.kind.widen(&bytes)))
    }
}

/// The header while it is read, with the offset for messages and the length that bounds every count.
struct Header<'a, R: Read> {
    place: &'a str,
    reader: BufReader<R>,
    at: u64,
    length: u64,
}

impl<R: Read> Header<'_, R> {
    fn fault(&self, offset: u64, what: &str) -> ModelError {
        ModelError::input(format!("{}: offset {offset}", self.place), what)
    }

    fn left(&self) -> u64 {
        self.length - self.at
    }

    fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ModelError> {
        if self.left() < N as u64 {
            let what = format!("{what}: the file ends after {} of {N} bytes; it is cut short", self.left());
            return Err(self.fault(self.at, &what));
        }
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|e| ModelError::io(self.place, e))?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.bytes(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, ModelError> {
        Ok(u64::from_le_bytes(self.bytes(what)?))
    }

    /// A count of things that take at least `least` bytes each.
    fn count(&mut self, what: &str, least: u64) -> Result<u64, ModelError> {
        let start = self.at;
        let count = self.u64(what)?;
        if count > self.left() / least {
            let what = format!("{what}: got {count}, which the {} bytes left cannot hold", self.left());
            return Err(self.fault(start, &what));
        }
        Ok(count)
    }

    fn text(&mut self, what: &str, most: u64) -> Result<String, ModelError> {
        let start = self.at;
        let length = self.count(&format!("length of {what}"), 1)?;
        if length > most {
            return Err(self.fault(start, &format!("length of {what}: got {length}, expected at most {most}")));
        }
        let mut bytes = vec![0; length as usize];
        self.reader.read_exact(&mut bytes).map_err(|e| ModelError::io(self.place, e))?;
        self.at += length;
        String::from_utf8(bytes).map_err(|_| self.fault(start, &format!("{what}: not UTF-8")))
    }

    fn counts(&mut self) -> Result<(u64, u64), ModelError> {
        let magic: [u8; 4] = self.bytes("magic")?;
        if &magic != b"GGUF" {
            return Err(self.fault(0, &format!("magic: got {magic:?}, expected GGUF; is this a GGUF file?")));
        }
        let version = self.u32("version")?;
        match version {
            2 | 3 => {}
            _ if matches!(version.swap_bytes(), 1..=3) => {
                let place = format!("{}: offset 4", self.place);
                return Err(ModelError::unsupported(place, "a big-endian file; nearest that works: little-endian"));
            }
            _ => {
                let place = format!("{}: offset 4", self.place);
                return Err(ModelError::unsupported(place, format!("version {version}; nearest that works: 2 and 3")));
            }
        }
        // A tensor's table row takes 24 bytes at least, a metadata pair 13.
        Ok((self.count("tensor count", 24)?, self.count("metadata count", 13)?))
    }

    fn value(&mut self, key: &str) -> Result<Metadata, ModelError> {
        let key = clip(key);
        let start = self.at;
        let kind = self.u32(&key)?;
        Ok(match kind {
            0 => Metadata::Integer(u8::from_le_bytes(self.bytes(&key)?).into()),
            1 => Metadata::Integer(i8::from_le_bytes(self.bytes(&key)?).into()),
            2 => Metadata::Integer(u16::from_le_bytes(self.bytes(&key)?).into()),
            3 => Metadata::Integer(i16::from_le_bytes(self.bytes(&key)?).into()),
            4 => Metadata::Integer(self.u32(&key)?.into()),
            5 => Metadata::Integer(i32::from_le_bytes(self.bytes(&key)?).into()),
            6 => Metadata::Float(f32::from_le_bytes(self.bytes(&key)?).into()),
            7 => match self.bytes(&key)? {
                [0] => Metadata::Flag(false),
                [1] => Metadata::Flag(true),
                [other] => {
                    return Err(self.fault(start, &format!("{key}: got flag {other}, expected 0 or 1")));
                }
            },
            8 => Metadata::Text(self.text(&key, u64::MAX)?),
            9 => self.array(&key)?,
            10 => Metadata::Integer(self.u64(&key)?.into()),
            11 => Metadata::Integer(i64::from_le_bytes(self.bytes(&key)?).into()),
            12 => Metadata::Float(f64::from_le_bytes(self.bytes(&key)?)),
            other => {
                return Err(self.fault(start, &format!("{key}: got value type {other}, expected 0 to 12")));
            }
        })
    }

    fn array(&mut self, key: &str) -> Result<Metadata, ModelError> {
        let start = self.at;
        let kind = self.u32(key)?;
        let element_bytes = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => {
                return Err(ModelError::unsupported(format!("{}: {key}", self.place), "an array of arrays"));
            }
            other => {
                return Err(self.fault(start, &format!("{key}: got element type {other}, expected 0 to 12")));
            }
        };
        let count = self.count(&format!("{key}: array length"), element_bytes)?;
        match kind {
            4 | 5 => (0..count)
                .map(|_| Ok(i32::from_le_bytes(self.bytes(key)?)))
                .collect::<Result<_, _>>()
                .map(Metadata::Integers),
            6 => (0..count)
                .map(|_| Ok(f32::from_le_bytes(self.bytes(key)?)))
                .collect::<Result<_, _>>()
                .map(Metadata::Floats),
            8 => (0..count).map(|_| self.text(key, u64::MAX)).collect::<Result<_, _>>().map(Metadata::Texts),
            _ => {
                let bytes = count * element_bytes;
                std::io::copy(&mut (&mut self.reader).take(bytes), &mut std::io::sink())
                    .map_err(|e| ModelError::io(self.place, e))?;
                self.at += bytes;
                Ok(Metadata::Skipped)
            }
        }
    }

    fn alignment(&self, metadata: &BTreeMap<String, Metadata>) -> Result<u64, ModelError> {
        match metadata.get("general.alignment") {
            None => Ok(32),
            Some(Metadata::Integer(n)) if (8..=1 << 20).contains(n) && n & (n - 1) == 0 => Ok(*n as u64),
            Some(other) => Err(ModelError::input(
                format!("{}: general.alignment", self.place),
                format!("got {other:?}, expected a power of two from 8 to 2^20"),
            )),
        }
    }

    /// One row of the tensor table; `begin` is still counted from the start of the data.
    fn tensor(&mut self, alignment: u64) -> Result<(String, Entry), ModelError> {
        let start = self.at;
        let name = self.text("tensor name", MAX_KEY_BYTES)?;
        let shown = clip(&name);
        let count = self.u32(&shown)?;
        if count > MAX_DIMENSIONS {
            let what = format!("{shown}: got {count} dimensions, expected at most {MAX_DIMENSIONS}");
            return Err(self.fault(start, &what));
        }
        let mut dimensions = Vec::new();
        for _ in 0..count {
            dimensions.push(self.u64(&shown)?);
        }
        if dimensions.contains(&0) {
            return Err(self.fault(start, &format!("{shown}: dimensions {dimensions:?}, expected at least 1 each")));
        }
        let number = self.u32(&shown)?;
        let begin = self.u64(&shown)?;
        let kind = BlockType::parse(number).map_err(|name| {
            let what = format!("element type {name}; nearest that work: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K");
            ModelError::unsupported(format!("{}: {shown}", self.place), what)
        })?;
        let row = dimensions.first().copied().unwrap_or(1);
        let elements = dimensions.iter().try_fold(1u64, |n, &d| n.checked_mul(d));
        let bytes = elements.and_then(|n| (n / kind.elements()).checked_mul(kind.bytes()));
        let (Some(bytes), true) = (bytes, row % kind.elements() == 0) else {
            let what = format!("{shown}: dimensions {dimensions:?} overflow or leave part of a block of {kind:?}");
            return Err(self.fault(start, &what));
        };
        if begin % alignment != 0 {
            return Err(self.fault(start, &format!("{shown}: offset {begin} is no multiple of alignment {alignment}")));
        }
        let shape: Option<Vec<usize>> = dimensions.iter().rev().map(|&d| usize::try_from(d).ok()).collect();
        let Some(shape) = shape.filter(|_| bytes <= self.length) else {
            let what = format!("{shown}: dimensions {dimensions:?} need {bytes} bytes, more than the file holds");
            return Err(self.fault(start, &what));
        };
        Ok((name, Entry { kind, shape, begin, bytes }))
    }

    /// Places the tensors in the file and holds them to its length and to each other.
    fn check_table(&self, table: Vec<(String, Entry)>, alignment: u64) -> Result<BTreeMap<String, Entry>, ModelError> {
        let data_start = self.at.next_multiple_of(alignment);
        let mut entries = BTreeMap::new();
        for (name, mut entry) in table {
            let place = format!("{}: {}", self.place, clip(&name));
            let end = entry.begin.checked_add(data_start).and_then(|b| b.checked_add(entry.bytes));
            if end.is_none_or(|end| end > self.length) {
                let what = format!(
                    "offset {} and {} bytes reach past the file's end at {}",
                    entry.begin, entry.bytes, self.length
                );
                return Err(ModelError::input(place, what));
            }
            entry.begin += data_start;
            if entries.insert(name, entry).is_some() {
                return Err(ModelError::input(place, "the name stands twice in the tensor table, expected once"));
            }
        }
        let mut order: Vec<(&String, &Entry)> = entries.iter().collect();
        order.sort_by_key(|(_, e)| e.begin);
        for pair in order.windows(2) {
            if pair[0].1.begin + pair[0].1.bytes > pair[1].1.begin {
                let what = format!("overlaps tensor {} at offset {}", clip(pair[0].0), pair[1].1.begin);
                return Err(ModelError::input(format!("{}: {}", self.place, clip(pair[1].0)), what));
            }
        }
        Ok(entries)
    }
}
