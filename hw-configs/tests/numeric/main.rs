//! Tests of `hw_config::numeric` against oracles that share no code with it: integer arithmetic written here,
//! the `half` crate, f64, and naive recursion. Each test prints how many values it compared.

mod bit_serial;
mod code;
mod convert;
mod density;
mod format;
mod fp32;
mod functions;
mod integer;
mod oracle;
mod packed;
mod reduce;
mod tables;

/// Prints what a test compared; comparing nothing is a failure.
fn report(what: &str, compared: u64) {
    assert!(compared > 0, "{what}: nothing was compared");
    println!("{what}: {compared} values compared");
}

/// A seeded stream of numbers (SplitMix64: Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bits32(&mut self) -> u32 {
        self.next() as u32
    }
}
