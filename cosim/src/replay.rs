//! The simulator's own schedule played over real ports: a stand-in for the Verilog that tests the comparison and the
//! memories behind the ports.
//!
//! Dispatch and issue come in the cycles that the event engine says, dispatch not before its instruction has been
//! fetched; memory is asked as `requests` says, and loads and stores retire when their own beats and responses have come.
//! So a memory that is a cycle off shows as a retirement that is a cycle off.

use crate::expect::{DISPATCH, Expected, TRACKS, Track, issue_track, retire_track};
use crate::requests::{Requests, Transfers};
use crate::signals::{Inputs, Outputs, UNITS};
use hw_config::machine::Machine;

const LOAD: usize = 0;
const STORE: usize = 1;
const MATRIX: usize = 2;
const VECTOR: usize = 3;
const END: usize = UNITS - 1;

/// What a step's replay plays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) tracks: [Track; TRACKS],
    pub(crate) transfers: Transfers,
}

/// A change of a script.
type Edit = fn(&mut Script);

/// A replay of steps.
#[derive(Debug)]
pub struct Replay {
    machine: Machine,
    now: u64,
    tracks: [Track; TRACKS],
    next: [usize; TRACKS],
    requests: Requests,
    inputs: Inputs,
    /// Steps begun.
    steps: usize,
    /// Changes the script of one step before it is played: how the tests break it.
    edit: Option<(usize, Edit)>,
}

impl Replay {
    /// A replay of steps of a machine.
    pub fn new(machine: &Machine) -> Self {
        Self {
            machine: machine.clone(),
            now: 0,
            tracks: Default::default(),
            next: [0; TRACKS],
            requests: Requests::new(machine, Transfers::default()),
            inputs: Inputs::new(machine),
            steps: 0,
            edit: None,
        }
    }

    /// A replay that `edit` breaks in a step.
    #[cfg(test)]
    pub(crate) fn edited(machine: &Machine, step: usize, edit: Edit) -> Self {
        Self { edit: Some((step, edit)), ..Self::new(machine) }
    }

    pub(crate) fn start(&mut self, expected: &Expected) {
        let mut script = Script { tracks: expected.tracks.clone(), transfers: Transfers::of(expected) };
        if let Some((_, edit)) = self.edit.filter(|(step, _)| *step == self.steps) {
            edit(&mut script);
        }
        self.steps += 1;
        self.requests = Requests::new(&self.machine, script.transfers);
        (self.tracks, self.next, self.now) = (script.tracks, [0; TRACKS], 0);
    }

    /// Whether the next event of a track is due.
    fn is_due(&self, track: usize) -> bool {
        self.tracks[track].cycles.get(self.next[track]).is_some_and(|&cycle| cycle <= self.now)
    }

    pub(crate) fn period(&mut self, inputs: &Inputs, outputs: &mut Outputs) {
        self.inputs.clone_from(inputs);
        self.requests.offer(self.now, outputs);
        outputs.dispatch = self.is_due(DISPATCH) && self.requests.has_instruction();
        (outputs.issue, outputs.retire) = (0, 0);
        for unit in [LOAD, STORE, MATRIX, VECTOR] {
            outputs.issue |= u8::from(self.is_due(issue_track(unit))) << unit;
        }
        outputs.retire |= u8::from(self.requests.loads.retires(self.now)) << LOAD;
        outputs.retire |= u8::from(self.requests.stores.retires(self.now)) << STORE;
        for unit in [MATRIX, VECTOR] {
            outputs.retire |= u8::from(self.is_due(retire_track(unit))) << unit;
        }
        let all = |unit: usize| self.next[retire_track(unit)] == self.tracks[retire_track(unit)].cycles.len();
        outputs.done = (0..END).all(all) && self.is_due(issue_track(END));
        outputs.issue |= u8::from(outputs.done) << END;
        outputs.retire |= u8::from(outputs.done) << END;
    }

    pub(crate) fn tick(&mut self, outputs: &Outputs) {
        self.requests.edge(self.now, &self.inputs, outputs);
        self.next[DISPATCH] += usize::from(outputs.dispatch);
        for unit in 0..UNITS {
            self.next[issue_track(unit)] += usize::from(outputs.issue >> unit & 1);
            self.next[retire_track(unit)] += usize::from(outputs.retire >> unit & 1);
        }
        self.now += 1;
    }
}
