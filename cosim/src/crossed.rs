//! The ways between a core and the memories in another region: the ports of the core, later, and what comes back, later.
//!
//! `requests` says what a core asks for where it stands; the design's ports are in the memories' region. While nothing is
//! withheld a way is so many periods and nothing else (`docs/src/machine.md`, "Placement"). It must never know why.

use crate::signals::{Inputs, Outputs};
use hw_config::machine::Machine;
use std::collections::VecDeque;

/// Periods of a way over the boundaries between a core and its data memory, and its instruction memory.
pub(crate) fn crossings(machine: &Machine, core: u32) -> (u32, u32) {
    let cycles = machine.core.crossing_cycles;
    (machine.memory_distance(core) * cycles, machine.instruction_distance(core) * cycles)
}

/// Both ways of a core in one step.
#[derive(Debug)]
pub(crate) struct Crossed {
    data: usize,
    fetch: usize,
    /// What the memories gave, the latest last.
    given: VecDeque<Inputs>,
    /// What the core asked for, the latest last.
    asked: VecDeque<Outputs>,
    near: Inputs,
    far: Outputs,
    all: u64,
}

impl Crossed {
    /// Before the first period: nothing is on its way.
    pub(crate) fn new(machine: &Machine, core: u32) -> Self {
        let (data, fetch) = crossings(machine, core);
        let longest = data.max(fetch) as usize;
        let mut near = Inputs::new(machine);
        near.fetch_arready = true;
        Self {
            data: data as usize,
            fetch: fetch as usize,
            given: vec![Inputs::new(machine); longest].into(),
            asked: vec![Outputs::new(machine); longest].into(),
            near,
            far: Outputs::new(machine),
            all: u64::MAX >> (64 - machine.memory.channels),
        }
    }

    /// What the core gets in this period, when the memories give this.
    pub(crate) fn near<'a>(&'a mut self, given: &'a Inputs) -> &'a Inputs {
        if self.data == 0 && self.fetch == 0 {
            return given;
        }
        self.given.push_back(given.clone());
        let latest = self.given.len() - 1;
        let (data, fetch, near) = (&self.given[latest - self.data], &self.given[latest - self.fetch], &mut self.near);
        (near.load_arready, near.store_awready, near.store_wready) = (self.all, self.all, self.all);
        (near.load_rvalid, near.load_rlast, near.store_bvalid) = (data.load_rvalid, data.load_rlast, data.store_bvalid);
        near.load_rdata.clone_from(&data.load_rdata);
        (near.fetch_rvalid, near.fetch_rlast) = (fetch.fetch_rvalid, fetch.fetch_rlast);
        near.fetch_rdata.clone_from(&fetch.fetch_rdata);
        self.given.pop_front();
        &self.near
    }

    /// What stands before the memories in this period, when the core asks for this.
    pub(crate) fn far<'a>(&'a mut self, asked: &'a Outputs) -> &'a Outputs {
        if self.data == 0 && self.fetch == 0 {
            return asked;
        }
        self.asked.push_back(asked.clone());
        let latest = self.asked.len() - 1;
        let (data, fetch) = (&self.asked[latest - self.data], &self.asked[latest - self.fetch]);
        self.far.clone_from(data);
        self.far.fetch_arvalid = fetch.fetch_arvalid;
        (self.far.fetch_araddr, self.far.fetch_arlen) = (fetch.fetch_araddr, fetch.fetch_arlen);
        self.asked.pop_front();
        &self.far
    }
}
