//! The simulator's own schedule played over real ports: a stand-in for the Verilog that tests the comparison and the
//! memories behind the ports.
//!
//! Dispatch and issue come in the cycles that the event engine says, dispatch not before its instruction has been
//! fetched; memory is asked as `requests` says, and loads and stores retire when their own beats and responses have come.
//! So a memory that is a cycle off shows as a retirement that is a cycle off. Several cores are played side by side.

use crate::crossed::Crossed;
use crate::expect::{DISPATCH, Expected, TRACKS, Track, issue_track, retire_track};
use crate::requests::{Requests, Transfers};
use crate::signals::{Inputs, Outputs, UNITS};
use hw_config::machine::Machine;

const LOAD: usize = 0;
const STORE: usize = 1;
const MATRIX: usize = 2;
const VECTOR: usize = 3;
const END: usize = UNITS - 1;

/// What a step's replay plays of a core.
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
    players: Vec<Player>,
    now: u64,
    /// Periods that the design takes to say that the last core is done.
    done_cycles: u64,
    /// When the last core that has ended did so.
    ended: Option<u64>,
    /// Steps begun.
    steps: usize,
    /// Changes the script of a core in one step before it is played: how the tests break it.
    edit: Option<(usize, usize, Edit)>,
}

/// One core of a replay.
#[derive(Debug)]
struct Player {
    tracks: [Track; TRACKS],
    next: [usize; TRACKS],
    requests: Requests,
    crossed: Crossed,
    inputs: Inputs,
    outputs: Outputs,
    is_done: bool,
}

impl Replay {
    /// A replay of steps of a machine.
    pub fn new(machine: &Machine) -> Self {
        let done_cycles = if machine.core.count > 1 { machine.link_cycles().into() } else { 0 };
        let (machine, players) = (machine.clone(), Vec::new());
        Self { machine, players, now: 0, done_cycles, ended: None, steps: 0, edit: None }
    }

    /// A replay that `edit` breaks in a core and a step.
    #[cfg(test)]
    pub(crate) fn edited(machine: &Machine, (core, step): (usize, usize), edit: Edit) -> Self {
        Self { edit: Some((core, step, edit)), ..Self::new(machine) }
    }

    pub(crate) fn start(&mut self, expected: &[Expected]) {
        self.players.clear();
        for (core, expected) in expected.iter().enumerate() {
            let mut script = Script { tracks: expected.tracks.clone(), transfers: Transfers::of(expected) };
            if let Some((_, _, edit)) = self.edit.filter(|(of, step, _)| (*of, *step) == (core, self.steps)) {
                edit(&mut script);
            }
            self.players.push(Player::new(&self.machine, core as u32, script));
        }
        self.steps += 1;
        (self.now, self.ended) = (0, None);
    }

    pub(crate) fn give(&mut self, core: usize, inputs: &Inputs) {
        self.players[core].inputs.clone_from(inputs);
    }

    pub(crate) fn take(&mut self, core: usize, outputs: &mut Outputs) {
        self.players[core].period(self.now);
        outputs.clone_from(&self.players[core].outputs);
        // What it asks for is seen where the memories are.
        let Player { crossed, outputs: near, .. } = &mut self.players[core];
        let far = crossed.far(near);
        outputs.copy_requests(far);
        if near.done {
            self.ended = Some(self.now);
        }
    }

    pub(crate) fn done(&self) -> bool {
        self.players.iter().all(|player| player.is_done || player.outputs.done)
            && self.ended.is_some_and(|ended| self.now == ended + self.done_cycles)
    }

    pub(crate) fn tick(&mut self) {
        for player in &mut self.players {
            player.tick(self.now);
        }
        self.now += 1;
    }
}

impl Player {
    fn new(machine: &Machine, core: u32, script: Script) -> Self {
        Self {
            tracks: script.tracks,
            next: [0; TRACKS],
            requests: Requests::new(machine, script.transfers),
            crossed: Crossed::new(machine, core),
            inputs: Inputs::new(machine),
            outputs: Outputs::new(machine),
            is_done: false,
        }
    }

    /// Whether the next event of a track is due.
    fn is_due(&self, now: u64, track: usize) -> bool {
        self.tracks[track].cycles.get(self.next[track]).is_some_and(|&cycle| cycle <= now)
    }

    fn period(&mut self, now: u64) {
        self.requests.offer(now, &mut self.outputs);
        let dispatch = self.is_due(now, DISPATCH) && self.requests.has_instruction();
        let (mut issue, mut retire) = (0, 0);
        for unit in [LOAD, STORE, MATRIX, VECTOR] {
            issue |= u8::from(self.is_due(now, issue_track(unit))) << unit;
        }
        retire |= u8::from(self.requests.loads.retires(now)) << LOAD;
        retire |= u8::from(self.requests.stores.retires(now)) << STORE;
        for unit in [MATRIX, VECTOR] {
            retire |= u8::from(self.is_due(now, retire_track(unit))) << unit;
        }
        let all = |unit: usize| self.next[retire_track(unit)] == self.tracks[retire_track(unit)].cycles.len();
        let done = (0..END).all(all) && self.is_due(now, issue_track(END));
        issue |= u8::from(done) << END;
        retire |= u8::from(done) << END;
        let outputs = &mut self.outputs;
        (outputs.dispatch, outputs.issue, outputs.retire, outputs.done) = (dispatch, issue, retire, done);
    }

    fn tick(&mut self, now: u64) {
        let Self { requests, crossed, inputs, outputs, next, is_done, .. } = self;
        requests.edge(now, crossed.near(inputs), outputs);
        next[DISPATCH] += usize::from(outputs.dispatch);
        for unit in 0..UNITS {
            next[issue_track(unit)] += usize::from(outputs.issue >> unit & 1);
            next[retire_track(unit)] += usize::from(outputs.retire >> unit & 1);
        }
        *is_done |= outputs.done;
    }
}
