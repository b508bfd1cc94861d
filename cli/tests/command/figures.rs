//! Figures of results: what stands beside each picture is what the results say, and a wrong word is answered with the right one.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::common::{Folder, project};
use serde_json::Value;

/// Rows of a CSV without quotes, the header first.
fn csv(folder: &Folder, name: &str) -> Vec<Vec<String>> {
    let text = String::from_utf8(folder.read(name)).expect("UTF-8");
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("'{text}' is no number"))
}

/// A sweep of two axes with one failed point: the axes in another order than they are shown in.
pub(crate) fn sweep(folder: &Folder) {
    let mut lines = String::new();
    let mut point = 0;
    for format in ["w8a8", "w4a8"] {
        for columns in [128, 64, 32] {
            let ms = 1000.0 / f64::from(columns) * if format == "w8a8" { 1.5 } else { 1.0 };
            let (results, failure) = if (format, columns) == ("w8a8", 128) {
                ("null".to_owned(), "\"core 0 does not fit SLR0: DSP 9000 of 2880\"".to_owned())
            } else {
                let power = 20.0 + f64::from(columns) / 4.0;
                let speed = 1000.0 / ms;
                let numbers = format!(
                    "\"decode_ms_per_token\":{ms},\"average_power_w\":{power},\"tokens_per_s\":{speed},\"bytes.weights\":{}",
                    point - 1
                );
                (format!("{{{numbers}}}"), "null".to_owned())
            };
            lines.push_str(&format!(
                "{{\"point\":{point},\"axes\":{{\"machine.core.matrix.columns\":{columns},\"format\":\"{format}\"}},\
                 \"results\":{results},\"failure\":{failure},\"front\":false,\"seed\":7}}\n"
            ));
            point += 1;
        }
    }
    std::fs::create_dir_all(folder.at("sweep")).expect("a folder");
    folder.write("sweep/points.jsonl", lines);
}

#[test]
fn a_front_is_drawn_from_the_points_of_a_sweep() {
    let folder = Folder::new("figure-pareto");
    sweep(&folder);
    let arguments = ["figure", "pareto", "sweep", "--x", "decode_ms_per_token", "--y", "average_power_w"];
    let more = ["--group", "format", "--iso", "product", "--iso-label", "energy a token (mJ)"];
    let ended = folder.run(&[&arguments[..], &more[..], &["-o", "front.svg"]].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 of 6 points failed"), "{}", ended.stderr);
    let rows = csv(&folder, "front.csv");
    // The title of an axis has a comma of its own.
    assert_eq!(rows.len(), 1 + 5);
    let front: Vec<&str> = rows[1..].iter().filter(|row| row[5] == "true").map(|row| row[1].trim()).collect();
    assert_eq!(front, ["columns 128\"", "columns 64\"", "columns 32\""], "{rows:?}");
    let svg = String::from_utf8(folder.read("front.svg")).expect("UTF-8");
    for words in ["equal energy a token (mJ)", "format: w8a8", "Simulated time of one generated token, on average (ms)"]
    {
        assert!(svg.contains(words), "no '{words}'");
    }
    assert_eq!(svg.matches("class=\"point front\"").count(), 3);
    assert_eq!(svg.matches("class=\"point dominated\"").count(), 2);
    for ending in ["pdf", "png", "tex"] {
        folder.must(&[&arguments[..], &["-o", &format!("front.{ending}"), "--width", "double", "--quiet"]].concat());
    }
    let again = folder.read("front.svg");
    folder.must(&[&arguments[..], &more[..], &["-o", "front.svg"]].concat());
    assert_eq!(again, folder.read("front.svg"));
    println!("compared {} rows", rows.len());
}

#[test]
fn a_map_is_drawn_in_the_order_of_its_axes() {
    let folder = Folder::new("figure-map");
    sweep(&folder);
    let arguments = ["figure", "heat-map", "sweep", "--x", "machine.core.matrix.columns", "--y", "format"];
    folder.must(&[&arguments[..], &["--value", "tokens_per_s", "--maximise", "-o", "map.svg"]].concat());
    let rows = csv(&folder, "map.csv");
    let cells: Vec<(&str, &str, &str)> =
        rows[1..].iter().map(|row| (row[0].as_str(), row[1].as_str(), row[row.len() - 1].as_str())).collect();
    let expected = [
        ("32", "w8a8", "done"),
        ("64", "w8a8", "done"),
        ("128", "w8a8", "failed"),
        ("32", "w4a8", "done"),
        ("64", "w4a8", "done"),
        ("128", "w4a8", "best"),
    ];
    assert_eq!(cells, expected);
    assert_eq!(number(&rows[6][2]), 128.0);
    // Axes have the short names that they have in a Pareto figure.
    assert_eq!(rows[0][..2], ["columns", "format"]);
    // One axis alone: points share cells unless the other is fixed or the best is shown.
    let one =
        ["figure", "heat-map", "sweep", "--x", "format", "--y", "format", "--value", "tokens_per_s", "-o", "one.svg"];
    assert!(folder.run(&one).stderr.contains("--x and --y are both `format`"));
    println!("compared {} cells", cells.len());
}

#[test]
fn points_that_share_a_cell_are_refused_unless_the_best_is_asked_for() {
    let folder = Folder::new("figure-shared");
    let mut lines = String::new();
    for point in 0..8 {
        let (a, b, c) = (point & 1, point >> 1 & 1, point >> 2);
        let value = if point == 3 { "null".to_owned() } else { format!("{{\"total_ms\":{}}}", 10 + point) };
        lines.push_str(&format!(
            "{{\"point\":{point},\"axes\":{{\"a\":{a},\"b\":{b},\"c\":{c}}},\"results\":{value}}}\n"
        ));
    }
    std::fs::create_dir_all(folder.at("s")).expect("a folder");
    folder.write("s/points.jsonl", lines);
    let arguments = ["figure", "heat-map", "s", "--x", "a", "--y", "b", "--value", "total_ms", "-o", "m.svg"];
    let ended = folder.run(&arguments);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("points 0 and 4 share a cell") && ended.stderr.contains("fix c with --where"),
        "{}",
        ended.stderr
    );
    folder.must(&[&arguments[..], &["--best"]].concat());
    let best: Vec<String> = csv(&folder, "m.csv")[1..].iter().map(|row| row[2].clone()).collect();
    assert_eq!(best, ["10", "11", "12", "17"], "a failed point gives way to one with a value");
    folder.must(&[&arguments[..], &["--where", "c=0"]].concat());
    let fixed: Vec<String> = csv(&folder, "m.csv")[1..].iter().map(|row| row[2].clone()).collect();
    assert_eq!(fixed, ["10", "11", "12", ""]);
    let wrong = folder.run(&[&arguments[..], &["--where", "c=2"]].concat());
    assert!(wrong.stderr.contains("value of axis `c` `2` is unknown, expected one of: 0, 1"), "{}", wrong.stderr);
    println!("compared 8 cells");
}

/// Runs of a small model: one core and two, with a prompt and an answer.
pub(crate) fn runs(folder: &Folder) -> BTreeMap<&'static str, Value> {
    let sparse = project("models/tiny-llama-2of4");
    let mut runs = BTreeMap::new();
    let cases: [(&str, &[&str]); 3] = [
        ("w8a8", &["--format", "w8a8"]),
        ("w4a8", &["--format", "w4a8"]),
        ("cores", &["--machine", "tiny-2core", "--model", &sparse, "--format", "sparse"]),
    ];
    for (name, arguments) in cases {
        let text = folder.must(&[&["run", "--prefill", "20", "--decode", "3", "--json"], arguments].concat());
        folder.write(&format!("{name}.json"), &text);
        runs.insert(name, serde_json::from_str(&text).expect("JSON"));
    }
    runs
}

#[test]
fn parts_of_runs_add_up_to_their_totals() {
    let folder = Folder::new("figure-breakdown");
    let runs = runs(&folder);
    let mut compared = 0;
    for run in runs.values() {
        // In the report itself to the cycle and to the byte.
        let sum = |rows: &Value, key: &str| {
            rows.as_array().expect("rows").iter().map(|row| row[key].as_u64().expect("a count")).sum::<u64>()
        };
        let total = run["total_cycles"].as_u64().expect("cycles");
        assert_eq!(sum(&run["operators"], "cycles") + sum(&run["phases"], "end_cycles"), total);
        assert_eq!(sum(&run["phases"], "cycles"), total);
        let classes = run["bytes"].as_object().expect("classes");
        let bytes: u64 = classes.values().map(|class| class.as_u64().expect("bytes")).sum();
        let fetched = run["bytes"]["instructions"].as_u64().expect("bytes");
        assert_eq!(sum(&run["operators"], "bytes") + fetched, bytes);
        for (unit, states) in run["unit_cycles"].as_object().expect("units") {
            let cores = if unit.starts_with("core_") { 1 } else { run["cores"].as_u64().expect("cores") };
            let states = states.as_object().expect("states").values();
            assert_eq!(states.map(|cycles| cycles.as_u64().expect("cycles")).sum::<u64>(), cores * total, "{unit}");
            compared += 1;
        }
        compared += 3;
    }
    let cases = [
        ("latency", "operator", "total_ms"),
        ("latency", "component", "total_ms"),
        ("energy", "component", "energy_j"),
        ("energy", "operator", "energy_j"),
    ];
    for (of, by, key) in cases {
        let arguments =
            ["figure", "breakdown", "w8a8.json", "w4a8.json", "cores.json", "--of", of, "--by", by, "-o", "b.svg"];
        folder.must(&arguments);
        let rows = csv(&folder, "b.csv");
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        let mut totals: Vec<f64> = Vec::new();
        // The bars have commas in their names, which are quoted; what follows are part, value and look.
        for row in &rows[1..] {
            let [part, value] = [row[row.len() - 3].as_str(), row[row.len() - 2].as_str()];
            if part == "total" {
                totals.push(number(value));
            } else {
                *sums.entry(totals.len().to_string()).or_default() += number(value);
            }
        }
        for ((name, total), sum) in ["w8a8", "w4a8", "cores"].iter().zip(&totals).zip(sums.values()) {
            let expected = runs[name][key].as_f64().expect("a number");
            assert!(
                (total / expected - 1.0).abs() < 1e-12 && (sum / expected - 1.0).abs() < 1e-12,
                "{of} by {by} of {name}"
            );
            compared += 2;
        }
    }
    folder.must(&[
        "figure",
        "breakdown",
        "w8a8.json",
        "--of",
        "bytes",
        "--by",
        "operator",
        "--phase",
        "decode",
        "-o",
        "c.svg",
    ]);
    folder.must(&["figure", "breakdown", "cores.json", "--of", "bytes", "--by", "component", "-o", "c.svg"]);
    println!("compared {compared} sums");
    assert!(compared > 30);
}

/// Names in a legend with the fill and hatch of their samples.
fn looks(svg: &str) -> BTreeMap<String, Vec<String>> {
    let mut samples: Vec<Vec<String>> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for tag in svg.split('<') {
        let of = |key: &str| {
            tag.split_once(&format!("{key}=\"")).map_or("", |(_, rest)| rest.split('"').next().expect("an end"))
        };
        match of("class") {
            // The rim closes a sample.
            "legend-part" if of("fill") != "none" => samples.push(vec![of("fill").to_owned()]),
            "legend-hatch" => samples.last_mut().expect("a fill before its hatch").push(of(" d").to_owned()),
            "legend" => names.push(tag.split_once('>').expect("a text").1.to_owned()),
            _ => {}
        }
    }
    assert_eq!(names.len(), samples.len());
    names.into_iter().zip(samples).collect()
}

#[test]
fn an_operator_looks_the_same_whatever_is_shown_of_it() {
    let folder = Folder::new("figure-looks");
    runs(&folder);
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut compared = 0;
    for of in ["latency", "energy", "bytes"] {
        for phase in [&[][..], &["--phase", "prefill"], &["--phase", "decode"]] {
            let arguments =
                ["figure", "breakdown", "w8a8.json", "w4a8.json", "--of", of, "--by", "operator", "-o", "b.svg"];
            folder.must(&[&arguments[..], phase].concat());
            for (name, look) in looks(&String::from_utf8(folder.read("b.svg")).expect("UTF-8")) {
                if !name.starts_with("other") {
                    assert_eq!(
                        known.entry(name.clone()).or_insert_with(|| look.clone()),
                        &look,
                        "{name} in {of} {phase:?}"
                    );
                    compared += 1;
                }
            }
        }
    }
    println!("compared {compared} looks");
    assert!(compared > 50);
}

#[test]
fn the_timeline_of_a_step_is_what_the_report_adds_up() {
    let folder = Folder::new("figure-utilisation");
    let mut compared = 0;
    let (sparse, routed) = (project("models/tiny-llama-2of4"), project("models/tiny-mixtral"));
    let cases: [&[&str]; 7] = [
        &["--prefill", "0"],
        &["--prefill", "70", "--machine", "u280-1core", "--model", "smollm2-135m", "--format", "w4a8"],
        &["--prefill", "100", "--format", "w4a8"],
        &["--prefill", "9", "--machine", "tiny-2core", "--model", &sparse, "--format", "sparse"],
        &["--prefill", "33", "--machine", "tiny-bit-serial", "--format", "w4a16-bitmod", "--batch", "2"],
        &["--prefill", "5", "--model", &routed, "--format", "w8a8"],
        &["--prefill", "5", "--machine", "tiny-2core", "--model", &routed, "--format", "w8a8"],
    ];
    for arguments in cases {
        // No step's cycles depend on an earlier step: the last of three is what three take more than two.
        let before = folder.json(&[&["run", "--json", "--decode", "2"], arguments].concat());
        let mut run = folder.json(&[&["run", "--json", "--decode", "3", "--trace", "t.json"], arguments].concat());
        take_away(&mut run, &before);
        let trace: Value = serde_json::from_slice(&folder.read("t.json")).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("events");
        let mut tracks: BTreeMap<u64, &str> = BTreeMap::new();
        let mut sums: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for event in events {
            let row = event["tid"].as_u64().expect("a track");
            if event["name"] == "thread_name" {
                tracks.insert(row, event["args"]["name"].as_str().expect("a name"));
            }
            if event["cat"] == "state" {
                let state = event["name"].as_str().expect("a state");
                *sums.entry((tracks[&row], state)).or_default() += event["dur"].as_f64().expect("a duration");
            }
        }
        compared += channels(&run, events, &tracks);
        let us_per_cycle = run["total_ms"].as_f64().expect("ms") * 1e3 / run["total_cycles"].as_f64().expect("cycles");
        let cores = run["cores"].as_u64().expect("cores");
        for (track, name) in tracks.values().filter_map(|track| Some((*track, track.strip_suffix(" state")?))) {
            let unit = if cores == 1 {
                name.to_owned()
            } else {
                let (core, unit) = name.trim_start_matches("core ").split_once(' ').expect("core and unit");
                format!("core_{:02}_{unit}", core.parse::<u32>().expect("a number"))
            };
            for (state, cycles) in run["unit_cycles"][&unit].as_object().expect("states") {
                let cycles = cycles.as_f64().expect("cycles");
                let other = if state == "fetch" { "queue_full" } else { "fetch" };
                // A timeline does not tell these apart.
                let (shown, expected) = match state.as_str() {
                    "fetch" | "queue_full" => {
                        ("dispatch", cycles + run["unit_cycles"][&unit][other].as_f64().expect("cycles"))
                    }
                    state => (state, cycles),
                };
                let found = sums.get(&(track, shown)).copied().unwrap_or(0.0) / us_per_cycle;
                assert!((found - expected).abs() < 1e-3, "{arguments:?}: {unit} {shown}: {found}, expected {expected}");
                compared += 1;
            }
        }
        folder.must(&["figure", "utilisation", "t.json", "--bins", "7", "-o", "u.svg"]);
        let rows = csv(&folder, "u.csv");
        let busy: f64 = rows[1..].iter().filter(|row| row[0].ends_with("mx")).map(|row| number(&row[3])).sum();
        let expected = run["utilisation"]["mx"].as_f64().expect("a share");
        assert!((busy / 7.0 / cores as f64 - expected).abs() < 1e-9, "{busy} / 7, expected {expected}");
        compared += 1;
    }
    println!("compared {compared} sums and streams");
    assert!(compared > 1000, "{compared}");
}

/// What a run took more than another.
fn take_away(run: &mut Value, before: &Value) {
    let cycles = |run: &Value| run["total_cycles"].as_u64().expect("cycles");
    let (long, short) = (cycles(run) as f64, cycles(before) as f64);
    for (unit, share) in run["utilisation"].as_object_mut().expect("units") {
        let of = |share: &Value| share.as_f64().expect("a share");
        *share = ((of(share) * long - of(&before["utilisation"][unit]) * short) / (long - short)).into();
    }
    for (unit, states) in run["unit_cycles"].as_object_mut().expect("units") {
        for (state, cycles) in states.as_object_mut().expect("states") {
            let of = |cycles: &Value| cycles.as_u64().expect("cycles");
            *cycles = (of(cycles) - of(&before["unit_cycles"][unit][state])).into();
        }
    }
    let ms = run["total_ms"].as_f64().expect("ms") - before["total_ms"].as_f64().expect("ms");
    run["total_cycles"] = (cycles(run) - cycles(before)).into();
    run["total_ms"] = ms.into();
}

/// Time of data on each channel's bus is what the report has, each stream is of an operator of the run, and each core has its
/// channels. Returns how many were compared.
fn channels(run: &Value, events: &[Value], tracks: &BTreeMap<u64, &str>) -> usize {
    let operators: Vec<&str> =
        run["operators"].as_array().expect("rows").iter().map(|row| row["name"].as_str().expect("a name")).collect();
    let mut moved: BTreeMap<&str, f64> = BTreeMap::new();
    let mut compared = 0;
    for event in events.iter().filter(|event| event["cat"] == "channel") {
        let track = tracks[&event["tid"].as_u64().expect("a track")];
        let data_us: f64 = number(event["args"]["data_us"].as_str().expect("a time"));
        assert!(data_us <= event["dur"].as_f64().expect("a duration") + 1e-9, "{event}");
        *moved.entry(track).or_default() += data_us;
        let name = event["name"].as_str().expect("a name");
        if !track.ends_with("instruction channel") {
            let operator =
                name.trim_end_matches(" read").trim_end_matches(" write").rsplit(' ').next().expect("a word");
            assert!(operators.contains(&operator), "`{name}` is of no operator of {operators:?}");
            compared += 1;
        }
    }
    let total_us = run["total_ms"].as_f64().expect("ms") * 1e3;
    let cores = run["cores"].as_u64().expect("cores") as usize;
    let shares = run["utilisation"].as_object().expect("units");
    let per_core = shares.keys().filter(|unit| unit.starts_with("channel_")).count() / cores;
    assert_eq!(moved.len(), cores * (per_core + 1), "{:?}", moved.keys());
    let core_name = |core: usize| if cores > 1 { format!("core {core} ") } else { String::new() };
    for core in 0..cores {
        let track = format!("{}instruction channel", core_name(core));
        assert!(moved[track.as_str()] > 0.0, "{track}");
        compared += 1;
    }
    for (unit, share) in shares {
        if let Some(number) = unit.strip_prefix("channel_") {
            let track = format!("{}channel {number}", core_name(number.parse::<usize>().expect("a number") / per_core));
            let (found, expected) = (moved[track.as_str()] / total_us, share.as_f64().expect("a share"));
            assert!(expected > 0.0, "{unit} moved nothing");
            assert!((found - expected).abs() < 1e-9, "{unit}: {found}, expected {expected}");
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
    compared
}

#[test]
fn the_roofline_of_a_report_is_that_of_its_run() {
    let folder = Folder::new("figure-roofline");
    let sparse = project("models/tiny-llama-2of4");
    let run = ["--model", &sparse, "--format", "sparse", "--prefill", "40", "--decode", "2"];
    folder.write("run.json", folder.must(&[&["run", "--json"], &run[..]].concat()));
    folder.must(&[&["roofline", "-o", "a.svg"], &run[..]].concat());
    folder.must(&["figure", "roofline", "run.json", "-o", "b.svg"]);
    for ending in ["svg", "csv"] {
        assert!(folder.read(&format!("a.{ending}")) == folder.read(&format!("b.{ending}")), "{ending}");
    }
    let rows = csv(&folder, "b.csv");
    let points = rows.iter().filter(|row| row[0] == "point").count();
    assert!(points > 8 && rows.iter().any(|row| row[0] == "ceiling_sparse"), "{rows:?}");
    println!("compared {} rows", rows.len());
}

/// The page of a run has its figures, and says of whom its channels are.
#[test]
fn the_page_of_a_run_has_what_it_is_made_of() {
    let folder = Folder::new("figure-run-page");
    let sparse = project("models/tiny-llama-2of4");
    let one = ["--machine", "tiny", "--model", &sparse, "--format", "sparse"];
    let two = ["--machine", "tiny-2core", "--model", &sparse, "--format", "sparse"];
    for (arguments, memory) in [(one, " channels</text>"), (two, " channels a core</text>")] {
        let steps = ["run", "--prefill", "40", "--decode", "2", "-o", "run"];
        folder.must(&[&steps[..], &arguments].concat());
        folder.must(&["report", "run"]);
        let page = String::from_utf8(folder.read("run/report.html")).expect("UTF-8");
        for words in ["What the time is made of", "What the energy is made of", memory] {
            assert!(page.contains(words), "`{words}` is not on the page of {arguments:?}");
        }
        assert!(page.matches("class=\"share\"").count() > 4, "bars with their shares");
        let digits =
            |key: &&str| key.split('<').next().is_some_and(|value| value.len() > 3 && value.parse::<u64>().is_ok());
        let keys: Vec<&str> = page.split("<td class=\"number\">").skip(1).collect();
        assert!(keys.len() > 10 && !keys.iter().any(digits), "a key without separated thousands");
        let address = format!("file://{}", folder.at("run/report.html").display());
        let profile = format!("--user-data-dir={}", folder.at("profile").display());
        let options =
            ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", &profile, "--dump-dom"];
        match Command::new("chromium").args(options).arg(&address).stderr(Stdio::null()).output() {
            Ok(browser) => {
                let dom = String::from_utf8(browser.stdout).expect("UTF-8");
                let cells =
                    dom.split("<td class=\"number\" title=\"").skip(1).filter_map(|cell| Some(cell.split_once('>')?.1));
                let cells: Vec<&str> = cells.collect();
                assert!(cells.len() > 50 && !cells.iter().any(digits), "a cell without separated thousands");
            }
            Err(_) => println!("SKIPPED: chromium is not installed"),
        }
        std::fs::remove_dir_all(folder.at("run")).expect("a folder goes");
    }
    println!("compared 2 pages");
}

/// Ceilings of compute are named by what the engine multiplies.
#[test]
fn ceilings_have_the_precision_of_their_engine() {
    let folder = Folder::new("figure-precision");
    let cases = [("tiny", "w8a8", "INT8 dense"), ("tiny-bit-serial", "w4a16-bitmod", "FP16 dense")];
    for (machine, format, name) in cases {
        folder.must(&["roofline", "--machine", machine, "--format", format, "--prefill", "8", "-o", "a.svg"]);
        let rows = csv(&folder, "a.csv");
        let names: Vec<&str> = rows.iter().filter(|row| row[0] == "ceiling_dense").map(|row| row[1].as_str()).collect();
        assert_eq!(names, [name], "{machine}");
    }
    println!("compared {} names", cases.len());
}

#[test]
fn quality_is_that_of_an_evaluation_and_speed_that_of_runs() {
    let folder = Folder::new("figure-quality");
    let text = project("models/corpora/tinyshakespeare.heldout.txt");
    let eval = folder.must(&["eval", "--format", "w8a8,w4a8", "--text", &text, "--windows", "1", "--json"]);
    folder.write("eval.json", &eval);
    let eval: Value = serde_json::from_str(&eval).expect("JSON");
    let runs = runs(&folder);
    folder.must(&["figure", "quality", "eval.json", "-o", "q.svg"]);
    let rows = csv(&folder, "q.csv");
    assert_eq!(rows.len(), 3);
    let mut compared = 0;
    for (number_of_row, row) in rows[1..].iter().enumerate() {
        let [own, reference] = [number_of_row + 1, 0].map(|at| &eval["rows"][at]);
        let of = |row: &Value, key: &str| row[key].as_f64().expect("a number");
        assert_eq!(row[0], own["format"].as_str().expect("a name"));
        assert_eq!(number(&row[2]), of(own, "bits_per_weight"));
        assert_eq!(number(&row[3]), of(own, "nats_per_byte") - of(reference, "nats_per_byte"));
        compared += 3;
    }
    let fast = ["figure", "quality", "eval.json", "--x", "tokens-per-s", "--y", "perplexity", "-o", "s.svg"];
    let missing = folder.run(&[&fast[..], &["--run", "w8a8.json"]].concat());
    assert!(missing.stderr.contains("format `w4a8` of model `tiny-llama` has no run"), "{}", missing.stderr);
    folder.must(&[&fast[..], &["--run", "w8a8.json", "--run", "w4a8.json"]].concat());
    for row in &csv(&folder, "s.csv")[1..] {
        assert_eq!(number(&row[2]), runs[row[0].as_str()]["tokens_per_s"].as_f64().expect("a speed"));
        compared += 1;
    }
    println!("compared {compared} numbers");
}

/// Arguments, and what the error must say.
type Case = (&'static [&'static str], &'static [&'static str]);

const REFUSED: [Case; 15] = [
    (
        &["pareto", "sweep", "--x", "decode_ms", "--y", "average_power_w", "-o", "x.svg"],
        &["result `decode_ms` is unknown", "did you mean `decode_ms_per_token`"],
    ),
    (
        &["pareto", "sweep", "--x", "tokens_per_s", "--y", "average_power_w", "--group", "fromat", "-o", "x.svg"],
        &["axis `fromat` is unknown", "did you mean `format`"],
    ),
    (
        &[
            "pareto",
            "sweep",
            "--x",
            "tokens_per_s",
            "--y",
            "average_power_w",
            "--maximise",
            "token_per_s",
            "-o",
            "x.svg",
        ],
        &["objective `token_per_s` is unknown, expected one of: tokens_per_s, average_power_w"],
    ),
    (
        &["pareto", "sweep", "--x", "tokens_per_s", "--y", "bytes.weights", "--log", "bytes.weights", "-o", "x.svg"],
        &[
            "Weight values as stored (bytes) of 'w8a8, columns 64' is 0, expected a finite value above 0 on a logarithmic axis",
        ],
    ),
    (&["pareto", "none", "--x", "a", "--y", "b", "-o", "x.svg"], &["points.jsonl: no such file"]),
    (
        &["pareto", "broken", "--x", "a", "--y", "b", "-o", "x.svg"],
        &["points.jsonl:2: ", "expected a point of a sweep"],
    ),
    (
        &["pareto", "mixed", "--x", "a", "--y", "b", "-o", "x.svg"],
        &["points.jsonl:2: got the axes b, expected those of the first point: a"],
    ),
    (&["pareto", "empty", "--x", "a", "--y", "b", "-o", "x.svg"], &["got no points, expected at least 1"]),
    (&["pareto", "failed", "--x", "a", "--y", "b", "-o", "x.svg"], &["all 1 points have failed"]),
    (
        &["pareto", "sweep", "--x", "tokens_per_s", "--y", "average_power_w", "-o", "x.gif"],
        &["x.gif", "svg, pdf, png, tex"],
    ),
    (
        &["breakdown", "sweep/points.jsonl", "--by", "operator", "--of", "bytes", "-o", "x.svg"],
        &["missing field `machine`", "expected the object of `lapwing run --json`"],
    ),
    (&["breakdown", "--by", "operator", "--of", "bytes", "-o", "x.svg"], &["<RUN.json>..."]),
    (&["utilisation", "trace.json", "-o", "x.svg"], &["there is no state of a unit", "lapwing run --trace"]),
    (&["utilisation", "trace.json", "--bins", "500", "-o", "x.svg"], &["1..=400"]),
    (&["quality", "sweep/points.jsonl", "-o", "x.svg"], &["expected the object of `lapwing eval --json`"]),
];

#[test]
fn wrong_figures_are_refused_with_what_to_do() {
    let folder = Folder::new("figure-refusals");
    sweep(&folder);
    let point =
        |axis: &str, results: &str| format!("{{\"point\":0,\"axes\":{{\"{axis}\":1}},\"results\":{results}}}\n");
    let files = [
        ("broken", point("a", "{}") + "{\"point\":1}\n"),
        ("mixed", point("a", "{}") + &point("b", "{}")),
        ("empty", String::new()),
        ("failed", point("a", "null")),
    ];
    for (name, text) in files {
        std::fs::create_dir_all(folder.at(name)).expect("a folder");
        folder.write(&format!("{name}/points.jsonl"), text);
    }
    folder.write("trace.json", "{\"traceEvents\":[]}");
    let before = folder.names(".");
    for (arguments, needles) in REFUSED {
        let ended = folder.run(&[&["figure"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(!ended.stderr.contains("panicked"), "{arguments:?}: {}", ended.stderr);
        for needle in needles {
            assert!(ended.stderr.contains(needle), "{arguments:?}: no `{needle}` in {}", ended.stderr);
        }
    }
    println!("compared {} refusals", REFUSED.len());
    assert_eq!(folder.names("."), before, "a refusal left something behind");
}
