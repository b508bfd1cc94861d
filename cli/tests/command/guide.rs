//! The guide's commands, run as they stand but for the model, which is a small one here: each must succeed and leave what the
//! page says. And the page's tables of keys are the reports'.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Folder, project};
use reports::ablation_report::ABLATION_GLOSSARY;
use reports::glossary::{COSIM_GLOSSARY, GLOSSARY, markdown};
use reports::program_report::PROGRAM_GLOSSARY;
use sweep::table::COLUMNS;

/// The models of the page, and those that stand for them.
const MODELS: [&str; 2] = ["llama-2-7b", "tiny-llama"];
const OPT_MODELS: [&str; 2] = ["opt-6.7b", concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tiny-opt")];

fn page() -> String {
    read("docs/src/flightllm.md")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The shell blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("```sh\n").skip(1);
    parts.map(|part| part.split_once("```").expect("a block ends").0.to_owned()).collect()
}

/// Runs a block as the reader's shell would, and stops at the first command that fails.
fn run(folder: &Folder, block: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_lapwing")).parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").expect("a PATH"));
    let mut command = Command::new("sh");
    command.args(["-e", "-c", block]).current_dir(folder.at(".")).env("PATH", path).stdin(Stdio::null());
    let output = command.output().expect("a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{block}\n{stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_command_of_the_guide_runs() {
    let folder = Folder::new("guide");
    let page = page();
    let blocks = blocks(&page);
    let mut commands = 0;
    let mut outputs = Vec::new();
    for block in &blocks {
        commands += block.lines().filter(|line| line.starts_with("lapwing ")).count();
        outputs.push(run(&folder, &block.replace(MODELS[0], MODELS[1]).replace(OPT_MODELS[0], OPT_MODELS[1])));
    }
    let ladders: Vec<&String> = outputs.iter().filter(|output| output.contains("x naive")).collect();
    assert_eq!(ladders.len(), 4, "{outputs:?}");
    for name in ["ablation", "ablation-half", "ablation-ours"] {
        assert!(folder.names(name).contains(&"ablation.svg".to_owned()), "{name}: {:?}", folder.names(name));
    }
    println!("ran {commands} commands in {} blocks", blocks.len());
    assert!(commands >= 10);
    // Nothing of the page is hidden from this test in a block of another kind.
    let elsewhere = page.lines().filter(|line| line.starts_with("lapwing ") || line.starts_with("$ ")).count();
    assert_eq!(elsewhere, commands);
}

/// The ladder that the page shows, at full size: the picture is what its command makes, byte for byte.
#[test]
fn the_ladder_of_the_guide_is_what_its_command_makes() {
    let folder = Folder::new("guide-ladder");
    let page = page();
    let (_, rest) = page.split_once("cat > half.toml").expect("the format of the ladder");
    let (format, _) = rest.split_once("\nEND\n").expect("its end");
    let command = page.lines().find(|line| line.ends_with("-o ablation-half")).expect("the command of the ladder");
    run(&folder, &format!("cat > half.toml{format}\nEND\n{command}\n"));
    let (made, shown) = (folder.read("ablation-half/ablation.svg"), read("docs/src/ablation-u280-flightllm.svg"));
    assert!(made == shown.as_bytes(), "the ladder is not what its command makes, run it again");
    println!("compared {} bytes", made.len());
    assert!(page.contains("](ablation-u280-flightllm.svg)") && made.len() > 1000);
}

/// The front of the worked example of sweeps: what the page shows is what its file says today, cell by cell.
#[test]
fn the_front_that_the_page_of_sweeps_shows_is_what_its_file_says() {
    let folder = Folder::new("guide-front");
    let file = project("sweep/examples/u280.toml");
    folder.must(&["sweep", &file, "-o", "u280"]);
    let rows = String::from_utf8(folder.read("u280/points.jsonl")).expect("UTF-8");
    let rows: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let number = |row: &serde_json::Value, key: &str| row["results"][key].as_f64().expect("a figure");
    let mut front: Vec<&serde_json::Value> = rows.iter().filter(|row| row["front"] == true).collect();
    front.sort_by(|a, b| number(a, "decode_ms_per_token").total_cmp(&number(b, "decode_ms_per_token")));
    let thousands =
        |count: u64| if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) };
    let cells = |row: &&serde_json::Value| {
        let axis = |name: &str| row["axes"][format!("machine.core.{name}")].to_string();
        [
            axis("count"),
            axis("matrix.chain"),
            format!("{}, {}", axis("matrix.columns"), axis("matrix.gemv_columns")),
            format!("`{}`", row["axes"]["format"].as_str().expect("a name")),
            format!("{:.2}", number(row, "decode_ms_per_token")),
            format!("{:.1}", number(row, "average_power_w")),
            thousands(number(row, "resources.dsp.used") as u64),
            format!("{:.0} %", 100.0 * number(row, "utilisation.mx")),
            format!("{:.0} of {:.0}", number(row, "memory.achieved_gb_per_s"), number(row, "memory.peak_gb_per_s")),
        ]
        .to_vec()
    };
    let found: Vec<Vec<String>> = front.iter().map(cells).collect();
    let page = read("docs/src/sweeps.md");
    let (_, rest) = page.split_once("| cores | chain |").expect("the table of the front");
    let lines = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let shown: Vec<Vec<String>> =
        lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect();
    assert_eq!(found, shown, "the page's front is not the one that comes out");
    let done = rows.iter().filter(|row| !row["results"].is_null() && row["excluded"].is_null()).count();
    let counts = format!("{} points, of which the board and the model's size leave {done}", rows.len());
    assert!(page.replace('\n', " ").contains(&counts), "the page does not say: {counts}");
    println!("compared {} cells of {} points", shown.iter().map(Vec::len).sum::<usize>(), rows.len());
    assert!(shown.len() > 10);
}

/// The page of figures, in a copy of its folder: every picture is made by a command that stands there, and those of results that are
/// kept beside it are the ones that are shown, byte for byte.
#[test]
fn every_command_of_the_page_of_figures_runs() {
    let folder = Folder::new("figures-page");
    folder.write("sweep.toml", read("docs/src/figures/sweep.toml"));
    folder.write("heldout.txt", read("models/corpora/tinyshakespeare.heldout.txt"));
    let page = read("docs/src/figures.md");
    let blocks = blocks(&page);
    for block in &blocks {
        run(&folder, block);
    }
    let links = page.split("](figures/").skip(1).map(|rest| rest.split_once(')').expect("a link ends").0);
    let pictures: Vec<&str> = links.filter(|link| link.ends_with(".svg")).collect();
    let made = folder.names(".");
    for picture in &pictures {
        assert!(made.contains(&(*picture).to_owned()), "no command makes {picture}: {made:?}");
        assert!(read(&format!("docs/src/figures/{picture}")).starts_with("<svg "), "{picture}");
    }
    let differs = |picture: &&&str| folder.read(picture) != read(&format!("docs/src/figures/{picture}")).as_bytes();
    let other: Vec<&&str> = pictures.iter().filter(differs).collect();
    assert!(other.is_empty(), "not what their commands make, run them again: {other:?}");
    println!("ran {} blocks, compared {} pictures", blocks.len(), pictures.len());
    assert_eq!(pictures.len(), 5);
}

/// A table of a page, between its marks.
fn table<'p>(page: &'p str, name: &str) -> &'p str {
    let begin = format!("<!-- begin {name} -->\n");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no `{begin}` in the page"));
    rest.split_once("<!-- end -->").expect("an end").0.trim()
}

#[test]
fn the_guide_has_the_keys_of_the_reports() {
    let page = page();
    for (name, terms) in [("ablation", ABLATION_GLOSSARY), ("programs", PROGRAM_GLOSSARY)] {
        assert_eq!(table(&page, name), markdown(terms).trim(), "the page's table `{name}` is not the generated one");
    }
    println!("compared {} keys", ABLATION_GLOSSARY.len() + PROGRAM_GLOSSARY.len());
}

#[test]
fn the_page_of_columns_has_them_all() {
    let page = read("docs/src/columns.md");
    let columns = COLUMNS.map(|(term, _)| term);
    let tables = [("run", GLOSSARY), ("sweep", &columns), ("cosim", COSIM_GLOSSARY)];
    for (name, terms) in tables {
        assert_eq!(table(&page, name), markdown(terms).trim(), "the page's table `{name}` is not the generated one");
    }
    println!("compared {} keys", tables.iter().map(|(_, terms)| terms.len()).sum::<usize>());
}

/// What the README shows of the first command is what it says today.
#[test]
fn the_readme_shows_what_the_first_command_says() {
    let folder = Folder::new("readme");
    let said = folder.must(&["generate"]);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: Vec<String> = said.lines().map(words).collect();
    let page = read("README.md");
    let (_, rest) = page.split_once("```text\n").expect("what you see");
    let (shown, _) = rest.split_once("```").expect("a block ends");
    let shown: Vec<String> = shown.lines().map(words).filter(|line| !line.is_empty() && line != "...").collect();
    for line in &shown {
        assert!(said.contains(line), "the README shows `{line}`, which `lapwing generate` does not say");
    }
    println!("compared {} lines", shown.len());
    assert!(shown.len() > 8);
}

/// The tutorials, in an empty folder each: every command runs, and the picture that is shown is the one that comes out.
#[test]
fn every_command_of_the_tutorials_runs() {
    let mut commands = 0;
    for name in ["roofline", "verilog"] {
        let folder = Folder::new(&format!("tutorial-{name}"));
        let page = read(&format!("docs/src/{name}.md"));
        for block in blocks(&page) {
            run(&folder, &block);
            commands += block.lines().filter(|line| line.starts_with("lapwing ")).count();
        }
        for (_, rest) in page.match_indices("](figures/").map(|(at, mark)| page.split_at(at + mark.len())) {
            let (picture, _) = rest.split_once(')').expect("a link ends");
            let shown = read(&format!("docs/src/figures/{picture}"));
            assert!(folder.read(picture) == shown.as_bytes(), "{picture} is not what its command makes, run it again");
        }
    }
    println!("ran {commands} commands");
    assert!(commands >= 10);
}
