//! Formats: those that are shipped, every width in every pattern, and some that differ from tensor to tensor.

use models::compress::{ActivationFormat, Format, Profile, format_names};

/// Codes that the sparse chain takes.
pub(crate) const WIDTHS: [&str; 5] = ["int2", "int3", "int4", "int5", "int8"];

/// Patterns of the sparse chain.
pub(crate) const PATTERNS: [&str; 11] = [
    "dense",
    "2:4",
    "1:4",
    "2:16",
    "4:16",
    "8:16",
    "blocks-4:16",
    "blocks-6:16",
    "blocks-8:16",
    "blocks-10:16",
    "blocks-12:16",
];

/// Weights of a group, and the kind of their scales. As many as are prime to the widths, so that each meets each.
pub(crate) const GROUPS: [(&str, &str); 7] = [
    ("channel", "f16"),
    ("32", "f16"),
    ("64", "f16"),
    ("128", "f16"),
    ("32", "two-level"),
    ("64", "two-level"),
    ("128", "two-level"),
];

/// Shipped formats of INT8 activations.
pub(crate) fn shipped() -> Vec<&'static str> {
    let takes = |name: &&str| match Format::by_name(name) {
        Ok(Format::Compressed(profile)) => match profile.activations() {
            ActivationFormat::Int8Dynamic | ActivationFormat::Int8Static => true,
            ActivationFormat::F16 => false,
        },
        Ok(Format::Float) => false,
        Err(error) => panic!("{name}: {error}"),
    };
    format_names().filter(takes).collect()
}

/// Weights, group, scales and sparsity of the tensors of some names.
type Rule<'a> = (&'a str, &'a str, (&'a str, &'a str), &'a str);

fn of_rules(name: &str, rules: &[Rule<'_>]) -> Profile {
    let mut text = String::from("summary = \"of a test\"\n");
    for (names, weights, (group, scales), sparsity) in rules {
        let group = if *group == "channel" { "\"channel\"" } else { group };
        text += &format!(
            "[[tensor]]\nmatch = \"{names}\"\nweights = \"{weights}\"\ngroup = {group}\nscales = \"{scales}\"\n\
             sparsity = \"{sparsity}\"\n"
        );
    }
    text += "[activations]\nkind = \"int8-dynamic\"\n[kv]\nkind = \"int8\"\n";
    Profile::from_toml(name, &text).unwrap_or_else(|faults| panic!("{name}: {faults}\n{text}"))
}

/// All linears alike.
pub(crate) fn uniform(weights: &str, group: (&str, &str), sparsity: &str) -> Profile {
    // Two-level integers times a code of 8 bits do not fit INT8.
    let group = if weights == "int8" { (group.0, "f16") } else { group };
    of_rules(&format!("{weights} {group:?} {sparsity}"), &[("**", weights, group, sparsity)])
}

/// Another width, group and pattern for each linear of a layer, and others again for every second layer. Channels only where
/// N goes by the block, so that every optimisation can be left out.
pub(crate) fn mixed(model: &str) -> Profile {
    let mut rules: Vec<Rule<'_>> = vec![
        ("**", "int4", ("32", "f16"), "dense"),
        ("layers.*.attention.query", "int5", ("channel", "f16"), "blocks-6:16"),
        ("layers.*.attention.key", "int3", ("64", "two-level"), "2:4"),
        ("layers.*.attention.value", "int8", ("channel", "f16"), "8:16"),
        ("layers.*.attention.output", "int2", ("32", "f16"), "2:16"),
        ("layers.*1.attention.query", "int8", ("channel", "f16"), "dense"),
        ("layers.*1.attention.output", "int4", ("channel", "f16"), "blocks-12:16"),
    ];
    rules.extend_from_slice(match model {
        "tiny-mixtral" => &[
            ("layers.*.feed_forward.router", "int8", ("channel", "f16"), "dense"),
            ("layers.*.feed_forward.experts.*.gate", "int2", ("64", "f16"), "4:16"),
            ("layers.*.feed_forward.experts.*.up", "int5", ("32", "two-level"), "1:4"),
            ("layers.*.feed_forward.experts.*.down", "int4", ("channel", "f16"), "blocks-10:16"),
            ("layers.*1.feed_forward.experts.*.down", "int3", ("128", "f16"), "dense"),
        ],
        "tiny-opt" => &[
            ("layers.*.feed_forward.up", "int5", ("32", "two-level"), "4:16"),
            ("layers.*.feed_forward.down", "int3", ("128", "f16"), "8:16"),
            ("layers.*1.feed_forward.down", "int8", ("channel", "f16"), "blocks-8:16"),
        ],
        _ => &[
            ("layers.*.feed_forward.gate", "int4", ("128", "two-level"), "dense"),
            ("layers.*.feed_forward.up", "int5", ("channel", "f16"), "blocks-4:16"),
            ("layers.*.feed_forward.down", "int3", ("128", "f16"), "4:16"),
            ("layers.*1.feed_forward.down", "int2", ("32", "f16"), "1:4"),
        ],
    });
    rules.push(("output", "int8", ("channel", "f16"), "dense"));
    of_rules(&format!("mixed for {model}"), &rules)
}
