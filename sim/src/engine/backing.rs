//! The memory behind the ports: the fast model, or the stepping one as a check and as a measure of speed.
//! Both follow the same rules (`docs/src/memory.md`) and give the same cycles; nothing here adds a rule.

use crate::memory::{
    ChannelConfig, ChannelSet, Completion, Grouping, KernelCycle, MemorySystem, Moved, Statistics, SteppedChannel,
    Ticket, Traced, Transfer,
};

/// Which memory model a step runs on. The cycles are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryModel {
    /// Event by event, equal channels once or each for itself.
    Fast(Grouping),
    /// Memory cycle by memory cycle, each channel for itself: slow.
    Stepped,
}

pub(super) enum Backing {
    Fast(Box<MemorySystem>),
    Stepped(SteppedSystem),
}

impl Backing {
    /// # Panics
    /// When the ports contradict each other, which the check of a machine excludes.
    pub(super) fn new(configs: &[ChannelConfig], model: MemoryModel) -> Self {
        let of_checked_machine = |fault: String| -> ! { panic!("memory of a checked machine: {fault}") };
        match model {
            MemoryModel::Fast(grouping) => match MemorySystem::new(configs, grouping) {
                Ok(system) => Self::Fast(Box::new(system)),
                Err(fault) => of_checked_machine(fault),
            },
            MemoryModel::Stepped => match configs.iter().map(SteppedChannel::new).collect() {
                Ok(channels) => Self::Stepped(SteppedSystem::new(configs, channels)),
                Err(fault) => of_checked_machine(fault),
            },
        }
    }

    pub(super) fn push(&mut self, channels: ChannelSet, lane: usize, transfer: Transfer) -> Ticket {
        match self {
            Self::Fast(system) => system.push(channels, lane, transfer),
            Self::Stepped(system) => system.push(channels, lane, transfer),
        }
    }

    pub(super) fn advance(&mut self, until: u64) {
        match self {
            Self::Fast(system) => system.advance(KernelCycle(until)),
            Self::Stepped(system) => system.advance(until),
        }
    }

    /// The fast model, which can say more than the past.
    #[inline]
    pub(super) fn fast(&mut self) -> Option<&mut MemorySystem> {
        match self {
            Self::Fast(system) => Some(system),
            Self::Stepped(_) => None,
        }
    }

    /// Completions found since the last call, in the place of what the list held.
    pub(super) fn poll_into(&mut self, found: &mut Vec<Completion>) {
        match self {
            Self::Fast(system) => system.poll_into(found),
            Self::Stepped(system) => {
                found.clear();
                std::mem::swap(&mut system.completed, found);
            }
        }
    }

    /// A cycle before which nothing completes that is under way and has not been polled.
    pub(super) fn completion_bound(&self) -> Option<u64> {
        match self {
            Self::Fast(system) => system.next_completion_bound().map(|cycle| cycle.0),
            // Stepping knows the past only.
            Self::Stepped(system) => (system.under_way > 0).then_some(system.horizon),
        }
    }

    /// Keeps every command from now on; stepped channels always do.
    pub(super) fn keep_commands(&mut self) {
        match self {
            Self::Fast(system) => system.keep_traces(),
            Self::Stepped(_) => {}
        }
    }

    /// The commands of a channel in order of time.
    pub(super) fn commands(&self, channel: usize) -> Vec<Traced> {
        match self {
            Self::Fast(system) => system.trace(channel).expect("commands are kept"),
            Self::Stepped(system) => system.channels[channel].trace().to_vec(),
        }
    }

    /// What a channel moved, if the fast model keeps it.
    pub(super) fn moved(&self, channel: usize) -> Option<Vec<Moved>> {
        match self {
            Self::Fast(system) => system.moved(channel),
            Self::Stepped(_) => None,
        }
    }

    pub(super) fn statistics(&self, channel: usize) -> Statistics {
        match self {
            Self::Fast(system) => system.statistics(channel),
            Self::Stepped(system) => *system.channels[channel].statistics(),
        }
    }
}

/// Stepped channels behind the interface of the fast system.
pub(super) struct SteppedSystem {
    channels: Vec<SteppedChannel>,
    /// Kernel and memory frequency of each channel.
    clocks: Vec<(u64, u64)>,
    /// Completions of each channel taken so far.
    taken: Vec<usize>,
    /// Channels left and latest cycle of each ticket.
    tickets: Vec<(u32, u64)>,
    completed: Vec<Completion>,
    under_way: usize,
    horizon: u64,
}

impl SteppedSystem {
    fn new(configs: &[ChannelConfig], channels: Vec<SteppedChannel>) -> Self {
        let clocks: Vec<(u64, u64)> = configs.iter().map(|c| (c.clocks().kernel(), c.clocks().memory())).collect();
        for (kernel, memory) in &clocks {
            // Else a kernel cycle would not be over when the next one's transfers are pushed.
            assert!(
                memory >= kernel,
                "stepping needs a memory clock not slower than the kernel's: {memory} : {kernel}"
            );
        }
        let taken = vec![0; channels.len()];
        Self { channels, clocks, taken, tickets: Vec::new(), completed: Vec::new(), under_way: 0, horizon: 0 }
    }

    fn push(&mut self, channels: ChannelSet, lane: usize, transfer: Transfer) -> Ticket {
        let ticket = self.tickets.len();
        self.tickets.push((channels.0.count_ones(), 0));
        self.under_way += 1;
        for (number, channel) in self.channels.iter_mut().enumerate() {
            if channels.0 >> number & 1 == 1 {
                channel.push(lane, ticket, transfer);
            }
        }
        Ticket(ticket as u64)
    }

    /// Does the kernel cycles before `until`.
    fn advance(&mut self, until: u64) {
        self.horizon = until;
        for (number, channel) in self.channels.iter_mut().enumerate() {
            let (kernel, memory) = self.clocks[number];
            while channel.now().0 * kernel < until * memory {
                channel.step();
            }
            let new = &channel.completions()[self.taken[number]..];
            self.taken[number] += new.len();
            for &(ticket, cycle) in new {
                let (left, latest) = &mut self.tickets[ticket];
                (*left, *latest) = (*left - 1, cycle.0.max(*latest));
                if *left == 0 {
                    self.under_way -= 1;
                    self.completed.push(Completion { cycle: KernelCycle(*latest), ticket: Ticket(ticket as u64) });
                }
            }
        }
    }
}
