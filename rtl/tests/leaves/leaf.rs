//! The leaves, each with the trace that it must follow.

use crate::trace::Trace;
use crate::{pipelines, queues, serial};

/// A leaf under test.
pub(crate) struct Leaf {
    pub(crate) module: &'static str,
    /// Small, so that proofs are found; odd, so that nothing fits by chance.
    pub(crate) parameters: &'static [(&'static str, u64)],
    pub(crate) is_clocked: bool,
    pub(crate) trace: fn() -> Trace,
    /// Inputs that the leaf's header allows, as an expression over its ports.
    pub(crate) allowed: &'static str,
    /// Outputs that mean something only where an expression over the ports holds.
    pub(crate) cares: &'static [(&'static str, &'static str)],
}

impl Leaf {
    /// The module with its parameters, as a name.
    pub(crate) fn label(&self) -> String {
        let parameters: String = self.parameters.iter().map(|(name, value)| format!("-{name}{value}")).collect();
        format!("{}{parameters}", self.module)
    }
}

const ANY: &str = "1'b1";

/// All of them.
pub(crate) const LEAVES: &[Leaf] = &[
    Leaf {
        module: "fifo",
        parameters: &[("Width", 5), ("Depth", 3)],
        is_clocked: true,
        trace: queues::fifo,
        allowed: ANY,
        cares: &[("data_o", "valid_o")],
    },
    Leaf {
        module: "fifo",
        parameters: &[("Width", 5), ("Depth", 3), ("FallThrough", 1)],
        is_clocked: true,
        trace: queues::fifo_that_falls_through,
        allowed: ANY,
        cares: &[("data_o", "valid_o")],
    },
    Leaf {
        module: "skid_buffer",
        parameters: &[("Width", 5)],
        is_clocked: true,
        trace: queues::skid_buffer,
        allowed: ANY,
        cares: &[("data_o", "valid_o")],
    },
    Leaf {
        module: "wait_passed",
        parameters: &[],
        is_clocked: false,
        trace: queues::wait_passed,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "index_expander",
        parameters: &[("Chain", 4)],
        is_clocked: true,
        trace: pipelines::index_expander,
        allowed: "(index_bits_i == 3'd2 || index_bits_i == 3'd4) && !unit_i[0]",
        cares: &[],
    },
    Leaf {
        module: "block_choice",
        parameters: &[],
        is_clocked: true,
        trace: pipelines::block_choice,
        allowed: "ratio_i == 4'd2 || ratio_i == 4'd4 || ratio_i == 4'd8",
        cares: &[],
    },
    Leaf {
        module: "sparse_candidates",
        parameters: &[("Blocks", 1)],
        is_clocked: true,
        trace: pipelines::sparse_candidates,
        allowed: "index_bits_i == 3'd0 && ratio_i == 4'd1 || index_bits_i == 3'd4 || \
                  index_bits_i == 3'd2 && (ratio_i == 4'd2 || ratio_i == 4'd4)",
        cares: &[],
    },
    Leaf {
        module: "weight_expander",
        parameters: &[("Chain", 4)],
        is_clocked: true,
        trace: pipelines::weight_expander,
        allowed: "code_bits_i == 4'd2 || code_bits_i == 4'd3 || code_bits_i == 4'd4 || code_bits_i == 4'd5 || \
                  code_bits_i == 4'd8",
        cares: &[],
    },
    Leaf {
        module: "weight_expander",
        parameters: &[("Chain", 4), ("TwoLevel", 0)],
        is_clocked: true,
        trace: pipelines::weight_expander_of_one_level,
        allowed: "code_bits_i == 4'd2 || code_bits_i == 4'd3 || code_bits_i == 4'd4 || code_bits_i == 4'd5 || \
                  code_bits_i == 4'd8",
        cares: &[],
    },
    Leaf {
        module: "mux_16",
        parameters: &[("Width", 8)],
        is_clocked: false,
        trace: pipelines::mux_16,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "choose_word",
        parameters: &[("Width", 8)],
        is_clocked: false,
        trace: pipelines::choose_word,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "chain_operands",
        parameters: &[("Chain", 4)],
        is_clocked: true,
        trace: pipelines::chain_operands,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "dsp_pair_mac",
        parameters: &[],
        is_clocked: true,
        trace: pipelines::dsp_pair_mac,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "fp32_quantize",
        parameters: &[],
        is_clocked: true,
        trace: pipelines::fp32_quantize,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "fp32_add",
        parameters: &[],
        is_clocked: true,
        trace: pipelines::fp32_add,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "fp32_mul",
        parameters: &[],
        is_clocked: true,
        trace: pipelines::fp32_mul,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "fp32_mul",
        parameters: &[("Luts", 1)],
        is_clocked: true,
        trace: pipelines::fp32_mul,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "lut_multiply",
        parameters: &[("AWidth", 6), ("BWidth", 7), ("YWidth", 15), ("Signed", 1), ("Addend", 1)],
        is_clocked: true,
        trace: pipelines::lut_multiply_signed,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "lut_multiply",
        parameters: &[("AWidth", 5), ("BWidth", 9), ("YWidth", 11), ("OutputRegister", 0)],
        is_clocked: true,
        trace: pipelines::lut_multiply_low,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "topk_largest",
        parameters: &[("Lanes", 4)],
        is_clocked: true,
        trace: queues::topk_largest,
        allowed: ANY,
        cares: &[("key_o", "valid_o"), ("index_o", "valid_o")],
    },
    Leaf {
        module: "drain_lane",
        parameters: &[("AccumulatorBits", 4), ("Accumulators", 16)],
        is_clocked: true,
        trace: pipelines::drain_lane,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "serial_terms",
        parameters: &[],
        is_clocked: false,
        trace: serial::serial_terms,
        allowed: "kind_i <= 4'd12",
        cares: &[("negative_o", "term_o"), ("exponent_o", "term_o")],
    },
    Leaf {
        module: "serial_piece",
        parameters: &[("Chain", 8), ("Dot", 2), ("CodeBits", 8)],
        is_clocked: true,
        trace: serial::serial_piece,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "serial_column",
        parameters: &[("Dot", 2)],
        is_clocked: true,
        trace: serial::serial_column,
        allowed: "kind_i <= 4'd12",
        cares: &[("negative_o", "&term_o"), ("exponent_o", "&term_o")],
    },
    Leaf {
        module: "product_to_fp32",
        parameters: &[],
        is_clocked: true,
        trace: serial::product_to_fp32,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "serial_element",
        parameters: &[],
        is_clocked: true,
        trace: serial::serial_element,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "serial_element",
        parameters: &[("Dot", 1)],
        is_clocked: true,
        trace: serial::serial_element_of_one,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "serial_element",
        parameters: &[("Dot", 8)],
        is_clocked: true,
        trace: serial::serial_element_of_eight,
        allowed: ANY,
        cares: &[],
    },
    Leaf {
        module: "parameter_buffer",
        parameters: &[("ParameterBytes", 128), ("Channels", 2), ("PortBytes", 16), ("Lanes", 4)],
        is_clocked: true,
        trace: queues::parameter_buffer,
        // Elements past the end are anything.
        allowed: "a_address_i < (a_half_i ? 20'd64 : 20'd32) && b_address_i < (b_half_i ? 20'd64 : 20'd32)",
        cares: &[],
    },
    Leaf {
        module: "dispatch_queue",
        parameters: &[("Queue", 3), ("Limit", 2)],
        is_clocked: true,
        trace: queues::dispatch_queue,
        allowed: "!push_i || room_o",
        cares: &[("word_o", "issue_o")],
    },
];
