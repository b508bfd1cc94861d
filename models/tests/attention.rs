//! Attention masks: what patterns show in blocks, mask files and all their faults, and the reference under a mask.

use models::Model;
use models::attention::{AttentionMask, BLOCK_TOKENS, Pattern};
use models::reference::Reference;

/// A head's triangle as a picture, as files have it.
fn picture(mask: &AttentionMask, layer: usize, head: usize) -> Vec<String> {
    let blocks = mask.tokens() / BLOCK_TOKENS;
    let cell = |row, column| if mask.sees(layer, head, row, column) { '#' } else { '.' };
    (0..blocks).map(|row| (0..=row).map(|column| cell(row, column)).collect()).collect()
}

/// stories260K has 5 layers of 8 query heads.
fn model() -> Model {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("stories260K");
    Model::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn drawn(pattern: &str, tokens: usize) -> AttentionMask {
    let pattern = Pattern::parse(pattern).unwrap_or_else(|fault| panic!("{fault}"));
    AttentionMask::from_pattern(pattern, &model().config, tokens).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn patterns_show_whole_blocks() {
    let cases: [(&str, usize, &[&str]); 7] = [
        ("dense", 200, &["#", "##", "###", "####"]),
        // A token alone sees its own block, a window of two reaches over a block's edge.
        ("window:1", 200, &["#", ".#", "..#", "...#"]),
        ("window:2", 200, &["#", "##", ".##", "..##"]),
        ("window:65", 200, &["#", "##", ".##", "..##"]),
        ("window:66", 200, &["#", "##", "###", ".###"]),
        ("sink:1+window:1", 200, &["#", "##", "#.#", "#..#"]),
        ("window:1+sink:65", 320, &["#", "##", "###", "##.#", "##..#"]),
    ];
    for (pattern, tokens, expected) in cases {
        let mask = drawn(pattern, tokens);
        for (layer, head) in [(0, 0), (4, 7)] {
            assert_eq!(picture(&mask, layer, head), expected, "{pattern}");
        }
    }
    println!("compared {} patterns", cases.len());
    assert_eq!(drawn("window:1+sink:65", 320).name(), "sink:65+window:1");
}

/// A window in tokens, token by token: whatever it shows lies in a block that is seen.
#[test]
fn a_token_sees_at_least_its_window() {
    let mut compared = 0;
    for (sink, window) in [(0, 1), (0, 63), (0, 64), (0, 65), (0, 128), (0, 129), (1, 70), (64, 3), (70, 130)] {
        let mask = AttentionMask::from_pattern(Pattern::Local { sink, window }, &model().config, 400).expect("a mask");
        for at in 0..400_usize {
            for earlier in (0..=at).filter(|earlier| at - earlier < window as usize || *earlier < sink as usize) {
                assert!(mask.sees(1, 2, at / 64, earlier / 64), "{sink} {window}: {at} does not see {earlier}");
                compared += 1;
            }
        }
    }
    println!("{compared} pairs of tokens compared");
    assert!(compared > 0);
}

#[test]
fn random_masks_meet_their_density_and_lie_in_each_other() {
    let mut compared = 0;
    let blocks = 12;
    let all = blocks * (blocks + 1) / 2;
    for seed in [0, 1, 77] {
        let mut before: Option<AttentionMask> = None;
        for density in [0.05, 0.2, 0.35, 0.5, 0.9, 1.0] {
            let mask = drawn(&format!("random:{density}:{seed}"), blocks * 64);
            let wanted = ((density * all as f64).round() as usize).max(blocks);
            for layer in 0..5 {
                for head in 0..8 {
                    let seen: usize = (0..blocks).map(|row| mask.key_blocks(layer, head, row).count()).sum();
                    assert_eq!(seen, wanted, "density {density}, layer {layer}, head {head}");
                    for row in 0..blocks {
                        assert!(mask.sees(layer, head, row, row), "the diagonal");
                        let lost = |column: &usize| {
                            let sees = |mask: &AttentionMask| mask.sees(layer, head, row, *column);
                            before.as_ref().is_some_and(&sees) && !sees(&mask)
                        };
                        assert_eq!((0..=row).find(lost), None, "a denser mask sees less");
                        compared += row + 1;
                    }
                }
            }
            assert!((mask.density(blocks * 64) - wanted as f64 / all as f64).abs() < 1e-12);
            before = Some(mask);
        }
    }
    let different = picture(&drawn("random:0.5:1", 640), 0, 0) != picture(&drawn("random:0.5:1", 640), 0, 1)
        && picture(&drawn("random:0.5:1", 640), 0, 0) != picture(&drawn("random:0.5:2", 640), 0, 0);
    assert!(different, "heads and seeds draw alike");
    println!("{compared} blocks compared");
}

#[test]
fn what_is_no_pattern_is_refused_with_what_is() {
    for (text, expected) in [
        ("windows:4", "got `windows:4`, expected one of: dense, window:TOKENS"),
        ("window:0", "with 0 tokens"),
        ("window:-3", "write for example"),
        ("sink:64", "without a window"),
        ("window:4+window:5", "says the same twice"),
        ("random:0:1", "not above 0 and at most 1"),
        ("random:1.5:1", "not above 0 and at most 1"),
        ("random:NaN:1", "not above 0 and at most 1"),
        ("random:0.5", "write for example random:0.3:1"),
        ("", "expected one of"),
    ] {
        let fault = Pattern::parse(text).expect_err(text);
        assert!(fault.contains(expected), "{text}: {fault}");
    }
    // Refused before anything is allocated.
    let huge = AttentionMask::from_pattern(Pattern::Dense, &model().config, usize::MAX / 2);
    assert!(huge.expect_err("too long").to_string().contains("use fewer tokens"));
}

const GOOD: &str = r###"
summary = "heads that differ"
layers = 5
heads = 8
tokens = 250

[[mask]]
layers = "*"
heads = "*"
pattern = "window:1"

[[mask]]
layers = "1,3-4"
heads = "0-1,7"
rows = [
    "#",
    "##",
    "#.#",
    ".#.#",
]
"###;

#[test]
fn the_last_rule_of_a_file_that_names_a_head_decides() {
    let mask = AttentionMask::from_toml("masks/mine.toml", GOOD).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((mask.name(), mask.tokens()), ("mine", 256));
    let mut compared = 0;
    for layer in 0..5 {
        for head in 0..8 {
            let drawn = [1, 3, 4].contains(&layer) && [0, 1, 7].contains(&head);
            let expected = if drawn { ["#", "##", "#.#", ".#.#"] } else { ["#", ".#", "..#", "...#"] };
            assert_eq!(picture(&mask, layer, head), expected, "layer {layer} head {head}");
            compared += 1;
        }
    }
    println!("{compared} heads compared");
    assert_eq!(mask.check("stories260K", &model().config), Ok(()));
    assert_eq!(mask.check_prompt(256), Ok(()));
    assert!(mask.check_prompt(257).is_err());
}

/// The messages of the faults of `text`.
fn faults(text: &str) -> Vec<String> {
    match AttentionMask::from_toml("mine.toml", text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_fault_of_a_file_is_told_with_its_place() {
    let cases: [(&str, &str, &[&str]); 13] = [
        ("summary = \"heads that differ\"\n", "", &["`summary` is missing"]),
        ("layers = 5\n", "layers = 0\n", &["`layers` is `0`, expected a number from 1 to 1024"]),
        ("tokens = 250", "tokens = 2_000_000", &["`tokens` is `2000000`, expected a number from 1 to 65536"]),
        ("tokens = 250", "tokens = 500", &["`mask[1].rows` is an array of 4, expected 8 texts"]),
        ("\"1,3-4\"", "\"1,3-5\"", &["`mask[1].layers` is `1,3-5`, expected \"*\", or numbers from 0 to 4"]),
        ("\"0-1,7\"", "\"7-0\"", &["`mask[1].heads` is `7-0`"]),
        (
            "\"#.#\"",
            "\"##.\"",
            &["`mask[1].rows[2]` is `##.`, which does not see its own block (layers 1,3-4, heads 0-1,7, row 2)"],
        ),
        ("\"#.#\"", "\"#x#\"", &["`mask[1].rows[2]` is `#x#`, expected 3 characters # or ."]),
        ("\"#.#\"", "\"#\u{e4}#\"", &["`mask[1].rows[2]`"]),
        ("\"window:1\"", "\"window:1k\"", &["`mask[0].pattern` is `window:1k`, expected one of dense"]),
        ("pattern =", "patern =", &["`mask[0].patern` is unknown", "`mask[0].pattern` is missing"]),
        (
            "heads = \"*\"",
            "heads = \"1-7\"",
            &["`mask` is silent about 2 heads, the first of them layer 0 head 0, expected a rule for every head"],
        ),
        ("[[mask]]\nlayers = \"*\"", "[[mask]\nlayers = \"*\"", &["not TOML"]),
    ];
    for (from, to, expected) in cases {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let found = faults(&text);
        for message in expected {
            assert!(found.iter().any(|fault| fault.contains(message)), "{to}: {found:#?}");
        }
    }
    // Several at once, in order of their place.
    let text = GOOD.replace("heads = 8\n", "head = 8\n").replace("layers = 5", "layers = \"five\"");
    let found = faults(&text);
    assert!(found.len() >= 3 && found.iter().any(|f| f.contains("`head` is unknown")), "{found:#?}");
    println!("compared {} faulty files", cases.len() + 1);
}

/// With a window of its own block alone, a token of a later block gets what it would get if nothing were before its block:
/// without positions that differ, since stories260K turns its heads by distance alone.
#[test]
fn the_reference_sees_what_the_mask_shows() {
    let model = model();
    let tokens: Vec<u32> = (0..130).map(|i| (i * 37 + 5) % 500).collect();
    let logits = |mask: Option<&AttentionMask>, tokens: &[u32], prompt: usize| {
        let mut reference = Reference::new(&model).expect("weights");
        if let Some(mask) = mask {
            reference = reference.with_attention("stories260K", mask, prompt).expect("its mask");
        }
        reference.logits_of(tokens).expect("logits")
    };
    let dense = logits(None, &tokens, 0);
    assert_eq!(logits(Some(&drawn("dense", 130)), &tokens, 130), dense, "a full mask");
    let own = drawn("window:1", 130);
    let masked = logits(Some(&own), &tokens, 130);
    assert_eq!(masked[..64], dense[..64], "the first block");
    let mut compared = 0;
    for (row, alone) in masked[64..128].iter().zip(logits(None, &tokens[64..128], 0)) {
        let far = row.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-3, "{far}");
        compared += row.len();
    }
    // Tokens of the answer see everything, so only what they see has changed.
    let answer = logits(Some(&own), &tokens, 128);
    assert_eq!(answer[..128], masked[..128], "the prompt");
    assert_ne!(answer[128], masked[128], "the answer sees the prompt");
    println!("{compared} logits compared");
    assert!(compared > 0);
}
