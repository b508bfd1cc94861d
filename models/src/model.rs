//! Loading a model from a path: Hugging Face folder, bare `config.json`, GGUF file or llama2.c checkpoint.
//!
//! What a path is, is decided by what lies there, in one place; the readers below it take bytes and know no paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{ModelConfig, OutputHead};
use crate::gguf::Gguf;
use crate::gguf_model::{self, check_shape};
use crate::huggingface::{MAX_CONFIG_BYTES, clip, parse_config};
use crate::safetensors::Safetensors;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;
use crate::{ModelError, llama2c, names};

/// Longest index, tokenizer or small checkpoint file read whole, in bytes.
const MAX_WHOLE_FILE_BYTES: u64 = 8 << 30;

/// A model as everything else uses it.
#[derive(Debug, Clone)]
pub struct Model {
    /// The folder's or file's name without its extension, or the preset's name.
    pub name: String,
    /// The architecture.
    pub config: ModelConfig,
    /// The weights; `None` where only shapes are known.
    pub weights: Option<Weights>,
    /// The tokenizer; refuses by name where there is none.
    pub tokenizer: Tokenizer,
}

impl Model {
    /// A shape-only model from a preset.
    ///
    /// # Errors
    /// As `presets::preset`.
    pub fn preset(name: &str) -> Result<Self, ModelError> {
        let config = crate::presets::preset(name)?;
        let tokenizer = Tokenizer::absent("a preset has shapes and no tokenizer");
        Ok(Self { name: name.into(), config, weights: None, tokenizer })
    }

    /// Loads a GGUF model from `reader`; `place` is its name, for messages.
    ///
    /// # Errors
    /// Anything malformed or not built, with key or offset.
    pub fn from_gguf(place: &str, reader: impl Read + Seek) -> Result<Self, ModelError> {
        let mut gguf = Gguf::open(place, reader)?;
        let (config, weights) = gguf_model::load(place, &mut gguf)?;
        let tokenizer = Tokenizer::from_gguf(place, gguf.metadata(), config.vocab)?;
        Ok(Self { name: place.into(), config, weights: Some(weights), tokenizer })
    }

    /// A model from the bytes of a Hugging Face `config.json` and of its only safetensors file, for models that are
    /// part of a program. Such a model must be byte-level; one with another vocabulary gets a tokenizer that refuses.
    ///
    /// # Errors
    /// Anything malformed or not built, with key or offset.
    pub fn from_hugging_face_bytes(name: &str, config: &[u8], safetensors: &[u8]) -> Result<Self, ModelError> {
        let config = parse_config(&format!("{name}/config.json"), config)?;
        let shard = Safetensors::open(&format!("{name}/model.safetensors"), Cursor::new(safetensors))?;
        let weights = read_shards(name, &config, vec![(format!("{name}/model.safetensors"), shard)])?;
        let tokenizer = byte_tokenizer(&config, || format!("{name}: no tokenizer.json among its bytes"));
        Ok(Self { name: name.into(), config, weights: Some(weights), tokenizer })
    }

    /// Loads what lies at `path`: a folder with `config.json` (and safetensors beside it), a folder with one GGUF file
    /// or one llama2.c checkpoint, or such a file itself. A `config.json` alone gives shapes without weights.
    ///
    /// # Errors
    /// Anything unreadable, malformed or not built, with file and key or offset.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let kind = fs::metadata(path).map_err(|e| ModelError::io(show(path), e))?;
        if kind.is_dir() {
            return load_folder(path);
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        match extension {
            "gguf" => load_gguf(path),
            "bin" => load_llama2c(path),
            "json" => {
                let config = parse_config(&show(path), &read_whole(path, MAX_CONFIG_BYTES)?)?;
                let tokenizer = Tokenizer::absent("a bare config.json has shapes and no tokenizer");
                Ok(Self { name: stem(path), config, weights: None, tokenizer })
            }
            "safetensors" => load_folder(path.parent().unwrap_or(Path::new("."))),
            other => Err(ModelError::input(
                show(path),
                format!(
                    "got extension \"{}\", expected a folder, .gguf, .bin (llama2.c), .json or .safetensors",
                    clip(other)
                ),
            )),
        }
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

fn stem(path: &Path) -> String {
    // `models/tiny-llama/.` and relative paths have no usable last part until they are resolved.
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let stem = if full.is_dir() { full.file_name() } else { full.file_stem() };
    stem.map_or_else(|| "model".into(), |s| s.to_string_lossy().into_owned())
}

/// The bytes of a whole file of at most `most` bytes.
fn read_whole(path: &Path, most: u64) -> Result<Vec<u8>, ModelError> {
    let bytes = fs::metadata(path).map_err(|e| ModelError::io(show(path), e))?.len();
    if bytes > most {
        return Err(ModelError::input(show(path), format!("got {bytes} bytes, expected at most {most}")));
    }
    fs::read(path).map_err(|e| ModelError::io(show(path), e))
}

/// The files of `folder` whose name passes `wanted`, sorted.
fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, ModelError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| ModelError::io(show(folder), e))? {
        let path = entry.map_err(|e| ModelError::io(show(folder), e))?.path();
        if path.file_name().and_then(|n| n.to_str()).is_some_and(&wanted) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn load_folder(folder: &Path) -> Result<Model, ModelError> {
    if folder.join("config.json").is_file() {
        return load_hugging_face(folder);
    }
    let checkpoints = files(folder, |n| n.ends_with(".gguf") || (n.ends_with(".bin") && !n.starts_with("tok")))?;
    match checkpoints.as_slice() {
        [one] => Model::load(one),
        several => Err(ModelError::input(
            show(folder),
            format!("holds no config.json and {} .gguf or .bin files, expected one; name the file", several.len()),
        )),
    }
}

fn load_hugging_face(folder: &Path) -> Result<Model, ModelError> {
    let path = folder.join("config.json");
    let config = parse_config(&show(&path), &read_whole(&path, MAX_CONFIG_BYTES)?)?;
    let shards = shard_paths(folder)?;
    let weights = if shards.is_empty() {
        None
    } else {
        let opened = shards.iter().map(|path| open_shard(path)).collect::<Result<Vec<_>, _>>()?;
        Some(read_shards(&show(folder), &config, opened)?)
    };
    let tokenizer_path = folder.join("tokenizer.json");
    let tokenizer = if tokenizer_path.is_file() {
        Tokenizer::from_hugging_face(&show(&tokenizer_path), &read_whole(&tokenizer_path, MAX_WHOLE_FILE_BYTES)?)?
    } else {
        byte_tokenizer(&config, || format!("{}: no such file", show(&tokenizer_path)))
    };
    Ok(Model { name: stem(folder), config, weights, tokenizer })
}

/// The tokenizer of a model that brings none: bytes where its vocabulary is theirs, else a refusal that says `why`.
fn byte_tokenizer(config: &ModelConfig, why: impl FnOnce() -> String) -> Tokenizer {
    if config.vocab == 256 { Tokenizer::Byte } else { Tokenizer::absent(&why()) }
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The safetensors files of a folder: one, or those its index names. Empty where the folder has shapes only.
fn shard_paths(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let (single, index) = (folder.join("model.safetensors"), folder.join("model.safetensors.index.json"));
    if single.is_file() {
        return Ok(vec![single]);
    }
    if index.is_file() {
        let place = show(&index);
        let text = read_whole(&index, MAX_CONFIG_BYTES * 4)?;
        let index: Index = serde_json::from_slice(&text).map_err(|e| ModelError::input(&place, e.to_string()))?;
        let names: BTreeSet<String> = index.weight_map.into_values().collect();
        // A shard lies beside its index: a name with a path in it could read any file of the user's.
        if let Some(bad) = names.iter().find(|n| Path::new(n).file_name().and_then(|f| f.to_str()) != Some(n)) {
            let what = format!("weight_map names {}, expected a plain file name", clip(bad));
            return Err(ModelError::input(place, what));
        }
        return Ok(names.iter().map(|n| folder.join(n)).collect());
    }
    let others = files(folder, |n| n.starts_with("pytorch_model") && n.ends_with(".bin"))?;
    match others.first() {
        None => Ok(Vec::new()),
        Some(path) => {
            Err(ModelError::unsupported(show(path), "PyTorch pickles; nearest that works: model.safetensors"))
        }
    }
}

/// Tensors that old files carry although their values follow from the configuration, or that a tied head repeats.
fn is_redundant(config: &ModelConfig, name: &str) -> bool {
    let tied_head = match config.output {
        OutputHead::Tied => name == "lm_head.weight",
        OutputHead::Own | OutputHead::OwnWithBias => false,
    };
    tied_head || name.ends_with(".rotary_emb.inv_freq")
}

fn open_shard(path: &Path) -> Result<(String, Safetensors<File>), ModelError> {
    let file = File::open(path).map_err(|e| ModelError::io(show(path), e))?;
    Ok((show(path), Safetensors::open(&show(path), file)?))
}

/// The weights that `shards` hold together, each with its name for messages.
fn read_shards<R: Read + Seek>(
    place: &str,
    config: &ModelConfig,
    mut shards: Vec<(String, Safetensors<R>)>,
) -> Result<Weights, ModelError> {
    let mut owner = BTreeMap::new();
    for (number, (shard_place, shard)) in shards.iter().enumerate() {
        for name in shard.names() {
            if owner.insert(name.to_string(), number).is_some() {
                return Err(ModelError::input(format!("{shard_place}: {}", clip(name)), "the tensor is in two shards"));
            }
        }
    }
    let mut tensors = BTreeMap::new();
    for spec in config.tensor_specs() {
        let refused =
            || ModelError::unsupported(place, format!("weights of the {:?} family: {}", config.family, spec.id));
        let name = names::hugging_face(config.family, spec.id).ok_or_else(refused)?;
        let shard = owner.remove(&name);
        check_shape(place, &name, shard.and_then(|s| shards[s].1.shape(&name)), &spec.shape)?;
        let (_, shard) = &mut shards[shard.expect("its shape was found")];
        tensors.insert(spec.id, shard.read_f32(&name)?);
    }
    match owner.keys().find(|name| !is_redundant(config, name)) {
        None => Ok(Weights::new(tensors)),
        Some(name) => Err(ModelError::unsupported(
            format!("{place}: {}", clip(name)),
            "a tensor that no part of this model reads; leaving it out would change the result",
        )),
    }
}

fn load_gguf(path: &Path) -> Result<Model, ModelError> {
    let file = File::open(path).map_err(|e| ModelError::io(show(path), e))?;
    Ok(Model { name: stem(path), ..Model::from_gguf(&show(path), file)? })
}

fn load_llama2c(path: &Path) -> Result<Model, ModelError> {
    let place = show(path);
    let (config, weights) = llama2c::parse(&place, &read_whole(path, MAX_WHOLE_FILE_BYTES)?)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let vocabularies = files(folder, |n| n.starts_with("tok") && n.ends_with(".bin"))?;
    let tokenizer = match vocabularies.as_slice() {
        [one] => Tokenizer::from_llama2c(&show(one), &read_whole(one, MAX_WHOLE_FILE_BYTES)?, config.vocab)?,
        several => Tokenizer::absent(&format!("{}: {} tok*.bin files, expected one", show(folder), several.len())),
    };
    Ok(Model { name: stem(path), config, weights: Some(weights), tokenizer })
}
