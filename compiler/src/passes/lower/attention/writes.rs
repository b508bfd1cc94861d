//! The new keys and values of a step, into the cache: a key as fragments in the columns of its tile, a value as single codes in
//! the rows of its block.

use super::{Cached, Scope};
use crate::StepKind;
use crate::passes::layout::value_columns;
use crate::passes::lower::{Lowering, code_row, register};
use hw_config::isa::{Store, StoreSource};

/// Rows of head codes that one store takes.
#[derive(Clone, Copy)]
struct CodeRows {
    /// The first.
    row: u32,
    /// How many.
    rows: u32,
    /// Register that bounds them when they are tokens; 0 when they are heads.
    register: u8,
}

impl Lowering<'_> {
    /// Writes the codes of one of the cached tensors, which are on chip, and their scales.
    pub(super) fn write_cache(&mut self, scope: &Scope, cached: Cached) {
        let kv_heads = self.job.part().kv_heads;
        match self.job.kind {
            // Heads are rows: one store writes them all.
            StepKind::Decode => {
                let row = scope.sequence * kv_heads;
                self.write_rows(scope, cached, 0, CodeRows { row, rows: kv_heads, register: 0 });
            }
            // Tokens are rows: one store a head.
            StepKind::Prefill { .. } => {
                for head in 0..kv_heads {
                    let rows = CodeRows { row: head * scope.rows, rows: scope.rows, register: register::ROWS };
                    self.write_rows(scope, cached, head, rows);
                }
            }
        }
    }

    /// Stores codes and scales of some rows, beginning at KV head `head`.
    fn write_rows(&mut self, scope: &Scope, cached: Cached, head: u32, rows: CodeRows) {
        let tokens = rows.register != 0;
        let base = Store {
            source: StoreSource::Codes,
            src: 0,
            src_stride: 0,
            rows: rows.rows,
            rows_reg: rows.register,
            count: scope.dim * self.job.cache.code_bytes(),
            base: 0,
            reg: if tokens { register::CACHE } else { register::POSITION },
            shift: 0,
            high: 0,
            low: 0,
            token_step: tokens,
            row_stride: 0,
            fragment: 0,
            fragment_stride: 0,
        };
        match cached {
            Cached::Key => self.write_keys(scope, head, rows.row, &base),
            Cached::Value => self.write_values(scope, head, rows.row, &base),
        }
    }

    fn write_keys(&mut self, scope: &Scope, head: u32, row: u32, base: &Store) {
        let job = self.job;
        let (width, chain) = (job.machine.cache_columns(), job.machine.chain());
        let strides = job.map.kv_strides;
        let (head, sequence) = (u64::from(head), u64::from(scope.sequence));
        let per_row = |stride: u64| if base.token_step { 0 } else { stride };
        let keys = code_row(job.places.key_codes, row);
        let tiles = Store { shift: width.ilog2() as u8, ..*base };
        self.store(Store {
            src: keys.word,
            src_stride: keys.stride,
            base: scope.kv.key + head * strides.key_head + sequence * strides.key_sequence,
            high: strides.key_tile,
            low: chain,
            row_stride: per_row(strides.key_head),
            // A head of one piece or less is one run.
            fragment: if base.count > chain { chain } else { 0 },
            fragment_stride: if base.count > chain { width * chain } else { 0 },
            ..tiles
        });
        if !job.cache.has_scales() {
            return;
        }
        self.store(Store {
            src: keys.slot,
            base: scope.kv.key_scale + head * strides.key_scale_head + sequence * strides.key_scale_sequence,
            high: strides.key_scale_tile,
            low: job.cache.scale_bytes(),
            row_stride: per_row(strides.key_scale_head),
            ..scales_of(&tiles)
        });
    }

    fn write_values(&mut self, scope: &Scope, head: u32, row: u32, base: &Store) {
        let job = self.job;
        let (columns, chain) = (value_columns(job.machine, job.cache), job.machine.chain());
        let strides = job.map.kv_strides;
        let (head, sequence) = (u64::from(head), u64::from(scope.sequence));
        let per_row = |stride: u64| if base.token_step { 0 } else { stride };
        let values = code_row(job.places.value_codes, row);
        let bytes = job.cache.code_bytes();
        if job.cache.has_scales() {
            self.store(Store {
                src: values.slot,
                base: scope.kv.value_scale + head * strides.value_scale_head + sequence * strides.value_scale_sequence,
                high: u64::from(job.cache.scale_bytes()),
                row_stride: per_row(strides.value_scale_head),
                ..scales_of(base)
            });
        }
        for part in 0..scope.dim.div_ceil(columns) {
            let part_base = u64::from(part) * strides.value_part + sequence * strides.value_sequence;
            self.store(Store {
                src: values.word + part * columns * bytes / chain,
                src_stride: values.stride,
                count: columns.min(scope.dim - part * columns) * bytes,
                base: scope.kv.value + head * strides.value_head + part_base,
                shift: job.cache.chunk_tokens(chain).ilog2() as u8,
                high: strides.value_block,
                low: bytes,
                row_stride: per_row(strides.value_head),
                fragment: bytes,
                fragment_stride: chain,
                ..*base
            });
        }
    }
}

/// The store of the scales that belong to some rows of codes.
fn scales_of(codes: &Store) -> Store {
    Store { source: StoreSource::Scales, src_stride: 1, count: 1, ..*codes }
}
