//! Malformed machine files, each with what its message must say, and what the messages look like.
//! A file's `# expect:` lines are written by hand from the rule that it breaks, not copied from a run.

use std::path::PathBuf;
use std::time::Instant;

use hw_config::fault::{Faults, utf8};
use hw_config::machine::Machine;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/machine")
}

/// Reads a machine file's bytes as the command does.
fn read(file: &str, bytes: &[u8]) -> Result<Machine, Faults> {
    Machine::from_toml(file, utf8(file, bytes)?)
}

/// The values of `# key:` lines at the head of a file.
fn head(bytes: &[u8], key: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().take_while(|line| line.starts_with("# "));
    lines.filter_map(|line| line.strip_prefix(&format!("# {key}: ")).map(str::to_owned)).collect()
}

/// Whether every fault says which file, what is there, what was expected and what to do, in one line.
fn well_formed(file: &str, faults: &Faults) -> bool {
    faults.0.iter().all(|fault| {
        let line = fault.to_string();
        let parts = [&fault.got, &fault.expected, &fault.advice];
        !line.contains('\n') && line.starts_with(file) && parts.iter().all(|part| !part.is_empty())
    })
}

#[test]
fn every_bad_file_is_refused_with_its_reason() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(corpus()).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in &files {
        let bytes = std::fs::read(path).expect("a readable file");
        let file = path.file_name().expect("a name").to_string_lossy().into_owned();
        let begin = Instant::now();
        let Err(faults) = read(&file, &bytes) else {
            wrong.push(format!("{file}: accepted"));
            continue;
        };
        assert!(begin.elapsed().as_secs() < 1, "{file}: took a second or more");
        let message = faults.to_string();
        let expected = head(&bytes, "expect");
        assert!(!expected.is_empty(), "{file}: says nothing to expect");
        for expect in expected {
            compared += 1;
            if !message.contains(&expect) {
                wrong.push(format!("{file}: expected `{expect}` in:\n{message}"));
            }
        }
        if let Some(count) = head(&bytes, "faults").first() {
            compared += 1;
            if count.parse() != Ok(faults.0.len()) {
                wrong.push(format!("{file}: expected {count} faults in:\n{message}"));
            }
        }
        if !well_formed(&file, &faults) {
            wrong.push(format!("{file}: ill-formed message:\n{message}"));
        }
        faults.render(&String::from_utf8_lossy(&bytes));
    }
    println!("{} files, {compared} expectations compared", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() >= 70 && compared >= files.len());
}

#[test]
fn faults_are_shown_at_their_place() {
    let text = std::fs::read_to_string(corpus().join("several_kinds.toml")).expect("the file");
    let faults = Machine::from_toml("several_kinds.toml", &text).expect_err("a bad file");
    let shown = faults.render(&text);
    let golden = include_str!("golden/machine_several_kinds.txt");
    println!("{} lines compared", golden.lines().count());
    assert_eq!(shown, golden);
}

#[test]
fn a_bom_is_no_fault() {
    let text = include_str!("../machines/tiny.toml");
    let with_bom = format!("\u{feff}{text}");
    assert_eq!(Machine::from_toml("a", &with_bom), Machine::from_toml("a", text));
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(Machine::from_toml("a", &crlf), Machine::from_toml("a", text));
}

#[test]
fn an_unknown_machine_name_lists_the_known_ones() {
    let message = Machine::by_name("tinny").expect_err("no such machine").to_string();
    assert!(
        message.contains("one of: tiny, tiny-2core, tiny-bit-serial, u280-1core, u280-flightllm, u280-lapwing, vhk158-flightllm, v80-lapwing, u280-bit-serial, bitmod-28nm, fp16-28nm, ant-like-28nm, olive-like-28nm; did you mean `tiny`?"),
        "{message}"
    );
}

#[test]
fn mutated_files_never_panic() {
    // A fixed linear congruential sequence (Knuth's MMIX constants): the same mutants on every run.
    let mut state = 0x5eed_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let source = include_bytes!("../machines/tiny.toml");
    let (mut refused, runs) = (0, 4_000);
    for _ in 0..runs {
        let mut bytes = source.to_vec();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"[]{}=\".,#0987\n-_"[random(16)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Err(faults) = read("mutant", &bytes) {
            refused += 1;
            assert!(!faults.0.is_empty());
            faults.render(&String::from_utf8_lossy(&bytes));
        }
    }
    println!("{runs} mutants, {refused} refused");
    assert!(refused > runs / 2);
}
