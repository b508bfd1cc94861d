//! Reports: what a run says to people and programs. Plain data in, text and pictures out.
//!
//! Reading order: [`run_report`] (the object behind `--json`) and its [`glossary`], [`validation_report`]
//! (published figures beside ours), [`ablation_report`] (what each optimisation is worth), [`program_report`] (instruction bytes
//! of all lengths), [`table`] (numbers and tables for
//! terminals), [`roofline`], [`bars`], [`pareto`], [`quality`], [`heat_map`], [`breakdown`] and [`utilisation`] over [`figure`]
//! (figures for papers as SVG, PDF, PNG, CSV and TikZ), [`trace`] (timelines for Perfetto), [`atomic`] (files that are whole or absent).
//!
//! Must never compute a result: cycles, joules and bounds come in finished. Must never know the simulator, the
//! compiler or the models. Must never let time, environment, locale or hashing order reach its output.
//! Only [`atomic`] touches the file system.

pub mod ablation_report;
pub mod atomic;
pub mod bars;
pub mod breakdown;
pub mod figure;
pub mod glossary;
pub mod heat_map;
pub mod html;
pub mod pareto;
pub mod program_report;
pub mod quality;
pub mod roofline;
pub mod run_report;
pub mod table;
pub mod trace;
pub mod utilisation;
pub mod validation_report;
