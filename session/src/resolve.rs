//! What the user names, found: machines, models and formats by their shipped name or by a path.
//!
//! A shipped name wins over a file of the same name; `./NAME` means the file. This is the only module of the crate that
//! reads files, and it reads only those that it is given. It must never fall back to something that was not named.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use compiler::Options;
use hw_config::board::Board;
use hw_config::fault::{Faults, suggest, utf8};
use hw_config::machine::Machine;
use hw_config::memory::MemoryStandard;
use hw_config::raw;
use hw_config::validation::System;
use models::attention::{AttentionMask, Pattern};
use models::compress::{Format, Profile, SparsityRule, format_names};
use models::{Model, ModelError, presets};

use crate::{SessionError, Setup};

/// The model that is part of the program.
pub const EMBEDDED_MODEL: &str = "tiny-llama";

const EMBEDDED_CONFIG: &[u8] = include_bytes!("../../models/tiny-llama/config.json");
const EMBEDDED_WEIGHTS: &[u8] = include_bytes!("../../models/tiny-llama/model.safetensors");

/// Longest text file that is read, in bytes: machine, board, memory, profile, program text.
pub const MAX_TEXT_BYTES: u64 = 64 << 20;
/// Longest result that is read, in bytes: points of a sweep, timelines.
pub const MAX_RESULT_BYTES: u64 = 2 << 30;

/// Why a name stands for nothing usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// One line: what, where, got, expected, what to do.
    Input(String),
    /// The faults of a file, with its text.
    Faults {
        /// The faults.
        faults: Faults,
        /// The text that they are about.
        text: String,
    },
    /// The model's own refusal.
    Model(ModelError),
    /// What could not be done with it once found.
    Session(SessionError),
    /// The operating system refused a read.
    Io(String),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(line) | Self::Io(line) => f.write_str(line),
            Self::Faults { faults, text: _ } => faults.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ResolveError {}

impl From<ModelError> for ResolveError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<SessionError> for ResolveError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

/// The bytes of a file of at most `most` bytes.
///
/// # Errors
/// `Input` where there is no such file, or it is a folder or too long; `Io` where it cannot be read.
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, ResolveError> {
    let place = path.display();
    let refused = |error: std::io::Error| {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            ResolveError::Input(format!("{place}: no such file, expected one to read; check the path"))
        } else {
            ResolveError::Io(format!("{place}: cannot be read: {error}"))
        }
    };
    let data = fs::metadata(path).map_err(refused)?;
    if data.is_dir() {
        return Err(ResolveError::Input(format!("{place}: is a folder, expected a file; name a file in it")));
    }
    if data.len() > most {
        let (got, advice) = (data.len(), "is this the file that was meant?");
        return Err(ResolveError::Input(format!("{place}: got {got} bytes, expected at most {most}; {advice}")));
    }
    fs::read(path).map_err(refused)
}

/// The text of a file.
///
/// # Errors
/// As [`read_bytes`], and `Input` for bytes that are not UTF-8.
pub fn read_text(path: &Path) -> Result<String, ResolveError> {
    text_of(path, MAX_TEXT_BYTES)
}

/// The text of a result, which may be longer.
///
/// # Errors
/// As [`read_text`].
pub fn read_result(path: &Path) -> Result<String, ResolveError> {
    text_of(path, MAX_RESULT_BYTES)
}

fn text_of(path: &Path, most: u64) -> Result<String, ResolveError> {
    let bytes = read_bytes(path, most)?;
    let text = utf8(&path.display().to_string(), &bytes).map_err(|faults| ResolveError::Input(faults.to_string()))?;
    Ok(text.to_owned())
}

/// A machine by shipped name or file, with the values of some dotted keys replaced.
///
/// # Errors
/// An unknown name with the nearest ones, an unreadable file, or all faults of the description with its text.
pub fn machine(name: &str, overrides: &[(String, String)]) -> Result<Machine, ResolveError> {
    MachineFile::find(name)?.machine(overrides)
}

/// A machine file that was read once, for many machines that differ in some keys.
#[derive(Clone, Debug)]
pub struct MachineFile {
    file: String,
    text: String,
}

impl MachineFile {
    /// The file by shipped name or path.
    ///
    /// # Errors
    /// An unknown name with the nearest ones, or an unreadable file.
    pub fn find(name: &str) -> Result<Self, ResolveError> {
        let shipped = raw::machine_text(name).map(|text| (format!("machines/{name}.toml"), text.to_owned()));
        let (file, text) = match shipped {
            Some(found) => found,
            None => toml_file("machine", name, &raw::machine_names())?,
        };
        Ok(Self { file, text })
    }

    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The machine with the values of some dotted keys replaced.
    ///
    /// # Errors
    /// All faults of the description with its text.
    pub fn machine(&self, overrides: &[(String, String)]) -> Result<Machine, ResolveError> {
        let faulty = |text: &str| {
            let text = text.to_owned();
            |faults| ResolveError::Faults { faults, text }
        };
        let pairs: Vec<(&str, &str)> = overrides.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let text = match pairs.as_slice() {
            [] => self.text.clone(),
            pairs => raw::with_overrides(&self.file, &self.text, pairs).map_err(faulty(&self.text))?,
        };
        Machine::from_toml(&self.file, &text).map_err(faulty(&text))
    }
}

/// A board by shipped name or file.
///
/// # Errors
/// As [`machine`].
pub fn board(name: &str) -> Result<Board, ResolveError> {
    let shipped = Board::text(name).map(|text| (format!("boards/{name}.toml"), text.to_owned()));
    let (file, text) = match shipped {
        Some(found) => found,
        None => toml_file("board", name, &Board::names())?,
    };
    Board::from_toml(&file, &text).map_err(|faults| ResolveError::Faults { faults, text })
}

/// A memory standard by shipped name or file.
///
/// # Errors
/// As [`machine`].
pub fn memory(name: &str) -> Result<MemoryStandard, ResolveError> {
    let shipped = raw::memory_text(name).map(|text| (format!("memories/{name}.toml"), text.to_owned()));
    let (file, text) = match shipped {
        Some(found) => found,
        None => toml_file("memory", name, &raw::memory_names())?,
    };
    MemoryStandard::from_toml(&file, &text).map_err(|faults| ResolveError::Faults { faults, text })
}

/// Published figures of a system, by shipped name or file.
///
/// # Errors
/// As [`machine`].
pub fn validation(name: &str) -> Result<System, ResolveError> {
    let shipped = System::text(name).map(|text| (format!("validation/{name}.toml"), text.to_owned()));
    let (file, text) = match shipped {
        Some(found) => found,
        None => toml_file("system", name, &System::names())?,
    };
    System::from_toml(&file, &text).map_err(|faults| ResolveError::Faults { faults, text })
}

/// A format by shipped name or profile file.
///
/// # Errors
/// As [`machine`].
pub fn format(name: &str) -> Result<Format, ResolveError> {
    let names: Vec<&str> = format_names().collect();
    if names.contains(&name) {
        return Ok(Format::by_name(name)?);
    }
    let (file, text) = toml_file("format", name, &names)?;
    match Profile::from_toml(&file, &text) {
        Ok(profile) => Ok(Format::Compressed(profile)),
        Err(faults) => Err(ResolveError::Faults { faults, text }),
    }
}

/// A compression profile by shipped name or file, where the reference will not do.
///
/// # Errors
/// As [`format()`], and the reference.
pub fn profile(name: &str) -> Result<Profile, ResolveError> {
    match format(name)? {
        Format::Compressed(profile) => Ok(profile),
        Format::Float => Err(ResolveError::Input(
            "format `float` is the reference executor: it has no machine and no cycles, expected a compressed format; \
             use w8a8 or another of `lapwing show formats`"
                .to_owned(),
        )),
    }
}

/// What a prompt sees of itself, as named: a mask belongs to a model and a length.
#[derive(Clone, Debug, PartialEq)]
pub enum Attention {
    /// Everything before each token.
    Dense,
    /// What a pattern shows it.
    Pattern(Pattern),
    /// What a mask file shows it.
    File(AttentionMask),
}

impl Attention {
    /// The mask on prompts of `tokens` tokens of a model; nothing where they see everything.
    ///
    /// # Errors
    /// A mask that would take too much memory, or a file's that is of another model or of a shorter prompt.
    pub fn mask(&self, model: &Model, tokens: usize) -> Result<Option<AttentionMask>, ResolveError> {
        match self {
            Self::Dense => Ok(None),
            Self::Pattern(pattern) => Ok(Some(AttentionMask::from_pattern(*pattern, &model.config, tokens)?)),
            Self::File(mask) => {
                mask.check(&model.name, &model.config)?;
                mask.check_prompt(tokens)?;
                Ok(Some(mask.clone()))
            }
        }
    }
}

/// Attention by the name of a pattern or by a mask file.
///
/// # Errors
/// A pattern that says nothing usable, an unreadable file, or all faults of the mask with its text.
pub fn attention(name: &str) -> Result<Attention, ResolveError> {
    match Pattern::parse(name) {
        Ok(Pattern::Dense) => return Ok(Attention::Dense),
        Ok(pattern) => return Ok(Attention::Pattern(pattern)),
        Err(fault) if Pattern::looks_like(name) || !(looks_like_path(name) || Path::new(name).is_file()) => {
            return Err(ResolveError::Input(format!("--attention: {fault}, or give the path of a mask file")));
        }
        Err(_) => {}
    }
    let text = read_text(Path::new(name))?;
    match AttentionMask::from_toml(name, &text) {
        Ok(mask) => Ok(Attention::File(mask)),
        Err(faults) => Err(ResolveError::Faults { faults, text }),
    }
}

/// Names that stand for a model without any file: the embedded one, then the presets.
pub fn model_names() -> Vec<String> {
    let mut names = vec![EMBEDDED_MODEL.to_owned()];
    names.extend(presets::preset_names());
    names
}

/// A model with whatever lies at its path: the embedded one or a preset by name, else a folder or file.
///
/// # Errors
/// An unknown name with the nearest ones, a published model that is not built with the reason, or a faulty file.
pub fn model(name: &str) -> Result<Model, ResolveError> {
    if name == EMBEDDED_MODEL {
        return Ok(Model::from_hugging_face_bytes(name, EMBEDDED_CONFIG, EMBEDDED_WEIGHTS)?);
    }
    if !looks_like_path(name) {
        match Model::preset(name) {
            Err(ModelError::Input { .. }) => {}
            found @ (Ok(_) | Err(ModelError::Unsupported { .. } | ModelError::Io { .. })) => return Ok(found?),
        }
    }
    if Path::new(name).exists() {
        return Ok(Model::load(Path::new(name))?);
    }
    let names = model_names();
    let advice = suggest(name, names.iter().map(String::as_str), "`lapwing show model` lists the names");
    Err(ResolveError::Input(format!(
        "model `{name}` is neither a shipped name nor a file, expected a name, a folder with config.json, or a .gguf, \
         .bin or .json file; {advice}"
    )))
}

/// What is run when only time counts: weights are read only where the format's sparsity is the one that they have.
/// Static activation scales are not calibrated, since no cycle depends on them.
///
/// # Errors
/// As [`model`], and what compression refuses.
pub fn timing_setup(machine: Machine, name: &str, profile: Profile, options: Options) -> Result<Setup, ResolveError> {
    let shapes = shapes(name)?;
    let reads_weights = shapes
        .config
        .tensor_specs()
        .iter()
        .any(|spec| profile.format_of(&spec.id.to_string()).sparsity == SparsityRule::AsFound);
    if !reads_weights {
        return Ok(Setup::with_shapes(machine, shapes, profile, options));
    }
    let model = model(name)?;
    if model.weights.is_none() {
        return Ok(Setup::with_shapes(machine, model, profile, options));
    }
    let setup = Setup::with_weights(machine, model, profile, &[0], options)?;
    Ok(Setup { compressed: None, ..setup })
}

/// As [`model`], without reading the weights of a Hugging Face folder.
///
/// # Errors
/// As [`model`].
pub fn shapes(name: &str) -> Result<Model, ResolveError> {
    let config = Path::new(name).join("config.json");
    let shipped = name == EMBEDDED_MODEL || (!looks_like_path(name) && presets::preset_source(name).is_some());
    if shipped || !config.is_file() {
        return model(name);
    }
    let folder = fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name));
    let name = folder.file_name().map_or_else(|| name.to_owned(), |last| last.to_string_lossy().into_owned());
    Ok(Model { name, ..Model::load(&config)? })
}

/// Whether a name can only mean a file: it has a folder in it or an extension that shipped names never have.
fn looks_like_path(name: &str) -> bool {
    let ends = [".toml", ".json", ".gguf", ".bin", ".safetensors"];
    name.contains(['/', '\\']) || ends.iter().any(|end| name.ends_with(end))
}

/// The file at `name` with its text, or the refusal of a name that is neither known nor a file.
fn toml_file(kind: &str, name: &str, known: &[&str]) -> Result<(String, String), ResolveError> {
    let path = Path::new(name);
    if !looks_like_path(name) && !path.is_file() {
        let advice = suggest(name, known.iter().copied(), &format!("name one of these, or the path of a {kind} file"));
        let expected = known.join(", ");
        return Err(ResolveError::Input(format!("{kind} `{name}` is unknown, expected one of: {expected}; {advice}")));
    }
    Ok((name.to_owned(), read_text(path)?))
}
