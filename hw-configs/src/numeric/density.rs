//! Density bytes: which of a window's stored weights belong to which of its blocks.
//!
//! A block is 16 inputs by 16 outputs and stores N in {2, 4, 8, 16} of each output's 16 weights; a window is 8 blocks along
//! the inputs. The window's stored weights of an output stand block after block, larger N first, so each block begins at
//! a multiple of its own N and no pair of weights belongs to two. A block's byte has its first pair in bits 5 to 0 and
//! log2 N - 1 in bits 7 and 6; so which block a pair belongs to is a comparison of high bits, eight times.
//! assumption: the published density byte (FlightLLM, FPGA 2024) is one byte a block whose bits are not given; these are ours.
//! This module never sees a weight.

use std::cmp::Reverse;

/// Inputs and outputs of a block.
pub const BLOCK: usize = 16;
/// Blocks of a window.
pub const BLOCKS: usize = 8;
/// Inputs of a window.
pub const WINDOW: usize = BLOCK * BLOCKS;
/// What a block may store of 16.
pub const CHOICES: [u8; 4] = [2, 4, 8, 16];

/// Bits of a byte that hold the first pair.
const PAIR_BITS: u32 = 6;

/// The bytes of a window whose blocks store `kept` weights of 16.
///
/// # Panics
/// When a number is none of [`CHOICES`].
pub fn window_bytes(kept: [u8; BLOCKS]) -> [u8; BLOCKS] {
    let mut order: [usize; BLOCKS] = std::array::from_fn(|block| block);
    order.sort_by_key(|&block| (Reverse(kept[block]), block));
    let mut bytes = [0; BLOCKS];
    let mut pair = 0;
    for block in order {
        assert!(CHOICES.contains(&kept[block]), "a block of {} of 16, expected one of {CHOICES:?}", kept[block]);
        let log2_pairs = kept[block].ilog2() as u8 - 1;
        bytes[block] = log2_pairs << PAIR_BITS | pair;
        pair += kept[block] / 2;
    }
    bytes
}

/// The first of a block's stored weights in its window, and how many there are.
pub fn block_slots(byte: u8) -> (usize, usize) {
    (2 * usize::from(byte & ((1 << PAIR_BITS) - 1)), 2 << (byte >> PAIR_BITS))
}

/// The block that a pair of the window's stored weights belongs to. Of bytes that no window has, the numbers of all blocks
/// that claim the pair are or-ed, and 0 stands for none: so every byte has a meaning, as in the hardware.
#[inline]
pub fn block_of_pair(bytes: &[u8; BLOCKS], pair: u32) -> usize {
    let claims = |byte: u8| {
        let log2_pairs = byte >> PAIR_BITS;
        (u32::from(byte & ((1 << PAIR_BITS) - 1)) ^ pair) >> log2_pairs == 0
    };
    (0..BLOCKS).filter(|&block| claims(bytes[block])).fold(0, |all, block| all | block)
}
