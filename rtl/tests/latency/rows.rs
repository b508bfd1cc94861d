//! What is measured: one row a latency. Expected cycles come from `hw_config::latency` alone.

use hw_config::isa::{FieldValue, LoadBuffer};
use hw_config::latency::*;
use hw_config::timing::{ADDRESS_CYCLES, STORE_START_CYCLES};

/// A measurement of one leaf. Values are those of the low 64 bits of a port; what is not named is 0, `rst_ni` 1.
pub(crate) struct Row {
    /// The module.
    pub(crate) leaf: &'static str,
    /// Parameters that differ from their defaults.
    pub(crate) parameters: &'static [(&'static str, i64)],
    /// Inputs of one period long before: what stands in memories.
    pub(crate) before: &'static [(&'static str, u64)],
    /// Inputs at rest.
    pub(crate) rest: &'static [(&'static str, u64)],
    /// Inputs that differ in the one period from which is counted.
    pub(crate) pulse: &'static [(&'static str, u64)],
    /// The output that is watched.
    pub(crate) output: &'static str,
    /// Periods until it differs.
    pub(crate) cycles: u32,
    /// What the module's header says of it.
    pub(crate) says: String,
}

const ONE: u64 = 0x3f80_0000;
const TWO: u64 = 0x4000_0000;
const ALL: u64 = u64::MAX;

/// A row without parameters and memories.
fn plain(
    leaf: &'static str,
    rest: &'static [(&'static str, u64)],
    pulse: &'static [(&'static str, u64)],
    output: &'static str,
    cycles: u32,
    says: String,
) -> Row {
    Row { leaf, parameters: &[], before: &[], rest, pulse, output, cycles, says }
}

/// An `fp32_...` leaf, or one like it, with one or two operands.
fn number(leaf: &'static str, rest: &'static [(&'static str, u64)], cycles: u32) -> Row {
    plain(leaf, rest, &[("a_i", TWO)], "y_o", cycles, format!("Latency {cycles}, initiation"))
}

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = numbers();
    rows.extend(streams());
    rows.extend(memories());
    rows.extend(activations());
    rows.extend(buffers());
    rows.extend(vector());
    rows.extend(scalars());
    rows.extend(crossings());
    rows.extend(matrix());
    rows.extend(drain());
    rows.extend(serial());
    rows
}

fn numbers() -> Vec<Row> {
    let cascade =
        |pulse, output, cycles, says| plain("multiply_cascade", &[("b_i", 1 << 20 | 1)], pulse, output, cycles, says);
    let of_luts = |row| Row { parameters: &[("Luts", 1)], ..row };
    let lut_multiply = |parameters, cycles| {
        let both = format!(
            "Latency {MULTIPLY_ADD_CYCLES} from all operands if `OutputRegister` = 1, {} if it is 0",
            MULTIPLY_ADD_CYCLES - 1
        );
        Row { parameters, ..plain("lut_multiply", &[("b_i", 5)], &[("a_i", 3)], "y_o", cycles, both) }
    };
    let multiply_add = || {
        let says = format!("Latency {MULTIPLY_ADD_CYCLES} for all three operands");
        plain("multiply_add", &[("b_i", 5)], &[("a_i", 3)], "y_o", MULTIPLY_ADD_CYCLES, says)
    };
    let cascade_high = || {
        let says = format!("`high_o` = (a_i * b_i) >> 17, latency {MULTIPLY_CASCADE_CYCLES}");
        cascade(&[("a_i", 1 << 20)], "high_o", MULTIPLY_CASCADE_CYCLES, says)
    };
    let cascade_low = || {
        let says = format!("one period earlier (latency {})", MULTIPLY_CASCADE_CYCLES - 1);
        cascade(&[("a_i", 1)], "low_o", MULTIPLY_CASCADE_CYCLES - 1, says)
    };
    let quadratic = |parameters| {
        let both = format!("Latency {QUADRATIC_CYCLES} if `InputStages` = 0, {REGISTERED_QUADRATIC_CYCLES} if it is 1");
        Row { parameters, ..plain("fp32_quadratic", &[], &[("c0_i", 1 << 20)], "significand_o", 0, both) }
    };
    vec![
        number("fp32_add", &[("a_i", ONE), ("b_i", ONE)], ADD_CYCLES),
        number("fp32_mul", &[("a_i", ONE), ("b_i", ONE)], MUL_CYCLES),
        number("fp32_reciprocal", &[("a_i", ONE)], RECIPROCAL_CYCLES),
        number("fp32_rsqrt", &[("a_i", ONE)], RSQRT_CYCLES),
        number("fp32_exp", &[("a_i", ONE)], EXP_CYCLES),
        number("fp32_quantize", &[("a_i", ONE), ("b_i", ONE)], QUANTIZE_I8_CYCLES),
        number("fp32_to_fp16", &[("a_i", ONE)], F32_TO_F16_CYCLES),
        number("fp16_to_fp32", &[("a_i", 0x3c00)], F16_TO_F32_CYCLES),
        number("i32_to_fp32", &[("a_i", 1)], I32_TO_F32_CYCLES),
        multiply_add(),
        of_luts(multiply_add()),
        cascade_high(),
        of_luts(cascade_high()),
        cascade_low(),
        of_luts(cascade_low()),
        lut_multiply(&[], MULTIPLY_ADD_CYCLES),
        lut_multiply(&[("OutputRegister", 0)], MULTIPLY_ADD_CYCLES - 1),
        Row { cycles: QUADRATIC_CYCLES, ..quadratic(&[("InputStages", 0)]) },
        Row { cycles: REGISTERED_QUADRATIC_CYCLES, ..quadratic(&[("InputStages", 1)]) },
    ]
}

fn streams() -> Vec<Row> {
    let queue = |leaf, parameters, cycles, says: &str| Row {
        parameters,
        ..plain(leaf, &[("ready_i", 1)], &[("valid_i", 1)], "valid_o", cycles, says.to_owned())
    };
    vec![
        queue("fifo", &[], 1, "Latency 1 (an entry"),
        queue("fifo", &[("FallThrough", 1)], 0, "or 0 with FallThrough = 1"),
        queue("skid_buffer", &[], 1, "Latency 1, initiation"),
        queue("kernel_address", &[], 1, "Latency 1, initiation"),
        Row {
            parameters: &[("Cycles", 5)],
            ..plain("delay", &[], &[("data_i", 1)], "data_o", 5, "Latency `Cycles`".to_owned())
        },
        plain(
            "vector_delay",
            &[("enable_i", 1), ("delay_i", 9)],
            &[("data_i", 1)],
            "data_o",
            9,
            "`data_i`, `delay_i` periods later".to_owned(),
        ),
        plain(
            "sequencer_registers",
            &[],
            &[("load_word_i", ALL)],
            "numbers_o",
            0,
            "Latency 0: combinational".to_owned(),
        ),
        plain("wait_passed", &[], &[("target_i", 5)], "passed_o", 0, "Latency 0: combinational".to_owned()),
        Row {
            before: &[("write_i", 1), ("number_i", 5), ("value_i", 7)],
            ..plain("register_file", &[], &[("read_number_i", 5)], "read_value_o", 0, "Latency 0 from a number".into())
        },
        plain(
            "register_file",
            &[("read_number_i", 5)],
            &[("write_i", 1), ("number_i", 5), ("value_i", 9)],
            "read_value_o",
            1,
            "1 from a write to its being read".to_owned(),
        ),
    ]
}

fn memories() -> Vec<Row> {
    vec![
        Row {
            before: &[("write_i", 1), ("write_strobe_i", ALL), ("write_address_i", 1), ("write_data_i", 7)],
            ..plain(
                "ram_sdp",
                &[],
                &[("read_address_i", 1)],
                "read_data_o",
                RAM_CYCLES,
                format!("Read latency {RAM_CYCLES}:"),
            )
        },
        Row {
            before: &[("write_i", 1), ("write_address_i", 1), ("write_data_i", 7)],
            ..plain("ram_async", &[], &[("read_address_i", 1)], "read_data_o", 0, "Read latency 0:".to_owned())
        },
    ]
}

/// A buffer: something is written, and a read begins there.
fn read(
    leaf: &'static str,
    before: &'static [(&'static str, u64)],
    pulse: &'static [(&'static str, u64)],
    output: &'static str,
) -> Row {
    let says = format!("Read latency {BUFFER_READ_CYCLES}");
    Row { before, ..plain(leaf, &[], pulse, output, BUFFER_READ_CYCLES, says) }
}

fn activations() -> Vec<Row> {
    let all = format!("All reads: latency {BUFFER_READ_CYCLES}, initiation");
    let activation: &[_] = &[
        ("activation_write_valid_i", 1),
        ("activation_write_word_i", 1),
        ("activation_write_data_i", 7),
        ("activation_write_strobe_i", ALL),
        ("slot_write_valid_i", 1),
        ("slot_write_address_i", 1),
        ("slot_write_value_i", 7),
    ];
    let small: &[_] = &[("MaxRatio", 1), ("ActivationWords", 64), ("ScaleSlots", 16)];
    let of_activation = |pulse, output| Row {
        parameters: small,
        says: all.clone(),
        ..read("activation_buffer", activation, pulse, output)
    };
    vec![
        of_activation(&[("window_word_i", 1)], "window_o"),
        of_activation(&[("slot_address_i", 1)], "slot_o"),
        of_activation(&[("store_address_i", 1)], "store_word_o"),
        of_activation(&[("store_address_i", 1)], "store_slot_o"),
        Row {
            says: format!("Latency {BUFFER_READ_CYCLES}, initiation"),
            ..read(
                "activation_words",
                &[("write_i", 1), ("write_word_i", 1), ("write_data_i", 7), ("write_strobe_i", ALL)],
                &[("word_i", 1)],
                "window_o",
            )
        },
    ]
}

fn buffers() -> Vec<Row> {
    let load: &[_] = &[("write_valid_i", 1), ("write_strobe_i", ALL), ("write_data_i", 0x0102_0304_0506_0708)];
    assert_eq!(LoadBuffer::VALUES[3], "parameter", "the code written below");
    vec![
        Row {
            says: format!("latency {BUFFER_READ_CYCLES} from an element address"),
            ..read(
                "parameter_buffer",
                &[
                    ("load_write_valid_i", 1),
                    ("load_write_buffer_i", 3),
                    ("load_write_strobe_i", ALL),
                    ("load_write_data_i", ONE << 32),
                ],
                &[("a_address_i", 1)],
                "a_o",
            )
        },
        read(
            "result_buffer",
            &[("result_write_valid_i", 1), ("result_write_address_i", 1), ("result_write_data_i", 7)],
            &[("a_address_i", 1)],
            "a_o",
        ),
        read(
            "vector_buffer",
            &[("vector_write_valid_i", 1), ("vector_write_address_i", 1), ("vector_write_data_i", 7)],
            &[("store_read_address_i", 1)],
            "store_vector_o",
        ),
        read(
            "vector_banks",
            &[("write_valid_i", 1), ("write_address_i", 1), ("write_data_i", 7)],
            &[("read_address_i", 1)],
            "read_data_o",
        ),
        read("scale_buffer", load, &[("integer_row_i", 1)], "integer_scales_o"),
        read("scale_buffer", load, &[("half_row_i", 2)], "half_scales_o"),
        Row {
            parameters: &[("Width", 4)],
            cycles: RAM_CYCLES,
            says: format!("Read latency {RAM_CYCLES}, initiation"),
            ..read("weight_buffer", load, &[("chunk_i", 1)], "chunk_o")
        },
        Row {
            parameters: &[("Width", 4)],
            cycles: RAM_CYCLES,
            says: format!("Read latency {RAM_CYCLES}, initiation"),
            ..read("weight_pairs", load, &[("chunk_i", 1)], "low_o")
        },
        // Two lines a chunk: rows of halves.
        Row {
            parameters: &[("Width", 8)],
            cycles: RAM_CYCLES,
            says: format!("Read latency {RAM_CYCLES}, initiation"),
            ..read("index_buffer", load, &[("chunk_i", 1)], "chunk_o")
        },
    ]
}

fn vector() -> Vec<Row> {
    let lanes: &[_] = &[("Lanes", 4)];
    let levels = SUM_PARTIALS.ilog2() + 1;
    let silu = SILU_CYCLES + VECTOR_RESULT_CYCLES;
    vec![
        Row {
            parameters: lanes,
            ..plain(
                "reduce_sum",
                &[],
                &[("valid_i", 1), ("last_i", 1), ("data_i", ONE)],
                "valid_o",
                sum_cycles(4),
                format!("Latency {ADD_CYCLES} (clog2(Lanes) + {levels}) + {PARTIAL_GATHER_CYCLES} from `last_i`"),
            )
        },
        Row {
            parameters: lanes,
            ..plain(
                "topk_largest",
                &[],
                &[("valid_i", 1), ("last_i", 1), ("key_i", 1)],
                "valid_o",
                largest_cycles(4),
                format!("Latency clog2(Lanes) + {MAX_CYCLES} from `last_i`"),
            )
        },
        plain(
            "vector_lane",
            &[("a_late_i", ONE), ("result_i", 10), ("load_i", 1), ("live_i", 1)],
            &[("a_i", ONE)],
            "result_o",
            silu,
            format!("and the result register (silu: {silu})"),
        ),
    ]
}

/// What stands between regions: as many periods as the parameters say.
fn crossings() -> Vec<Row> {
    const CYCLES: u32 = 3;
    const STATION: &[(&str, i64)] = &[("Lanes", 2), ("Before", 2), ("After", CYCLES as i64)];
    let row = |leaf, rest, pulse, output| Row {
        parameters: &[("Cycles", CYCLES as i64)],
        ..plain(leaf, rest, pulse, output, CYCLES, "Latency `Cycles`".to_owned())
    };
    let station = |rest, pulse, output| Row {
        parameters: STATION,
        ..plain("link_station", rest, pulse, output, 2 + CYCLES, "Latency `Before + After`, initiation".to_owned())
    };
    vec![
        row("crossing", &[], &[("control_i", 1)], "control_o"),
        row("crossing", &[], &[("data_i", 1)], "data_o"),
        row("stream_crossing", &[("ready_i", 1)], &[("valid_i", 1)], "valid_o"),
        row("fetch_crossing", &[("arready_i", 1)], &[("core_arvalid_i", 1)], "arvalid_o"),
        row("fetch_crossing", &[], &[("rvalid_i", 1)], "core_rvalid_o"),
        row("memory_crossing", &[("load_arready_i", 3)], &[("core_load_arvalid_i", 1)], "load_arvalid_o"),
        row("memory_crossing", &[("store_awready_i", 3)], &[("core_store_awvalid_i", 1)], "store_awvalid_o"),
        row("memory_crossing", &[("store_wready_i", 3)], &[("core_store_wvalid_i", 1)], "store_wvalid_o"),
        row("memory_crossing", &[], &[("load_rvalid_i", 1)], "core_load_rvalid_o"),
        row("memory_crossing", &[], &[("store_bvalid_i", 1)], "core_store_bvalid_o"),
        station(&[], &[("valid_i", 1), ("data_i", ONE)], "data_o"),
        station(&[("up_here_i", 1), ("down_here_i", 1)], &[("here_i", 1)], "met_o"),
        Row { cycles: CYCLES, ..station(&[], &[("up_valid_i", 1), ("up_data_i", ONE)], "data_o") },
        Row { cycles: 2, ..station(&[], &[("down_valid_i", 1), ("down_data_i", ONE)], "data_o") },
    ]
}

/// `vector_scalar` writes a memory, which is read all the time: a register, and the memory's latency.
fn scalars() -> Vec<Row> {
    let seen = 1 + RAM_CYCLES;
    let (scale, inverse) = (MUL_CYCLES + HALF_CYCLES, HALF_CYCLES + RECIPROCAL_CYCLES);
    let both = format!("after {scale} and {}", MUL_CYCLES + inverse);
    let given = format!("after {HALF_CYCLES} and {inverse}");
    let row = |rest, pulse, output, cycles, says| plain("vector_scalar", rest, pulse, output, cycles + seen, says);
    let sum: &[_] = &[("sum_valid_i", 1), ("sum_i", TWO)];
    let largest: &[_] = &[("largest_valid_i", 1), ("largest_key_i", TWO)];
    let inject: &[_] = &[("inject_i", 1)];
    let mean: &[_] = &[("scalar_i", 2), ("length_i", 4)];
    let divided: &[_] = &[("scalar_i", 5), ("half_i", 1)];
    let fixed: &[_] = &[("scalar_i", 6), ("imm_i", TWO)];
    let norm = ADD_CYCLES + RSQRT_CYCLES;
    vec![
        row(&[("scalar_i", 1)], sum, "scalar_1_o", norm, format!("after {norm} periods")),
        row(mean, sum, "scalar_0_o", MUL_CYCLES, format!("after {MUL_CYCLES} ")),
        row(&[("scalar_i", 3)], largest, "scalar_0_o", 0, "at once".to_owned()),
        row(&[("scalar_i", 4)], sum, "scalar_1_o", RECIPROCAL_CYCLES, format!("after {RECIPROCAL_CYCLES} ")),
        row(divided, largest, "scalar_0_o", scale, both.clone()),
        row(divided, largest, "scalar_1_o", MUL_CYCLES + inverse, both),
        row(fixed, inject, "scalar_0_o", HALF_CYCLES, given.clone()),
        row(fixed, inject, "scalar_1_o", inverse, given),
    ]
}

fn serial() -> Vec<Row> {
    let dots = [1, 4, 16].map(|dot| format!("Dot {dot}: {}", element_cycles(dot))).join(", ");
    // One product, 1 x 1, of a slot of one period.
    let element = |parameters, dot| Row {
        parameters,
        ..plain(
            "serial_element",
            &[("enable_i", 1)],
            &[
                ("step_i", 1),
                ("first_i", 1),
                ("last_i", 1),
                ("finite_i", 1),
                ("term_i", 1),
                ("exponent_i", 15),
                ("significand_i", 0x400),
            ],
            "exponent_o",
            element_cycles(dot),
            format!("Latency ({dots})"),
        )
    };
    let tree = |leaf, parameters, input, output, cycles| Row {
        parameters,
        ..plain(
            leaf,
            &[("enable_i", 1)],
            input,
            output,
            cycles,
            "Latency 0 (Dot = 1), 1 (2 and 4) or 2 (8 and 16)".into(),
        )
    };
    vec![
        plain(
            "product_to_fp32",
            &[("finite_i", 1), ("exponent_i", 35)],
            &[("product_i", 1), ("exponent_i", 35)],
            "y_o",
            PRODUCT_TO_F32_CYCLES,
            format!("Latency {PRODUCT_TO_F32_CYCLES}, initiation"),
        ),
        plain(
            "serial_factors",
            &[("enable_i", 1)],
            &[("step_i", 0x3c00)],
            "exponent_o",
            1,
            "Latency 1, initiation".into(),
        ),
        plain("serial_piece", &[("enable_i", 1)], &[("low_i", 1)], "window_o", 1, "Latency 1, initiation".into()),
        plain(
            "serial_column",
            // INT8.
            &[("enable_i", 1), ("bits_i", 8), ("kind_i", 6)],
            &[("window_i", 1)],
            "term_o",
            SERIAL_FRONT_CYCLES - RAM_CYCLES - 1,
            "Latency 2, initiation".into(),
        ),
        element(&[("Dot", 1)], 1),
        element(&[("Dot", 4)], 4),
        element(&[("Dot", 16)], 16),
        tree("serial_largest", &[("Dot", 1)], &[("exponents_i", 5)], "largest_o", 0),
        tree("serial_largest", &[("Dot", 4)], &[("exponents_i", 5)], "largest_o", 1),
        tree("serial_largest", &[("Dot", 16)], &[("exponents_i", 5)], "largest_o", 2),
        tree("serial_sum", &[("Dot", 1)], &[("addends_i", 5)], "sum_o", 0),
        tree("serial_sum", &[("Dot", 2)], &[("addends_i", 5)], "sum_o", 1),
        tree("serial_sum", &[("Dot", 8)], &[("addends_i", 5)], "sum_o", 2),
    ]
}

fn matrix() -> Vec<Row> {
    let chains = [16, 32, 64].map(|chain| format!("Chain {chain}: {}", chain_cycles(chain))).join(", ");
    let skew = format!("(longest segment - 1) + {DSP_CYCLES} + {SPLIT_CYCLES} + clog2(segments): {chains}");
    let chain = |parameters, chain| Row {
        parameters,
        ..plain(
            "dsp_chain",
            &[("enable_i", 1), ("lo_i", 1)],
            &[("shared_i", 1)],
            "lo_sum_o",
            chain_cycles(chain),
            format!("Latency {skew}"),
        )
    };
    let mac = format!("Latency {DSP_CYCLES} from the operands, 1 from `cascade_i`");
    vec![
        plain(
            "dsp_pair_mac",
            &[("enable_i", 1), ("lo_i", 1)],
            &[("shared_i", 1)],
            "cascade_o",
            DSP_CYCLES,
            mac.clone(),
        ),
        plain("dsp_pair_mac", &[("enable_i", 1)], &[("cascade_i", 1)], "cascade_o", 1, mac),
        chain(&[("Chain", 16)], 16),
        chain(&[("Chain", 32)], 32),
        chain(&[("Chain", 64)], 64),
        plain(
            "chain_operands",
            &[("enable_i", 1), ("vector_i", 1)],
            &[("lo_codes_i", 1)],
            "lo_o",
            CHAIN_OPERANDS_CYCLES,
            format!("Latency {CHAIN_OPERANDS_CYCLES}, initiation"),
        ),
        plain(
            "sparse_candidates",
            &[("enable_i", 1), ("index_bits_i", 2)],
            &[("window_i", 1)],
            "candidates_o",
            CANDIDATES_CYCLES,
            format!("Latency {CANDIDATES_CYCLES}, initiation"),
        ),
        plain(
            "block_choice",
            &[("enable_i", 1), ("of_blocks_i", 1)],
            // The last block claims every pair of the first step's.
            &[("density_i", 0xc0 << 56)],
            "blocks_o",
            BLOCK_CHOICE_CYCLES,
            format!("Latency {BLOCK_CHOICE_CYCLES}, initiation"),
        ),
        plain(
            "index_expander",
            &[("enable_i", 1), ("index_bits_i", 2)],
            &[("piece_i", 1)],
            "indices_o",
            INDEX_EXPANDER_CYCLES,
            format!("Latency {INDEX_EXPANDER_CYCLES} from"),
        ),
        plain(
            "weight_expander",
            &[("enable_i", 1), ("code_bits_i", 4)],
            &[("piece_i", 1)],
            "codes_o",
            WEIGHT_EXPANDER_CYCLES,
            format!("Latency {WEIGHT_EXPANDER_CYCLES} from"),
        ),
    ]
}

fn drain() -> Vec<Row> {
    let slot: &[_] = &[("enable_i", 1), ("step_i", 1), ("first_i", 1), ("last_i", 1), ("sums_i", 1)];
    let reads = format!("Reads: latency {SELECT_CYCLES}, initiation");
    let lane: &[_] = &[("half_scale_i", 0x3c00), ("clear_i", 1), ("row_scale_i", ONE)];
    vec![
        Row {
            before: slot,
            ..plain("accumulator_bank", &[], &[("group_i", 1)], "word_o", SELECT_CYCLES, reads.clone())
        },
        plain("accumulator_bank", &[], slot, "word_o", ACCUMULATE_CYCLES + SELECT_CYCLES, reads),
        plain(
            "drain_lane",
            lane,
            &[("sum_i", 1)],
            "result_o",
            DRAIN_LANE_CYCLES,
            format!("Latency {DRAIN_LANE_CYCLES} from `sum_i` to `result_o`"),
        ),
        // At rest every sum of 1 is written; once the accumulator is read and adds to it.
        plain(
            "drain_lane",
            &[("half_scale_i", 0x3c00), ("row_scale_i", ONE), ("sum_i", 1), ("write_i", 1), ("clear_i", 1)],
            &[("clear_i", 0)],
            "result_o",
            DRAIN_LANE_CYCLES - DRAIN_READ_CYCLES,
            format!("period {DRAIN_READ_CYCLES}: the accumulator is read; period {DRAIN_WRITE_CYCLES}: it is written"),
        ),
        plain(
            "drain_lane",
            &[("half_scale_i", 0x3c00), ("clear_i", 1), ("row_scale_i", ONE), ("sum_i", 1)],
            &[("row_scale_i", TWO)],
            "result_o",
            DRAIN_LANE_CYCLES - DRAIN_WRITE_CYCLES,
            format!("`row_scale_i` belongs to period {DRAIN_WRITE_CYCLES}"),
        ),
    ]
}

/// What the headers of units say in numbers. Their periods are compared with the closed forms by the lockstep.
pub(crate) fn unit_comments() -> Vec<(&'static str, String)> {
    let word = SELECT_CYCLES + DRAIN_LANE_CYCLES;
    vec![
        ("matrix_unit", format!("s + {FRONT_CYCLES} + latency of dsp_chain")),
        ("matrix_unit", format!("from period e + {} + latency of dsp_chain on", FRONT_CYCLES + ACCUMULATE_CYCLES)),
        ("matrix_unit", format!("a result is written {word} periods after its word is taken")),
        (
            "matrix_unit",
            format!("t + occupancy + {FRONT_CYCLES} + latency of dsp_chain + Outputs / ScaleLanes + {}", word + 1),
        ),
        ("store_gather", format!("the word answers in p + {BUFFER_READ_CYCLES},")),
        ("store_gather", format!("merged in p + {}", BUFFER_READ_CYCLES + F32_TO_F16_CYCLES + 2)),
        ("store_unit", format!("first piece merged in t + {STORE_START_CYCLES}")),
        ("load_unit", format!("t + {ADDRESS_CYCLES}")),
        ("vector_unit", format!("are in the operand registers in t + {}", 3 + VECTOR_OPERAND_CYCLES)),
    ]
}
