//! Published figures beside ours: every row of the shipped files can be computed, what is far off says what is lacking,
//! the documentation shows what the files say, and barriers change time and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use compiler::{Optimisations, Options, Schedule};
use hw_config::machine::Machine;
use hw_config::validation::{Ours, Subject, System, Times};
use models::compress::Format;
use reports::validation_report::{FigureRow, keys_markdown};
use session::programs;
use session::resolve;
use session::validate;
use session::{Mode, Runner, Setup};

fn systems() -> Vec<System> {
    System::names().into_iter().map(|name| System::by_name(name).unwrap_or_else(|faults| panic!("{faults}"))).collect()
}

#[test]
fn every_row_is_computed_and_one_far_off_says_what_is_lacking() {
    let mut compared = 0;
    for mut system in systems() {
        // The programs of all lengths have a test of their own.
        system.rows.retain(|row| row.quantity.subject() != Subject::Programs);
        // Whole generations and long prompts are the same steps again, and take minutes here.
        let long: Vec<bool> = system.runs.iter().map(|run| run.decode > 1 || run.prefill > 128).collect();
        system.rows.retain(|row| !matches!(row.ours, Ours::Run(place) if long[place]));
        system.generations.retain(|one| !matches!(one.figures, Times::Run(place) if long[place]));
        let mut told = Vec::new();
        let report = validate::run(&system, |done, total| told.push((done, total))).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            told.last(),
            Some(&((told.len() - 1) as u64, (told.len() - 1) as u64)),
            "progress ends at its total"
        );
        assert_eq!(report.rows.len(), system.rows.len(), "no row is left out");
        let lengths = (report.ladder.len(), report.references.len(), report.generations.len());
        assert_eq!(lengths, (system.ladder.len(), system.references.len(), system.generations.len()));
        for (row, wanted) in report.rows.iter().zip(&system.rows) {
            assert_eq!((&row.id, row.published), (&wanted.id, wanted.published));
            match wanted.ours {
                Ours::NotBuilt(_) => assert!(row.ours.is_none() && row.not_built.is_some(), "{}", row.id),
                Ours::Run(_) | Ours::Layers(_) | Ours::LayerRatio(_) => {
                    compared += 1;
                    let (ours, error) = (row.ours.expect("computed"), row.error_percent.expect("published is not 0"));
                    assert!(ours.is_finite() && ours > 0.0, "{}: {ours}", row.id);
                    let expected = (ours - row.published) / row.published * 100.0;
                    assert!((error - expected).abs() < 1e-9, "{}: {error} against {expected}", row.id);
                    let is_explained = row.lacks.is_some() || row.leaves_out.is_some();
                    let is_silent = row.expected == "close" && !is_explained && error.abs() > 15.0;
                    assert!(!is_silent, "{}: {error:+.1} % and not a word about why", row.id);
                    assert_eq!(row.is_silent(), is_silent, "{}: what the report would say", row.id);
                }
            }
        }
        report.to_json().unwrap_or_else(|e| panic!("{e}"));
    }
    println!("compared {compared} rows");
    assert!(compared > 0);
}

/// All rows, whole generations too, and the page's tables of what ours gives: minutes, so it is run by hand with
/// `cargo test --release -p session --test validate -- --ignored`, and whenever a figure may have moved.
#[test]
#[ignore = "minutes in a release build"]
fn no_row_is_silent_and_the_page_shows_what_ours_gives() {
    let page = page();
    let (mut rows, mut tables) = (0, 0);
    for system in systems() {
        let report = validate::run(&system, |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
        for row in &report.rows {
            assert!(!row.is_silent(), "{}: {:?} % and not a word about why", row.id, row.error_percent);
            rows += 1;
        }
        for (name, table) in report.markdown_tables() {
            if let Some(shown) = shown(&page, &format!("ours: {} {name}", system.name)) {
                assert_eq!(shown.trim(), table.trim(), "{} {name}", system.name);
                tables += 1;
            }
        }
    }
    println!("looked at {rows} rows, compared {tables} tables");
    assert!(rows > 100 && tables == 4, "{rows} rows, {tables} tables");
}

/// The documentation's page.
fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/validation.md");
    std::fs::read_to_string(path).expect("the page")
}

/// What stands between the marks of a name, if they are there.
fn shown<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(&format!("<!-- begin {name} -->\n"))?;
    Some(rest.split_once("<!-- end -->").expect("an end").0)
}

/// The published layer model alone: what our engine takes on the same workloads is simulated once, in the test of every row.
fn layer_model() -> System {
    let mut system = System::by_name("bitmod").unwrap_or_else(|faults| panic!("{faults}"));
    system.rows.retain(|row| !matches!(row.ours, Ours::Run(_)));
    if let Some(layers) = &mut system.layers {
        layers.engines.clear();
    }
    system
}

/// The published layer model gives what its authors published: every cycle count to the digit, every energy to the rounding of
/// the figures and of the SRAM energies that were recovered from them. DRAM's part, which nothing was fitted to, is compared
/// apart: it is the difference of two rounded figures.
#[test]
fn the_published_layer_model_gives_the_published_figures() {
    let system = layer_model();
    let report = validate::run(&system, |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
    let mut unequal = Vec::new();
    let mut compared = BTreeMap::new();
    for row in report.rows.iter().filter(|row| row.expected == "equal") {
        *compared.entry(row.quantity.as_str()).or_insert(0) += 1;
        let ours = row.ours.expect("computed");
        let within = if row.quantity == "layer_cycles" { 0.0 } else { 0.6 };
        let equal = (ours - row.published).abs() <= within;
        if !equal || row.equal != Some(true) {
            unequal.push(format!("{}: {} published, {ours} ours", row.id, row.published));
        }
    }
    println!("compared {compared:?}");
    assert!(unequal.is_empty(), "{}", unequal.join("\n"));
    // Six models, five designs, two tasks, and an older figure of ANT's energies; OliVe on Yi-6B has a port width whose prices
    // are interpolated.
    let expected = [("layer_cycles", 60), ("layer_on_chip_uj", 71), ("layer_total_uj", 71)];
    assert_eq!(compared, BTreeMap::from(expected));

    let by_id: BTreeMap<&str, &FigureRow> = report.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut dram = 0;
    for (id, on_chip) in by_id.iter().filter(|(id, _)| id.contains("_on_chip")) {
        let total = by_id[id.replace("_on_chip", "_total").as_str()];
        let published = total.published - on_chip.published;
        let ours = total.ours.expect("computed") - on_chip.ours.expect("computed");
        assert!((ours - published).abs() <= 1.0, "DRAM of {id}: {published} published, {ours} ours");
        dram += 1;
    }
    println!("compared {dram} energies of DRAM");
    assert_eq!(dram, 72);
}

/// Means from the published cycles and energies themselves, not from the model: what was published as an average is one of
/// ratios, and says which.
#[test]
fn published_averages_follow_from_the_published_figures() {
    let system = layer_model();
    let report = validate::run(&system, |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
    let published = |design: &str, task: &str, what: &str, model: &str| {
        let short = design.trim_start_matches("bitmod-");
        let find = |id: String| report.rows.iter().find(|row| row.id == id).map(|row| row.published);
        let id = format!("{short}_{task}_{what}");
        find(format!("{id}.{model}")).or_else(|| find(format!("{id}_576.{model}"))).unwrap_or_else(|| panic!("{id}"))
    };
    let mut compared = 0;
    for row in &report.ratios {
        let what = if row.quantity == "layer_speed_up" { "cycles" } else { "total" };
        let mut sum = 0.0;
        for value in &row.values {
            let task = |design: &str| match row.task.as_str() {
                "discriminative" => published(design, "disc", what, &value.model),
                _ => {
                    published(design, "disc", what, &value.model) + 20.0 * published(design, "gen", what, &value.model)
                }
            };
            let ratio = task(&row.over) / task(&row.of);
            // Interpolated prices are in Yi-6B on OliVe: 0.1 % of a total.
            assert!(
                (value.ratio / ratio - 1.0).abs() < 2e-3,
                "{} {}: {ratio} against {}",
                row.id,
                value.model,
                value.ratio
            );
            sum += ratio;
            compared += 1;
        }
        assert!((row.mean / (sum / 6.0) - 1.0).abs() < 1e-3, "{}: {} against {}", row.id, row.mean, sum / 6.0);
    }
    for row in report.rows.iter().filter(|row| row.id.contains("_over_")) {
        let error = row.error_percent.expect("computed");
        assert!(error.abs() < 1.5, "{}: {error:+.1} %", row.id);
        compared += 1;
    }
    println!("compared {compared} ratios");
    assert_eq!(compared, 12 * 2 * 6 + 5);
}

/// Two designs on machines of ours, the smallest model: what is compared is what the steps took, and no step is shorter than its
/// weights at 32 bytes a cycle.
#[test]
fn designs_are_compared_on_machines_of_ours() {
    let mut system = layer_model();
    system.rows.clear();
    let whole = System::by_name("bitmod").unwrap_or_else(|faults| panic!("{faults}"));
    let engines = whole.layers.expect("a layer model").engines;
    let layers = system.layers.as_mut().expect("a layer model");
    layers.models.truncate(1);
    let wanted = ["fp16-28nm", "bitmod-28nm"].map(|machine| engines.iter().rfind(|engine| engine.machine == machine));
    layers.engines = wanted.into_iter().flatten().cloned().collect();
    let report = validate::run(&system, |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
    let step = |design: &str, task: &str| {
        let found = report.engine_steps.iter().find(|step| step.design == design && step.task == task);
        found.unwrap_or_else(|| panic!("{design} {task}"))
    };
    // 1.3 G weights of the layers and the output head.
    for step in &report.engine_steps {
        let least = (1.2e9 * step.weight_bits / 8.0 / 32.0) as u64;
        assert!(step.cycles > least, "{}: {} cycles, {least} for its weights", step.design, step.cycles);
    }
    let bits = |design, task| step(design, task).weight_bits;
    assert!((bits("fp16", "generative") - 16.0).abs() < 0.02 && bits("bitmod-lossy", "generative") < 3.5);
    let mut compared = 0;
    for row in &report.engine_ratios {
        let cost = |design: &str, task| match row.quantity.as_str() {
            "layer_speed_up" => step(design, task).cycles as f64,
            _ => step(design, task).energy_uj,
        };
        let total = |design: &str| match row.task.as_str() {
            "discriminative" => cost(design, "discriminative"),
            _ => cost(design, "discriminative") + 20.0 * cost(design, "generative"),
        };
        let ratio = total(&row.over) / total(&row.of);
        assert!((row.values[0].ratio / ratio - 1.0).abs() < 1e-12 && row.mean == row.values[0].ratio, "{}", row.id);
        assert!(ratio > 1.2, "{} {}: {ratio}", row.id, row.task);
        compared += 1;
    }
    println!("compared {compared} ratios of {} steps", report.engine_steps.len());
    assert_eq!((compared, report.engine_steps.len()), (4, 4));
}

/// Each row of instruction bytes counts what a row of `lapwing programs` does, and both have the same published figure.
#[test]
fn instruction_bytes_of_all_lengths_are_those_of_the_command_for_programs() {
    let mut system = System::by_name("flightllm").unwrap_or_else(|faults| panic!("{faults}"));
    system.ladder.clear();
    system.references.clear();
    system.generations.clear();
    system.rows.retain(|row| row.quantity.subject() == Subject::Programs);
    let report = validate::run(&system, |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
    let of = |quantity: &str| {
        let row = report.rows.iter().find(|row| row.quantity == quantity);
        row.and_then(|row| row.ours).unwrap_or_else(|| panic!("no row of {quantity}"))
    };
    let (decode, prefill) = (of("instruction_bytes_decode"), of("instruction_bytes_prefill"));
    let streams = (decode + prefill) * 2048.0 * 3.0;
    let every = of("instruction_bytes_every_length");
    assert!((every / streams - 1.0).abs() < 1e-12, "{every} against {streams}: 2048 lengths on 3 cores");

    // As the command does it where nobody says more than machine, model and format.
    let machine = Machine::by_name("u280-flightllm").unwrap_or_else(|faults| panic!("{faults}"));
    let Ok(Format::Compressed(profile)) = resolve::format("flightllm") else { panic!("a shipped format") };
    let options = Options { batch: 1, context: programs::LENGTHS };
    let setup = resolve::timing_setup(machine, "llama-2-7b", profile, options).unwrap_or_else(|e| panic!("{e}"));
    let sizes = programs::report(&setup, programs::LENGTHS, &system, |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
    let mut compared = 0;
    for (way, cores, quantity) in [
        ("a stream a length", "all", "instruction_bytes_every_length"),
        ("buckets", "largest", "instruction_bytes_buckets_core"),
        ("merged transfers", "largest", "instruction_bytes_merged_core"),
        ("merged transfers", "all", "instruction_bytes_merged"),
        ("ours", "largest", "instruction_bytes_stored_core"),
        ("ours", "all", "instruction_bytes_stored"),
    ] {
        let row = sizes.rows.iter().find(|row| row.name == way).unwrap_or_else(|| panic!("no row {way}"));
        let largest = row.bytes_by_core.iter().copied().max().expect("a core");
        let bytes = if cores == "all" { row.bytes } else { largest };
        assert_eq!(of(quantity), bytes as f64, "{way}, {cores}");
        compared += 1;
    }
    for row in &sizes.rows {
        let Some(published) = &row.published else { continue };
        let wanted =
            report.rows.iter().find(|wanted| wanted.meaning == published.meaning).expect("a row of that meaning");
        assert_eq!((published.bytes, &published.source), (wanted.published, &wanted.source), "{}", row.name);
        compared += 1;
    }
    println!("compared {compared} figures");
    assert_eq!(compared, 9);
}

/// A file of one row about runs of tiny-llama.
fn one_row(runs: &str, quantity: &str) -> System {
    let text = format!(
        "name = \"a\"\ntitle = \"b\"\ncitation = \"c\"\n{runs}[[row]]\nid = \"row\"\nmeaning = \"a\"\npublished = 1\n\
         source = \"b\"\nrun = \"all\"\nexpected = \"close\"\n{quantity}\n"
    );
    System::from_toml("a.toml", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn run_of_tiny(id: &str, more: &str) -> String {
    format!(
        "[[run]]\nid = \"{id}\"\nmachine = \"tiny\"\nmodel = \"tiny-llama\"\nformat = \"w8a8\"\nprefill = 0\nkv = 8\ndecode = 1\n{more}\n"
    )
}

/// A speed-up is the time of the run that it is over, in which optimisations are left out, over the time of its own.
#[test]
fn a_speed_up_is_the_slower_time_over_the_faster() {
    let without = "without = [\"on-chip-decode\", \"prefetch\"]";
    let runs = run_of_tiny("all", "") + &run_of_tiny("fewer", without);
    let ours = |runs: &str, quantity: &str| {
        let report = validate::run(&one_row(runs, quantity), |_, _| ()).unwrap_or_else(|e| panic!("{e}"));
        report.rows[0].ours.expect("computed")
    };
    let speed_up = ours(&runs, "quantity = \"decode_speed_up\"\nover = \"fewer\"");
    let time = "quantity = \"decode_ms_per_token\"";
    let (all, fewer) = (ours(&run_of_tiny("all", ""), time), ours(&run_of_tiny("all", without), time));
    println!("{fewer} ms over {all} ms: {speed_up}");
    assert!(speed_up > 1.05, "{speed_up}");
    assert_eq!(speed_up, fewer / all);
}

#[test]
fn a_schedule_beside_no_prefetch_and_an_unknown_optimisation_are_refused() {
    let time = "quantity = \"decode_ms_per_token\"";
    for (more, words) in [
        (
            "schedule = \"layer-barriers\"\nwithout = [\"prefetch\"]",
            "expected operator-barriers; leave one of the two out",
        ),
        ("without = [\"prefetsh\"]", "did you mean `prefetch`?"),
    ] {
        let refusal = validate::run(&one_row(&run_of_tiny("all", more), time), |_, _| ()).map(drop);
        let line = refusal.expect_err("refused").to_string();
        assert!(line.contains("run `all`") && line.contains(words), "{line}");
    }
}

#[test]
fn every_run_names_a_machine_model_format_and_schedule_that_there_is() {
    let mut looked_at = 0;
    for run in systems().iter().flat_map(|system| &system.runs) {
        resolve::machine(&run.machine, &run.overrides).unwrap_or_else(|e| panic!("{}: {e}", run.id));
        resolve::format(&run.format).unwrap_or_else(|e| panic!("{}: {e}", run.id));
        assert!(resolve::model_names().contains(&run.model), "{}: model {}", run.id, run.model);
        let known = Schedule::ALL.map(Schedule::name);
        assert!(run.schedule.as_deref().is_none_or(|name| known.contains(&name)), "{}: {:?}", run.id, run.schedule);
        looked_at += 1;
    }
    println!("looked at {looked_at} runs");
    assert!(looked_at > 0);
}

#[test]
fn the_page_shows_what_the_files_and_the_code_say() {
    let page = page();
    let mut tables: Vec<(String, String)> = Vec::new();
    for system in &systems() {
        let published = validate::published_markdown(system).unwrap_or_else(|e| panic!("{e}"));
        tables.push((format!("published: {}", system.name), published));
        if let Some((errors, ratios)) = validate::layers_markdown(system).unwrap_or_else(|e| panic!("{e}")) {
            tables.push((format!("layers: {}", system.name), errors));
            tables.push((format!("ratios: {}", system.name), ratios));
        }
    }
    tables.push(("quantities".to_owned(), validate::quantities_markdown()));
    tables.push(("keys".to_owned(), keys_markdown()));
    for (name, table) in &tables {
        let shown = shown(&page, name).unwrap_or_else(|| panic!("no `{name}` in the page"));
        assert_eq!(shown.trim(), table.trim(), "the page's table `{name}` is not the generated one");
    }
    println!("compared {} tables", tables.len());
}

#[test]
fn barriers_cost_time_and_change_no_value() {
    let run = |schedule: Schedule| {
        let Ok(Format::Compressed(profile)) = Format::by_name("w4a8") else { panic!("a shipped format") };
        let machine = Machine::by_name("tiny").unwrap_or_else(|faults| panic!("{faults}"));
        let model = resolve::model(resolve::EMBEDDED_MODEL).unwrap_or_else(|e| panic!("{e}"));
        let options = Options { batch: 1, context: 16 };
        let setup = Setup::with_weights(machine, model, profile, &[], options).unwrap_or_else(|e| panic!("{e}"));
        let optimisations = Optimisations { schedule, ..setup.optimisations };
        let setup = Setup { optimisations, ..setup };
        let mut runner = Runner::new(&setup, Mode::ValuesAndCycles).unwrap_or_else(|e| panic!("{e}"));
        runner.prefill(0, 0, &[1, 2, 3]).unwrap_or_else(|e| panic!("{e}"));
        let logits = runner.decode(3, &[4]).unwrap_or_else(|e| panic!("{e}"));
        (logits, runner.totals.total_cycles())
    };
    let all = Schedule::ALL.map(run);
    assert!(all.iter().all(|(logits, _)| *logits == all[0].0), "a barrier changes values");
    let cycles = all.map(|(_, cycles)| cycles);
    println!("cycles with prefetch, layer and operator barriers: {cycles:?}");
    assert_ne!(cycles[0], cycles[1], "a schedule that changes nothing");
    assert!(cycles[1] < cycles[2], "more barriers must cost more time: {cycles:?}");
}

/// What `u280-lapwing` was sized for: a step of LLaMA-2-7B at 128 KV entries in the published bytes, within the DSP
/// blocks, block RAMs and UltraRAMs of the published design, on the same board.
#[test]
fn u280_lapwing_reaches_what_it_was_sized_for() {
    let machine = Machine::by_name("u280-lapwing").unwrap_or_else(|faults| panic!("{faults}"));
    let regions = machine.resources_by_region();
    let sum = |of: fn(&hw_config::resources::Amounts) -> u64| regions.iter().map(|(_, r)| of(&r.total)).sum::<u64>();
    let (dsp, bram36, uram) = (sum(|a| a.dsp), sum(|a| a.bram36), sum(|a| a.uram));
    println!("{dsp} DSP, {bram36} BRAM36, {uram} URAM");
    assert!(dsp <= 6345 && bram36 <= 1252 && uram <= 792, "{dsp} DSP, {bram36} BRAM36, {uram} URAM");
    assert!(regions.iter().all(|(_, resources)| machine.excess(resources).is_empty()), "it does not fit its regions");

    let Ok(Format::Compressed(profile)) = resolve::format("flightllm") else { panic!("a shipped format") };
    let model = resolve::model("llama-2-7b").unwrap_or_else(|e| panic!("{e}"));
    let setup = Setup::with_shapes(machine, model, profile, Options { batch: 1, context: 128 });
    let bits = setup.formats.bits_per_weight();
    let mut runner = Runner::new(&setup, Mode::Cycles { seed: 1 }).unwrap_or_else(|e| panic!("{e}"));
    runner.decode(127, &[0]).unwrap_or_else(|e| panic!("{e}"));
    let totals = &runner.totals;
    let seconds = setup.machine.seconds(totals.total_cycles());
    let bytes: u64 = totals.traffic.iter().map(|traffic| traffic.read_bytes + traffic.written_bytes).sum();
    let watts = totals.energy_j.values().sum::<f64>() / seconds;
    let share = bytes as f64 / seconds / 460.8e9;
    println!(
        "{:.1} tokens/s, {watts:.1} W, {:.1} % of 460.8 GB/s, {bits:.3} bits a weight",
        1.0 / seconds,
        100.0 * share
    );
    assert!(bits >= 4.165 && seconds <= 0.010 && watts <= 45.0 && share >= 0.75);
}
