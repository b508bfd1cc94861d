//! Laws of a step's outcome on random programs: what adds up, what bounds what, what may not matter.

mod common;

use common::{cores_variants, random_cores_step, random_registers, random_routing, random_step, variants};
use hw_config::energy::Prices;
use hw_config::isa::{Instruction, Operation, VectorOp};
use hw_config::machine::Machine;
use hw_config::memory::{MemoryStandard, Slot};
use hw_config::program::random::{MOST_ID, Rng};
use hw_config::program::{Mark, Program};
use hw_config::timing::Registers;
use sim::energy::{Counted, Energy, EnergyModel};
use sim::engine::{
    CoresStep, MemoryModel, Prepared, Step, data_channels, fetch_channel, run_cores, run_step, run_step_with_commands,
    run_step_with_timeline,
};
use sim::functional::{Core, MemoryImage, Routing};
use sim::memory::{Checker, Grouping};
use sim::outcome::{Buffer, OperatorOutcome, StepOutcome, Traffic};

fn outcome(machine: &Machine, seed: u64, length: usize, memory: MemoryModel) -> StepOutcome {
    let (program, registers, routing) = random_step(seed, machine, length);
    run_step(&Step { machine, program: &program, registers: &registers, routing: &routing, memory })
}

#[test]
fn what_is_counted_adds_up() {
    let mut checked = 0;
    for (number, variant) in variants().iter().enumerate() {
        let machine = &variant.machine;
        for seed in 0..10 {
            let o = outcome(machine, 7000 + seed * 20 + number as u64, 80, MemoryModel::Fast(Grouping::Shared));
            let what = format!("{} seed {seed}", variant.name);
            let named = |f: fn(&sim::outcome::Traffic) -> u64| o.traffic.iter().map(f).sum::<u64>();
            let lanes = |lane: usize| o.data_memory.iter().map(|channel| channel.lane_bytes[lane]).sum::<u64>();
            assert_eq!(named(|t| t.read_bytes) + o.unnamed_traffic.read_bytes, lanes(0), "{what}: bytes read");
            assert_eq!(named(|t| t.written_bytes) + o.unnamed_traffic.written_bytes, lanes(1), "{what}: bytes written");
            assert_eq!(o.instruction_memory.lane_bytes[0], o.instruction_bytes, "{what}: instruction bytes");
            let by_operator: u64 = o.operators.iter().map(|x| x.traffic.read_bytes + x.traffic.written_bytes).sum();
            assert_eq!(by_operator, lanes(0) + lanes(1), "{what}: bytes by operator");
            assert_eq!(o.operators.iter().map(|x| x.macs).sum::<u64>(), o.events.macs, "{what}: products by operator");
            let vector_ops = o.operators.iter().map(|x| x.vector_ops).sum::<u64>();
            assert_eq!(vector_ops, o.events.float_ops.total(), "{what}: operations by operator");
            let last = o.operators.iter().map(|x| x.last_retirement).max().unwrap_or(0);
            assert_eq!(o.operators.iter().map(|x| x.cycles).sum::<u64>(), last, "{what}: cycles by operator");
            assert_eq!(o.operators.iter().map(|x| x.matrix_busy_cycles).sum::<u64>(), o.units[2].busy_cycles, "{what}");
            assert_eq!(o.operators.iter().map(|x| x.vector_busy_cycles).sum::<u64>(), o.units[3].busy_cycles, "{what}");
            // No port moves more than a beat a cycle, no unit is busy longer than the step.
            assert!(lanes(0) <= o.cycles * machine.memory.line_bytes(), "{what}: more bytes than the ports carry");
            let peak = machine
                .core
                .engine
                .peak_macs_per_cycle(hw_config::engine::MatrixMode::Matrix)
                .max(machine.core.engine.peak_macs_per_cycle(hw_config::engine::MatrixMode::Vector));
            assert!(o.events.macs <= o.units[2].busy_cycles * peak, "{what}: more products than multipliers");
            checked += 10;
        }
    }
    println!("{checked} laws checked");
    assert!(checked > 0, "nothing checked");
}

#[test]
fn the_memory_model_does_not_matter() {
    let (mut steps, mut differing) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        for seed in 0..6 {
            let seed = 9000 + seed * 20 + number as u64;
            let shared = outcome(&variant.machine, seed, 80, MemoryModel::Fast(Grouping::Shared));
            let separate = outcome(&variant.machine, seed, 80, MemoryModel::Fast(Grouping::Separate));
            assert_eq!(shared, separate, "{} seed {seed}: channels once and each for itself", variant.name);
            let stepped = outcome(&variant.machine, seed, 80, MemoryModel::Stepped);
            assert_eq!(shared.cycles, stepped.cycles, "{} seed {seed}: fast and stepped", variant.name);
            assert_eq!(shared.operators, stepped.operators, "{} seed {seed}: fast and stepped", variant.name);
            steps += 1;
            differing += usize::from(shared.data_memory.windows(2).any(|pair| pair[0] != pair[1]));
        }
    }
    println!("{steps} steps on three models compared, in {differing} of them channels differ");
    assert!(differing > 0, "no step in which channels differ");
}

/// The independent checker judges every DRAM command of a step, of either model.
#[test]
fn every_dram_command_is_legal() {
    let (mut commands, mut comparisons) = (0, 0);
    for (number, variant) in variants().iter().enumerate() {
        let machine = &variant.machine;
        let (program, registers, routing) = random_step(30_000 + number as u64, machine, 120);
        for memory in [MemoryModel::Fast(Grouping::Shared), MemoryModel::Stepped] {
            let step = Step { machine, program: &program, registers: &registers, routing: &routing, memory };
            let mut channels = run_step_with_commands(&step);
            let fetch = channels.pop().expect("the instruction channel is the last");
            let judged = channels.iter().map(|channel| (channel, &machine.memory.standard));
            for (channel, standard) in judged.chain([(&fetch, &machine.instructions.standard)]) {
                let verdict = Checker::new(standard).check_all(channel);
                comparisons += verdict.unwrap_or_else(|violation| panic!("{}: {violation}", variant.name));
                commands += channel.len();
            }
        }
    }
    println!("{commands} commands judged by {comparisons} comparisons");
    assert!(comparisons > 0, "nothing judged");
}

/// What the functional simulator's `topk` chose is what the engine wants to know.
#[test]
fn recorded_routing_serves_the_engine() {
    let machine = &variants()[0].machine;
    let (mut steps, mut choices) = (0, 0);
    for seed in 0..150 {
        let (program, registers, drawn) = random_step(20_000 + seed, machine, 60);
        if drawn.is_empty() {
            continue;
        }
        let topk_only: Vec<Instruction> = program
            .instructions
            .iter()
            .filter(|i| matches!(&i.operation, Operation::Misc(_) | Operation::End(_)))
            .copied()
            .collect();
        let mut core = Core::new(machine);
        core.registers = registers;
        let recorded: Vec<Routing> = core.run(&topk_only, &mut MemoryImage::new(0));
        assert_eq!(recorded.len(), drawn.len(), "seed {seed}: choices");
        let step = Step {
            machine,
            program: &program,
            registers: &registers,
            routing: &recorded,
            memory: MemoryModel::Fast(Grouping::Shared),
        };
        assert!(run_step(&step).cycles > 0);
        steps += 1;
        choices += recorded.len();
    }
    println!("{steps} steps with {choices} recorded choices");
    assert!(choices > 0, "no `topk` was drawn");
}

fn program(machine: &Machine, text: &str) -> Program {
    let instructions = hw_config::isa::assemble(text).expect("a sound text");
    Program {
        machine: machine.name.clone(),
        machine_fingerprint: machine.fingerprint(),
        name: "by hand".to_owned(),
        core: 0,
        max_rows: 1,
        max_end: 1,
        regions: Vec::new(),
        marks: vec![Mark { first: 0, layer: None, operator: "all".to_owned() }],
        instructions,
    }
}

/// The cycles of a three-instruction program on `tiny`, worked out on paper from the rules.
#[test]
fn first_instructions_by_hand() {
    let machine = &variants()[0].machine;
    let program = program(
        machine,
        "ld buffer=weight bytes=1024 rows=1
         mv after_ld=1 first=yes last=yes code=int8 steps=2 cols=32
         end",
    );
    let step = Step {
        machine,
        program: &program,
        registers: &[0; 128],
        routing: &[],
        memory: MemoryModel::Fast(Grouping::Shared),
    };
    let (outcome, timeline) = run_step_with_timeline(&step);
    let (memory, instructions) = (&machine.memory.standard, &machine.instructions.standard);
    let kernel = u64::from(machine.kernel_mhz);
    // Fetch: three instructions are two 64-byte beats, two DDR4 atoms of two bank groups.
    // Request in cycle 0, + 4 at the controller; choice there, ACT in the first slot after it.
    let slot_at = |cycle: u64, slot: Slot| {
        (cycle..).find(|c| c % u64::from(slot.period) == u64::from(slot.phase)).expect("slots recur")
    };
    let cycles = |standard: &MemoryStandard, name: &str| u64::from(standard.timing[name]);
    let back = |standard: &MemoryStandard, read: u64| {
        let data = read + cycles(standard, "nCL") + cycles(standard, "nBL");
        (data * kernel).div_ceil(u64::from(standard.clock.mhz)) + 4
    };
    let chosen = (4 * u64::from(instructions.clock.mhz)).div_ceil(kernel);
    let act = slot_at(chosen + 1, instructions.slots.activate);
    let read = slot_at(act + cycles(instructions, "nRCD"), instructions.slots.column);
    let next = slot_at(act + cycles(instructions, "nRRDS"), instructions.slots.activate);
    let next_read = slot_at(next + cycles(instructions, "nRCD"), instructions.slots.column);
    let arrival = back(instructions, next_read.max(read + cycles(instructions, "nCCDS")));
    assert_eq!(timeline.dispatch, [arrival + 1, arrival + 2, arrival + 3], "one dispatch a cycle after the arrival");
    assert_eq!(timeline.issue[0], arrival + 2, "an instruction issues in the cycle after its dispatch");
    // Load: 1024 bytes are 512 in each of two channels, a burst of 16 atoms that are 16 beats. HBM's atoms come faster
    // than the port takes them, so one of the first four decides, each of which opens a row in its bank group.
    let chosen = ((timeline.issue[0] + 4 + 4) * u64::from(memory.clock.mhz)).div_ceil(kernel);
    let (mut act, mut last_beat) = (slot_at(chosen + 1, memory.slots.activate), 0);
    for atom in 0..4 {
        let read = slot_at(act + cycles(memory, "nRCDRD"), memory.slots.column);
        last_beat = last_beat.max(back(memory, read) + 15 - atom);
        act = slot_at(act + cycles(memory, "nRRDS"), memory.slots.activate);
    }
    let Operation::MatVec(mv) = &program.instructions[1].operation else { panic!("the second is an mv") };
    let duration = machine.matrix_duration(hw_config::timing::mat_vec_shape(mv, &[0; 128]));
    println!("fetch arrives {arrival}, last beat {last_beat}, {timeline:?}");
    assert_eq!(timeline.retire[0], last_beat + 2, "two cycles from the last beat into the buffer");
    assert_eq!(timeline.issue[1], timeline.retire[0] + 1, "the cycle after the retirement that it waits for");
    assert_eq!(timeline.retire[1], timeline.issue[1] + duration.latency);
    assert_eq!(timeline.issue[2], timeline.retire[1] + 1, "`end` issues when all before has retired");
    assert_eq!(outcome.cycles, timeline.issue[2] + 1);
    assert_eq!(outcome.events.macs, 2 * 16 * 32, "steps x chain x columns");
    assert_eq!(outcome.unnamed_traffic.read_bytes, 1024);
}

#[test]
fn energy_adds_up_and_follows_its_events() {
    let machine = &variants()[0].machine;
    let model = EnergyModel::new(machine).expect("a shipped board");
    let o = outcome(machine, 5, 120, MemoryModel::Fast(Grouping::Shared));
    let energy = model.step(&o);
    let sum: f64 = energy.components().iter().map(|(_, joules)| joules).sum();
    assert_eq!(sum, energy.total_j());
    for (name, joules) in energy.components() {
        println!("{name}: {joules:.3e} J");
        assert_eq!(joules > 0.0, name != "link", "{name} takes {joules} J on one core");
    }
    let seconds = machine.seconds(o.cycles);
    let Ok(Prices::Fabric(table)) = machine.prices() else { panic!("a board with fabric") };
    assert!(energy.average_power_w(seconds) > table.static_w, "more than the board's static power");
    add_up(&model, std::slice::from_ref(&o), "one core");
    shares_are_those_of_the_page(&model, &o, &energy);
    // Twice the products, and nothing else, cost exactly their price more.
    let mut more = o.clone();
    more.events.macs *= 2;
    let difference = model.step(&more).total_j() - energy.total_j();
    let price = o.events.macs as f64 * table.mac_i8_pj() * 1e-12;
    assert!((difference - price).abs() < 1e-9 * energy.total_j(), "{difference} J for {price} J of products");
}

/// The parts of all operators and of the wait for the ends are a step's joules, component by component; and those of an operator by
/// hand, where a price is one count's.
fn add_up(model: &EnergyModel<'_>, outcomes: &[StepOutcome], what: &str) {
    let whole = model.step_of_cores(outcomes);
    let mut sum = Energy::default();
    for (core, outcome) in outcomes.iter().enumerate() {
        let mut waited = outcome.cycles;
        // What is counted by name and what by operator: each part is priced alone.
        for operator in &outcome.operators {
            let OperatorOutcome { traffic, matrix_busy_cycles, cycles, .. } = *operator;
            let counted = Counted { traffic, matrix_busy_cycles, cycles, ..Counted::default() };
            sum = sum.plus(&model.part_of_step(outcomes, core, &counted));
            waited -= cycles;
        }
        for &events in &outcome.named_events {
            let part = model.part_of_step(outcomes, core, &Counted { events, ..Counted::default() });
            let own = events.instructions as f64 / outcome.events.instructions as f64;
            let of_core = model.part_of_step(outcomes, core, &Counted { events: outcome.events, ..Counted::default() });
            assert!((part.dispatch_j - own * of_core.dispatch_j).abs() <= 1e-12 * of_core.dispatch_j, "{what}");
            sum = sum.plus(&part);
        }
        sum = sum.plus(&model.part_of_step(outcomes, core, &Counted { cycles: waited, ..Counted::default() }));
    }
    // A port that was busy and moved no byte is nobody's.
    let moves = |bytes: fn(&Traffic) -> u64| outcomes.iter().all(|o| o.operators.iter().any(|x| bytes(&x.traffic) > 0));
    let all_move = moves(|traffic| traffic.read_bytes) && moves(|traffic| traffic.written_bytes);
    for ((name, sum), (_, whole)) in sum.components().into_iter().zip(whole.components()) {
        let is_whole = (sum - whole).abs() <= 1e-12 * whole;
        let may_lack = !all_move && ["ports", "data_memory"].contains(&name) && sum <= whole;
        assert!(is_whole || may_lack, "{what}: {name} of all parts is {sum} J, of the step {whole} J");
    }
}

/// What is counted by unit is shared as `docs/src/energy.md` says: a part that has moved so many bytes, and nothing else, and one
/// that has lengthened the step, and nothing else.
fn shares_are_those_of_the_page(model: &EnergyModel<'_>, o: &StepOutcome, whole: &Energy) {
    let part = |counted: Counted| model.part_of_step(std::slice::from_ref(o), 0, &counted);
    let all = o.operators.iter().fold((0, 0), |(r, w), x| (r + x.traffic.read_bytes, w + x.traffic.written_bytes));
    assert!(all.0 > 0 && all.1 > 0 && all.0 != all.1, "a step that loads and stores: {all:?}");
    let near =
        |got: f64, want: f64, what: &str| assert!((got - want).abs() <= 1e-12 * want, "{what}: {got} for {want}");
    let bytes = |read_bytes, written_bytes| {
        part(Counted { traffic: Traffic { read_bytes, written_bytes }, ..Counted::default() })
    };
    let (loads, stores) = (bytes(all.0, 0), bytes(0, all.1));
    let of = |moved: u64| whole.data_memory_j * moved as f64 / (all.0 + all.1) as f64;
    near(loads.data_memory_j, of(all.0), "DRAM of all loads");
    near(stores.data_memory_j, of(all.1), "DRAM of all stores");
    near(loads.ports_j + stores.ports_j, whole.ports_j, "ports");
    assert!(loads.ports_j > 0.0 && stores.ports_j > 0.0, "each port by its own bytes");
    near(bytes(all.0, all.1).total_j(), whole.data_memory_j + whole.ports_j, "bytes, and nothing else");
    let half = part(Counted { cycles: o.cycles / 2, ..Counted::default() });
    let share = (o.cycles / 2) as f64 / o.cycles as f64;
    near(half.total_j(), share * (whole.clock_j + whole.memory_background_j + whole.static_j), "half of the cycles");
    let busy = part(Counted { matrix_busy_cycles: o.units[2].busy_cycles, ..Counted::default() });
    near(busy.total_j(), whole.matrix_logic_j, "cycles of the matrix unit");
}

/// A die: what is counted times its published price, and nothing for what has none.
#[test]
fn energy_of_a_die_by_hand() {
    let machine = Machine::by_name("bitmod-28nm").expect("a shipped machine");
    let o = outcome(&machine, 7, 120, MemoryModel::Fast(Grouping::Shared));
    let energy = EnergyModel::new(&machine).expect("prices of a die").step(&o);
    for (name, joules) in energy.components() {
        println!("{name}: {joules:.3e} J");
        assert_eq!(joules > 0.0, !["matrix_products", "link", "ports", "clock", "static"].contains(&name), "{name}");
    }
    let near = |got: f64, pj: f64| assert!((got / (pj * 1e-12) - 1.0).abs() < 1e-9, "{got} J for {pj} pJ");
    // 16 tiles of 64 elements of 0.586 pJ a cycle and an encoder of 1.86, x 1.5 for placement and routing.
    near(energy.matrix_logic_j, o.units[2].busy_cycles as f64 * 1.5 * 16.0 * (64.0 * 0.586 + 1.86));
    near(energy.dispatch_j, o.events.instructions as f64 * 70.0);
    let (floats, events) = (o.events.float_ops, &o.events);
    let adds = (floats.adds + events.scaled_sums) as f64 * 0.9;
    let muls = (floats.muls + events.scaled_sums + events.results) as f64 * 3.7;
    near(energy.float_ops_j, adds + muls + floats.functions as f64 * 12.9);
    // Twice what is read from the weight buffer, of rows wider than 1,024 bits, costs a read of 138.439536 pJ each 128 bytes.
    let mut more = o.clone();
    let read_bytes = &mut more.events.buffers[Buffer::Weight as usize].read_bytes;
    let bytes = *read_bytes as f64;
    *read_bytes *= 2;
    let again = EnergyModel::new(&machine).expect("prices of a die").step(&more).buffers_j;
    assert!(bytes > 0.0 && ((again - energy.buffers_j) / (bytes / 128.0 * 138.439_536e-12) - 1.0).abs() < 1e-6);
}

/// The ports of far cores have longer ways: four cycles of synchroniser, and for each of two boundaries five.
#[test]
fn far_cores_have_longer_ways() {
    let machine = &cores_variants()[2].machine;
    let ways = [0, 1].map(|core| {
        let (data, fetch) = (&data_channels(machine, core)[0].port, fetch_channel(machine, core).port);
        [data.request_cycles, data.response_cycles, fetch.request_cycles, fetch.response_cycles]
    });
    assert_eq!(ways, [[4, 4, 4, 4], [14, 14, 14, 14]]);
    println!("8 ways compared");
}

/// What several cores count: the link's bytes from the programs, one board's static power, and the same cycles on any
/// memory model.
#[test]
fn several_cores_add_up() {
    let (mut compared, mut linked) = (0, 0);
    for (number, variant) in cores_variants().iter().enumerate() {
        let machine = &variant.machine;
        let model = EnergyModel::new(machine).expect("a shipped board");
        for seed in 0..4 {
            let (programs, registers, routing) = random_cores_step(seed * 50 + number as u64, machine, 50);
            let with = |memory| {
                let (programs, registers) = (&programs, &registers);
                run_cores(&CoresStep { machine, programs, registers, routing: &routing, memory })
            };
            let outcomes = with(MemoryModel::Fast(Grouping::Shared));
            assert!(outcomes == with(MemoryModel::Fast(Grouping::Separate)), "{}: groupings", variant.name);
            let mut elements = 0;
            for instruction in &programs[0].instructions {
                if let Operation::Misc(misc) = &instruction.operation
                    && misc.op == VectorOp::Share
                {
                    let rows = if misc.rows_reg == 0 { misc.rows } else { misc.rows.min(registers[3]) };
                    elements += u64::from(rows * misc.len);
                }
            }
            let bytes: u64 = outcomes.iter().map(|outcome| outcome.events.link_bytes).sum();
            assert_eq!(bytes, 4 * elements, "{}: every element is on the link once", variant.name);
            let cycles = outcomes[0].cycles;
            assert!(outcomes.iter().all(|outcome| outcome.cycles == cycles), "{}: one step", variant.name);
            let energy = model.step_of_cores(&outcomes);
            let static_w = machine.prices().expect("a shipped board").static_w();
            let expected = static_w * machine.seconds(cycles);
            assert!((energy.static_j / expected - 1.0).abs() < 1e-12, "{}: static energy of one board", variant.name);
            add_up(&model, &outcomes, &variant.name);
            assert_eq!(energy.link_j > 0.0, machine.link_boundaries() > 0, "{}: energy of the link", variant.name);
            (compared, linked) = (compared + 1, linked + bytes);
        }
    }
    println!("{compared} steps, {linked} bytes on the link");
    assert!(compared > 0 && linked > 10_000);
}

/// A step with nothing known, every channel for itself.
fn plain(machine: &Machine, programs: &[Program], registers: &Registers, routing: &[Vec<Routing>]) -> Vec<StepOutcome> {
    let memory = MemoryModel::Fast(Grouping::Separate);
    run_cores(&CoresStep { machine, programs, registers, routing, memory })
}

/// Steps of the same programs one after the other are what each of them is alone, whether their registers are new, the same,
/// or differ from the last ones' in one. In short programs often a single instruction sees the difference.
#[test]
fn prepared_steps_are_steps() {
    let (mut compared, mut repeated) = (0, 0);
    for (number, variant) in cores_variants().iter().chain(&variants()).enumerate() {
        let machine = &variant.machine;
        for seed in 0..24 {
            let seed = 900 + seed * 50 + number as u64;
            let length = [4, 8, 16, 4, 8, 300][seed as usize % 6];
            let (programs, mut registers, mut routing) = if machine.core.count > 1 {
                random_cores_step(seed, machine, length)
            } else {
                let (program, registers, routing) = random_step(seed, machine, length);
                (vec![program], registers, vec![routing])
            };
            let (most_rows, most_end) = (programs[0].max_rows, programs[0].max_end);
            let mut rng = Rng::new(seed);
            let mut prepared = Prepared::new(machine, programs.clone());
            for step in 0..16 {
                let alone = plain(machine, &programs, &registers, &routing);
                let next = prepared.run(&registers, &routing, MemoryModel::Fast(Grouping::Shared));
                assert!(next == alone, "{} seed {seed} step {step}", variant.name);
                compared += next.len();
                let mut change = |number: usize, most: u32| registers[number] = rng.up_to(most.into()) as u32;
                match step % 8 {
                    0 => change(1, most_end - most_rows),
                    1 => change(2, most_end),
                    2 => change(3, most_rows),
                    3 => change(4, most_rows - 1),
                    // Another row of a table.
                    4 | 5 => change(16 + step, MOST_ID),
                    6 => registers = random_registers(&mut rng, most_rows, most_end),
                    _ => {}
                }
                routing = programs.iter().map(|program| random_routing(&mut rng, program, &registers)).collect();
            }
            repeated += prepared.repeated();
        }
    }
    println!("{compared} outcomes equal, {repeated} steps went through the cycles of the one before");
    assert!(compared > 10_000 && repeated > 2_000, "{compared} outcomes, {repeated} repeated");
}
