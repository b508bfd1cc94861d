//! Leaves of the bit-serial array.

use hw_config::isa::Code;
use hw_config::latency::{PRODUCT_TO_F32_CYCLES, element_cycles};
use hw_config::numeric::bit_serial::{Factor, GroupSum, SCALE_BITS};
use hw_config::numeric::terms::Term;

use crate::operands::Random;
use crate::trace::{Trace, Value, pack, word};

/// Slots of an element's trace.
const SLOTS: usize = 700;
/// A product with a scale takes eight periods, and no slot is shorter than that and a word of the drain.
const LEAST_PERIODS: usize = SCALE_BITS as usize + 1;
/// Bits of a term's exponent: the module's default.
const TERM_BITS: usize = 6;
/// Bits of a sum of 32 times a scale.
const PRODUCT_BITS: u32 = 32 + SCALE_BITS;

/// An f16 and a term of its weight.
pub(crate) type Product = (u16, Option<Term>);

/// What comes to an element in a period.
#[derive(Clone, Default)]
struct Period {
    step: bool,
    first: bool,
    last: bool,
    products: Vec<Product>,
}

/// A slot: its periods, its integer scale.
pub(crate) struct Slot {
    periods: Vec<Period>,
    scale: u8,
}

impl Slot {
    /// One period with products, and no shorter than a slot may be; its scale is one.
    pub(crate) fn of_one_period(products: Vec<Product>) -> Self {
        let rest = Period { products: vec![(0, None); products.len()], ..Period::default() };
        let mut periods = vec![rest; LEAST_PERIODS];
        periods[0] = Period { step: true, first: true, last: false, products };
        periods[LEAST_PERIODS - 1].last = true;
        Self { periods, scale: 1 }
    }
}

pub(crate) fn serial_element() -> Trace {
    element(4, &drawn_slots(4, 41))
}

pub(crate) fn serial_element_of_one() -> Trace {
    element(1, &drawn_slots(1, 42))
}

pub(crate) fn serial_element_of_eight() -> Trace {
    element(8, &drawn_slots(8, 43))
}

fn drawn_slots(dot: usize, seed: u64) -> Vec<Slot> {
    let mut random = Random(seed);
    (0..SLOTS).map(|_| slot(&mut random, dot)).collect()
}

/// An f16: of one binade or of all, now and then subnormal; one of `zeros` is zero.
fn half(random: &mut Random, spread: u32, zeros: u32) -> u16 {
    let exponent = 15 - spread.min(14) + random.below(2 * spread.min(14) + 1);
    let bits = random.below(2) << 15 | exponent << 10 | random.below(1024);
    if random.below(zeros) == 0 {
        return (bits & 0x8000) as u16;
    }
    let kept = if random.below(20) == 0 { 0x83ff } else { 0xffff };
    (bits & kept) as u16
}

fn slot(random: &mut Random, dot: usize) -> Slot {
    let longest = random.one_of(&[3, 20, 128]);
    let steps = 1 + random.below(longest) as usize;
    let spread = random.one_of(&[0, 2, 14]);
    let most = random.one_of(&[0, 3, 41]);
    let zeros = random.one_of(&[2, 40]);
    let fault = random.below(12) == 0;
    let mut periods: Vec<Period> = (0..steps.max(LEAST_PERIODS) + random.below(3) as usize)
        .map(|at| {
            let step = at < steps;
            let products = (0..dot).map(|_| {
                let exponent = random.below(most + 1) as u8;
                let term = (random.below(4) > 0).then_some(Term { negative: random.below(2) == 1, exponent });
                (half(random, spread, zeros), term)
            });
            Period { step, first: at == 0, last: false, products: products.collect() }
        })
        .collect();
    if fault {
        let at = random.below(steps as u32) as usize;
        periods[at].products[0].0 = random.one_of(&[0x7c00, 0xfc00, 0x7e00]) as u16;
    }
    periods.last_mut().expect("a slot has periods").last = true;
    Slot { periods, scale: random.wide(8) as u8 }
}

/// Slots behind each other without a gap: what an element gives for each, eight periods after its sum stands still. The
/// product stays until the next begins.
pub(crate) fn element(dot: usize, slots: &[Slot]) -> Trace {
    let periods: Vec<&Period> = slots.iter().flat_map(|slot| &slot.periods).collect();
    let (stand, bits) = (element_cycles(dot as u32) as usize, SCALE_BITS as usize);
    // (begin of the product, slot), in order; and what is seen when.
    let ends: Vec<usize> = slots
        .iter()
        .scan(0, |at, slot| {
            *at += slot.periods.len();
            Some(*at - 1 + stand)
        })
        .collect();
    let inputs = [
        "enable_i",
        "step_i",
        "first_i",
        "last_i",
        "negative_i",
        "exponent_i",
        "significand_i",
        "finite_i",
        "term_i",
        "term_negative_i",
        "term_exponent_i",
        "begin_i",
        "multiply_i",
        "scale_bit_i",
    ];
    let mut trace = Trace::new(&inputs, &["product_o", "exponent_o", "finite_o"]);
    let idle = Period { products: vec![(0, None); dot], ..Period::default() };
    let mut given = vec![None; 3];
    for now in 0..periods.len() + stand + bits {
        let period = periods.get(now).copied().unwrap_or(&idle);
        // The slot whose product is under way, and its bit.
        let multiplied = ends.iter().position(|&begin| (begin..begin + bits).contains(&now));
        let bit = multiplied.map(|of| slots[of].scale >> (bits - 1 - (now - ends[of])) & 1);
        let mut values = drive(period);
        values.push(word(u64::from(multiplied.is_some_and(|of| ends[of] == now))));
        values.push(word(u64::from(multiplied.is_some())));
        values.push(word(u64::from(bit.unwrap_or(0))));
        if let Some(of) = ends.iter().position(|&begin| begin + bits == now) {
            given = parts_of(&slots[of]).map(Some).to_vec();
        }
        trace.push(values, given.clone());
        // The next sum may stand still, and be multiplied, from the next period on.
        let product = if multiplied.is_some() { None } else { given[0].take() };
        given = vec![product, None, None];
    }
    trace
}

fn drive(period: &Period) -> Vec<Value> {
    let Period { step, first, last, products } = period;
    let bits = |f: &dyn Fn(&Product) -> u64, width| pack(&products.iter().map(f).collect::<Vec<_>>(), width);
    // The field of a subnormal counts as 1, that of zero as 0.
    let exponent = |half: u16| match (half >> 10 & 31, half & 1023) {
        (0, 0) => 0,
        (field, _) => u64::from(field.max(1)),
    };
    let significand = |half: u16| u64::from(half & 1023) | u64::from(half >> 10 & 31 > 0) << 10;
    vec![
        word(1),
        word((*step).into()),
        word((*first).into()),
        word((*last).into()),
        bits(&|(half, _)| u64::from(half >> 15), 1),
        bits(&|(half, _)| exponent(*half), 5),
        bits(&|(half, _)| significand(*half), 11),
        word(u64::from(products.iter().all(|(half, _)| half >> 10 & 31 != 31))),
        bits(&|(_, term)| u64::from(term.is_some()), 1),
        bits(&|(_, term)| u64::from(term.is_some_and(|term| term.negative)), 1),
        bits(&|(_, term)| term.map_or(0, |term| term.exponent.into()), TERM_BITS),
    ]
}

/// The product of a slot's sum with its scale, 40 bits; its exponent; whether it is a number.
fn parts_of(slot: &Slot) -> [Value; 3] {
    let mut sum = GroupSum::default();
    for period in slot.periods.iter().filter(|period| period.step) {
        sum.add(period.products.iter().map(|&(half, term)| (Factor::of_f16(half), term)));
    }
    let (sum, exponent, is_number) = sum.parts();
    let product = i64::from(sum) * i64::from(slot.scale);
    [word(product.cast_unsigned() & ((1 << PRODUCT_BITS) - 1)), word(exponent.into()), word(is_number.into())]
}

/// Every code of every type with every selector, term by term. Integers come sign-extended to 8 bits.
pub(crate) fn serial_terms() -> Trace {
    let mut trace = Trace::new(&["code_i", "kind_i", "selector_i", "digit_i"], &["term_o", "negative_o", "exponent_o"]);
    for (kind, code) in (0..).zip(Code::ALL) {
        let selectors = code.special_values().len().max(1) as u8;
        for bits in 0..=u16::MAX >> (16 - code.bits()) {
            let given = match code.is_integer() {
                true => u64::from(code.sign_extend(bits as u8).cast_unsigned()),
                false => bits.into(),
            };
            for selector in 0..selectors {
                for digit in 0..code.terms() {
                    let inputs = [given, kind, selector.into(), digit.into()].map(word).to_vec();
                    let term = code.term(bits, selector, digit);
                    let seen = |of: fn(Term) -> u64| term.map(|term| word(of(term)));
                    trace.push(
                        inputs,
                        vec![
                            Some(word(term.is_some().into())),
                            seen(|term| term.negative.into()),
                            seen(|term| term.exponent.into()),
                        ],
                    );
                }
            }
        }
    }
    trace
}

/// Two pieces of any bits, and the window from each of their fours of strips on.
pub(crate) fn serial_piece() -> Trace {
    const DRAWN: usize = 3000;
    // As the leaf's parameters: two pieces of 8 bytes, strips of two bits.
    const BITS: u32 = 8 * 8;
    const FOUR_BITS: u32 = 4 * 2;
    let mut random = Random(45);
    let mut trace = Trace::new(&["enable_i", "low_i", "high_i", "four_i"], &["window_o"]);
    let mut held = None;
    for _ in 0..DRAWN {
        let both = u128::from(random.wide(BITS.into())) << BITS | u128::from(random.wide(BITS.into()));
        let four = random.below(2 * BITS / FOUR_BITS);
        let enabled = random.below(8) > 0;
        let inputs = vec![word(enabled.into()), word(both as u64), word((both >> BITS) as u64), word(four.into())];
        trace.push(inputs, vec![held.map(word)]);
        if enabled {
            held = Some((both >> (FOUR_BITS * four)) as u64 & ((1 << (3 * FOUR_BITS)) - 1));
        }
    }
    trace
}

/// Places of every type's codes, from every strip on, among other bits; their terms, digit by digit.
pub(crate) fn serial_column() -> Trace {
    const DRAWN: usize = 600;
    const DOT: u32 = 2;
    let mut random = Random(46);
    let inputs = ["enable_i", "window_i", "strip_i", "bits_i", "kind_i", "digit_i", "selector_i"];
    let mut trace = Trace::new(&inputs, &["term_o", "negative_o", "exponent_o"]);
    // Of each place: what comes in its first period, in its second, and is seen behind that.
    let mut places = Vec::new();
    for (kind, code) in (0..).zip(Code::ALL) {
        for _ in 0..DRAWN {
            let bits = code.bits();
            let strip = if bits == 16 { 0 } else { random.below(4) };
            let window = random.wide((16 * DOT).into());
            let selector = random.below(code.special_values().len().max(1) as u32) as u8;
            let digit = random.below(code.terms());
            let lane_code = |lane: u32| (window >> (DOT * strip + bits * lane)) as u16 & (u16::MAX >> (16 - bits));
            let terms: Vec<_> = (0..DOT).map(|lane| code.term(lane_code(lane), selector, digit)).collect();
            let first = [window, strip.into(), bits.into()];
            places.push((first, [kind, digit.into(), selector.into()], terms));
        }
    }
    for now in 0..places.len() + 2 {
        let first = places.get(now).map_or([0; 3], |place| place.0);
        let second = now.checked_sub(1).and_then(|at| places.get(at)).map_or([0; 3], |place| place.1);
        let inputs = [1].into_iter().chain(first).chain(second).map(word).collect();
        let lanes = |terms: &[Option<Term>], bits: u32, of: &dyn Fn(Option<Term>) -> u64| {
            word((0..).zip(terms).fold(0, |all, (lane, term)| all | of(*term) << (bits * lane)))
        };
        let outputs = now.checked_sub(2).map_or(vec![None; 3], |at| {
            let terms = &places[at].2;
            // The sign and the exponent of a term that is none are anything.
            let seen = |bits, of: &dyn Fn(Term) -> u64| {
                let all = terms.iter().all(Option::is_some);
                all.then(|| lanes(terms, bits, &|term| term.map_or(0, of)))
            };
            vec![
                Some(lanes(terms, 1, &|term| term.is_some().into())),
                seen(1, &|term| term.negative.into()),
                seen(TERM_BITS as u32, &|term| term.exponent.into()),
            ]
        });
        trace.push(inputs, outputs);
    }
    trace
}

/// Products of every length, their exponents and the units of codes; now and then one that is no number.
pub(crate) fn product_to_fp32() -> Trace {
    const DRAWN: usize = 60_000;
    let mut random = Random(44);
    let units: Vec<i32> = Code::ALL.iter().map(|code| code.unit_log2()).collect();
    let operands: Vec<(i64, u32, i32, bool)> = (0..DRAWN)
        .map(|draw| {
            let length = random.below(40);
            let drawn = (random.wide(40) >> (39 - length)).cast_signed();
            // Ties and their neighbours as well.
            // And its highest bit alone, or beside a tie and one bit below.
            let below_tie = 1 << random.below(14);
            let product = match draw % 6 {
                0 => drawn & !0x7fff | 0x8000,
                1 => drawn | 0x7fff,
                2 => 1 << length,
                3 => drawn & !0xffff | 1 << 38 | 0x4000 | below_tie,
                _ => drawn,
            } & 0x7f_ffff_ffff;
            let unit = units[random.below(units.len() as u32) as usize];
            let signed = if random.below(2) == 1 { -product } else { product };
            (signed, 1 + random.below(72), unit, random.below(50) > 0)
        })
        .collect();
    let mut trace = Trace::new(&["product_i", "exponent_i", "unit_i", "finite_i"], &["y_o"]);
    let latency = PRODUCT_TO_F32_CYCLES as usize;
    for period in 0..DRAWN + latency {
        let &(product, exponent, unit, finite) = operands.get(period).unwrap_or(&(0, 0, 0, true));
        let inputs = vec![
            word(product.cast_unsigned() & ((1 << PRODUCT_BITS) - 1)),
            word(exponent.into()),
            word(u64::from(unit.cast_unsigned() & 63)),
            word(finite.into()),
        ];
        let result = period.checked_sub(latency).map(|at| {
            let (product, exponent, unit, finite) = operands[at];
            // Exact in f64: one rounding.
            let exact = product as f64 * 2_f64.powi(exponent as i32 - 35 + unit);
            word(if finite { (exact as f32).to_bits().into() } else { 0x7fc0_0000 })
        });
        trace.push(inputs, vec![result]);
    }
    trace
}
