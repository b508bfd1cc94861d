//! What a step cannot do without, from the shapes alone: products, and bytes by class.

use crate::case::{Case, Stored};
use compiler::StepKind;
use hw_config::program::TrafficClass;
use lapwing_tests::host::Tokens;
use models::config::{Gating, OutputHead};

/// One linear that a step uses.
struct Used {
    outputs: u64,
    inputs: u64,
    /// Rows of activations that it must multiply.
    rows: u64,
    storage: Stored,
}

/// Output head and router.
const PRECISE: Stored = Stored { name: "", bits: 8, n: 1, m: 1, group: 0, two_level: false, of_blocks: false };

/// The least that a step must do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Least {
    pub(crate) macs: u64,
    pub(crate) weight_bytes: u64,
    pub(crate) index_bytes: u64,
    pub(crate) scale_bytes: u64,
    pub(crate) kv_read_bytes: u64,
    pub(crate) kv_written_bytes: u64,
    pub(crate) logit_bytes: u64,
    pub(crate) embedding_bytes: u64,
}

impl Least {
    /// Bytes read of a class.
    pub(crate) fn read(&self, class: TrafficClass) -> u64 {
        match class {
            TrafficClass::Weights => self.weight_bytes,
            TrafficClass::Index => self.index_bytes,
            TrafficClass::Scales => self.scale_bytes,
            TrafficClass::Kv => self.kv_read_bytes,
            TrafficClass::Activations => 0,
            TrafficClass::Parameters => self.embedding_bytes,
        }
    }

    /// Bytes written of a class.
    pub(crate) fn written(&self, class: TrafficClass) -> u64 {
        match class {
            TrafficClass::Kv => self.kv_written_bytes,
            TrafficClass::Activations => self.logit_bytes,
            TrafficClass::Weights | TrafficClass::Index | TrafficClass::Scales | TrafficClass::Parameters => 0,
        }
    }
}

/// The least that a step of a case must do.
pub(crate) fn least(case: &Case, kind: StepKind, tokens: Tokens) -> Least {
    let config = &case.config;
    let (sequences, rows) = match kind {
        StepKind::Prefill { .. } => (1, u64::from(tokens.rows)),
        StepKind::Decode => (u64::from(case.options.batch), 1),
    };
    let all_rows = sequences * rows;
    let logit_rows = match kind {
        StepKind::Prefill { logits: compiler::step::Logits::Skip } => 0,
        StepKind::Prefill { logits: compiler::step::Logits::Last } => 1,
        StepKind::Prefill { logits: compiler::step::Logits::All } | StepKind::Decode => all_rows,
    };
    let mut least = Least::default();
    for used in used_linears(case, all_rows, logit_rows) {
        let s = used.storage;
        // Blocks with an N of their own come in whole windows of 8, a byte for each of 16 outputs.
        let blocks = if s.of_blocks { 8 } else { 1 };
        let windows = used.inputs.div_ceil(blocks * s.m);
        let stored = used.outputs * windows * blocks * s.n;
        let density_bytes = if s.of_blocks { used.outputs.div_ceil(16) * windows * 8 } else { 0 };
        let groups = if s.group == 0 { 1 } else { (stored / used.outputs).div_ceil(s.group) };
        let scale_bits = if s.two_level { 16 + 8 * groups } else { 16 * groups };
        let index_bits = if s.m > 1 { u64::from(s.m.ilog2()) } else { 0 };
        least.macs += used.rows * stored;
        least.weight_bytes += (stored * s.bits).div_ceil(8);
        least.index_bytes += (stored * index_bits).div_ceil(8) + density_bytes;
        least.scale_bytes += used.outputs * scale_bits / 8;
    }
    let (layers, heads, kv_heads) = (config.layers as u64, config.heads as u64, config.kv_heads as u64);
    let dim = config.head_dim as u64;
    let (position, end) = (u64::from(tokens.position), u64::from(tokens.position) + rows);
    // Token i of the step attends to position + i + 1 tokens, a score and a weighted value each.
    let attended: u64 = (position + 1..=end).sum();
    least.macs += sequences * layers * heads * attended * dim * 2;
    // A key and a value of INT8 codes with an f16 scale each.
    let entry = 2 * (dim + 2);
    least.kv_read_bytes = sequences * layers * kv_heads * end * entry;
    least.kv_written_bytes = sequences * layers * kv_heads * rows * entry;
    least.logit_bytes = logit_rows * config.vocab as u64 * 4;
    // The ids may be equal, but each token's row of the table is read for it.
    least.embedding_bytes = all_rows * config.hidden as u64 * 2;
    least
}

fn used_linears(case: &Case, rows: u64, logit_rows: u64) -> Vec<Used> {
    let c = &case.config;
    let (hidden, width) = (c.hidden as u64, c.feed_forward.width as u64);
    let (query, kv) = (c.query_width() as u64, c.kv_width() as u64);
    let linear = |outputs, inputs| Used { outputs, inputs, rows, storage: case.format };
    let mut all = Vec::new();
    for _ in 0..c.layers {
        all.extend([linear(query, hidden), linear(kv, hidden), linear(kv, hidden), linear(hidden, query)]);
        // Every token goes to `top_k` experts; at least as many different ones are used.
        let copies = c.feed_forward.experts.map_or(1, |experts| experts.top_k);
        if let Some(experts) = c.feed_forward.experts {
            all.push(Used { storage: PRECISE, ..linear(experts.count as u64, hidden) });
        }
        for _ in 0..copies {
            if c.feed_forward.gating == Gating::Gated {
                all.push(linear(width, hidden));
            }
            all.extend([linear(width, hidden), linear(hidden, width)]);
        }
    }
    // A tied head has codes of its own beside the embedding table.
    let (OutputHead::Tied | OutputHead::Own | OutputHead::OwnWithBias) = c.output;
    if logit_rows > 0 {
        all.push(Used { outputs: c.vocab as u64, inputs: hidden, rows: logit_rows, storage: PRECISE });
    }
    all
}
