use super::*;

/// Runs of the blocks of 4 tokens that a text shows: `#` seen, `.` skipped.
fn runs(text: &str) -> Vec<Run> {
    joined((0..).zip(text.bytes()).filter(|(_, c)| *c == b'#').map(|(block, _)| (block * 4, 4)))
}

/// By place in the row: which token stands there.
fn tokens(runs: &[Run]) -> Vec<u32> {
    let mut all = Vec::new();
    for run in runs {
        assert_eq!(run.at as usize, all.len(), "{runs:?}");
        all.extend(run.first..run.end());
    }
    all
}

/// Texts of `n` blocks of which the last is seen.
fn texts(n: usize) -> impl Iterator<Item = String> {
    (0..1_usize << (n - 1)).map(move |bits| {
        let seen = |block: usize| block + 1 == n || bits >> block & 1 == 1;
        (0..n).map(|block| if seen(block) { '#' } else { '.' }).collect()
    })
}

#[test]
fn runs_hold_what_is_seen_and_nothing_else() {
    let mut compared = 0;
    for n in 1..=6 {
        for text in texts(n) {
            let expected: Vec<u32> = (0..n as u32 * 4).filter(|t| text.as_bytes()[*t as usize / 4] == b'#').collect();
            assert_eq!(tokens(&runs(&text)), expected, "{text}");
            assert_eq!(runs(&text).len(), text.split('.').filter(|part| !part.is_empty()).count(), "{text}");
            compared += expected.len();
        }
    }
    println!("{compared} tokens compared");
    assert!(compared > 0);
}

/// Every product of every head, laid out on paper: which token of which buffer meets which place of the row.
#[test]
fn keys_and_values_of_two_heads_meet_their_places() {
    let mut compared = 0;
    let (n, end) = (5, 20);
    for first in texts(n) {
        for second in texts(n) {
            let heads = [runs(&first), runs(&second)];
            let all = union(&heads);
            let either: Vec<u32> = (0..end).filter(|t| heads.iter().any(|head| tokens(head).contains(t))).collect();
            assert_eq!(tokens(&all), either, "{first} {second}");
            // A tile holds a block, half a block or two blocks.
            for width in [2, 4, 8] {
                let mut rows = heads.each_ref().map(|head| vec![u32::MAX; tokens(head).len()]);
                for piece in key_pieces(&heads, width, end) {
                    assert!(piece.first % width + piece.tokens <= width, "{piece:?} leaves its tile");
                    for (head, tokens, at) in &piece.heads {
                        assert!(*tokens <= piece.tokens, "{piece:?}");
                        (0..*tokens).for_each(|i| rows[*head as usize][(at + i) as usize] = piece.first + i);
                    }
                    let loaded: Vec<u32> = (piece.first..piece.first + piece.tokens).collect();
                    assert!(loaded.iter().all(|t| either.contains(t)), "{piece:?} loads what nobody sees");
                }
                for (row, head) in rows.iter().zip(&heads) {
                    assert_eq!(row, &tokens(head), "{first} {second} in tiles of {width}");
                    compared += row.len();
                }
            }
            for granule in [4, 8] {
                let pieces: Vec<Vec<u32>> = value_pieces(&all, granule).iter().map(|piece| tokens(piece)).collect();
                assert_eq!(pieces.concat(), either, "{first} {second} in pieces of {granule}");
                for head in &heads {
                    let mut row = vec![u32::MAX; tokens(head).len()];
                    for product in value_products(head, &all, granule) {
                        let piece = &pieces[product.piece as usize];
                        let taken = &piece[product.offset as usize..][..product.tokens as usize];
                        row[product.at as usize..][..taken.len()].copy_from_slice(taken);
                        assert_eq!(taken.last(), Some(&(product.end - 1)), "{product:?}");
                    }
                    assert_eq!(row, tokens(head), "{first} {second} in pieces of {granule}");
                    compared += row.len();
                }
            }
        }
    }
    println!("{compared} tokens compared");
    assert!(compared > 0);
}

#[test]
fn without_a_mask_tiles_and_granules_are_whole() {
    let dense = vec![Run { first: 0, tokens: 256, at: 0 }];
    let pieces = key_pieces(std::slice::from_ref(&dense), 128, 256);
    let tile = |first| KeyPiece { first, tokens: 128, heads: vec![(0, 128, first)] };
    assert_eq!(pieces, [tile(0), tile(128)]);
    let product = |piece: u32| ValueProduct { piece, offset: 0, tokens: 128, at: piece * 128, end: piece * 128 + 128 };
    assert_eq!(value_products(&dense, &dense, 128), [product(0), product(1)]);
}
