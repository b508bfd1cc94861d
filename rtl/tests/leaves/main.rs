//! Leaves of `rtl/lib` against plain models of what their headers say, and how good these tests are: mutants of each leaf
//! (`yosys mutate`, all in one netlist, one selected at a time) must fail the leaf's own trace, and the netlist that
//! synthesis makes of it must follow it. A mutant that follows the trace is harmless if a solver proves that no allowed inputs
//! ever show it; one that is left is a survivor.
//!
//! The tables of `docs/src/evidence.md`, of one leaf:
//! `cargo test --release -p rtl --test leaves mutation_score_of::fp32_add -- --ignored --nocapture --exact`.

mod leaf;
mod netlist;
#[path = "../fp_leaves/operands.rs"]
#[allow(dead_code, reason = "the floating point tests use the rest of it")]
mod operands;
mod pipelines;
mod products;
mod queues;
mod serial;
mod trace;

use std::collections::BTreeSet;

use leaf::{LEAVES, Leaf};
use netlist::{Mutants, SELECT, Verdict};
use trace::{Trace, Value};

/// Mutants of a leaf in the table of the docs, and their seed.
const MUTANTS: usize = 100;
const SEED: u32 = 1;
/// Mutants of a leaf in each run of the tests.
const FEW: usize = 40;

fn leaf(module: &str) -> &'static Leaf {
    LEAVES.iter().find(|leaf| leaf.module == module).unwrap_or_else(|| panic!("no leaf {module}"))
}

/// The numbers of a leaf's mutants.
struct Played {
    killed: Vec<usize>,
    /// They follow the trace.
    followed: Vec<usize>,
}

/// Plays a leaf's trace to all of its mutants, after the leaf without a mutant.
fn play(leaf: &Leaf, mutants: &mut Mutants) -> Played {
    let trace = (leaf.trace)();
    let select = mutants.model.port(SELECT);
    let baseline = trace.play(&mut mutants.model, leaf.is_clocked);
    assert_eq!(baseline, None, "{}: the netlist without a mutant", leaf.label());
    let (killed, followed) = (1..=mutants.what.len()).partition(|&number| {
        mutants.model.set(select, number as u64);
        trace.play(&mut mutants.model, leaf.is_clocked).is_some()
    });
    Played { killed, followed }
}

/// Which of those that follow the trace the solver leaves; it prints what it says of each.
fn survivors(leaf: &Leaf, mutants: &Mutants, followed: &[usize]) -> Vec<usize> {
    let is_left = |number: &usize| {
        let verdict = mutants.verdict(leaf, *number);
        println!("{number}, {verdict:?}: {}", mutants.what[number - 1]);
        verdict != Verdict::Harmless
    };
    followed.iter().copied().filter(is_left).collect()
}

#[test]
fn leaves_follow_their_traces() {
    let mut compared = 0;
    for leaf in LEAVES {
        let trace = (leaf.trace)();
        assert!(trace.compared() > 1000, "{}: little is compared", leaf.label());
        assert_eq!(trace.play(&mut netlist::original(leaf), leaf.is_clocked), None, "{}", leaf.label());
        println!("{}: {} values in {} periods, 0 differ", leaf.label(), trace.compared(), trace.periods.len());
        compared += trace.compared();
    }
    println!("{compared} values of {} leaves compared", LEAVES.len());
}

/// A flipped bit of a trace is a difference, wherever it is.
#[test]
fn a_trace_that_is_wrong_in_one_bit_is_found() {
    let leaf = leaf("fifo");
    let mut model = netlist::original(leaf);
    let good = (leaf.trace)();
    let mut found = 0;
    for at in (1..good.periods.len()).step_by(997) {
        let mut bad: Trace = good.clone();
        let outputs: Vec<&mut Value> = bad.periods[at].outputs.iter_mut().flatten().collect();
        for value in outputs {
            value[0] ^= 1;
        }
        let difference = bad.play(&mut model, leaf.is_clocked).expect("a difference");
        assert_eq!(difference.period, at);
        found += 1;
    }
    println!("{found} wrong traces found");
    assert!(found > 10);
}

/// And the solver, which is asked about the others, shows every fifth that was killed.
#[test]
fn few_mutants_of_some_leaves_are_killed() {
    let mut all = 0;
    for module in ["fifo", "wait_passed", "index_expander", "block_choice"] {
        let leaf = leaf(module);
        let mut mutants = Mutants::make(leaf, FEW, SEED);
        let Played { killed, followed } = play(leaf, &mut mutants);
        let survivors = survivors(leaf, &mutants, &followed);
        println!("{module}: {} killed, {} to be judged, {} survive", killed.len(), followed.len(), survivors.len());
        assert!(survivors.is_empty(), "{module}: {survivors:#?}");
        for number in killed.iter().step_by(5) {
            let verdict = mutants.verdict(leaf, *number);
            assert!(matches!(verdict, Verdict::ShownIn(_)), "{module}, killed mutant {number}: {verdict:?}");
        }
        all += killed.len();
    }
    assert!(all > 2 * FEW, "{all} mutants killed");
}

/// Proofs over its memories take minutes: here at least most of its mutants must fail.
#[test]
fn most_mutants_of_the_parameter_buffer_are_killed() {
    let leaf = leaf("parameter_buffer");
    let Played { killed, followed } = play(leaf, &mut Mutants::make(leaf, FEW, SEED));
    println!("parameter_buffer: {} killed, {} not judged", killed.len(), followed.len());
    assert!(killed.len() > FEW / 2, "{} mutants killed", killed.len());
}

/// Prints a module's rows of the table of the evidence page.
fn print_scores(module: &str) {
    println!("| leaf | mutants | killed | harmless | survivors | score |");
    let leaves: Vec<&Leaf> = LEAVES.iter().filter(|leaf| leaf.module == module).collect();
    assert!(!leaves.is_empty(), "no leaf {module}");
    for leaf in leaves {
        let mut mutants = Mutants::make(leaf, MUTANTS, SEED);
        let Played { killed, followed } = play(leaf, &mut mutants);
        println!("{}: {} killed, to be judged: {followed:?}", leaf.label(), killed.len());
        let survivors = survivors(leaf, &mutants, &followed);
        let [killed, followed, left] = [killed.len(), followed.len(), survivors.len()];
        // Killed of those that inputs can show.
        let percent = 100.0 * killed as f64 / (killed + left) as f64;
        let harmless = followed - left;
        let all = killed + followed;
        println!("| `{}` | {all} | {killed} | {harmless} | {left} | {percent:.1} % | {survivors:?}", leaf.label());
    }
}

/// The netlist of a leaf follows its trace.
fn check_synthesised(leaf: &Leaf) -> usize {
    let trace = (leaf.trace)();
    let (mut model, cells) = netlist::synthesised(leaf);
    assert_eq!(trace.play(&mut model, leaf.is_clocked), None, "the netlist of {}", leaf.label());
    println!("| `{}` | {} | {} |", leaf.label(), trace.compared(), cells);
    trace.compared()
}

#[test]
fn some_netlists_are_their_leaves() {
    let modules = [
        "fifo",
        "skid_buffer",
        "index_expander",
        "block_choice",
        "weight_expander",
        "mux_16",
        "choose_word",
        "chain_operands",
        "lut_multiply",
    ];
    let chosen = LEAVES.iter().filter(|leaf| modules.contains(&leaf.module));
    let compared: usize = chosen.map(check_synthesised).sum();
    assert!(compared > 10_000, "{compared} values compared");
}

/// A test each, so that they can be run one by one.
macro_rules! a_test_of_each_leaf {
    ($($module:ident)*) => {
        mod mutation_score_of {
            $(
                #[test]
                #[ignore = "minutes: prints a row of the evidence page"]
                fn $module() {
                    super::print_scores(stringify!($module));
                }
            )*
        }

        mod every_netlist_of {
            $(
                #[test]
                #[ignore = "minutes: prints a row of the evidence page"]
                fn $module() {
                    let leaves = super::LEAVES.iter().filter(|leaf| leaf.module == stringify!($module));
                    assert!(leaves.map(super::check_synthesised).sum::<usize>() > 1000, "little is compared");
                }
            )*
        }

        #[test]
        fn every_leaf_has_its_tests() {
            let named = [$(stringify!($module)),*];
            let leaves: BTreeSet<&str> = LEAVES.iter().map(|leaf| leaf.module).collect();
            assert_eq!(BTreeSet::from(named), leaves, "leaves and those with tests of their own");
        }
    };
}

a_test_of_each_leaf! {
    fifo skid_buffer wait_passed index_expander block_choice sparse_candidates weight_expander mux_16 choose_word
    chain_operands dsp_pair_mac fp32_quantize fp32_add fp32_mul lut_multiply topk_largest drain_lane parameter_buffer dispatch_queue
    serial_element serial_terms serial_piece serial_column product_to_fp32
}
