//! The products of an element of the bit-serial array, all of them: what one product gives, whatever activation and term, and what is
//! left of one beside a larger one, whatever its significand and distance.

use std::collections::BTreeSet;

use hw_config::isa::Code;
use hw_config::numeric::terms::Term;
use rtl::verilated::Model;

use crate::leaf::LEAVES;
use crate::netlist;
use crate::serial::{Product, Slot, element};

/// Slots that are played at a time.
const BATCH: usize = 64;

/// The element of so many products a period.
fn element_of(dot: usize) -> Model {
    let is_it = |parameters: &[(&str, u64)]| match parameters {
        [] => dot == 4,
        [(_, value)] => *value == dot as u64,
        _ => false,
    };
    let found = LEAVES.iter().find(|leaf| leaf.module == "serial_element" && is_it(leaf.parameters));
    netlist::original(found.expect("an element of so many products"))
}

/// Plays slots of one period each; the values compared.
fn play(model: &mut Model, dot: usize, products: impl Iterator<Item = Vec<Product>>) -> usize {
    let slots: Vec<Slot> = products.map(Slot::of_one_period).collect();
    let batches = slots.chunks(BATCH).map(|slots| {
        let trace = element(dot, slots);
        assert_eq!(trace.play(model, true), None, "a product of an element");
        trace.compared()
    });
    batches.sum()
}

/// Every term that a code has.
fn terms() -> BTreeSet<(u8, bool)> {
    let codes = Code::ALL.iter().flat_map(|&code| {
        let selectors = code.special_values().len().max(1) as u8;
        let bits = 0..=u16::MAX >> (16 - code.bits());
        bits.flat_map(move |bits| (0..selectors).map(move |selector| (code, bits, selector)))
    });
    let digits = codes.flat_map(|(code, bits, selector)| (0..code.terms()).map(move |t| code.term(bits, selector, t)));
    digits.flatten().map(|term| (term.exponent, term.negative)).collect()
}

/// Every activation, infinite ones and those that are no number among them, times some terms.
fn every_activation_times(terms: &[(u8, bool)]) -> usize {
    let mut model = element_of(1);
    let of = |&(exponent, negative): &(u8, bool)| {
        let term = Term { negative, exponent };
        play(&mut model, 1, (0..=u16::MAX).map(|half| vec![(half, Some(term))]))
    };
    terms.iter().map(of).sum()
}

#[test]
fn every_activation_times_the_least_and_the_largest_term() {
    let terms = terms();
    let (least, most) = (terms.first().expect("a term"), terms.last().expect("a term"));
    let compared = every_activation_times(&[*least, *most]);
    println!("{compared} values of {} products compared", 2 * 65_536);
    assert!(compared >= 3 * 2 * 65_536);
}

#[test]
#[ignore = "minutes: every activation times every term of every code"]
fn every_activation_times_every_term() {
    let terms: Vec<(u8, bool)> = terms().into_iter().collect();
    let compared = every_activation_times(&terms);
    println!("{compared} values of {} products of {} terms compared", terms.len() * 65_536, terms.len());
    assert!(compared >= 3 * terms.len() * 65_536);
}

/// A product beside one whose exponent is larger: every significand, every distance, both signs, in each lane in turn.
#[test]
fn every_significand_is_aligned_at_every_distance() {
    const FARTHEST: u8 = 41;
    let mut model = element_of(4);
    // Normal numbers beside 1.0, subnormal ones beside the least normal number, all of one exponent.
    let halves =
        (0..1024).map(|fraction| (0x3c00 | fraction, 0x3c00)).chain((1..1024).map(|fraction| (fraction, 0x0400)));
    let cases = halves.flat_map(|pair| (0..=FARTHEST).map(move |distance| (pair, distance)));
    let both = cases.flat_map(|case| [(case, false), (case, true)]);
    let products = (0..).zip(both).map(|(number, (((half, large), distance), negative))| {
        let mut products = vec![(0, None); 4];
        products[number % 4] = (half, Some(Term { negative, exponent: 0 }));
        products[(number + 1 + number / 4 % 3) % 4] = (large, Some(Term { negative: false, exponent: distance }));
        products
    });
    let compared = play(&mut model, 4, products);
    println!("{compared} values compared");
    assert!(compared >= 3 * 2 * 2047 * (usize::from(FARTHEST) + 1));
}
