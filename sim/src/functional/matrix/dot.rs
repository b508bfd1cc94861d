//! The inner loops: exact dot products of one activation word with the same step of many columns.
//!
//! Written so that the compiler turns them into widening multiply-adds of 16-bit pairs on any 64-bit x86 (and their
//! like elsewhere): chain lengths are constants of the loop, activations are widened once and stay in registers.
//! All sums are exact, so the order in which the host adds does not show. Nothing here knows a buffer or an
//! instruction.

use hw_config::isa::Sparsity;
use hw_config::numeric::density::BLOCK;

/// Words of equal length, one a column.
#[derive(Clone, Copy)]
pub(super) struct Words<'a, T> {
    items: &'a [T],
    length: usize,
}

impl<'a, T> Words<'a, T> {
    /// `items` as words of `length`.
    pub(super) fn new(items: &'a [T], length: usize) -> Self {
        assert!(items.len().is_multiple_of(length), "{} items are no whole words of {length}", items.len());
        Self { items, length }
    }
}

/// Adds to each column's sum the dot product of its 8-bit codes and `activations`.
pub(super) fn bytes(sums: &mut [i32], pieces: Words<'_, u8>, activations: &[i8]) {
    let code = |byte: u8| i16::from(byte.cast_signed());
    match pieces.length {
        16 => words::<16, u8>(sums, pieces.items, activations, code),
        32 => words::<32, u8>(sums, pieces.items, activations, code),
        64 => words::<64, u8>(sums, pieces.items, activations, code),
        other => panic!("a chain of {other}: expected 16, 32 or 64"),
    }
}

/// Adds to each column's sum the dot product of its expanded codes and `activations`.
pub(super) fn codes(sums: &mut [i32], words_of: Words<'_, i8>, activations: &[i8]) {
    match words_of.length {
        16 => words::<16, i8>(sums, words_of.items, activations, i16::from),
        32 => words::<32, i8>(sums, words_of.items, activations, i16::from),
        64 => words::<64, i8>(sums, words_of.items, activations, i16::from),
        other => panic!("a chain of {other}: expected 16, 32 or 64"),
    }
}

/// Adds to each column's sum the dot product of its 4-bit codes, two a byte, low nibble first, and `activations`.
pub(super) fn nibbles(sums: &mut [i32], pieces: Words<'_, u8>, activations: &[i8]) {
    match pieces.length {
        16 => nibble_words::<16>(sums, pieces.items, activations),
        32 => nibble_words::<32>(sums, pieces.items, activations),
        64 => nibble_words::<64>(sums, pieces.items, activations),
        other => panic!("a chain of {other}: expected 16, 32 or 64"),
    }
}

/// Adds to each column's sum the dot product of its codes with the activations that their indices pick: weight i
/// belongs to group i / N, which spans M activations.
pub(super) fn picked(
    sums: &mut [i32],
    codes: Words<'_, i8>,
    indices: Words<'_, u8>,
    activations: &[i8],
    sparsity: Sparsity,
) {
    match sparsity {
        Sparsity::Dense => panic!("dense weights pick no activations"),
        Sparsity::N2M4 => picked_words::<2, 4>(sums, codes, indices, activations),
        Sparsity::N2M16 => picked_words::<2, 16>(sums, codes, indices, activations),
        Sparsity::N4M16 => picked_words::<4, 16>(sums, codes, indices, activations),
        Sparsity::N8M16 => picked_words::<8, 16>(sums, codes, indices, activations),
        Sparsity::N1M4 => picked_words::<1, 4>(sums, codes, indices, activations),
        Sparsity::Blocks4M16
        | Sparsity::Blocks6M16
        | Sparsity::Blocks8M16
        | Sparsity::Blocks10M16
        | Sparsity::Blocks12M16 => panic!("{} has no one N", sparsity.name()),
    }
}

/// Adds to the sum of each of 16 columns, those of number `group`, the dot product of its codes with the activations that
/// their indices pick of the blocks that their pairs belong to.
pub(super) fn picked_of_blocks(
    sums: &mut [i32],
    codes: Words<'_, i8>,
    indices: Words<'_, u8>,
    activations: &[i8],
    group: usize,
    blocks: [usize; BLOCK / 2],
) {
    let words = activations.as_chunks::<BLOCK>().0;
    let columns = codes.items.chunks_exact(codes.length).zip(indices.items.chunks_exact(indices.length));
    let of_group = sums.iter_mut().zip(columns).skip(group * BLOCK).take(BLOCK);
    for (sum, (codes, indices)) in of_group {
        let pairs = codes.as_chunks::<2>().0.iter().zip(indices.as_chunks::<2>().0);
        for ((codes, indices), block) in pairs.zip(blocks) {
            for (&code, &index) in codes.iter().zip(indices) {
                *sum += i32::from(code) * i32::from(words[block][usize::from(index) % BLOCK]);
            }
        }
    }
}

#[inline(always)]
fn picked_words<const N: usize, const M: usize>(
    sums: &mut [i32],
    codes: Words<'_, i8>,
    indices: Words<'_, u8>,
    activations: &[i8],
) {
    let groups = activations.as_chunks::<M>().0;
    let columns = codes.items.chunks_exact(codes.length).zip(indices.items.chunks_exact(indices.length));
    for (sum, (codes, indices)) in sums.iter_mut().zip(columns) {
        let stored = codes.as_chunks::<N>().0.iter().zip(indices.as_chunks::<N>().0);
        for ((codes, indices), activations) in stored.zip(groups) {
            for (&code, &index) in codes.iter().zip(indices) {
                // An index has log2 M bits; the mask tells the compiler.
                *sum += i32::from(code) * i32::from(activations[usize::from(index) % M]);
            }
        }
    }
}

#[inline(always)]
fn words<const CHAIN: usize, T: Copy>(sums: &mut [i32], items: &[T], activations: &[i8], code: impl Fn(T) -> i16) {
    let activations: [i16; CHAIN] = std::array::from_fn(|i| i16::from(activations[i]));
    for (sum, word) in sums.iter_mut().zip(items.as_chunks::<CHAIN>().0) {
        let products = word.iter().zip(&activations);
        *sum += products.map(|(&w, &a)| i32::from(code(w)) * i32::from(a)).sum::<i32>();
    }
}

#[inline(always)]
fn nibble_words<const CHAIN: usize>(sums: &mut [i32], items: &[u8], activations: &[i8]) {
    let even: [i16; CHAIN] = std::array::from_fn(|i| i16::from(activations[2 * i]));
    let odd: [i16; CHAIN] = std::array::from_fn(|i| i16::from(activations[2 * i + 1]));
    for (sum, word) in sums.iter_mut().zip(items.as_chunks::<CHAIN>().0) {
        let mut low = 0_i32;
        let mut high = 0_i32;
        for i in 0..CHAIN {
            let both = i16::from(word[i].cast_signed());
            low += i32::from((both << 12) >> 12) * i32::from(even[i]);
            high += i32::from(both >> 4) * i32::from(odd[i]);
        }
        *sum += low + high;
    }
}
