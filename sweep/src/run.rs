//! All points of a sweep, on all cores of the host: those that have their programs in common behind each other.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use crate::evaluate::{Evaluator, Point};
use crate::folder::{Folder, FolderError, Found, Summary};
use crate::front::{Direction, front};
use crate::results::{keys, meaning};
use crate::row::{Outcome, Row};
use crate::search::Nsga2;
use crate::space::Space;
use crate::spec::{Objective, Sweep};
use crate::table::Tables;
use crate::value::Value;

/// Points that are known at a time: bounds the memory that a sweep takes.
const BLOCK_POINTS: u64 = 4096;
/// Points that are run behind each other. Fewer of them more often wait for programs that another thread compiles; more leave
/// cores of the host idle at the end.
const TASK_POINTS: usize = 16;

/// How far a sweep is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Points with a row.
    pub done: u64,
    /// Points that had one before this run.
    pub known: u64,
    /// All points.
    pub total: u64,
    /// Points on the front of those with a row.
    pub front: u64,
    /// The best figure of each objective on it, in their order; nothing where the front is empty.
    pub best: Vec<f64>,
}

/// What a sweep came to.
#[derive(Debug)]
pub struct Finished {
    /// A row a point, in the order of the points.
    pub rows: Vec<Row>,
    /// What is said about them.
    pub summary: Summary,
    /// Rows that were taken over from an earlier run.
    pub reused: u64,
    /// Damaged lines that were found and made anew.
    pub damaged: u64,
}

/// A part of a sweep: points from `first` up to `end`, without that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first point.
    pub first: u64,
    /// The point behind its last.
    pub end: u64,
}

/// A part that there is not: which, of how many, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPart {
    /// Parts are numbered from 1 to their count.
    Number(u32, u32),
    /// A search has one part.
    Search(u32, u32),
}

impl fmt::Display for NoPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number, count) => {
                write!(
                    f,
                    "part {number} of {count}: there is none, expected a number from 1 to the count; name such a part"
                )
            }
            Self::Search(number, count) => {
                write!(
                    f,
                    "part {number} of {count}: a search has no parts, since each generation depends on all of the one before; \
                     run it whole, or replace [search] by [sample]"
                )
            }
        }
    }
}

impl std::error::Error for NoPart {}

impl Part {
    /// Part `number` of `count`, from 1 on; parts differ in length by one point at most. A search has one part: each of its
    /// generations depends on all of the one before.
    ///
    /// # Errors
    /// There is no such part.
    pub fn of(sweep: &Sweep, number: u32, count: u32) -> Result<Self, NoPart> {
        if !(1..=count).contains(&number) {
            return Err(NoPart::Number(number, count));
        }
        if sweep.search.is_some() && count > 1 {
            return Err(NoPart::Search(number, count));
        }
        let at = |number: u32| (u128::from(sweep.points()) * u128::from(number) / u128::from(count)) as u64;
        Ok(Self { first: at(number - 1), end: at(number) })
    }
}

/// Where points come from, block by block.
enum Source<'s> {
    /// One after another.
    All { space: &'s Space, part: Part },
    /// From a search, with all rows that it has met by configuration and the block's first point.
    Search { space: &'s Space, state: Nsga2, generations: u32, met: BTreeMap<u64, Row>, first: u64 },
}

impl<'s> Source<'s> {
    fn new(sweep: &'s Sweep, part: Part) -> Self {
        let space = &sweep.space;
        match sweep.search {
            None => Self::All { space, part },
            Some(search) => {
                let state = Nsga2::new(search, space.groups().len(), sweep.seed);
                Self::Search { space, state, generations: search.generations, met: BTreeMap::new(), first: 0 }
            }
        }
    }

    /// The next points; `last` are the rows of those before, which only a search reads.
    fn next(&mut self, last: &[Row], objectives: &[Objective]) -> Option<Vec<(u64, Vec<Value>)>> {
        match self {
            Self::All { space, part } => {
                let numbers = part.first..part.end.min(part.first + BLOCK_POINTS);
                part.first = numbers.end;
                (!numbers.is_empty()).then(|| numbers.map(|number| (number, space.point(number))).collect())
            }
            Self::Search { space, state, generations, first, .. } => {
                if !last.is_empty() {
                    state.tell(last.iter().map(|row| costs(row, objectives)).collect());
                    *first += last.len() as u64;
                }
                *generations = generations.checked_sub(1)?;
                let places = state.ask();
                Some((*first..).zip(places.iter().map(|places| space.at(places))).collect())
            }
        }
    }

    /// The row of a configuration, if a search has met it.
    fn met(&self, config: u64) -> Option<&Row> {
        match self {
            Self::All { .. } => None,
            Self::Search { met, .. } => met.get(&config),
        }
    }

    /// Adds the rows of points that are equal to others; of a search, gives all rows of the block.
    fn end_block(
        &mut self,
        evaluator: &Evaluator<'_>,
        collected: &mut Collected,
        again: Vec<Point>,
        objectives: &[Objective],
    ) -> Vec<Row> {
        for point in again {
            let found = self.met(point.config).or_else(|| collected.rows.iter().find(|r| r.config == point.config));
            let row = evaluator.row_like(&point, found.expect("an equal point has its row"));
            collected.take_over(row, objectives);
        }
        match self {
            Self::All { .. } => Vec::new(),
            Self::Search { met, first, .. } => {
                let mut rows: Vec<Row> = collected.rows.iter().filter(|row| row.point >= *first).cloned().collect();
                rows.sort_by_key(|row| row.point);
                met.extend(rows.iter().map(|row| (row.config, row.clone())));
                rows
            }
        }
    }
}

/// Rows as they come in.
struct Collected {
    folder: Folder,
    rows: Vec<Row>,
    front: Vec<Vec<f64>>,
    failure: Option<FolderError>,
    stopped: bool,
}

/// Does something on so many threads of the host; on all that it has where the number is 0. No result depends on it.
pub fn on_threads<T: Send>(threads: usize, job: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap_or_else(|error| panic!("the host gives no {threads} threads: {error}")).install(job)
}

/// Runs a part of a sweep into a folder, with these tables at its end; what it holds already is not run again.
///
/// # Errors
/// What is wrong with the folder; rows that were finished before are kept there.
pub fn run(
    sweep: &Sweep,
    part: Part,
    folder: &Path,
    tables: Tables,
    version: &str,
    progress: impl Fn(Progress) + Sync,
) -> Result<Finished, FolderError> {
    let finished = run_while(sweep, part, folder, tables, version, |reached| {
        progress(reached);
        true
    })?;
    Ok(finished.expect("nobody stopped it"))
}

/// The same, as long as whoever is told of the progress says so; nothing comes back from a run that was stopped, and its
/// rows are kept for the next.
///
/// # Errors
/// As of [`run`].
pub fn run_while(
    sweep: &Sweep,
    part: Part,
    folder: &Path,
    tables: Tables,
    version: &str,
    progress: impl Fn(Progress) -> bool + Sync,
) -> Result<Option<Finished>, FolderError> {
    let (opened, Found { rows: found, damaged }) = Folder::open(folder)?;
    let evaluator = Evaluator::new(Cow::Borrowed(sweep), version);
    let strange = strange(&evaluator, &found);
    if strange > 0 {
        return Err(FolderError::OtherSweep { folder: folder.to_owned(), rows: strange });
    }
    let mut known = crate::folder::by_config(found);
    let total = part.end - part.first;
    let collected = Collected { folder: opened, rows: Vec::new(), front: Vec::new(), failure: None, stopped: false };
    let collected = Mutex::new(collected);
    let mut reused = 0;
    let mut source = Source::new(sweep, part);
    let mut last = Vec::new();
    while let Some(block) = source.next(&last, &sweep.objectives) {
        let points: Vec<Point> =
            block.into_par_iter().map(|(number, values)| evaluator.point(number, values)).collect();
        let (mut missing, mut again, mut configs) = (Vec::new(), Vec::new(), BTreeSet::new());
        for point in points {
            match known.get(&point.config) {
                Some(row) => {
                    reused += 1;
                    lock(&collected).take_over(evaluator.row_like(&point, row), &sweep.objectives);
                }
                None if source.met(point.config).is_some() || !configs.insert(point.config) => again.push(point),
                None => missing.push(point),
            }
        }
        let tell = |collected: &mut Collected| {
            let (done, front) = (collected.rows.len() as u64, collected.front.len() as u64);
            let best = best(&collected.front, &sweep.objectives);
            collected.stopped |= !progress(Progress { done, known: reused, total, front, best });
        };
        tell(&mut lock(&collected));
        run_tasks(&evaluator, tasks(missing), |row| {
            let mut collected = lock(&collected);
            collected.add(row, &sweep.objectives);
            tell(&mut collected);
            !collected.has_ended()
        });
        let mut collected = lock(&collected);
        if collected.has_ended() {
            break;
        }
        last = source.end_block(&evaluator, &mut collected, again, &sweep.objectives);
    }
    let Collected { folder: opened, mut rows, failure, stopped, .. } =
        collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = failure {
        return Err(failure);
    }
    if stopped {
        return Ok(None);
    }
    rows.iter().for_each(|row| drop(known.remove(&row.config)));
    if !known.is_empty() {
        return Err(FolderError::OtherSweep { folder: folder.to_owned(), rows: known.len() as u64 });
    }
    rows.sort_by_key(|row| row.point);
    mark_front(&mut rows, &sweep.objectives);
    let summary = summary(&evaluator, part, &rows, version);
    opened.finish(&rows, &summary, tables)?;
    Ok(Some(Finished { rows, summary, reused, damaged }))
}

/// How many rows cannot be of this sweep, as far as is seen without looking at all its points.
fn strange(evaluator: &Evaluator<'_>, rows: &[Row]) -> u64 {
    let strange = rows.iter().filter(|row| !evaluator.may_have(row)).count() as u64;
    // Of everything else that rows depend on, all are made alike.
    match rows.first() {
        Some(row) if strange == 0 => {
            let values = row.axes.iter().map(|(_, value)| value.clone()).collect();
            if evaluator.point(row.point, values).config == row.config { 0 } else { rows.len() as u64 }
        }
        Some(_) | None => strange,
    }
}

/// Points of one kind together, as many as a task takes, in the order of the first of each.
fn tasks(points: Vec<Point>) -> Vec<Vec<Point>> {
    let mut kinds: BTreeMap<u64, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Point>> = Vec::new();
    for point in points {
        let group = *kinds.entry(point.kind).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(point);
    }
    let mut tasks = Vec::new();
    for mut group in groups {
        while group.len() > TASK_POINTS {
            let rest = group.split_off(TASK_POINTS);
            tasks.push(std::mem::replace(&mut group, rest));
        }
        tasks.push(group);
    }
    tasks
}

fn run_tasks(evaluator: &Evaluator<'_>, tasks: Vec<Vec<Point>>, emit: impl Fn(Row) -> bool + Sync) {
    evaluator.announce(tasks.iter().flatten());
    let stopped = AtomicBool::new(false);
    // One after another and not halved and halved again, so that rows come nearly in the order of the points.
    tasks.into_iter().par_bridge().for_each(|points| {
        for point in &points {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let goes_on = emit(evaluator.run(point));
            stopped.fetch_or(!goes_on, Ordering::Relaxed);
        }
    });
}

impl Collected {
    /// Whether there can be no more rows: the folder has failed, or somebody has said so.
    fn has_ended(&self) -> bool {
        self.failure.is_some() || self.stopped
    }

    /// Keeps a row on the disk and here.
    fn add(&mut self, row: Row, objectives: &[Objective]) {
        if self.failure.is_some() {
            return;
        }
        match self.folder.append(&row) {
            Ok(()) => self.take_over(row, objectives),
            Err(error) => self.failure = Some(error),
        }
    }

    fn take_over(&mut self, row: Row, objectives: &[Objective]) {
        if let Some(costs) = costs(&row, objectives)
            && !self.front.iter().any(|other| crate::front::dominates(other, &costs))
        {
            self.front.retain(|other| !crate::front::dominates(&costs, other));
            self.front.push(costs);
        }
        self.rows.push(row);
    }
}

/// The best figure of each objective among these costs; nothing where there are none.
fn best(front: &[Vec<f64>], objectives: &[Objective]) -> Vec<f64> {
    let least = |place: usize| front.iter().map(|costs| costs[place]).min_by(f64::total_cmp);
    let of = |(place, objective): (usize, &Objective)| Some(objective.direction.cost(least(place)?));
    objectives.iter().enumerate().filter_map(of).collect()
}

/// What a row costs in each objective; none where it has no figures.
pub fn costs(row: &Row, objectives: &[Objective]) -> Option<Vec<f64>> {
    let figures = row.figures()?;
    objectives.iter().map(|objective| Some(objective.direction.cost(figures.get(&objective.key)?))).collect()
}

/// Marks the rows that no other row is better than.
pub fn mark_front(rows: &mut [Row], objectives: &[Objective]) {
    let (places, costs): (Vec<usize>, Vec<Vec<f64>>) =
        rows.iter().enumerate().filter_map(|(place, row)| Some((place, costs(row, objectives)?))).unzip();
    rows.iter_mut().for_each(|row| row.front = false);
    for (place, on_front) in places.into_iter().zip(front(&costs)) {
        rows[place].front = on_front;
    }
}

/// What stands in a finished folder beside its rows.
fn summary(evaluator: &Evaluator<'_>, part: Part, rows: &[Row], version: &str) -> Summary {
    let sweep = evaluator.sweep();
    let listed = |direction: Direction| {
        let objectives = sweep.objectives.iter().filter(|objective| objective.direction == direction);
        objectives.map(|objective| objective.key.clone()).collect()
    };
    let term = |key: &str| {
        let term = meaning(key).unwrap_or_else(|| panic!("the glossary has no `{key}`"));
        (key.to_owned(), [term.unit.to_owned(), term.meaning.to_owned()])
    };
    let empty = Summary {
        version: version.to_owned(),
        seed: sweep.seed,
        inputs: format!("{:016x}", evaluator.inputs()),
        sweep: sweep.text.clone(),
        of_points: sweep.points(),
        first_point: part.first,
        points: 0,
        done: 0,
        excluded: 0,
        failed: 0,
        front: 0,
        minimised: listed(Direction::Minimise),
        maximised: listed(Direction::Maximise),
        axes: sweep.axis_names(),
        glossary: keys().map(term).collect(),
        checksums: BTreeMap::new(),
    };
    summarise(rows, empty)
}

/// A summary with the rows counted anew.
pub fn summarise(rows: &[Row], summary: Summary) -> Summary {
    let count = |is: fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
    Summary {
        points: rows.len() as u64,
        done: count(|row| matches!(row.outcome, Outcome::Done(_))),
        excluded: count(|row| matches!(row.outcome, Outcome::Excluded { .. })),
        failed: count(|row| matches!(row.outcome, Outcome::Failed(_))),
        front: count(|row| row.front),
        ..summary
    }
}

fn lock(collected: &Mutex<Collected>) -> MutexGuard<'_, Collected> {
    // A row that was being added when a thread panicked is in the journal or not at all.
    collected.lock().unwrap_or_else(PoisonError::into_inner)
}
