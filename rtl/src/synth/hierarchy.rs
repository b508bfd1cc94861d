//! A design as its distinct modules with parameters, and how often each uses which other. It must never look at what a
//! module computes.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::path::Path;

use serde_json::Value as Json;

use super::SynthError;
use super::yosys::{in_folder, parse_statistics, read, run_script, write};
use crate::sources::File;
use crate::verilog::Value;

/// What is synthesised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design<'a> {
    /// All Verilog of it. Files that do not end in `.v` are there to be included.
    pub files: &'a [File],
    /// Name of the top module.
    pub top: &'a str,
    /// Parameters of the top module that differ from their defaults.
    pub parameters: &'a [(String, Value)],
}

/// A module with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The module.
    pub name: String,
    /// All its parameters, by name, as Verilog writes them.
    pub parameters: Vec<(String, String)>,
    /// Which modules it uses itself, and how often each: places in [`Hierarchy::modules`].
    pub children: Vec<(usize, u64)>,
    /// What Yosys calls it.
    pub(super) id: String,
    /// A hash of everything that its own cells depend on, but the tool.
    pub(super) key: u64,
}

impl Instance {
    /// Its parameters in one line.
    pub fn parameter_text(&self) -> String {
        let parameters: Vec<String> = self.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        parameters.join(" ")
    }
}

/// The distinct modules of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// Each after those that it uses; the top is the last.
    pub modules: Vec<Instance>,
}

impl Hierarchy {
    /// Takes a design apart. `cache` is a folder for what the tool writes on the way.
    ///
    /// # Errors
    /// The tool is missing or refuses the design.
    pub fn elaborate(design: &Design<'_>, cache: &Path) -> Result<Self, SynthError> {
        let (statistics, modules) = in_folder(cache, |folder| {
            let end = "tee -q -o cells.txt stat\nblackbox *\nwrite_json modules.json\n";
            run_script(folder, &format!("{}{end}", write_design(design, folder)?), design.top)?;
            Ok((read(&folder.join("cells.txt"))?, read(&folder.join("modules.json"))?))
        })?;
        let modules: Json = serde_json::from_str(&modules).unwrap_or_else(|error| panic!("yosys wrote JSON: {error}"));
        let modules = modules["modules"].as_object().expect("yosys writes its modules");
        let mut reading = Reading { design, modules, cells: parse_statistics(&statistics), places: BTreeMap::new() };
        let mut hierarchy = Self { modules: Vec::new() };
        let top = modules.iter().find(|(_, module)| module["attributes"].get("top").is_some());
        let (top, _) = top.expect("yosys marks the top module");
        reading.visit(top, &mut hierarchy);
        Ok(hierarchy)
    }

    /// Places of all modules of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(&self, name: &str) -> Result<Vec<usize>, SynthError> {
        let places: Vec<usize> = (0..self.modules.len()).filter(|place| self.modules[*place].name == name).collect();
        if places.is_empty() {
            let mut known: Vec<&str> = self.modules.iter().map(|module| module.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            return Err(SynthError::UnknownModule { name: name.to_owned(), known: known.join(", ") });
        }
        Ok(places)
    }

    /// How often each module stands in one instance of `root`, itself once.
    pub fn instances_below(&self, root: usize) -> Vec<u64> {
        let mut counts = vec![0; self.modules.len()];
        counts[root] = 1;
        // Users stand behind what they use.
        for place in (0..=root).rev() {
            for (child, count) in &self.modules[place].children {
                counts[*child] += counts[place] * count;
            }
        }
        counts
    }
}

/// Writes the files of a design into a folder, and gives the commands that read it there.
pub(super) fn write_design(design: &Design<'_>, folder: &Path) -> Result<String, crate::verilated::BuildError> {
    let mut script = String::new();
    for file in design.files {
        write(&folder.join(&file.name), &file.text)?;
        if file.name.ends_with(".v") {
            writeln!(script, "read_verilog {}", file.name).expect("a text takes every line");
        }
    }
    // Not `hierarchy -chparam`, which knows no texts.
    for (name, value) in design.parameters {
        writeln!(script, "chparam -set {name} {value} {}", design.top).expect("a text takes every line");
    }
    writeln!(script, "hierarchy -top {}", design.top).expect("a text takes every line");
    Ok(script)
}

/// A design on its way from the tool's files.
struct Reading<'a> {
    design: &'a Design<'a>,
    modules: &'a serde_json::Map<String, Json>,
    cells: BTreeMap<String, BTreeMap<String, u64>>,
    /// Modules that are in the hierarchy already.
    places: BTreeMap<String, usize>,
}

impl Reading<'_> {
    /// Puts a module behind those that it uses, unless it is there already. Gives its place.
    fn visit(&mut self, id: &str, hierarchy: &mut Hierarchy) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let used: Vec<(String, u64)> =
            self.cells.get(id).into_iter().flatten().map(|(id, n)| (id.clone(), *n)).collect();
        let mut children = Vec::new();
        for (child, count) in used.into_iter().filter(|(child, _)| self.modules.contains_key(child)) {
            children.push((child.clone(), self.visit(&child, hierarchy), count));
        }
        let module = &self.modules[id];
        // `\name`, where a module with parameters has another name than its file.
        let name = module["attributes"]["hdlname"].as_str().unwrap_or(id).trim_start_matches('\\').to_owned();
        let parameters = module["parameter_default_values"].as_object().into_iter().flatten();
        let parameters: Vec<(String, String)> =
            parameters.map(|(name, value)| (name.clone(), parameter(value.as_str().unwrap_or_default()))).collect();
        let mut hasher = DefaultHasher::new();
        self.hash_sources(&name, &mut hasher);
        parameters.hash(&mut hasher);
        for (child, _, count) in &children {
            (count, ports(&self.modules[child])).hash(&mut hasher);
        }
        let children = children.into_iter().map(|(_, place, count)| (place, count)).collect();
        hierarchy.modules.push(Instance { name, parameters, children, id: id.to_owned(), key: hasher.finish() });
        let place = hierarchy.modules.len() - 1;
        self.places.insert(id.to_owned(), place);
        place
    }

    /// The module's own text, and every file that could be included in it.
    fn hash_sources(&self, name: &str, hasher: &mut DefaultHasher) {
        let own = format!("{name}.v");
        let files = self.design.files.iter().filter(|file| file.name == own || !file.name.ends_with(".v"));
        files.for_each(|file| (&file.name, &file.text).hash(hasher));
    }
}

/// A parameter's value as Verilog writes it: Yosys gives numbers in binary, 32 bits or more.
fn parameter(value: &str) -> String {
    match i64::from_str_radix(value, 2) {
        Ok(number) if value.len() == 32 => i64::from(number as u32 as i32).to_string(),
        Ok(number) => number.to_string(),
        Err(_) => format!("\"{}\"", value.trim_end()),
    }
}

/// Name, direction and width of the ports of a module.
fn ports(module: &Json) -> Vec<(String, String, usize)> {
    let ports = module["ports"].as_object().into_iter().flatten();
    let port = |(name, port): (&String, &Json)| {
        let width = port["bits"].as_array().map_or(0, Vec::len);
        (name.clone(), port["direction"].as_str().unwrap_or_default().to_owned(), width)
    };
    ports.map(port).collect()
}
