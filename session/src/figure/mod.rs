//! Figures out of results: what was run becomes the data that `reports` draws.
//!
//! Reading order: `sweep` (points to Pareto fronts and heat maps), `breakdown` and `roofline` (run reports), `utilisation`
//! (timelines), `quality` (evaluations), `words` (titles and names). All read text, so a result from another machine or another
//! day gives the same figure. It must never compute a result or read a file.

pub mod breakdown;
pub mod quality;
mod roofline;
pub mod sweep;
pub mod utilisation;
mod words;

pub use roofline::{roofline, roofline_of};
pub use words::Source;
