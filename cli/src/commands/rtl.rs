//! `rtl`: the folder with a machine's Verilog and everything around it.

use std::fs;
use std::io;
use std::path::Path;

use cosim::random::{RandomRun, contents, random_run};
use hw_config::machine::Machine;
use hw_config::program::{Mark, Program, check_set};
use reports::table::{Align, Table, bytes, count};
use rtl::package::{self, CoreVectors, File, Vectors, kernel_name};
use sim::functional::{Core, MemoryImage, run_cores};

use crate::arguments::RtlArgs;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::{print, probe_folder, write_folder};

/// Random instructions of the test benches' program, between those that fill and those that store the buffers.
const RANDOM_INSTRUCTIONS: usize = 48;
/// The file that `--json` prints.
const SUMMARY: &str = "summary.json";
/// What each part of the folder is, by the beginning of its paths.
const PARTS: [(&str, &str); 6] = [
    ("rtl/", "Verilog: kernel top, core or cores, and what they need"),
    ("tb/", "test benches for Verilator and Icarus"),
    ("vectors/", "their programs, registers and memory, before and after"),
    ("vivado/", "project, synthesis out of context, clock, place"),
    ("vitis/", "packaging and linking of the kernel"),
    ("host/", "XRT program"),
];

/// Runs the command.
pub(crate) fn run(args: &RtlArgs, host: Host) -> Result<(), Failure> {
    let machine = super::machine(&args.machine)?;
    refuse_used(&args.output)?;
    let files = {
        let _progress = host.busy("writing Verilog");
        let emission = rtl::generate(&machine).map_err(Failure::input)?;
        package::package(&machine, &emission.files, &vectors(&machine, args.seed)).map_err(Failure::input)?
    };
    write_folder(&args.output, files.iter().map(|file| (file.path.as_str(), file.text.as_bytes())))?;
    if args.json {
        let summary = files.iter().find(|file| file.path == SUMMARY).expect("a folder has its summary");
        return print(&summary.text);
    }
    print(&table(&files))?;
    let (folder, kernel) = (args.output.display(), kernel_name(&machine));
    host.note(format!("{folder}: kernel {kernel}; `make -C {folder}/tb` checks it"));
    Ok(())
}

/// What was written, part by part.
fn table(files: &[File]) -> String {
    let columns = [("part", Align::Left), ("files", Align::Right), ("size", Align::Right), ("what", Align::Left)];
    let mut table = Table::new(&columns);
    let mut row = |part: &str, what: &str, chosen: &[&File]| {
        let size: usize = chosen.iter().map(|file| file.text.len()).sum();
        table.row(vec![part.to_owned(), count(chosen.len() as u64), bytes(size as u64), what.to_owned()]);
    };
    for (part, what) in PARTS {
        let chosen: Vec<&File> = files.iter().filter(|file| file.path.starts_with(part)).collect();
        row(part, what, &chosen);
    }
    let page: Vec<&File> = files.iter().filter(|file| !file.path.contains('/')).collect();
    row(".", "README.md and summary.json", &page);
    table.render()
}

/// One program a core that fills every buffer, runs random instructions, of several cores with shares between them, and
/// stores what the buffers hold, and what the functional simulator makes of it.
fn vectors(machine: &Machine, seed: u64) -> Vectors {
    let RandomRun { fill, mut random, store } = random_run(machine, seed..seed + 1, RANDOM_INSTRUCTIONS);
    let (random, registers) = random.pop().expect("one seed");
    let name = format!("fill, {RANDOM_INSTRUCTIONS} random instructions of seed {seed}, store");
    let parts = fill.into_iter().zip(random).zip(store);
    let programs: Vec<Program> =
        parts.map(|((fill, random), store)| one_program(machine, &name, [fill, random, store])).collect();
    let legal = check_set(&programs, machine);
    assert!(legal.is_ok(), "the programs of seed {seed} are not legal: {legal:?}");

    let before: Vec<Vec<u8>> = (0..machine.core.count).map(|core| contents(machine, seed, core)).collect();
    let mut memories: Vec<MemoryImage> = before.iter().map(|bytes| image(bytes)).collect();
    let mut cores = vec![Core::new(machine); programs.len()];
    cores.iter_mut().for_each(|core| core.registers = registers);
    run_cores(&mut cores, &programs, &mut memories);
    let of_core = |((program, before), memory): ((Program, Vec<u8>), &MemoryImage)| CoreVectors {
        listing: program.to_text(),
        instructions: program.instructions,
        after: memory.read(0, before.len()).to_vec(),
        before,
    };
    let cores = programs.into_iter().zip(before).zip(&memories).map(of_core).collect();
    Vectors { name, registers, cores }
}

/// Several programs of a core, one after the other.
fn one_program(machine: &Machine, name: &str, [fill, random, store]: [Program; 3]) -> Program {
    let mut instructions = fill.instructions;
    for part in [&random.instructions, &store.instructions] {
        // The `end` of the part before: a step has one.
        instructions.pop();
        instructions.extend_from_slice(part);
    }
    let marks = vec![Mark { first: 0, layer: None, operator: "test".to_owned() }];
    let mut program = Program { name: name.to_owned(), marks, instructions, ..random };
    program.insert_waits(machine);
    program
}

fn image(bytes: &[u8]) -> MemoryImage {
    let mut memory = MemoryImage::new(bytes.len());
    memory.write(0, bytes);
    memory
}

/// Refuses a folder that has something in it, before the work.
fn refuse_used(folder: &Path) -> Result<(), Failure> {
    probe_folder(folder)?;
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Failure::input(format!(
            "{}: the folder is not empty, expected an empty or a new one; remove it or name another",
            folder.display()
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::Io(format!("{}: the folder cannot be read: {error}", folder.display()))),
    }
}
