//! Every relation between the values of a machine file, and the machine that follows when all of them hold.
//! Each check speaks only when all values it needs are there, so that one fault does not drag others behind it.

use crate::board::Board;
use crate::engine::{BitSerial, Engine, SparseDspChain};
use crate::fault::{Faults, suggest};
use crate::isa::{Code, Operation, Sparsity, WAIT_BITS};
use crate::machine::{Buffers, Core, DataMemory, InstructionMemory, Machine};
use crate::memory::MemoryStandard;
use crate::numeric::density::BLOCK;
use crate::reader::{Document, Value};
use crate::resources::Resources;
use crate::timing::MATRIX_IN_FLIGHT;

use super::{ENGINES, RawChain, RawEngine, RawMachine, RawMatrix, RawSerial, memory_names, memory_text};

/// Engine kinds that are planned: refused by name.
const PLANNED_ENGINES: [&str; 1] = ["systolic"];

impl RawMachine {
    /// Checks every relation and makes the machine.
    ///
    /// # Errors
    /// Every fault, those of reading included, at once.
    pub(super) fn check(&self, document: &Document<'_>) -> Result<Machine, Faults> {
        let board = self.check_board(document);
        let memory = self.check_standard(document, &self.memory.standard, board.as_ref());
        let instructions = self.check_standard(document, &self.instructions.standard, board.as_ref());
        if let Some(board) = &board {
            self.check_channels(document, board);
        }
        check_port(document, &self.memory.port_bytes, &self.memory.burst_bytes, memory.as_ref());
        check_port(document, &self.instructions.port_bytes, &self.instructions.burst_bytes, instructions.as_ref());
        self.check_core(document, board.as_ref());
        self.check_matrix(document);
        self.check_terms(document, board.as_ref());
        self.check_line(document);
        self.check_buffers(document);
        self.check_addresses(document);
        document.take().finish(())?;
        let (Some(board), Some(memory), Some(instructions)) = (board, memory, instructions) else {
            unreachable!("an absent board or standard is a fault");
        };
        let machine = self.build(board, memory, instructions);
        check_fit(document, &machine);
        document.take().finish(machine)
    }

    fn check_board(&self, document: &Document<'_>) -> Option<Board> {
        let name = &self.head.board;
        let wanted = name.value.as_ref()?;
        if Board::text(wanted).is_none() {
            let known = Board::names();
            let advice = suggest(wanted, known.iter().copied(), "name a board of the list");
            document.fault_at(name, format!("one of: {}", known.join(", ")), advice);
            return None;
        }
        match Board::by_name(wanted) {
            Ok(board) => Some(board),
            Err(faults) => panic!("a board of the library is faulty: {faults}"),
        }
    }

    fn check_standard(
        &self,
        document: &Document<'_>,
        standard: &Value<String>,
        board: Option<&Board>,
    ) -> Option<MemoryStandard> {
        let name = standard.value.as_ref()?;
        let known = memory_names();
        let Some(text) = memory_text(name) else {
            let described = Board::names()
                .iter()
                .any(|board| Board::by_name(board).is_ok_and(|board| board.memory(name).is_some()));
            let advice = if described {
                format!("{name} is described in a board file but not built as a standard yet: use hbm2-u280")
            } else {
                suggest(name, known.iter().copied(), "name a standard of the list")
            };
            document.fault_at(standard, format!("one of: {}", known.join(", ")), advice);
            return None;
        };
        if let Some(board) = board.filter(|board| board.memory(name).is_none()) {
            let carried: Vec<&str> = board.memories.iter().map(|memory| memory.standard.as_str()).collect();
            let expected = format!("a memory of board {}: {}", board.name, carried.join(", "));
            document.fault_at(standard, expected, "name another memory or another board");
        }
        match MemoryStandard::from_toml(&format!("memories/{name}.toml"), text) {
            Ok(standard) => Some(standard),
            Err(faults) => panic!("a memory standard of the library is faulty: {faults:?}"),
        }
    }

    /// The board must have the channels: those of the data and one a core for instructions, even in the same memory.
    fn check_channels(&self, document: &Document<'_>, board: &Board) {
        let (Some(standard), Some(channels)) = (&self.memory.standard.value, self.memory.channels.value) else {
            return;
        };
        let cores = self.core.count.value.unwrap_or(1);
        let fetch = self.instructions.standard.value.as_ref();
        if let Some(memory) = fetch.and_then(|fetch| board.memory(fetch)).filter(|memory| cores > memory.channels) {
            let expected = format!("at most {} (board {} has so many channels)", memory.channels, board.name);
            let advice = format!("each core fetches from a channel of {} of its own; name another", memory.standard);
            document.fault_at(&self.core.count, expected, advice);
        }
        let Some(memory) = board.memory(standard) else { return };
        let shared = fetch == Some(standard);
        let free = memory.channels.saturating_sub(if shared { cores } else { 0 });
        if channels > free {
            let kept = match (shared, cores) {
                (false, _) => String::new(),
                (true, 1) => ", one of them kept for instructions".to_owned(),
                (true, cores) => format!(", {cores} of them kept for instructions"),
            };
            let expected = format!("at most {free} (board {} has {} channels{kept})", board.name, memory.channels);
            document.fault_at(&self.memory.channels, expected, "use fewer channels or a board with more");
        }
    }

    /// Channels of a core, when they are known and sound: an equal part of all, a power of two.
    fn core_channels(&self) -> Option<u32> {
        let (channels, cores) = (self.memory.channels.value?, self.core.count.value?);
        let part = channels / cores;
        (channels.is_multiple_of(cores) && part.is_power_of_two()).then_some(part)
    }

    fn check_core(&self, document: &Document<'_>, board: Option<&Board>) {
        let core = &self.core;
        if let (Some(cores), Some(_), None) = (core.count.value, self.memory.channels.value, self.core_channels()) {
            let expected = match cores {
                1 => "a power of two from 1 to 64".to_owned(),
                cores => format!("{cores} x a power of two, at most 64, for {cores} cores"),
            };
            document.fault_at(&self.memory.channels, expected, "choose such a value");
        }
        self.check_regions(document, board);
        self.check_multipliers(document, board);
        // A wait counts back at most 2^WAIT_BITS - 1 instructions; four are left for those in a unit's own stages.
        let most = (1u32 << WAIT_BITS) - 4 - MATRIX_IN_FLIGHT as u32;
        if core.queue.value.is_some_and(|queue| queue > most) {
            let expected = format!(
                "at most {most} (waits have {WAIT_BITS} bits, {MATRIX_IN_FLIGHT} matrix instructions are in flight)"
            );
            document.fault_at(&core.queue, expected, "use a shorter queue");
        }
    }

    /// Every core has a region of the board.
    fn check_regions(&self, document: &Document<'_>, board: Option<&Board>) {
        let core = &self.core;
        let (Some(board), Some(cores), Some(given)) = (board, core.count.value, core.slr.value.as_ref()) else {
            return;
        };
        let (slrs, name) = (board.slrs.len(), &board.name);
        if given.is_empty() && cores as usize > slrs {
            let advice = "say with core.slr which cores share a region, or use fewer";
            document.fault_at(&core.count, format!("at most {slrs}, the regions of board {name}"), advice);
        }
        let fault = |got: String, expected: String| {
            document.fault(&core.slr.key, core.slr.span.clone(), got, expected, "name a region for each core");
        };
        if !given.is_empty() && given.len() != cores as usize {
            fault(format!("a list of {}", given.len()), format!("{cores} items, one a core"));
        }
        if let Some(slr) = given.iter().find(|slr| **slr as usize >= slrs) {
            fault(slr.to_string(), format!("regions less than {slrs}, which board {name} has"));
        }
    }

    /// LUTs and DSP blocks are of a fabric.
    fn check_multipliers(&self, document: &Document<'_>, board: Option<&Board>) {
        let of_luts = &self.core.lut_multipliers;
        let Some(board) = board.filter(|board| board.is_die()) else { return };
        if of_luts.value.as_ref().is_some_and(|kinds| !kinds.is_empty()) {
            let expected = format!("none on board {}, a die without LUTs and DSP blocks", board.name);
            let (key, span) = (&of_luts.key, of_luts.span.clone());
            document.fault(
                key,
                span,
                "a list with kinds",
                expected,
                "leave it out, or name a board with fabric (u280)",
            );
        }
    }

    fn check_matrix(&self, document: &Document<'_>) {
        let matrix = &self.matrix;
        if let Some(kind) = matrix.kind.value.as_deref().filter(|kind| !ENGINES.contains(kind)) {
            let nearest = format!("use {}", SparseDspChain::KIND);
            let advice = if PLANNED_ENGINES.contains(&kind) {
                format!("{kind} is not built yet; {nearest}")
            } else {
                suggest(kind, ENGINES, &nearest)
            };
            document.fault_at(&matrix.kind, format!("one of: {}", ENGINES.join(", ")), advice);
        }
        if let (Some(rows), Some(accumulators)) = (matrix.rows.value, matrix.accumulator_rows.value)
            && !accumulators.is_multiple_of(rows)
        {
            let expected = format!("a multiple of core.matrix.rows = {rows}");
            document.fault_at(&matrix.accumulator_rows, expected, "rows are worked on in whole sets");
        }
        match &self.engine {
            RawEngine::Chain(chain) => self.check_chain(document, chain),
            RawEngine::Serial(serial) => self.check_serial(document, serial),
        }
    }

    /// Counts of columns and lanes are powers of two wherever a place is found by the bits of a number: in the sparse chain's
    /// blocks and operands, and in all Verilog.
    fn check_powers_of_two(&self, document: &Document<'_>, advice: &str) {
        let matrix = &self.matrix;
        for value in [&matrix.columns, &matrix.gemv_columns, &matrix.scale_lanes] {
            if value.value.is_some_and(|count| !count.is_power_of_two()) {
                document.fault_at(value, "a power of two from 1 to 1024", advice);
            }
        }
    }

    fn check_chain(&self, document: &Document<'_>, chain: &RawChain) {
        let matrix = &self.matrix;
        self.check_powers_of_two(document, "choose such a value");
        if matrix.rows.value.is_some_and(|rows| !rows.is_multiple_of(2)) {
            document.fault_at(&matrix.rows, "an even number", "two activation rows share a multiplier in `mm`");
        }
        if let (Some(rows), Some(columns), Some(gemv), Some(lanes)) =
            (matrix.rows.value, matrix.columns.value, matrix.gemv_columns.value, matrix.scale_lanes.value)
        {
            // A sparse `mv` takes one column a chain, and a chain gives two outputs.
            let sparse = gemv.min((rows * columns).max(gemv).div_ceil(2));
            let most = columns.min(sparse);
            if lanes > most {
                let expected = format!(
                    "at most {most}: `mm` drains {columns} columns side by side, a dense `mv` {gemv}, a sparse one {sparse}"
                );
                document.fault_at(&matrix.scale_lanes, expected, "further lanes would never work; use fewer");
            }
        }
        if chain.weight_bits.value.as_ref().is_some_and(|widths| !widths.contains(&Code::I8)) {
            let (key, span) = (&chain.weight_bits.key, chain.weight_bits.span.clone());
            document.fault(key, span, "without 8", "a list with 8", "add 8, which the KV cache needs");
        }
    }

    fn check_serial(&self, document: &Document<'_>, serial: &RawSerial) {
        let matrix = &self.matrix;
        if self.head.verilog.value == Some(true) {
            self.check_powers_of_two(
                document,
                "choose such a value, or write verilog = false for an array that is simulated alone",
            );
        }
        if let (Some(columns), Some(gemv), Some(lanes)) =
            (matrix.columns.value, matrix.gemv_columns.value, matrix.scale_lanes.value)
            && lanes > columns.min(gemv)
        {
            let expected =
                format!("at most {}: `mm` drains {columns} columns side by side, `mv` {gemv}", columns.min(gemv));
            document.fault_at(&matrix.scale_lanes, expected, "further lanes would never work; use fewer");
        }
        if let (Some(chain), Some(dot)) = (matrix.chain.value, serial.dot.value)
            && dot > chain
        {
            document.fault_at(&serial.dot, format!("at most core.matrix.chain = {chain}"), "a step is whole dots");
        }
        let cached = |codes: &Vec<Code>| codes.contains(&Code::I8) || codes.contains(&Code::F16);
        if serial.codes.value.as_ref().is_some_and(|codes| !cached(codes)) {
            let (key, span) = (&serial.codes.key, serial.codes.span.clone());
            let expected = "a list with \"int8\" or \"f16\"";
            document.fault(key, span, "without them", expected, "add one: the KV cache needs it");
        }
    }

    /// Elements of several terms a cycle have neither Verilog nor a size in LUTs: they are circuits of a die.
    fn check_terms(&self, document: &Document<'_>, board: Option<&Board>) {
        let RawEngine::Serial(serial) = &self.engine else { return };
        if serial.terms.value.is_none_or(|terms| terms == 1) {
            return;
        }
        if self.head.verilog.value == Some(true) {
            let advice = "elements of several terms a cycle have no Verilog; or write verilog = false";
            document.fault_at(&serial.terms, "1 on a machine that becomes Verilog", advice);
        }
        if let Some(board) = board.filter(|board| !board.is_die()) {
            let expected = format!("1 on board {}, whose LUTs for more terms a cycle are not known", board.name);
            document.fault_at(&serial.terms, expected, "name a die (asic-28nm)");
        }
    }

    /// Patterns of the sparse multiplexer, where the engine may have one; `None` where they are faulty.
    fn patterns(&self) -> Option<&[Sparsity]> {
        match &self.engine {
            RawEngine::Chain(chain) => chain.sparsity.value.as_deref(),
            RawEngine::Serial(_) => Some(&[]),
        }
    }

    /// Bytes of a chunk, when its factors are known.
    fn chunk_bytes(&self) -> Option<u64> {
        let width = self.matrix.columns.value?.max(self.matrix.gemv_columns.value?);
        Some(u64::from(width) * u64::from(self.matrix.chain.value?))
    }

    /// Bytes of a line, when its factors are known.
    fn line_bytes(&self) -> Option<u64> {
        Some(u64::from(self.core_channels()?) * u64::from(self.memory.port_bytes.value?))
    }

    /// A chunk is whole lines, so that each channel port always feeds the same byte lanes.
    fn check_line(&self, document: &Document<'_>) {
        if let (Some(chunk), Some(line)) = (self.chunk_bytes(), self.line_bytes())
            && !chunk.is_multiple_of(line)
        {
            let expected = format!(
                "channels x port_bytes (= {line}) to divide a weight chunk, max(columns, gemv_columns) x chain = {chunk} bytes"
            );
            let whole = line / self.matrix.chain.value.map_or(1, u64::from).min(line);
            let advice = format!("use fewer channels, a narrower port, or columns in multiples of {whole}");
            document.fault_at(&self.memory.port_bytes, expected, advice);
        }
    }

    /// Every buffer is whole rows of what is written into it, and at least two of them for double buffering.
    fn check_buffers(&self, document: &Document<'_>) {
        let buffers = &self.buffers;
        let (chunk, line) = (self.chunk_bytes(), self.line_bytes());
        let width = self.matrix.columns.value.zip(self.matrix.gemv_columns.value).map(|(c, g)| u64::from(c.max(g)));
        let words = self.matrix.chain.value.map(u64::from);
        let beat = self.vector.lanes.value.map(|lanes| u64::from(lanes) * 4);
        let larger = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a.max(b));
        let both = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| common_multiple(a, b));
        whole_rows(document, &buffers.weight_kib, chunk, "weight chunks");
        let patterns = self.patterns();
        if patterns.is_some_and(|patterns| !patterns.is_empty()) {
            whole_rows(document, &buffers.index_kib, chunk, "index chunks");
        } else if patterns.is_some() && buffers.index_kib.value.is_some_and(|kib| kib > 0) {
            let advice = "without sparsity patterns nothing would ever stand in it";
            document.fault_at(&buffers.index_kib, "0, since the engine has no sparsity patterns", advice);
        }
        self.check_blocks(document, line);
        whole_rows(document, &buffers.scale_kib, both(width, line), "scale rows that are whole lines");
        whole_rows(document, &buffers.parameter_kib, larger(beat, line), "vector beats or lines");
        whole_rows(document, &buffers.activation_kib, words, "words of chain bytes");
        whole_rows(document, &buffers.result_kib, beat, "vector beats");
        whole_rows(document, &buffers.vector_kib, beat, "vector beats");
        if let (Some(slots), Some(rows)) = (buffers.scale_slots.value, self.matrix.accumulator_rows.value)
            && slots < rows
        {
            let expected = format!("at least core.matrix.accumulator_rows = {rows}");
            document.fault_at(&buffers.scale_slots, expected, "each row of an `mm` has its scale");
        }
    }

    /// What a pattern with an N per block asks: a step is one column of a block, the columns of a part are whole blocks, and
    /// the density buffer, a row for each chunk of indices, is whole lines.
    fn check_blocks(&self, document: &Document<'_>, line: Option<u64>) {
        let (matrix, block) = (&self.matrix, BLOCK as u32);
        let Some(pattern) = self.patterns().into_iter().flatten().find(|pattern| pattern.is_of_blocks()) else {
            return;
        };
        let named = format!("core.matrix.sparsity has {}", pattern.name());
        if matrix.chain.value.is_some_and(|chain| chain != block) {
            let advice = format!("a step takes 16 weights of one window, and {named}; or leave such patterns out");
            document.fault_at(&matrix.chain, "16", advice);
        }
        for columns in [&matrix.columns, &matrix.gemv_columns] {
            if columns.value.is_some_and(|columns| !columns.is_multiple_of(block)) {
                let advice = format!("16 columns share a density byte, and {named}; or leave such patterns out");
                document.fault_at(columns, "a multiple of 16", advice);
            }
        }
        // 8 bytes for 16 columns, where a chunk of indices has 16 bytes for each.
        let density_bytes = self.buffers.index_kib.value.map(|kib| u64::from(kib) * 1024 / 32);
        if let (Some(bytes), Some(line)) = (density_bytes, line)
            && !bytes.is_multiple_of(line)
        {
            let expected =
                format!("a multiple of {}, of which a 32nd is whole lines of {line} bytes", line.div_ceil(32));
            document.fault_at(&self.buffers.index_kib, expected, format!("a 32nd are density bytes, and {named}"));
        }
    }

    /// Every address of a buffer must fit the narrowest instruction field that holds it.
    fn check_addresses(&self, document: &Document<'_>) {
        let buffers = &self.buffers;
        let width = self.matrix.columns.value.zip(self.matrix.gemv_columns.value).map(|(c, g)| u64::from(c.max(g)));
        let rows: [(&Value<u32>, Option<u64>, &str, &str); 7] = [
            (&buffers.weight_kib, self.chunk_bytes(), "mm", "weight"),
            (&buffers.index_kib, self.chunk_bytes(), "mm", "index"),
            (&buffers.scale_kib, width, "mm", "scale"),
            // Addressed in f16 where it is read as such.
            (&buffers.parameter_kib, Some(2), "misc", "a"),
            (&buffers.activation_kib, self.matrix.chain.value.map(u64::from), "mm", "act"),
            (&buffers.result_kib, Some(4), "mm", "dst"),
            (&buffers.vector_kib, Some(4), "misc", "dst"),
        ];
        for (kib, unit_bytes, mnemonic, field) in rows {
            let (Some(size), Some(unit_bytes)) = (kib.value, unit_bytes) else { continue };
            let bits = field_bits(mnemonic, field);
            let most_kib = (unit_bytes << bits) / 1024;
            if u64::from(size) > most_kib {
                let expected = format!("at most {most_kib} (field `{field}` of `{mnemonic}` has {bits} bits)");
                document.fault_at(kib, expected, "use a smaller buffer");
            }
        }
        let bits = field_bits("mm", "slot");
        if buffers.scale_slots.value.is_some_and(|slots| slots > 1 << bits) {
            let expected = format!("at most {} (field `slot` of `mm` has {bits} bits)", 1u32 << bits);
            document.fault_at(&buffers.scale_slots, expected, "use fewer slots");
        }
    }

    /// The machine of a file without faults.
    fn build(&self, board: Board, memory: MemoryStandard, instructions: MemoryStandard) -> Machine {
        let (m, i, b) = (&self.memory, &self.instructions, &self.buffers);
        let count = self.core.count.get();
        let given = self.core.slr.get();
        let slrs = if given.is_empty() { (0..count).collect() } else { given };
        Machine {
            name: self.head.name.get(),
            board,
            verilog: self.head.verilog.get(),
            kernel_mhz: self.clock.kernel_mhz.get(),
            memory: DataMemory {
                standard: memory,
                channels: m.channels.get() / count,
                port_bytes: m.port_bytes.get(),
                burst_bytes: m.burst_bytes.get(),
                outstanding: m.outstanding.get(),
                request_cycles: m.request_cycles.get(),
                response_cycles: m.response_cycles.get(),
            },
            instructions: InstructionMemory {
                standard: instructions,
                port_bytes: i.port_bytes.get(),
                burst_bytes: i.burst_bytes.get(),
                outstanding: i.outstanding.get(),
            },
            core: Core {
                count,
                slrs,
                crossing_cycles: self.core.crossing_cycles.get(),
                queue: self.core.queue.get(),
                engine: self.matrix.build(&self.engine),
                lanes: self.vector.lanes.get(),
                lut_multipliers: self.core.lut_multipliers.get(),
                buffers: Buffers {
                    weight_kib: b.weight_kib.get(),
                    index_kib: b.index_kib.get(),
                    scale_kib: b.scale_kib.get(),
                    parameter_kib: b.parameter_kib.get(),
                    activation_kib: b.activation_kib.get(),
                    result_kib: b.result_kib.get(),
                    vector_kib: b.vector_kib.get(),
                    scale_slots: b.scale_slots.get(),
                },
            },
        }
    }
}

impl RawMatrix {
    fn build(&self, engine: &RawEngine) -> Engine {
        let (chain, rows) = (self.chain.get(), self.rows.get());
        let (columns, gemv_columns) = (self.columns.get(), self.gemv_columns.get());
        let (scale_lanes, accumulator_rows) = (self.scale_lanes.get(), self.accumulator_rows.get());
        match engine {
            RawEngine::Chain(raw) => Engine::SparseDspChain(SparseDspChain {
                chain,
                rows,
                columns,
                gemv_columns,
                scale_lanes,
                accumulator_rows,
                sparsity: raw.sparsity.get(),
                weight_bits: raw.weight_bits.get(),
                two_level: raw.two_level.get(),
            }),
            RawEngine::Serial(raw) => Engine::BitSerial(BitSerial {
                chain,
                dot: raw.dot.get(),
                terms: raw.terms.get(),
                rows,
                columns,
                gemv_columns,
                scale_lanes,
                accumulator_rows,
                codes: raw.codes.get(),
            }),
        }
    }
}

/// Bursts are whole beats and whole DRAM atoms.
fn check_port(document: &Document<'_>, port: &Value<u32>, burst: &Value<u32>, standard: Option<&MemoryStandard>) {
    let Some(burst_bytes) = burst.value else { return };
    if let Some(port_bytes) = port.value.filter(|port_bytes| *port_bytes > burst_bytes) {
        let expected = format!("at least port_bytes = {port_bytes}, one beat");
        document.fault_at(burst, expected, "use a longer burst or a narrower port");
    }
    if let Some(standard) = standard {
        let atom = standard.organisation.atom_bytes();
        if !burst_bytes.is_multiple_of(atom) {
            let expected = format!("a multiple of {atom}, what one RD of {} moves", standard.name);
            document.fault_at(burst, expected, "use a longer burst");
        }
    }
}

fn whole_rows(document: &Document<'_>, kib: &Value<u32>, row_bytes: Option<u64>, what: &str) {
    let (Some(size), Some(row_bytes)) = (kib.value, row_bytes) else { return };
    let bytes = u64::from(size) * 1024;
    if !bytes.is_multiple_of(row_bytes) || bytes < 2 * row_bytes {
        // The least number of KiB that is whole rows.
        let step = common_multiple(row_bytes, 1024) / 1024;
        let expected = format!("KiB of two or more whole {what} of {row_bytes} bytes");
        let above = u64::from(size).max(2 * row_bytes / 1024).next_multiple_of(step).max(1);
        document.fault_at(kib, expected, format!("the next size that fits is {above}"));
    }
}

fn common_multiple(a: u64, b: u64) -> u64 {
    (a..).step_by(a as usize).find(|multiple| multiple.is_multiple_of(b)).expect("a x b is one")
}

/// Bits of a field of the instruction table.
fn field_bits(mnemonic: &str, field: &str) -> u32 {
    let class = Operation::TABLE.iter().find(|class| class.mnemonic == mnemonic);
    let spec = class.and_then(|class| class.fields.iter().find(|spec| spec.name == field));
    match spec {
        Some(spec) => spec.bits,
        None => panic!("the instruction table has no field `{field}` of `{mnemonic}`"),
    }
}

/// The cores must fit their regions of the board, and what crosses between regions the wires there.
fn check_fit(document: &Document<'_>, machine: &Machine) {
    if !machine.verilog {
        return;
    }
    for (cores, resources) in machine.resources_by_region() {
        check_region(document, machine, cores.len(), &resources);
    }
    for boundary in machine.boundaries() {
        let Some(available) = boundary.available.filter(|available| boundary.signals > *available) else { continue };
        let (below, board) = (boundary.below, &machine.board.name);
        let expected =
            format!("at most {available}, the wires of board {board} between SLR{below} and SLR{}", below + 1);
        let advice = "give cores beyond it fewer or narrower channels, or fewer lanes";
        document.fault("core.slr", None, format!("{} signals", boundary.signals), expected, advice);
    }
}

fn check_region(document: &Document<'_>, machine: &Machine, cores: usize, resources: &Resources) {
    for excess in machine.excess(resources) {
        let name = excess.resource.name();
        let mut rows: Vec<(u64, &str)> =
            resources.units.iter().map(|row| (row.amounts.of(excess.resource), row.unit)).collect();
        rows.sort_by_key(|(amount, unit)| (std::cmp::Reverse(*amount), *unit));
        let most: Vec<String> = rows.iter().take(3).map(|(amount, unit)| format!("{unit} {amount}")).collect();
        let expected =
            format!("at most {}, what SLR{} of board {} has", excess.allowed, resources.slr, machine.board.name);
        let of_cores = if cores > 1 { format!(" of each of its {cores} cores") } else { String::new() };
        let advice = format!("make one of the largest{of_cores} smaller: {}", most.join(", "));
        document.fault("core", None, format!("{} {name}", excess.needed), expected, advice);
    }
}
