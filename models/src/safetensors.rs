//! The safetensors format: an 8-byte little-endian header length, a JSON header, the tensors' bytes.
//!
//! Format: <https://huggingface.co/docs/safetensors>. Everything the header says is checked against the file's length
//! before a tensor is read; nothing here panics or allocates on a header's word alone.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use half::{bf16, f16};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::huggingface::clip;
use crate::{ModelError, Tensor};

/// Longest header accepted; the reference implementation's limit.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Element types that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dtype {
    F32,
    F16,
    Bf16,
    I32,
}

impl Dtype {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "F32" => Some(Self::F32),
            "F16" => Some(Self::F16),
            "BF16" => Some(Self::Bf16),
            "I32" => Some(Self::I32),
            _ => None,
        }
    }

    fn bytes(self) -> u64 {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// One checked header entry; offsets are from the start of the data.
#[derive(Debug, Clone)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    begin: u64,
    end: u64,
}

/// An open safetensors file whose header has passed every check.
#[derive(Debug)]
pub struct Safetensors<R> {
    place: String,
    reader: R,
    data_start: u64,
    entries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The header with its keys in file order, so that a key given twice is seen.
struct RawHeader(Vec<(String, RawEntry)>);

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawHeader;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    let fault = |e: A::Error| A::Error::custom(format!("{}: {e}", clip(&key)));
                    if key == "__metadata__" {
                        map.next_value::<BTreeMap<String, String>>().map_err(fault)?;
                        continue;
                    }
                    let value = map.next_value().map_err(fault)?;
                    entries.push((key, value));
                }
                Ok(RawHeader(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<R: Read + Seek> Safetensors<R> {
    /// Reads and checks the header; `place` is the path, for messages.
    ///
    /// # Errors
    /// A file too short, a header longer than the file or 100 MB, malformed JSON, unknown dtypes (by name), a key given
    /// twice, sizes that do not match shapes, overlapping or gapped or out-of-file tensors.
    pub fn open(place: &str, mut reader: R) -> Result<Self, ModelError> {
        let length = reader.seek(SeekFrom::End(0)).map_err(|e| ModelError::io(place, e))?;
        if length < 8 {
            let what = format!("got {length} bytes, expected at least the 8 of the header length");
            return Err(ModelError::input(format!("{place}: offset 0"), what));
        }
        let mut word = [0; 8];
        read_at(place, &mut reader, 0, &mut word)?;
        let header_bytes = u64::from_le_bytes(word);
        let most = (length - 8).min(MAX_HEADER_BYTES);
        if header_bytes > most {
            let what = format!("header length: got {header_bytes} bytes, expected at most {most}; the file is damaged");
            return Err(ModelError::input(format!("{place}: offset 0"), what));
        }
        let mut header = vec![0; header_bytes as usize];
        read_at(place, &mut reader, 8, &mut header)?;
        let raw: RawHeader = serde_json::from_slice(&header)
            .map_err(|e| ModelError::input(format!("{place}: header at offset 8"), e.to_string()))?;
        let data_start = 8 + header_bytes;
        let entries = check_entries(place, raw, length - data_start)?;
        Ok(Self { place: place.into(), reader, data_start, entries })
    }

    /// The tensors' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of tensor `name`, outermost dimension first.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|e| e.shape.as_slice())
    }

    /// Reads tensor `name` as float32, widening F16 and BF16 exactly.
    ///
    /// # Errors
    /// An absent name, an I32 tensor, a read that fails.
    pub fn read_f32(&mut self, name: &str) -> Result<Tensor, ModelError> {
        let (entry, bytes) = self.read(name)?;
        let data = match entry.dtype {
            Dtype::F32 => widen(&bytes, f32::from_le_bytes),
            Dtype::F16 => widen(&bytes, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::Bf16 => widen(&bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Dtype::I32 => return Err(self.wrong_dtype(name, "I32", "F32, F16 or BF16")),
        };
        Ok(Tensor::new(entry.shape, data))
    }

    /// Reads tensor `name` of 32-bit integers.
    ///
    /// # Errors
    /// An absent name, a float tensor, a read that fails.
    pub fn read_i32(&mut self, name: &str) -> Result<Vec<i32>, ModelError> {
        let (entry, bytes) = self.read(name)?;
        match entry.dtype {
            Dtype::I32 => Ok(widen(&bytes, i32::from_le_bytes)),
            Dtype::F32 | Dtype::F16 | Dtype::Bf16 => Err(self.wrong_dtype(name, "floats", "I32")),
        }
    }

    fn wrong_dtype(&self, name: &str, got: &str, expected: &str) -> ModelError {
        ModelError::input(format!("{}: {name}", self.place), format!("got {got}, expected {expected}"))
    }

    fn read(&mut self, name: &str) -> Result<(Entry, Vec<u8>), ModelError> {
        let Some(entry) = self.entries.get(name).cloned() else {
            return Err(ModelError::input(format!("{}: {name}", self.place), "the file holds no such tensor"));
        };
        let mut bytes = vec![0; (entry.end - entry.begin) as usize];
        read_at(&self.place, &mut self.reader, self.data_start + entry.begin, &mut bytes)?;
        Ok((entry, bytes))
    }
}

fn read_at<R: Read + Seek>(place: &str, reader: &mut R, offset: u64, bytes: &mut [u8]) -> Result<(), ModelError> {
    reader
        .seek(SeekFrom::Start(offset))
        .and_then(|_| reader.read_exact(bytes))
        .map_err(|e| ModelError::io(format!("{place}: offset {offset}"), e))
}

fn widen<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&b| convert(b)).collect()
}

/// Holds each entry to its shape and dtype, and all of them to a data area without gap or overlap.
fn check_entries(place: &str, raw: RawHeader, data_bytes: u64) -> Result<BTreeMap<String, Entry>, ModelError> {
    let mut entries = BTreeMap::new();
    for (name, raw) in raw.0 {
        let place = format!("{place}: {}", clip(&name));
        let entry = check_entry(&place, raw, data_bytes)?;
        if entries.insert(name, entry).is_some() {
            return Err(ModelError::input(place, "the name stands twice in the header, expected once"));
        }
    }
    let mut order: Vec<(&String, &Entry)> = entries.iter().collect();
    order.sort_by_key(|(name, e)| (e.begin, e.end, *name));
    let mut at = 0;
    for (name, entry) in order {
        if entry.begin != at {
            let what = format!("data_offsets: begins at {}, expected {at}: no gap and no overlap", entry.begin);
            return Err(ModelError::input(format!("{place}: {}", clip(name)), what));
        }
        at = entry.end;
    }
    if at != data_bytes {
        let what = format!("the tensors end at data offset {at}, expected the file's end {data_bytes}");
        return Err(ModelError::input(place, what));
    }
    Ok(entries)
}

fn check_entry(place: &str, raw: RawEntry, data_bytes: u64) -> Result<Entry, ModelError> {
    let Some(dtype) = Dtype::parse(&raw.dtype) else {
        let what = format!("dtype {}; nearest that work: F32, F16, BF16, I32", clip(&raw.dtype));
        return Err(ModelError::unsupported(place, what));
    };
    let [begin, end] = raw.data_offsets;
    if begin > end || end > data_bytes {
        let what = format!("data_offsets: got [{begin}, {end}], expected rising and within {data_bytes} bytes of data");
        return Err(ModelError::input(place, what));
    }
    if raw.shape.contains(&0) {
        return Err(ModelError::input(
            place,
            format!("shape {:?}: a dimension is 0, expected at least 1", brief(&raw.shape)),
        ));
    }
    let need = raw.shape.iter().try_fold(dtype.bytes(), |n, &d| n.checked_mul(d));
    if need != Some(end - begin) {
        let need = need.map_or("over 2^64".into(), |n| n.to_string());
        let what = format!("shape {:?} needs {need} bytes, data_offsets give {}", brief(&raw.shape), end - begin);
        return Err(ModelError::input(place, what));
    }
    let Some(shape) = raw.shape.iter().map(|&d| usize::try_from(d).ok()).collect() else {
        return Err(ModelError::input(place, "shape: a dimension is beyond this machine's address range"));
    };
    Ok(Entry { dtype, shape, begin, end })
}

/// The first dimensions of a shape, enough for a message.
fn brief(shape: &[u64]) -> &[u64] {
    &shape[..shape.len().min(8)]
}
