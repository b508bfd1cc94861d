//! A case: everything that a comparison starts from, as plain data. What fails is written down as one, and can be run
//! again from there.
//!
//! A case is a folder: `machine.toml`, `case.toml` (registers of each step, backpressure, seed of the memory),
//! `program-N.lwp`, and `memory.bin` where the memory comes from no seed; of the cores after the first
//! `program-N.core1.lwp` and `memory.core1.bin`, and so on. This module only knows names and bytes; whoever calls reads and
//! writes them.

use crate::bus::Backpressure;
use crate::counts::Counts;
use crate::divergence::Divergence;
use crate::dut::Dut;
use crate::lockstep::{Cosim, Options};
use crate::random::{contents, random_run};
use hw_config::fault::Faults;
use hw_config::isa::REGISTERS;
use hw_config::machine::Machine;
use hw_config::program::{Program, check_set};
use hw_config::timing::Registers;
use serde::{Deserialize, Serialize};
use sim::functional::MemoryImage;
use sim::memory::PortModel;
use std::fmt;
use std::ops::Range;

/// The version of `case.toml` that is written and read.
const VERSION: u32 = 1;
const MACHINE_FILE: &str = "machine.toml";
const CASE_FILE: &str = "case.toml";
const REPORT_FILE: &str = "divergence.txt";

/// What the data memories hold at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// [`contents`] of a seed.
    Seeded(u64),
    /// These bytes, a memory a core.
    Bytes(Vec<Vec<u8>>),
}

/// Everything that a comparison starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The machine's description.
    pub machine_text: String,
    /// Withheld handshakes.
    pub backpressure: Option<Backpressure>,
    /// The data memories.
    pub memory: Contents,
    /// The programs: of each, one a core.
    pub programs: Vec<Vec<Program>>,
    /// The steps: which program, with which registers.
    pub steps: Vec<(usize, Registers)>,
}

/// Why a folder is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseError<E> {
    /// A file could not be read.
    File(E),
    /// A file is not as expected: one line.
    Content(String),
    /// The machine's description has faults.
    Machine {
        /// The faults.
        faults: Faults,
        /// The text that they are about.
        text: String,
    },
}

/// `case.toml`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: u32,
    /// Memory by seed; without it `memory.bin`.
    memory_seed: Option<u64>,
    backpressure: Option<Withheld>,
    programs: usize,
    steps: Vec<Step>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withheld {
    probability: f64,
    seed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    program: usize,
    registers: Vec<u32>,
}

fn program_file(number: usize, core: usize) -> String {
    format!("program-{number}{}.lwp", suffix(core))
}

fn memory_file(core: usize) -> String {
    format!("memory{}.bin", suffix(core))
}

/// What tells the files of the cores apart; nothing for the first.
fn suffix(core: usize) -> String {
    if core == 0 { String::new() } else { format!(".core{core}") }
}

impl Case {
    /// The random run of some seeds.
    ///
    /// # Panics
    /// When there is no seed, or a region of random programs is shorter than a row of one of the machine's buffers.
    pub fn random(
        machine: &Machine,
        machine_text: &str,
        seeds: Range<u64>,
        length: usize,
        backpressure: Option<Backpressure>,
    ) -> Self {
        let memory = Contents::Seeded(seeds.start);
        let run = random_run(machine, seeds, length);
        let (programs, registers): (Vec<_>, Vec<_>) = run.steps().map(|(p, r)| (p.to_vec(), *r)).unzip();
        Self {
            machine_text: machine_text.to_owned(),
            backpressure,
            memory,
            programs,
            steps: registers.into_iter().enumerate().collect(),
        }
    }

    /// Runs the case on a reset design.
    ///
    /// # Errors
    /// The first difference.
    ///
    /// # Panics
    /// When a program is illegal.
    pub fn run(&self, machine: &Machine, dut: &mut Dut) -> Result<Counts, Box<Divergence>> {
        let bytes = match &self.memory {
            Contents::Seeded(seed) => &(0..machine.core.count).map(|core| contents(machine, *seed, core)).collect(),
            Contents::Bytes(bytes) => bytes,
        };
        let image = |bytes: &Vec<u8>| {
            let mut memory = MemoryImage::new(bytes.len());
            memory.write(0, bytes);
            memory
        };
        let options = Options { backpressure: self.backpressure, memory: PortModel::Fast };
        let mut cosim = Cosim::new(machine, dut, bytes.iter().map(image).collect(), options);
        for (program, registers) in &self.steps {
            cosim.step(&self.programs[*program], registers)?;
        }
        Ok(*cosim.counts())
    }

    /// The files of the case, with what was found beside them.
    ///
    /// # Panics
    /// When a program's header has faults.
    pub fn to_files(&self, report: &str) -> Vec<(String, Vec<u8>)> {
        let description = Description {
            version: VERSION,
            memory_seed: match self.memory {
                Contents::Seeded(seed) => Some(seed),
                Contents::Bytes(_) => None,
            },
            backpressure: self.backpressure.map(|Backpressure { probability, seed }| Withheld { probability, seed }),
            programs: self.programs.len(),
            steps: self.steps.iter().map(|(program, r)| Step { program: *program, registers: r.to_vec() }).collect(),
        };
        let text = toml::to_string(&description).expect("plain data is TOML");
        let mut files = vec![
            (MACHINE_FILE.to_owned(), self.machine_text.clone().into_bytes()),
            (CASE_FILE.to_owned(), text.into_bytes()),
            (REPORT_FILE.to_owned(), report.as_bytes().to_vec()),
        ];
        for (number, programs) in self.programs.iter().enumerate() {
            let programs = programs.iter().enumerate();
            files.extend(programs.map(|(core, program)| (program_file(number, core), program.to_bytes())));
        }
        if let Contents::Bytes(memories) = &self.memory {
            files.extend(memories.iter().enumerate().map(|(core, bytes)| (memory_file(core), bytes.clone())));
        }
        files
    }

    /// A case and its machine from files that `read` gives by name.
    ///
    /// # Errors
    /// What `read` refuses, or the first fault: file, got, expected.
    pub fn read<E>(mut read: impl FnMut(&str) -> Result<Vec<u8>, E>) -> Result<(Self, Machine), CaseError<E>> {
        let mut file = |name: &str| read(name).map_err(CaseError::File);
        let machine_text = utf8(MACHINE_FILE, file(MACHINE_FILE)?)?;
        let machine = Machine::from_toml(MACHINE_FILE, &machine_text)
            .map_err(|faults| CaseError::Machine { faults, text: machine_text.clone() })?;
        let text = utf8(CASE_FILE, file(CASE_FILE)?)?;
        let description: Description = toml::from_str(&text).map_err(|error| {
            CaseError::Content(format!("{CASE_FILE}: {}", error.to_string().replace('\n', " ").trim()))
        })?;
        if description.version != VERSION {
            return content(CASE_FILE, format!("version {}, expected {VERSION}; make it again", description.version));
        }
        let mut programs = Vec::new();
        let cores = machine.core.count as usize;
        for number in 0..description.programs {
            let mut set = Vec::new();
            for core in 0..cores {
                let name = program_file(number, core);
                let program = Program::from_bytes(&file(&name)?)
                    .map_err(|error| CaseError::Content(format!("{name}: {error}")))?;
                set.push(program);
            }
            if let Err(violations) = check_set(&set, &machine) {
                return content(&program_file(number, 0), format!("illegal on this machine: {}", violations[0]));
            }
            programs.push(set);
        }
        let memory = match description.memory_seed {
            Some(seed) => Contents::Seeded(seed),
            None => Contents::Bytes((0..cores).map(|core| file(&memory_file(core))).collect::<Result<_, _>>()?),
        };
        let steps = description.steps.iter().map(|step| step.check(programs.len())).collect::<Result<_, _>>();
        let steps: Vec<(usize, Registers)> =
            steps.map_err(|fault| CaseError::Content(format!("{CASE_FILE}: {fault}")))?;
        for (number, (program, registers)) in steps.iter().enumerate() {
            for of_core in &programs[*program] {
                if let Err(violations) = of_core.check_step(&machine, registers) {
                    return content(CASE_FILE, format!("registers of step {number}: {}", violations[0]));
                }
            }
        }
        let backpressure = match description.backpressure {
            Some(Withheld { probability, .. }) if !(0.0..1.0).contains(&probability) => {
                return content(CASE_FILE, format!("probability is {probability}, expected 0 or more and less than 1"));
            }
            Some(Withheld { probability, seed }) => Some(Backpressure { probability, seed }),
            None => None,
        };
        Ok((Self { machine_text, backpressure, memory, programs, steps }, machine))
    }
}

impl Step {
    fn check(&self, programs: usize) -> Result<(usize, Registers), String> {
        if self.program >= programs {
            return Err(format!("step of program {}, expected less than {programs}", self.program));
        }
        let registers = self.registers.as_slice().try_into();
        let registers =
            registers.map_err(|_| format!("{} registers in a step, expected {REGISTERS}", self.registers.len()))?;
        Ok((self.program, registers))
    }
}

fn content<T, E>(name: &str, fault: impl fmt::Display) -> Result<T, CaseError<E>> {
    Err(CaseError::Content(format!("{name}: {fault}")))
}

fn utf8<E>(name: &str, bytes: Vec<u8>) -> Result<String, CaseError<E>> {
    String::from_utf8(bytes).map_err(|_| CaseError::Content(format!("{name}: is not UTF-8, expected TOML")))
}
