//! The rules of the house, held by machine: who may use whom, what every crate must say and may not say, and that the
//! pages about the house show what is there. Each check takes its input as an argument and returns what is wrong, so
//! that the sabotage tests at the end can hand it something false; it also counts what it looked at, and 0 fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The allowed dependencies between our crates, of any kind (normal, dev, build). `ARCHITECTURE.md` shows this table.
const EDGES: [(&str, &[&str]); 11] = [
    ("hw_config", &[]),
    ("models", &["hw_config"]),
    ("compiler", &["hw_config", "models"]),
    ("sim", &["hw_config"]),
    ("rtl", &["hw_config"]),
    ("cosim", &["hw_config", "sim", "rtl"]),
    ("reports", &[]),
    ("session", &["hw_config", "models", "compiler", "sim", "cosim", "reports"]),
    ("sweep", &["hw_config", "models", "compiler", "reports", "session"]),
    ("lapwing", &["hw_config", "models", "compiler", "sim", "rtl", "cosim", "reports", "session", "sweep"]),
    (
        "lapwing-tests",
        &["hw_config", "models", "compiler", "sim", "rtl", "cosim", "reports", "session", "sweep", "lapwing"],
    ),
];

/// Lines that a source file or page may have.
const LINES_MAX: usize = 900;

/// Files that may be longer, each with the reason.
const LONG_FILES: [(&str, &str); 2] = [
    ("models/presets.toml", "a table: one entry a model, each with its source"),
    (
        "hw-configs/validation/flightllm.toml",
        "a table: one entry a run, figure or rung, each with its source; a system is one file",
    ),
];

/// Sources that may touch the host's files, clock or environment (paths by their beginning), each with the reason.
const HOST_USERS: [(&str, &str); 10] = [
    ("cli/src/", "the command: files, progress, how long the host took"),
    ("python/src/interrupt.rs", "listens for Ctrl-C from time to time"),
    ("reports/src/atomic", "writes files whole or not at all"),
    ("session/src/resolve.rs", "reads the machine, model and format files that it is given"),
    ("models/src/model.rs", "reads the model at the path that it is given"),
    ("rtl/src/verilated/", "runs Verilator and a C++ compiler, keeps what they made in the folder that it is given"),
    ("rtl/src/synth/yosys.rs", "runs Yosys, keeps what it found in the folder that it is given"),
    ("sim/src/memory/tests/", "tests: read the memory standards as files"),
    ("sweep/src/folder.rs", "keeps rows in the folder that it is given, and reads them back"),
    ("tests/src/", "tests"),
];

/// The only module with unsafe code: it declares that in its parent, and nowhere else is the lint lifted.
const UNSAFE_MODULE: (&str, &str) = ("rtl/src/verilated/mod.rs", "rtl/src/verilated/loaded.rs");

/// The Python package, a workspace of its own, and which of our crates it may use.
const PYTHON: (&str, &[&str]) = ("python", &["hw_config", "models", "session", "sweep"]);

/// What a check looked at and what it found wrong.
#[derive(Default)]
struct Findings {
    looked_at: usize,
    faults: Vec<String>,
}

impl Findings {
    fn look(&mut self, fault: Option<String>) {
        self.looked_at += 1;
        self.faults.extend(fault);
    }

    /// Prints the count and fails on any fault, or when there was nothing to look at.
    fn must_be_clean(self, what: &str) {
        println!("{} {what} looked at", self.looked_at);
        assert!(self.looked_at > 0, "no {what} looked at");
        assert!(self.faults.is_empty(), "{what}:\n{}", self.faults.join("\n"));
    }
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above this crate");
    root.to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Standard output of a command that runs in the workspace.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("paths and metadata are UTF-8")
}

/// Packages of the workspace: names, manifests and dependencies.
fn metadata() -> Value {
    let text = output_of(env!("CARGO"), &["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    serde_json::from_str(&text).expect("cargo writes JSON")
}

/// Files of the project: tracked, or new and not ignored.
fn project_files() -> Vec<String> {
    let text = output_of("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    text.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("cargo metadata without {key}: {value}"))
}

fn list_of<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("cargo metadata without {key}: {value}"))
}

/// Every dependency between our crates must be in `EDGES`, and every crate must have its row there.
fn check_edges(metadata: &Value) -> Findings {
    let mut findings = Findings::default();
    let packages = list_of(metadata, "packages");
    let ours: BTreeSet<&str> = packages.iter().map(|package| text_of(package, "name")).collect();
    let rows: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    for name in rows.keys() {
        findings.look((!ours.contains(name)).then(|| format!("{name}: has a row in EDGES but is no crate")));
    }
    for package in packages {
        let name = text_of(package, "name");
        let Some(allowed) = rows.get(name) else {
            findings
                .look(Some(format!("{name}: has no row in EDGES: say there and in ARCHITECTURE.md what it may use")));
            continue;
        };
        for dependency in list_of(package, "dependencies") {
            let used = text_of(dependency, "name");
            if ours.contains(used) || dependency["path"].is_string() {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                let fault =
                    format!("{name} -> {used} ({kind}): may use {allowed:?}; what both need belongs in hw_config");
                findings.look((!allowed.contains(&used)).then_some(fault));
            }
        }
    }
    findings
}

/// The table under "Who may use whom" must show `EDGES`: crate, then what it may use in code spans, or "nothing".
fn check_edge_table(page: &str) -> Findings {
    let mut findings = Findings::default();
    let section = page.split("## Who may use whom").nth(1).unwrap_or("");
    let section = section.split("\n## ").next().unwrap_or("");
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    for (name, allowed) in EDGES {
        let used: Vec<String> = allowed.iter().map(|used| format!("`{used}`")).collect();
        let cell = if used.is_empty() { "nothing of ours".to_owned() } else { used.join(", ") };
        let row = format!("| `{name}` | {cell} |");
        findings.look((!rows.contains(&row.as_str())).then(|| format!("ARCHITECTURE.md: missing row: {row}")));
    }
    let extra = rows.len().saturating_sub(EDGES.len());
    findings.look((extra > 0).then(|| format!("ARCHITECTURE.md: {extra} rows more than there are crates")));
    findings
}

/// Every member inherits the workspace's lints, and these deny unsafe code. They do not forbid it, because what is
/// forbidden cannot be allowed in one module; [`check_unsafe`] holds that to one.
fn check_lints(workspace: &str, members: &[(String, String)]) -> Findings {
    let mut findings = Findings::default();
    let table = |file: &str, text: &str| -> toml::Table { text.parse().unwrap_or_else(|e| panic!("{file}: {e}")) };
    let workspace = table("Cargo.toml", workspace);
    let level = |lint: &str| workspace["workspace"]["lints"]["rust"].get(lint).and_then(|level| level.as_str());
    let unsafe_level = level("unsafe_code");
    findings.look((unsafe_level != Some("deny")).then(|| format!("Cargo.toml: unsafe_code is {unsafe_level:?}")));
    let docs = level("missing_docs");
    findings
        .look((docs != Some("warn") && docs != Some("deny")).then(|| format!("Cargo.toml: missing_docs is {docs:?}")));
    for (path, text) in members {
        let member = table(path, text);
        let inherits = member.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        findings.look((inherits != Some(true)).then(|| format!("{path}: [lints] workspace = true is missing")));
    }
    findings
}

/// The Python package is a workspace of its own that says of itself what ours says of its members, and uses of our crates
/// what it may.
fn check_python(workspace: &str, package: &str) -> Findings {
    let (folder, allowed) = PYTHON;
    let mut findings = Findings::default();
    let table = |text: &str| -> toml::Value { text.parse::<toml::Table>().unwrap_or_else(|e| panic!("{e}")).into() };
    let (ours, its) = (table(workspace), table(package));
    let members = ours["workspace"]["members"].as_array().expect("members");
    let is_member = members.iter().any(|member| member.as_str() == Some(folder));
    let is_root = its.get("workspace").and_then(toml::Value::as_table).is_some_and(toml::Table::is_empty);
    findings.look((is_member || !is_root).then(|| format!("{folder}: must be a workspace of its own")));
    let keys = ["version", "edition", "rust-version", "license", "publish"];
    let mut pairs: Vec<(&str, _, _)> =
        keys.iter().map(|key| (*key, ours["workspace"]["package"].get(key), its["package"].get(key))).collect();
    pairs.push(("lints", ours["workspace"].get("lints"), its.get("lints")));
    pairs.push(("profile", ours.get("profile"), its.get("profile")));
    for (key, of_workspace, of_package) in pairs {
        findings.look((of_workspace != of_package).then(|| format!("{folder}: `{key}` is not the workspace's")));
    }
    for (name, dependency) in its["dependencies"].as_table().expect("dependencies") {
        let fault = dependency.get("path").is_some() && !allowed.contains(&name.as_str());
        findings.look(fault.then(|| format!("{folder} -> {name}: may use {allowed:?}; logic belongs in sweep")));
    }
    findings
}

/// Unsafe code, and words that would allow it, stand in one module only; the module says so once.
fn check_unsafe(path: &str, text: &str) -> Option<String> {
    let (parent, module) = UNSAFE_MODULE;
    // Without what stands between quotes and in comments.
    let code = text.lines().map(|line| line.split('"').step_by(2).collect::<String>());
    let code: Vec<String> = code.map(|line| line.split("//").next().unwrap_or("").to_owned()).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let uses =
        |word: &str| code.iter().flat_map(|line| line.split(|c| !is_word(c))).filter(|part| *part == word).count();
    let (lifted, used) = (uses("unsafe_code"), uses("unsafe"));
    match path {
        _ if path == module => (lifted > 0).then(|| format!("{path}: lifts the lint again")),
        _ if path == parent => {
            (lifted != 1 || used > 0).then(|| format!("{path}: must lift the lint once, for one module"))
        }
        _ => (lifted > 0 || used > 0).then(|| format!("{path}: unsafe code belongs in {module} only")),
    }
}

/// A crate's root opens with what it does, what it must never do, and the reading order of its modules if it has some.
fn check_crate_root(path: &str, text: &str) -> Option<String> {
    let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let header = header.join("\n");
    let needs: &[&str] =
        if text.contains("\nmod ") || text.contains("\npub mod ") { &["never", "Reading order"] } else { &["never"] };
    if header.is_empty() {
        return Some(format!("{path}: does not open with a //! header"));
    }
    let missing = needs.iter().find(|need| !header.to_lowercase().contains(&need.to_lowercase()))?;
    Some(format!("{path}: its header lacks the word {missing:?}"))
}

/// Words that no source file or page may have. They are put together here so that this file has none of them.
fn forbidden_words() -> Vec<String> {
    let parts: [(&str, &str); 15] = [
        ("TO", "DO"),
        ("FIX", "ME"),
        ("to", "do!"),
        ("unimplem", "ented!"),
        ("/wo", "rk/"),
        ("/t", "mp/"),
        ("/ho", "me/"),
        ("/ro", "ot/"),
        ("/Us", "ers/"),
        ("crates", ".io"),
        ("pypi", ".org"),
        ("pythonhosted", ".org"),
        ("debian", ".org"),
        ("rust-lang", ".org"),
        ("facts", " file"),
    ];
    parts.iter().map(|(start, end)| format!("{start}{end}")).collect()
}

fn check_words(path: &str, text: &str, words: &[String]) -> Vec<String> {
    let lines = text.lines().enumerate();
    let hits = lines.flat_map(|(number, line)| {
        let words = words.iter().filter(move |word| line.contains(word.as_str()));
        words.map(move |word| format!("{path}:{}: {word:?}", number + 1))
    });
    hits.collect()
}

/// A page or source file: what a person writes and reads.
fn is_written(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    matches!(extension, None | Some("rs" | "md" | "toml" | "py" | "sh" | "v" | "yml"))
}

/// Library code must not reach the host: its results would depend on more than its arguments.
fn check_host(path: &str, text: &str) -> Option<String> {
    let allowed = HOST_USERS.iter().any(|(start, _)| path.starts_with(start));
    let used = ["std::fs", "std::env", "std::time", "std::net", "std::process"].iter().find(|u| text.contains(**u))?;
    (!allowed).then(|| format!("{path}: uses {used}: let the caller bring bytes, times and seeds"))
}

fn check_length(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let listed = LONG_FILES.iter().any(|(long, _)| *long == path);
    (lines > LINES_MAX && !listed)
        .then(|| format!("{path}: {lines} lines, at most {LINES_MAX}: cut it where its subject changes"))
}

/// Relative link targets of a Markdown page, without their anchors.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    targets.map(|target| target.split('#').next().unwrap_or(target)).collect()
}

/// File names without `.toml` in a folder of `hw-configs` or `models`.
fn toml_stems(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = entries.map(|entry| entry.expect("a readable folder").file_name().into_string().expect("UTF-8 names"));
    names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect()
}

/// Names of files that the library does not carry, and of entries of the library without a file.
fn check_library(folder: &str, files: &BTreeSet<String>, carried: &BTreeSet<String>) -> Vec<String> {
    files
        .symmetric_difference(carried)
        .map(|name| format!("{folder}/{name}.toml: not both file and library entry"))
        .collect()
}

#[test]
fn crates_use_only_what_they_may() {
    check_edges(&metadata()).must_be_clean("edges and crates");
}

#[test]
fn architecture_shows_the_allowed_edges() {
    check_edge_table(&read("ARCHITECTURE.md")).must_be_clean("rows of the edge table");
}

#[test]
fn every_crate_inherits_the_lints() {
    let metadata = metadata();
    let manifests = list_of(&metadata, "packages").iter().map(|package| text_of(package, "manifest_path").to_owned());
    let members: Vec<_> = manifests.map(|path| (path.clone(), read(&path))).collect();
    check_lints(&read("Cargo.toml"), &members).must_be_clean("manifests and lints");
}

#[test]
fn the_python_package_stands_beside_the_workspace() {
    check_python(&read("Cargo.toml"), &read(&format!("{}/Cargo.toml", PYTHON.0))).must_be_clean("facts of the package");
}

#[test]
fn unsafe_code_stands_in_one_module() {
    let mut findings = Findings::default();
    for path in project_files().into_iter().filter(|path| path.ends_with(".rs")) {
        findings.look(check_unsafe(&path, &read(&path)));
    }
    findings.must_be_clean("sources for unsafe code");
}

#[test]
fn every_crate_says_what_it_is_and_the_code_map_names_its_modules() {
    let (mut headers, mut modules) = (Findings::default(), Findings::default());
    let map = read("ARCHITECTURE.md");
    let metadata = metadata();
    let manifests =
        list_of(&metadata, "packages").iter().map(|package| PathBuf::from(text_of(package, "manifest_path")));
    for manifest in manifests.chain([root().join(PYTHON.0).join("Cargo.toml")]) {
        let folder = manifest.parent().expect("a manifest has a folder");
        let (lib, main) = (folder.join("src/lib.rs"), folder.join("src/main.rs"));
        let path = if lib.exists() { lib } else { main }.to_string_lossy().into_owned();
        let text = read(&path);
        headers.look(check_crate_root(&path, &text));
        let declared = text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
        for module in declared.filter_map(|rest| rest.strip_suffix(';')) {
            modules.look(
                (!map.contains(&format!("`{module}`"))).then(|| format!("ARCHITECTURE.md: no `{module}` of {path}")),
            );
        }
    }
    headers.must_be_clean("crate headers");
    modules.must_be_clean("modules in the code map");
}

#[test]
fn no_file_has_a_forbidden_word_or_too_many_lines() {
    let (mut words, mut lengths) = (Findings::default(), Findings::default());
    let forbidden = forbidden_words();
    for path in project_files().into_iter().filter(|path| is_written(path)) {
        // A corpus of broken files holds text that is not UTF-8 on purpose.
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        let hits = check_words(&path, &text, &forbidden);
        words.look((!hits.is_empty()).then(|| hits.join("\n")));
        lengths.look(check_length(&path, &text));
    }
    for (path, _) in LONG_FILES {
        lengths.look((!root().join(path).exists()).then(|| format!("{path}: in LONG_FILES but not there")));
    }
    words.must_be_clean("files for words");
    lengths.must_be_clean("files for length");
}

#[test]
fn only_the_edges_of_the_house_touch_the_host() {
    let mut findings = Findings::default();
    for path in project_files().into_iter().filter(|path| path.ends_with(".rs") && path.contains("/src/")) {
        findings.look(check_host(&path, &read(&path)));
    }
    findings.must_be_clean("sources for host access");
}

#[test]
fn every_page_is_in_the_book_and_every_link_leads_somewhere() {
    let (mut pages, mut targets) = (Findings::default(), Findings::default());
    let summary = read("docs/src/SUMMARY.md");
    let listed: BTreeSet<&str> = links(&summary).into_iter().collect();
    for path in project_files().into_iter().filter(|path| path.ends_with(".md")) {
        if let Some(page) = path.strip_prefix("docs/src/").filter(|page| *page != "SUMMARY.md") {
            pages.look((!listed.contains(page)).then(|| format!("docs/src/SUMMARY.md: {page} is missing")));
        }
        let folder = root().join(&path).parent().expect("a file has a folder").to_path_buf();
        for target in links(&read(&path)) {
            targets
                .look((!folder.join(target).exists()).then(|| format!("{path}: link to {target}, which is not there")));
        }
    }
    pages.must_be_clean("pages of the book");
    targets.must_be_clean("links");
}

#[test]
fn every_library_file_is_carried() {
    let owned = |names: Vec<&'static str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let mut formats = owned(models::compress::format_names().collect());
    // The float reference is a format without a file.
    formats.remove(models::compress::FLOAT);
    // Prices of an FPGA's fabric and of an ASIC's circuits stand side by side.
    let mut energy = owned(hw_config::energy::EnergyTable::names());
    energy.extend(owned(hw_config::technology::Technology::names()));
    energy.extend(owned(hw_config::asic::AsicTable::names()));
    let libraries = [
        ("hw-configs/machines", owned(hw_config::raw::machine_names())),
        ("hw-configs/boards", owned(hw_config::board::Board::names())),
        ("hw-configs/memories", owned(hw_config::raw::memory_names())),
        ("hw-configs/energy", energy),
        ("models/formats", formats),
    ];
    let mut findings = Findings::default();
    for (folder, carried) in libraries {
        let files = toml_stems(folder);
        assert!(!files.is_empty(), "{folder} is empty");
        findings.looked_at += files.len();
        findings.faults.extend(check_library(folder, &files, &carried));
    }
    findings.must_be_clean("library files");
}

#[test]
fn sabotage_every_check_sees_what_it_is_for() {
    let mut seen = 0;
    let mut must_fail = |what: &str, faults: &[String], expected: &str| {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{what}: {expected:?} not found in {faults:?}");
        seen += 1;
    };
    for (from, to, kind) in
        [("sim", "compiler", "normal"), ("reports", "hw_config", "dev"), ("compiler", "sim", "build")]
    {
        let mut bent = metadata();
        let packages = bent["packages"].as_array_mut().expect("packages");
        let package = packages.iter_mut().find(|package| package["name"] == from).expect("a crate of ours");
        let edge = serde_json::json!({ "name": to, "kind": kind, "path": null });
        package["dependencies"].as_array_mut().expect("dependencies").push(edge);
        must_fail("edges", &check_edges(&bent).faults, &format!("{from} -> {to} ({kind})"));
    }
    let mut bent = metadata();
    let stranger = serde_json::json!({ "name": "stranger", "dependencies": [] });
    bent["packages"].as_array_mut().expect("packages").push(stranger);
    must_fail("edges", &check_edges(&bent).faults, "stranger: has no row");

    let page = read("ARCHITECTURE.md");
    let bent = page.replace("| `sim` | `hw_config` |", "| `sim` | `hw_config`, `compiler` |");
    must_fail("edge table", &check_edge_table(&bent).faults, "| `sim` | `hw_config` |");

    let manifest = read("Cargo.toml");
    let bent = manifest.replace("unsafe_code = \"deny\"", "unsafe_code = \"warn\"");
    must_fail("lints", &check_lints(&bent, &[]).faults, "unsafe_code");
    let member = ("x/Cargo.toml".to_owned(), "[package]\nname = \"x\"\n".to_owned());
    must_fail("lints", &check_lints(&manifest, &[member]).faults, "x/Cargo.toml");

    let package = read(&format!("{}/Cargo.toml", PYTHON.0));
    for (from, to, expected) in [
        ("version = \"0.", "version = \"9.", "`version`"),
        ("opt-level = 1", "opt-level = 3", "`profile`"),
        ("missing_docs = \"warn\"", "missing_docs = \"allow\"", "`lints`"),
        ("[workspace]", "", "of its own"),
        ("[dependencies]", "[dependencies]\nsim = { path = \"../sim\" }", "-> sim"),
    ] {
        must_fail("python", &check_python(&manifest, &package.replacen(from, to, 1)).faults, expected);
    }

    let code = "#[allow(unsafe_code)]\nmod b { fn f() { unsafe { g() } } }\n";
    must_fail("unsafe", &Vec::from_iter(check_unsafe("sim/src/lib.rs", code)), "belongs in");
    must_fail("unsafe", &Vec::from_iter(check_unsafe("sim/src/lib.rs", "unsafe fn f() {}\n")), "belongs in");
    must_fail("unsafe", &Vec::from_iter(check_unsafe(UNSAFE_MODULE.0, &code.repeat(2))), "once");

    must_fail("header", &Vec::from_iter(check_crate_root("a", "pub mod b;\n")), "does not open");
    must_fail("header", &Vec::from_iter(check_crate_root("a", "//! Never.\n\npub mod b;\n")), "Reading order");
    for word in forbidden_words() {
        must_fail("words", &check_words("a", &format!("one\nx {word} y\n"), &forbidden_words()), "a:2");
    }
    must_fail("length", &Vec::from_iter(check_length("a.rs", &"x\n".repeat(LINES_MAX + 1))), "a.rs");
    must_fail("host", &Vec::from_iter(check_host("sim/src/a.rs", "use std::time::Instant;")), "sim/src/a.rs");
    assert_eq!(links("see [a](b/c.md#d) and [e](https://f) and [g](#h)"), ["b/c.md"]);
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    must_fail("library", &check_library("m", &names(&["a", "b"]), &names(&["a"])), "m/b.toml");
    println!("{seen} sabotages seen");
    assert!(seen > 0);
}
