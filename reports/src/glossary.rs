//! Every key of the JSON reports with its unit and one line of meaning.
//!
//! The documentation, the tables of `to_text` and the completeness test all read this one table.

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Path in the object; `*` stands for a name that depends on the machine, `[]` for a place in a list.
    pub key: &'static str,
    /// Its unit; `-` for text and pure numbers.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn t(key: &'static str, unit: &'static str, meaning: &'static str) -> Term {
    Term { key, unit, meaning }
}

/// The term of a key.
pub fn term(key: &str) -> Option<&'static Term> {
    GLOSSARY.iter().find(|t| t.key == key)
}

/// All keys of [`crate::run_report::RunReport`] and [`crate::run_report::EvalReport`].
pub const GLOSSARY: &[Term] = &[
    t("machine", "-", "name of the machine description"),
    t("model", "-", "name of the model"),
    t("format", "-", "name of the compression profile"),
    t(
        "attention",
        "-",
        "what tokens of the prompt see of it: a pattern, a mask file, or dense for all that is before them",
    ),
    t(
        "attention_density",
        "fraction",
        "blocks of 64 x 64 tokens that are seen over those of causal attention, of all layers and heads of the prompt",
    ),
    t("prefill_tokens", "tokens", "tokens of the prompt, processed together"),
    t("decode_tokens", "tokens", "tokens generated one after another"),
    t("batch", "sequences", "sequences processed together"),
    t("cores", "cores", "cores that work together on every step"),
    t("prefill_ms", "ms", "simulated time of the prompt"),
    t("decode_ms_per_token", "ms", "simulated time of one generated token, on average"),
    t("total_ms", "ms", "simulated time of the whole run"),
    t("total_cycles", "kernel cycles", "the same in cycles of the kernel clock"),
    t("phases", "-", "one row per phase, the prompt first"),
    t("phases[]", "-", "one phase"),
    t("phases[].phase", "-", "prefill or decode"),
    t("phases[].steps", "steps", "steps of the machine"),
    t("phases[].cycles", "kernel cycles", "its time; those of all phases add up to total_cycles"),
    t(
        "phases[].end_cycles",
        "kernel cycles",
        "of no operator: the wait for each step's end, and what rounding the mean of several cores to whole cycles leaves; with \
         the cycles of its operators they add up to its time",
    ),
    t("phases[].energy_j", "J", "its energy; those of all phases add up to energy_j"),
    t(
        "phases[].end_energy_j",
        "J",
        "of no operator: clocks, background and static power while each step's end is waited for, and the instruction that ends \
         it; with the energy of its operators it adds up to its energy",
    ),
    t("phases[].power_w", "W", "its average power: its energy over its time"),
    t("tokens_per_s", "tokens/s", "generated tokens of all sequences per simulated second of decode"),
    t("energy_j", "J", "energy of the whole run, static power included"),
    t("average_power_w", "W", "average power: energy over simulated time"),
    t("tokens_per_j", "tokens/J", "generated tokens per joule of the whole run"),
    t("bytes", "bytes", "traffic with main memory by class"),
    t("bytes.weights", "bytes", "weight values as stored"),
    t("bytes.index", "bytes", "indices of sparse weights"),
    t("bytes.scales", "bytes", "scales and zero points of quantized tensors"),
    t("bytes.kv", "bytes", "keys and values, read and written"),
    t("bytes.activations", "bytes", "activations that left the chip, read and written"),
    t("bytes.instructions", "bytes", "instructions fetched"),
    t("link_bytes", "bytes", "what cores put on the link between them"),
    t("utilisation", "fraction", "share of all cycles in which a unit or channel was busy"),
    t(
        "utilisation.*",
        "fraction",
        "that share for one unit or channel; for a unit of several cores in the mean, and core by core",
    ),
    t("stalls", "fraction", "share of all cycles in which a unit waited, by cause"),
    t("stalls.*", "fraction", "the causes of one unit; with its busy share they add up to 1"),
    t("stalls.*.*", "fraction", "the share of one cause"),
    t("unit_cycles", "kernel cycles", "what each unit did in the run's cycles"),
    t(
        "unit_cycles.*",
        "kernel cycles",
        "one unit: busy and the causes of its stalls add up to total_cycles, times the cores where it is that of all of them",
    ),
    t("unit_cycles.*.*", "kernel cycles", "those in one state"),
    t("program_bytes", "bytes", "size of the encoded instructions"),
    t("text", "-", "the generated text; absent in timing-only runs"),
    t("simulated_cycles_per_host_s", "cycles/s", "speed of the simulation on this host; varies from run to run"),
    t("energy_by_component_j", "J", "energy by component; the sum is energy_j"),
    t("energy_by_component_j.*", "J", "energy of one component"),
    t("resources", "-", "board resources that the machine takes"),
    t("resources.*", "-", "one kind of resource"),
    t("resources.*.used", "items", "items the machine takes"),
    t("resources.*.available", "items", "items that the board's shell leaves free"),
    t("resources.*.percent", "%", "used over available"),
    t("operators", "-", "one row per operator and phase"),
    t("operators[]", "-", "one operator in one phase, all its instances together"),
    t("operators[].name", "-", "name of the operator"),
    t("operators[].phase", "-", "prefill or decode"),
    t("operators[].unit", "-", "mx for an operator with matrices, vx for one of the vector unit alone"),
    t(
        "operators[].ops",
        "operations",
        "multiplications and additions of its matrices, skipped ones counted as done; of the vector unit where it has no matrix",
    ),
    t("operators[].bytes", "bytes", "its traffic with main memory"),
    t(
        "operators[].cycles",
        "kernel cycles",
        "by which it lengthens the run; with the wait for the end they add up to it",
    ),
    t(
        "operators[].energy_j",
        "J",
        "what its instructions count, and its share of the rest: of memories and ports by bytes and instructions, of clocks, \
         background and static power by cycles",
    ),
    t("operators[].intensity_ops_per_byte", "op/byte", "operations over bytes"),
    t("operators[].attained_ops_per_s", "op/s", "operations over the time from its first issue to its last retirement"),
    t("operators[].attainable_ops_per_s", "op/s", "the roof that holds at its intensity"),
    t("operators[].bound", "-", "which roof that is: compute, or the memory named"),
    t("roofs", "-", "what bounds operators: the lines of a roofline"),
    t("roofs.ceilings", "-", "the most operations a second"),
    t("roofs.ceilings[]", "-", "of one kind"),
    t("roofs.ceilings[].label", "-", "its name"),
    t("roofs.ceilings[].ops_per_s", "op/s", "operations a second at most"),
    t("roofs.ceilings[].kind", "-", "dense or sparse products of the matrix unit, or the vector unit"),
    t("roofs.bandwidths", "-", "the most bytes a second"),
    t("roofs.bandwidths[]", "-", "of one memory"),
    t("roofs.bandwidths[].label", "-", "its name"),
    t("roofs.bandwidths[].bytes_per_s", "bytes/s", "peak of all its channels"),
    t("memory", "-", "what main memory did, all channels together"),
    t("memory.row_hits", "accesses", "accesses to a row that was open"),
    t("memory.row_misses", "accesses", "accesses to a bank without an open row"),
    t("memory.row_conflicts", "accesses", "accesses to a bank in which another row was open"),
    t("memory.refreshes", "commands", "refresh commands"),
    t("memory.achieved_gb_per_s", "GB/s", "bytes moved over simulated time, 1 GB = 10^9 bytes"),
    t("memory.peak_gb_per_s", "GB/s", "pin bandwidth of all channels the machine uses"),
    t("peak_memory_bytes", "bytes", "data memory in use: weights, KV caches, tables, logits"),
    t("left_out", "-", "real effects that the model leaves out"),
    t("left_out[]", "-", "one such effect"),
    t("assumptions", "-", "figures that are assumed, with the reason"),
    t("assumptions[]", "-", "one such assumption"),
    t("rows", "-", "one row per format, the reference first"),
    t("rows[]", "-", "quality of one format"),
    t("rows[].format", "-", "name of the compression profile"),
    t(
        "rows[].computed_by",
        "-",
        "float reference; float reference on stored weights (weights read back from their codes, all else float); simulator",
    ),
    t("rows[].attention", "-", "what tokens of a window see of it, as in a run"),
    t("rows[].attention_density", "fraction", "blocks that are seen over those of causal attention, as in a run"),
    t("rows[].nats_per_byte", "nats/byte", "mean negative log likelihood per byte of the text"),
    t("rows[].perplexity", "-", "e to the mean negative log likelihood per token"),
    t("rows[].bits_per_weight", "bits", "stored bits, scales and indices included, per weight of the model"),
    t("rows[].tokens", "tokens", "tokens that were predicted"),
];

/// Keys of a lockstep's report, `lapwing cosim --json`.
pub const COSIM_GLOSSARY: &[Term] = &[
    t("machine", "-", "name of the machine description; of many random machines, `all` with the sums over them"),
    t("instructions", "instructions", "instructions of which every event was compared"),
    t("values_compared", "bytes", "bytes of memory and of results that were compared"),
    t("cycles_compared", "kernel cycles", "cycles of dispatches, issues and retirements that were compared"),
    t("divergences", "-", "differences; the comparison ends at the first"),
    t("rtl_cycles", "kernel cycles", "cycles that the Verilog ran, those of filling and storing the buffers included"),
    t("rtl_cycles_per_s", "cycles/s", "the same over host time"),
    t("text", "-", "what a model has written, where one was run"),
    t("machines", "-", "random machines, an object with these keys for each"),
    t("first_seed", "-", "seed of a random machine's first program"),
    t("programs", "programs", "random programs that were run"),
];

/// Keys as the Markdown table of the documentation.
pub fn markdown(terms: &[Term]) -> String {
    let mut out = String::from("| key | unit | meaning |\n|---|---|---|\n");
    for term in terms {
        out.push_str(&format!("| `{}` | {} | {} |\n", term.key, term.unit, term.meaning));
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    /// The path of every key in a JSON value.
    pub(crate) fn paths(value: &serde_json::Value) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        collect("", value, &mut out);
        out
    }

    fn collect(prefix: &str, value: &serde_json::Value, out: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(entries) => {
                for (key, item) in entries {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    out.insert(path.clone());
                    collect(&path, item, out);
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    out.insert(format!("{prefix}[]"));
                    collect(&format!("{prefix}[]"), item, out);
                }
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
}
