//! What the end-to-end tests share: machines, models and weights drawn from a seed, and a host that runs steps.
//!
//! It sets things up and runs them. It must never compute what a test expects: bounds, sums and values that a result is
//! compared with stand in the test itself, written from the documentation and not from the code under test. It must
//! never draw from anything but a seed, so that a printed seed is a reproducer.
//!
//! Reading order: `draw` (machines, architectures, weights), `host` (steps with everything that was counted).

pub mod draw;
pub mod host;

use hw_config::fault::Faults;
use hw_config::machine::Machine;
use hw_config::raw;
use models::Model;
use models::compress::{Format, Profile};
use std::path::Path;

/// `tiny` with some keys changed.
///
/// # Errors
/// What the machine description refuses.
pub fn tiny_with(overrides: &[(&str, &str)]) -> Result<Machine, Faults> {
    machine_with("tiny", overrides)
}

/// A shipped machine with some keys replaced.
///
/// # Errors
/// A key that is none, or a machine that cannot be.
pub fn machine_with(name: &str, overrides: &[(&str, &str)]) -> Result<Machine, Faults> {
    let text = raw::machine_text(name).expect("a shipped machine");
    let text = raw::with_overrides(name, text, overrides)?;
    Machine::from_toml(name, &text)
}

/// A shipped compression profile.
///
/// # Panics
/// When there is none of this name.
pub fn profile(name: &str) -> Profile {
    match Format::by_name(name) {
        Ok(Format::Compressed(profile)) => profile,
        Ok(Format::Float) => panic!("{name} is the reference and no profile"),
        Err(error) => panic!("{error}"),
    }
}

/// A model that is kept in `models/`.
///
/// # Panics
/// When it cannot be read.
pub fn kept_model(name: &str) -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
    Model::load(&folder).unwrap_or_else(|error| panic!("{error}"))
}

/// A 64-bit digest of some bytes: FNV-1a (Fowler, Noll, Vo).
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
