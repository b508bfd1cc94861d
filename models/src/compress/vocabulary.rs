//! What published systems can say about a format and this crate cannot yet: each term by name, with the nearest that
//! works. A term leaves this table on the day its variant in `format.rs` is built. Nothing here is ever approximated.
//!
//! Data types of weights (`nf4`, `flint`, `codebook` ...) stand in `hw_config::numeric::format`, because the machine's
//! arithmetic decides which exist; this module has the rest.

use hw_config::isa::Sparsity;

/// Where in a profile a term stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A key at the top of the file.
    Top,
    /// A key of a `[[tensor]]` rule.
    TensorKey,
    /// The value of `weights`.
    Weights,
    /// The value of `scales`.
    Scales,
    /// The value of `sparsity`.
    Sparsity,
    /// A key of `[activations]`.
    ActivationsKey,
    /// The value of `activations.kind`.
    ActivationsKind,
    /// A key of `[kv]`.
    KvKey,
    /// The value of `kv.kind`.
    KvKind,
}

/// A term that is refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Where it may be written.
    pub place: Place,
    /// As it is written.
    pub name: &'static str,
    /// What it is, with a system that has it.
    pub what: &'static str,
    /// The nearest that works.
    pub nearest: &'static str,
}

/// The term `name` at `place`, if it is known and not built.
pub fn not_built(place: Place, name: &str) -> Option<&'static Term> {
    NOT_BUILT.iter().find(|term| term.place == place && term.name == name)
}

/// The built pattern nearest to N:M from above: the sparsest that keeps at least N of M, else dense.
pub(super) fn nearest_pattern(n: u32, m: u32) -> Sparsity {
    let keeps_enough = |s: &Sparsity| {
        let (kept, of) = s.pattern();
        u64::from(kept) * u64::from(m) >= u64::from(n) * u64::from(of)
    };
    let denser = |s: &Sparsity| {
        let (kept, of) = s.pattern();
        (kept * 16 / of, of)
    };
    let uniform = Sparsity::ALL.iter().copied().filter(|pattern| !pattern.is_of_blocks());
    uniform.filter(keeps_enough).min_by_key(denser).unwrap_or(Sparsity::Dense)
}

const fn top(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::Top, name, what, nearest }
}

const fn key(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::TensorKey, name, what, nearest }
}

const fn weights(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::Weights, name, what, nearest }
}

const fn scales(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::Scales, name, what, nearest }
}

const fn sparsity(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::Sparsity, name, what, nearest }
}

const fn activations_key(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::ActivationsKey, name, what, nearest }
}

const fn activations(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::ActivationsKind, name, what, nearest }
}

const fn kv_key(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::KvKey, name, what, nearest }
}

const fn kv(name: &'static str, what: &'static str, nearest: &'static str) -> Term {
    Term { place: Place::KvKind, name, what, nearest }
}

/// Every term, by place.
pub const NOT_BUILT: &[Term] = &[
    top("attention", "attention sparsity, KV paging and eviction", "leave it out: attention is dense"),
    top("activation_sparsity", "skipping small activations (predictors, thresholds)", "leave it out: all are computed"),
    top("tokens", "dropping or merging tokens between layers", "leave it out: every layer sees every token"),
    top("decoding", "speculative decoding, early exit", "leave it out: one token a step"),
    top(
        "experts",
        "expert caches and per-expert widths at run time",
        "a `[[tensor]]` rule for `layers.*.feed_forward.experts.**`",
    ),
    key("bits", "the width of codes apart from their type", "`weights = \"int4\"`"),
    key("dtype", "the type of codes apart from their width", "`weights = \"int4\"`"),
    key("scale_bits", "scales of any width", "`scales = \"f16\"` or `scales = \"two-level\"`"),
    key("zero_bits", "asymmetric codes with a zero point", "leave it out: codes are symmetric"),
    key("scale2", "a second scale level of any group and width (DGQ, SpQR)", "`scales = \"two-level\"`"),
    key("codebook", "weights looked up in a codebook (SqueezeLLM, eDKM, AQLM)", "`weights = \"int4\"`"),
    key("planes", "bit-planes (ABQ-LLM, DB-LLM, BitStack)", "`weights = \"int4\"`"),
    key("nested", "narrow codes inside wide ones (D2MoE)", "`weights = \"int8\"`"),
    key("mixed", "a data type chosen for each group", "`weights = \"bitmod-fp4\"`: a special value for each group"),
    key("outliers", "separate storage of outliers (SqueezeLLM, SpQR, PB-LLM)", "`weights = \"int8\"`"),
    key("lowrank", "a product of two thin matrices (WeLore, SLTrain)", "leave it out: the matrix is stored whole"),
    key("blockdiag", "block-diagonal matrices", "leave it out: the matrix is stored whole"),
    key("entropy", "entropy-coded weights (DFloat11, QMoE)", "`weights = \"int2\"`"),
    key("delta", "a sparse difference to a base model (SFT, ComPEFT)", "leave it out: store the sum"),
    key("hadamard", "codes after a Hadamard transform (QuEST)", "leave it out: codes of the weights themselves"),
    key("density", "a share of weights without a pattern", "`sparsity = \"4:16\"`"),
    key("block", "blocks of weights kept or dropped whole", "`sparsity = \"4:16\"`"),
    key("index_bits", "indices of any width", "leave it out: log2 M bits follow from the pattern"),
    key("mask_file", "a mask from a file", "`sparsity = \"as-found\"` on weights that have the mask applied"),
    key("act_bits", "the width of activations", "`[activations] kind = \"f16\"`"),
    key("kv_bits", "the width of keys and values", "`[kv] kind = \"f16\"`"),
    weights("int", "integer codes without a width", "`int8`, `int4` or `int3`"),
    weights("fp", "floating-point codes without a width", "`fp6-e2m3`, `fp4` or `fp3`"),
    weights("f32", "float weights of a linear", "`f16`"),
    weights("bf16", "float weights of a linear", "`f16`"),
    weights("shared", "vectors of codes shared between tensors (VQ-Logits)", "`int4`"),
    scales("f32", "f32 scales", "`f16`"),
    scales("bf16", "bf16 scales", "`f16`"),
    scales("int8", "8-bit scales below one f16 an output (BitMoD, double quantization)", "`two-level`"),
    scales("e8m0", "powers of two (MX formats)", "`f16`"),
    scales("pow2", "powers of two (ShiftAddLLM)", "`f16`"),
    sparsity("nm", "an N:M pattern without its numbers", "`2:4`, `1:4`, `2:16`, `4:16` or `8:16`"),
    sparsity("block", "blocks kept or dropped whole", "`4:16`"),
    sparsity("group", "groups of weights kept or dropped whole (GQSA)", "`8:16`"),
    sparsity("unstructured", "any weight kept or dropped (SquareHead)", "`8:16`"),
    sparsity("channel", "whole outputs dropped (ZipLM)", "`dense` on a model with narrower layers"),
    sparsity("hidden", "whole hidden dimensions dropped", "`dense` on a model with a narrower hidden size"),
    sparsity("layer", "whole layers dropped (LLM-Drop)", "`dense` on a model with fewer layers"),
    activations_key("bits", "the width of codes apart from their type", "`kind = \"int8-dynamic\"`"),
    activations_key(
        "group",
        "activation scales for groups of a vector",
        "`kind = \"int8-dynamic\"`: one scale a token",
    ),
    activations_key("outliers", "separate storage of activation outliers (mllm-NPU)", "`kind = \"int8-dynamic\"`"),
    activations_key("hadamard", "codes after a Hadamard transform (QuEST)", "`kind = \"int8-dynamic\"`"),
    activations("int4", "4-bit activations", "`int8-dynamic`"),
    activations("int6", "6-bit activations (ABQ-LLM)", "`int8-dynamic`"),
    activations("int16", "16-bit integer activations", "`f16`"),
    activations("int8", "INT8 without saying how the scale is found", "`int8-dynamic` or `int8-static`"),
    activations("fp8", "8-bit floating-point activations", "`f16`"),
    activations("bf16", "bf16 activations (FineQuant)", "`f16`"),
    activations("f32", "f32 activations", "`f16`"),
    kv_key("bits", "the width of codes apart from their type", "`kind = \"int8\"`"),
    kv_key("important", "wide codes for important tokens (ZipVL)", "`kind = \"int8\"` for all tokens"),
    kv_key("rest", "narrow codes for unimportant tokens (ZipVL)", "`kind = \"int8\"` for all tokens"),
    kv_key("ratio", "the share of important tokens (ZipVL)", "`kind = \"int8\"` for all tokens"),
    kv_key("group", "KV scales for groups of a head", "`kind = \"int8\"`: one scale a token and head"),
    kv("int2", "2-bit keys and values", "`int8`"),
    kv("int4", "4-bit keys and values", "`int8`"),
    kv("fp8", "8-bit floating-point keys and values", "`f16`"),
    kv("bf16", "bf16 keys and values", "`f16`"),
    kv("mixed", "codes of two widths (ZipVL)", "`int8`"),
];
