//! What is said about a finished sweep on a terminal: how many points became what, and the front.

use std::collections::BTreeMap;

use reports::table::{Align, Table, count, plain};

use crate::folder::Summary;
use crate::row::{Outcome, Row};

/// Reasons and points of the front that are shown; the tables have all.
const SHOWN: usize = 20;

/// The text.
pub fn finished(summary: &Summary, rows: &[Row]) -> String {
    let Summary { done, excluded, failed, front, .. } = summary;
    let counts = [("simulated", done), ("excluded", excluded), ("failed", failed), ("on the front", front)];
    let counts: Vec<String> = counts.iter().map(|(what, number)| format!("{} {what}", count(**number))).collect();
    let mut out = format!("{} points: {}\n", count(summary.points), counts.join(", "));
    let on_front: Vec<&Row> = rows.iter().filter(|row| row.front).collect();
    if !on_front.is_empty() {
        out.push_str(&format!("\nFront: {}\n\n{}", objectives(summary), front_table(summary, &on_front)));
        out.push_str(&left_out(on_front.len(), "points.csv has all of the front"));
    }
    let reasons = reasons(rows);
    if !reasons.is_empty() {
        let mut table =
            Table::new(&[("points", Align::Right), ("why they have no place among the others", Align::Left)]);
        for (reason, points) in reasons.iter().take(SHOWN) {
            table.row(vec![count(*points), reason.clone()]);
        }
        out.push_str(&format!("\n{}", table.render()));
        out.push_str(&left_out(reasons.len(), "points.csv has all reasons"));
    }
    out
}

/// The names of axes without what stands before the last point, where that tells them apart.
pub fn short(axes: &[String]) -> Vec<&str> {
    let alike = |last: &str| axes.iter().filter(|other| last_part(other) == last).count() > 1;
    axes.iter().map(|axis| if alike(last_part(axis)) { axis.as_str() } else { last_part(axis) }).collect()
}

fn last_part(axis: &str) -> &str {
    axis.rsplit('.').next().unwrap_or(axis)
}

/// The rows as lines for figures: points outside of a constraint have no results there.
pub fn for_figures(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let outcome = match &row.outcome {
            Outcome::Excluded { constraint, .. } => Outcome::Failed(format!("does not hold {constraint}")),
            known @ (Outcome::Done(_) | Outcome::Failed(_)) => known.clone(),
        };
        Row { outcome, ..row.clone() }.to_line() + "\n"
    };
    rows.iter().map(line).collect()
}

fn objectives(summary: &Summary) -> String {
    let less = summary.minimised.iter().map(|key| format!("less {key}"));
    let more = summary.maximised.iter().map(|key| format!("more {key}"));
    format!("no other point has {}", less.chain(more).collect::<Vec<_>>().join(" and "))
}

fn front_table(summary: &Summary, rows: &[&Row]) -> String {
    let keys: Vec<&String> = summary.minimised.iter().chain(&summary.maximised).collect();
    let mut head = vec![("point", Align::Right)];
    let axes = short(&summary.axes);
    head.extend(axes.iter().map(|axis| (*axis, Align::Right)));
    head.extend(keys.iter().map(|key| (key.as_str(), Align::Right)));
    let mut table = Table::new(&head);
    for row in rows.iter().take(SHOWN) {
        let figure = |key: &&String| row.figures().and_then(|figures| figures.get(key)).map_or("-".to_owned(), plain);
        let mut fields = vec![row.point.to_string()];
        fields.extend(row.axes.iter().map(|(_, value)| value.to_string()));
        fields.extend(keys.iter().map(figure));
        table.row(fields);
    }
    table.render()
}

fn left_out(all: usize, where_else: &str) -> String {
    if all > SHOWN { format!("and {} more; {where_else}\n", all - SHOWN) } else { String::new() }
}

/// Reasons with how many points have each, most first.
fn reasons(rows: &[Row]) -> Vec<(String, u64)> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows {
        let reason = match &row.outcome {
            Outcome::Done(_) => continue,
            Outcome::Excluded { constraint, .. } => format!("does not hold {constraint}"),
            Outcome::Failed(reason) => reason.clone(),
        };
        *reasons.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, points)| std::cmp::Reverse(*points));
    reasons
}
