//! How each linear is stored and how its input is coded: what the compiler knows of a compression profile.

use crate::CompileError;
use hw_config::isa::Sparsity;
use hw_config::numeric::density::WINDOW;
use models::compress::{ActivationFormat, CompressedModel, InputSite, KvFormat, LinearLayout, Profile};
use models::{ModelConfig, TensorId};
use std::collections::BTreeMap;

/// The storage of every linear of a model, and the static scales of their inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatTable {
    layouts: BTreeMap<TensorId, LinearLayout>,
    /// Where they differ: with the patterns that the weights have.
    patterned: BTreeMap<TensorId, LinearLayout>,
    static_scales: BTreeMap<InputSite, f32>,
    activations: ActivationFormat,
    kv: KvFormat,
}

impl FormatTable {
    /// The table of a compressed model.
    pub fn of_model(model: &CompressedModel) -> Self {
        let layouts = model.linears.iter().map(|(id, linear)| (*id, linear.layout())).collect();
        Self { layouts, static_scales: model.activation_scales.clone(), ..Self::empty(&model.profile) }
    }

    /// The table of a model of which only the shapes are known. Static scales count as 1: no cycle depends on them.
    pub fn of_shapes(config: &ModelConfig, profile: &Profile) -> Self {
        let mut table = Self::empty(profile);
        for (id, outputs, inputs) in crate::passes::tile::linears(config) {
            let layout = profile.format_of(&id.to_string()).layout(outputs as usize, inputs as usize, None);
            table.layouts.insert(id, layout);
            match (profile.activations(), InputSite::of(id)) {
                (ActivationFormat::Int8Static, Some(site)) => {
                    table.static_scales.insert(site, 1.0);
                }
                (ActivationFormat::Int8Static, None) | (ActivationFormat::Int8Dynamic | ActivationFormat::F16, _) => {}
            }
        }
        table
    }

    /// A profile's table without linears.
    fn empty(profile: &Profile) -> Self {
        let (layouts, patterned, static_scales) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { layouts, patterned, static_scales, activations: profile.activations(), kv: profile.kv() }
    }

    /// How the inputs of linears are coded.
    pub fn activations(&self) -> ActivationFormat {
        self.activations
    }

    /// How keys and values are stored.
    pub fn kv(&self) -> KvFormat {
        self.kv
    }

    /// The same with every weight stored, those that a pattern leaves out as zeros: for a machine that does not use it.
    ///
    /// # Errors
    /// A linear whose groups of stored weights would be no inputs of a dense one.
    pub fn densified(&self) -> Result<Self, CompileError> {
        let dense = |(id, layout): (&TensorId, &LinearLayout)| match layout.densified() {
            Some(layout) => Ok((*id, layout)),
            None => Err(CompileError::Unsupported {
                what: format!("`{id}`: groups of {} weights stored dense", layout.sparsity.name()),
                nearest: format!(
                    "groups of a multiple of {} stored weights (windows of {WINDOW} inputs), `group = \"channel\"`, a uniform N, \
                     or the sparse chain left on",
                    layout.least_run()
                ),
            }),
        };
        let layouts: BTreeMap<_, _> = self.layouts.iter().map(dense).collect::<Result<_, _>>()?;
        let patterned = self.layouts.iter().filter(|(id, layout)| layouts[id] != **layout);
        let patterned = patterned.map(|(id, layout)| (*id, *layout)).collect();
        Ok(Self { layouts, patterned, ..self.clone() })
    }

    /// How a linear would be stored with its pattern, where it is not.
    pub fn patterned(&self, id: TensorId) -> Option<LinearLayout> {
        self.patterned.get(&id).copied()
    }

    /// The storage of a linear.
    ///
    /// # Panics
    /// When the table has none: it is made from every linear of the model.
    pub fn layout(&self, id: TensorId) -> LinearLayout {
        *self.layouts.get(&id).unwrap_or_else(|| panic!("no format for {id}"))
    }

    /// Every linear with its storage.
    pub fn iter(&self) -> impl Iterator<Item = (TensorId, LinearLayout)> {
        self.layouts.iter().map(|(id, layout)| (*id, *layout))
    }

    /// The static scale of an input, if it has one.
    pub fn static_scale(&self, site: InputSite) -> Option<f32> {
        self.static_scales.get(&site).copied()
    }

    /// Whether some linear stores fewer weights than it has.
    pub fn has_patterns(&self) -> bool {
        self.layouts.values().any(|layout| layout.sparsity != Sparsity::Dense)
    }

    /// Bits a weight over all linears, as stored.
    pub fn bits_per_weight(&self) -> f64 {
        let bits: u64 = self.layouts.values().map(LinearLayout::stored_bits).sum();
        let weights: u64 = self.layouts.values().map(LinearLayout::weights).sum();
        bits as f64 / weights as f64
    }
}
