//! Multipliers beside the matrix array: their DSP blocks, or the LUTs and flip-flops that stand for them. It must never count
//! what is around them.
//!
//! DSP blocks follow from the widths and are exact. A product of LUTs (`lut_multiply.v`) follows from its rows and sums;
//! Yosys 0.23 gives the same for products that are wanted whole, within 4 % for those whose high bits are not (24 x 17 bits,
//! 24 x 18 + 48, 23 x 23 to 23, 29 x 28 + 29 to 29, 29 x 16 to 29, 20 x 16 to 20).

use super::Amounts;
use super::logic::logic;
use crate::machine::Machine;
use crate::multipliers::Multiplier;
use crate::numeric::tables::{EXP2_LAYOUT, LOG2_E_FRACTION_BITS, Layout, RECIPROCAL_LAYOUT, RSQRT_LAYOUT};

/// Bits of an f32 significand, the hidden one included.
const SIGNIFICAND: u64 = 24;
/// Low bits of a product that its second DSP block does not see (`multiply_cascade.v`).
const LOW_BITS: u64 = 17;
/// Bits of an element address, and of the distance between rows.
const ROW_BITS: (u64, u64) = (20, 16);
/// LUTs and flip-flops that add the parts of a run-time address which come from DSP blocks: of a load and of a store.
const LOAD_PARTS: (u64, u64) = (44, 56);
const STORE_PARTS: (u64, u64) = (88, 174);

/// What products are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    Dsps,
    Luts,
}

/// A product, or sum of products, of LUTs: the parameters of `lut_multiply.v`.
struct LutProduct {
    a: u64,
    b: u64,
    y: u64,
    is_signed: bool,
    has_addend: bool,
    is_registered: bool,
}

impl LutProduct {
    /// An unsigned product, as far as its low bits are wanted.
    const fn unsigned(a: u64, b: u64, y: u64) -> Self {
        Self { a, b, y, is_signed: false, has_addend: false, is_registered: true }
    }

    fn amounts(&self) -> Amounts {
        let &Self { a, b, y, is_signed, has_addend, is_registered } = self;
        let digits = if is_signed { b.div_ceil(2) } else { (b + 2) / 2 };
        let rows = digits.min(y.div_ceil(2));
        // As many rows as groups.
        let group_rows = (1..).find(|group| group * group >= rows).expect("a group of all rows");
        let row_bits = if is_signed { a + 2 } else { a + 3 };
        let firsts = || (0..rows).step_by(group_rows as usize);
        let group_bits = |first| row_bits + 2 * (group_rows.min(rows - first) - 1);
        // A bit of a row is a LUT; its two highest are the sign. Those that are cut off share less.
        let selected: u64 = (0..rows).map(|row| (a + 1).min(y - 2 * row + 2)).sum();
        let added: u64 = firsts().skip(usize::from(!has_addend)).map(|first| y - 2 * first).sum();
        let kept: u64 = firsts().map(|first| group_bits(first).min(y - 2 * first)).sum();
        let register = |is_there| if is_there { y } else { 0 };
        let lut = selected + added + u64::from(!is_signed);
        Amounts::logic(lut, kept + register(has_addend) + register(is_registered), 0)
    }
}

impl Machine {
    fn made(&self, kind: Multiplier) -> Made {
        if self.has_lut(kind) { Made::Luts } else { Made::Dsps }
    }

    /// One multiplier of a kind; of addresses, those of a core's loads and stores together.
    pub(super) fn multiplier(&self, kind: Multiplier) -> Amounts {
        let made = self.made(kind);
        match kind {
            Multiplier::Scales | Multiplier::Products | Multiplier::Quantizers => {
                cascade(SIGNIFICAND, SIGNIFICAND, made)
            }
            Multiplier::Exponentials => {
                let scaled = cascade(SIGNIFICAND, u64::from(LOG2_E_FRACTION_BITS) + 1, made);
                scaled.plus(quadratic(&EXP2_LAYOUT, made))
            }
            Multiplier::Reciprocals => quadratic(&RECIPROCAL_LAYOUT, made),
            Multiplier::Roots => quadratic(&RSQRT_LAYOUT, made),
            Multiplier::Rows => {
                let (address, stride) = ROW_BITS;
                match made {
                    Made::Dsps => Amounts::logic(0, address, multiplier_dsps(address, stride)),
                    Made::Luts => {
                        let product = LutProduct::unsigned(address, stride, address);
                        LutProduct { is_registered: false, ..product }.amounts()
                    }
                }
            }
            Multiplier::Addresses => self.load_product().plus(self.store_products()),
        }
    }

    /// The run-time address of a load, in beats of a channel: a register times a 32-bit stride, in DSP blocks its halves.
    pub(super) fn load_product(&self) -> Amounts {
        let beat_bits = self.channel_address_bits() - u64::from(self.memory.port_bytes.ilog2());
        match self.made(Multiplier::Addresses) {
            Made::Dsps => {
                let high = half_product_dsps(32, beat_bits.saturating_sub(16));
                logic(LOAD_PARTS, half_product_dsps(32, beat_bits) + high)
            }
            Made::Luts => LutProduct::unsigned(beat_bits.min(32), beat_bits.min(32), beat_bits).amounts(),
        }
    }

    /// The run-time address of a store: a register's high bits times a 28-bit stride behind the base and its low bits times
    /// one of 16 bits, in DSP blocks their halves, as far as an address reaches.
    pub(super) fn store_products(&self) -> Amounts {
        let address_bits = self.channel_address_bits() + u64::from(self.memory.channels.ilog2());
        match self.made(Multiplier::Addresses) {
            Made::Dsps => {
                let products = [28, 16].map(|stride_bits| {
                    let high = half_product_dsps(stride_bits, address_bits.saturating_sub(16));
                    half_product_dsps(stride_bits, address_bits) + high
                });
                logic(STORE_PARTS, products.iter().sum())
            }
            Made::Luts => {
                let row = LutProduct::unsigned(address_bits.min(32), address_bits.min(28), address_bits);
                let low = LutProduct::unsigned(address_bits.min(31), 16, address_bits);
                LutProduct { has_addend: true, ..row }.amounts().plus(low.amounts())
            }
        }
    }

    /// Bits of a byte address within a channel.
    fn channel_address_bits(&self) -> u64 {
        u64::from(self.memory.standard.channel_bytes().next_power_of_two().ilog2())
    }
}

/// An unsigned product (`multiply_cascade.v`): of LUTs, two products and the sum of the one and what the other carries.
fn cascade(a: u64, b: u64, made: Made) -> Amounts {
    match made {
        Made::Dsps => Amounts::logic(0, 0, multiplier_dsps(a, b)),
        Made::Luts => {
            let [low, high] = [LOW_BITS, b - LOW_BITS].map(|bits| LutProduct::unsigned(a, bits, a + bits).amounts());
            low.plus(high).plus(Amounts::logic(a, a + b - LOW_BITS, 0))
        }
    }
}

/// The two multiply-adds behind a table (`fp32_quadratic.v`), a DSP block each.
fn quadratic(layout: &Layout, made: Made) -> Amounts {
    let [residual, c1, c2] = [layout.residual_bits, layout.c1_bits, layout.c2_bits].map(u64::from);
    let drop = u64::from(layout.residual_bits + layout.fraction_bits - layout.result_fraction_bits);
    match made {
        Made::Dsps => Amounts::logic(0, 0, 2),
        Made::Luts => {
            let multiply_add =
                |a, y| LutProduct { a, b: residual, y, is_signed: true, has_addend: true, is_registered: true };
            let inner = multiply_add(c2, c1 + 1 + residual);
            // The significand has 25 bits, and the sum its sign.
            inner.amounts().plus(multiply_add(c1 + 1, drop + 26).amounts())
        }
    }
}

/// DSP48E2 of an unsigned product of a x b bits: 26 x 17 bits each, the better way round.
fn multiplier_dsps(a: u64, b: u64) -> u64 {
    let tiles = |wide: u64, narrow: u64| wide.div_ceil(26) * narrow.div_ceil(17);
    tiles(a, b).min(tiles(b, a))
}

/// DSP48E2 of the low `wanted_bits` of a 16-bit half times a stride: 26 bits of it each. A product of fewer than nine bits
/// is left to LUTs (the bound of Yosys, below which a DSP does not pay).
fn half_product_dsps(stride_bits: u64, wanted_bits: u64) -> u64 {
    if wanted_bits < 9 { 0 } else { stride_bits.min(wanted_bits).div_ceil(26) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beside the netlists of `lut_multiply.v` (yosys 0.23, synth_xilinx -family xcup).
    #[test]
    fn products_of_luts_are_near_their_netlists() {
        let unsigned = LutProduct::unsigned;
        let signed = |a, b, y| LutProduct { is_signed: true, has_addend: true, ..unsigned(a, b, y) };
        let rows = [
            (unsigned(24, 17, 41), 290, 132),
            (unsigned(24, 7, 31), 128, 87),
            (signed(15, 16, 39), 227, 139),
            (signed(23, 16, 46), 312, 177),
            (signed(15, 18, 42), 252, 147),
            (signed(24, 18, 48), 351, 186),
            (unsigned(23, 23, 23), 197, 68),
            (LutProduct { has_addend: true, ..unsigned(29, 28, 29) }, 324, 126),
            (unsigned(29, 16, 29), 242, 98),
            (LutProduct { is_registered: false, ..unsigned(20, 16, 20) }, 147, 42),
        ];
        for (product, lut, ff) in &rows {
            let amounts = product.amounts();
            let what = format!("{} x {} to {} bits", product.a, product.b, product.y);
            assert_eq!(amounts.ff, *ff, "flip-flops of {what}");
            let error = (amounts.lut as f64 - f64::from(*lut)).abs() / f64::from(*lut);
            let is_whole = product.is_signed || product.y == product.a + product.b;
            assert!(error <= if is_whole { 0.0 } else { 0.04 }, "{what}: {} LUTs, {lut} in the netlist", amounts.lut);
        }
        println!("{} products compared", rows.len());
    }
}
