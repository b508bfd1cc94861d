//! What a program is for: a step of the model, on some number of new tokens, up to some length.

/// The kind of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepKind {
    /// New tokens of one sequence, several at a time.
    Prefill {
        /// Whether the step ends with the logits of its last token.
        logits: Logits,
    },
    /// One new token of each sequence of the batch, with logits.
    Decode,
}

/// Whether a prefill step computes logits: only the last one of a prompt must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Logits {
    /// No: more of the prompt follows.
    Skip,
    /// Of the last new token: the first token of the answer comes from them.
    Last,
    /// Of every new token, as an evaluation wants them.
    All,
}

impl StepKind {
    /// Name in program names and reports.
    pub fn name(self) -> &'static str {
        match self {
            StepKind::Prefill { logits: Logits::Skip } => "prefill-body",
            StepKind::Prefill { logits: Logits::Last } => "prefill-last",
            StepKind::Prefill { logits: Logits::All } => "prefill-all",
            StepKind::Decode => "decode",
        }
    }

    /// Whether the step ends with logits.
    pub fn has_logits(self) -> bool {
        match self {
            StepKind::Prefill { logits: Logits::Skip } => false,
            StepKind::Prefill { logits: Logits::Last | Logits::All } | StepKind::Decode => true,
        }
    }
}

/// A bucket of lengths that one program serves: those above the previous bucket and up to `max_end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    /// KV entries after the step, at most.
    pub max_end: u32,
}
