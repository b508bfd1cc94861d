//! `.lws`: a program as text that assembles back to the same bytes.
//! Directives stand before what they describe: `.machine`, `.program`, `.core` (0 when left out), `.bucket` and `.region`
//! before the first instruction, `.mark` before the first instruction of its operator. `#` starts a comment.
//! The reader must never stop at the first faulty line, nor drop a line that it does not know.

use super::{Mark, Program, Region, TrafficClass};
use crate::isa::text::read_instruction;
use crate::isa::{AssembleError, FieldValue, write_instruction};

/// The directives and their forms, for messages.
const DIRECTIVES: &str = "`.machine name fingerprint`, `.program name`, `.core n`, `.bucket rows=n end=n`, \
                          `.region name base bytes class`, `.mark [layer=n] op=name`";

impl Program {
    /// The program as the text of a `.lws` file.
    ///
    /// # Panics
    /// When the header has faults: `check` says so beforehand.
    pub fn to_text(&self) -> String {
        let faults = self.header_faults();
        assert!(faults.is_empty(), "program without a sound header: {faults:?}");
        let core = if self.core == 0 { String::new() } else { format!(".core {}\n", self.core) };
        let mut out = format!(
            ".machine {} {:#018x}\n.program {}\n{core}.bucket rows={} end={}\n",
            self.machine, self.machine_fingerprint, self.name, self.max_rows, self.max_end
        );
        for Region { name, base, bytes, class } in &self.regions {
            out.push_str(&format!(".region {name} {base:#x} {bytes:#x} {}\n", class.name()));
        }
        let mut marks = self.marks.iter().peekable();
        for (index, instruction) in self.instructions.iter().enumerate() {
            if let Some(mark) = marks.next_if(|m| m.first as usize == index) {
                let layer = mark.layer.map_or(String::new(), |layer| format!(" layer={layer}"));
                out.push_str(&format!(".mark{layer} op={}\n", mark.operator));
            }
            out.push_str(&write_instruction(instruction));
            out.push('\n');
        }
        out
    }

    /// The program of the text of a `.lws` file.
    ///
    /// # Errors
    /// All faulty lines; when no line is faulty, what is missing or not in order, at line 1.
    pub fn from_text(text: &str) -> Result<Self, Vec<AssembleError>> {
        let mut reader = Reader::default();
        let mut faults = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let code = line.split('#').next().unwrap_or("").trim();
            if !code.is_empty()
                && let Err(fault) = reader.line(number + 1, code)
            {
                faults.push(fault);
            }
        }
        if faults.is_empty() { reader.finish() } else { Err(faults) }
    }
}

/// What the lines so far have said.
#[derive(Default)]
struct Reader {
    machine: Option<(String, u64)>,
    name: Option<String>,
    core: Option<u32>,
    bucket: Option<(u32, u32)>,
    regions: Vec<Region>,
    marks: Vec<Mark>,
    instructions: Vec<crate::isa::Instruction>,
}

impl Reader {
    fn line(&mut self, number: usize, code: &str) -> Result<(), AssembleError> {
        let Some(directive) = code.strip_prefix('.') else {
            self.instructions.push(read_instruction(number, code)?);
            return Ok(());
        };
        let (word, rest) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        self.directive(word, rest.trim(), &words).map_err(|message| AssembleError { line: number, message })
    }

    fn directive(&mut self, word: &str, rest: &str, words: &[&str]) -> Result<(), String> {
        if word != "mark" && !self.instructions.is_empty() {
            return Err(format!("`.{word}` behind an instruction, expected before the first one"));
        }
        match (word, words) {
            ("machine", [name, fingerprint]) => {
                set(word, &mut self.machine, ((*name).to_owned(), number("fingerprint", fingerprint)?))
            }
            ("program", [_, ..]) => set(word, &mut self.name, rest.to_owned()),
            ("core", [core]) => set(word, &mut self.core, number("core", core)?),
            ("bucket", [rows, end]) => {
                set(word, &mut self.bucket, (number("rows", field("rows", rows)?)?, number("end", field("end", end)?)?))
            }
            ("region", [name, base, bytes, class]) => {
                self.regions.push(Region {
                    name: (*name).to_owned(),
                    base: number("base", base)?,
                    bytes: number("bytes", bytes)?,
                    class: TrafficClass::read(class).ok_or_else(|| {
                        format!("class is `{class}`, expected one of: {}", TrafficClass::VALUES.join(", "))
                    })?,
                });
                Ok(())
            }
            ("mark", [op]) => self.mark(None, op),
            ("mark", [layer, op]) => self.mark(Some(number("layer", field("layer", layer)?)?), op),
            _ => Err(format!("got `.{word}` with {} words, expected one of: {DIRECTIVES}", words.len())),
        }
    }

    fn mark(&mut self, layer: Option<u32>, op: &str) -> Result<(), String> {
        let first = u32::try_from(self.instructions.len()).map_err(|_| "more than 2^32 instructions".to_owned())?;
        if self.marks.last().is_some_and(|m| m.first == first) {
            return Err("two marks before one instruction, expected one".to_owned());
        }
        self.marks.push(Mark { first, layer, operator: field("op", op)?.to_owned() });
        Ok(())
    }

    fn finish(self) -> Result<Program, Vec<AssembleError>> {
        let at_start = |message: String| AssembleError { line: 1, message };
        let (Some((machine, machine_fingerprint)), Some(name), Some((max_rows, max_end))) =
            (self.machine, self.name, self.bucket)
        else {
            return Err(vec![at_start(
                "`.machine`, `.program` or `.bucket` is missing, expected one of each".to_owned(),
            )]);
        };
        let program = Program {
            machine,
            machine_fingerprint,
            name,
            core: self.core.unwrap_or(0),
            max_rows,
            max_end,
            regions: self.regions,
            marks: self.marks,
            instructions: self.instructions,
        };
        match program.header_faults() {
            faults if faults.is_empty() => Ok(program),
            faults => Err(faults.into_iter().map(at_start).collect()),
        }
    }
}

/// Fills what may be said once.
fn set<T>(word: &str, place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("`.{word}` stands twice, expected once")),
    }
}

/// The value of `name=value`.
fn field<'a>(name: &str, word: &'a str) -> Result<&'a str, String> {
    word.strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .ok_or_else(|| format!("got `{word}`, expected `{name}=...`"))
}

/// A number, decimal or `0x`.
fn number<T: FieldValue>(what: &str, text: &str) -> Result<T, String> {
    T::read(text).ok_or_else(|| format!("{what} is `{text}`, expected a number"))
}
