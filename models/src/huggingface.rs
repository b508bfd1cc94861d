//! `config.json` of the Hugging Face layout into a `ModelConfig`.
//!
//! Keys that do not change what is computed are ignored; a key that does, with a value not built, is refused by name.

use serde_json::{Map, Value};

use crate::ModelError;
use crate::config::{
    Activation, Architecture, Biases, Experts, Family, FeedForward, Gating, HeadNorm, ModelConfig, Norm, NormKind,
    OutputHead, Position, Residual,
};
use crate::nearest::nearest;
use crate::rope::{Rope, RopeScaling};

const ARCHITECTURES: [&str; 6] = [
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "OPTForCausalLM",
    "MixtralForCausalLM",
];

/// Longest `config.json` read, in bytes: real ones are below 64 KiB.
pub(crate) const MAX_CONFIG_BYTES: u64 = 16 << 20;

/// Parses the text of a `config.json`; `place` is its path, for messages.
///
/// # Errors
/// Malformed JSON, missing or ill-typed keys, an architecture, activation, RoPE type or option that is not built,
/// dimensions that `ModelConfig::new` refuses.
pub fn parse_config(place: &str, text: &[u8]) -> Result<ModelConfig, ModelError> {
    let value: Value = serde_json::from_slice(text).map_err(|e| {
        ModelError::input(place, format!("not a JSON object: {e}; expected a Hugging Face config.json"))
    })?;
    let Value::Object(map) = value else {
        return Err(ModelError::input(place, "got JSON that is not an object; expected a Hugging Face config.json"));
    };
    let keys = Keys { place, map: &map };
    let name = keys.architecture()?;
    let architecture = match name.as_str() {
        "LlamaForCausalLM" => keys.llama(1e-6)?,
        "MistralForCausalLM" => keys.mistral()?,
        "Qwen2ForCausalLM" => keys.qwen2()?,
        "Qwen3ForCausalLM" => keys.qwen3()?,
        "MixtralForCausalLM" => keys.mixtral()?,
        "OPTForCausalLM" => keys.opt()?,
        other => {
            let near = nearest(other, ARCHITECTURES).expect("the list is not empty");
            let known = ARCHITECTURES.join(", ");
            return Err(keys.unsupported("architectures", &format!("{other}; nearest that works: {near} (of {known})")));
        }
    };
    ModelConfig::new(place, architecture)
}

/// The object of a config with the place it came from.
struct Keys<'a> {
    place: &'a str,
    map: &'a Map<String, Value>,
}

impl Keys<'_> {
    fn fault(&self, key: &str, what: &str) -> ModelError {
        ModelError::input(format!("{}: {key}", self.place), what)
    }

    fn unsupported(&self, key: &str, what: &str) -> ModelError {
        ModelError::unsupported(format!("{}: {key}", self.place), what)
    }

    /// The value of `key`; an explicit null is the same as absent.
    fn find(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    fn optional_size(&self, key: &str) -> Result<Option<usize>, ModelError> {
        let Some(value) = self.find(key) else {
            return Ok(None);
        };
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => Err(self.fault(key, &format!("got {}, expected a whole number", brief(value)))),
        }
    }

    fn size(&self, key: &str) -> Result<usize, ModelError> {
        self.optional_size(key)?.ok_or_else(|| self.fault(key, "missing; expected a whole number"))
    }

    fn figure(&self, key: &str, default: f64) -> Result<f64, ModelError> {
        let Some(value) = self.find(key) else {
            return Ok(default);
        };
        value.as_f64().ok_or_else(|| self.fault(key, &format!("got {}, expected a number", brief(value))))
    }

    fn given_figure(&self, key: &str) -> Result<f64, ModelError> {
        match self.find(key) {
            Some(_) => self.figure(key, 0.0),
            None => Err(self.fault(key, "missing; expected a number")),
        }
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, ModelError> {
        let Some(value) = self.find(key) else {
            return Ok(default);
        };
        value.as_bool().ok_or_else(|| self.fault(key, &format!("got {}, expected true or false", brief(value))))
    }

    fn text(&self, key: &str) -> Result<Option<&str>, ModelError> {
        let Some(value) = self.find(key) else {
            return Ok(None);
        };
        match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(self.fault(key, &format!("got {}, expected a string", brief(value)))),
        }
    }

    /// Refuses by name a flag whose other value changes what is computed.
    fn require(&self, key: &str, wanted: bool) -> Result<(), ModelError> {
        if self.flag(key, wanted)? == wanted {
            return Ok(());
        }
        Err(self.unsupported(key, &format!("{}; nearest that works: {wanted}", !wanted)))
    }

    fn architecture(&self) -> Result<String, ModelError> {
        let Some(list) = self.find("architectures").and_then(Value::as_array) else {
            return Err(self.fault("architectures", "missing; expected a list with one name such as LlamaForCausalLM"));
        };
        match list.as_slice() {
            [Value::String(name)] => Ok(name.clone()),
            _ => Err(self.fault("architectures", &format!("got {} entries, expected one name", list.len()))),
        }
    }

    fn activation(&self, key: &str, default: &str) -> Result<Activation, ModelError> {
        let name = self.text(key)?.unwrap_or(default);
        match name {
            "silu" | "swish" => Ok(Activation::Silu),
            "gelu" => Ok(Activation::GeluErf),
            "gelu_new" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            other => {
                let near = nearest(other, ["silu", "gelu", "gelu_new", "relu"]).expect("the list is not empty");
                Err(self.unsupported(key, &format!("activation {}; nearest that works: {near}", clip(other))))
            }
        }
    }

    /// RoPE from `rope_parameters` (new layout) or `rope_theta` and `rope_scaling` (old layout).
    fn rope(&self, head_dim: usize, default_theta: f64) -> Result<Position, ModelError> {
        let mut theta = self.figure("rope_theta", default_theta)?;
        let mut scaling = RopeScaling::None;
        for key in ["rope_parameters", "rope_scaling"] {
            let Some(value) = self.find(key) else {
                continue;
            };
            let Value::Object(map) = value else {
                return Err(self.fault(key, &format!("got {}, expected an object", brief(value))));
            };
            let place = format!("{}: {key}", self.place);
            let inner = Keys { place: &place, map };
            scaling = inner.rope_scaling()?;
            theta = inner.figure("rope_theta", theta)?;
            inner.require_whole_rotary()?;
        }
        self.require_whole_rotary()?;
        Ok(Position::Rope(Rope { theta, rotary_dims: head_dim, scaling }))
    }

    /// The scaling that an object of RoPE parameters asks for; the keys are those of Hugging Face transformers.
    fn rope_scaling(&self) -> Result<RopeScaling, ModelError> {
        match self.text("rope_type")?.or(self.text("type")?).unwrap_or("default") {
            "default" => Ok(RopeScaling::None),
            "linear" => Ok(RopeScaling::Linear { factor: self.given_figure("factor")? }),
            "llama3" => Ok(RopeScaling::Llama3 {
                factor: self.given_figure("factor")?,
                low_freq_factor: self.given_figure("low_freq_factor")?,
                high_freq_factor: self.given_figure("high_freq_factor")?,
                original_context: self.size("original_max_position_embeddings")?,
            }),
            other => {
                let what = format!("{}; nearest that works: default, linear or llama3", clip(other));
                Err(self.unsupported("rope_type", &what))
            }
        }
    }

    fn require_whole_rotary(&self) -> Result<(), ModelError> {
        let part = self.figure("partial_rotary_factor", 1.0)?;
        if part == 1.0 {
            return Ok(());
        }
        Err(self.unsupported("partial_rotary_factor", &format!("{part}; nearest that works: 1.0")))
    }

    fn head_dim(&self, hidden: usize, heads: usize) -> Result<usize, ModelError> {
        if let Some(given) = self.optional_size("head_dim")? {
            return Ok(given);
        }
        match hidden.checked_rem(heads) {
            Some(0) => Ok(hidden / heads),
            Some(_) | None => Err(self.fault(
                "num_attention_heads",
                &format!("got {heads} for hidden_size {hidden}, expected a divisor, or head_dim given"),
            )),
        }
    }

    fn output(&self, tied_by_default: bool) -> Result<OutputHead, ModelError> {
        Ok(if self.flag("tie_word_embeddings", tied_by_default)? { OutputHead::Tied } else { OutputHead::Own })
    }

    /// What LLaMA and its relatives share; `epsilon` is the architecture's default.
    fn llama(&self, epsilon: f64) -> Result<Architecture, ModelError> {
        self.require("mlp_bias", false)?;
        let (hidden, heads) = (self.size("hidden_size")?, self.size("num_attention_heads")?);
        let head_dim = self.head_dim(hidden, heads)?;
        Ok(Architecture {
            family: Family::Llama,
            layers: self.size("num_hidden_layers")?,
            hidden,
            heads,
            kv_heads: self.optional_size("num_key_value_heads")?.unwrap_or(heads),
            head_dim,
            vocab: self.size("vocab_size")?,
            context: self.size("max_position_embeddings")?,
            feed_forward: FeedForward {
                width: self.size("intermediate_size")?,
                gating: Gating::Gated,
                activation: self.activation("hidden_act", "silu")?,
                experts: None,
            },
            norm: Norm { kind: NormKind::Rms, epsilon: self.figure("rms_norm_eps", epsilon)? },
            position: self.rope(head_dim, 10_000.0)?,
            biases: if self.flag("attention_bias", false)? { Biases::Attention } else { Biases::None },
            head_norm: HeadNorm::None,
            residual: Residual::Sequential,
            output: self.output(false)?,
            sliding_window: None,
        })
    }

    fn mistral(&self) -> Result<Architecture, ModelError> {
        Ok(Architecture { sliding_window: self.optional_size("sliding_window")?, ..self.llama(1e-6)? })
    }

    /// Qwen's `use_sliding_window` mixes layer kinds, which is refused; off, `sliding_window` means nothing.
    fn qwen2(&self) -> Result<Architecture, ModelError> {
        self.require("use_sliding_window", false)?;
        Ok(Architecture { biases: Biases::QueryKeyValue, ..self.llama(1e-6)? })
    }

    fn qwen3(&self) -> Result<Architecture, ModelError> {
        self.require("use_sliding_window", false)?;
        let head_dim = self.optional_size("head_dim")?.unwrap_or(128);
        let position = self.rope(head_dim, 10_000.0)?;
        Ok(Architecture { head_norm: HeadNorm::Rms, head_dim, position, ..self.llama(1e-6)? })
    }

    fn mixtral(&self) -> Result<Architecture, ModelError> {
        let base = self.llama(1e-5)?;
        let experts = Experts { count: self.size("num_local_experts")?, top_k: self.size("num_experts_per_tok")? };
        Ok(Architecture {
            family: Family::Mixtral,
            feed_forward: FeedForward { experts: Some(experts), ..base.feed_forward },
            position: self.rope(base.head_dim, 1_000_000.0)?,
            sliding_window: self.optional_size("sliding_window")?,
            ..base
        })
    }

    fn opt(&self) -> Result<Architecture, ModelError> {
        self.require("do_layer_norm_before", true)?;
        self.require("layer_norm_elementwise_affine", true)?;
        self.require("_remove_final_layer_norm", false)?;
        let (hidden, heads) = (self.size("hidden_size")?, self.size("num_attention_heads")?);
        let projected = self.optional_size("word_embed_proj_dim")?.unwrap_or(hidden);
        if projected != hidden {
            let what = format!("{projected} beside hidden_size {hidden}; nearest that works: equal widths");
            return Err(self.unsupported("word_embed_proj_dim", &what));
        }
        Ok(Architecture {
            family: Family::Opt,
            layers: self.size("num_hidden_layers")?,
            hidden,
            heads,
            kv_heads: heads,
            head_dim: self.head_dim(hidden, heads)?,
            vocab: self.size("vocab_size")?,
            context: self.size("max_position_embeddings")?,
            feed_forward: FeedForward {
                width: self.size("ffn_dim")?,
                gating: Gating::Plain,
                activation: self.activation("activation_function", "relu")?,
                experts: None,
            },
            norm: Norm { kind: NormKind::Layer, epsilon: 1e-5 },
            position: Position::Learned { offset: 2 },
            biases: if self.flag("enable_bias", true)? { Biases::All } else { Biases::None },
            head_norm: HeadNorm::None,
            residual: Residual::Sequential,
            output: self.output(true)?,
            sliding_window: None,
        })
    }
}

/// A JSON value short enough for an error line.
fn brief(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => format!("\"{}\"", clip(s)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

/// At most 60 characters of a string from a file, control characters escaped.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}
