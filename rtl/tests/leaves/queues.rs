//! Leaves with a state: queues, counts, searches, memories.

use std::collections::VecDeque;

use hw_config::isa::{FieldValue, LoadBuffer};
use hw_config::numeric::convert::f16_to_f32;
use hw_config::numeric::fp32::canonical;

use crate::operands::{Random, specials};
use crate::trace::{Trace, Value, pack, word};

/// Periods of a trace.
const PERIODS: usize = 12_000;
/// Bits of an entry of the traced streams.
const WIDTH: u64 = 5;
/// Entries of the traced queue: no power of two.
const DEPTH: usize = 3;

/// Whether a side sends and the other takes: one or the other holds back more, by turns.
fn traffic(random: &mut Random, period: usize) -> (bool, bool) {
    let mode = (period / 100 % 4) as u32;
    (random.below(4) >= mode, random.below(4) >= 3 - mode)
}

/// Whether a period is one of a reset: the first, and one now and then.
fn is_reset(random: &mut Random, period: usize) -> bool {
    period == 0 || random.below(500) == 0
}

pub(crate) fn fifo() -> Trace {
    queue(false)
}

pub(crate) fn fifo_that_falls_through() -> Trace {
    queue(true)
}

fn queue(falls_through: bool) -> Trace {
    let mut trace =
        Trace::new(&["rst_ni", "valid_i", "data_i", "ready_i"], &["ready_o", "valid_o", "data_o", "count_o"]);
    let mut random = Random(41);
    let mut queue = VecDeque::new();
    for period in 0..PERIODS {
        let reset = is_reset(&mut random, period);
        let (sends, takes) = traffic(&mut random, period);
        let value = random.wide(WIDTH);
        let room = queue.len() < DEPTH;
        let offered = if falls_through && queue.is_empty() && sends { Some(value) } else { queue.front().copied() };
        let outputs = if period == 0 {
            vec![None; 4]
        } else {
            let flag = |flag: bool| Some(word(flag.into()));
            vec![flag(room), flag(offered.is_some()), offered.map(word), Some(word(queue.len() as u64))]
        };
        let flags = [!reset, sends].map(|flag| word(flag.into()));
        trace.push([flags.to_vec(), vec![word(value), word(takes.into())]].concat(), outputs);
        if sends && room {
            queue.push_back(value);
        }
        if takes && offered.is_some() {
            queue.pop_front();
        }
        if reset {
            queue.clear();
        }
    }
    trace
}

pub(crate) fn skid_buffer() -> Trace {
    let mut trace = Trace::new(&["rst_ni", "valid_i", "data_i", "ready_i"], &["ready_o", "valid_o", "data_o"]);
    let mut random = Random(42);
    let mut queue = VecDeque::new();
    for period in 0..PERIODS {
        let reset = is_reset(&mut random, period);
        let (sends, takes) = traffic(&mut random, period);
        let value = random.wide(WIDTH);
        let room = queue.len() < 2;
        let outputs = if period == 0 {
            vec![None; 3]
        } else {
            let flag = |flag: bool| Some(word(flag.into()));
            vec![flag(room), flag(!queue.is_empty()), queue.front().copied().map(word)]
        };
        let flags = [!reset, sends].map(|flag| word(flag.into()));
        trace.push([flags.to_vec(), vec![word(value), word(takes.into())]].concat(), outputs);
        if takes {
            queue.pop_front();
        }
        if sends && room {
            queue.push_back(value);
        }
        if reset {
            queue.clear();
        }
    }
    trace
}

pub(crate) fn wait_passed() -> Trace {
    let mut trace = Trace::new(&["target_i", "retired_i"], &["passed_o"]);
    let mut random = Random(43);
    let near = |random: &mut Random, of: u32| of.wrapping_add(random.below(5)).wrapping_sub(2);
    for draw in 0..PERIODS {
        let target = random.bits();
        let retired = match draw % 4 {
            0 => near(&mut random, target),
            1 => near(&mut random, target ^ 1 << 31),
            2 => target.wrapping_add(1 << random.below(32)),
            _ => random.bits(),
        };
        // As many as wanted, or up to half of all numbers more.
        let passed = retired.wrapping_sub(target) < 1 << 31;
        trace.push(vec![vec![target], vec![retired]], vec![Some(word(passed.into()))]);
    }
    trace
}

/// Unretired instructions at most, of the traced unit.
const LIMIT: u64 = 2;

/// The state that `dispatch_queue` stands for.
#[derive(Default)]
struct Dispatched {
    queue: VecDeque<(Value, [u32; 4])>,
    issued: u64,
    dispatched: u64,
    retired: u64,
}

/// What an instruction waits for: what has retired already, what soon will have, and, at the sign, what is no wait; it becomes
/// one if the count goes on. That is the last of 48 `kinds`.
fn targets(random: &mut Random, others: [u32; 4], kinds: u32) -> [u32; 4] {
    others.map(|count| match random.below(kinds) {
        0..32 => count.wrapping_sub(random.below(64)),
        32..40 => count,
        40..47 => count.wrapping_add(random.below(3)),
        _ => count.wrapping_sub(1 << 31).wrapping_add(1 + random.below(2)),
    })
}

/// The other units' counts in the next period: sometimes, if it may, one jumps, so that all of its bits move.
fn go_on(random: &mut Random, others: &mut [u32; 4], may_jump: bool) {
    for count in others {
        *count = match random.below(64) {
            0 if may_jump => random.bits(),
            1..24 => count.wrapping_add(1),
            _ => *count,
        };
    }
}

pub(crate) fn dispatch_queue() -> Trace {
    let inputs = ["rst_ni", "clear_i", "push_i", "word_i", "targets_i", "retired_i", "unit_ready_i", "unit_retire_i"];
    let outputs = ["room_o", "issue_o", "word_o", "dispatched_o", "retired_o", "idle_o"];
    let mut trace = Trace::new(&inputs, &outputs);
    let mut random = Random(44);
    let mut state = Dispatched::default();
    let mut others = [0_u32; 4];
    let (mut clears, mut most_retired) = (0, 0);
    for period in 0..PERIODS {
        // In the second half the counts go on, so that they grow beyond ten bits.
        let starts_anew = period < PERIODS / 2;
        let reset = is_reset(&mut random, period) && starts_anew || period == PERIODS / 2;
        let clear = state.queue.is_empty() && random.below(2) == 0 && starts_anew;
        clears += usize::from(clear && state.dispatched > 0);
        let (busy, ready) = traffic(&mut random, period);
        let room = state.queue.len() < DEPTH;
        let push = !clear && busy && room;
        let instruction: Value = (0..8).map(|_| random.bits()).collect();
        let targets = targets(&mut random, others, if starts_anew { 48 } else { 47 });
        let within = state.issued - state.retired < LIMIT;
        let head = state.queue.front().cloned();
        let passed = |targets: [u32; 4]| targets.iter().zip(&others).all(|(t, r)| r.wrapping_sub(*t) < 1 << 31);
        let issue = ready && within && head.as_ref().is_some_and(|(_, targets)| passed(*targets));
        let retire = state.issued > state.retired && random.below(3) == 0;
        let flag = |flag: bool| word(flag.into());
        let outputs = if period == 0 {
            vec![None; 6]
        } else {
            vec![
                Some(flag(room)),
                Some(flag(issue)),
                head.filter(|_| issue).map(|(instruction, _)| instruction),
                Some(word(state.dispatched)),
                Some(word(state.retired)),
                Some(flag(state.dispatched == state.retired)),
            ]
        };
        let values = vec![
            flag(!reset),
            flag(clear),
            flag(push),
            instruction.clone(),
            targets.to_vec(),
            others.to_vec(),
            flag(ready),
            flag(retire),
        ];
        trace.push(values, outputs);
        if issue {
            state.queue.pop_front();
        }
        if push {
            state.queue.push_back((instruction, targets));
        }
        state.issued += u64::from(issue);
        state.dispatched += u64::from(push);
        state.retired += u64::from(retire);
        most_retired = most_retired.max(state.retired);
        if reset || clear {
            let queue = if reset { VecDeque::new() } else { std::mem::take(&mut state.queue) };
            state = Dispatched { queue, ..Dispatched::default() };
        }
        go_on(&mut random, &mut others, starts_anew);
    }
    assert!(
        clears >= 5 && most_retired > 1 << 10,
        "{clears} clears, at most {most_retired} retirements after each other"
    );
    trace
}

/// Lanes of the traced search.
const TOPK_LANES: usize = 4;
/// Periods from the last beat of a row to its result: two levels, and one more.
const TOPK_AFTER: usize = 3;

pub(crate) fn topk_largest() -> Trace {
    const LANES: usize = TOPK_LANES;
    const AFTER: usize = TOPK_AFTER;
    let mut trace = Trace::new(&["rst_ni", "valid_i", "last_i", "key_i"], &["valid_o", "key_o", "index_o"]);
    let mut random = Random(45);
    let mut row: Vec<i32> = Vec::new();
    let mut results: VecDeque<Option<(i32, usize)>> = VecDeque::from([None; AFTER]);
    let mut length = 1;
    // Every second row has keys that differ in one bit alone.
    let mut near: Option<(u32, u32)> = None;
    // What is in flight at a reset may come out or not: they are far apart, and nothing is then sent for a while.
    for period in 0..PERIODS {
        let quiet = period % 1000;
        let reset = quiet == 0;
        let valid = quiet > AFTER && quiet < 1000 - 2 * AFTER && random.below(4) > 0;
        if row.is_empty() {
            near = (random.below(2) == 0).then(|| (random.bits(), 1 << random.below(32)));
        }
        let keys: Vec<i32> = (0..LANES)
            .map(|_| match (near, random.below(4)) {
                (Some((key, bit)), kind) => if kind == 0 { key ^ bit } else { key }.cast_signed(),
                (None, 0) => random.bits().cast_signed(),
                (None, 1) => random.one_of(&[0, 1, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff]).cast_signed(),
                (None, 2) => 1 << random.below(32),
                (None, _) => random.below(4).cast_signed() - 2,
            })
            .collect();
        let mut result = None;
        let is_end = row.len() + LANES >= length || quiet + 1 >= 1000 - 2 * AFTER;
        if valid {
            row.extend(&keys);
            if is_end {
                let largest = *row.iter().max().expect("a row has lanes");
                result = Some((largest, row.iter().position(|key| *key == largest).expect("it is there")));
                row.clear();
                length = if random.below(200) == 0 { 600 } else { 1 + random.below(40) as usize };
            }
        }
        if quiet == 1000 - 2 * AFTER {
            row.clear();
        }
        results.push_back(result);
        let due = results.pop_front().expect("it holds what is in flight");
        let outputs = if period < AFTER {
            vec![None; 3]
        } else {
            let (key, index) = (due.map(|(key, _)| vec![key.cast_unsigned()]), due.map(|(_, at)| word(at as u64)));
            vec![Some(word(due.is_some().into())), key, index]
        };
        let last = if valid { is_end } else { random.below(2) == 0 };
        let flags = [!reset, valid, last].map(|flag| word(flag.into()));
        let keys: Value = keys.iter().map(|key| key.cast_unsigned()).collect();
        trace.push([flags.to_vec(), vec![keys]].concat(), outputs);
    }
    push_long_rows(&mut trace);
    trace
}

/// Behind a reset, a row for each bit of an index, with its largest element in the beat that first sets the bit: its last.
fn push_long_rows(trace: &mut Trace) {
    const INDEX_BITS: u32 = 18;
    let flags = |flags: [bool; 3]| flags.map(|flag| word(flag.into())).to_vec();
    let nothing = vec![vec![0; TOPK_LANES]];
    let idle =
        |trace: &mut Trace, outputs| trace.push([flags([true, false, false]), nothing.clone()].concat(), outputs);
    trace.push([flags([false, false, false]), nothing.clone()].concat(), vec![None; 3]);
    (0..TOPK_AFTER).for_each(|_| idle(trace, vec![None; 3]));
    for bit in TOPK_LANES.ilog2()..INDEX_BITS {
        let last = 1_u32 << bit;
        for first in (0..=last).step_by(TOPK_LANES) {
            let keys: Value = (first..).take(TOPK_LANES).collect();
            let outputs = vec![Some(word(0)), None, None];
            trace.push([flags([true, true, first == last]), vec![keys]].concat(), outputs);
        }
        (1..TOPK_AFTER).for_each(|_| idle(trace, vec![Some(word(0)), None, None]));
        let largest = word(u64::from(last) + TOPK_LANES as u64 - 1);
        idle(trace, vec![Some(word(1)), Some(largest.clone()), Some(largest)]);
    }
}

/// The traced parameter buffer: bytes, channels, bytes of a port, lanes.
const PARAMETER_BYTES: usize = 128;
const CHANNELS: usize = 2;
const PORT_BYTES: usize = 16;
const LANES: usize = 4;
/// Periods from an address to its elements.
const READ_AFTER: usize = 3;

/// A word of two f16, often zeros, subnormals, infinities and NaN, of which the single bits of the fraction tell most.
fn two_halves(random: &mut Random) -> u32 {
    let mut half = || match random.below(2) {
        0 => random.bits() >> 16,
        _ => random.one_of(&[0, 0x7c00, 0x8000, 0xfc00]) | 1 << random.below(10),
    };
    half() << 16 | half()
}

/// `Lanes` elements from an element address on, in stored form; nothing past the end or never written.
fn elements(bytes: &[Option<u8>], address: usize, is_half: bool) -> Option<Value> {
    let width = if is_half { 2 } else { 4 };
    let element = |number: usize| {
        let at = (address + number) * width;
        let raw = bytes.get(at..at + width)?.iter().copied().collect::<Option<Vec<u8>>>()?;
        Some(match raw[..] {
            [low, high] => f16_to_f32(u16::from_le_bytes([low, high])).to_bits(),
            [a, b, c, d] => canonical(f32::from_le_bytes([a, b, c, d])).to_bits(),
            _ => unreachable!("elements have 2 or 4 bytes"),
        })
    };
    (0..LANES).map(element).collect()
}

pub(crate) fn parameter_buffer() -> Trace {
    let inputs = [
        "load_write_valid_i",
        "load_write_buffer_i",
        "load_write_line_i",
        "load_write_data_i",
        "load_write_strobe_i",
        "a_address_i",
        "a_half_i",
        "b_address_i",
        "b_half_i",
    ];
    let mut trace = Trace::new(&inputs, &["a_o", "b_o"]);
    let mut random = Random(46);
    let special = specials();
    let mut bytes = vec![None; PARAMETER_BYTES];
    let mut due: VecDeque<[Option<Value>; 2]> = VecDeque::from(vec![[None, None]; READ_AFTER]);
    let lines = PARAMETER_BYTES / (CHANNELS * PORT_BYTES);
    for _ in 0..PERIODS {
        let reads = [(); 2].map(|()| {
            let is_half = random.below(2) == 1;
            (random.below(PARAMETER_BYTES as u32 / if is_half { 2 } else { 4 }) as usize, is_half)
        });
        due.push_back(reads.map(|(address, is_half)| elements(&bytes, address, is_half)));
        // Each channel in a line of its own, of this buffer or of another.
        let mut data = Vec::new();
        let mut fields: [Vec<u64>; 4] = Default::default();
        for channel in 0..CHANNELS {
            let any = random.below(LoadBuffer::ALL.len() as u32);
            let buffer = random.one_of(&[LoadBuffer::Parameter.to_bits() as u32, any]);
            let (valid, line) = (random.below(4) > 0, random.below(lines as u32) as usize);
            let words: Vec<u32> = (0..PORT_BYTES / 4)
                .map(|_| match random.below(8) {
                    0 | 1 => random.one_of(&special),
                    2 | 3 => two_halves(&mut random),
                    _ => random.bits(),
                })
                .collect();
            let strobe = if random.below(2) == 0 { 0xffff } else { random.wide(PORT_BYTES as u64) };
            if valid && u64::from(buffer) == LoadBuffer::Parameter.to_bits() {
                for at in (0..PORT_BYTES).filter(|at| strobe >> at & 1 == 1) {
                    let place = line * CHANNELS * PORT_BYTES + channel * PORT_BYTES + at;
                    bytes[place] = Some(words[at / 4].to_le_bytes()[at % 4]);
                }
            }
            for (field, value) in fields.iter_mut().zip([u64::from(valid), buffer.into(), line as u64, strobe]) {
                field.push(value);
            }
            data.extend(words);
        }
        let [valid, buffer, line, strobe] = fields;
        let mut values = vec![pack(&valid, 1), pack(&buffer, 3), pack(&line, 24), data, pack(&strobe, PORT_BYTES)];
        values.extend(reads.iter().flat_map(|(address, half)| [word(*address as u64), word((*half).into())]));
        let outputs = due.pop_front().expect("it holds what is in flight");
        trace.push(values, outputs.to_vec());
    }
    trace
}
