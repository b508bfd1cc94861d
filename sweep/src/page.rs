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
    if let Some((row, machine)) = best(&sweep, summary, rows) {
        let values: Vec<String> = row.axes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let key = first_objective(summary);
        let lines = vec![format!("point {}, the best in {key}: {}", row.point, values.join(", "))];
        sections.push(Section::List { title: "The best point".to_owned(), lines });
        sections.push(Section::Machine(machine_picture(&machine)));
    }
    let file = summary.sweep.lines().map(str::to_owned).collect();
    sections.push(Section::List { title: "The sweep file".to_owned(), lines: file });
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

fn first_objective(summary: &Summary) -> &str {
    summary.minimised.first().or(summary.maximised.first()).map_or("nothing", String::as_str)
}

/// The point that is best in the first objective, with its machine.
fn best<'r>(sweep: &Sweep, summary: &Summary, rows: &'r [Row]) -> Option<(&'r Row, Machine)> {
    let objectives = crate::merge::objectives(summary);
    let cost = |row: &&Row| crate::run::costs(row, &objectives).map(|costs| costs[0]);
    let on_front = rows.iter().filter(|row| row.front);
    let row = on_front.min_by(|a, b| cost(a).partial_cmp(&cost(b)).expect("finite figures"))?;
    let values = row.axes.iter().map(|(_, value)| value.clone()).collect();
    let machine = Evaluator::new(Cow::Borrowed(sweep), &summary.version).point(row.point, values).machine()?.clone();
    Some((row, machine))
}

fn points(summary: &Summary, rows: &[Row]) -> Table {
    let mut columns = vec![Column { name: "point".to_owned(), meaning: "number in the sweep".to_owned() }];
    let short = crate::text::short(&summary.axes).into_iter().zip(&summary.axes);
    columns.extend(short.map(|(name, axis)| Column { name: name.to_owned(), meaning: format!("axis {axis}") }));
    let described = |key: &str| meaning(key).map_or(String::new(), |term| format!("{} ({})", term.meaning, term.unit));
    // What is the same at every point says nothing.
    let varied: Vec<&str> = keys().filter(|key| varies(rows, key)).collect();
    columns.extend(varied.iter().map(|key| Column { name: (*key).to_owned(), meaning: described(key) }));
    let front = columns.len();
    columns.push(Column { name: "front".to_owned(), meaning: "no other point is better in all objectives".to_owned() });
    columns.push(Column { name: "why not".to_owned(), meaning: "why it has no place among the others".to_owned() });
    let cells = |row: &Row| {
        let why = match &row.outcome {
            Outcome::Done(_) => String::new(),
            Outcome::Excluded { constraint, .. } => format!("does not hold {constraint}"),
            Outcome::Failed(reason) => reason.clone(),
        };
        let figure =
            |key: &&str| row.figures().and_then(|figures| figures.get(key)).map_or(serde_json::Value::Null, Into::into);
        let mut cells = vec![row.point.into()];
        cells.extend(row.axes.iter().map(|(_, value)| value.to_json()));
        cells.extend(varied.iter().map(figure));
        cells.extend([row.front.into(), why.into()]);
        cells
    };
    let place = |key: &String| 1 + summary.axes.len() + varied.iter().position(|known| known == key).unwrap_or(0);
    let mut shown = summary.minimised.iter().chain(&summary.maximised).map(place);
    let x = shown.next().unwrap_or(0);
    let y = shown.next().unwrap_or(x);
    Table {
        title: "Points".to_owned(),
        rows: rows.iter().map(cells).collect(),
        columns,
        points: Some(Points { axes: (1..=summary.axes.len()).collect(), front, shown: [x, y] }),
    }
}

fn varies(rows: &[Row], key: &str) -> bool {
    let mut figures = rows.iter().filter_map(|row| row.figures()?.get(key));
    let first = figures.next();
    figures.any(|figure| Some(figure) != first)
}
