//! The first difference between simulator and design, and everything that stood around it.

use crate::signals::{UNIT_NAMES, UNITS};
use std::fmt;

/// Events shown of each side.
pub(crate) const HISTORY: usize = 20;

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A dispatch, issue or retirement in another cycle, or out of order.
    Event,
    /// A read burst of the load unit or of fetch.
    Burst,
    /// Address, bytes or time of a write.
    Store,
    /// A byte of the data memory after a step.
    Memory,
    /// The number of cycles of a step.
    Cycles,
    /// A rule of the memory ports is broken.
    Port,
    /// The design takes an instruction for none.
    Illegal,
    /// Nothing happens any more.
    NoProgress,
}

impl Difference {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Burst => "read burst",
            Self::Store => "write",
            Self::Memory => "memory",
            Self::Cycles => "cycles",
            Self::Port => "port protocol",
            Self::Illegal => "illegal instruction",
            Self::NoProgress => "no progress",
        }
    }
}

/// The first difference of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// What differs.
    pub difference: Difference,
    /// Step of the run, from 0.
    pub step: usize,
    /// The core, on a machine of several.
    pub core: Option<usize>,
    /// Kernel cycle of the step, in the memories' region where a core is apart from it.
    pub cycle: u64,
    /// The instruction that it belongs to, if it is known: place in the program and text.
    pub instruction: Option<(usize, String)>,
    /// What the simulator says.
    pub expected: String,
    /// What the design does.
    pub got: String,
    /// The last events of the simulator up to this cycle, oldest first.
    pub expected_events: Vec<String>,
    /// The last events of the design.
    pub got_events: Vec<String>,
    /// How far units and ports have come.
    pub state: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.core.map_or(String::new(), |core| format!(" of core {core}"));
        writeln!(
            f,
            "first difference: {} in cycle {} of step {}{core}",
            self.difference.name(),
            self.cycle,
            self.step
        )?;
        if let Some((place, text)) = &self.instruction {
            writeln!(f, "  instruction {place}: {text}")?;
        }
        writeln!(f, "  simulator: {}", self.expected)?;
        writeln!(f, "  RTL:       {}", self.got)?;
        writeln!(f, "  state: {}", self.state)?;
        for (who, events) in [("simulator", &self.expected_events), ("RTL", &self.got_events)] {
            writeln!(f, "  last {} events of the {who}:", events.len())?;
            for event in events {
                writeln!(f, "    {event}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Divergence {}

/// What a track is called in an event: 0 is dispatch, then issues and retirements by unit.
pub(crate) fn track_name(track: usize) -> String {
    match track {
        0 => "dispatch".to_owned(),
        track if track <= UNITS => format!("issue {}", UNIT_NAMES[track - 1]),
        track => format!("retire {}", UNIT_NAMES[track - 1 - UNITS]),
    }
}
