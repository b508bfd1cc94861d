//! All Verilog there is: the hand-written library and the modules generated from tables, by name, and what a module
//! needs of it. It must never read a file of the host: the library is part of this program.

use std::collections::BTreeMap;

use crate::generated;
use crate::verilog::{Fault, Leaf};

/// Lists the modules of `rtl/lib`, one name a file.
macro_rules! library {
    ($($name:literal),+ $(,)?) => {
        /// The hand-written modules: name and text, by name.
        pub const LIBRARY: &[(&str, &str)] = &[$(($name, include_str!(concat!("../lib/", $name, ".v")))),+];
    };
}

library![
    "accumulator_bank",
    "activation_buffer",
    "activation_words",
    "block_choice",
    "chain_operands",
    "choose_word",
    "clock_gate",
    "control_slave",
    "core_clocks",
    "cores_done",
    "crossing",
    "delay",
    "dispatch_queue",
    "drain_control",
    "drain_lane",
    "dsp48e2",
    "dsp_chain",
    "dsp_pair_mac",
    "fetch_crossing",
    "fetch_unit",
    "fifo",
    "fp16_to_fp32",
    "fp32_add",
    "fp32_exp",
    "fp32_leading_zeros",
    "fp32_mul",
    "fp32_quadratic",
    "fp32_quantize",
    "fp32_reciprocal",
    "fp32_rsqrt",
    "fp32_to_fp16",
    "i32_to_fp32",
    "index_buffer",
    "index_expander",
    "kernel_address",
    "kernel_start",
    "link_station",
    "load_port",
    "load_setup",
    "load_unit",
    "lut_multiply",
    "matrix_control",
    "matrix_decode",
    "matrix_retire",
    "matrix_unit",
    "memory_crossing",
    "multiply_add",
    "multiply_cascade",
    "mux_16",
    "mux_4",
    "parameter_buffer",
    "product_to_fp32",
    "ram_async",
    "ram_sdp",
    "reduce_sum",
    "register_file",
    "result_buffer",
    "rotate_words",
    "scale_buffer",
    "sequencer",
    "sequencer_registers",
    "serial_code",
    "serial_column",
    "serial_control",
    "serial_element",
    "serial_factors",
    "serial_lane",
    "serial_largest",
    "serial_piece",
    "serial_sum",
    "serial_terms",
    "serial_unit",
    "share_beats",
    "skid_buffer",
    "slice_words",
    "sparse_candidates",
    "store_gather",
    "store_pieces",
    "store_port",
    "store_setup",
    "store_unit",
    "stream_crossing",
    "topk_largest",
    "vector_banks",
    "vector_buffer",
    "vector_delay",
    "vector_lane",
    "vector_passes",
    "vector_scalar",
    "vector_share",
    "vector_stream",
    "vector_unit",
    "vector_writer",
    "wait_passed",
    "weight_buffer",
    "weight_expander",
    "weight_pairs",
];

/// A file of a design.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Name with its ending.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Modules and included files by the name of their file.
#[derive(Clone, Debug)]
pub struct Sources {
    texts: BTreeMap<String, String>,
}

impl Sources {
    /// The library, and every module that is generated for all machines alike.
    pub fn new() -> Self {
        let library = LIBRARY.iter().map(|(name, text)| (format!("{name}.v"), (*text).to_owned()));
        let generated = generated::files().into_iter().map(|file| (file.name, file.text));
        Self { texts: library.chain(generated).collect() }
    }

    /// Adds a file, or replaces the one of this name.
    pub fn add(&mut self, file: File) {
        self.texts.insert(file.name, file.text);
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(String::as_str)
    }

    /// A module as its users see it. `user` is who asks.
    ///
    /// # Errors
    /// There is none, or its header cannot be read.
    pub fn leaf(&self, name: &str, user: &str) -> Result<Leaf, Fault> {
        let file = format!("{name}.v");
        let unknown = || Fault::UnknownModule { name: name.to_owned(), user: user.to_owned() };
        Leaf::parse(&file, self.text(&file).ok_or_else(unknown)?)
    }

    /// The files that `top` needs, its own included: each after those that it uses. Names in capitals are primitives of
    /// the device and have no file.
    ///
    /// # Errors
    /// A module or file that does not exist, or a header that cannot be read.
    pub fn needed_by(&self, top: &str) -> Result<Vec<File>, Fault> {
        let mut files = Vec::new();
        self.collect(top, top, &mut files)?;
        Ok(files)
    }

    fn collect(&self, name: &str, user: &str, files: &mut Vec<File>) -> Result<(), Fault> {
        let file = format!("{name}.v");
        if files.iter().any(|known| known.name == file) {
            return Ok(());
        }
        let leaf = self.leaf(name, user)?;
        for include in &leaf.includes {
            let unknown = || Fault::UnknownModule { name: include.clone(), user: name.to_owned() };
            let text = self.texts.get(include).ok_or_else(unknown)?;
            if files.iter().all(|known| known.name != *include) {
                files.push(File { name: include.clone(), text: text.clone() });
            }
        }
        for module in leaf.modules.iter().filter(|module| !is_primitive(module)) {
            self.collect(module, name, files)?;
        }
        files.push(File { name: file.clone(), text: self.texts[&file].clone() });
        Ok(())
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self::new()
    }
}

/// Vendors write primitives in capitals; no module of ours has one.
fn is_primitive(name: &str) -> bool {
    !name.chars().any(|c| c.is_ascii_lowercase())
}
