//! The accelerators of a layer model, read and checked.

use super::layers::{Array, BitSixteenths, Design, EngineDesign, Multiplier, PerTask, Preset};
use super::read_layers::check_length;
use crate::fault::suggest;
use crate::reader::{Document, Section, Value};
use crate::technology::{Block, Technology};

/// Most rows or columns of an array.
const ARRAY_MAX: u32 = 1 << 12;
/// Widest weight in bits.
const BITS_MAX: f64 = 32.0;

/// An accelerator as it stands in a file.
pub(super) struct RawDesign {
    pub(super) id: Value<String>,
    title: Value<String>,
    preset: Value<String>,
    multiplier: Value<String>,
    dot: Value<u32>,
    pe: Value<String>,
    arrays: PerTask<Value<Vec<u32>>>,
    weight_bits: PerTask<Value<Vec<f64>>>,
    kv_bits: Value<u32>,
    source: Value<String>,
}

/// A machine that is like a design, as it stands in a file.
pub(super) struct RawEngineDesign {
    pub(super) design: Value<String>,
    machine: Value<String>,
    formats: PerTask<Value<String>>,
}

impl RawEngineDesign {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let engine = Self {
            design: section.name("design"),
            machine: section.name("machine"),
            formats: PerTask {
                discriminative: section.name("format_discriminative"),
                generative: section.name("format_generative"),
            },
        };
        section.finish();
        engine
    }

    pub(super) fn get(&self, design: usize) -> EngineDesign {
        EngineDesign {
            design,
            machine: self.machine.get(),
            formats: PerTask {
                discriminative: self.formats.discriminative.get(),
                generative: self.formats.generative.get(),
            },
        }
    }
}

impl RawDesign {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let design = Self {
            id: section.name("id"),
            title: section.text("title"),
            preset: section.name("preset"),
            multiplier: section.name("multiplier"),
            dot: section.number_in("dot", 1..=ARRAY_MAX),
            pe: section.name("pe"),
            arrays: PerTask {
                discriminative: section.numbers("array_discriminative", 1..=ARRAY_MAX),
                generative: section.numbers("array_generative", 1..=ARRAY_MAX),
            },
            weight_bits: PerTask {
                discriminative: section.reals("weight_bits_discriminative", 1.0..=BITS_MAX),
                generative: section.reals("weight_bits_generative", 1.0..=BITS_MAX),
            },
            kv_bits: section.number_in("kv_bits", 1..=32),
            source: section.text("source"),
        };
        section.finish();
        design
    }

    pub(super) fn preset(&self) -> Option<Preset> {
        let name = self.preset.value.as_deref()?;
        Preset::ALL.into_iter().find(|preset| preset.name() == name)
    }

    fn multiplier(&self) -> Option<Multiplier> {
        let name = self.multiplier.value.as_deref()?;
        Multiplier::ALL.into_iter().find(|multiplier| multiplier.name() == name)
    }

    pub(super) fn check(&self, document: &Document<'_>, models: Option<usize>, technology: Option<&Technology>) {
        if self.preset.value.is_some() && self.preset().is_none() {
            document.fault_at(&self.preset, "paper or hpca-release", "choose one of the two");
        }
        if self.multiplier.value.is_some() && self.multiplier().is_none() {
            document.fault_at(&self.multiplier, "parallel or bit-serial", "choose one of the two");
        }
        if let (Some(technology), Some(pe)) = (technology, self.pe.value.as_deref())
            && technology.block(pe).is_none()
        {
            let known: Vec<&str> = technology.blocks.iter().map(|block| block.id.as_str()).collect();
            let advice = suggest(pe, known.iter().copied(), "add such a [[block]]");
            document.fault_at(&self.pe, format!("a block of {}: {}", technology.name, known.join(", ")), advice);
        }
        for array in [&self.arrays.discriminative, &self.arrays.generative] {
            if let Some(sides) = array.value.as_ref().filter(|sides| sides.len() != 2) {
                let got = format!("{} numbers", sides.len());
                document.fault(&array.key, array.span.clone(), got, "rows and columns", "write two");
            }
        }
        for bits in [&self.weight_bits.discriminative, &self.weight_bits.generative] {
            check_length(document, bits, models);
            if let Some(wrong) = bits.value.iter().flatten().find(|bits| (**bits * 16.0).fract() != 0.0) {
                let advice = "round it to a sixteenth of a bit";
                document.fault(&bits.key, bits.span.clone(), wrong, "whole sixteenths of a bit", advice);
            }
        }
    }

    pub(super) fn get(&self, technology: &Technology) -> Design {
        let array = |sides: &Value<Vec<u32>>| {
            let sides = sides.get();
            Array { rows: sides[0], columns: sides[1] }
        };
        let bits = |bits: &Value<Vec<f64>>| -> Vec<BitSixteenths> {
            bits.get().into_iter().map(|bits| BitSixteenths((bits * 16.0) as u32)).collect()
        };
        let pe: &Block = technology.block(&self.pe.get()).expect("checked before");
        Design {
            id: self.id.get(),
            title: self.title.get(),
            preset: self.preset().expect("checked before"),
            multiplier: self.multiplier().expect("checked before"),
            dot: self.dot.get(),
            arrays: PerTask {
                discriminative: array(&self.arrays.discriminative),
                generative: array(&self.arrays.generative),
            },
            pe: pe.clone(),
            weight_bits: PerTask {
                discriminative: bits(&self.weight_bits.discriminative),
                generative: bits(&self.weight_bits.generative),
            },
            kv_bits: self.kv_bits.get(),
            source: self.source.get(),
        }
    }
}
