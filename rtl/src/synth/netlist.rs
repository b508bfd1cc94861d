//! The cells of the modules of a design: from the cache, or from the tool. It must never keep a module of which anything
//! is unknown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::hierarchy::{Design, Hierarchy, Instance, write_design};
use super::yosys::{in_folder, parse_statistics, read, run_script, version, write_whole};
use super::{Cells, SynthError};
use crate::verilated::BuildError;

/// From the elaborated design to cells, with the tool's own flow for UltraScale+. The library is read before, since no
/// module is the top of what is mapped; pads and clock buffers belong to the kernel around a core.
const FLOW: &str = "read_verilog -lib -specify +/xilinx/cells_sim.v\n\
                    read_verilog -lib +/xilinx/cells_xtra.v\n\
                    setattr -mod -unset top *\n\
                    synth_xilinx -family xcup -uram -noiopad -noclkbuf -run prepare:check\n\
                    tee -q -o cells.txt stat\n";

/// Modules that one run of the tool maps: it begins with some seconds of reading, and what it found is kept at its end.
const RUN_MODULES: usize = 8;

/// Told before each run of the tool: how many modules are to be mapped in all, and how many of them are done.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// The cells of each module of a hierarchy that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netlist {
    /// The tool that made it.
    pub tool: String,
    /// Each module's own cells, without those of the modules that it uses; none where they were not asked for.
    own: Vec<Option<Cells>>,
}

impl Netlist {
    /// Synthesises the modules at `roots` and all below them. What the cache folder has is taken from there.
    ///
    /// # Errors
    /// The tool is missing, refuses the design, or maps to a cell that is not known.
    pub fn synthesize(
        design: &Design<'_>,
        hierarchy: &Hierarchy,
        roots: &[usize],
        cache: &Path,
        progress: Progress<'_>,
    ) -> Result<Self, SynthError> {
        let tool = version()?;
        let mut own = vec![None; hierarchy.modules.len()];
        let mut missing = Vec::new();
        let below: Vec<Vec<u64>> = roots.iter().map(|root| hierarchy.instances_below(*root)).collect();
        for (place, module) in hierarchy.modules.iter().enumerate() {
            if below.iter().all(|counts| counts[place] == 0) {
                continue;
            }
            let path = kept_path(cache, module, &tool);
            if path.exists() {
                own[place] = Some(total(&module.name, parse_kept(&read(&path)?))?);
            } else {
                missing.push((place, path));
            }
        }
        for (run, chosen) in missing.chunks(RUN_MODULES).enumerate() {
            progress(missing.len(), run * RUN_MODULES);
            let modules: Vec<&Instance> = chosen.iter().map(|(place, _)| &hierarchy.modules[*place]).collect();
            let cells = map(design, hierarchy, &modules, cache)?;
            for ((place, path), mut found) in chosen.iter().zip(cells) {
                let module = &hierarchy.modules[*place];
                found.retain(|kind, _| hierarchy.modules.iter().all(|module| module.id != *kind));
                own[*place] = Some(total(&module.name, found.clone())?);
                let lines: String = found.iter().map(|(kind, count)| format!("{kind} {count}\n")).collect();
                write_whole(path, &lines)?;
            }
        }
        Ok(Self { tool, own })
    }

    /// A module's cells without those of the modules that it uses.
    ///
    /// # Panics
    /// If it was not asked for.
    pub fn own(&self, place: usize) -> Cells {
        self.own[place].expect("the module was asked for")
    }

    /// A module's cells with those of all below it.
    ///
    /// # Panics
    /// If it was not asked for.
    pub fn whole(&self, hierarchy: &Hierarchy, place: usize) -> Cells {
        let counts = hierarchy.instances_below(place);
        let used = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        used.fold(Cells::default(), |sum, (place, count)| sum.plus(self.own(place).times(*count)))
    }
}

/// One run of the tool: the cells by type of each of these modules, in their order.
fn map(
    design: &Design<'_>,
    hierarchy: &Hierarchy,
    chosen: &[&Instance],
    cache: &Path,
) -> Result<Vec<BTreeMap<String, u64>>, BuildError> {
    let text = in_folder(cache, |folder| {
        let mut script = write_design(design, folder)?;
        let is_chosen = |module: &Instance| chosen.iter().any(|chosen| chosen.id == module.id);
        for module in hierarchy.modules.iter().filter(|module| !is_chosen(module)) {
            writeln!(script, "blackbox {}", module.id).expect("a text takes every line");
        }
        script.push_str(FLOW);
        run_script(folder, &script, design.top)?;
        read(&folder.join("cells.txt"))
    })?;
    let mut statistics = parse_statistics(&text);
    let of = |module: &&Instance| statistics.remove(&module.id).expect("yosys gives statistics of every module");
    Ok(chosen.iter().map(of).collect())
}

/// Where a module's cells are kept: by everything that they depend on.
fn kept_path(cache: &Path, module: &Instance, tool: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (module.key, tool, FLOW).hash(&mut hasher);
    cache.join(format!("{}-{:016x}.cells", module.name, hasher.finish()))
}

fn parse_kept(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (kind, count) = line.split_once(' ')?;
        Some((kind.to_owned(), count.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// What cells take together.
fn total(module: &str, cells: BTreeMap<String, u64>) -> Result<Cells, BuildError> {
    let mut sum = Cells::default();
    for (kind, count) in cells {
        let unknown = || BuildError::ToolFailed {
            tool: "yosys",
            top: module.to_owned(),
            lines: format!("{count} cells `{kind}` are left, which are no primitive whose resources are known"),
        };
        sum = sum.plus(Cells::of_primitive(&kind).ok_or_else(unknown)?.times(count));
    }
    Ok(sum)
}
