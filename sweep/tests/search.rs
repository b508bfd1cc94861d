//! NSGA-II beside another implementation on standard test problems, and on sweeps.

use sweep::draw::Draw;
use sweep::front::front;
use sweep::search::{Nsga2, Search};

/// Numbers of each problem.
const DIMENSIONS: usize = 10;
/// Runs of each problem.
const SEEDS: u64 = 10;
const SEARCH: Search = Search { population: 40, generations: 100 };

/// A test problem of Zitzler, Deb, Thiele (Evolutionary Computation 2000), with the hypervolume up to (1.1, 1.1) that pymoo
/// 0.6.1.5 (NSGA2 with SBX(eta=15, prob=0.9), PM(eta=20), no elimination of duplicates, 40 x 100 points, 10 numbers, seeds
/// 1 to 10) reaches: mean and standard deviation.
struct Problem {
    name: &'static str,
    costs: fn(&[f64]) -> Vec<f64>,
    mean: f64,
    deviation: f64,
}

/// Not ZDT4 and ZDT6: after so few points either is far from its front, and runs differ too much to show a fault.
const PROBLEMS: [Problem; 3] = [
    Problem { name: "ZDT1", costs: zdt1, mean: 0.8571, deviation: 0.0018 },
    Problem { name: "ZDT2", costs: zdt2, mean: 0.5120, deviation: 0.0299 },
    Problem { name: "ZDT3", costs: zdt3, mean: 1.3048, deviation: 0.0308 },
];

fn mean_of_others(x: &[f64]) -> f64 {
    x[1..].iter().sum::<f64>() / (x.len() - 1) as f64
}

fn zdt1(x: &[f64]) -> Vec<f64> {
    let g = 1.0 + 9.0 * mean_of_others(x);
    vec![x[0], g * (1.0 - (x[0] / g).sqrt())]
}

fn zdt2(x: &[f64]) -> Vec<f64> {
    let g = 1.0 + 9.0 * mean_of_others(x);
    vec![x[0], g * (1.0 - (x[0] / g).powi(2))]
}

fn zdt3(x: &[f64]) -> Vec<f64> {
    let g = 1.0 + 9.0 * mean_of_others(x);
    let wave = (x[0] / g) * (10.0 * std::f64::consts::PI * x[0]).sin();
    vec![x[0], g * (1.0 - (x[0] / g).sqrt() - wave)]
}

/// Area that is dominated, up to (1.1, 1.1).
fn hypervolume(costs: &[Vec<f64>]) -> f64 {
    let mut points: Vec<&Vec<f64>> = costs.iter().filter(|c| c.iter().all(|cost| *cost < 1.1)).collect();
    points.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let (mut area, mut above) = (0.0, 1.1);
    for point in points {
        if point[1] < above {
            area += (1.1 - point[0]) * (above - point[1]);
            above = point[1];
        }
    }
    area
}

fn searched(costs: fn(&[f64]) -> Vec<f64>, seed: u64) -> Vec<Vec<f64>> {
    let mut state = Nsga2::new(SEARCH, DIMENSIONS, seed);
    for _ in 0..SEARCH.generations {
        let asked = state.ask();
        assert!(asked.iter().flatten().all(|place| (0.0..1.0).contains(place)), "a place outside of its axis");
        state.tell(asked.iter().map(|x| Some(costs(x))).collect());
    }
    state.front()
}

fn random(costs: fn(&[f64]) -> Vec<f64>, seed: u64) -> Vec<Vec<f64>> {
    let mut draw = Draw::new(seed);
    let all: Vec<Vec<f64>> =
        (0..SEARCH.points()).map(|_| costs(&(0..DIMENSIONS).map(|_| draw.unit()).collect::<Vec<f64>>())).collect();
    let on_front = front(&all);
    all.into_iter().zip(on_front).filter(|(_, on_front)| *on_front).map(|(costs, _)| costs).collect()
}

#[test]
fn it_finds_as_much_as_another_implementation() {
    for Problem { name, costs, mean, deviation } in PROBLEMS {
        let volumes: Vec<f64> = (1..=SEEDS).map(|seed| hypervolume(&searched(costs, seed))).collect();
        let got = volumes.iter().sum::<f64>() / SEEDS as f64;
        let drawn = (1..=SEEDS).map(|seed| hypervolume(&random(costs, seed))).sum::<f64>() / SEEDS as f64;
        println!("{name}: {got:.4}, pymoo {mean:.4} +- {deviation:.4}, random {drawn:.4}");
        // Both means are of ten runs: their difference has sqrt(2 / 10) of the deviation of one; four of these, and 0.5 %
        // for what the authors of both left open.
        let allowed = 4.0 * (2.0 / SEEDS as f64).sqrt() * deviation + 0.005 * mean;
        assert!((got - mean).abs() <= allowed, "{name}: {got:.4}, expected {mean:.4} +- {allowed:.4}");
        assert!(drawn < mean - allowed, "{name}: random points do as well, so that this shows nothing");
    }
    println!("compared {} runs", SEEDS * PROBLEMS.len() as u64);
}

#[test]
fn points_without_costs_are_worse_than_all_others() {
    let search = Search { population: 8, generations: 1 };
    let mut state = Nsga2::new(search, 1, 3);
    let mut told = 0;
    for _ in 0..30 {
        let asked = state.ask();
        told += asked.iter().filter(|x| x[0] < 0.5).count();
        // Cheaper and cheaper towards a half, below which there is nothing.
        state.tell(asked.iter().map(|x| (x[0] >= 0.5).then(|| vec![x[0]])).collect());
    }
    let best = state.front()[0][0];
    assert!(told > 0, "nothing without costs was asked for");
    assert!((0.5..0.501).contains(&best), "the best is {best}, expected 0.5");
}
