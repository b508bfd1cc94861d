//! The matrix engine's closed form against a walk over every slot, and the figures of the machine page.

use hw_config::engine::{Engine, MatrixMode, MatrixShape, SparseDspChain};
use hw_config::isa::Sparsity;
use hw_config::machine::Machine;
use hw_config::program::random::Rng;
use hw_config::raw::{machine_text, with_overrides};

fn engine(changes: &[(&str, &str)]) -> SparseDspChain {
    let text = machine_text("tiny").expect("a shipped machine");
    let text = with_overrides("tiny", text, changes).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let machine = Machine::from_toml("tiny", &text).unwrap_or_else(|faults| panic!("{changes:?}: {faults}"));
    let Engine::SparseDspChain(engine) = machine.core.engine;
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
    let mut cycles = 0;
    let mut column = 0;
    while column < shape.cols {
        let mut step = 0;
        while step < shape.steps {
            let mut row = 0;
            while row < shape.rows {
                cycles += u64::from(shape.group_steps.min(shape.steps - step)).max(drain);
                row += set;
            }
            step += shape.group_steps;
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
    let shape =
        |mode, rows, cols, steps, group_steps, sparsity| MatrixShape { mode, rows, cols, steps, group_steps, sparsity };
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
