//! Energies of the layer model: counts times the prices of a technology. It must never take a price that is not there.

use super::{BitSixteenths, Counts, Design, Multiplier, Preset, Task};
use crate::technology::{Known, SramPort, Technology};

/// Activation bits on a port of the input SRAM.
const ACTIVATION_BITS: u64 = 16;
/// Weights stand in the SRAM in whole multiples of this many bits.
const WEIGHT_BITS: u32 = 4;

/// Energy of one step in uJ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Energy {
    /// PEs and SRAMs.
    pub on_chip_uj: f64,
    /// DRAM.
    pub dram_uj: f64,
}

impl Energy {
    /// Both.
    pub fn total_uj(&self) -> f64 {
        self.on_chip_uj + self.dram_uj
    }
}

/// Why there is no energy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpriced(String);

impl std::fmt::Display for Unpriced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the energies of a preset cannot be said whatever the design, if so.
pub fn unpriced(preset: Preset) -> Option<Unpriced> {
    match preset {
        Preset::Paper => None,
        Preset::HpcaRelease => Some(Unpriced(format!(
            "energies of preset {} need SRAM energies that are not published; its cycles can be asked for",
            preset.name()
        ))),
    }
}

/// Energy of the counted step.
///
/// # Errors
/// A preset or a port width whose prices are not known.
pub fn energy(
    design: &Design,
    weight_bits: BitSixteenths,
    task: Task,
    counts: &Counts,
    technology: &Technology,
) -> Result<Energy, Unpriced> {
    if let Some(why) = unpriced(design.preset) {
        return Err(why);
    }
    let (weight_bits, input_bits) = port_bits(design, weight_bits, task);
    let (weight_port, input_port) = (port(design, weight_bits, technology)?, port(design, input_bits, technology)?);
    let array = design.arrays.of(task);
    let pes = f64::from(array.rows) * f64::from(array.columns);
    let pe_pj = design.pe.cycle_pj * technology.placed_energy_over_synthesised.value;
    let reads = counts.tile_steps as f64;
    let on_chip_pj = pe_pj * pes * counts.compute_cycles as f64
        + reads * (weight_port.read_pj + input_port.read_pj)
        + counts.weight_writes as f64 * weight_port.write_pj_per_64_bit
        + counts.input_writes as f64 * input_port.write_pj_per_64_bit;
    let dram_pj = counts.dram_bytes as f64 / 8.0 * technology.dram_pj_per_64_bit.value;
    Ok(Energy { on_chip_uj: on_chip_pj / 1e6, dram_uj: dram_pj / 1e6 })
}

/// Widths of the weight and input SRAM's ports: what a tile step takes; half where it lasts two cycles or more.
fn port_bits(design: &Design, weight_bits: BitSixteenths, task: Task) -> (u64, u64) {
    let array = design.arrays.of(task);
    let dot = u64::from(design.dot);
    let weight = u64::from(weight_bits.0.div_ceil(16 * WEIGHT_BITS) * WEIGHT_BITS);
    let (weights, inputs) = (dot * weight * u64::from(array.rows), dot * ACTIVATION_BITS * u64::from(array.columns));
    match design.multiplier {
        Multiplier::Parallel => (weights, inputs),
        Multiplier::BitSerial => (weights / 2, inputs / 2),
    }
}

fn port<'t>(design: &Design, bits: u64, technology: &'t Technology) -> Result<&'t SramPort, Unpriced> {
    technology.sram_port(bits).ok_or_else(|| {
        let known: Vec<String> = technology.sram_ports.iter().map(|port| port.bits.to_string()).collect();
        Unpriced(format!(
            "design `{}`: an SRAM port of {bits} bits has no price in technology `{}`, expected one of: {}; \
             add an [[sram_port]] or change the array",
            design.id,
            technology.name,
            known.join(", ")
        ))
    })
}

/// A port of the design whose price lies between two that are known, if there is one.
pub fn interpolated_port<'t>(
    design: &Design,
    weight_bits: BitSixteenths,
    task: Task,
    technology: &'t Technology,
) -> Option<&'t SramPort> {
    let (weights, inputs) = port_bits(design, weight_bits, task);
    let mut ports = [weights, inputs].into_iter().filter_map(|bits| technology.sram_port(bits));
    ports.find(|port| match port.known {
        Known::Interpolated => true,
        Known::Published | Known::Recovered => false,
    })
}
