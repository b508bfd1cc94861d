//! Where labels go: each label brings candidate places with costs, and one place is chosen for each so that no two
//! labels meet, none covers a marker, and few cross lines or leaders.
//!
//! Deterministic: the orders in which labels are tried come from a fixed sequence. Must never return
//! labels that meet: when it finds no free places it says so, and the caller shows the labels in another way.

use super::FigureError;
use super::drawing::{Anchor, Text};
use super::font::{self, ASCENT, DESCENT};
use super::geometry::{Rect, Xy, shapes_meet, xy};
use super::style::Color;

/// One place a label could take.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The lines of text at that place.
    pub texts: Vec<Text>,
    /// What the text covers, air around it included.
    pub shape: [Xy; 4],
    /// How unwelcome the place is by itself: about points of distance from the ideal one.
    pub cost: f64,
    /// A thin line from what is labelled to the text.
    pub leader: Option<[Xy; 2]>,
}

/// What an upright label says and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// Class in the SVG.
    pub class: &'static str,
    /// One string per line, top to bottom.
    pub lines: Vec<String>,
    /// Font size in points.
    pub size_pt: f64,
    /// Its colour.
    pub color: Color,
}

impl Words {
    /// Half the width and height of the box around all lines.
    fn half(&self) -> Result<Xy, FigureError> {
        let mut width = 0.0_f64;
        for line in &self.lines {
            width = width.max(font::width_pt(line, self.size_pt)?);
        }
        let more = self.lines.len().saturating_sub(1) as f64 * PITCH * self.size_pt;
        Ok(xy(width / 2.0, ((ASCENT + DESCENT) * self.size_pt + more) / 2.0))
    }

    /// The lines, centred, in a box whose middle and half size are given.
    fn texts(&self, middle: Xy, half: Xy) -> Vec<Text> {
        let first = middle.y - half.y + ASCENT * self.size_pt;
        let line = |(i, words): (usize, &String)| {
            let at = xy(middle.x, first + i as f64 * PITCH * self.size_pt);
            Text::plain(self.class, at, Anchor::Middle, self.size_pt, self.color, words)
        };
        self.lines.iter().enumerate().map(line).collect()
    }
}

/// What labels should keep off.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// A convex shape; two corners make a line.
    pub shape: Vec<Xy>,
    /// Cost of each line of a label that covers it; infinite when it must not be covered.
    pub label_cost: f64,
    /// Cost of a leader that crosses it.
    pub leader_cost: f64,
}

/// Two labels that meet: more than all other costs of a figure together.
const LABELS_MEET: f64 = 1e6;
/// A leader running through a label makes it hard to read.
const LEADER_THROUGH_LABEL: f64 = 400.0;
/// Crossing leaders can be followed, with effort.
const LEADERS_CROSS: f64 = 60.0;
/// Rounds of improvement until a search is given up; most settle within ten.
const MAX_ROUNDS: usize = 40;
/// Searches, each placing the labels in another order.
const SEARCHES: usize = 32;
/// Air around a label in points.
const AIR_PT: f64 = 0.7;
/// Distance of baselines over the font size.
const PITCH: f64 = 1.1;

/// Chooses a candidate for each label, or `None` when every search left two labels meeting.
///
/// Candidates outside `frame` or on obstacles of infinite cost are never chosen.
pub fn choose(labels: &[Vec<Candidate>], obstacles: &[Obstacle], frame: &Rect) -> Option<Vec<Candidate>> {
    let pools: Vec<Vec<Placed>> = labels.iter().map(|pool| feasible(pool, obstacles, frame)).collect();
    if pools.iter().any(Vec::is_empty) {
        return None;
    }
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut order: Vec<usize> = (0..pools.len()).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..SEARCHES {
        let mut state = built(&pools, &order);
        settle(&pools, &mut state);
        let cost = total(&pools, &state);
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, state));
        }
        for i in (1..order.len()).rev() {
            // Knuth's MMIX constants: any full-period sequence does, as long as it is always the same one.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(i, (random >> 33) as usize % (i + 1));
        }
    }
    let (cost, state) = best?;
    (cost < LABELS_MEET).then(|| pools.iter().zip(state).map(|(pool, i)| pool[i].candidate.clone()).collect())
}

/// Candidates around a marker at `centre`, nearest first, with leaders where the text stands away from it.
///
/// `reach_pt` is the marker's half size; no place is further than `far_pt`.
///
/// # Errors
/// `MissingGlyph` for a character that the bundled font lacks.
pub fn around(words: &Words, centre: Xy, reach_pt: f64, far_pt: f64) -> Result<Vec<Candidate>, FigureError> {
    let half = words.half()?;
    let mut candidates = Vec::new();
    let mut gap = 1.2;
    while gap <= far_pt {
        for direction in 0..16_u32 {
            let way = xy(1.0, 0.0).turned(f64::from(direction) * -22.5);
            // The box touches the ring with the side or corner that faces the marker.
            let push = |along: f64, half: f64| (along * 1.8).clamp(-1.0, 1.0) * half;
            let middle = xy(
                centre.x + way.x * (reach_pt + gap) + push(way.x, half.x),
                centre.y + way.y * (reach_pt + gap) + push(way.y, half.y),
            );
            // Right, then above, reads first; straight left and below are last.
            let preference = if way.x > 0.3 { 0.0 } else { 1.5 } + if way.y > 0.3 { 0.8 } else { 0.0 };
            candidates.push(standing(words, middle, half, centre, reach_pt, gap + preference));
        }
        gap = if gap < 2.0 { 4.0 } else { gap * 1.3 + 1.0 };
    }
    Ok(candidates)
}

/// Candidates on a grid over `frame`, for labels that find no room nearby.
///
/// # Errors
/// As [`around`].
pub fn anywhere(words: &Words, centre: Xy, reach_pt: f64, frame: &Rect) -> Result<Vec<Candidate>, FigureError> {
    let half = words.half()?;
    let (across, down) = (13.0, words.size_pt * (ASCENT + DESCENT) + 2.2 * AIR_PT);
    let columns = ((frame.width() - 2.0 * (half.x + AIR_PT)) / across).max(-1.0).floor() as i64;
    let rows = ((frame.height() - 2.0 * (half.y + AIR_PT)) / down).max(-1.0).floor() as i64;
    let mut candidates = Vec::new();
    for row in 0..=rows {
        for column in 0..=columns {
            let middle = xy(
                frame.left + half.x + AIR_PT + column as f64 * across,
                frame.top + half.y + AIR_PT + row as f64 * down,
            );
            let far = middle.distance(centre);
            candidates.push(standing(words, middle, half, centre, reach_pt, far));
        }
    }
    Ok(candidates)
}

/// Candidates along the line `from`..`to`, turned with it, on both sides, `ideal` (0 to 1) of the way first.
///
/// # Errors
/// As [`around`].
pub fn along(text: &Text, from: Xy, to: Xy, ideal: f64) -> Result<Vec<Candidate>, FigureError> {
    let size = text.runs.first().map_or(0.0, |run| run.size_pt);
    let half_width = text.width_pt()? / 2.0;
    let length = from.distance(to);
    let turn_degrees = (to.y - from.y).atan2(to.x - from.x).to_degrees();
    let slack = (length - 2.0 * half_width - 4.0).max(0.0);
    let steps = (slack / 4.0).ceil().max(1.0) as i64;
    let mut candidates = Vec::new();
    for step in 0..=steps {
        let share = step as f64 / steps as f64;
        let middle = 2.0 + half_width + share * slack;
        let on_line = xy(from.x + (to.x - from.x) * middle / length, from.y + (to.y - from.y) * middle / length);
        let (above, below) = (-(DESCENT * size + 1.0), ASCENT * size + 1.0);
        // Baselines that just clear the line, then ones that clear small markers on it too.
        let lifts = [
            (above, 0.0),
            (above - 1.6, 1.5),
            (above - 3.0, 3.0),
            (below, 4.0),
            (below + 1.6, 5.5),
            (below + 3.0, 7.0),
        ];
        for (lift, side_cost) in lifts {
            let at = on_line.plus(xy(0.0, lift).turned(turn_degrees));
            let placed = Text { at, anchor: Anchor::Middle, turn_degrees, ..text.clone() };
            let shape = placed.corners()?;
            let cost = side_cost + (share - ideal).abs() * slack * 0.15;
            candidates.push(Candidate { texts: vec![placed], shape, cost, leader: None });
        }
    }
    Ok(candidates)
}

/// An upright label whose box has its middle at `middle`.
fn standing(words: &Words, middle: Xy, half: Xy, centre: Xy, reach_pt: f64, cost: f64) -> Candidate {
    let area =
        Rect { left: middle.x - half.x, top: middle.y - half.y, right: middle.x + half.x, bottom: middle.y + half.y };
    let near = area.nearest(centre);
    let gap = near.distance(centre);
    let leader = (gap > reach_pt + 4.0).then(|| {
        // From the rim of the marker, not its centre, so that open markers stay open.
        let start = reach_pt / gap;
        [xy(centre.x + (near.x - centre.x) * start, centre.y + (near.y - centre.y) * start), near]
    });
    let air = Rect {
        left: area.left - AIR_PT,
        top: area.top - AIR_PT / 2.0,
        right: area.right + AIR_PT,
        bottom: area.bottom + AIR_PT / 2.0,
    };
    Candidate { texts: words.texts(middle, half), shape: air.corners(), cost, leader }
}

/// A candidate with its cost against what stands still, and its bounds for quick refusals.
struct Placed<'a> {
    candidate: &'a Candidate,
    cost: f64,
    bounds: Rect,
    leader_bounds: Option<Rect>,
}

fn feasible<'a>(pool: &'a [Candidate], obstacles: &[Obstacle], frame: &Rect) -> Vec<Placed<'a>> {
    let mut placed = Vec::new();
    for candidate in pool.iter().filter(|c| frame.holds(&c.shape)) {
        let bounds = Rect::around(&candidate.shape);
        let leader_bounds = candidate.leader.as_ref().map(|l| Rect::around(l));
        let mut cost = candidate.cost;
        for obstacle in obstacles {
            let area = Rect::around(&obstacle.shape);
            if touches(&bounds, &area) && shapes_meet(&candidate.shape, &obstacle.shape) {
                // A tall label hides more of a line than a low one.
                cost += obstacle.label_cost * candidate.texts.len() as f64;
            }
            if let (Some(leader), Some(near)) = (&candidate.leader, &leader_bounds)
                && touches(near, &area)
                && shapes_meet(leader, &obstacle.shape)
            {
                cost += obstacle.leader_cost;
            }
        }
        if cost.is_finite() {
            placed.push(Placed { candidate, cost, bounds, leader_bounds });
        }
    }
    placed
}

/// Bounds that share at least an edge: upright and level lines have bounds without area.
fn touches(a: &Rect, b: &Rect) -> bool {
    a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom
}

/// Each label in turn at its best place among those before it in `order`.
fn built(pools: &[Vec<Placed>], order: &[usize]) -> Vec<usize> {
    let mut state = vec![0; pools.len()];
    for (done, i) in order.iter().enumerate() {
        state[*i] = cheapest(&pools[*i], |place| {
            let before = order[..done].iter();
            place.cost + before.map(|j| between(place, &pools[*j][state[*j]])).sum::<f64>()
        });
    }
    state
}

/// Moves one label at a time to its best place among the others until none moves.
fn settle(pools: &[Vec<Placed>], state: &mut [usize]) {
    for _ in 0..MAX_ROUNDS {
        let mut moved = false;
        for i in 0..pools.len() {
            let best = cheapest(&pools[i], |place| {
                let others = (0..pools.len()).filter(|j| *j != i);
                place.cost + others.map(|j| between(place, &pools[j][state[j]])).sum::<f64>()
            });
            moved |= best != state[i];
            state[i] = best;
        }
        if !moved {
            return;
        }
    }
}

fn total(pools: &[Vec<Placed>], state: &[usize]) -> f64 {
    let mut sum = 0.0;
    for i in 0..pools.len() {
        sum += pools[i][state[i]].cost;
        for j in 0..i {
            sum += between(&pools[i][state[i]], &pools[j][state[j]]);
        }
    }
    sum
}

fn between(a: &Placed, b: &Placed) -> f64 {
    let mut cost = 0.0;
    if a.bounds.meets(&b.bounds) && shapes_meet(&a.candidate.shape, &b.candidate.shape) {
        cost += LABELS_MEET;
    }
    if leader_hits(a, b) {
        cost += LEADER_THROUGH_LABEL;
    }
    if leader_hits(b, a) {
        cost += LEADER_THROUGH_LABEL;
    }
    if let (Some(la), Some(lb), Some(ba), Some(bb)) =
        (&a.candidate.leader, &b.candidate.leader, &a.leader_bounds, &b.leader_bounds)
        && touches(ba, bb)
        && shapes_meet(la, lb)
    {
        cost += LEADERS_CROSS;
    }
    cost
}

fn leader_hits(from: &Placed, label: &Placed) -> bool {
    match (&from.candidate.leader, &from.leader_bounds) {
        (Some(leader), Some(bounds)) => touches(bounds, &label.bounds) && shapes_meet(leader, &label.candidate.shape),
        (None, _) | (_, None) => false,
    }
}

fn cheapest<'a>(pool: &[Placed<'a>], cost: impl Fn(&Placed<'a>) -> f64) -> usize {
    let mut best = (f64::INFINITY, 0);
    for (i, place) in pool.iter().enumerate() {
        // Costs only add up: a place already dearer by itself need not be weighed against the others.
        if place.cost < best.0 {
            let whole = cost(place);
            if whole < best.0 {
                best = (whole, i);
            }
        }
    }
    best.1
}
