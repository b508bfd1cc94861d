//! What rounding weights costs: the float reference on weights read back from their codes. Activations stay float here;
//! what INT8 activations and KV cache add is the bit-exact simulator's to say.

use std::path::Path;

use models::compress::{ActivationRanges, Format, InputSite, Profile, compress, format_names, shipped_profile};
use models::{Model, Param, Reference, Tensor, TensorId, Weights};

const WINDOW: usize = 256;

fn shipped(name: &str) -> Option<Profile> {
    match Format::by_name(name).unwrap() {
        Format::Compressed(profile) => Some(profile),
        Format::Float => None,
    }
}

fn load(name: &str) -> Model {
    Model::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The first `windows` windows of the held-out text, and the one token more that ends the last.
fn held_out(windows: usize) -> Vec<u32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/tinyshakespeare.heldout.txt");
    std::fs::read(path).unwrap()[..=windows * WINDOW].iter().map(|&byte| u32::from(byte)).collect()
}

/// Nats per byte and bits per weight of `model` in `profile` (`None`: as it is).
fn loss(model: &Model, profile: Option<&Profile>, windows: usize) -> (f64, f64) {
    let tokens = held_out(windows);
    let measured =
        |weights| Reference::with_weights(&model.config, weights).unwrap().nats_per_token(&tokens, WINDOW).unwrap();
    let weights = model.weights.as_ref().unwrap();
    let (loss, bits) = match profile {
        None => (measured(weights), 32.0),
        Some(profile) => {
            let ranges = ActivationRanges::record(model, &tokens[..WINDOW], WINDOW).unwrap();
            let compressed = compress(model, profile, Some(&ranges)).unwrap();
            (measured(&compressed.dequantized_into(weights)), compressed.bits_per_weight())
        }
    };
    assert_eq!(loss.tokens, windows * (WINDOW - 1));
    (loss.nats_per_token, bits)
}

/// The cost of each format over float, in nats per byte.
fn costs(model: &str, windows: usize, formats: &[&str]) -> Vec<f64> {
    let model = load(model);
    let (float, _) = loss(&model, None, windows);
    let cost = |name: &&str| {
        let (nats, bits) = loss(&model, shipped(name).as_ref(), windows);
        println!(
            "{} {name}: {bits:.3} bits, {nats:.4} nats over {} tokens, float {float:.4}",
            model.name,
            windows * (WINDOW - 1)
        );
        nats - float
    };
    formats.iter().map(cost).collect()
}

#[test]
fn narrower_codes_cost_more_and_no_more_than_they_should() {
    // Plain rounding to the nearest code without a search for scales costs tiny-llama 0.0002 (8 bits), 0.003 (5 bits,
    // groups of 32), 0.030 (4 bits) and 0.130 (3 bits); few windows scatter by some 0.003.
    let cost = costs("tiny-llama", 4, &["w8a8", "w5a8", "w4a8", "w3a8"]);
    let bounds = [(-0.002, 0.002), (-0.003, 0.008), (0.005, 0.04), (0.04, 0.15)];
    for (cost, (low, high)) in cost.iter().zip(bounds) {
        assert!((low..high).contains(cost), "{cost} is not in {low} to {high}");
    }
    assert!(cost[2] < cost[3], "3 bits cost more than 4");
}

#[test]
fn models_trained_sparse_lose_nothing_as_found() {
    for model in ["tiny-llama-2of4", "tiny-llama-4of16"] {
        let cost = costs(model, 2, &["sparse"]);
        assert!(cost[0].abs() < 0.002, "{model}: {cost:?}");
    }
}

#[test]
fn the_other_families_compress_too() {
    for model in ["tiny-opt", "tiny-mixtral"] {
        let cost = costs(model, 2, &["w8a8", "w4a8"]);
        assert!(cost[0].abs() < 0.005 && cost[1].abs() < 0.05, "{model}: {cost:?}");
    }
}

#[test]
fn ranges_are_those_of_the_inputs_and_scales_are_shared_by_site() {
    let model = load("tiny-mixtral");
    let tokens = held_out(1);
    let ranges = ActivationRanges::record(&model, &tokens[..64], 64).unwrap();
    let mut largest = std::collections::BTreeMap::<String, f32>::new();
    let mut reference = Reference::new(&model).unwrap();
    for &token in &tokens[..64] {
        let mut note = |id: TensorId, input: &[f32]| {
            let most = largest.entry(id.to_string()).or_insert(0.0);
            *most = input.iter().fold(*most, |most, x| most.max(x.abs()));
        };
        reference.forward_observed(token, &mut note).unwrap();
    }
    let compressed = compress(&model, &shipped("w8a8-static").unwrap(), Some(&ranges)).unwrap();
    let mut compared = 0;
    for (name, most) in &largest {
        let id = *compressed.linears.keys().find(|id| id.to_string() == *name).unwrap();
        let site = InputSite::of(id).unwrap();
        let scale = compressed.activation_scales[&site];
        // A token goes to some experts only, so each of them alone has seen no more than the site.
        let shared = name.contains(".experts.");
        assert!(scale * 127.0 >= most * 0.999_999, "{name}: {scale}, largest {most}");
        assert!(shared || (scale * 127.0 - most).abs() <= most * 1e-6, "{name}: {scale}, largest {most}");
        compared += 1;
    }
    println!("{compared} ranges compared");
    assert!(compared > 4 * 6);
    assert_eq!(compressed.activation_scales.len(), model.config.layers * 4 + 1);
}

#[test]
fn a_tied_output_head_is_compressed_and_the_embedding_is_not() {
    let model = load("stories260K");
    let weights = model.weights.as_ref().unwrap();
    let (head, embedding) = (TensorId::Output(Param::Weight), TensorId::Embedding);
    assert!(weights.find(head).is_none(), "the model ties its head");
    let compressed = compress(&model, &shipped("w8a8").unwrap(), None).unwrap();
    let read = compressed.dequantized_into(weights);
    assert_eq!(read.get(embedding), weights.get(embedding));
    assert_eq!(read.get(head), &compressed.linears[&head].dequantize());
    let step = weights.get(embedding).data().iter().fold(0.0_f32, |most, w| most.max(w.abs())) / 127.0;
    let pairs = read.get(head).data().iter().zip(weights.get(embedding).data());
    assert!(pairs.clone().all(|(a, b)| (a - b).abs() <= 0.51 * step));
    println!("{} weights compared", pairs.len());
    assert_eq!(pairs.len(), 512 * 64);
}

#[test]
fn static_activations_without_calibration_are_refused() {
    let error = compress(&load("tiny-llama"), &shipped("w8a8-static").unwrap(), None).unwrap_err();
    assert!(error.to_string().contains("need a calibration text, got none"), "{error}");
    let error = compress(&load("tiny-llama"), &shipped("w8a8-static").unwrap(), Some(&ActivationRanges::default()))
        .unwrap_err();
    assert!(error.to_string().contains("gave layers.0.attention.input no range"), "{error}");
}

/// The second table of `docs/src/formats.md`, types of weights at equal bits: the shipped profiles of f16 activations, and
/// `w4a16-fp4` and `w3a16-fp3` with other values of `weights`. Made as the first.
#[test]
#[ignore = "a minute: prints the second table of the formats page"]
fn types_of_equal_bits() {
    println!("| weights | bits a weight | tiny-llama | tiny-opt | tiny-mixtral |\n|---|---|---|---|---|");
    let models = ["tiny-llama", "tiny-opt", "tiny-mixtral"].map(load);
    let row = |name: &str, of_model: &dyn Fn(&Model) -> (f64, f64)| {
        let losses = models.each_ref().map(of_model);
        // A token is a byte.
        let perplexities = losses.map(|(nats, _)| format!("{:.4}", nats.exp()));
        println!("| `{name}` | {:.3} | {} |", losses[0].1, perplexities.join(" | "));
    };
    row("f16", &|model| {
        let half = |w: &f32| half::f16::from_f32(*w).to_f32();
        let weights =
            model.weights.as_ref().unwrap().iter().map(|(id, tensor)| {
                (id, Tensor::new(tensor.shape().to_vec(), tensor.data().iter().map(half).collect()))
            });
        let reference = Weights::new(weights.collect());
        let tokens = held_out(128);
        let loss = Reference::with_weights(&model.config, &reference).unwrap().nats_per_token(&tokens, WINDOW).unwrap();
        (loss.nats_per_token, 16.0)
    });
    let of_fp4 = ["fp4", "fp4-er", "fp4-ea", "bitmod-fp4", "flint4", "int4"].map(|name| ("w4a16-fp4", "\"fp4\"", name));
    let of_fp3 = ["fp3", "fp3-er", "fp3-ea", "bitmod-fp3", "int3"].map(|name| ("w3a16-fp3", "\"fp3\"", name));
    let of_six = ["fp6-e2m3", "fp6-e3m2", "int6"].map(|name| ("w6a16", "\"int6\"", name));
    for (profile, own, name) in of_six.into_iter().chain(of_fp4).chain(of_fp3) {
        let text = shipped_profile(profile).unwrap().replace(own, &format!("\"{name}\""));
        let profile = Profile::from_toml("test.toml", &text).unwrap();
        row(name, &|model| loss(model, Some(&profile), 128));
    }
}

/// The table of `docs/src/formats.md`: `cargo test --release -p models --test compress_quality -- --ignored --nocapture`.
#[test]
#[ignore = "minutes: prints the table of the formats page"]
fn table_of_the_formats_page() {
    println!("| format | bits a weight | tiny-llama | tiny-opt | tiny-mixtral |\n|---|---|---|---|---|");
    let models = ["tiny-llama", "tiny-opt", "tiny-mixtral"].map(load);
    let float = models.each_ref().map(|model| loss(model, None, 128).0);
    println!("| `float` | 32 | {:.4} | {:.4} | {:.4} |", float[0], float[1], float[2]);
    for name in format_names() {
        let Some(profile) = shipped(name) else { continue };
        let rows: Vec<(f64, f64)> = models.iter().map(|model| loss(model, Some(&profile), 128)).collect();
        let costs: Vec<String> = rows.iter().zip(float).map(|(row, float)| format!("{:+.4}", row.0 - float)).collect();
        println!("| `{name}` | {:.3} | {} |", rows[0].1, costs.join(" | "));
    }
}
