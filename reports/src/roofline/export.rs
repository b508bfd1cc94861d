//! The numbers of a roofline as CSV.
//!
//! Numbers are written so that they read back to the same double. Must never round for looks.

use super::{CeilingKind, Roofline};
use crate::figure::csv::row;

/// Columns that a row has no value for stay empty.
const HEADER: &str = "kind,label,phase,intensity_ops_per_byte,attained_ops_per_s,attainable_ops_per_s,bytes_per_s\n";

pub(super) fn csv(roofline: &Roofline) -> String {
    let mut out = HEADER.to_owned();
    for c in &roofline.ceilings {
        row(&mut out, &[kind(c.kind), &c.label, "", "", "", &c.ops_per_s.to_string(), ""]);
    }
    for b in &roofline.bandwidths {
        row(&mut out, &["bandwidth", &b.label, "", "", "", "", &b.bytes_per_s.to_string()]);
    }
    for r in roofline.ridges() {
        let bandwidth = &roofline.bandwidths[r.bandwidth];
        let label = format!("{} / {}", roofline.ceilings[r.ceiling].label, bandwidth.label);
        let (x, y) = (r.intensity_ops_per_byte.to_string(), r.ops_per_s.to_string());
        row(&mut out, &["ridge", &label, "", &x, "", &y, &bandwidth.bytes_per_s.to_string()]);
    }
    points_csv(&mut out, roofline);
    out
}

fn points_csv(out: &mut String, roofline: &Roofline) {
    for p in &roofline.points {
        let values = [p.intensity_ops_per_byte, p.attained_ops_per_s, p.attainable_ops_per_s].map(|v| v.to_string());
        row(out, &["point", &p.label, p.phase.name(), &values[0], &values[1], &values[2], ""]);
    }
}

const fn kind(kind: CeilingKind) -> &'static str {
    match kind {
        CeilingKind::ComputeDense => "ceiling_dense",
        CeilingKind::ComputeSparse => "ceiling_sparse",
        CeilingKind::Vector => "ceiling_vector",
    }
}
