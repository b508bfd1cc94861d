//! A timeline as shares of bins: what each unit did, and how much of it each memory channel moved data.

use super::words::Source;
use crate::SessionError;
use crate::report::BUSY;
use crate::trace::DISPATCH;
use reports::figure::style::ColumnWidth;
use reports::trace::{Category, DATA_US, Span, read_trace};
use reports::utilisation::{Strip, Utilisation};
use sim::outcome::StallCause;

/// What is shown beside the units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Of each core with many memory channels their mean, the least busy and the busiest; few have a strip each.
    Grouped,
    /// Memory channels, a strip each.
    All,
    /// Nothing.
    Hidden,
}

/// Bins of equal length from the beginning of the step to its end.
///
/// # Errors
/// Text that is no trace of a run, or one without states of units.
pub fn utilisation(
    source: &Source<'_>,
    bins: usize,
    channels: Channels,
    width: ColumnWidth,
) -> Result<Utilisation, SessionError> {
    let refused = |line: String| {
        let name = &source.name;
        SessionError::Input(format!("{name}: {line}, expected the file of `lapwing run --trace`; run it again"))
    };
    let spans = read_trace(source.text).map_err(refused)?;
    let shown = |span: &&Span| match (span.category, channels) {
        (Category::State, Channels::Grouped | Channels::All | Channels::Hidden)
        | (Category::Channel, Channels::Grouped | Channels::All) => true,
        (Category::Instruction, Channels::Grouped | Channels::All | Channels::Hidden)
        | (Category::Channel, Channels::Hidden) => false,
    };
    let ends =
        spans.iter().filter(|span| span.category == Category::State).map(|span| span.start_us + span.duration_us);
    let end = ends.fold(0.0, f64::max);
    if end <= 0.0 {
        return Err(refused("there is no state of a unit".to_owned()));
    }
    let states = states();
    let mut strips: Vec<Strip> = Vec::new();
    let mut tracks: Vec<(&str, Category)> = Vec::new();
    for span in spans.iter().filter(shown) {
        let at = tracks.iter().position(|(track, _)| *track == span.track).unwrap_or_else(|| {
            tracks.push((&span.track, span.category));
            let name = span.track.strip_suffix(" state").unwrap_or(&span.track).to_owned();
            strips.push(Strip { name, bins: vec![vec![0.0; states.len()]; bins] });
            tracks.len() - 1
        });
        let state = match span.category {
            // A channel that moves something is busy with it.
            Category::Channel | Category::Instruction => 0,
            Category::State => states
                .iter()
                .position(|state| *state == span.name)
                .ok_or_else(|| refused(format!("`{}` is no state of a unit", span.name)))?,
        };
        let share = data_share(span).ok_or_else(|| refused(format!("`{}` does not say what it moved", span.name)))?;
        spread(&mut strips[at].bins, state, [span.start_us, span.start_us + span.duration_us], share, end);
    }
    let idle = states.len() - 1;
    for (strip, (_, category)) in strips.iter_mut().zip(&tracks) {
        if *category == Category::Channel {
            for shares in &mut strip.bins {
                shares[idle] = (1.0 - shares.iter().sum::<f64>()).max(0.0);
            }
        }
    }
    let strips = match channels {
        Channels::Grouped => grouped(strips),
        Channels::All | Channels::Hidden => strips,
    };
    Ok(Utilisation {
        title: String::new(),
        time_label: "Simulated time (\u{b5}s)".to_owned(),
        span: [0.0, end],
        states: states.iter().map(|state| words(state)).collect(),
        idle: Some(idle),
        strips,
        width,
    })
}

/// Data channels of a core that have a strip each.
const CHANNELS_APART: usize = 4;

/// The strips with the data channels of each core that has many as three: their mean, the least busy and the busiest.
fn grouped(strips: Vec<Strip>) -> Vec<Strip> {
    // `core 1 channel 17` or `channel 3`: what stands before the number is the group.
    let group_of = |strip: &Strip| {
        let (group, number) = strip.name.rsplit_once(' ')?;
        (group.ends_with("channel") && number.parse::<u32>().is_ok()).then(|| group.to_owned())
    };
    let mut groups: Vec<(Option<String>, Vec<Strip>)> = Vec::new();
    for strip in strips {
        let group = group_of(&strip);
        match groups.iter_mut().find(|(known, _)| group.is_some() && *known == group) {
            Some((_, members)) => members.push(strip),
            None => groups.push((group, vec![strip])),
        }
    }
    let few = |(group, members): (Option<String>, Vec<Strip>)| match group {
        Some(group) if members.len() > CHANNELS_APART => summary(&group, members),
        Some(_) | None => members,
    };
    groups.into_iter().flat_map(few).collect()
}

/// The mean of channels, the least busy of them, and the busiest; of equals the first.
fn summary(group: &str, members: Vec<Strip>) -> Vec<Strip> {
    let busy = |strip: &Strip| strip.bins.iter().map(|shares| shares[0]).sum::<f64>();
    let (mut least, mut most) = (&members[0], &members[0]);
    for strip in &members[1..] {
        least = if busy(strip) < busy(least) { strip } else { least };
        most = if busy(strip) > busy(most) { strip } else { most };
    }
    let of = |bin: usize, state: usize| members.iter().map(|strip| strip.bins[bin][state]).sum::<f64>();
    let count = members.len() as f64;
    let shares = |bin: usize| (0..least.bins[bin].len()).map(|state| of(bin, state) / count).collect();
    let mean = Strip {
        name: format!("{group}s, mean of {}", members.len()),
        bins: (0..least.bins.len()).map(shares).collect(),
    };
    let named =
        |strip: &Strip, what: &str| Strip { name: format!("{} ({what})", strip.name), bins: strip.bins.clone() };
    vec![mean, named(least, "least"), named(most, "most")]
}

/// The states of a unit in the order in which they are stacked, work first and nothing to do last.
fn states() -> Vec<&'static str> {
    let mut states = vec![BUSY, DISPATCH];
    for cause in StallCause::ALL {
        match cause {
            // Both are the dispatch: a timeline does not tell them apart.
            StallCause::Fetch | StallCause::QueueFull => {}
            StallCause::AfterLoad
            | StallCause::AfterStore
            | StallCause::AfterMatrix
            | StallCause::AfterVector
            | StallCause::InFlightLimit
            | StallCause::Core
            | StallCause::Drained => states.push(cause.name()),
        }
    }
    states
}

fn words(state: &str) -> String {
    match state {
        DISPATCH => "wait for dispatch".to_owned(),
        "core" => "wait for other cores".to_owned(),
        "drained" => "idle".to_owned(),
        state => state.replace('_', " "),
    }
}

/// The part of a span that is what it says: of a channel's the time of data on its bus, all of another's.
fn data_share(span: &Span) -> Option<f64> {
    match span.category {
        Category::Instruction | Category::State => Some(1.0),
        Category::Channel => {
            let (_, data_us) = span.args.iter().find(|(key, _)| key == DATA_US)?;
            data_us
                .parse::<f64>()
                .ok()
                .map(|data_us| if span.duration_us > 0.0 { data_us / span.duration_us } else { 0.0 })
        }
    }
}

/// Adds `share` of the part of each bin that lies between two times.
fn spread(bins: &mut [Vec<f64>], state: usize, [from, to]: [f64; 2], share: f64, end: f64) {
    let length = end / bins.len() as f64;
    let bin_of = |time: f64| ((time / length).floor() as usize).min(bins.len() - 1);
    let (first, last) = (bin_of(from), bin_of(to));
    for (number, bin) in bins.iter_mut().enumerate().take(last + 1).skip(first) {
        let (begin, finish) = (number as f64 * length, (number + 1) as f64 * length);
        bin[state] += share * (to.min(finish) - from.max(begin)).max(0.0) / length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_shared_by_the_bins_that_it_lies_in() {
        let mut bins = vec![vec![0.0; 2]; 4];
        spread(&mut bins, 1, [5.0, 25.0], 1.0, 40.0);
        spread(&mut bins, 0, [25.0, 40.0], 0.5, 40.0);
        assert_eq!(bins, [[0.0, 0.5], [0.0, 1.0], [0.25, 0.5], [0.5, 0.0]]);
        println!("compared 8 shares");
    }

    #[test]
    fn many_channels_of_a_core_are_three_strips() {
        let strip = |name: &str, busy: f64| Strip { name: name.to_owned(), bins: vec![vec![busy, 1.0 - busy]; 2] };
        let mut strips = vec![strip("core 0 mx", 0.5), strip("core 0 instruction channel", 0.25)];
        strips.extend(
            (0..8).map(|number| strip(&format!("core 0 channel {number:02}"), f64::from((number + 3) % 8) / 8.0)),
        );
        strips.extend((8..10).map(|number| strip(&format!("core 1 channel {number:02}"), 0.5)));
        let found = grouped(strips);
        let names: Vec<&str> = found.iter().map(|strip| strip.name.as_str()).collect();
        let expected = [
            "core 0 mx",
            "core 0 instruction channel",
            "core 0 channels, mean of 8",
            "core 0 channel 05 (least)",
            "core 0 channel 04 (most)",
            "core 1 channel 08",
            "core 1 channel 09",
        ];
        assert_eq!(names, expected);
        assert_eq!(found[2].bins, [[0.4375, 0.5625], [0.4375, 0.5625]]);
        assert_eq!((found[3].bins[0][0], found[4].bins[0][0]), (0.0, 0.875));
        println!("compared {} strips", found.len());
    }
}
