//! A program: what a compiler hands to a core for one step, and everything that stands beside the instructions.
//!
//! Reading order: this file for the struct and the rules of its header, `check.rs` for legality (ranges and operands
//! in `rules.rs`, what an instruction touches in `access.rs` and `span.rs`, order between units in `hazards.rs`, several
//! cores in `set.rs`, the registers of a step in `step.rs`),
//! `file.rs` for `.lwp`, `text.rs` for `.lws`, `random.rs` for random legal programs.
//! It must never say what an instruction computes or how long it takes, and never touch the file system.

mod access;
mod check;
mod file;
mod hazards;
pub mod random;
mod rules;
mod set;
mod span;
mod step;
mod text;

pub use check::{MOST_VIOLATIONS, Rule, Violation};
pub use file::{FileError, FileFault};
pub use set::check_set;

use crate::isa::Instruction;
use crate::isa::field::field_enum;

/// Longest name in a program, in bytes: what the file format refuses beyond, so that a report stays readable.
pub const NAME_BYTES: usize = 255;

/// A program for one core of one machine: one step of a model, for every step that fits its buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Name of the machine that it was made for: one word.
    pub machine: String,
    /// Fingerprint of that machine's description.
    pub machine_fingerprint: u64,
    /// What the program does, for reports: one line.
    pub name: String,
    /// The core of the machine that it is for. A step's programs, one a core, belong together: see [`check_set`].
    pub core: u32,
    /// Rows bucket: register `rows` must not exceed it.
    pub max_rows: u32,
    /// Length bucket: register `end` must not exceed it.
    pub max_end: u32,
    /// Memory map, by rising base, without overlap.
    pub regions: Vec<Region>,
    /// Which operator each instruction belongs to, by rising first instruction; the first mark stands at 0.
    pub marks: Vec<Mark>,
    /// The instructions; the last one is the only `end`.
    pub instructions: Vec<Instruction>,
}

/// A range of the data memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Unique name: one word.
    pub name: String,
    /// Byte address of its first byte.
    pub base: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// What its traffic counts as.
    pub class: TrafficClass,
}

/// From this instruction on, up to the next mark, instructions belong to this operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Index of the first instruction of the operator.
    pub first: u32,
    /// Layer of the model, where the operator belongs to one.
    pub layer: Option<u32>,
    /// Operator: one word.
    pub operator: String,
}

field_enum! {
    /// What memory traffic is counted as in reports.
    TrafficClass {
        /// Weight codes.
        Weights = "weights",
        /// N:M indices.
        Index = "index",
        /// Group scales.
        Scales = "scales",
        /// KV cache.
        Kv = "kv",
        /// Activations that do not fit on chip.
        Activations = "activations",
        /// f32 and f16 constants: norm weights, biases, embeddings, RoPE table.
        Parameters = "parameters",
    }
}

impl Program {
    /// The region that holds the byte at `address`, as an index into `regions`.
    pub fn region_at(&self, address: u64) -> Option<usize> {
        let after = self.regions.partition_point(|r| r.base <= address);
        let index = after.checked_sub(1)?;
        (address - self.regions[index].base < self.regions[index].bytes).then_some(index)
    }

    /// The mark of instruction `index`, or `None` in a program without marks.
    pub fn mark_of(&self, index: usize) -> Option<&Mark> {
        let after = self.marks.partition_point(|m| m.first as usize <= index);
        after.checked_sub(1).map(|i| &self.marks[i])
    }

    /// All faults of what stands beside the instructions: names that the text form could not carry, buckets of zero,
    /// regions and marks that are not in order. Both readers refuse them and both writers assert that there are none.
    pub fn header_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        name_fault("machine", &self.machine, Spaces::Refused, &mut faults);
        name_fault("name", &self.name, Spaces::Inside, &mut faults);
        if self.max_rows == 0 || self.max_end == 0 {
            let (rows, end) = (self.max_rows, self.max_end);
            faults.push(format!("bucket is rows={rows} end={end}, expected at least 1 of each"));
        }
        self.region_faults(&mut faults);
        self.mark_faults(&mut faults);
        faults
    }

    fn region_faults(&self, faults: &mut Vec<String>) {
        let mut names: Vec<&str> = self.regions.iter().map(|r| r.name.as_str()).collect();
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            faults.push(format!("region `{}` stands twice, expected unique names", pair[0]));
        }
        let mut free = 0;
        for region in &self.regions {
            name_fault("region", &region.name, Spaces::Refused, faults);
            let (name, base, bytes) = (&region.name, region.base, region.bytes);
            match base.checked_add(bytes) {
                None => faults.push(format!("region `{name}` of {bytes} bytes at {base:#x} ends beyond 2^64")),
                Some(_) if bytes == 0 => faults.push(format!("region `{name}` has 0 bytes, expected at least 1")),
                Some(_) if base < free => faults.push(format!(
                    "region `{name}` begins at {base:#x}, expected {free:#x} or more, the end of the one before it"
                )),
                Some(end) => free = end,
            }
        }
    }

    fn mark_faults(&self, faults: &mut Vec<String>) {
        let length = self.instructions.len();
        if self.marks.is_empty() && length > 0 {
            faults.push("no mark, expected one at instruction 0".to_owned());
        }
        let mut expected = 0;
        for (i, mark) in self.marks.iter().enumerate() {
            name_fault("operator", &mark.operator, Spaces::Refused, faults);
            let first = mark.first as usize;
            if i == 0 && first != 0 {
                faults.push(format!("the first mark stands at instruction {first}, expected 0"));
            } else if first < expected || first >= length {
                faults.push(format!(
                    "mark {i} stands at instruction {first}, expected {expected} or more and less than {length}"
                ));
            }
            expected = first + 1;
        }
    }
}

/// Whether a name may have spaces inside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spaces {
    Refused,
    Inside,
}

/// Names stand in the text form as they are, so they hold nothing that it reads as something else.
fn name_fault(what: &str, name: &str, spaces: Spaces, faults: &mut Vec<String>) {
    let trimmed = name.trim() == name && !name.is_empty() && name.len() <= NAME_BYTES;
    let clean =
        !name.contains(|c: char| c.is_control() || c == '#' || (spaces == Spaces::Refused && c.is_whitespace()));
    if !(trimmed && clean) {
        let words = match spaces {
            Spaces::Refused => "one word",
            Spaces::Inside => "one line without spaces around it",
        };
        faults.push(format!("{what} is {name:?}, expected {words} of 1 to {NAME_BYTES} bytes without `#`"));
    }
}
