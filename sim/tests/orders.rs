//! The results of a legal program do not depend on time: random programs, executed in many of the orders that their waits
//! and the machine's queues allow, one unit far ahead of the others and then another, leave the same in every buffer and in
//! memory as in program order. So nothing that two units share is left to chance by the rules of `hw_config::program`.

mod common;

use common::{Variant, random_registers, variant, variant_of};
use hw_config::isa::{Instruction, Unit, assemble};
use hw_config::machine::Machine;
use hw_config::program::Program;
use hw_config::program::random::{Rng, random_program};
use hw_config::timing::{LOADS_IN_FLIGHT, MATRIX_IN_FLIGHT, STORES_IN_FLIGHT};
use sim::functional::{Core, MemoryImage};
use std::collections::VecDeque;

const UNITS: usize = 4;
/// Instructions of each unit that can be issued and not retired: in program order they may still be to come.
const IN_FLIGHT: [usize; UNITS] = [LOADS_IN_FLIGHT, STORES_IN_FLIGHT, MATRIX_IN_FLIGHT, 1];
/// Programs on each machine, and orders of each.
const PROGRAMS: u64 = 40;
const ORDERS: u64 = 3;

fn unit(instruction: &Instruction) -> Option<usize> {
    match instruction.operation.unit() {
        Unit::Load => Some(0),
        Unit::Store => Some(1),
        Unit::Matrix => Some(2),
        Unit::Vector => Some(3),
        Unit::System => None,
    }
}

/// An f32 of moderate size.
fn value(rng: &mut Rng) -> f32 {
    (rng.up_to(1 << 24) as f32 - (1 << 23) as f32) / (1 << 21) as f32
}

/// Everything that a step begins with.
fn state(machine: &Machine, program: &Program, rng: &mut Rng) -> (Core, MemoryImage) {
    let mut core = Core::new(machine);
    let end = program.regions.last().map_or(0, |region| region.base + region.bytes);
    let bytes: Vec<u8> = (0..end / 4).flat_map(|_| value(rng).to_le_bytes()).collect();
    let mut memory = MemoryImage::new(bytes.len());
    memory.write(0, &bytes);
    for buffer in [&mut core.weight, &mut core.index, &mut core.density, &mut core.scale] {
        buffer.iter_mut().for_each(|byte| *byte = 0x20 | (rng.next_u64() as u8 & 0x9f));
    }
    core.parameter.chunks_mut(4).for_each(|element| element.copy_from_slice(&value(rng).to_le_bytes()));
    core.activation.iter_mut().for_each(|code| *code = (rng.up_to(254) as i16 - 127) as i8);
    for buffer in [&mut core.slots, &mut core.result, &mut core.vector, &mut core.accumulators] {
        buffer.iter_mut().for_each(|x| *x = value(rng));
    }
    core.registers = random_registers(rng, program.max_rows, program.max_end);
    (core, memory)
}

/// Executes a program in an order that its waits allow: the units take turns at being ahead for as long as they can.
fn run_in_some_order(machine: &Machine, program: &Program, core: &mut Core, memory: &mut MemoryImage, rng: &mut Rng) {
    let mut queues: [VecDeque<(&Instruction, [usize; UNITS])>; UNITS] = Default::default();
    let (mut dispatched, mut executed) = ([0; UNITS], [0; UNITS]);
    let mut rest = program.instructions.iter().peekable();
    let mut first = rng.up_to(UNITS as u64 - 1) as usize;
    loop {
        while let Some((instruction, unit)) = rest.peek().and_then(|x| Some((*x, unit(x)?)))
            && queues[unit].len() < machine.core.queue as usize + IN_FLIGHT[unit]
        {
            let after = instruction.after;
            let named =
                |other: usize| if after[other] == 0 { 0 } else { dispatched[other] + 1 - usize::from(after[other]) };
            queues[unit].push_back((instruction, std::array::from_fn(named)));
            dispatched[unit] += 1;
            rest.next();
        }
        if rng.one_in(12) {
            first = rng.up_to(UNITS as u64 - 1) as usize;
        }
        let is_ready =
            |(_, needs): &(&Instruction, [usize; UNITS])| needs.iter().zip(executed).all(|(n, done)| *n <= done);
        let ready = (0..UNITS).map(|i| (first + i) % UNITS).find(|unit| queues[*unit].front().is_some_and(is_ready));
        let Some(unit) = ready else {
            assert!(queues.iter().all(VecDeque::is_empty), "waits point backwards, so one unit can always go on");
            return;
        };
        let (instruction, _) = queues[unit].pop_front().expect("it is ready");
        core.execute(instruction, memory);
        executed[unit] += 1;
    }
}

/// The first thing that differs, if any, and how many bytes were compared.
fn difference(a: (&Core, &MemoryImage), b: (&Core, &MemoryImage)) -> (Option<&'static str>, usize) {
    let floats = |values: &[f32]| values.iter().flat_map(|x| x.to_bits().to_le_bytes()).collect::<Vec<u8>>();
    let parts = |(core, memory): (&Core, &MemoryImage)| {
        [
            ("memory", memory.read(0, memory.len()).to_vec()),
            ("weight buffer", core.weight.clone()),
            ("index buffer", core.index.clone()),
            ("density buffer", core.density.clone()),
            ("scale buffer", core.scale.clone()),
            ("parameter buffer", core.parameter.clone()),
            ("activation buffer", core.activation.iter().map(|code| code.cast_unsigned()).collect()),
            ("scale slots", floats(&core.slots)),
            ("result buffer", floats(&core.result)),
            ("vector buffer", floats(&core.vector)),
            ("accumulators", floats(&core.accumulators)),
            ("registers", core.registers.iter().flat_map(|x| x.to_le_bytes()).collect()),
        ]
    };
    let (a, b) = (parts(a), parts(b));
    let different = a.iter().zip(&b).find(|(a, b)| a.1 != b.1).map(|(a, _)| a.0);
    (different, a.iter().map(|part| part.1.len()).sum())
}

#[test]
fn every_order_that_the_waits_allow_gives_the_same() {
    let (mut orders, mut bytes, mut unsafe_orders) = (0, 0, 0);
    let chain = |queue| variant(&[("core.queue", queue), ("core.matrix.two_level", "false")]);
    let machines = [chain("1"), chain("3"), chain("40"), variant_of("tiny-bit-serial", &[("core.queue", "8")])];
    let programs = PROGRAMS * machines.len() as u64;
    for (number, Variant { name, machine }) in machines.iter().enumerate() {
        for seed in PROGRAMS * number as u64..PROGRAMS * (number as u64 + 1) {
            let mut rng = Rng::new(seed ^ 0xdde5);
            let mut program = random_program(seed, machine, 150);
            // The fewest waits leave the most orders.
            program.insert_waits(machine);
            let begin = state(machine, &program, &mut rng);
            let (mut core, mut memory) = begin.clone();
            core.run(&program.instructions, &mut memory);
            for order in 0..ORDERS {
                let (mut other, mut its_memory) = begin.clone();
                run_in_some_order(machine, &program, &mut other, &mut its_memory, &mut rng);
                let (different, compared) = difference((&core, &memory), (&other, &its_memory));
                assert_eq!(different, None, "{name}, seed {seed}, order {order}");
                (orders, bytes) = (orders + 1, bytes + compared);
            }
            // Without its waits the same program is seen to depend on the order.
            let mut without = program.clone();
            without.instructions.iter_mut().for_each(|instruction| instruction.after = [0; UNITS]);
            let (mut other, mut its_memory) = begin;
            run_in_some_order(machine, &without, &mut other, &mut its_memory, &mut rng);
            unsafe_orders += u64::from(difference((&core, &memory), (&other, &its_memory)).0.is_some());
        }
    }
    println!("{orders} orders, {bytes} bytes compared; {unsafe_orders} of {programs} seen without waits");
    assert!(orders == programs * ORDERS && unsafe_orders > programs / 2);
}

/// Waits count a region as a whole. So a load by a token id that reached into the next region would meet a store there, and
/// nothing would order the two: a step with such an id is refused, and one with the largest id before it is not.
#[test]
fn a_load_that_leaves_its_region_would_depend_on_the_order() {
    let machine = variant(&[]).machine;
    // In the first region's last lines, by steps of one line.
    let lines = "ld buffer=parameter rows=1 bytes=64 base=261952 reg=22 high=64\n\
                 st source=vector rows=1 count=16 base=262144\nend\n";
    let instructions = assemble(lines).unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut program = Program { instructions, ..random_program(0, &machine, 3) };
    program.marks.truncate(1);
    program.insert_waits(&machine);
    assert_eq!((program.check(&machine), program.regions[0].bytes), (Ok(()), 262144));
    for (id, leaves) in [(2, false), (3, true)] {
        let mut rng = Rng::new(22);
        let mut begin = state(&machine, &program, &mut rng);
        begin.0.registers[22] = id;
        let (mut core, mut memory) = begin.clone();
        core.run(&program.instructions, &mut memory);
        let mut different = 0;
        for _ in 0..64 {
            let (mut other, mut its_memory) = begin.clone();
            run_in_some_order(&machine, &program, &mut other, &mut its_memory, &mut rng);
            different += u32::from(difference((&core, &memory), (&other, &its_memory)).0.is_some());
        }
        println!("id {id}: {different} of 64 orders differ");
        assert_eq!(
            (different > 0, program.check_step(&machine, &begin.0.registers).is_err()),
            (leaves, leaves),
            "id {id}"
        );
    }
}
