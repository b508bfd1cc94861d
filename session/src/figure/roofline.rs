//! The roofline of a run: its operators under the machine's roofs.

use crate::report::{VECTOR_OPS_PER_LANE, attainable, attained, figure_phase, ops, peak_macs};
use crate::totals::OperatorTotal;
use crate::{Phase, Setup, Totals};
use reports::figure::style::ColumnWidth;
use reports::roofline::{Bandwidth, Ceiling, CeilingKind, Point, Roofline};

/// The figure of a run. Only operators that multiply matrices are points: the others move what is on chip already.
pub fn roofline(setup: &Setup, totals: &Totals, width: ColumnWidth) -> Roofline {
    let machine = &setup.machine;
    let hertz = f64::from(machine.kernel_mhz) * 1e6;
    let dense = peak_macs(setup, Phase::Prefill) * 2.0 * hertz;
    let points: Vec<(Phase, &String, &OperatorTotal)> =
        totals.operators.iter().filter(|(_, t)| t.macs > 0 && t.bytes > 0).map(|((p, n), t)| (*p, n, t)).collect();
    let sparsest = points.iter().map(|(_, _, t)| t.dense_macs as f64 / t.macs as f64).fold(1.0, f64::max);
    let mut ceilings = vec![Ceiling { label: "INT8 dense".into(), ops_per_s: dense, kind: CeilingKind::ComputeDense }];
    if sparsest > 1.0 {
        let label = format!("INT8 sparse, {sparsest:.1}x");
        ceilings.push(Ceiling { label, ops_per_s: dense * sparsest, kind: CeilingKind::ComputeSparse });
    }
    let vector = f64::from(machine.core.count * machine.core.lanes) * VECTOR_OPS_PER_LANE * hertz;
    ceilings.push(Ceiling { label: "FP32 vector".into(), ops_per_s: vector, kind: CeilingKind::Vector });
    // The weight buffer gives the engine one chunk a cycle.
    let on_chip = f64::from(machine.core.count) * machine.chunk_bytes() as f64 * hertz;
    Roofline {
        title: String::new(),
        ceilings,
        bandwidths: vec![
            Bandwidth { label: machine.memory.standard.name.clone(), bytes_per_s: machine.peak_bytes_per_s() },
            Bandwidth { label: "weight buffer".into(), bytes_per_s: on_chip },
        ],
        points: points.into_iter().map(|(phase, name, total)| point(setup, phase, name, total)).collect(),
        width,
    }
}

fn point(setup: &Setup, phase: Phase, name: &str, total: &OperatorTotal) -> Point {
    let (attainable_ops_per_s, _) = attainable(setup, phase, total);
    Point {
        label: name.replace('_', " "),
        phase: figure_phase(phase),
        intensity_ops_per_byte: ops(total) as f64 / total.bytes as f64,
        attained_ops_per_s: attained(setup, total),
        attainable_ops_per_s,
    }
}
