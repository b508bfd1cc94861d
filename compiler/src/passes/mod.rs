//! The pipeline, in the order in which it runs:
//!
//! | pass | takes | gives |
//! |---|---|---|
//! | `legality` | graph, machine, formats | nothing: refuses what is not built, by name |
//! | `fuse` | graph | fused operators whose inner values stay on chip |
//! | `partition` | fused operators, cores | the part of each core, and shares where they meet |
//! | `tile` | linears, formats | column tiles and pieces along the inputs |
//! | `layout` | tiles | the memory map: an address for every block |
//! | `place` | fused operators, rows, bucket | buffer places of vectors and codes |
//! | `lower` | fused operators, map, places | instructions in natural order |
//! | `split` | instructions | loads and stores a channel's share each where transfers are not to be merged, loads of no more bytes than asked for |
//! | `hoist` | instructions | loads moved up as far as buffer space allows |
//! | `order` | instructions | waits that make every hazard safe |
//!
//! The first five run once a model, the rest once a program. What can be left out is `crate::optimisations`. `seen` and
//! `cache` are no passes: they say which tokens the query heads of a program see, and in which form these are cached.

pub mod cache;
pub mod fuse;
pub mod hazard;
pub mod hoist;
pub mod layout;
pub mod legality;
pub mod lower;
pub mod order;
pub mod partition;
pub mod place;
pub mod seen;
pub mod split;
pub mod tile;

pub use fuse::{CodeSlot, Epilogue, Fused, Rows, VectorSlot};
pub use partition::{Part, Shared};
