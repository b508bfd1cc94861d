//! `show model`: dimensions, parameters, where they come from.

use models::Model;
use models::presets::preset_source;
use reports::table::{Align, Table, count, si};
use serde_json::{Value, json};
use session::resolve::{self, EMBEDDED_MODEL, model_names};

use super::{Form, quantities, show};
use crate::failure::Failure;

/// The models that have a name.
pub(super) fn list(form: Form) -> Result<(), Failure> {
    let names = model_names();
    let models = names.iter().map(|name| resolve::model(name)).collect::<Result<Vec<_>, _>>()?;
    show(
        form,
        || {
            let mut table = Table::new(&[
                ("model", Align::Left),
                ("parameters", Align::Right),
                ("layers", Align::Right),
                ("hidden", Align::Right),
                ("context", Align::Right),
                ("has", Align::Left),
            ]);
            for model in &models {
                table.row(vec![
                    model.name.clone(),
                    si(model.config.parameter_count() as f64, ""),
                    model.config.layers.to_string(),
                    count(model.config.hidden as u64),
                    count(model.config.context as u64),
                    has(model).to_owned(),
                ]);
            }
            table.render()
        },
        || json!(names),
    )
}

/// One model.
pub(super) fn one(name: &str, form: Form) -> Result<(), Failure> {
    let model = resolve::model(name)?;
    let source = source(name);
    show(form, || text(&model, &source), || value(&model, &source))
}

fn source(name: &str) -> String {
    match preset_source(name) {
        _ if name == EMBEDDED_MODEL => "part of this program (models/tiny-llama)".to_owned(),
        Some(source) => source,
        None => name.to_owned(),
    }
}

fn has(model: &Model) -> &'static str {
    if model.weights.is_some() { "weights" } else { "shapes" }
}

fn text(model: &Model, source: &str) -> String {
    let c = &model.config;
    let number = |value: usize| count(value as u64);
    let mut rows = vec![
        ("family", format!("{:?}", c.family), ""),
        ("layers", number(c.layers), ""),
        ("hidden", number(c.hidden), ""),
        ("query heads", number(c.heads), ""),
        ("key-value heads", number(c.kv_heads), ""),
        ("head", number(c.head_dim), "dimensions"),
        ("feed-forward width", number(c.feed_forward.width), ""),
        ("vocabulary", number(c.vocab), "tokens"),
        ("context", number(c.context), "tokens"),
        ("parameters", count(c.parameter_count()), ""),
    ];
    if let Some(experts) = c.feed_forward.experts {
        rows.push(("experts", number(experts.count), ""));
        rows.push(("experts a token", number(experts.top_k), ""));
        rows.push(("parameters a token", count(c.active_parameter_count()), ""));
    }
    if let Some(window) = c.sliding_window {
        rows.push(("sliding window", number(window), "tokens"));
    }
    format!("{} ({})\nsource: {source}\n\n{}", model.name, has(model), quantities(&rows).render())
}

fn value(model: &Model, source: &str) -> Value {
    let c = &model.config;
    json!({
        "name": model.name,
        "source": source,
        "has_weights": model.weights.is_some(),
        "family": format!("{:?}", c.family),
        "layers": c.layers,
        "hidden": c.hidden,
        "heads": c.heads,
        "kv_heads": c.kv_heads,
        "head_dim": c.head_dim,
        "feed_forward": c.feed_forward.width,
        "experts": c.feed_forward.experts.map(|experts| experts.count),
        "experts_per_token": c.feed_forward.experts.map(|experts| experts.top_k),
        "sliding_window": c.sliding_window,
        "vocabulary": c.vocab,
        "context": c.context,
        "parameters": c.parameter_count(),
        "active_parameters": c.active_parameter_count(),
    })
}
