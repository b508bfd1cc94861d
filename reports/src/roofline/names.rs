//! The labels of a roofline: roofs, ridge values and points, all placed in one search so that none meets another.

use super::page::{Frame, POINT_REACH_PT, RIDGE_REACH_PT, STEM_END_PT, phase_color};
use super::{Phase, Roofline};
use crate::figure::FigureError;
use crate::figure::drawing::{Anchor, Text};
use crate::figure::font;
use crate::figure::geometry::{Rect, Xy, shapes_meet, xy};
use crate::figure::label::{self, Candidate, Obstacle, Words};
use crate::figure::plot::SMALL_PT;
use crate::figure::style::{BLACK, GREY};
use crate::table::{plain, si};

/// Class of a label that names its points, and of one that numbers them.
const NAME_CLASS: &str = "name";
const NUMBER_CLASS: &str = "number";
/// Cost of a number in place of names: less than a leader across another, more than any way round a label or two.
const AS_NUMBER: f64 = 50.0;
/// Longest leader, of the plot's diagonal: the eye follows no further.
const LEADER_SHARE_MAX: f64 = 0.25;
/// Cost of a label that covers a roof or a stem when no layout keeps all of them free, against points of distance from
/// its marker.
const OVER_LINE: f64 = 400.0;
/// Cost of a roof's label that does not lie along the roof.
const OFF_ROOF: f64 = 60.0;
/// A roof's name that does not lie along it stands no further from it, as long as there is any other way.
const ROOF_NEAR_PT: f64 = 16.0;
/// Where leaders to a roof's name begin, along the roof.
const ROOF_ANCHORS: [f64; 3] = [0.5, 0.25, 0.75];
/// Cost of a leader through a marker: it would seem to label that one.
const LEADER_OVER_MARKER: f64 = 120.0;
/// Cost of a leader across a stem.
const LEADER_OVER_STEM: f64 = 2.5;
/// Cost of a leader across a roof.
const LEADER_OVER_ROOF: f64 = 90.0;
/// Cost of a leader so steep that it reads as a stem.
const LEADER_LIKE_STEM: f64 = 15.0;
/// How far from its marker a label is looked for before the whole figure is.
const NEARBY_PT: f64 = 60.0;
/// How far from its ridge a ridge value may stand.
const RIDGE_FAR_PT: f64 = 34.0;
/// Markers nearer than this cover each other so far that single leaders cannot be told apart: they share a label.
const COVERED_PT: f64 = 3.4;
/// Markers of one label lie within this, so that one leader still points at all of them.
const SHARED_REACH_PT: f64 = 12.0;
/// Markers this near in intensity stand in one column and share a label that lists them top to bottom.
const COLUMN_WIDTH_PT: f64 = 2.0;
/// Markers of a column follow each other within this.
const COLUMN_PITCH_PT: f64 = 9.0;
/// No column is higher than this: its label stands beside it as a whole.
const COLUMN_REACH_PT: f64 = 32.0;
/// Widths at which a shared label may be broken into lines: narrow ones fit beside columns.
const SHARED_WIDTHS_PT: [f64; 3] = [34.0, 60.0, 85.0];

/// Points of one phase that share a label because their markers cover each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Names with their markers' centres, highest first.
    members: Vec<(String, Xy)>,
    /// Common phase.
    pub(super) phase: Phase,
}

impl Group {
    /// The markers a leader may start from: the highest, the middle and the lowest.
    fn ends(&self) -> Vec<Xy> {
        let last = self.members.len() - 1;
        let mut picks = vec![0, last / 2, last];
        picks.dedup();
        picks.into_iter().map(|i| self.members[i].1).collect()
    }

    /// How many points share the label.
    pub(super) fn names(&self) -> usize {
        self.members.len()
    }

    /// Names in lines, highest marker first, as many to a line as fit.
    pub(super) fn lines(&self, width_pt: f64) -> Result<Vec<String>, FigureError> {
        let mut lines: Vec<String> = Vec::new();
        for (i, (name, _)) in self.members.iter().enumerate() {
            let word = if i + 1 < self.members.len() { format!("{name},") } else { name.clone() };
            let longer = lines.last().map(|line| format!("{line} {word}"));
            match (lines.last_mut(), longer) {
                (Some(line), Some(longer)) if font::width_pt(&longer, SMALL_PT)? <= width_pt => *line = longer,
                (Some(_), _) | (None, _) => lines.push(word),
            }
        }
        Ok(lines)
    }
}

/// Placed labels, and the groups that had to be numbered, in order of their numbers.
pub(super) struct Names {
    pub(super) placed: Vec<Candidate>,
    /// What labels cover of roofs and stems: the page is cleared there.
    pub(super) patches: Vec<[Xy; 4]>,
    pub(super) numbered: Vec<Group>,
}

/// Places all labels; points get numbers when their names do not fit.
///
/// # Errors
/// `TooWide` for a roof label wider than the plot, `TooCrowded` when not even numbers fit, `MissingGlyph`.
pub(super) fn place(roofline: &Roofline, frame: &Frame) -> Result<Names, FigureError> {
    let groups = groups(roofline, frame);
    let room = Rect {
        left: frame.plot.left + 0.8,
        top: frame.plot.top + 0.8,
        right: frame.plot.right - 0.8,
        bottom: frame.plot.bottom - 0.8,
    };
    let anywhere = room.width().hypot(room.height());
    // Roofs and stems stay free as long as names or numbers find other places; a roof's name far from it is the last resort.
    let attempts =
        [(ROOF_NEAR_PT, f64::INFINITY), (ROOF_NEAR_PT, OVER_LINE), (anywhere, f64::INFINITY), (anywhere, OVER_LINE)];
    for (far_pt, over_line) in attempts {
        let fixed = roof_labels(roofline, frame, &room, far_pt)?;
        let obstacles = obstacles(roofline, frame, over_line);
        let mut pools = fixed.clone();
        for (i, group) in groups.iter().enumerate() {
            pools.push(point_label(group, i + 1, &room)?);
        }
        if let Some(mut placed) = label::choose(&pools, &obstacles, &room) {
            let over_line = |c: &&Candidate| obstacles.iter().any(|o| shapes_meet(&c.shape, &o.shape));
            let patches = placed.iter().filter(over_line).map(|c| c.shape).collect();
            let numbered = renumber(&mut placed[fixed.len()..], groups.clone());
            return Ok(Names { placed, patches, numbered });
        }
    }
    let labels = roof_labels(roofline, frame, &room, anywhere)?.len() + groups.len();
    Err(FigureError::TooCrowded { labels, width_pt: roofline.width.points() })
}

/// The groups that stand as numbers, which are made consecutive.
fn renumber(placed: &mut [Candidate], groups: Vec<Group>) -> Vec<Group> {
    let mut numbered = Vec::new();
    for (candidate, group) in placed.iter_mut().zip(groups) {
        let text = &mut candidate.texts[0];
        if text.class == NUMBER_CLASS {
            numbered.push(group);
            // A number made smaller is never wider than the place that was found for it.
            text.runs[0].text = numbered.len().to_string();
        }
    }
    numbered
}

/// Places of a group's names, and dearer ones of its number.
fn point_label(group: &Group, number: usize, room: &Rect) -> Result<Vec<Candidate>, FigureError> {
    let mut wordings: Vec<(&'static str, Vec<String>, f64)> = Vec::new();
    for width_pt in SHARED_WIDTHS_PT {
        wordings.push((NAME_CLASS, group.lines(width_pt)?, 0.0));
    }
    wordings.dedup();
    wordings.push((NUMBER_CLASS, vec![number.to_string()], AS_NUMBER));
    let longest = LEADER_SHARE_MAX * room.width().hypot(room.height());
    let mut pool = Vec::new();
    for (class, lines, cost) in wordings {
        let words = Words { class, lines, size_pt: SMALL_PT, color: phase_color(group.phase) };
        for end in group.ends() {
            let mut places = label::around(&words, end, POINT_REACH_PT, NEARBY_PT)?;
            places.extend(label::anywhere(&words, end, POINT_REACH_PT, room)?);
            pool.extend(places.into_iter().map(|place| Candidate { cost: place.cost + cost, ..place }));
        }
    }
    pool.retain(|place| place.leader.is_none_or(|[from, to]| from.distance(to) <= longest));
    for candidate in &mut pool {
        if candidate.leader.is_some_and(|[from, to]| (to.x - from.x).abs() < 0.3 * (to.y - from.y).abs()) {
            candidate.cost += LEADER_LIKE_STEM;
        }
    }
    Ok(pool)
}

/// Whether two markers of one phase cover each other or follow each other in one column.
fn belong(a: Xy, b: Xy) -> bool {
    let column = (a.x - b.x).abs() < COLUMN_WIDTH_PT && (a.y - b.y).abs() < COLUMN_PITCH_PT;
    column || a.distance(b) < COVERED_PT
}

/// Whether two markers may share a label: one leader still points at both, or both stand in one column.
fn together(a: Xy, b: Xy) -> bool {
    let column = (a.x - b.x).abs() < COLUMN_WIDTH_PT && (a.y - b.y).abs() < COLUMN_REACH_PT;
    column || a.distance(b) < SHARED_REACH_PT
}

fn groups(roofline: &Roofline, frame: &Frame) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for point in &roofline.points {
        let at = frame.at(point.intensity_ops_per_byte, point.attained_ops_per_s);
        let mut joined = Group { members: vec![(point.label.clone(), at)], phase: point.phase };
        let mut apart = Vec::new();
        // A marker between two groups makes them one, as long as they stay together on the page.
        for group in groups {
            let covered = group.phase == point.phase && group.members.iter().any(|m| belong(m.1, at));
            let near = |m: &(String, Xy)| joined.members.iter().all(|j| together(j.1, m.1));
            if covered && group.members.iter().all(near) {
                joined.members.extend(group.members);
            } else {
                apart.push(group);
            }
        }
        joined.members.sort_by(|a, b| a.1.y.total_cmp(&b.1.y).then_with(|| a.0.cmp(&b.0)));
        apart.push(joined);
        groups = apart;
    }
    groups
}

fn roof_labels(
    roofline: &Roofline,
    frame: &Frame,
    room: &Rect,
    far_pt: f64,
) -> Result<Vec<Vec<Candidate>>, FigureError> {
    let mut pools = Vec::new();
    for (label, height) in ceiling_labels(roofline) {
        let [from, to] = frame.ceiling(height, roofline);
        pools.push(roof_label("ceiling-name", label, [from, to], 1.0, room, far_pt)?);
    }
    for bandwidth in &roofline.bandwidths {
        let label = format!("{} {}", bandwidth.label, si(bandwidth.bytes_per_s, "B/s"));
        let [from, to] = frame.slant(bandwidth.bytes_per_s, roofline);
        pools.push(roof_label("bandwidth-name", label, [from, to], 0.5, room, far_pt)?);
    }
    for ridge in roofline.ridges() {
        let at = frame.at(ridge.intensity_ops_per_byte, ridge.ops_per_s);
        let lines = vec![plain(ridge.intensity_ops_per_byte)];
        let words = Words { class: "ridge-name", lines, size_pt: SMALL_PT - 0.5, color: GREY };
        pools.push(label::around(&words, at, RIDGE_REACH_PT, RIDGE_FAR_PT)?);
    }
    Ok(pools)
}

/// Places along the roof, and away from it with a leader of at most `far_pt` for roofs too short or too crowded.
fn roof_label(
    class: &'static str,
    label: String,
    [from, to]: [Xy; 2],
    ideal: f64,
    room: &Rect,
    far_pt: f64,
) -> Result<Vec<Candidate>, FigureError> {
    let text = Text::plain(class, from, Anchor::Middle, SMALL_PT, BLACK, &label);
    let (width_pt, room_pt) = (text.width_pt()?, room.width());
    if width_pt > room_pt {
        return Err(FigureError::TooWide { text: label, width_pt, room_pt });
    }
    let mut pool = label::along(&text, from, to, ideal)?;
    let words = Words { class, lines: vec![label], size_pt: SMALL_PT, color: BLACK };
    for share in ROOF_ANCHORS {
        let anchor = xy(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
        for mut away in label::anywhere(&words, anchor, 0.0, room)? {
            away.cost += OFF_ROOF;
            if away.leader.is_none_or(|[from, to]| from.distance(to) <= far_pt) {
                pool.push(away);
            }
        }
    }
    Ok(pool)
}

/// Ceilings of one height share a line and so a label.
fn ceiling_labels(roofline: &Roofline) -> Vec<(String, f64)> {
    let mut labels: Vec<(String, f64)> = Vec::new();
    for ceiling in &roofline.ceilings {
        match labels.iter_mut().find(|(_, height)| *height == ceiling.ops_per_s) {
            Some((names, _)) => *names = format!("{names}, {}", ceiling.label),
            None => labels.push((ceiling.label.clone(), ceiling.ops_per_s)),
        }
    }
    labels.into_iter().map(|(names, height)| (format!("{names} {}", si(height, "OP/s")), height)).collect()
}

fn obstacles(roofline: &Roofline, frame: &Frame, over_line: f64) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let mut soft = |shape: Vec<Xy>, label_cost: f64, leader_cost: f64| {
        obstacles.push(Obstacle { shape, label_cost, leader_cost });
    };
    for ceiling in &roofline.ceilings {
        soft(frame.ceiling(ceiling.ops_per_s, roofline).to_vec(), over_line, LEADER_OVER_ROOF);
    }
    for bandwidth in &roofline.bandwidths {
        soft(frame.slant(bandwidth.bytes_per_s, roofline).to_vec(), over_line, LEADER_OVER_ROOF);
    }
    for point in &roofline.points {
        soft(frame.stem(point).to_vec(), over_line, LEADER_OVER_STEM);
    }
    let mut hard = |centre: Xy, reach: f64| {
        let square = |reach: f64| Rect::about(centre, reach).corners().to_vec();
        obstacles.push(Obstacle { shape: square(reach), label_cost: f64::INFINITY, leader_cost: 0.0 });
        // Smaller than the marker, so that a leader leaving its own marker's rim does not count.
        obstacles.push(Obstacle { shape: square(reach * 0.6), label_cost: 0.0, leader_cost: LEADER_OVER_MARKER });
    };
    for point in &roofline.points {
        hard(frame.at(point.intensity_ops_per_byte, point.attained_ops_per_s), POINT_REACH_PT);
        let [_, top] = frame.stem(point);
        hard(top, STEM_END_PT);
    }
    for ridge in roofline.ridges() {
        hard(frame.at(ridge.intensity_ops_per_byte, ridge.ops_per_s), RIDGE_REACH_PT);
    }
    obstacles
}
