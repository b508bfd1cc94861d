//! The matrix engine's closed form against a walk over every slot, and the figures of the machine page.

use hw_config::engine::{BitSerial, Engine, MatrixMode, MatrixShape, SparseDspChain};
use hw_config::isa::{Code, Sparsity};
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use hw_config::raw::{machine_text, with_overrides};

fn engine(changes: &[(&str, &str)]) -> SparseDspChain {
    let text = machine_text("tiny").expect("a shipped machine");
    let text = with_overrides("tiny", text, changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let machine = Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let Engine::SparseDspChain(engine) = machine.core.engine else { panic!("`tiny` has chains") };
    engine
}

fn serial_engine(changes: &[(&str, &str)]) -> BitSerial {
    serial_engine_of("tiny-bit-serial", changes)
}

fn serial_engine_of(name: &str, changes: &[(&str, &str)]) -> BitSerial {
    let text = machine_text(name).expect("a shipped machine");
    let text = with_overrides("serial", text, changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let machine = Machine::from_toml("serial", &text).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let Engine::BitSerial(engine) = machine.core.engine else { panic!("`{name}` is bit-serial") };
    engine
}

/// Slot after slot, as the sequencer counts them.
fn walked(e: &SparseDspChain, shape: &MatrixShape) -> u64 {
    let products = (e.rows * e.columns).max(e.gemv_columns);
    // Beats of a full drain, and never below the adder's eight stages.
    let mut drain = 0_u64;
    while drain * u64::from(e.scale_lanes) < u64::from(products) || drain < 8 {
        drain += 1;
    }
    let (part, set) = match (shape.mode, shape.sparsity) {
        (MatrixMode::Matrix, _) => (e.columns, e.rows),
        (MatrixMode::Vector, Sparsity::Dense) => (e.gemv_columns, 1),
        (MatrixMode::Vector, _) => (e.gemv_columns.min(products.div_ceil(2)), 1),
    };
    // Integer scales are in the codes: one sum.
    let group = if shape.two_level { shape.steps } else { shape.group_steps };
    let mut cycles = 0;
    let mut column = 0;
    while column < shape.cols {
        let mut step = 0;
        while step < shape.steps {
            let mut row = 0;
            while row < shape.rows {
                cycles += u64::from(group.min(shape.steps - step)).max(drain);
                row += set;
            }
            step += group;
        }
        column += part;
    }
    cycles
}

#[test]
fn occupancy_is_the_sum_of_the_slots() {
    let mut rng = Rng::new(1);
    let mut compared = 0;
    for changes in [
        &[] as &[(&str, &str)],
        &[("core.matrix.rows", "4"), ("core.matrix.scale_lanes", "1")],
        &[("core.matrix.scale_lanes", "16")],
        &[("core.matrix.columns", "32"), ("core.matrix.gemv_columns", "16")],
    ] {
        let engine = engine(changes);
        for _ in 0..2000 {
            let mode = rng.choose(&[MatrixMode::Matrix, MatrixMode::Vector]);
            let steps = rng.bounded(1, 70);
            let shape = MatrixShape {
                mode,
                rows: if mode == MatrixMode::Matrix { rng.bounded(1, 32) } else { 1 },
                cols: rng.bounded(1, engine.columns.max(engine.gemv_columns)),
                steps,
                group_steps: rng.bounded(1, steps),
                two_level: rng.one_in(4),
                code: rng.choose(SparseDspChain::CODES.as_slice()),
                sparsity: rng.choose(Sparsity::ALL),
            };
            assert_eq!(engine.occupancy(&shape), walked(&engine, &shape), "{changes:?} {shape:?}");
            compared += 1;
        }
    }
    println!("{compared} shapes compared");
    assert!(compared > 0);
}

/// By hand: `tiny` drains 32 outputs on 4 lanes in 8 cycles.
#[test]
fn slots_of_tiny() {
    let engine = engine(&[]);
    assert_eq!(engine.drain_cycles(), 8);
    let shape = |mode, rows, cols, steps, group_steps, sparsity| MatrixShape {
        mode,
        rows,
        cols,
        steps,
        group_steps,
        two_level: false,
        code: Code::I4,
        sparsity,
    };
    for (shape, cycles) in [
        // One slot of 10 steps; of 1 step; a column alone takes as long as 32.
        (shape(MatrixMode::Vector, 1, 32, 10, 10, Sparsity::Dense), 10),
        (shape(MatrixMode::Vector, 1, 32, 1, 1, Sparsity::Dense), 8),
        (shape(MatrixMode::Vector, 1, 1, 1, 1, Sparsity::Dense), 8),
        // Two groups of 8 and one of 4, in two parts of 16 columns.
        (shape(MatrixMode::Vector, 1, 32, 20, 8, Sparsity::N2M4), 2 * (8 + 8 + 8)),
        // Two parts, two row sets of which one is half full, two groups of 12 and a rest of 9.
        (shape(MatrixMode::Matrix, 3, 17, 33, 12, Sparsity::Dense), 2 * 2 * (12 + 12 + 9)),
    ] {
        assert_eq!(engine.occupancy(&shape), cycles, "{shape:?}");
    }
    // The adder decides where a drain is shorter.
    assert_eq!(self::engine(&[("core.matrix.scale_lanes", "16")]).drain_cycles(), 8);
    assert_eq!(self::engine(&[("core.matrix.scale_lanes", "1")]).drain_cycles(), 32);
}

/// Weight after weight of the bit-serial array: a slot ends with its group, its row set, its part, or its 128th weight.
fn walked_serial(e: &BitSerial, shape: &MatrixShape) -> u64 {
    let elements = (e.rows * e.columns).max(e.gemv_columns);
    // Eight bits of the scale, then a word of sums a cycle.
    let drain = 8 + u64::from(elements).div_ceil(u64::from(e.scale_lanes));
    let (part, set) = match shape.mode {
        MatrixMode::Matrix => (e.columns, e.rows),
        MatrixMode::Vector => (e.gemv_columns, 1),
    };
    let terms: u32 = match shape.code {
        Code::I2 | Code::I3 | Code::I4 | Code::Fp3 | Code::Fp4 | Code::Flint4 => 2,
        Code::I5 | Code::I6 | Code::Fp6E2M3 | Code::Fp6E3M2 => 3,
        Code::I7 | Code::I8 => 4,
        Code::F16 => 6,
    };
    let mut cycles = 0;
    for _part in (0..shape.cols).step_by(part as usize) {
        for _set in (0..shape.rows).step_by(set as usize) {
            let mut slot = 0_u64;
            let mut weights = 0;
            for step in 0..shape.steps {
                for _dot in 0..e.chain / e.dot {
                    // Term after term, so many at once.
                    let mut left = terms;
                    while left > 0 {
                        slot += 1;
                        left = left.saturating_sub(e.terms);
                    }
                    weights += e.dot;
                }
                let is_group_end = (step + 1) % shape.group_steps == 0 || step + 1 == shape.steps;
                if is_group_end || weights == 128 {
                    cycles += slot.max(drain);
                    (slot, weights) = (0, 0);
                }
                if is_group_end {
                    weights = 0;
                }
            }
        }
    }
    cycles
}

#[test]
fn serial_occupancy_is_the_sum_of_the_slots() {
    let mut rng = Rng::new(2);
    let mut compared = 0;
    let cases: [(&str, &[(&str, &str)]); 7] = [
        ("tiny-bit-serial", &[]),
        ("tiny-bit-serial", &[("core.matrix.dot", "1"), ("core.matrix.scale_lanes", "1")]),
        ("tiny-bit-serial", &[("core.matrix.dot", "16"), ("core.matrix.rows", "1"), ("core.matrix.scale_lanes", "16")]),
        (
            "tiny-bit-serial",
            &[("core.matrix.chain", "32"), ("core.matrix.columns", "32"), ("core.matrix.gemv_columns", "16")],
        ),
        // Elements of several terms a cycle: all six of an f16, all four of an INT8, and three, then what is left.
        ("fp16-28nm", &[]),
        ("ant-like-28nm", &[]),
        ("ant-like-28nm", &[("core.matrix.terms", "3")]),
    ];
    for (name, changes) in cases {
        let engine = serial_engine_of(name, changes);
        for _ in 0..1000 {
            let mode = rng.choose(&[MatrixMode::Matrix, MatrixMode::Vector]);
            let steps = rng.bounded(1, 70);
            let shape = MatrixShape {
                mode,
                rows: if mode == MatrixMode::Matrix { rng.bounded(1, 32) } else { 1 },
                cols: rng.bounded(1, engine.columns.max(engine.gemv_columns)),
                steps,
                group_steps: rng.bounded(1, steps),
                two_level: rng.one_in(2),
                code: rng.choose(Code::ALL),
                sparsity: Sparsity::Dense,
            };
            assert_eq!(engine.occupancy(&shape), walked_serial(&engine, &shape), "{name} {changes:?} {shape:?}");
            compared += 1;
        }
    }
    println!("{compared} shapes compared");
    assert!(compared > 0);
}

/// By hand: 128 weights of two terms, four at a time, take 64 cycles; 64 sums drain on 4 lanes in 16, after 8.
#[test]
fn slots_of_tiny_bit_serial() {
    let engine = serial_engine(&[]);
    assert_eq!(engine.drain_cycles(), 24);
    let shape = |mode, rows, cols, steps, group_steps, code| MatrixShape {
        mode,
        rows,
        cols,
        steps,
        group_steps,
        two_level: true,
        code,
        sparsity: Sparsity::Dense,
    };
    for (shape, cycles) in [
        (shape(MatrixMode::Vector, 1, 32, 8, 8, Code::Fp4), 64),
        (shape(MatrixMode::Vector, 1, 1, 8, 8, Code::I6), 96),
        (shape(MatrixMode::Vector, 1, 1, 8, 8, Code::I8), 128),
        // A group of 12 steps is a slot of 8 and one of 4.
        (shape(MatrixMode::Vector, 1, 32, 12, 12, Code::Fp3), 64 + 32),
        // One step: the drain is longer. Two parts, two row sets.
        (shape(MatrixMode::Matrix, 5, 17, 1, 1, Code::Fp3), 2 * 2 * 24),
    ] {
        assert_eq!(engine.occupancy(&shape), cycles, "{shape:?}");
    }
}

/// By hand: trees take four operands a cycle, and there are two of them, for the largest exponent and for the sum. One operand needs
/// none, the four terms of an INT8 a cycle each, the six of an f16 two.
#[test]
fn elements_of_several_terms_are_as_deep_as_their_trees() {
    let depth = |terms| serial_engine_of("fp16-28nm", &[("core.matrix.terms", terms)]).fill();
    let flat = depth("1");
    assert_eq!([depth("2") - flat, depth("4") - flat, depth("5") - flat, depth("6") - flat], [2, 2, 4, 4]);
    // One product of two bytes a cycle of 768 elements, on 32 columns or 64.
    let array = serial_engine_of("fp16-28nm", &[]);
    assert_eq!(array.peak_macs_per_cycle(MatrixMode::Matrix), 24 * 32);
    assert_eq!(array.peak_macs_per_cycle(MatrixMode::Vector), 64);
}
