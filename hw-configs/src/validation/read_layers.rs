//! What a file of published figures says about the layer model, read and checked: figures with a number a model, ratios of two
//! designs; the designs are read in `read_designs`. [`super::read`] puts its rows behind the file's own.

use super::layers::{LayerModel, LayerQuantity, Ratio, RatioQuantity, Task, unpriced};
use super::read::{FIGURE_MAX, KNOWN_DIFFERENT, check_names, optional, optional_sections, text, texts};
use super::read_designs::{RawDesign, RawEngineDesign};
use super::{Expected, LayerFigure, Ours, Quantity, Row, Subject};
use crate::fault::suggest;
use crate::reader::{Document, Section, Value};
use crate::technology::Technology;

/// Name of `Expected::Equal` in files.
const EQUAL: &str = "equal";
/// Most tokens of a step.
const CONTEXT_MAX: u32 = 1 << 12;

/// Everything about the layer model.
pub(super) struct RawLayers {
    technology: Value<String>,
    context: Value<u32>,
    generated: Value<u32>,
    models: Value<Vec<String>>,
    designs: Vec<RawDesign>,
    ratios: Vec<RawRatio>,
    engines: Vec<RawEngineDesign>,
    figures: Vec<RawGrid>,
}

impl RawLayers {
    /// The layer model of a file, where it has one.
    pub(super) fn read(root: &mut Section<'_, '_>) -> Option<Self> {
        let mut section = root.optional_section("layer_model")?;
        let name = |value: &toml::de::DeValue<'_>| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let technology = section.name("technology");
        let context = section.number_in("context", 1..=CONTEXT_MAX);
        let generated = section.number_in("generated", 1..=CONTEXT_MAX);
        let models = section.list("models", "the name of a model's preset", name);
        section.finish();
        Some(Self {
            technology,
            context,
            generated,
            models,
            designs: root.sections("design").into_iter().map(RawDesign::read).collect(),
            ratios: optional_sections(root, "ratio").into_iter().map(RawRatio::read).collect(),
            engines: optional_sections(root, "engine").into_iter().map(RawEngineDesign::read).collect(),
            figures: root.sections("figure").into_iter().map(RawGrid::read).collect(),
        })
    }

    /// Names of figures and ratios: no row may have one of them.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Value<String>> {
        self.ratios.iter().map(|ratio| &ratio.id).chain(self.figures.iter().map(|figure| &figure.id))
    }

    /// Every relation between what was read.
    pub(super) fn check(&self, document: &Document<'_>) {
        check_names(document, "design", self.designs.iter().map(|design| &design.id));
        let technology = self.technology.value.as_deref();
        let technology = technology.and_then(|name| self.technology_of(document, name));
        let models = self.models.value.as_ref().map(Vec::len);
        for design in &self.designs {
            design.check(document, models, technology.as_ref());
        }
        for ratio in &self.ratios {
            let energies = ratio.quantity().is_some_and(RatioQuantity::is_energy);
            for id in [&ratio.of, &ratio.over] {
                self.check_design(document, id, energies);
            }
            ratio.check(document);
        }
        for engine in &self.engines {
            self.check_design(document, &engine.design, false);
        }
        for figure in &self.figures {
            let energies = figure.quantity().is_some_and(LayerQuantity::is_energy);
            self.check_design(document, &figure.design, energies);
            figure.check(document, self.models.value.as_deref());
        }
    }

    fn technology_of(&self, document: &Document<'_>, name: &str) -> Option<Technology> {
        let known = Technology::names();
        let found = known.contains(&name).then(|| Technology::by_name(name).expect("a shipped file is sound"));
        if found.is_none() {
            let advice = suggest(name, known.iter().copied(), "name one of these");
            document.fault_at(&self.technology, format!("one of: {}", known.join(", ")), advice);
        }
        found
    }

    /// The design of a name, and whether its energies can be said where they are asked for.
    fn check_design(&self, document: &Document<'_>, id: &Value<String>, energies: bool) {
        let Some(wanted) = id.value.as_deref() else { return };
        let found = self.designs.iter().find(|design| design.id.value.as_deref() == Some(wanted));
        let Some(design) = found else {
            let known: Vec<&str> = self.designs.iter().filter_map(|design| design.id.value.as_deref()).collect();
            let advice = suggest(wanted, known.iter().copied(), "add such a [[design]]");
            document.fault_at(id, format!("the id of a [[design]]: {}", known.join(", ")), advice);
            return;
        };
        if energies
            && let Some(preset) = design.preset()
            && let Some(why) = unpriced(preset)
        {
            document.fault_at(id, format!("a design whose energies can be said: {why}"), "ask for its cycles");
        }
    }

    /// The layer model and its rows, of a file without faults.
    pub(super) fn get(&self) -> (LayerModel, Vec<Row>) {
        let technology = Technology::by_name(&self.technology.get()).expect("checked before");
        let models = self.models.get();
        let place = |id: &Value<String>| {
            self.designs.iter().position(|design| design.id.get() == id.get()).expect("checked before")
        };
        let ratio_rows = self.ratios.iter().enumerate().filter_map(|(number, ratio)| ratio.row(number));
        let figure_rows = self.figures.iter().flat_map(|figure| figure.rows(place(&figure.design), &models));
        let rows = ratio_rows.chain(figure_rows).collect();
        let ratio = |ratio: &RawRatio| Ratio {
            id: ratio.id.get(),
            quantity: ratio.quantity().expect("checked before"),
            of: place(&ratio.of),
            over: place(&ratio.over),
        };
        let layers = LayerModel {
            context: self.context.get(),
            generated: self.generated.get(),
            designs: self.designs.iter().map(|design| design.get(&technology)).collect(),
            ratios: self.ratios.iter().map(ratio).collect(),
            engines: self.engines.iter().map(|engine| engine.get(place(&engine.design))).collect(),
            technology,
            models,
        };
        (layers, rows)
    }
}

/// A number a model.
pub(super) fn check_length(document: &Document<'_>, list: &Value<Vec<f64>>, models: Option<usize>) {
    if let (Some(got), Some(models)) = (list.value.as_ref().map(Vec::len), models)
        && got != models
    {
        document.fault(
            &list.key,
            list.span.clone(),
            format!("{got} numbers"),
            format!("{models}"),
            "write one a model",
        );
    }
}

/// The quantity of a name, if it is taken from `subject`; a fault otherwise.
fn check_quantity(document: &Document<'_>, name: &Value<String>, subject: Subject) {
    let Some(text) = name.value.as_deref() else { return };
    let of_subject = || Quantity::ALL.iter().filter(|quantity| quantity.subject() == subject).map(|q| q.name());
    if !of_subject().any(|known| known == text) {
        let known: Vec<&str> = of_subject().collect();
        let advice = suggest(text, of_subject(), "see the list of quantities in the validation page");
        document.fault_at(name, format!("one of: {}", known.join(", ")), advice);
    }
}

/// A published figure with a number a model.
struct RawGrid {
    id: Value<String>,
    meaning: Value<String>,
    design: Value<String>,
    task: Value<String>,
    quantity: Value<String>,
    /// Those that it was published for, where not for all.
    models: Option<Value<Vec<String>>>,
    published: Value<Vec<f64>>,
    expected: Value<String>,
    within: Option<Value<f64>>,
    because: Option<Value<String>>,
    source: Value<String>,
    notes: Option<Value<Vec<String>>>,
}

impl RawGrid {
    fn read(mut section: Section<'_, '_>) -> Self {
        let figure = Self {
            id: section.name("id"),
            meaning: section.text("meaning"),
            design: section.name("design"),
            task: section.name("task"),
            quantity: section.name("quantity"),
            models: texts(&mut section, "models"),
            published: section.reals("published", 0.0..=FIGURE_MAX),
            expected: section.name("expected"),
            within: optional(&mut section, "within", |section, key| section.real(key, 0.0..=FIGURE_MAX)),
            because: optional(&mut section, "because", text),
            source: section.text("source"),
            notes: texts(&mut section, "notes"),
        };
        section.finish();
        figure
    }

    fn quantity(&self) -> Option<LayerQuantity> {
        let name = self.quantity.value.as_deref()?;
        LayerQuantity::ALL.into_iter().find(|quantity| quantity.quantity().name() == name)
    }

    fn task(&self) -> Option<Task> {
        let name = self.task.value.as_deref()?;
        Task::ALL.into_iter().find(|task| task.name() == name)
    }

    fn check(&self, document: &Document<'_>, models: Option<&[String]>) {
        check_quantity(document, &self.quantity, Subject::Layers);
        let own = self.models.as_ref().map_or(models, |own| own.value.as_deref());
        check_length(document, &self.published, own.map(<[String]>::len));
        if let (Some(models), Some(own)) = (models, &self.models) {
            for stranger in own.value.iter().flatten().filter(|model| !models.contains(model)) {
                let advice = suggest(stranger, models.iter().map(String::as_str), "add it there");
                document.fault(&own.key, own.span.clone(), stranger, "models of `layer_model.models`", advice);
            }
        }
        if self.task.value.is_some() && self.task().is_none() {
            document.fault_at(&self.task, "discriminative or generative", "choose one of the two");
        }
        let (within, because) = (self.within.is_some(), self.because.is_some());
        let sound = match self.expected.value.as_deref() {
            Some(EQUAL) => within && !because,
            Some(KNOWN_DIFFERENT) => because && !within,
            Some(_) => false,
            None => true,
        };
        if !sound {
            let advice = "say what the two may differ by, or why they do";
            document.fault_at(&self.expected, "equal with `within`, or known-different with `because`", advice);
        }
    }

    fn rows(&self, design: usize, models: &[String]) -> Vec<Row> {
        let own = self.models.as_ref().map_or_else(|| models.to_vec(), Value::get);
        let row = |(model, published): (&String, f64)| Row {
            id: format!("{}.{model}", self.id.get()),
            meaning: self.meaning.get(),
            published,
            quantity: self.quantity().expect("checked before").quantity(),
            divisor: None,
            over: None,
            source: self.source.get(),
            ours: Ours::Layers(LayerFigure {
                figure: self.id.get(),
                design,
                model: models.iter().position(|known| known == model).expect("checked before"),
                task: self.task().expect("checked before"),
                quantity: self.quantity().expect("checked before"),
            }),
            expected: match (&self.within, &self.because) {
                (Some(within), None) => Expected::Equal { within: within.get() },
                (None, Some(because)) => Expected::KnownDifferent { because: because.get() },
                (Some(_), Some(_)) | (None, None) => unreachable!("checked before"),
            },
            notes: self.notes.as_ref().map(Value::get).unwrap_or_default(),
        };
        own.iter().zip(self.published.get()).map(row).collect()
    }
}

/// Two designs compared, with the mean that was published where one was.
struct RawRatio {
    id: Value<String>,
    of: Value<String>,
    over: Value<String>,
    quantity: Value<String>,
    published: Option<RawMean>,
}

struct RawMean {
    value: Value<f64>,
    meaning: Value<String>,
    source: Value<String>,
    notes: Option<Value<Vec<String>>>,
}

impl RawRatio {
    fn read(mut section: Section<'_, '_>) -> Self {
        let ratio = Self {
            id: section.name("id"),
            of: section.name("of"),
            over: section.name("over"),
            quantity: section.name("quantity"),
            published: section.optional_section("published").map(|mut mean| {
                let read = RawMean {
                    value: mean.real("value", 0.0..=FIGURE_MAX),
                    meaning: mean.text("meaning"),
                    source: mean.text("source"),
                    notes: texts(&mut mean, "notes"),
                };
                mean.finish();
                read
            }),
        };
        section.finish();
        ratio
    }

    fn quantity(&self) -> Option<RatioQuantity> {
        let name = self.quantity.value.as_deref()?;
        RatioQuantity::ALL.into_iter().find(|quantity| quantity.quantity().name() == name)
    }

    fn check(&self, document: &Document<'_>) {
        check_quantity(document, &self.quantity, Subject::LayerRatio);
    }

    fn row(&self, number: usize) -> Option<Row> {
        let mean = self.published.as_ref()?;
        Some(Row {
            id: self.id.get(),
            meaning: mean.meaning.get(),
            published: mean.value.get(),
            quantity: self.quantity().expect("checked before").quantity(),
            divisor: None,
            over: None,
            source: mean.source.get(),
            ours: Ours::LayerRatio(number),
            expected: Expected::Close { lacks: None, leaves_out: None },
            notes: mean.notes.as_ref().map(Value::get).unwrap_or_default(),
        })
    }
}
