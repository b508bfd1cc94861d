//! A channel's configuration, compiled once into the numbers that the fast model uses: immutable, shared by all
//! channels of the same kind. Times are `i64` here and in the fast model so that "no rule" is simply long ago.

use std::ops::Range;

use hw_config::memory::{Command, Controller, Level, Location, Mapping, MemoryStandard, Slot};

use super::clocks::Divider;
use super::{CYCLE_MAX, ChannelConfig, ClockRatio, Direction, Transfer};

/// Earlier than any cycle, by more than any latency.
pub(super) const LONG_AGO: i64 = -(1 << 60);
/// Commands of the table.
pub(super) const COMMANDS: usize = Command::ALL.len();
/// Places for commands: a power of two, so that an index needs no check.
pub(super) const LAST: usize = COMMANDS.next_power_of_two();
/// The last cycle of each command; [`LONG_AGO`] where there was none.
pub(super) type Last = [i64; LAST];

/// What holds one command back at one level: preceding commands and least distances from the last of each, the first `count`.
/// Beside each other in the plan, since every command looks here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    /// Filled up with rules that hold nothing back.
    rules: [(u8, i64); COMMANDS],
    count: u8,
}

impl Awaited {
    fn new(rules: impl Iterator<Item = (usize, i64)>) -> Self {
        let mut awaited = Self { rules: [(0, LONG_AGO); COMMANDS], count: 0 };
        for (preceding, distance) in rules {
            awaited.rules[usize::from(awaited.count)] = (preceding as u8, distance);
            awaited.count += 1;
        }
        awaited
    }

    fn rules(&self) -> impl Iterator<Item = (usize, i64)> {
        let rules = &self.rules[..usize::from(self.count)];
        rules.iter().map(|&(preceding, distance)| (usize::from(preceding), distance))
    }

    /// First cycle in which the command may follow.
    #[inline(always)]
    pub(super) fn earliest(&self, last: &Last) -> i64 {
        let after = |(preceding, distance): (u8, i64)| last[usize::from(preceding) % LAST] + distance;
        // Mostly there are no more than three.
        let [first, second, third, ..] = self.rules;
        let cycle = after(first).max(after(second));
        if self.count <= 2 {
            return cycle;
        }
        let cycle = cycle.max(after(third));
        if self.count == 3 {
            return cycle;
        }
        self.rules[3..].iter().fold(cycle, |cycle, &rule| cycle.max(after(rule)))
    }

    /// Least distance from `preceding`, 0 if none.
    fn from(&self, preceding: usize) -> i64 {
        self.rules().find(|&(command, _)| command == preceding).map_or(0, |(_, distance)| distance)
    }

    /// Longest distance from one of `preceding`, 0 if none.
    fn longest(&self, preceding: &[Command]) -> i64 {
        preceding.iter().map(|command| self.from(command.index())).max().unwrap_or(0)
    }
}

/// What holds each command back at one level.
pub(super) type Rules = [Awaited; COMMANDS];

/// Forgets what no longer matters when no command can come before `floor`, so that states look equal that hold all commands
/// back alike: each last command moves to the latest cycle in which it would hold none back further than they are. That is the
/// greatest solution of `max(last + distance) = ready` (residuation in max-plus algebra), and what was there is one.
pub(super) fn forget(rules: &Rules, last: &mut Last, floor: i64) {
    let mut latest = [i64::MAX; COMMANDS];
    for awaited in rules {
        let ready = awaited.earliest(last).max(floor);
        for (preceding, distance) in awaited.rules() {
            latest[preceding] = latest[preceding].min(ready - distance);
        }
    }
    for (last, latest) in last.iter_mut().zip(latest) {
        *last = if latest == i64::MAX { floor } else { latest };
    }
}

/// Compiled configuration.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) clocks: ClockRatio,
    pub(super) policy: Controller,
    pub(super) request_cycles: i64,
    pub(super) response_cycles: i64,
    pub(super) mapping: Mapping,
    /// log2 of the bytes of an atom.
    pub(super) atom_shift: u32,
    /// log2 of the bytes of the largest block that has one row in one bank of each bank group.
    pub(super) interleaved_block_shift: u32,
    pub(super) channel_bytes: u64,
    pub(super) banks: usize,
    pub(super) bank_groups: usize,
    /// log2 of the banks of a bank group.
    group_shift: u32,
    /// Least distances by level and following command.
    pub(super) bank: Rules,
    pub(super) bank_group: Rules,
    pub(super) channel: Rules,
    /// How rows are opened in several bank groups at once; none where the standard's rules say more than that can.
    pub(super) at_once: Option<AtOnce>,
    /// Rows that count several ACT of the channel: (how many, cycles).
    pub(super) activate_windows: Vec<(usize, i64)>,
    pub(super) column_slot: Slots,
    pub(super) activate_slot: Slots,
    pub(super) precharge_slot: Slots,
    pub(super) read_latency: i64,
    pub(super) refresh_interval: i64,
    pub(super) refresh_cycles: i64,
    pub(super) lanes: Vec<LanePlan>,
    /// The lane that reads and the one that writes, where there is one of each and no other.
    pub(super) reads_and_writes: Option<(usize, usize)>,
    config: ChannelConfig,
}

/// Rows opened in several bank groups at once, in banks that hold no slot back: of each kind of command one comes a slot after the
/// other. So it is where the rules between row commands of different banks are those of slots and windows alone,
/// where ACT are no closer to each other than PRE, and where a window counts no fewer ACT than there are bank groups. No rule of a
/// bank group waits for ACT or PRE at all, so nobody takes note of them there.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtOnce {
    /// From a PRE to the ACT of its bank.
    pub(super) precharge: i64,
}

/// Compiled lane.
#[derive(Debug)]
pub(super) struct LanePlan {
    pub(super) direction: Direction,
    /// log2 of the bytes of a beat.
    pub(super) port_shift: u32,
    pub(super) burst_bytes: u64,
    pub(super) outstanding: usize,
    /// Consecutive atoms of a burst visit this many bank groups in turn, always the same bank of each; 0 when a
    /// burst may visit banks in another pattern.
    pub(super) interleave: usize,
    /// Memory cycles between column commands of one burst once each of its banks has had one, if that is a constant.
    pub(super) stride: Option<i64>,
    /// Least memory cycles between column commands of one burst.
    pub(super) least_stride: i64,
    /// Whether an atom takes the DRAM at least as long as it takes the port.
    pub(super) memory_bound: bool,
    /// How a whole burst is delivered.
    pub(super) whole_burst: WholeBurst,
    /// Cycles after the last row command from which on no bank holds a column command of the lane back; none where a bank may do so
    /// for another reason.
    pub(super) free_after: Option<i64>,
    /// Cycles from an ACT to a column command of the lane in its bank, where no other row command holds that back and where ACT that
    /// are a slot apart leave column commands whole slots, and no less than a stride, apart.
    pub(super) after_activate: Option<i64>,
}

/// What decides when a whole read burst at a constant stride has been delivered: of a port that is no faster than the DRAM the last
/// beat, else the first (`Lane::finish`).
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeBurst {
    pub(super) beats: i64,
    /// Memory cycles from the first column command to the data that decide.
    pub(super) data: i64,
    /// Beats that follow these.
    pub(super) following: i64,
}

impl LanePlan {
    /// Whether so many consecutive atoms visit each of their banks equally often, at a constant stride.
    #[inline]
    pub(super) fn is_round(&self, atoms: usize) -> bool {
        // Bank groups are a power of two.
        self.stride.is_some() && atoms & (self.interleave - 1) == 0
    }
}

/// Cycles that are `phase` modulo `period`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    period: i64,
    phase: i64,
    /// What is added to a cycle before it is rounded down to a whole period, so that its slot is not before it.
    lift: i64,
    periods: Divider,
    /// One less than the period, if that is a power of two.
    mask: Option<i64>,
}

impl Slots {
    fn new(slot: Slot) -> Self {
        let (period, phase) = (i64::from(slot.period), i64::from(slot.phase));
        let mask = slot.period.is_power_of_two().then_some(period - 1);
        Self { period, phase, lift: period - 1 - phase, periods: Divider::new(slot.period.into()), mask }
    }

    /// Cycles from one slot to the next.
    #[inline]
    pub(super) fn period(self) -> i64 {
        self.period
    }

    /// First slot at or after `cycle`, which is not negative.
    #[inline]
    pub(super) fn at_or_after(self, cycle: i64) -> i64 {
        let lifted = cycle + self.lift;
        let whole = match self.mask {
            Some(mask) => lifted & !mask,
            None => self.periods.floor(lifted as u64) as i64 * self.period,
        };
        whole + self.phase
    }

    /// Least distance of two slots that is at least `cycles`, and at least one slot.
    fn distance(self, cycles: i64) -> i64 {
        (cycles.max(1) as u64).div_ceil(self.period as u64) as i64 * self.period
    }
}

impl Plan {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// A relation of the configuration that does not hold.
    pub(super) fn new(config: &ChannelConfig) -> Result<Self, String> {
        config.check()?;
        let standard = &*config.standard;
        let organisation = &standard.organisation;
        let table = |level| awaited(standard, level);
        let windows = standard.constraints.iter().filter(|row| row.window > 1);
        let mut plan = Self {
            clocks: config.clocks(),
            policy: standard.controller,
            request_cycles: i64::from(config.port.request_cycles),
            response_cycles: i64::from(config.port.response_cycles),
            mapping: standard.mapping.clone(),
            atom_shift: organisation.atom_bytes().ilog2(),
            interleaved_block_shift: standard.mapping.interleaved_block_atoms().ilog2()
                + organisation.atom_bytes().ilog2(),
            channel_bytes: organisation.channel_bytes(),
            banks: organisation.banks() as usize,
            bank_groups: organisation.bank_groups as usize,
            group_shift: organisation.banks_per_group.ilog2(),
            bank: table(Level::Bank),
            bank_group: table(Level::BankGroup),
            channel: table(Level::Channel),
            activate_windows: windows.map(|row| (row.window as usize, row.cycles)).collect(),
            column_slot: Slots::new(standard.slots.column),
            activate_slot: Slots::new(standard.slots.activate),
            precharge_slot: Slots::new(standard.slots.precharge),
            read_latency: i64::from(standard.read_latency_cycles()),
            refresh_interval: i64::from(standard.refresh_interval_cycles()),
            refresh_cycles: i64::from(standard.refresh_cycles()),
            at_once: None,
            lanes: Vec::new(),
            reads_and_writes: None,
            config: config.clone(),
        };
        plan.at_once = plan.at_once();
        plan.reads_and_writes = match &config.lanes[..] {
            [one, other] => match (one.kind.direction(), other.kind.direction()) {
                (Direction::Read, Direction::Write) => Some((0, 1)),
                (Direction::Write, Direction::Read) => Some((1, 0)),
                (Direction::Read, Direction::Read) | (Direction::Write, Direction::Write) => None,
            },
            _ => None,
        };
        plan.lanes = config.lanes.iter().map(|lane| plan.lane(lane)).collect();
        Ok(plan)
    }

    /// The conditions of [`AtOnce`], of the rules as they have been compiled.
    fn at_once(&self) -> Option<AtOnce> {
        use Command::{Act, Pre, Rd, Wr};
        let is_free = |rules: &Rules, command: Command| rules[command.index()].count == 0;
        // What a PREA or a REF holds back in the channel is the same for all ACT of a burst.
        let apart = is_free(&self.bank_group, Act) && is_free(&self.bank_group, Pre) && is_free(&self.channel, Pre);
        let apart = apart && self.channel[Act.index()].longest(&[Act, Pre, Rd, Wr]) == 0;
        let apart = apart && self.bank_group.iter().all(|rules| rules.longest(&[Act, Pre]) == 0);
        let slots = self.precharge_slot.period <= self.activate_slot.period;
        let windows = self.activate_windows.iter().all(|&(count, _)| count >= self.bank_groups);
        (apart && slots && windows).then(|| AtOnce { precharge: self.bank[Act.index()].from(Pre.index()) })
    }

    fn lane(&self, lane: &super::LaneConfig) -> LanePlan {
        let direction = lane.kind.direction();
        let command = column_command(direction).index();
        let least_stride = self.column_slot.distance(self.channel[command].from(command));
        let block = self.mapping.interleaved_block_atoms();
        let burst_atoms = u64::from(lane.burst_bytes >> self.atom_shift);
        let interleave = if block > 1 && burst_atoms <= block { self.bank_groups } else { 0 };
        // After one visit to each bank, an atom waits for its predecessor (least_stride) and for the last atom of its
        // own bank, `interleave` strides ago. When the latter is never later, the stride is constant.
        let own = self.bank_group[command].from(command).max(self.bank[command].from(command));
        let constant = interleave > 0 && own <= least_stride * interleave as i64;
        let port_bytes = u64::from(lane.port_bytes);
        let apart = self.activate_slot.period;
        let in_slots = apart % self.column_slot.period == 0 && apart >= least_stride;
        let of_act_alone = self.bank[command].longest(&[Command::Pre, Command::Rd, Command::Wr]) == 0
            && [&self.bank_group, &self.channel]
                .iter()
                .all(|rules| rules[command].longest(&[Command::Act, Command::Pre]) == 0);
        let memory_bound =
            port_bytes * least_stride as u64 * self.clocks.kernel() >= (1 << self.atom_shift) * self.clocks.memory();
        let of_bank = &self.bank[command];
        let after_columns = of_bank.longest(&[Command::Rd, Command::Wr]) > 0;
        LanePlan {
            after_activate: (in_slots && of_act_alone).then(|| self.bank[command].from(Command::Act.index())),
            free_after: (!after_columns).then(|| of_bank.longest(&[Command::Act, Command::Pre])),
            direction,
            port_shift: lane.port_bytes.ilog2(),
            burst_bytes: u64::from(lane.burst_bytes),
            outstanding: lane.outstanding as usize,
            interleave,
            stride: constant.then_some(least_stride),
            least_stride,
            memory_bound,
            whole_burst: self.whole_burst(lane, least_stride, memory_bound),
        }
    }

    fn whole_burst(&self, lane: &super::LaneConfig, stride: i64, memory_bound: bool) -> WholeBurst {
        let port_shift = lane.port_bytes.ilog2();
        let beats = i64::from(lane.burst_bytes >> port_shift);
        let (atom, following) = if memory_bound {
            // Of the last atom's beats the first.
            let atoms = i64::from(lane.burst_bytes >> self.atom_shift);
            (atoms - 1, (1 << self.atom_shift >> port_shift).max(1) - 1)
        } else {
            ((1 << port_shift >> self.atom_shift).max(1) - 1, beats - 1)
        };
        WholeBurst { beats, data: atom * stride + self.read_latency, following }
    }

    /// The bank group of a byte, for a lane whose bursts visit them in turn.
    #[inline]
    pub(super) fn turn(&self, lane: &LanePlan, byte: u64) -> u64 {
        (byte >> self.atom_shift) & (lane.interleave as u64 - 1)
    }

    /// # Panics
    /// When a transfer is none that the channel could have.
    #[inline]
    pub(super) fn check(&self, transfer: &Transfer) {
        let Transfer { start, address, bytes } = *transfer;
        assert!(bytes > 0 && start.0 <= CYCLE_MAX, "transfer of {bytes} bytes from cycle {}", start.0);
        let fits = address.checked_add(bytes).is_some_and(|end| end <= self.channel_bytes);
        assert!(fits, "transfer of {bytes} bytes at {address:#x}, channel has {}", self.channel_bytes);
    }

    /// First memory edge at or after kernel edge `kernel`.
    #[inline]
    pub(super) fn to_memory(&self, kernel: i64) -> i64 {
        self.clocks.memory_at_or_after(kernel as u64) as i64
    }

    /// Kernel cycle at which what happened at memory edge `memory` has come through the response path.
    #[inline]
    pub(super) fn returned(&self, memory: i64) -> i64 {
        self.clocks.kernel_at_or_after(memory as u64) as i64 + self.response_cycles
    }

    /// What the plan was made of.
    pub(super) fn config(&self) -> &ChannelConfig {
        &self.config
    }

    /// Memory cycle before which no transfer from kernel cycle `horizon` on can change a decision.
    pub(super) fn decided_before(&self, horizon: i64) -> i64 {
        self.to_memory(horizon + self.request_cycles)
    }

    /// Bank group of a bank.
    #[inline]
    pub(super) fn group_of(&self, bank: usize) -> usize {
        bank >> self.group_shift
    }

    /// The place of a bank in its bank group.
    #[inline]
    pub(super) fn set_of(&self, bank: usize) -> usize {
        bank & ((1 << self.group_shift) - 1)
    }

    /// The number of a bank where those that a walk visits stand beside each other: set by set, in a set by bank group.
    #[inline]
    pub(super) fn place_of(&self, bank: usize) -> usize {
        self.set_of(bank) * self.bank_groups + self.group_of(bank)
    }

    /// Bank and row of an atom.
    #[inline]
    pub(super) fn locate(&self, atom: u64) -> Location {
        self.mapping.locate(atom)
    }

    /// Where the atoms of a burst go that visit the bank groups in turn, always the same bank of each.
    #[inline]
    pub(super) fn walk(&self, first_atom: u64) -> Walk {
        let Location { bank, row } = self.locate(first_atom);
        Walk {
            first_group: self.group_of(bank as usize),
            last_group: self.bank_groups - 1,
            bank_in_group: self.set_of(bank as usize),
            group_shift: self.group_shift,
            row,
        }
    }
}

/// The banks of a burst whose atoms visit the bank groups in turn, always the same bank and row of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    first_group: usize,
    /// One less than the bank groups, a power of two.
    last_group: usize,
    bank_in_group: usize,
    group_shift: u32,
    row: u32,
}

impl Walk {
    /// Bank and row of atom `i`.
    #[inline]
    pub(super) fn location(&self, i: usize) -> Location {
        Location { bank: self.bank(i) as u32, row: self.row }
    }

    /// The row of all atoms.
    #[inline]
    pub(super) fn row(&self) -> u32 {
        self.row
    }

    /// How many bank groups there are to visit.
    #[inline]
    pub(super) fn groups(&self) -> usize {
        self.last_group + 1
    }

    /// The place of its banks in their groups.
    #[inline]
    pub(super) fn set(&self) -> usize {
        self.bank_in_group
    }

    /// The bank group of atom `i`.
    #[inline]
    pub(super) fn group(&self, i: usize) -> usize {
        (self.first_group + i) & self.last_group
    }

    /// The number of atom `i`'s bank, as [`Plan::place_of`] counts.
    #[inline]
    pub(super) fn place(&self, i: usize) -> usize {
        self.set() * self.groups() + self.group(i)
    }

    /// The numbers of all its banks, by bank group.
    #[inline]
    pub(super) fn places(&self) -> Range<usize> {
        let first = self.set() * self.groups();
        first..first + self.groups()
    }

    /// The device's number of the bank of atom `i`.
    #[inline]
    fn bank(&self, i: usize) -> usize {
        self.group(i) << self.group_shift | self.bank_in_group
    }
}

/// RD or WR.
#[inline]
pub(super) fn column_command(direction: Direction) -> Command {
    match direction {
        Direction::Read => Command::Rd,
        Direction::Write => Command::Wr,
    }
}

/// Longest latency of each pair of commands at one level. Left out is what a bus with slots implies: two commands that take turns
/// on it are at least a slot apart, wherever they go.
fn awaited(standard: &MemoryStandard, level: Level) -> Rules {
    let slot = |command: Command| match command {
        Command::Act => standard.slots.activate,
        Command::Rd | Command::Wr => standard.slots.column,
        Command::Pre | Command::PreAll | Command::Ref => standard.slots.precharge,
    };
    Command::ALL.map(|second| {
        let rows = || standard.constraints.iter().filter(|row| row.level == level && row.window == 1);
        let before = |first: Command| {
            let rows = rows().filter(|row| row.following.contains(&second) && row.preceding.contains(&first));
            rows.map(|row| row.cycles).max()
        };
        let latency = |first: Command| {
            let implied = if first == second { i64::from(slot(first).period) } else { 0 };
            before(first).filter(|&cycles| cycles > implied).map(|cycles| (first.index(), cycles))
        };
        Awaited::new(Command::ALL.into_iter().filter_map(latency))
    })
}
