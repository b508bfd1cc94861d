//! Looking for good points without simulating all: NSGA-II (Deb, Pratap, Agarwal, Meyarivan, IEEE Trans. Evolutionary
//! Computation 2002), with its simulated binary crossover and polynomial mutation. It knows places on axes and costs, and
//! must never know what they are of.

use crate::draw::Draw;
use crate::front::dominates;

/// Index of the crossover's distribution: the larger, the nearer are children to their parents (Deb et al. use 20; 15 is
/// usual since).
const CROSSOVER_INDEX: f64 = 15.0;
/// Share of pairs that are crossed.
const CROSSOVER_SHARE: f64 = 0.9;
/// Index of the mutation's distribution.
const MUTATION_INDEX: f64 = 20.0;
/// The largest number below 1: places are below 1.
const LAST_PLACE: f64 = 1.0 - f64::EPSILON / 2.0;

/// A search by NSGA-II.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Points of a generation; even.
    pub population: u32,
    /// Generations.
    pub generations: u32,
}

impl Search {
    /// Points that it looks at, those that it meets again counted again.
    pub fn points(&self) -> u64 {
        u64::from(self.population) * u64::from(self.generations)
    }
}

/// A point that was looked at.
#[derive(Clone, Debug)]
struct Member {
    places: Vec<f64>,
    /// None where there is no such machine or it breaks a constraint: worse than all others.
    costs: Option<Vec<f64>>,
    rank: usize,
    crowding: f64,
}

/// The state of a search. It asks for a generation, is told what came of it, and so on.
#[derive(Clone, Debug)]
pub struct Nsga2 {
    dimensions: usize,
    population: usize,
    draw: Draw,
    members: Vec<Member>,
    asked: Vec<Vec<f64>>,
}

impl Nsga2 {
    /// A search over places on so many axes.
    ///
    /// # Panics
    /// When the population is odd or below 4.
    pub fn new(search: Search, dimensions: usize, seed: u64) -> Self {
        let population = search.population as usize;
        assert!(population >= 4 && population.is_multiple_of(2), "a population of {population}");
        Self { dimensions, population, draw: Draw::new(seed), members: Vec::new(), asked: Vec::new() }
    }

    /// The places of the next generation, each from 0 to below 1.
    pub fn ask(&mut self) -> Vec<Vec<f64>> {
        self.asked = if self.members.is_empty() {
            (0..self.population).map(|_| (0..self.dimensions).map(|_| self.draw.unit()).collect()).collect()
        } else {
            (0..self.population / 2).flat_map(|_| self.children()).collect()
        };
        self.asked.clone()
    }

    /// What the places asked for last cost, in their order; the better half of these and the generation before goes on.
    ///
    /// # Panics
    /// When there are not as many costs as places were asked for.
    pub fn tell(&mut self, costs: Vec<Option<Vec<f64>>>) {
        assert_eq!(costs.len(), self.asked.len(), "a cost a place");
        let asked = std::mem::take(&mut self.asked);
        let new = asked.into_iter().zip(costs);
        self.members.extend(new.map(|(places, costs)| Member { places, costs, rank: 0, crowding: 0.0 }));
        rank(&mut self.members);
        crowd(&mut self.members);
        self.members.sort_by(|a, b| a.rank.cmp(&b.rank).then(b.crowding.total_cmp(&a.crowding)));
        self.members.truncate(self.population);
    }

    /// The costs of the points on the front of those that go on.
    pub fn front(&self) -> Vec<Vec<f64>> {
        let best = self.members.iter().filter(|member| member.rank == 0);
        best.filter_map(|member| member.costs.clone()).collect()
    }

    fn children(&mut self) -> [Vec<f64>; 2] {
        let (a, b) = (self.parent(), self.parent());
        let mut children = [self.members[a].places.clone(), self.members[b].places.clone()];
        if self.draw.unit() < CROSSOVER_SHARE {
            let [x, y] = &mut children;
            x.iter_mut().zip(y).for_each(|(x, y)| cross(x, y, &mut self.draw));
        }
        let share = 1.0 / self.dimensions as f64;
        for place in children.iter_mut().flatten() {
            if self.draw.unit() < share {
                *place = mutated(*place, self.draw.unit());
            }
        }
        children
    }

    /// The better of two drawn members.
    fn parent(&mut self) -> usize {
        let mut pick = || self.draw.below(self.members.len() as u64) as usize;
        let (a, b) = (pick(), pick());
        let better = |a: &Member, b: &Member| a.rank < b.rank || (a.rank == b.rank && a.crowding > b.crowding);
        if better(&self.members[b], &self.members[a]) { b } else { a }
    }
}

/// Simulated binary crossover of one place, within its bounds.
fn cross(x: &mut f64, y: &mut f64, draw: &mut Draw) {
    // Each axis is crossed in half of the pairs; equal places have no children but themselves.
    if draw.unit() < 0.5 || (*x - *y).abs() < 1e-14 {
        return;
    }
    let (low, high) = (x.min(*y), x.max(*y));
    let spread = |room: f64, u: f64| {
        let beta = 1.0 + 2.0 * room / (high - low);
        let alpha = 2.0 - beta.powf(-(CROSSOVER_INDEX + 1.0));
        let exponent = 1.0 / (CROSSOVER_INDEX + 1.0);
        if u <= 1.0 / alpha { (u * alpha).powf(exponent) } else { (1.0 / (2.0 - u * alpha)).powf(exponent) }
    };
    let u = draw.unit();
    let down = 0.5 * ((low + high) - spread(low, u) * (high - low));
    let up = 0.5 * ((low + high) + spread(1.0 - high, u) * (high - low));
    let (down, up) = (down.clamp(0.0, LAST_PLACE), up.clamp(0.0, LAST_PLACE));
    (*x, *y) = if draw.unit() < 0.5 { (up, down) } else { (down, up) };
}

/// Polynomial mutation of a place, within its bounds.
fn mutated(place: f64, u: f64) -> f64 {
    let exponent = 1.0 / (MUTATION_INDEX + 1.0);
    let moved = if u < 0.5 {
        let value = 2.0 * u + (1.0 - 2.0 * u) * (1.0 - place).powf(MUTATION_INDEX + 1.0);
        value.powf(exponent) - 1.0
    } else {
        let value = 2.0 * (1.0 - u) + 2.0 * (u - 0.5) * place.powf(MUTATION_INDEX + 1.0);
        1.0 - value.powf(exponent)
    };
    (place + moved).clamp(0.0, LAST_PLACE)
}

/// Fast non-dominated sorting: rank 0 is the front, rank 1 the front of the others, and so on; those without costs are last.
fn rank(members: &mut [Member]) {
    let mut left: Vec<usize> = (0..members.len()).filter(|m| members[*m].costs.is_some()).collect();
    let mut rank = 0;
    while !left.is_empty() {
        let cost = |member: usize| members[member].costs.as_deref().expect("those left have costs");
        let on_front: Vec<usize> =
            left.iter().copied().filter(|m| !left.iter().any(|other| dominates(cost(*other), cost(*m)))).collect();
        for member in &on_front {
            members[*member].rank = rank;
        }
        left.retain(|member| !on_front.contains(member));
        rank += 1;
    }
    members.iter_mut().filter(|member| member.costs.is_none()).for_each(|member| member.rank = rank);
}

/// Crowding distances: how far the neighbours of equal rank are, in each cost as a share of its span.
fn crowd(members: &mut [Member]) {
    members.iter_mut().for_each(|member| member.crowding = 0.0);
    let ranks = members.iter().map(|member| member.rank).max().unwrap_or(0);
    for rank in 0..=ranks {
        let mut of_rank: Vec<usize> =
            (0..members.len()).filter(|m| members[*m].rank == rank && members[*m].costs.is_some()).collect();
        let objectives = of_rank.first().and_then(|m| members[*m].costs.as_ref()).map_or(0, Vec::len);
        for objective in 0..objectives {
            let cost = |members: &[Member], m: usize| members[m].costs.as_ref().expect("those of a rank")[objective];
            of_rank.sort_by(|a, b| cost(members, *a).total_cmp(&cost(members, *b)));
            let (first, last) = (of_rank[0], of_rank[of_rank.len() - 1]);
            let span = cost(members, last) - cost(members, first);
            for window in of_rank.windows(3) {
                let gap = cost(members, window[2]) - cost(members, window[0]);
                members[window[1]].crowding += if span > 0.0 { gap / span } else { 0.0 };
            }
            members[first].crowding = f64::INFINITY;
            members[last].crowding = f64::INFINITY;
        }
    }
}
