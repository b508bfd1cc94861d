//! Compression profiles: which format each tensor gets, and the formats that are shipped.
//!
//! A profile is rules in order; the last rule that matches a tensor's name decides. Its first rule matches everything,
//! so every linear has a format. `profile_file.rs` reads and checks; a `Profile` is correct by construction.
//! This module must never see weights.

use hw_config::fault::{Faults, suggest};
use hw_config::keys::KeySpec;

use super::format::{ActivationFormat, KvFormat, TensorFormat};
use super::{pattern, profile_file};
use crate::ModelError;

/// The name of the uncompressed reference, which no profile file may take.
pub const FLOAT: &str = "float";

/// What `--format` can name.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// The float reference executor: no compression, no machine.
    Float,
    /// A compression profile.
    Compressed(Profile),
}

/// A checked compression profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) rules: Vec<Rule>,
    pub(super) activations: ActivationFormat,
    pub(super) kv: KvFormat,
}

/// One rule of a profile.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) pattern: String,
    pub(super) format: TensorFormat,
}

impl Profile {
    /// Reads and checks a profile. `file` is the path for messages; its stem becomes the profile's name.
    ///
    /// # Errors
    /// Every fault of the file at once.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, Faults> {
        profile_file::read(file, text)
    }

    /// Every table and key of a profile file.
    pub fn reference() -> Vec<KeySpec> {
        profile_file::reference()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line on what it is.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The format of the linear `name` (canonical, such as `layers.3.attention.query`); data is not needed.
    pub fn format_of(&self, name: &str) -> TensorFormat {
        let rule = self.rules.iter().rev().find(|rule| pattern::matches(&rule.pattern, name));
        rule.expect("the first rule of a checked profile matches every name").format
    }

    /// How the inputs of linears are coded.
    pub fn activations(&self) -> ActivationFormat {
        self.activations
    }

    /// How keys and values are stored.
    pub fn kv(&self) -> KvFormat {
        self.kv
    }
}

impl Format {
    /// The shipped format `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known ones.
    pub fn by_name(name: &str) -> Result<Self, ModelError> {
        if name == FLOAT {
            return Ok(Self::Float);
        }
        let Some((_, text)) = SHIPPED.iter().find(|(known, _)| *known == name) else {
            let all: Vec<&str> = format_names().collect();
            let advice = suggest(name, all.iter().copied(), "or give the path of a profile file");
            return Err(ModelError::input(
                "format",
                format!("got `{name}`, expected one of {}; {advice}", all.join(", ")),
            ));
        };
        match Profile::from_toml(&format!("{name}.toml"), text) {
            Ok(profile) => Ok(Self::Compressed(profile)),
            Err(faults) => panic!("shipped format {name} is faulty: {faults}"),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Float => FLOAT,
            Self::Compressed(profile) => profile.name(),
        }
    }
}

/// The names of all formats: the reference first, then the shipped profiles.
pub fn format_names() -> impl Iterator<Item = &'static str> {
    std::iter::once(FLOAT).chain(SHIPPED.iter().map(|(name, _)| *name))
}

/// The text of the shipped profile `name`.
pub fn shipped_profile(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../formats/", $name, ".toml")))),+]
    };
}

/// Shipped profiles, in the order of lists.
const SHIPPED: &[(&str, &str)] = shipped![
    "w8a8",
    "w8a8-static",
    "w5a8",
    "w4a8",
    "w4a8-g64",
    "w4a8-g128",
    "w4a8-two-level",
    "w4a8-two-level-g128",
    "w3a8",
    "w2a8",
    "w8a8-2of4",
    "w8a8-8of16",
    "w8a8-4of16",
    "w8a8-1of4",
    "w8a8-blocks-8of16",
    "w8a8-blocks-4of16",
    "w4a8-2of4",
    "w4a8-2of4-g128",
    "w4a8-blocks-8of16",
    "mixed-n16",
    "sparse",
    "w4a8-sparse",
    "flightllm",
    "w16a16-kv16",
    "w6a16",
    "w6a16-kv16",
    "w4a16",
    "w4a16-fp4",
    "w4a16-bitmod",
    "w4a16-bitmod-kv16",
    "w3a16",
    "w3a16-fp3",
    "w3a16-bitmod",
    "w3a16-bitmod-kv16",
    "ant-like-prompt",
    "ant-like-token",
    "olive-like-prompt",
    "olive-like-token",
];
