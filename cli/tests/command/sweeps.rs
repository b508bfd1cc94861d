//! Sweeps as a user runs them: killed, on a full disk, in parts, asked point by point.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::Folder;

/// Eighty points of some milliseconds, every fifth of which no machine can be made of.
const SWEEP: &str = r#"
machine = "tiny"
model = "tiny-llama"
[workload]
prefill = 16
decode = 16
[axes]
"machine.core.vector.lanes" = [4, 8, 16, 32, 7]
"machine.clock.kernel_mhz" = [100, 150, 200, 225]
"machine.memory.outstanding" = [2, 4, 8, 16]
[objectives]
minimise = ["total_ms", "average_power_w"]
"#;
const POINTS: usize = 80;
/// What a finished sweep consists of.
const FILES: [&str; 3] = ["points.csv", "points.jsonl", "sweep.json"];
/// How often it is killed.
const KILLS: u32 = 50;

/// A folder with the sweep file, and a finished sweep in `whole`.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("sweep.toml", SWEEP);
    folder.must(&["sweep", "sweep.toml", "-o", "whole"]);
    assert_eq!(folder.names("whole"), FILES);
    folder
}

fn must_equal(folder: &Folder, got: &str, when: &str) {
    for file in FILES {
        let same = folder.read(&format!("{got}/{file}")) == folder.read(&format!("whole/{file}"));
        assert!(same, "{got}/{file} differs from that of an undisturbed sweep {when}");
    }
}

/// Numbers from a seed (Numerical Recipes' generator): when to kill.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn a_killed_sweep_goes_on() {
    let folder = folder("sweep-killed");
    // As long as all of it takes on this host: kills meet every part of it.
    let start = Instant::now();
    folder.must(&["sweep", "sweep.toml", "-o", "timed"]);
    let longest = start.elapsed().as_micros() as u64;
    let (mut seed, mut kills, mut sweeps, mut kept) = (1, 0, 0, 0);
    while kills < KILLS {
        let place = format!("killed-{sweeps}");
        let mut child = folder.command(&["sweep", "sweep.toml", "-o", &place]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
        std::thread::sleep(Duration::from_micros(draw(&mut seed) % longest));
        if child.try_wait().expect("a state").is_none() {
            child.kill().expect("a kill");
            kills += 1;
        }
        let ended = child.wait().expect("an end");
        let seen = folder.at(&place).read_dir().map_or(0, |entries| {
            let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
            // All or none of the finished files are there, and nothing else without a name of its own.
            names.filter(|name| FILES.contains(&name.as_str())).count()
        });
        if ended.success() {
            must_equal(&folder, &place, &format!("after {kills} kills"));
            sweeps += 1;
        } else if seen == 0
            && let Ok(journal) = std::fs::read(folder.at(&place).join("journal.jsonl"))
        {
            let rows = journal.iter().filter(|byte| **byte == b'\n').count();
            kept = kept.max(rows);
        }
    }
    let place = format!("killed-{sweeps}");
    let ended = folder.run(&["sweep", "sweep.toml", "-o", &place, "--threads", "2"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    must_equal(&folder, &place, "after the last kill");
    assert!(kept > 0, "no kill left a row behind, so that nothing went on");
    println!("{kills} kills of {} sweeps, up to {kept} of {POINTS} rows kept by one; all bytes equal", sweeps + 1);
}

#[test]
fn a_full_disk_costs_no_row() {
    let folder = folder("sweep-full-disk");
    let disk = folder.at("disk");
    std::fs::create_dir(&disk).expect("a folder");
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&disk);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if !mount("size=16k") {
        println!("SKIPPED: mounting a small disk needs root");
        return;
    }
    let mut failures = 0;
    let sizes = ["16k", "32k", "64k", "128k", "160k", "200k", "260k", "8m"];
    for size in sizes {
        assert!(mount(&format!("remount,size={size}")), "a disk of {size}");
        let before = std::fs::read(disk.join("results/journal.jsonl")).unwrap_or_default();
        let ended = folder.run(&["sweep", "sweep.toml", "-o", "disk/results"]);
        if ended.code == 0 {
            break;
        }
        failures += 1;
        assert_eq!(ended.code, 1, "disk of {size}: {}", ended.stderr);
        assert!(ended.stderr.contains("No space left on device"), "disk of {size}: {}", ended.stderr);
        assert!(ended.stderr.contains("the same command goes on"), "disk of {size}: {}", ended.stderr);
        let journal = std::fs::read(disk.join("results/journal.jsonl")).unwrap_or_default();
        let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        assert!(journal.starts_with(&before[..whole]), "disk of {size}: rows were lost");
        assert!(!disk.join("results/points.csv").exists(), "disk of {size}: half a result");
    }
    for file in FILES {
        let got = std::fs::read(disk.join("results").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(got == folder.read(&format!("whole/{file}")), "{file} differs after a full disk");
    }
    let unmounted = Command::new("umount").arg(&disk).status().expect("umount starts");
    assert!(unmounted.success() && failures > 3, "{failures} full disks");
    println!("{failures} full disks, then the same bytes");
}

#[test]
fn parts_are_merged_and_points_answered() {
    let folder = folder("sweep-parts");
    for shard in ["1/3", "2/3", "3/3"] {
        folder.must(&["sweep", "sweep.toml", "-o", &format!("part-{}", &shard[..1]), "--shard", shard]);
    }
    let ended = folder.run(&["merge", "part-1", "part-3", "-o", "merged"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("are in none of the parts"), "{}", ended.stderr);
    folder.must(&["merge", "part-3", "part-1", "part-2", "-o", "merged"]);
    must_equal(&folder, "merged", "in three parts");
    let rows = String::from_utf8(folder.read("whole/points.jsonl")).expect("UTF-8");
    let rows: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut child = folder.command(&["sweep", "sweep.toml", "--ask"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
    let mut questions: String = rows.iter().map(|row| format!("{}\n", row["axes"])).collect();
    questions.push_str("{\"format\": 3}\n\nno JSON\n");
    child.stdin.take().expect("a pipe").write_all(questions.as_bytes()).expect("questions");
    let answers = String::from_utf8(child.wait_with_output().expect("an end").stdout).expect("UTF-8");
    let answers: Vec<serde_json::Value> = answers.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(answers.len(), POINTS + 2);
    for (answer, row) in answers.iter().zip(&rows) {
        for key in ["point", "axes", "results", "failure", "config"] {
            assert_eq!(answer[key], row[key], "{key} of {row}");
        }
    }
    let reason = |number: usize| answers[number]["failure"].as_str().expect("a reason").to_owned();
    assert!(reason(POINTS).contains("`format` is no axis"), "{}", reason(POINTS));
    assert!(reason(POINTS + 1).contains("is not JSON"), "{}", reason(POINTS + 1));
    println!("compared {} answers", answers.len());
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let folder = Folder::new("sweep-refused");
    folder.write("sweep.toml", SWEEP.replace("vector.lanes", "vector.lane"));
    let ended = folder.run(&["sweep", "sweep.toml", "-o", "out"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("did you mean `machine.core.vector.lanes`"), "{}", ended.stderr);
    assert!(!folder.at("out").exists(), "a folder without results");
    // What every point would fail of is no row of each, but a wrong file.
    for (what, by, expected) in [
        ("machine = \"tiny\"", "machine = \"tinny\"", "did you mean `tiny`"),
        ("model = \"tiny-llama\"", "model = \"tiny-lama\"", "did you mean `tiny-llama`"),
        ("[workload]", "format = \"w8a9\"\n[workload]", "did you mean `w8a8`"),
        ("[workload]", "format = \"float\"\n[workload]", "has no machine and no cycles"),
        ("[workload]", "attention = \"windw:64\"\n[workload]", "windw"),
    ] {
        folder.write("sweep.toml", SWEEP.replacen(what, by, 1));
        let ended = folder.run(&["sweep", "sweep.toml", "-o", "out"]);
        assert_eq!(ended.code, 2, "{by}: {}", ended.stdout);
        assert!(ended.stderr.contains(expected), "{by}: {}", ended.stderr);
        assert!(!folder.at("out").exists(), "{by}: a folder without results");
    }
    let search = "[search]\nmethod = \"nsga2\"\npopulation = 4\ngenerations = 2\n";
    folder.write("sweep.toml", format!("{SWEEP}{search}"));
    let ended = folder.run(&["sweep", "sweep.toml", "-o", "out", "--shard", "1/2"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("a search has no parts"), "{}", ended.stderr);
    let ended = folder.run(&["sweep", "sweep.toml", "-o", "out", "--shard", "3/2"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("K from 1 to N"), "{}", ended.stderr);
    let keys = folder.must(&["sweep", "--keys"]);
    assert!(keys.contains("average_power_w") && keys.contains("energy over simulated time"), "{keys}");
}

/// As the command for each of the three that can write it.
const WITH_PARQUET: [&[&str]; 3] = [
    &["sweep", "sweep.toml", "-o", "typed", "--parquet"],
    &["sweep", "sweep.toml", "-o", "typed", "--parquet", "--slurm", "3"],
    &["merge", "whole", "-o", "typed", "--parquet"],
];

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_refused_where_it_is_not_built_in() {
    let folder = folder("sweep-no-parquet");
    for arguments in WITH_PARQUET {
        let ended = folder.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.lines().count()), (2, "", 1), "{}", ended.stderr);
        for words in ["--parquet: this build writes no Parquet", "cargo install --locked --path cli --features parquet"]
        {
            assert!(ended.stderr.contains(words), "{}", ended.stderr);
        }
        assert!(!folder.at("typed").exists(), "{arguments:?} has written something");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_stands_beside_the_other_tables() {
    let folder = folder("sweep-parquet");
    let [sweep, slurm, merge] = WITH_PARQUET;
    folder.must(&[sweep, &["--threads", "1"]].concat());
    assert_eq!(folder.names("typed"), ["points.csv", "points.jsonl", "points.parquet", "sweep.json"]);
    let expected = folder.read("typed/points.parquet");
    std::fs::rename(folder.at("typed"), folder.at("first")).expect("a folder");
    // Another process has other random seeds of its hash tables.
    for (arguments, threads) in [(sweep, ["--threads", "2"].as_slice()), (sweep, &["--threads", "8"]), (merge, &[])] {
        folder.must(&[arguments, threads].concat());
        assert!(folder.read("typed/points.parquet") == expected, "{arguments:?} {threads:?}");
        for file in ["points.csv", "points.jsonl"] {
            assert!(folder.read(&format!("typed/{file}")) == folder.read(&format!("whole/{file}")), "{file}");
        }
        std::fs::remove_dir_all(folder.at("typed")).expect("a folder goes");
    }
    folder.must(&["report", "first"]);
    folder.must(slurm);
    let script = String::from_utf8(folder.read("typed/merge.sbatch")).expect("UTF-8");
    assert!(script.trim_end().ends_with(" --parquet"), "{script}");
    println!("compared {} bytes", expected.len());
}

#[test]
fn the_page_of_a_sweep_works_in_a_browser() {
    let folder = folder("sweep-page");
    folder.must(&["report", "whole", "-o", "page.html"]);
    let page = String::from_utf8(folder.read("page.html")).expect("UTF-8");
    for words in ["Sweep of tiny-llama on tiny", "The front", "The best point in each", "Floorplan", "<pre>"] {
        assert!(page.contains(words), "`{words}` is not on the page");
    }
    let Some(dom) = in_browser(&folder, "page.html") else {
        println!("SKIPPED: chromium is not installed");
        return;
    };
    assert!(dom.contains("data-ready=\"yes\""), "the page's script did not come to its end");
    let rows = String::from_utf8(folder.read("whole/points.jsonl")).expect("UTF-8");
    let done = rows.lines().filter(|row| row.contains("\"failure\":null")).count();
    assert!(done > 0 && done < POINTS, "{done} points have figures");
    assert_eq!(dom.matches("<circle ").count(), done, "points of the scatter");
    let front = rows.lines().filter(|row| row.contains("\"front\":true")).count();
    assert_eq!(dom.matches("<tr class=\"front\">").count(), front, "rows of the front");
    assert!(dom.contains(&format!("{POINTS} of {POINTS} rows")), "the table's rows");
    let states =
        dom.split_once("data-axis=\"state\"").and_then(|(_, rest)| rest.split_once("</select>")).expect("a filter").0;
    for state in ["on the front", "simulated", "failed"] {
        assert!(states.contains(&format!("value=\"{state}\"")), "no filter for `{state}`: {states}");
    }
    // As a reader would use it: only what has failed, then results within bounds, and a point that is pointed at.
    let used = |script: &str| {
        folder.write("used.html", page.replace("</body>", &format!("<script>\n{script}\n</script>\n</body>")));
        in_browser(&folder, "used.html").expect("the browser was there before")
    };
    let set = |what: &str, value: &str, event: &str| {
        format!(
            "{{ const e = document.querySelector('{what}'); e.value = '{value}'; e.dispatchEvent(new Event('{event}')); }}"
        )
    };
    let failed = used(&set("select[data-axis=state]", "failed", "change"));
    assert!(failed.contains(&format!("{} of {POINTS} rows", POINTS - done)), "rows that failed");
    assert_eq!(failed.matches("<circle ").count(), 0, "what failed has no place in the scatter");
    let times: Vec<f64> = rows
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).expect("JSON"))
        .filter_map(|row| row["results"]["total_ms"].as_f64())
        .collect();
    let bound = times.iter().sum::<f64>() / times.len() as f64;
    let below = times.iter().filter(|time| **time <= bound).count();
    let pick = "{ const s = document.querySelector('select[data-result]'); s.value = [...s.options].find((o) => o.text === 'total_ms').value; }";
    let bounded = used(&format!("{pick}\n{}", set("input[data-range=\"result to\"]", &bound.to_string(), "input")));
    assert!(
        below > 0 && below < done && bounded.contains(&format!("{below} of {POINTS} rows")),
        "rows below {bound} ms"
    );
    let pointed = used(
        "document.querySelector('circle').dispatchEvent(new MouseEvent('mousemove', { clientX: 9, clientY: 9 }));",
    );
    let (_, tip) = pointed.split_once("id=\"tip\"").expect("a tip");
    assert!(tip.contains("display: block") && tip.contains("state: "), "what a point says: {tip}");
    println!("compared {done} points, {front} of the front, {below} within bounds in the browser");
}

/// Points that generate no token have no time of one: they are left out of figures of it, and said to be.
#[test]
fn what_lacks_a_result_is_not_drawn() {
    let folder = Folder::new("sweep-lacking");
    let axes = "[axes]\n\"workload.decode\" = [0, 1, 2]\n\"machine.clock.kernel_mhz\" = [200, 225]\n";
    let objectives = "[objectives]\nminimise = [\"decode_ms_per_token\", \"average_power_w\"]\n";
    let base = "machine = \"tiny\"\nmodel = \"tiny-llama\"\n[workload]\nprefill = 4\ndecode = 1\n";
    folder.write("sweep.toml", format!("{base}{axes}{objectives}"));
    folder.must(&["sweep", "sweep.toml", "-o", "out"]);
    folder.must(&["report", "out"]);
    let front: [&str; 6] = ["pareto", "out", "--x", "decode_ms_per_token", "--y", "average_power_w"];
    let map = [
        "heat-map",
        "out",
        "--x",
        "workload.decode",
        "--y",
        "machine.clock.kernel_mhz",
        "--value",
        "decode_ms_per_token",
    ];
    for (name, arguments) in [("front", &front[..]), ("map", &map[..])] {
        let ended = folder.run(&[&["figure"], arguments, &["-o", &format!("{name}.svg")]].concat());
        assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains("2 of 6 points lack `decode_ms_per_token`"), "{name}: {}", ended.stderr);
    }
    let rows = String::from_utf8(folder.read("front.csv")).expect("UTF-8");
    assert_eq!(rows.lines().skip(1).count(), 4, "{rows}");
    // Where no point has it there is a page, without a front.
    folder.write("sweep.toml", format!("{base}{}{objectives}", axes.replace("[0, 1, 2]", "[0]")));
    folder.must(&["sweep", "sweep.toml", "-o", "none"]);
    folder.must(&["report", "none"]);
    assert!(!String::from_utf8(folder.read("none/report.html")).expect("UTF-8").contains("<h2>The front"));
}

/// What the browser makes of a page; none where there is no browser.
fn in_browser(folder: &Folder, name: &str) -> Option<String> {
    let address = format!("file://{}", folder.at(name).display());
    let profile = format!("--user-data-dir={}", folder.at("profile").display());
    let options =
        ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", &profile, "--dump-dom", &address];
    let browser = Command::new("chromium").args(options).stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8(browser.stdout).expect("UTF-8"))
}

#[test]
fn a_folder_without_results_has_no_page() {
    let folder = Folder::new("report-refused");
    let ended = folder.run(&["report", "."]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("has neither sweep.json nor report.json"), "{}", ended.stderr);
    folder.must(&["run", "--prefill", "2", "--decode", "2", "-o", "run"]);
    folder.must(&["report", "run"]);
    let page = String::from_utf8(folder.read("run/report.html")).expect("UTF-8");
    for words in ["tiny-llama on tiny", "Roofline", "Operators", "Floorplan"] {
        assert!(page.contains(words), "`{words}` is not on the page");
    }
}

/// A point outside of a constraint has its figures in the table, and no place on a front, in a figure or among the page's points.
#[test]
fn what_is_excluded_is_drawn_nowhere() {
    let folder = Folder::new("sweep-excluded");
    folder.write("sweep.toml", SWEEP.replacen("[workload]", "constraints = [\"machine.clock.kernel_mhz * total_ms > 0 && machine.core.vector.lanes != 32\"]\n[workload]", 1));
    folder.must(&["sweep", "sweep.toml", "-o", "out"]);
    let text = String::from_utf8(folder.read("out/points.jsonl")).expect("UTF-8");
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let excluded: Vec<_> = rows.iter().filter(|row| row["excluded"].is_string()).collect();
    let done: Vec<_> = rows.iter().filter(|row| row["excluded"].is_null() && row["failure"].is_null()).collect();
    assert_eq!((excluded.len(), done.len()), (16, 48), "excluded, done");
    assert!(excluded.iter().all(|row| row["results"]["total_ms"].is_f64() && row["front"] == false));
    // They would be on the front: the most lanes are the fastest.
    let time = |row: &&&serde_json::Value| row["results"]["total_ms"].as_f64().expect("a time");
    let least = |rows: &[&serde_json::Value]| rows.iter().map(|row| time(&row)).fold(f64::INFINITY, f64::min);
    assert!(least(&excluded) < least(&done), "what is excluded would not be on the front anyway");
    folder.must(&["figure", "pareto", "out", "--x", "total_ms", "--y", "average_power_w", "-o", "front.svg"]);
    let drawn = String::from_utf8(folder.read("front.csv")).expect("UTF-8");
    let points = drawn.lines().filter(|line| line.contains("lanes")).count();
    assert!(drawn.contains("lanes 16") && !drawn.contains("lanes 32"), "{drawn}");
    let grouped = ["--group", "machine.core.vector.lanes", "-o", "grouped.svg"];
    folder.must(&[&["figure", "pareto", "out", "--x", "total_ms", "--y", "average_power_w"][..], &grouped].concat());
    let legend = String::from_utf8(folder.read("grouped.svg")).expect("UTF-8");
    assert!(
        legend.contains(">16</text>") && !legend.contains(">32</text>"),
        "a group without a point has no place either"
    );
    folder.must(&["report", "out"]);
    let page = String::from_utf8(folder.read("out/report.html")).expect("UTF-8");
    assert_eq!(page.matches("does not hold machine.clock").count(), excluded.len(), "reasons on the page");
    println!("compared {} rows, {points} named in the figure", rows.len());
}
