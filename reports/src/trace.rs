//! Timelines in the Chrome trace event format, which Perfetto and chrome://tracing open.
//!
//! Format: "Trace Event Format" (Google, 2016), complete events (`ph: X`) with times in microseconds.
//! Spans are written as they come, so a trace larger than memory is no problem; figures read them back.
//! Must never stamp host time: every time is simulated.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Deserialize;

/// Detail of a span of a channel: how long data was on its bus within the span, in microseconds.
pub const DATA_US: &str = "data_us";

/// What a span is about: viewers filter by it, and figures read by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// An instruction, from issue to retirement.
    Instruction,
    /// What a unit did: such spans of a track follow each other without a gap.
    State,
    /// A memory channel that moved data.
    Channel,
}

impl Category {
    const fn name(self) -> &'static str {
        match self {
            Category::Instruction => "instruction",
            Category::State => "state",
            Category::Channel => "channel",
        }
    }
}

/// Something that took time on one track.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The row of the timeline: a unit or a memory channel.
    pub track: String,
    /// What it is about.
    pub category: Category,
    /// What happened.
    pub name: String,
    /// Simulated time of its beginning, microseconds.
    pub start_us: f64,
    /// Simulated duration, microseconds.
    pub duration_us: f64,
    /// Details shown when the span is selected, in the order given.
    pub args: Vec<(String, String)>,
}

/// Writes a trace span by span.
#[derive(Debug)]
pub struct TraceWriter<W: Write> {
    out: W,
    /// Track name to row number, in order of first appearance.
    tracks: BTreeMap<String, usize>,
    events: u64,
}

impl<W: Write> TraceWriter<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// Whatever writing to `out` gives.
    pub fn begin(mut out: W) -> io::Result<TraceWriter<W>> {
        out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        Ok(TraceWriter { out, tracks: BTreeMap::new(), events: 0 })
    }

    /// Writes one span, preceded by its track's name where that is new.
    ///
    /// # Errors
    /// `InvalidInput` for a time that is not finite or a negative duration (viewers drop such events without a word);
    /// otherwise whatever writing gives.
    pub fn span(&mut self, span: &Span) -> io::Result<()> {
        if !span.start_us.is_finite() || !span.duration_us.is_finite() || span.duration_us < 0.0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "trace: span '{}' on '{}' starts at {} us and lasts {} us, expected finite times and a duration \
                     of at least 0",
                    span.name, span.track, span.start_us, span.duration_us
                ),
            ));
        }
        let row = match self.tracks.get(&span.track) {
            Some(row) => *row,
            None => self.name_track(&span.track)?,
        };
        self.separate()?;
        write!(
            self.out,
            "{{\"ph\":\"X\",\"pid\":1,\"tid\":{row},\"cat\":\"{}\",\"ts\":{},\"dur\":{},\"name\":{}",
            span.category.name(),
            span.start_us,
            span.duration_us,
            json(&span.name)
        )?;
        for (i, (key, value)) in span.args.iter().enumerate() {
            let before = if i == 0 { ",\"args\":{" } else { "," };
            write!(self.out, "{before}{}:{}", json(key), json(value))?;
        }
        self.out.write_all(if span.args.is_empty() { b"}" } else { b"}}" })
    }

    /// Ends the file and gives `out` back, flushed.
    ///
    /// # Errors
    /// Whatever writing gives.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn name_track(&mut self, track: &str) -> io::Result<usize> {
        let row = self.tracks.len() + 1;
        self.tracks.insert(track.to_owned(), row);
        self.separate()?;
        write!(
            self.out,
            "{{\"ph\":\"M\",\"pid\":1,\"tid\":{row},\"name\":\"thread_name\",\"args\":{{\"name\":{}}}}}",
            json(track)
        )?;
        self.separate()?;
        // Without an index viewers sort rows by name, and `ch10` lands before `ch2`.
        write!(
            self.out,
            "{{\"ph\":\"M\",\"pid\":1,\"tid\":{row},\"name\":\"thread_sort_index\",\"args\":{{\"sort_index\":{row}}}}}"
        )?;
        Ok(row)
    }

    fn separate(&mut self) -> io::Result<()> {
        let between: &[u8] = if self.events == 0 { b"\n" } else { b",\n" };
        self.events += 1;
        self.out.write_all(between)
    }
}

/// Writes all `spans` as one trace file.
///
/// # Errors
/// As [`TraceWriter::span`].
pub fn write_trace<W: Write>(out: W, spans: &[Span]) -> io::Result<W> {
    let mut writer = TraceWriter::begin(out)?;
    for span in spans {
        writer.span(span)?;
    }
    writer.finish()
}

/// An event of a trace as it is read: of ours, so every key is there.
#[derive(Deserialize)]
struct Event {
    ph: String,
    tid: usize,
    name: String,
    cat: Option<Category>,
    ts: Option<f64>,
    dur: Option<f64>,
    #[serde(default)]
    args: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Events {
    trace_events: Vec<Event>,
}

/// The spans of a trace that [`TraceWriter`] has written, in the order in which they stand, their details by name.
///
/// # Errors
/// Text that is no such trace, and where.
pub fn read_trace(text: &str) -> Result<Vec<Span>, String> {
    let events: Events = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut tracks: BTreeMap<usize, String> = BTreeMap::new();
    let mut spans = Vec::new();
    for (number, event) in events.trace_events.into_iter().enumerate() {
        match event.ph.as_str() {
            "M" if event.name == "thread_name" => {
                let name = event.args.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
                tracks.insert(event.tid, name.to_owned());
            }
            "X" => {
                let (Some(category), Some(start_us), Some(duration_us), Some(track)) =
                    (event.cat, event.ts, event.dur, tracks.get(&event.tid))
                else {
                    return Err(format!("event {number} lacks its category, its times or its track's name"));
                };
                let text = |value: serde_json::Value| value.as_str().map(str::to_owned);
                let details = event.args.into_iter().filter_map(|(key, value)| Some((key, text(value)?)));
                let (track, name, args) = (track.clone(), event.name, details.collect());
                spans.push(Span { track, category, name, start_us, duration_us, args });
            }
            _ => {}
        }
    }
    Ok(spans)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(track: &str, name: &str, start_us: f64, duration_us: f64) -> Span {
        let args = vec![("bytes".to_owned(), "4096".to_owned()), ("q\"uote".to_owned(), "a\nb".to_owned())];
        let category = if track == "ld" { Category::State } else { Category::Instruction };
        Span { track: track.to_owned(), category, name: name.to_owned(), start_us, duration_us, args }
    }

    #[test]
    fn every_span_reads_back() {
        let mut spans =
            vec![span("ld", "LD w0", 0.0, 1.5), span("mm", "MM q \\ k", 1.5, 2.25), span("ld", "LD w1", 4.0, 0.0)];
        spans[2].args.clear();
        let bytes = write_trace(Vec::new(), &spans).expect("a Vec takes all");
        let trace: serde_json::Value = serde_json::from_slice(&bytes).expect("valid JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let names: Vec<&str> = events
            .iter()
            .filter(|e| e["name"] == "thread_name")
            .map(|e| e["args"]["name"].as_str().expect("text"))
            .collect();
        assert_eq!(names, ["ld", "mm"]);
        let drawn: Vec<_> = events.iter().filter(|e| e["ph"] == "X").collect();
        assert_eq!(drawn.len(), spans.len());
        let mut compared = 0;
        for (event, span) in drawn.iter().zip(&spans) {
            assert_eq!(event["name"], span.name.as_str());
            assert_eq!(event["ts"].as_f64(), Some(span.start_us));
            assert_eq!(event["dur"].as_f64(), Some(span.duration_us));
            let row = if span.track == "ld" { 1 } else { 2 };
            assert_eq!(event["tid"], row);
            for (key, value) in &span.args {
                assert_eq!(event["args"][key], value.as_str());
                compared += 1;
            }
            compared += 4;
        }
        println!("compared {compared} trace values");
        assert!(compared >= 12);
        let read = read_trace(std::str::from_utf8(&bytes).expect("UTF-8")).expect("a trace of ours");
        assert_eq!(read, spans);
        assert!(read_trace("{\"traceEvents\":[{\"ph\":\"X\",\"tid\":1,\"name\":\"x\"}]}").is_err());
    }

    #[test]
    fn an_empty_trace_is_valid() {
        let bytes = write_trace(Vec::new(), &[]).expect("a Vec takes all");
        let trace: serde_json::Value = serde_json::from_slice(&bytes).expect("valid JSON");
        assert_eq!(trace["traceEvents"], serde_json::json!([]));
    }

    #[test]
    fn impossible_times_are_refused() {
        for (start, duration) in [(f64::NAN, 1.0), (0.0, f64::INFINITY), (0.0, -1.0)] {
            let error = write_trace(Vec::new(), &[span("ld", "x", start, duration)]).expect_err("refused");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
