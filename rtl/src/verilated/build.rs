//! From Verilog to a library: Verilator, the C++ compiler, and the cache of what they made.
//!
//! Nothing is built twice: a design is found again by its content (sources, included files, parameters, clock, tools,
//! shim), and Verilator's own runtime is compiled once for all designs. It must never leave a half-made folder under a
//! final name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};

use super::files;
use super::ports::{PortInfo, parse_header, write_include};
use super::{BuildError, Design, Text};

/// The C++ side of `loaded`.
const SHIM: &str = include_str!("shim.cpp");

/// What the runtime calls where it would print.
const PRINT_HEADER: &str = "#pragma once\nint lapwing_print(const char* format, ...);\n";

/// Lines of a tool's complaint that an error shows.
const LINES_SHOWN: usize = 12;

/// Fast code that is compiled as one unit, at least: every unit reads the model's header, which takes half a second for a
/// core.
const UNIT_BYTES: usize = 2 << 20;

/// Optimisation of the model's code: what inlines the accesses of memories and copies wide signals as vectors. The core of
/// `tiny` runs 1.2 times as fast as with -O1 alone, which takes 0.9 of the time to compile, and not slower than with
/// -O2, which takes 1.3 times as long.
const OPTIMISATION: &[&str] = &[
    "-O1",
    "-finline-functions",
    "-finline-small-functions",
    "-ftree-loop-distribute-patterns",
    "-ftree-loop-vectorize",
    "-ftree-slp-vectorize",
];

/// None: code that runs once.
const NO_OPTIMISATION: &[&str] = &["-O0"];

/// A built design.
#[derive(Debug)]
pub(super) struct Built {
    /// The library to load.
    pub(super) library: PathBuf,
    /// Ports in the order of the library's table.
    pub(super) ports: Vec<PortInfo>,
}

/// A design's files by name, with their bytes as they are built.
struct Content {
    sources: Vec<(String, Vec<u8>)>,
    include: Vec<(String, Vec<u8>)>,
}

pub(super) fn build(design: &Design, cache: &Path, wave: bool) -> Result<Built, BuildError> {
    let content = read_content(design)?;
    let tools = tools()?;
    let key = key_of(design, &content, tools, wave);
    let folder = files::folder_made_once(cache, &key, |folder| {
        let runtime = runtime(cache, tools, wave)?;
        verilate(design, &content, folder, wave)?;
        compile(design, folder, &runtime, tools, wave)
    })?;
    let ports = parse_header(&design.top, &files::read_text(&folder.join("Vmodel.h"))?)?;
    Ok(Built { library: folder.join("model.so"), ports })
}

pub(super) fn is_built(design: &Design, cache: &Path, wave: bool) -> Result<bool, BuildError> {
    let key = key_of(design, &read_content(design)?, tools()?, wave);
    Ok(cache.join(key).exists())
}

/// The tools as they are on this host.
#[derive(Clone, Debug)]
struct Tools {
    /// What both say of themselves: part of every key.
    versions: String,
    /// Folder of Verilator's own C++.
    include: PathBuf,
}

/// Asked once a process.
fn tools() -> Result<&'static Tools, BuildError> {
    static TOOLS: OnceLock<Result<Tools, BuildError>> = OnceLock::new();
    let tools = TOOLS.get_or_init(|| {
        let verilator = run("verilator", "verilator", [OsStr::new("--version")])?;
        let root = run("verilator", "verilator", ["--getenv", "VERILATOR_ROOT"].map(OsStr::new))?;
        let compiler = run("g++", "g++", [OsStr::new("--version")])?;
        let first_line =
            |output: &Output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").to_owned();
        let versions = format!("{}; {}", first_line(&verilator), first_line(&compiler));
        Ok(Tools { versions, include: Path::new(&first_line(&root)).join("include") })
    });
    tools.as_ref().map_err(Clone::clone)
}

fn read_content(design: &Design) -> Result<Content, BuildError> {
    let read_all = |paths: &[PathBuf]| -> Result<Vec<(String, Vec<u8>)>, BuildError> {
        let mut named = Vec::new();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            named.push((name, files::read(path)?));
        }
        // The order of the arguments says nothing.
        named.sort();
        match named.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(BuildError::SameName { name: pair[0].0.clone() }),
            None => Ok(named),
        }
    };
    Ok(Content { sources: read_all(&design.sources)?, include: read_all(&design.include)? })
}

/// Name of the design's folder: the top module, and a hash of everything that the library depends on.
fn key_of(design: &Design, content: &Content, tools: &Tools, wave: bool) -> String {
    let mut hash = Fnv::default();
    hash.add(tools.versions.as_bytes());
    hash.add(include_bytes!("build.rs"));
    hash.add(SHIM.as_bytes());
    hash.add(design.top.as_bytes());
    hash.add(&[u8::from(wave), u8::from(design.text == Text::Netlist)]);
    for files in [&content.sources, &content.include] {
        hash.add(&files.len().to_le_bytes());
        for (name, bytes) in files {
            hash.add(name.as_bytes());
            hash.add(bytes);
        }
    }
    for (name, value) in &design.parameters {
        hash.add(name.as_bytes());
        hash.add(&value.to_le_bytes());
    }
    format!("{}-{:032x}", design.top, hash.0)
}

/// Verilog to C++, in `folder`.
fn verilate(design: &Design, content: &Content, folder: &Path, wave: bool) -> Result<(), BuildError> {
    let include = folder.join("include");
    files::make_folder(&include)?;
    for (name, bytes) in &content.sources {
        files::write(&folder.join(name), bytes)?;
    }
    for (name, bytes) in &content.include {
        files::write(&include.join(name), bytes)?;
    }
    let mut command = Command::new("verilator");
    // Verilator's data flow optimiser computes wrong bits (5.006: the netlist of a weight expander with mutants).
    command.current_dir(folder).args(["--cc", "-O3", "-fno-dfg", "-Wall", "--x-initial", "fast", "--x-assign", "fast"]);
    command.args(["--prefix", "Vmodel", "--Mdir", ".", "-Iinclude", "--top-module", &design.top]);
    match design.text {
        Text::Source => {}
        // So do others, its gate optimiser among them (the netlist of `mux_16` with mutants).
        Text::Netlist => drop(command.arg("-O0")),
    }
    if wave {
        command.arg("--trace-fst");
    }
    // A plain number is a signed one of 32 bits.
    command.args(design.parameters.iter().map(|(name, value)| match i32::try_from(*value) {
        Ok(value) => format!("-G{name}={value}"),
        Err(_) => format!("-G{name}=64'h{value:x}"),
    }));
    command.args(content.sources.iter().map(|(name, _)| name));
    finish("verilator", "verilator", &design.top, &mut command).map(|_| ())
}

/// C++ to `model.so`, in `folder`.
fn compile(design: &Design, folder: &Path, runtime: &Path, tools: &Tools, wave: bool) -> Result<(), BuildError> {
    let ports = parse_header(&design.top, &files::read_text(&folder.join("Vmodel.h"))?)?;
    files::write(&folder.join("ports.inc"), write_include(&ports).as_bytes())?;
    files::write(&folder.join("shim.cpp"), SHIM.as_bytes())?;
    let define = format!("-DLAPWING_PORT_COUNT={}", ports.len());
    let mut objects = Vec::new();
    let mut compilers = Vec::new();
    for (unit, optimisation) in write_units(folder)? {
        let object = format!("{unit}.o");
        let mut command = compiler(tools, wave);
        command.current_dir(folder).args(optimisation).args([&define, "-c", &unit, "-o", &object]);
        compilers.push(command);
        objects.push(object);
    }
    in_parallel(&design.top, compilers)?;
    let mut link = Command::new("g++");
    link.current_dir(folder).args(["-shared", "-Wl,-Bsymbolic", "-o", "model.so"]).args(&objects).arg(runtime);
    link.args(["-pthread", "-latomic"]).args(wave.then_some("-lz"));
    finish("g++", "g++", &design.top, &mut link)?;
    remove_intermediates(folder)
}

/// Keeps the library, the header that lists the ports, and what was built from. Of a large design the C++ and the objects
/// are twenty times as much.
fn remove_intermediates(folder: &Path) -> Result<(), BuildError> {
    for name in files::names(folder)? {
        let is_intermediate = [".cpp", ".cc", ".o", ".mk", ".d", ".dat"].iter().any(|ending| name.ends_with(ending));
        if is_intermediate {
            files::remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Writes the compilation units: set-up code in one that is not optimised, and the code of every cycle.
fn write_units(folder: &Path) -> Result<Vec<(String, &'static [&'static str])>, BuildError> {
    let names = files::names(folder)?;
    let of_model = |name: &&String| name.starts_with("Vmodel") && name.ends_with(".cpp");
    let is_slow =
        |name: &&String| name.ends_with("__Slow.cpp") || name.contains("__Syms") || name.contains("__Trace__");
    let (slow, fast): (Vec<&String>, Vec<&String>) = names.iter().filter(of_model).partition(is_slow);
    let include = |name: &str| format!("#include \"{name}\"\n");
    let mut texts = vec![include("shim.cpp")];
    let mut bytes = 0;
    for name in fast {
        if bytes >= UNIT_BYTES {
            texts.push(String::new());
            bytes = 0;
        }
        texts.last_mut().expect("one from the beginning").push_str(&include(name));
        bytes += files::read(&folder.join(name))?.len();
    }
    let mut units = Vec::new();
    for (number, text) in texts.into_iter().enumerate() {
        let unit = format!("fast-{number}.cc");
        files::write(&folder.join(&unit), text.as_bytes())?;
        units.push((unit, OPTIMISATION));
    }
    let slow: String = slow.into_iter().map(|name| include(name)).collect();
    files::write(&folder.join("slow.cc"), slow.as_bytes())?;
    units.push(("slow.cc".to_owned(), NO_OPTIMISATION));
    Ok(units)
}

/// Verilator's runtime as one object, made once for all designs.
fn runtime(cache: &Path, tools: &Tools, wave: bool) -> Result<PathBuf, BuildError> {
    let mut hash = Fnv::default();
    hash.add(tools.versions.as_bytes());
    hash.add(include_bytes!("build.rs"));
    hash.add(&[u8::from(wave)]);
    let folder = files::folder_made_once(cache, &format!("runtime-{:032x}", hash.0), |folder| {
        files::write(&folder.join("print.h"), PRINT_HEADER.as_bytes())?;
        let mut units = vec!["verilated.cpp", "verilated_threads.cpp"];
        units.extend(wave.then_some("verilated_fst_c.cpp"));
        let text: String = units.iter().map(|unit| format!("#include \"{unit}\"\n")).collect();
        files::write(&folder.join("runtime.cc"), text.as_bytes())?;
        let mut command = compiler(tools, wave);
        command.current_dir(folder).args(["-include", "print.h", "-DVL_PRINTF=lapwing_print"]);
        command.args(["-DVL_USER_FINISH", "-DVL_USER_STOP", "-DVL_USER_FATAL"]);
        command.args(OPTIMISATION).args(["-c", "runtime.cc", "-o", "runtime.o"]);
        finish("g++", "g++", "Verilator's runtime", &mut command).map(|_| ())
    })?;
    Ok(folder.join("runtime.o"))
}

/// The C++ compiler with the flags that all units share. Symbols stay inside a library and are not merged with those of
/// another one (`-fno-gnu-unique`), so that any number of models live in one process.
fn compiler(tools: &Tools, wave: bool) -> Command {
    let mut command = Command::new("g++");
    command.args(["-std=gnu++17", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-faligned-new", "-w"]);
    command.args(["-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE_VCD=0"]);
    command.args([format!("-DVM_TRACE={}", u8::from(wave)), format!("-DVM_TRACE_FST={}", u8::from(wave))]);
    command.arg("-I.").arg("-I").arg(&tools.include).arg("-I").arg(tools.include.join("vltstd"));
    command
}

/// Runs the compilers, as many at a time as the host has cores; reports the first failure in their order.
fn in_parallel(top: &str, compilers: Vec<Command>) -> Result<(), BuildError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let failures = Mutex::new(BTreeMap::new());
    let waiting = Mutex::new(compilers.into_iter().enumerate());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                // The lock is free again before the compiler runs.
                let next = || waiting.lock().expect("no thread panics").next();
                while let Some((at, mut command)) = next() {
                    if let Err(fault) = finish("g++", "g++", top, &mut command) {
                        failures.lock().expect("no thread panics").insert(at, fault);
                    }
                }
            });
        }
    });
    failures.into_inner().expect("no thread panics").into_values().next().map_or(Ok(()), Err)
}

/// Runs a tool for what it prints.
fn run<const N: usize>(
    tool: &'static str,
    package: &'static str,
    arguments: [&OsStr; N],
) -> Result<Output, BuildError> {
    finish(tool, package, tool, Command::new(tool).args(arguments))
}

/// Runs a command to its end.
fn finish(tool: &'static str, package: &'static str, top: &str, command: &mut Command) -> Result<Output, BuildError> {
    // Messages are shown and parsed: no translations.
    let output = command.env("LC_ALL", "C").output().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            BuildError::ToolMissing { tool, package }
        } else {
            BuildError::ToolFailed { tool, top: top.to_owned(), lines: error.to_string() }
        }
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().take(LINES_SHOWN).collect();
    Err(BuildError::ToolFailed { tool, top: top.to_owned(), lines: lines.join("\n") })
}

/// FNV-1a with 128 bits (Fowler, Noll, Vo), over parts with their lengths.
struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.len().to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}
