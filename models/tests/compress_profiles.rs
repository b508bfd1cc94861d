//! Profile files: what is shipped, what is refused by name, and every fault of a file at once.

use hw_config::isa::{Code, Sparsity};
use models::compress::vocabulary::{NOT_BUILT, Place};
use models::compress::{
    ActivationFormat, FloatFormat, Format, Grouping, IntegerFormat, KvFormat, Profile, ScaleFormat, SparsityRule,
    Specials, TensorFormat, WeightFormat, format_names, max_group_scale, shipped_profile,
};

const GOOD: &str = r#"
summary = "test"
[[tensor]]
match = "**"
weights = "int4"
group = 32
scales = "f16"
sparsity = "dense"
[activations]
kind = "int8-dynamic"
[kv]
kind = "int8"
"#;

fn parsed(text: &str) -> Profile {
    Profile::from_toml("formats/test.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The messages of the faults of `text`.
fn faults(text: &str) -> Vec<String> {
    match Profile::from_toml("formats/test.toml", text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

fn integer(bits: Code, group: Grouping, scales: ScaleFormat, sparsity: SparsityRule) -> TensorFormat {
    TensorFormat {
        weights: WeightFormat::Integer(IntegerFormat { code: bits, group, scales, max_scale: max_group_scale(bits) }),
        sparsity,
    }
}

#[test]
fn every_shipped_profile_is_valid_and_named_after_its_file() {
    let mut profiles = 0;
    for name in format_names() {
        match Format::by_name(name).unwrap() {
            Format::Float => assert_eq!(name, "float"),
            Format::Compressed(profile) => {
                assert_eq!(profile.name(), name);
                profiles += 1;
            }
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("formats");
    let files = std::fs::read_dir(folder).unwrap().count();
    println!("{profiles} profiles compared with {files} files");
    assert!(profiles == files && files >= 12, "every file of the folder is shipped");
}

#[test]
fn shipped_formats_are_what_their_names_say() {
    let of = |format: &str, tensor| match Format::by_name(format).unwrap() {
        Format::Compressed(profile) => profile.format_of(tensor),
        Format::Float => panic!("{format} is a profile"),
    };
    let (channel, f16, dense) = (Grouping::Channel, ScaleFormat::F16, SparsityRule::Dense);
    let g32 = Grouping::Stored(32);
    let query = "layers.3.attention.query";
    assert_eq!(of("w8a8", query), integer(Code::I8, channel, f16, dense));
    assert_eq!(of("w5a8", query), integer(Code::I5, g32, f16, dense));
    assert_eq!(of("w5a8", "output"), integer(Code::I8, channel, f16, dense));
    assert_eq!(of("w4a8", query), integer(Code::I4, g32, f16, dense));
    assert_eq!(of("w4a8", "output"), integer(Code::I8, channel, f16, dense));
    assert_eq!(of("w4a8", "layers.0.feed_forward.router"), integer(Code::I8, channel, f16, dense));
    assert_eq!(of("w4a8-g128", query), integer(Code::I4, Grouping::Stored(128), f16, dense));
    assert_eq!(of("w4a8-two-level", query), integer(Code::I4, g32, ScaleFormat::TwoLevel, dense));
    assert_eq!(of("w3a8", query), integer(Code::I3, g32, f16, dense));
    assert_eq!(of("w2a8", query), integer(Code::I2, g32, f16, dense));
    assert_eq!(of("w8a8-4of16", query), integer(Code::I8, channel, f16, SparsityRule::Magnitude(Sparsity::N4M16)));
    assert_eq!(of("w8a8-4of16", "output"), integer(Code::I8, channel, f16, dense));
    assert_eq!(of("sparse", query), integer(Code::I8, channel, f16, SparsityRule::AsFound));
    assert_eq!(of("w4a8-sparse", query), integer(Code::I4, g32, f16, SparsityRule::AsFound));
    let g128 = Grouping::Stored(128);
    let two_level = ScaleFormat::TwoLevel;
    let float = |code, specials| TensorFormat {
        weights: WeightFormat::Float(FloatFormat { code, specials, group: g128, scales: two_level }),
        sparsity: dense,
    };
    let wide = |code| TensorFormat {
        weights: WeightFormat::Integer(IntegerFormat { code, group: g128, scales: two_level, max_scale: 255 }),
        sparsity: dense,
    };
    assert_eq!(of("w6a16", query), wide(Code::I6));
    assert_eq!(of("w4a16", query), wide(Code::I4));
    assert_eq!(of("w3a16", query), wide(Code::I3));
    assert_eq!(of("w4a16-fp4", query), float(Code::Fp4, Specials::None));
    assert_eq!(of("w3a16-fp3", query), float(Code::Fp3, Specials::None));
    assert_eq!(of("w4a16-bitmod", query), float(Code::Fp4, Specials::All));
    assert_eq!(of("w3a16-bitmod", query), float(Code::Fp3, Specials::All));
    assert_eq!(parsed(shipped_profile("w4a16-bitmod").unwrap()).activations(), ActivationFormat::F16);
    for (name, kind) in [("w8a8", ActivationFormat::Int8Dynamic), ("w8a8-static", ActivationFormat::Int8Static)] {
        let profile = parsed(shipped_profile(name).unwrap());
        assert_eq!((profile.activations(), profile.kv()), (kind, KvFormat::Int8));
    }
}

/// Every value of `weights` with what it means, and the integer scales that its groups may have.
#[test]
fn weights_have_the_types_of_their_names() {
    let with = |weights: &str, kind: &str| {
        let text = GOOD.replace("\"int4\"", &format!("\"{weights}\"")).replace("\"f16\"", "\"two-level\"");
        parsed(&text.replace("\"int8-dynamic\"", &format!("\"{kind}\""))).format_of("output").weights
    };
    let (group, scales) = (Grouping::Stored(32), ScaleFormat::TwoLevel);
    let integers = [("int2", Code::I2, 15), ("int3", Code::I3, 15), ("int4", Code::I4, 15), ("int5", Code::I5, 8)];
    let wider = [("int6", Code::I6, 4), ("int7", Code::I7, 2)];
    for (name, code, max_scale) in integers.into_iter().chain(wider) {
        let format = |max_scale| WeightFormat::Integer(IntegerFormat { code, group, scales, max_scale });
        assert_eq!((with(name, "int8-dynamic"), with(name, "f16")), (format(max_scale), format(255)), "{name}");
    }
    let eight = IntegerFormat { code: Code::I8, group, scales, max_scale: 255 };
    assert_eq!(with("int8", "f16"), WeightFormat::Integer(eight));
    let floats = [
        ("fp3", Code::Fp3, Specials::None),
        ("fp3-er", Code::Fp3, Specials::ExtendedResolution),
        ("fp3-ea", Code::Fp3, Specials::ExtendedAsymmetry),
        ("bitmod-fp3", Code::Fp3, Specials::All),
        ("fp4", Code::Fp4, Specials::None),
        ("fp4-er", Code::Fp4, Specials::ExtendedResolution),
        ("fp4-ea", Code::Fp4, Specials::ExtendedAsymmetry),
        ("bitmod-fp4", Code::Fp4, Specials::All),
        ("flint4", Code::Flint4, Specials::None),
        ("fp6-e2m3", Code::Fp6E2M3, Specials::None),
        ("fp6-e3m2", Code::Fp6E3M2, Specials::None),
    ];
    for (name, code, specials) in floats {
        let format = WeightFormat::Float(FloatFormat { code, specials, group, scales });
        assert_eq!((with(name, "int8-dynamic"), with(name, "f16")), (format, format), "{name}");
    }
    println!("{} values of `weights` compared", 7 + floats.len());
    let kinds = parsed(&GOOD.replace("int8-dynamic", "f16").replace("kind = \"int8\"", "kind = \"f16\""));
    assert_eq!((kinds.activations(), kinds.kv()), (ActivationFormat::F16, KvFormat::F16));
}

#[test]
fn the_last_rule_that_matches_decides() {
    let rule = |pattern: &str, weights: &str| {
        format!(
            "[[tensor]]\nmatch = \"{pattern}\"\nweights = \"{weights}\"\ngroup = \"channel\"\nscales = \"f16\"\nsparsity = \"dense\"\n"
        )
    };
    let rules = rule("layers.*.attention.*", "int8") + &rule("layers.2.**", "int3") + &rule("**.query", "int2");
    let profile = parsed(&GOOD.replace("[activations]", &(rules + "[activations]")));
    let bits = |name| match profile.format_of(name).weights {
        WeightFormat::Integer(format) => format.code.bits(),
        WeightFormat::Float(format) => panic!("{format:?} is not in the rules"),
    };
    let names = [
        "output",
        "layers.1.feed_forward.up",
        "layers.1.attention.key",
        "layers.2.attention.key",
        "layers.2.attention.query",
    ];
    assert_eq!(names.map(bits), [4, 4, 8, 3, 2]);
}

#[test]
fn a_pattern_may_name_any_layer_and_expert_and_must_match_some_linear() {
    let with = |pattern: &str| {
        let rule = GOOD[GOOD.find("[[tensor]]").unwrap()..GOOD.find("[activations]").unwrap()].replace("**", pattern);
        faults(&GOOD.replace("[activations]", &(rule + "[activations]")))
    };
    let good = [
        "layers.31.**",
        "layers.1*2.attention.query",
        "layers.7*.feed_forward.experts.*.up",
        "**.experts.63.down",
        "out*",
        "layers.*.feed_forward.experts.127.gate",
    ];
    for pattern in good {
        assert_eq!(with(pattern), Vec::<String>::new(), "{pattern}");
    }
    for pattern in
        ["layer.*.attention.*", "layers.*", "layers.*.attention.query.bias", "embedding", "lm_head", "layers.x.**"]
    {
        assert!(with(pattern)[0].contains("expected a pattern that some linear's name matches"), "{pattern}");
    }
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let text = r#"
sumary = "typo"
[[tensor]]
match = "layers.*.atention.*"
weights = "nf4"
group = 48
scales = "f61"
nested = true
[activations]
kind = 8
[kv]
kind = "int4"
"#;
    let faults = faults(text);
    let expected = [
        "formats/test.toml: `summary` is missing, expected a string; add `summary`",
        "formats/test.toml: `sumary` is unknown, expected one of the keys summary, tensor, activations, kv; did you mean `summary`?",
        "formats/test.toml: `tensor[0].sparsity` is missing, expected one of dense, as-found, 2:4, 2:16, 4:16, 8:16, 1:4, blocks-4:16, blocks-6:16, blocks-8:16, blocks-10:16, blocks-12:16; add `sparsity`",
        "`tensor[0].match` is `layers.*.atention.*`, expected \"**\" in the first rule",
        "`tensor[0].match` is `layers.*.atention.*`, expected a pattern that some linear's name matches",
        "`tensor[0].weights` is `nf4`, which is not built (4-bit normal-quantile table), expected one of f16, int8, int7, int6, int5, int4, int3, int2, fp6-e2m3, fp6-e3m2, flint4, fp4, fp4-er, fp4-ea, bitmod-fp4, fp3, fp3-er, fp3-ea, bitmod-fp3; nearest that works: `int4`",
        "`tensor[0].group` is `48`, expected 32, 64, 128 or \"channel\"; groups of that length are not built; nearest that works: 32",
        "`tensor[0].scales` is `f61`, expected one of f16, two-level; did you mean `f16`?",
        "`tensor[0].nested` is not built (narrow codes inside wide ones (D2MoE)), expected one of the keys match, weights",
        "`activations.kind` is `8`, expected one of int8-dynamic, int8-static",
        "`kv.kind` is `int4`, which is not built (4-bit keys and values), expected one of int8, f16; nearest that works: `int8`",
    ];
    for part in expected {
        assert!(faults.iter().any(|fault| fault.contains(part)), "no fault says {part:?}:\n{}", faults.join("\n"));
    }
    assert_eq!(faults.len(), expected.len(), "{}", faults.join("\n"));
}

/// A good profile with `line` in the place where a term of `place` stands.
fn with_term(place: Place, name: &str) -> String {
    match place {
        Place::Top => format!("{GOOD}\n[{name}]\nx = 1\n"),
        Place::TensorKey => GOOD.replace("group = 32", &format!("group = 32\n{name} = 1")),
        Place::Weights => GOOD.replace("\"int4\"", &format!("\"{name}\"")),
        Place::Scales => GOOD.replace("\"f16\"", &format!("\"{name}\"")),
        Place::Sparsity => GOOD.replace("\"dense\"", &format!("\"{name}\"")),
        Place::ActivationsKey => GOOD.replace("\"int8-dynamic\"", &format!("\"int8-dynamic\"\n{name} = 1")),
        Place::ActivationsKind => GOOD.replace("\"int8-dynamic\"", &format!("\"{name}\"")),
        Place::KvKey => format!("{GOOD}\n{name} = 1\n"),
        Place::KvKind => GOOD.replace("\"int8\"\n", &format!("\"{name}\"\n")),
    }
}

/// The vocabulary of published compression systems, by where a profile would say it. Written out here and not taken
/// from the crate's table: a term that nobody refuses by name must fail.
const VOCABULARY: &[(Place, &[&str])] = &[
    (
        Place::Weights,
        &[
            "int", "int1", "int16", "fp", "fp5", "fp6", "fp8", "flint", "ternary", "binary", "bipolar", "nf4", "table",
            "codebook", "planes", "nested", "mixed", "outliers", "shiftadd", "entropy", "dfloat11", "lowrank", "delta",
            "hadamard", "bf16", "f32", "fp16", "fp32",
        ],
    ),
    (
        Place::TensorKey,
        &[
            "bits",
            "dtype",
            "scale_bits",
            "zero_bits",
            "scale2",
            "codebook",
            "planes",
            "nested",
            "mixed",
            "outliers",
            "lowrank",
            "blockdiag",
            "entropy",
            "delta",
            "hadamard",
            "density",
            "block",
            "index_bits",
            "mask_file",
            "act_bits",
            "kv_bits",
        ],
    ),
    (Place::Scales, &["f32", "bf16", "int8", "e8m0"]),
    (
        Place::Sparsity,
        &["nm", "block", "group", "unstructured", "channel", "hidden", "layer", "3:4", "4:8", "6:8", "16:32", "1:2"],
    ),
    (Place::ActivationsKey, &["bits", "group", "outliers", "hadamard"]),
    (Place::ActivationsKind, &["int4", "int6", "int8", "int16", "fp8", "bf16", "f32"]),
    (Place::KvKey, &["bits", "important", "rest", "ratio"]),
    (Place::KvKind, &["int2", "int4", "fp8", "bf16", "mixed"]),
    (Place::Top, &["attention", "activation_sparsity", "tokens", "decoding", "experts"]),
];

#[test]
fn the_whole_vocabulary_is_refused_by_name_with_the_nearest_that_works() {
    let own = NOT_BUILT.iter().map(|term| (term.place, term.name));
    let all = VOCABULARY.iter().flat_map(|(place, names)| names.iter().map(|name| (*place, *name))).chain(own);
    let mut refused = 0;
    for (place, name) in all {
        let text = with_term(place, name);
        assert_ne!(text, GOOD);
        let faults = faults(&text);
        assert_eq!(faults.len(), 1, "{place:?} {name}: {}", faults.join("\n"));
        let told =
            faults[0].contains(name) && faults[0].contains("not built") && faults[0].contains("nearest that works: ");
        assert!(told, "{place:?} {name}: {}", faults[0]);
        refused += 1;
    }
    println!("{refused} terms refused by name");
    assert!(refused > 100);
}

#[test]
fn advice_names_something_that_really_works() {
    for (asked, advised) in [("3:16", "1:4"), ("3:4", "dense"), ("4:8", "2:4"), ("1:16", "2:16"), ("16:32", "2:4")] {
        let faults = faults(&with_term(Place::Sparsity, asked));
        assert!(faults[0].ends_with(&format!("nearest that works: `{advised}`")), "{asked}: {}", faults[0]);
    }
    for (place, names) in VOCABULARY.iter().filter(|(place, _)| *place == Place::Weights) {
        for name in *names {
            let message = faults(&with_term(*place, name)).remove(0);
            let advised = message.rsplit('`').nth(1).unwrap().to_owned();
            // f16 weights have no groups, which the refusal of a group says.
            let group = if advised == "f16" { "group = \"channel\"" } else { "group = 32" };
            let works = with_term(Place::Weights, &advised).replace("group = 32", group);
            assert_eq!(faults(&works), Vec::<String>::new(), "{name}: {message}");
        }
    }
}

#[test]
fn relations_between_keys_are_checked() {
    let cases = [
        (GOOD.replace("\"f16\"", "\"two-level\"").replace("\"int4\"", "\"int8\""), "two-level with 8-bit codes"),
        (GOOD.replace("\"f16\"", "\"two-level\"").replace("32", "\"channel\""), "two-level with one group an output"),
        (GOOD.replace("\"**\"", "\"layers.**\""), "expected \"**\" in the first rule"),
        (GOOD.replace("\"**\"", "\"\""), "expected a pattern of 1 to 128 bytes"),
        (GOOD.replace("\"**\"", &format!("\"{}\"", "*".repeat(129))), "expected a pattern of 1 to 128 bytes"),
        (GOOD.replace("32", "32.0"), "`tensor[0].group` is `32.0`"),
        (GOOD.replace("32", "-32"), "`tensor[0].group` is `-32`"),
        (GOOD.replace("32", "99999999999999999999"), "`tensor[0].group` is `99999999999999999999`"),
        (GOOD.replace("[[tensor]]", "[tensor]"), "expected 1 to 1024 `[[tensor]]` rules"),
        (GOOD.replace("[kv]", "[[kv]]"), "`kv` is an array of 1, expected a table"),
        (GOOD.replace("\"test\"", "\"\""), "`summary` is"),
        (GOOD.replace("group = 32", "group = 32\ngroup = 64"), "not TOML"),
        (GOOD.replace("\"dense\"", "\"5:4\""), "`tensor[0].sparsity` is `5:4`, expected one of dense"),
        (GOOD.replace("\"dense\"", "\"0:0\""), "`tensor[0].sparsity` is `0:0`, expected one of dense"),
        (GOOD.replace("[kv]", "[kv"), "not TOML"),
        ("x = ".to_owned() + &"[".repeat(100_000), "not TOML"),
        (String::new(), "`tensor` is missing"),
    ];
    for (text, expected) in &cases {
        let faults = faults(text);
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "no fault says {expected:?}: {}",
            faults.join("\n")
        );
    }
    assert_eq!(faults(GOOD), Vec::<String>::new());
}

#[test]
fn the_name_float_is_reserved_and_unknown_formats_name_the_nearest() {
    let taken = Profile::from_toml("formats/float.toml", GOOD).unwrap_err().to_string();
    assert!(taken.contains("that name is the reference's"), "{taken}");
    let unknown = Format::by_name("w4a8-g182").unwrap_err().to_string();
    assert!(unknown.contains("got `w4a8-g182`") && unknown.contains("did you mean `w4a8-g128"), "{unknown}");
}

#[test]
fn a_fault_shows_its_place_in_the_file() {
    let text = GOOD.replace("\"int4\"", "\"int16\"");
    let rendered = Profile::from_toml("formats/test.toml", &text).unwrap_err().render(&text);
    assert!(rendered.contains("weights = \"int16\"") && rendered.contains("^^^^^^"), "{rendered}");
}
