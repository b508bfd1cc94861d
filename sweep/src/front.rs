//! Which points no other point is better than: the Pareto front.

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less.
    Minimise,
    /// More.
    Maximise,
}

impl Direction {
    /// The figure as one of which less is better.
    pub fn cost(self, figure: f64) -> f64 {
        match self {
            // Of both zeros the positive one, so that equal figures have equal costs.
            Self::Minimise => figure + 0.0,
            Self::Maximise => 0.0 - figure,
        }
    }
}

/// Whether costs are at most those of another point, each, and one is less.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

/// Which of these costs are dominated by no others; equal ones are on the front together.
pub fn front(costs: &[Vec<f64>]) -> Vec<bool> {
    // In the order of the first cost, then the second and so on: what dominates a point stands before it, and if anything
    // does, then something on the front does.
    let mut order: Vec<usize> = (0..costs.len()).collect();
    let by_costs = |a: &usize, b: &usize| {
        let pairs = costs[*a].iter().zip(&costs[*b]);
        pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    };
    order.sort_by(by_costs);
    let mut on_front = vec![false; costs.len()];
    let mut front: Vec<usize> = Vec::new();
    for point in order {
        if !front.iter().any(|other| dominates(&costs[*other], &costs[point])) {
            on_front[point] = true;
            front.push(point);
        }
    }
    on_front
}
