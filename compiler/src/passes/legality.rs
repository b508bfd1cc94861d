//! Legality: refuses, by name and before anything else is done, what the compiler has not or the machine cannot.

use crate::graph::{Graph, Operator};
use crate::passes::cache::CacheForm;
use crate::passes::partition::Part;
use crate::passes::split;
use crate::passes::tile::{group_steps, two_level};
use crate::{CompileError, FormatTable, Loads, Options};
use hw_config::engine::ActivationType;
use hw_config::isa::{Code, Sparsity};
use hw_config::machine::Machine;
use hw_config::numeric::density::BLOCK;
use models::compress::{ActivationFormat, Grouping, KvFormat, LinearLayout};
use models::config::{Activation, Biases, Gating, Position};
use models::{LayerPart, ModelConfig, TensorId};

/// The INT32 accumulator holds at least this many INT8 products: 2^31 / 128^2.
const MOST_PRODUCTS: u64 = 1 << 17;
/// Experts a token may go to: index registers r8 to r15.
const MOST_TOP_K: usize = 8;
/// Sequences of a batch: ids r16 to r127.
const MOST_SEQUENCES: u32 = 112;
/// Tokens that an extent's subtrahend reaches (16 bits).
const MOST_CONTEXT: u32 = 1 << 16;

/// Checks model, formats and options against machine and compiler.
///
/// # Errors
/// The first thing that is not built or cannot be, with the nearest that works.
pub fn check(
    machine: &Machine,
    config: &ModelConfig,
    graph: &Graph,
    formats: &FormatTable,
    options: Options,
) -> Result<(), CompileError> {
    for operator in graph.node_weights() {
        check_operator(operator)?;
    }
    check_model(config)?;
    check_options(config, options)?;
    check_inputs(machine, formats)?;
    for (id, layout) in formats.iter() {
        check_format(machine, &id.to_string(), layout)?;
        check_first_column(machine, config, id, layout)?;
    }
    check_experts(formats)?;
    check_memory(machine, formats)
}

/// Checks how much the load unit is to be given at a time.
///
/// # Errors
/// No load at all, more at a time than the unit takes, or less than a load can be cut to.
pub fn check_loads(machine: &Machine, loads: Loads) -> Result<(), CompileError> {
    if !(1..=Loads::MOST_IN_FLIGHT).contains(&loads.in_flight) {
        return unsupported(
            format!("a program with {} loads in flight", loads.in_flight),
            format!("1 to {}", Loads::MOST_IN_FLIGHT),
        );
    }
    let least = split::least_channel_bytes(machine);
    match loads.channel_bytes.filter(|bytes| *bytes < least) {
        Some(bytes) => unsupported(
            format!("a load of at most {bytes} bytes of a channel of machine `{}`", machine.name),
            format!("{least}, since what a load writes begins with a line and with a unit of its buffer"),
        ),
        None => Ok(()),
    }
}

/// Weights alone that are larger than the memory: refused before they are cut into tiles, which takes time and room of
/// the host in proportion. Layout has the exact account.
fn check_memory(machine: &Machine, formats: &FormatTable) -> Result<(), CompileError> {
    let needed = formats.iter().map(|(_, layout)| layout.stored_bits()).sum::<u64>().div_ceil(8);
    let available = machine.memory_bytes() * u64::from(machine.core.count);
    if needed <= available {
        return Ok(());
    }
    Err(CompileError::DoesNotFit {
        what: format!("the model in the memory of `{}`", machine.name),
        needed: format!("{needed} bytes for its weights alone"),
        available: format!("{available} bytes"),
        advice: "use a format with fewer bits, or a machine with more memory".into(),
    })
}

fn unsupported(what: impl Into<String>, nearest: impl Into<String>) -> Result<(), CompileError> {
    Err(CompileError::Unsupported { what: what.into(), nearest: nearest.into() })
}

fn check_operator(operator: &Operator) -> Result<(), CompileError> {
    match operator {
        Operator::Activate(Activation::GeluErf) | Operator::GatedActivate(Activation::GeluErf) => {
            unsupported("GELU by the error function (`gelu`)", "GELU by tanh (`gelu_pytorch_tanh`)")
        }
        Operator::Embed
        | Operator::AddPosition
        | Operator::Norm(_)
        | Operator::HeadNorm(_)
        | Operator::Linear(_)
        | Operator::Bias(_)
        | Operator::Rope
        | Operator::Attention(_)
        | Operator::Activate(_)
        | Operator::GatedActivate(_)
        | Operator::Route(_)
        | Operator::Experts(_)
        | Operator::Add
        | Operator::Output => Ok(()),
    }
}

fn check_model(config: &ModelConfig) -> Result<(), CompileError> {
    let ff = config.feed_forward;
    if ff.gating == Gating::Gated && config.biases == Biases::All {
        return unsupported("a gated feed-forward part with biases", "a gated one without biases, or a plain one");
    }
    if ff.experts.is_some() && ff.gating == Gating::Plain {
        return unsupported("experts without a gate", "gated experts (Mixtral)");
    }
    if let Some(e) = ff.experts.filter(|e| e.top_k > MOST_TOP_K) {
        return unsupported(format!("{} experts a token", e.top_k), format!("up to {MOST_TOP_K}"));
    }
    if config.head_dim > 1 << 9 {
        return unsupported(format!("a head of {} dimensions", config.head_dim), "up to 512");
    }
    Ok(())
}

fn check_options(config: &ModelConfig, options: Options) -> Result<(), CompileError> {
    if options.batch == 0 || options.batch > MOST_SEQUENCES {
        return unsupported(format!("a batch of {}", options.batch), format!("1 to {MOST_SEQUENCES} sequences"));
    }
    let fit = |what: String, available: usize, advice: &str| {
        Err(CompileError::DoesNotFit {
            what,
            needed: format!("{} tokens of context", options.context),
            available: available.to_string(),
            advice: advice.into(),
        })
    };
    if options.context == 0 {
        return unsupported("a context of 0 tokens", "1 or more tokens");
    }
    if options.context as usize > config.context && matches!(config.position, Position::Learned { .. }) {
        return fit("the run in the model's learned positions".into(), config.context, "use fewer tokens");
    }
    if options.context as usize > config.context {
        return fit("the run in the model's context".into(), config.context, "use fewer tokens");
    }
    if options.context > MOST_CONTEXT {
        return fit("the run in the run-time extents of the instruction set".into(), 1 << 16, "use fewer tokens");
    }
    match config.sliding_window {
        Some(window) if options.context as usize > window => unsupported(
            format!("sliding-window attention beyond its window of {window} tokens"),
            format!("up to {window} tokens, where it equals full attention"),
        ),
        Some(_) | None => Ok(()),
    }
}

/// Whether keys can be loaded and multiplied from any block of `block` tokens on: a tile's columns and their scales then
/// begin with lines of memory, and the scales with rows of their buffer.
///
/// # Errors
/// A machine where they do not, with its numbers.
pub fn check_blocks(machine: &Machine, form: CacheForm, block: u32) -> Result<(), CompileError> {
    let (line, width, chain) = (machine.memory.line_bytes(), u64::from(machine.width()), u64::from(machine.chain()));
    let tile = u64::from(machine.cache_columns());
    let scale_bytes = u64::from(form.scale_bytes());
    let whole = |first: u64| (first * chain).is_multiple_of(line) && (first * scale_bytes % line).is_multiple_of(width);
    if (0..tile).step_by(block as usize).all(whole) {
        return Ok(());
    }
    // Scales of a block begin with a row of any number of bytes only where they begin with a line.
    let of_block = if width.is_power_of_two() || scale_bytes == 0 { chain } else { scale_bytes };
    unsupported(
        format!(
            "attention in blocks of {block} tokens on machine `{}`, whose keys stand in tiles of {tile} with lines of \
             {line} bytes",
            machine.name
        ),
        format!(
            "tiles of {block} (core.matrix.columns, gemv_columns), or lines of up to {} bytes",
            of_block * u64::from(block)
        ),
    )
}

/// 16 columns of the matrix share a density byte, so a core's columns begin with such a block.
fn check_first_column(
    machine: &Machine,
    config: &ModelConfig,
    id: TensorId,
    layout: LinearLayout,
) -> Result<(), CompileError> {
    if !layout.sparsity.is_of_blocks() {
        return Ok(());
    }
    for core in 0..machine.core.count {
        let first = Part::new(machine, config, core).columns(id).first;
        if !first.is_multiple_of(BLOCK as u32) {
            let (name, pattern, cores) = (id.to_string(), layout.sparsity.name(), machine.core.count);
            return unsupported(
                format!("`{name}`: {pattern} on {cores} cores, of which core {core} begins with column {first}"),
                "a multiple of 16 columns a core (heads and widths of such sizes), or one N for all blocks",
            );
        }
    }
    Ok(())
}

/// One program reads whichever experts a token goes to, so those of a layer stand alike in memory.
fn check_experts(formats: &FormatTable) -> Result<(), CompileError> {
    for (id, layout) in formats.iter() {
        let TensorId::Layer(layer, LayerPart::Expert(expert, part)) = id else { continue };
        let first = TensorId::Layer(layer, LayerPart::Expert(0, part));
        if (layout, formats.patterned(id)) != (formats.layout(first), formats.patterned(first)) {
            let (of, of_first) = (layout_name(layout), layout_name(formats.layout(first)));
            return unsupported(
                format!("`{id}`: expert {expert} of a layer in {of}, expert 0 in {of_first}"),
                "one format for the same part of all experts of a layer",
            );
        }
    }
    Ok(())
}

fn layout_name(layout: LinearLayout) -> String {
    let group = match layout.group {
        Grouping::Channel => "\"channel\"".to_owned(),
        Grouping::Stored(group) => group.to_string(),
    };
    let scales = if two_level(layout) { "two-level" } else { "f16" };
    format!("{} {} with {scales} scales of group {group}", layout.sparsity.name(), layout.code.name())
}

/// A list for an error message.
fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// What the multipliers take beside the weights: activations, and keys and values, which they multiply as weights.
fn check_inputs(machine: &Machine, formats: &FormatTable) -> Result<(), CompileError> {
    let engine = &machine.core.engine;
    let wanted = match formats.activations() {
        ActivationFormat::Int8Dynamic | ActivationFormat::Int8Static => ActivationType::Int8,
        ActivationFormat::F16 => ActivationType::F16,
    };
    let taken = engine.activation();
    if wanted != taken {
        let (wanted, kind) = (wanted.name(), engine.kind());
        let nearest = match taken {
            ActivationType::Int8 => "`[activations] kind = \"int8-dynamic\"`, as in w4a8 and w3a8",
            ActivationType::F16 => "`[activations] kind = \"f16\"`, as in w4a16 and w4a16-bitmod",
        };
        let what = format!(
            "{wanted} activations on machine `{}`, whose engine `{kind}` multiplies {}",
            machine.name,
            taken.name()
        );
        return unsupported(what, nearest);
    }
    let cached = CacheForm::new(formats.kv()).code();
    if engine.takes_code(cached) {
        return Ok(());
    }
    unsupported(
        format!("{} keys and values on machine `{}`, whose engine does not multiply them", cached.name(), machine.name),
        match formats.kv() {
            KvFormat::Int8 => "`[kv] kind = \"f16\"`",
            KvFormat::F16 => "`[kv] kind = \"int8\"`",
        },
    )
}

fn check_format(machine: &Machine, name: &str, layout: LinearLayout) -> Result<(), CompileError> {
    let engine = &machine.core.engine;
    if !engine.takes_code(layout.code) {
        return unsupported(
            format!("`{name}`: {} weights on machine `{}`", layout.code.name(), machine.name),
            names(Code::ALL.iter().filter(|b| engine.takes_code(**b)).map(|b| b.name())),
        );
    }
    if !engine.takes_sparsity(layout.sparsity) {
        return unsupported(
            format!("`{name}`: {} sparsity on machine `{}`", layout.sparsity.name(), machine.name),
            names(Sparsity::ALL.iter().filter(|s| engine.takes_sparsity(**s)).map(|s| s.name())),
        );
    }
    if two_level(layout) && !engine.takes_two_level() {
        return unsupported(
            format!("`{name}`: two-level scales (`core.matrix.two_level`) on machine `{}`", machine.name),
            "one level: `scales = \"f16\"` in the profile".to_owned(),
        );
    }
    if layout.stored() as u64 > MOST_PRODUCTS {
        return unsupported(
            format!("`{name}`: {} stored weights an output", layout.stored()),
            format!("up to {MOST_PRODUCTS}, which an INT32 accumulator holds"),
        );
    }
    match layout.group {
        Grouping::Stored(group) if group % machine.chain() != 0 || group_steps(machine, layout) == 0 => unsupported(
            format!("`{name}`: groups of {group} weights on a chain of {}", machine.chain()),
            format!("groups of a multiple of {}", machine.chain()),
        ),
        Grouping::Stored(_) | Grouping::Channel => Ok(()),
    }
}
