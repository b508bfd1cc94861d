//! Malformed model files: each ends in an error that names file and key or offset; none panics, hangs or over-allocates.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Instant;

use models::gguf::Gguf;
use models::huggingface::parse_config;
use models::safetensors::Safetensors;
use models::{Model, ModelError, Tokenizer, llama2c};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")
}

fn data(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("fixture")
}

/// Reads a whole safetensors file: header and every tensor.
fn read_safetensors(place: &str, bytes: &[u8]) -> Result<(), ModelError> {
    let mut file = Safetensors::open(place, Cursor::new(bytes))?;
    let names: Vec<String> = file.names().map(String::from).collect();
    for name in names {
        file.read_f32(&name).or_else(|_| file.read_i32(&name).map(|_| models::Tensor::new(vec![0], vec![])))?;
    }
    Ok(())
}

fn read_gguf(place: &str, bytes: &[u8]) -> Result<(), ModelError> {
    let mut file = Gguf::open(place, Cursor::new(bytes))?;
    let names: Vec<String> = file.names().map(String::from).collect();
    names.iter().try_for_each(|name| file.read_f32(name).map(drop))
}

/// Holds every file of a corpus folder to its line in `expected.tsv`, which must list them all.
fn check(folder: &str, read: impl Fn(&Path) -> Result<(), ModelError>) {
    let folder = corpus().join(folder);
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).expect("expected.tsv");
    let mut compared = 0;
    for line in expected.lines() {
        let (name, text) = line.split_once('\t').expect("file and text");
        let start = Instant::now();
        let error = read(&folder.join(name)).expect_err(name);
        assert!(start.elapsed().as_millis() < 1000, "{name} took {:?}", start.elapsed());
        let message = error.to_string();
        assert!(message.contains(name) && message.contains(text), "{name}: got \"{message}\", expected \"{text}\"");
        assert!(!message.contains(['\n', '\u{1b}']) && message.len() < 1000, "{name}: {message:?}");
        assert!(!matches!(error, ModelError::Io { .. }), "{name}: not the system's fault: {message}");
        compared += 1;
    }
    let files = std::fs::read_dir(&folder).expect("folder").count();
    assert_eq!(files, compared + 1, "files in {} without a line in expected.tsv", folder.display());
    println!("{}: compared {compared} errors", folder.display());
    assert!(compared >= 20);
}

#[test]
fn safetensors_corpus() {
    check("safetensors", |path| read_safetensors(&path.display().to_string(), &std::fs::read(path).expect("file")));
}

#[test]
fn gguf_corpus() {
    check("gguf", |path| Model::load(path).map(drop));
}

#[test]
fn config_corpus() {
    check("config", |path| parse_config(&path.display().to_string(), &std::fs::read(path).expect("file")).map(drop));
}

/// SplitMix64: a seeded stream of numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// One of: a byte changed, eight bytes made extreme, the end cut, bytes removed, bytes doubled.
fn mutated(valid: &[u8], head: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(head.min(bytes.len().max(1)));
        let end = (at + 8).min(bytes.len());
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at.min(end)..end].fill([0x00, 0x7F, 0x80, 0xFF][random.below(4)]),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at.min(end)..end)),
            _ => {
                let piece = bytes[at.min(end)..end].to_vec();
                bytes.splice(at.min(end)..at.min(end), piece);
            }
        }
    }
    bytes
}

/// Reads `count` mutants and counts refusals. A panic or overflow fails the test by itself.
fn fuzz(name: &str, valid: &[u8], head: usize, count: usize, read: impl Fn(&[u8]) -> Result<(), ModelError>) {
    read(valid).unwrap_or_else(|e| panic!("{name}: the unchanged file must be read: {e}"));
    let mut random = Random(7);
    let mut refused = 0;
    for _ in 0..count {
        refused += usize::from(read(&mutated(valid, head, &mut random)).is_err());
    }
    println!("{name}: read {count} mutants, refused {refused}");
    assert!(refused > count / 4, "{name}: only {refused} of {count} mutants refused");
}

#[test]
fn mutated_safetensors_never_panic() {
    fuzz("safetensors", &data("tests/data/blocks.safetensors"), 700, 10_000, |b| read_safetensors("m", b));
}

#[test]
fn mutated_gguf_never_panics() {
    fuzz("gguf", &data("tests/data/blocks.gguf"), 700, 10_000, |b| read_gguf("m", b));
}

#[test]
fn mutated_gguf_models_never_panic() {
    let valid = data("tests/data/micro-mixtral.gguf");
    fuzz("gguf model", &valid, 3500, 3_000, |b| Model::from_gguf("m", Cursor::new(b)).map(drop));
}

#[test]
fn mutated_tokenizers_never_panic() {
    let valid = data("tests/data/small_bpe.tokenizer.json");
    fuzz("tokenizer.json", &valid, valid.len(), 3_000, |b| {
        let tokenizer = Tokenizer::from_hugging_face("m", b)?;
        tokenizer.encode("First Citizen: 12 caf\u{e9}<|end|>\n").and_then(|t| tokenizer.decode(&t)).map(drop)
    });
}

#[test]
fn mutated_configs_never_panic() {
    let valid = data("tests/data/micro-mixtral/config.json");
    fuzz("config.json", &valid, valid.len(), 10_000, |b| {
        parse_config("m", b).map(|c| assert!(c.parameter_count() > 0))
    });
}

#[test]
fn mutated_checkpoints_never_panic() {
    let valid = data("stories260K/stories260K.bin");
    fuzz("llama2.c header", &valid[..28], 28, 10_000, |b| llama2c::parse_header("m", b).map(drop));
    fuzz("llama2.c", &valid, 28, 100, |b| llama2c::parse("m", b).map(drop));
}

#[test]
fn every_truncation_is_refused() {
    let mut compared = 0;
    let safetensors = data("tests/data/blocks.safetensors");
    let gguf = data("tests/data/blocks.gguf");
    for length in (0..1000).chain([gguf.len() - 100]) {
        assert!(read_gguf("t", &gguf[..length]).is_err(), "gguf cut at {length}");
        assert!(read_safetensors("t", &safetensors[..length]).is_err(), "safetensors cut at {length}");
        compared += 2;
    }
    println!("compared {compared} truncations");
}

#[test]
fn vocabularies_of_every_length_are_refused_or_read() {
    let valid = data("stories260K/tok512.bin");
    for length in 0..valid.len() {
        let error = Tokenizer::from_llama2c("tok512.bin", &valid[..length], 512).expect_err("cut");
        assert!(error.to_string().starts_with("tok512.bin: offset "), "{error}");
    }
    let long = [valid.as_slice(), &[0]].concat();
    assert!(Tokenizer::from_llama2c("tok512.bin", &long, 512).is_err());
    println!("compared {} lengths", valid.len() + 1);
}
