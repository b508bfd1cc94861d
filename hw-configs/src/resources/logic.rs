//! LUTs, flip-flops and DSP blocks of everything that is no memory; `multipliers` has the products beside the array. It must
//! never count a memory's RAMs.

use super::Amounts;
use super::memories::{lutram, select_luts, straddles, turn_luts};
use crate::engine::{BitSerial, SparseDspChain};
use crate::isa::{Code, Sparsity};
use crate::machine::Machine;
use crate::multipliers::Multiplier;
use crate::numeric::density::BLOCK;
use crate::numeric::packed::MAX_PRODUCTS;
use crate::numeric::reduce::PARTIALS;

// Logic of the leaves as Yosys 0.23 makes them for UltraScale+ (`lapwing synth --machine tiny`), LUTs and flip-flops; what
// depends on the machine is a formula below.

/// An instruction queue without its memory: FIFO, waits, issue.
const QUEUE: (u64, u64) = (330, 80);
/// Fetch, dispatch and registers.
const SEQUENCER: (u64, u64) = (1_347, 156);
/// Bits that a queue keeps of an instruction with its values.
const QUEUE_BITS: u64 = 384;
/// The run-time address of a load without its product.
const LOAD_SETUP: (u64, u64) = (427, 463);
/// A port of loads without its data.
const LOAD_PORT: (u64, u64) = (984, 275);
/// The run-time address of a store without its products, and its pieces (`store_unit.v` without its ports and
/// `store_gather.v`).
const STORE_SETUP: (u64, u64) = (2_182, 1_605);
/// A byte of the source word that is gathered (`store_gather.v`, lines of 64 to 2,048 bytes and words of 32 and 64): its way
/// to its place, its choice, and the mask of two blocks.
const STORE_WORD_BYTE: (u64, u64) = (58, 10);
/// A byte of the line: whether it is taken and whether it is written; its data goes straight to the register.
const STORE_LINE_BYTE: (u64, u64) = (2, 9);
/// Pieces of a store whose words wait (`store_gather.v`).
const STORE_PIECES: u64 = 16;
/// A port of stores without its data.
const STORE_PORT: (u64, u64) = (410, 33);
/// Decoding, steps, drain and retirement of the matrix unit.
const MATRIX_CONTROL: (u64, u64) = (1_800, 1_000);
/// LUTs of one of 16 activations of 8 bits (`mux_16.v`): four a bit, which F7 and F8 multiplexers join.
const PICK_LUTS: u64 = 32;
/// LUTs for each multiplier of a chain of the candidates of pairs of any block (`sparse_candidates.v`): one of eight words a
/// pair, and dense pairs and groups of four beside.
const BLOCK_CANDIDATES: u64 = 278;
/// LUTs for each multiplier of a chain of 1:4 beside the other patterns (`sparse_candidates.v`).
const SINGLE_CANDIDATES: u64 = 36;
/// Which block each pair of a step belongs to (`block_choice.v`).
const BLOCK_CHOICE: (u64, u64) = (201, 24);
/// A lane behind the accumulators without its memory: i32 to f32, f16 to f32, two products, a sum.
const SCALE_LANE: (u64, u64) = (1_079, 596);
/// A processing element without its products (`serial_element.v`, Dot of 1 to 16), and with each of them.
const SERIAL_ELEMENT: (u64, u64) = (372, 180);
/// A product of a processing element.
const SERIAL_PRODUCT: (u64, u64) = (102, 118);
/// The term of an integer code (`serial_terms.v`); more where there are codes of other kinds, for each kind of them, and for
/// f16. `serial_column` and `serial_piece` of several arrays in docs/src/synthesis.md, within 12 %.
const SERIAL_TERM: SerialTerm = SerialTerm { integer: 8, floats: 26, float: 4, half: 16 };
/// LUTs that choose a code by its width (`serial_lane.v`), and those that put one of 16 bits beside it.
const SERIAL_LANE: (u64, u64) = (24, 8);
/// What a column of sums is multiplied with: its selector, its integer scale, that of the slot before and its bits.
const SERIAL_SCALE: (u64, u64) = (26, 26);
/// A lane of the vector unit with its share of the operand and result paths: five products, two sums, exponential, reciprocal, each
/// without its multipliers.
const VECTOR_LANE: (u64, u64) = (3_411, 2_017);
/// An adder of the sum over lanes and partial sums.
const REDUCTION_ADDER: (u64, u64) = (488, 304);
/// The scalars of rows: a product, a reciprocal, a reciprocal root; the address of an operation's first row.
const VECTOR_SCALARS: (u64, u64) = (2_087, 1_093);

/// LUTs of a code times an integer scale (`weight_expander.v`): two factors of two bits, their sum, and wide codes beside.
const SCALED_CODE_LUTS: u64 = 31;

impl Machine {
    pub(super) fn load_ports(&self) -> Amounts {
        let port_bytes = u64::from(self.memory.port_bytes);
        // A beat is registered once; a byte of it has a strobe.
        let port = (LOAD_PORT.0 + 2 * port_bytes, LOAD_PORT.1 + 8 * port_bytes);
        let ports = logic(port, 0).times(u64::from(self.memory.channels));
        ports.plus(logic(LOAD_SETUP, 0)).plus(self.load_product())
    }

    pub(super) fn store_port(&self) -> Amounts {
        let (port_bytes, channels) = (u64::from(self.memory.port_bytes), u64::from(self.memory.channels));
        // Each port keeps eight beats with their strobes; a line is gathered byte by byte of words of a chain or of all lanes.
        let port = (STORE_PORT.0 + lutram(9 * port_bytes, 8), STORE_PORT.1);
        let line = logic(STORE_LINE_BYTE, 0).times(self.memory.line_bytes());
        let word_bytes = u64::from(self.chain().max(4 * self.core.lanes));
        let word = logic(STORE_WORD_BYTE, 0).times(word_bytes);
        let waiting = logic((lutram(8 * word_bytes, STORE_PIECES), 0), 0);
        let setup = logic(STORE_SETUP, 0).plus(self.store_products());
        [setup, line, word, waiting].into_iter().fold(logic(port, 0).times(channels), Amounts::plus)
    }

    pub(super) fn vector_lanes(&self) -> Amounts {
        let lanes = u64::from(self.core.lanes);
        let multiplier = |kind| self.multiplier(kind);
        let functions = [Multiplier::Quantizers, Multiplier::Exponentials, Multiplier::Reciprocals].map(multiplier);
        let products = multiplier(Multiplier::Products).times(4);
        let lane = functions.into_iter().fold(logic(VECTOR_LANE, 0).plus(products), Amounts::plus);
        // Once for all lanes: trees over lanes and partial sums with the adder between, the scalars of rows, the first row's
        // address.
        let reduction = logic(REDUCTION_ADDER, 0).times(lanes + PARTIALS as u64 - 1);
        let of_rows = [Multiplier::Products, Multiplier::Reciprocals, Multiplier::Roots, Multiplier::Rows];
        let scalars = of_rows.map(multiplier).into_iter().fold(logic(VECTOR_SCALARS, 0), Amounts::plus);
        lane.times(lanes).plus(reduction).plus(scalars)
    }
}

/// The chains: DSPs, the sparse multiplexers, the expanders, the accumulators.
pub(super) fn chains(engine: &SparseDspChain) -> Amounts {
    let (chain, chains) = (u64::from(engine.chain), u64::from(engine.chains()));
    let (rows, columns) = (u64::from(engine.rows), u64::from(engine.columns));
    let width = columns.max(u64::from(engine.gemv_columns));
    let lanes = u64::from(engine.scale_lanes);
    let straddles = engine.weight_bits.iter().any(|bits| straddles(*bits));
    // Two activations and the choice of operands between `mm` and `mv`; candidates of a pair at the patterns' places in
    // the window; indices, whose steps begin at one of four places.
    let (pick, candidates, index_columns) = if engine.sparsity.is_empty() {
        (0, (0, 0), 0)
    } else {
        let single = if engine.sparsity.contains(&Sparsity::N1M4) { SINGLE_CANDIDATES } else { 0 };
        (2 * PICK_LUTS, ((125 + single) * chain, 64 * chain), columns.max(u64::from(engine.sparse_gemv_columns())))
    };
    // Two bits of a choice of two share a LUT (`choose_word.v`).
    let operands = Amounts::logic(chain * (pick + 12), chain * 24, 0).times(chains);
    // Where blocks have an N of their own, every 16 chains have candidates for each of their two rows.
    let window = if engine.takes_blocks() {
        let groups = chains.div_ceil(BLOCK as u64);
        let own = Amounts::logic(BLOCK_CANDIDATES * chain, 64 * chain, 0).times(2 * groups);
        let choice = logic(BLOCK_CHOICE, 0).times(groups);
        Amounts::logic(0, 8 * chain, 0).times(rows).plus(own).plus(choice)
    } else {
        Amounts::logic(candidates.0, candidates.1 + 8 * chain, 0).times(rows)
    };
    let indices = Amounts::logic(10 * chain, 8 * chain, 0).times(index_columns);
    let expanders = expander(engine, straddles).times(width);
    // Columns of a part come to the front: weights and, where there are any, integer scales.
    let grain = columns.min(u64::from(engine.gemv_columns));
    let parts = turn_luts(width / grain, grain * 8 * (chain + u64::from(engine.two_level)));
    let control =
        Amounts::logic(parts + MATRIX_CONTROL.0, MATRIX_CONTROL.1 + 4 * u64::from(engine.two_level) * width, 0);
    // Sums: an adder of two LUTs a bit, what is drained, and its way to the lanes, by group and by order.
    let sums = Amounts::logic(96, 64, 0).times(2 * chains);
    let drain = Amounts::logic(64 * select_luts(chains.div_ceil(lanes)) + 32, 96, 0).times(lanes);
    let cascades = cascades(engine).times(chains);
    [operands, window, indices, expanders, sums, drain, cascades].into_iter().fold(control, Amounts::plus)
}

/// A chain (`dsp_chain.v`): DSPs in segments; operands wait for their place, three operands of 8 bits each, up to two
/// periods in flip-flops, else in a shift register; the lanes of a segment are parted and added.
fn cascades(engine: &SparseDspChain) -> Amounts {
    let segments = u64::from(engine.chain.div_ceil(MAX_PRODUCTS));
    let longest = u64::from(engine.chain).div_ceil(segments);
    let lut = 24 * longest.saturating_sub(3) + 26;
    Amounts::logic(segments * lut, segments * (24 * 3 + 75), engine.chain.into())
}

/// The expander of a column (`weight_expander.v`): the unit's place, the width's, and the product with an integer scale,
/// or the sign where there is none.
fn expander(engine: &SparseDspChain, straddles: bool) -> Amounts {
    let chain = u64::from(engine.chain);
    let narrow = engine.weight_bits.iter().filter(|width| **width != Code::I8).map(|width| width.bits()).max();
    let Some(narrow) = narrow.map(u64::from) else { return Amounts::logic(0, 24 * chain, 0) };
    let place = if straddles { 2 } else { 1 };
    // A bit of one of so many widths, which share its lower inputs.
    let width = (engine.weight_bits.len() as u64).div_ceil(2);
    let last = if engine.two_level { SCALED_CODE_LUTS } else { 8 - narrow };
    let code = narrow * (place + width) + last;
    Amounts::logic(chain * code, 24 * chain + 1, 0)
}

/// The lanes behind the accumulators: sum -> f32, x group scale, + f32 accumulator, x activation scale.
pub(super) fn scale_lanes(machine: &Machine) -> Amounts {
    let products = machine.multiplier(Multiplier::Scales).times(2);
    logic(SCALE_LANE, 0).plus(products).times(u64::from(machine.core.engine.scale_lanes()))
}

/// LUTs of a term by what codes there are.
struct SerialTerm {
    integer: u64,
    floats: u64,
    float: u64,
    half: u64,
}

/// The bit-serial array: processing elements, terms of every column, activations of every row, the way of sums to the lanes.
pub(super) fn serial_elements(engine: &BitSerial) -> Amounts {
    let (dot, chain, lanes) = (u64::from(engine.dot), u64::from(engine.chain), u64::from(engine.scale_lanes));
    let elements = u64::from(engine.elements());
    let (columns, gemv) = (u64::from(engine.columns), u64::from(engine.gemv_columns));
    let width = columns.max(gemv);
    let element = (SERIAL_ELEMENT.0 + dot * SERIAL_PRODUCT.0, SERIAL_ELEMENT.1 + dot * SERIAL_PRODUCT.1);
    let array = logic(element, 0).times(elements);
    // Elements of `mm` that have another column in `mv`: two terms to choose from, and two bits of a scale.
    let term_bits = if engine.codes.contains(&Code::F16) { 6 } else { 4 };
    let others = gemv.min(u64::from(engine.rows) * columns).saturating_sub(columns);
    let own = Amounts::logic(dot * (2 + term_bits) + 1, 0, 0).times(others);
    let column = serial_piece(engine).plus(serial_column(engine)).plus(logic(SERIAL_SCALE, 0));
    // Columns of a part come first.
    let parts = select_luts(width.div_ceil(columns.min(gemv))) * serial_window_bits(engine);
    let columns = column.plus(Amounts::logic(parts, 0, 0)).times(width);
    let row = Amounts::logic(16 * dot * select_luts(chain / dot), 18 * dot, 0).times(u64::from(engine.rows));
    let drain = Amounts::logic(48 * select_luts(elements.div_ceil(lanes)), 96, 0).times(lanes);
    // Which of two chunks is the first (`weight_pairs.v`).
    let pairs = if engine.codes.iter().any(|code| straddles(*code)) { 2 * 8 * width * chain } else { 0 };
    let control = Amounts::logic(pairs + MATRIX_CONTROL.0, MATRIX_CONTROL.1, 0);
    [own, columns, row, drain, control].into_iter().fold(array, Amounts::plus)
}

/// Fours of strips that a column's codes are cut out with.
fn serial_fours(engine: &BitSerial) -> u64 {
    if engine.codes.contains(&Code::F16) { 4 } else { 3 }
}

fn serial_window_bits(engine: &BitSerial) -> u64 {
    4 * u64::from(engine.dot) * serial_fours(engine)
}

/// The codes of a place out of a column's two pieces (`serial_piece.v`): a level of four-to-one multiplexers (`slice_words.v`) for two
/// bits of where it begins, each of what those below it can still choose.
fn serial_piece(engine: &BitSerial) -> Amounts {
    let offset_bits = 2 + (engine.chain / engine.dot).ilog2();
    let words = (0..offset_bits.div_ceil(2)).map(|level| serial_fours(engine) + (1 << (2 * level)) - 1);
    Amounts::logic(4 * u64::from(engine.dot) * words.sum::<u64>(), serial_window_bits(engine), 0)
}

/// The codes of a place, parted, and their terms (`serial_column.v`).
fn serial_column(engine: &BitSerial) -> Amounts {
    let dot = u64::from(engine.dot);
    let floats = engine.codes.iter().filter(|code| !code.is_integer() && **code != Code::F16).count() as u64;
    let SerialTerm { integer, floats: any, float, half } = SERIAL_TERM;
    let narrow = integer + if floats > 0 { any + float * floats } else { 0 } + SERIAL_LANE.0;
    let (lut, ff) =
        if engine.codes.contains(&Code::F16) { (narrow + half + SERIAL_LANE.1, 16 + 8) } else { (narrow, 8 + 6) };
    Amounts::logic(8 * dot + dot * lut, dot * ff, 0)
}

/// Fetch, dispatch, registers, waits and the queues in front of four units.
pub(super) fn dispatch(machine: &Machine) -> Amounts {
    let queue = (QUEUE.0 + lutram(QUEUE_BITS, machine.core.queue.into()), QUEUE.1);
    logic(queue, 0).times(4).plus(logic(SEQUENCER, 0))
}

pub(super) fn logic((lut, ff): (u64, u64), dsp: u64) -> Amounts {
    Amounts::logic(lut, ff, dsp)
}
