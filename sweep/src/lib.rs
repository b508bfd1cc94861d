//! Design-space sweeps: axes over machines, models, formats and workloads in; a table of points with their figures and the
//! Pareto front out. Each point is a run from shapes, simulated to the cycle.
//!
//! It must never compute a figure of a run (`session` does), never let a result depend on threads or on what was run
//! before, and never lose a finished row.
//!
//! Reading order: `spec` (the file), `axis`, `value` and `space` (which points there are), `constraint`, `front` and
//! `results` (what is asked of them), `evaluate` (one point), `run` (all of them), `row`, `table`, `parquet` and `folder` (what is
//! kept), `merge` (parts put together), `text` and `page` (what is said), `search` (looking for good points without taking all), `draw` (random numbers).

pub mod ask;
pub mod axis;
pub mod constraint;
pub mod draw;
pub mod evaluate;
pub mod folder;
pub mod front;
pub mod merge;
pub mod page;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod results;
pub mod row;
pub mod run;
pub mod search;
pub mod slurm;
pub mod space;
pub mod spec;
pub mod table;
pub mod text;
pub mod value;
