//! What goes into a leaf and must come out of it, period by period.

use rtl::verilated::Model;

/// A port's value in words of 32 bits, the lowest first; words that are missing are zero.
pub(crate) type Value = Vec<u32>;

/// One clock period.
#[derive(Clone, Debug)]
pub(crate) struct Period {
    pub(crate) inputs: Vec<Value>,
    /// Nothing where the leaf's header promises nothing.
    pub(crate) outputs: Vec<Option<Value>>,
}

/// The periods of a leaf, from its reset on.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) inputs: Vec<&'static str>,
    pub(crate) outputs: Vec<&'static str>,
    pub(crate) periods: Vec<Period>,
}

/// Where a design first differs from a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) period: usize,
    pub(crate) port: &'static str,
    pub(crate) expected: Value,
    pub(crate) got: Value,
}

impl Trace {
    /// A trace without periods.
    pub(crate) fn new(inputs: &[&'static str], outputs: &[&'static str]) -> Self {
        Self { inputs: inputs.to_vec(), outputs: outputs.to_vec(), periods: Vec::new() }
    }

    /// Adds a period.
    pub(crate) fn push(&mut self, inputs: Vec<Value>, outputs: Vec<Option<Value>>) {
        assert_eq!((inputs.len(), outputs.len()), (self.inputs.len(), self.outputs.len()), "values and ports");
        self.periods.push(Period { inputs, outputs });
    }

    /// Values that are compared.
    pub(crate) fn compared(&self) -> usize {
        self.periods.iter().flat_map(|period| &period.outputs).flatten().count()
    }

    /// Plays the trace on a design, with or without a clock, up to the first difference.
    pub(crate) fn play(&self, model: &mut Model, is_clocked: bool) -> Option<Difference> {
        let inputs: Vec<_> = self.inputs.iter().map(|name| model.port(name)).collect();
        let outputs: Vec<_> = self.outputs.iter().map(|name| model.port(name)).collect();
        let mut words = Vec::new();
        for (number, period) in self.periods.iter().enumerate() {
            for (&port, value) in inputs.iter().zip(&period.inputs) {
                words.clone_from(value);
                fit(&mut words, model.words(port));
                model.set_wide(port, &words);
            }
            model.eval();
            for ((&port, &name), expected) in outputs.iter().zip(&self.outputs).zip(&period.outputs) {
                let Some(expected) = expected else { continue };
                words.resize(model.words(port), 0);
                model.get_wide(port, &mut words);
                let mut expected = expected.clone();
                fit(&mut expected, words.len());
                if words != expected {
                    return Some(Difference { period: number, port: name, expected, got: words });
                }
            }
            if is_clocked {
                model.tick();
            }
        }
        None
    }
}

/// Fills a value up with zeros; what is cut off must be zero.
fn fit(words: &mut Value, count: usize) {
    assert!(words.iter().skip(count).all(|word| *word == 0), "a value is wider than its port: {words:x?}");
    words.resize(count, 0);
}

/// A value of up to 64 bits.
pub(crate) fn word(value: u64) -> Value {
    vec![value as u32, (value >> 32) as u32]
}

/// Fields of `width` (at most 32) bits one behind the other, the first in the low bits.
pub(crate) fn pack(fields: &[u64], width: usize) -> Value {
    let mut bits = vec![0_u32; (fields.len() * width).div_ceil(32) + 1];
    for (number, field) in fields.iter().enumerate() {
        assert!(*field >> width == 0, "{field:#x} is wider than {width} bits");
        let at = number * width;
        let shifted = field << (at % 32);
        bits[at / 32] |= shifted as u32;
        bits[at / 32 + 1] |= (shifted >> 32) as u32;
    }
    let used = (fields.len() * width).div_ceil(32);
    bits.truncate(used);
    bits
}

/// `width` (at most 32) bits of a value from bit `at` on; zero past its end.
pub(crate) fn field(value: &[u32], at: usize, width: usize) -> u32 {
    let word = |number: usize| u64::from(value.get(number).copied().unwrap_or(0));
    let pair = word(at / 32) | word(at / 32 + 1) << 32;
    (pair >> (at % 32) & ((1 << width) - 1)) as u32
}
