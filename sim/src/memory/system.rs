//! The memory system: many channels, of which those in equal state are simulated once.
//! A group is a set of channels and one state. A transfer for some of its channels splits it; groups whose futures
//! have become equal are merged. Both are exact: a group is nothing but a shorter way to write its channels down.

use std::collections::VecDeque;

use super::fast::FastChannel;
use super::plan::Plan;
use super::watch::{Moved, Moves, Past, Watch};
use super::{ChannelConfig, KernelCycle, Rows, Statistics, Traced, Transfer};

/// A pushed transfer, in order of pushing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The ticket of a transfer whose completion is looked at at once.
pub(super) const AT_ONCE: Ticket = Ticket(u64::MAX);

/// A set of channels, bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSet(pub u64);

impl ChannelSet {
    /// Most channels of a system.
    pub const CHANNELS_MAX: usize = 64;

    /// Channels 0 to `count - 1`.
    pub fn first(count: usize) -> Self {
        assert!((1..=Self::CHANNELS_MAX).contains(&count), "{count} channels");
        Self(u64::MAX >> (Self::CHANNELS_MAX - count))
    }

    /// One channel.
    pub fn one(channel: usize) -> Self {
        assert!(channel < Self::CHANNELS_MAX, "channel {channel}");
        Self(1 << channel)
    }

    fn contains(self, channel: usize) -> bool {
        self.0 >> channel & 1 == 1
    }

    fn channels(self) -> impl Iterator<Item = usize> {
        (0..Self::CHANNELS_MAX).filter(move |&channel| self.contains(channel))
    }
}

/// A transfer that is complete in all its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    /// Kernel cycle of the last beat delivered (or the last response) of the last channel.
    pub cycle: KernelCycle,
    /// Which transfer.
    pub ticket: Ticket,
}

/// Whether channels in equal state are simulated once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Once.
    Shared,
    /// Each for itself: the same results, slower.
    Separate,
}

/// All channels of a machine.
pub struct MemorySystem {
    plans: Vec<Plan>,
    groups: Vec<Group>,
    /// For each channel, its counts less those of its group.
    offsets: Vec<Statistics>,
    tickets: VecDeque<Progress>,
    first_ticket: u64,
    completed: Vec<Completion>,
    horizon: KernelCycle,
    grouping: Grouping,
    /// Whether commands are kept.
    tracing: bool,
    /// What channels moved, if that is kept, and whom the next transfers are for.
    past: Option<Past>,
    operator: u32,
    refreshes_at_merge: u64,
}

struct Group {
    members: ChannelSet,
    plan: usize,
    channel: FastChannel,
}

#[derive(Clone, Copy)]
struct Progress {
    channels_left: u32,
    cycle: KernelCycle,
}

impl Group {
    /// A lane is asked for so many bytes for an operator, if anybody wants to know.
    fn ask(&mut self, lane: usize, operator: u32, bytes: u64) {
        if let Some(Watch::Moves(moves)) = self.channel.watch_mut() {
            moves.ask(lane, operator, bytes);
        }
    }

    /// Gives each member what they have moved together, if that is kept: from now on they may be of another group.
    fn part(&mut self, past: &mut Option<Past>) {
        if let (Some(past), Some(Watch::Moves(moves))) = (past, self.channel.watch_mut()) {
            past.take(self.members.channels(), moves);
        }
    }
}

/// How idle channels stand that are all in the same state, and what each has counted so far. Equal ones have equal futures,
/// wherever their counts began.
#[derive(Clone, Debug)]
pub struct Standing(FastChannel);

impl Standing {
    /// What each channel has counted so far.
    pub fn statistics(&self) -> &Statistics {
        self.0.statistics()
    }

    /// Whether two futures are equal.
    pub fn is_equal(&self, other: &Self) -> bool {
        self.0.is_equal(&other.0)
    }
}

impl MemorySystem {
    /// Idle channels at cycle 0.
    ///
    /// # Errors
    /// A relation of a configuration that does not hold, or a number of channels other than 1..=64.
    pub fn new(configs: &[ChannelConfig], grouping: Grouping) -> Result<Self, String> {
        if !(1..=ChannelSet::CHANNELS_MAX).contains(&configs.len()) {
            return Err(format!(
                "memory system: {} channels, expected 1..={}; split the machine's memory",
                configs.len(),
                ChannelSet::CHANNELS_MAX
            ));
        }
        let mut kinds: Vec<&ChannelConfig> = Vec::new();
        let mut plans = Vec::new();
        let mut groups: Vec<Group> = Vec::new();
        for (channel, config) in configs.iter().enumerate() {
            let known = kinds.iter().position(|kind| *kind == config);
            if known.is_none() {
                plans.push(Plan::new(config)?);
                kinds.push(config);
            }
            let plan = known.unwrap_or(plans.len() - 1);
            let group = groups.iter_mut().find(|group| group.plan == plan && grouping == Grouping::Shared);
            match group {
                Some(group) => group.members.0 |= 1 << channel,
                None => {
                    let members = ChannelSet::one(channel);
                    let channel = FastChannel::new(&plans[plan]);
                    groups.push(Group { members, plan, channel });
                }
            }
        }
        Ok(Self {
            plans,
            groups,
            offsets: vec![Statistics::default(); configs.len()],
            tickets: VecDeque::new(),
            first_ticket: 0,
            completed: Vec::new(),
            horizon: KernelCycle(0),
            grouping,
            tracing: false,
            past: None,
            operator: 0,
            refreshes_at_merge: 0,
        })
    }

    /// Keeps every channel's commands from now on. Groups are split when need be but no longer merged.
    pub fn keep_traces(&mut self) {
        self.tracing = true;
        self.groups.iter_mut().for_each(|group| *group.channel.watch_mut() = Some(Watch::Commands(Vec::new())));
    }

    /// Commands of a channel in order of time, if they are kept. Those later than the horizon may be incomplete.
    pub fn trace(&self, channel: usize) -> Option<Vec<Traced>> {
        let Some(Watch::Commands(commands)) = self.group_of(channel).channel.watch() else { return None };
        let mut commands = commands.clone();
        commands.sort_by_key(|traced| traced.cycle);
        Some(commands)
    }

    /// Keeps what every channel moves from now on for whom, as spans. Nothing may be under way.
    pub fn keep_moves(&mut self) {
        assert!(self.is_idle(), "what is under way is of no known operator");
        self.past = Some(Past::of(self.offsets.len()));
        for Group { plan, channel, .. } in &mut self.groups {
            let standard = &self.plans[*plan].config().standard;
            *channel.watch_mut() = Some(Watch::Moves(Moves::new(standard.burst_cycles())));
        }
    }

    /// Transfers from now on are for this operator: a name for [`Self::moved`].
    pub fn set_operator(&mut self, operator: u32) {
        self.operator = operator;
    }

    /// What a channel moved, if that is kept, in order of time; as for [`Self::statistics`], of all decisions made so far.
    pub fn moved(&self, channel: usize) -> Option<Vec<Moved>> {
        let Some(Watch::Moves(moves)) = self.group_of(channel).channel.watch() else { return None };
        Some(self.past.as_ref()?.and(channel, moves))
    }

    /// Counts of a channel: of all decisions made so far, some of which lie beyond the horizon.
    pub fn statistics(&self, channel: usize) -> Statistics {
        self.offsets[channel].plus(self.group_of(channel).channel.statistics())
    }

    /// Groups at present: how many channels are simulated.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Gives each channel of `channels` the transfer, in the order of pushing within a lane.
    /// `lane` counts the lanes of the channel's configuration. The start must not be before the horizon.
    pub fn push(&mut self, channels: ChannelSet, lane: usize, transfer: Transfer) -> Ticket {
        assert!(transfer.start >= self.horizon, "start {:?} before horizon {:?}", transfer.start, self.horizon);
        assert!(channels.0 != 0 && channels.0 >> (self.offsets.len() - 1) <= 1, "no such channels {:#x}", channels.0);
        let ticket = Ticket(self.first_ticket + self.tickets.len() as u64);
        self.tickets.push_back(Progress { channels_left: channels.0.count_ones(), cycle: KernelCycle(0) });
        for index in 0..self.groups.len() {
            let inside = self.groups[index].members.0 & channels.0;
            if inside == 0 {
                continue;
            }
            let outside = self.groups[index].members.0 & !channels.0;
            let group = &mut self.groups[index];
            if outside != 0 {
                group.part(&mut self.past);
                let (plan, channel) = (group.plan, group.channel.clone());
                let rest = Group { members: ChannelSet(outside), plan, channel };
                group.members.0 = inside;
                self.groups.push(rest);
            }
            let group = &mut self.groups[index];
            group.ask(lane, self.operator, transfer.bytes);
            group.channel.push(&self.plans[group.plan], lane, ticket, transfer);
        }
        ticket
    }

    /// Simulates every channel up to kernel cycle `until`: makes every decision that no transfer starting at `until`
    /// or later can change. `until` must not go back.
    pub fn advance(&mut self, until: KernelCycle) {
        assert!(until >= self.horizon, "advance to {until:?} from {:?}", self.horizon);
        self.horizon = until;
        let is_decided =
            |group: &Group| self.plans[group.plan].decided_before(until.0 as i64) <= group.channel.refresh_due();
        if self.tickets.is_empty() && self.groups.iter().all(is_decided) {
            return;
        }
        for group in &mut self.groups {
            group.channel.run(&self.plans[group.plan], until.0 as i64);
        }
        self.collect();
        self.merge(FastChannel::forget_before);
    }

    /// Takes the channels' completions into account.
    fn collect(&mut self) {
        for group in &mut self.groups {
            for (ticket, cycle) in group.channel.completions().drain(..) {
                let progress = &mut self.tickets[(ticket.0 - self.first_ticket) as usize];
                progress.channels_left -= group.members.0.count_ones();
                progress.cycle = progress.cycle.max(cycle);
                if progress.channels_left == 0 {
                    self.completed.push(Completion { cycle: progress.cycle, ticket });
                }
            }
        }
        while self.tickets.front().is_some_and(|progress| progress.channels_left == 0) {
            self.tickets.pop_front();
            self.first_ticket += 1;
        }
    }

    /// Makes the decisions on what is queued in `lane` up to the end of the oldest transfer, beyond the horizon too: for a
    /// caller who knows that no transfer of another lane starts before that. Those of `lane` itself come behind it and
    /// change nothing.
    ///
    /// # Panics
    /// When another lane has work.
    pub fn finish_oldest(&mut self, lane: usize) {
        for group in &mut self.groups {
            group.channel.run_alone(&self.plans[group.plan], lane, Ticket(self.first_ticket));
        }
        self.collect();
        self.merge(FastChannel::forget_before);
    }

    /// As `advance` and beyond the horizon, as long as `lane`, which reads, has work: for a caller who knows that no transfer of another
    /// lane starts before `until` that has not been pushed. Those of `lane` itself come behind its work and change nothing: of reads
    /// the controller looks at the first of each lane alone, of writes it counts how many wait.
    pub fn run_ahead(&mut self, lane: usize, until: KernelCycle) {
        for group in &mut self.groups {
            group.channel.run_with(&self.plans[group.plan], lane, until.0 as i64);
        }
        self.collect();
        self.merge(FastChannel::forget_before);
    }

    /// Transfers to `lane` of all channels, under the same condition as `finish_oldest`: the end of the last. The start must
    /// not be before the horizon, and nothing else under way.
    pub fn stream(&mut self, lane: usize, rows: Rows) -> KernelCycle {
        assert!(self.is_idle() && rows.first.start >= self.horizon, "{rows:?} are not alone from {:?}", self.horizon);
        let mut last = KernelCycle(0);
        for group in &mut self.groups {
            group.ask(lane, self.operator, rows.first.bytes * rows.count);
            last = last.max(group.channel.stream(&self.plans[group.plan], lane, rows));
        }
        self.merge(|channel, plan, _| channel.forget_beside(plan, lane));
        last
    }

    /// How the channels stand behind streams of `lane` alone; none if they differ or have work.
    pub fn standing(&self, lane: usize) -> Option<Standing> {
        let ([group], true) = (&self.groups[..], self.is_idle()) else { return None };
        let mut channel = group.channel.clone();
        channel.forget_beside(&self.plans[group.plan], lane);
        Some(Standing(channel))
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Takes the completions found since the last call, earliest first. Their cycles are final; they may lie beyond
    /// the horizon.
    pub fn poll(&mut self) -> Vec<Completion> {
        self.completed.sort_unstable();
        std::mem::take(&mut self.completed)
    }

    /// As `poll`, into a list that takes the place of the old one.
    pub fn poll_into(&mut self, found: &mut Vec<Completion>) {
        found.clear();
        self.completed.sort_unstable();
        std::mem::swap(&mut self.completed, found);
    }

    /// A kernel cycle before which no transfer can complete that is pushed and has not been polled; later than the
    /// horizon. None when there is none. Transfers pushed later are not considered.
    pub fn next_completion_bound(&self) -> Option<KernelCycle> {
        let known = self.completed.iter().map(|completion| completion.cycle).min();
        let horizon = self.horizon.0 as i64;
        let bounds = self.groups.iter().filter_map(|group| {
            let plan = &self.plans[group.plan];
            group.channel.completion_bound(plan, horizon).map(|cycle| KernelCycle(cycle as u64))
        });
        bounds.chain(known).min()
    }

    fn group_of(&self, channel: usize) -> &Group {
        self.groups.iter().find(|group| group.members.contains(channel)).expect("every channel is in a group")
    }

    /// Merges groups of equal future, once `forget` has made a channel forget what can no longer matter. Tried once a refresh: it
    /// closes all rows, so states meet there or hardly ever.
    fn merge(&mut self, forget: impl Fn(&mut FastChannel, &Plan, i64)) {
        if self.groups.len() == 1 || self.grouping == Grouping::Separate || self.tracing {
            return;
        }
        let refreshes = self.groups.iter().map(|group| group.channel.refreshes()).max().unwrap_or(0);
        if refreshes == self.refreshes_at_merge {
            return;
        }
        self.refreshes_at_merge = refreshes;
        let alike = |(number, group): (usize, &Group)| {
            let mut others = self.groups[..number].iter();
            others.any(|other| other.plan == group.plan && other.channel.may_be_equal(&group.channel))
        };
        if !self.groups.iter().enumerate().any(alike) {
            return;
        }
        for group in &mut self.groups {
            forget(&mut group.channel, &self.plans[group.plan], self.horizon.0 as i64);
        }
        let mut kept: Vec<Group> = Vec::with_capacity(self.groups.len());
        for mut group in self.groups.drain(..) {
            group.part(&mut self.past);
            let equal = |other: &&mut Group| other.plan == group.plan && other.channel.is_equal(&group.channel);
            let Some(other) = kept.iter_mut().find(equal) else {
                kept.push(group);
                continue;
            };
            let difference = group.channel.statistics().minus(other.channel.statistics());
            for (channel, offset) in self.offsets.iter_mut().enumerate() {
                if group.members.contains(channel) {
                    *offset = offset.plus(&difference);
                }
            }
            other.members.0 |= group.members.0;
        }
        self.groups = kept;
    }
}
