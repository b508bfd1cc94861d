//! Density bytes: every choice of eight N is laid out so that each pair of stored weights has exactly its block.

use hw_config::numeric::density::{BLOCKS, CHOICES, block_of_pair, block_slots, window_bytes};

#[test]
fn every_pair_of_a_window_belongs_to_one_block() {
    let (mut windows, mut pairs) = (0, 0);
    for code in 0..1_usize << 16 {
        let kept: [u8; BLOCKS] = std::array::from_fn(|block| CHOICES[code >> (2 * block) & 3]);
        let sum: usize = kept.iter().map(|n| usize::from(*n)).sum();
        // A byte counts 64 pairs.
        assert!(sum <= 128);
        let bytes = window_bytes(kept);
        // By walking: block after block, larger N first, the lower number first among equals.
        let mut owner = Vec::new();
        for n in [16, 8, 4, 2] {
            for block in (0..BLOCKS).filter(|block| kept[*block] == n) {
                assert_eq!(block_slots(bytes[block]), (2 * owner.len(), usize::from(n)), "{kept:?}");
                assert!((2 * owner.len()).is_multiple_of(usize::from(n)), "{kept:?}: a block of {n} is not aligned");
                owner.extend(vec![block; usize::from(n) / 2]);
            }
        }
        for (pair, block) in owner.iter().enumerate() {
            assert_eq!(block_of_pair(&bytes, pair as u32), *block, "{kept:?} pair {pair}");
        }
        windows += 1;
        pairs += owner.len();
    }
    println!("{windows} windows, {pairs} pairs compared");
    assert!(windows == 65_536 && pairs > 1_000_000);
}

/// Bytes of no window have a meaning too, the hardware's: claims are or-ed.
#[test]
fn claims_are_or_ed_and_none_is_block_0() {
    // Blocks 1 and 6 claim pairs 4 to 7; nobody claims pair 40 but block 3.
    let bytes = [0, 0x84, 0, 40, 0, 0, 0x87, 0];
    assert_eq!(block_of_pair(&bytes, 5), 7);
    assert_eq!(block_of_pair(&bytes, 40), 3);
    assert_eq!(block_of_pair(&bytes, 41), 0);
    assert_eq!(block_of_pair(&bytes, 0), 7, "blocks 0, 2, 4, 5 and 7");
}
