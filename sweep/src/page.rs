//! A finished sweep as a page: its points as a table and a scatter, the front, and the machine of its best point.

use std::borrow::Cow;

use hw_config::machine::Machine;
use reports::html::{Column, Page, Points, Section, Table};
use session::page::machine_picture;

use crate::evaluate::Evaluator;
use crate::folder::Summary;
use crate::results::{keys, meaning};
use crate::row::{Outcome, Row};
use crate::spec::Sweep;

/// The page; `front` is the figure of the front, an `svg` element.
///
/// # Errors
/// The sweep file in the summary is not one of this version: why.
pub fn page(summary: &Summary, rows: &[Row], front: Option<String>) -> Result<Page, String> {
    let sweep = Sweep::from_toml("sweep.json", &summary.sweep).map_err(|faults| faults.to_string())?;
    let mut sections = vec![Section::Table(points(summary, rows))];
    sections.extend(front.map(|svg| Section::Figure { title: front_title(summary), svg }));
    let best = best(summary, rows);
    if let Some((_, row)) = best.first() {
        let line = |(key, row): &(&str, &Row)| {
            let values: Vec<String> = row.axes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!("{key}: point {}: {}", row.point, values.join(", "))
        };
        let lines = best.iter().map(line).collect();
        sections.push(Section::List { title: "The best point in each objective".to_owned(), lines });
        sections.extend(machine(&sweep, summary, row).map(|machine| Section::Machine(machine_picture(&machine))));
    }
    sections.push(Section::Text { title: "The sweep file".to_owned(), text: summary.sweep.clone() });
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let objectives = |keys: &[String]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
    Ok(Page {
        title: format!("Sweep of {} on {}", sweep.base.model, sweep.base.machine),
        facts: vec![
            fact(
                "points",
                format!(
                    "{}: {} simulated, {} excluded, {} failed",
                    summary.points, summary.done, summary.excluded, summary.failed
                ),
            ),
            fact("on the front", summary.front.to_string()),
            fact("less is better", objectives(&summary.minimised)),
            fact("more is better", objectives(&summary.maximised)),
            fact("seed", summary.seed.to_string()),
            fact("made by lapwing", summary.version.clone()),
        ],
        sections,
    })
}

/// What the figure shows: two objectives, though there may be more.
fn front_title(summary: &Summary) -> String {
    let objectives: Vec<&String> = summary.minimised.iter().chain(&summary.maximised).collect();
    match objectives[..] {
        [x, y, _, ..] => format!("The front in {x} and {y}, two of {} objectives", objectives.len()),
        _ => "The front".to_owned(),
    }
}

/// The point of the front that is best in each objective.
fn best<'r, 's>(summary: &'s Summary, rows: &'r [Row]) -> Vec<(&'s str, &'r Row)> {
    let objectives = crate::merge::objectives(summary);
    let keys = summary.minimised.iter().chain(&summary.maximised);
    let of = |(place, key): (usize, &'s String)| {
        let cost = |row: &&Row| crate::run::costs(row, &objectives).map(|costs| costs[place]);
        let on_front = rows.iter().filter(|row| row.front);
        let row = on_front.min_by(|a, b| cost(a).partial_cmp(&cost(b)).expect("finite figures"))?;
        Some((key.as_str(), row))
    };
    keys.enumerate().filter_map(of).collect()
}

/// The machine of a point.
fn machine(sweep: &Sweep, summary: &Summary, row: &Row) -> Option<Machine> {
    let values = row.axes.iter().map(|(_, value)| value.clone()).collect();
    Evaluator::new(Cow::Borrowed(sweep), &summary.version).point(row.point, values).machine().cloned()
}

fn points(summary: &Summary, rows: &[Row]) -> Table {
    let column = |name: &str, meaning: &str| Column { name: name.to_owned(), meaning: meaning.to_owned() };
    let mut columns = vec![
        column("point", "number in the sweep"),
        column("state", "on the front, simulated, excluded by a constraint, or failed"),
    ];
    let short = crate::text::short(&summary.axes).into_iter().zip(&summary.axes);
    columns.extend(short.map(|(name, axis)| Column { name: name.to_owned(), meaning: format!("axis {axis}") }));
    columns.push(column("why not", "why it has no place among the others"));
    let described = |key: &str| meaning(key).map_or(String::new(), |term| format!("{} ({})", term.meaning, term.unit));
    // What is the same at every point says nothing.
    let varied: Vec<&str> = keys().filter(|key| varies(rows, key)).collect();
    columns.extend(varied.iter().map(|key| Column { name: (*key).to_owned(), meaning: described(key) }));
    let front = columns.len();
    columns.push(column("front", "no other point is better in all objectives"));
    let cells = |row: &Row| {
        let (state, why) = match &row.outcome {
            Outcome::Done(_) if row.front => ("on the front", String::new()),
            Outcome::Done(_) => ("simulated", String::new()),
            Outcome::Excluded { constraint, .. } => ("excluded", format!("does not hold {constraint}")),
            Outcome::Failed(reason) => ("failed", reason.clone()),
        };
        let figure =
            |key: &&str| row.figures().and_then(|figures| figures.get(key)).map_or(serde_json::Value::Null, Into::into);
        let mut cells = vec![row.point.into(), state.into()];
        cells.extend(row.axes.iter().map(|(_, value)| value.to_json()));
        cells.push(why.into());
        cells.extend(varied.iter().map(figure));
        cells.push(row.front.into());
        cells
    };
    let place = |key: &String| 3 + summary.axes.len() + varied.iter().position(|known| known == key).unwrap_or(0);
    let mut shown = summary.minimised.iter().chain(&summary.maximised).map(place);
    let x = shown.next().unwrap_or(0);
    let y = shown.next().unwrap_or(x);
    Table {
        title: "Points".to_owned(),
        rows: rows.iter().map(cells).collect(),
        columns,
        points: Some(Points { axes: (1..=1 + summary.axes.len()).collect(), front, shown: [x, y] }),
    }
}

fn varies(rows: &[Row], key: &str) -> bool {
    let mut figures = rows.iter().filter_map(|row| row.figures()?.get(key));
    let first = figures.next();
    figures.any(|figure| Some(figure) != first)
}
