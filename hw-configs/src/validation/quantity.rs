//! What published figures are figures of. A quantity has a name in files, a unit, and says what it is taken from;
//! how it is computed is the session's.

/// What a quantity is taken from: what has to be there before it can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The machine alone.
    Machine,
    /// The model in its format, laid out for the machine.
    Layout,
    /// Programs of all lengths from 1 to 2048.
    Programs,
    /// The simulated prompt.
    Prefill,
    /// Simulated decode steps.
    Decode,
    /// Prompt and answer together.
    Both,
    /// The published layer model, for one design, model and task.
    Layers,
    /// The same for two designs, in the mean over models and both tasks.
    LayerRatio,
}

impl Subject {
    /// Whether it is the published layer model, which no run of ours stands for.
    pub const fn is_layers(self) -> bool {
        match self {
            Self::Layers | Self::LayerRatio => true,
            Self::Machine | Self::Layout | Self::Programs | Self::Prefill | Self::Decode | Self::Both => false,
        }
    }
}

/// Declares the quantities.
macro_rules! quantities {
    ($( $(#[doc = $doc:literal])* $variant:ident = $name:literal, $unit:literal, $subject:ident; )+) => {
        /// What a published figure is a figure of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Quantity {
            $( $(#[doc = $doc])* $variant, )+
        }

        impl Quantity {
            /// Every quantity.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Name in files and reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Unit; `1` for a pure number.
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)+ }
            }

            /// What it is taken from.
            pub const fn subject(self) -> Subject {
                match self { $(Self::$variant => Subject::$subject,)+ }
            }

            /// What it is, in a line.
            pub fn meaning(self) -> String {
                let lines: &[&str] = match self { $(Self::$variant => &[$($doc),*],)+ };
                lines.concat().trim().to_owned()
            }
        }
    };
}

quantities! {
    /// Time of one generated token, on average.
    DecodeMsPerToken = "decode_ms_per_token", "ms", Decode;
    /// Kernel cycles of one generated token, on average.
    DecodeCyclesPerToken = "decode_cycles_per_token", "cycles", Decode;
    /// Time of one generated token in the run `over`, over that in the run.
    DecodeSpeedUp = "decode_speed_up", "1", Decode;
    /// Generated tokens a second of decode.
    TokensPerS = "tokens_per_s", "token/s", Decode;
    /// Time of the prompt.
    PrefillMs = "prefill_ms", "ms", Prefill;
    /// Time of prompt and answer.
    TotalMs = "total_ms", "ms", Both;
    /// Bytes on the data memory's ports in decode, over its time and the board's published peak.
    MemoryShare = "memory_share", "%", Decode;
    /// Stored bytes of the weights, over the time of a decode step and the board's published peak.
    StoredShare = "stored_share", "%", Decode;
    /// Products in decode, over what the array of `mm` could do in that time.
    MultiplierShare = "multiplier_share", "%", Decode;
    /// Mean power in decode.
    AveragePowerW = "average_power_w", "W", Decode;
    /// Generated tokens a joule of decode.
    TokensPerJ = "tokens_per_j", "token/J", Decode;
    /// Codes, indices and scales of all linears, without the padding of a memory layout.
    StoredWeightBytes = "stored_weight_bytes", "bytes", Layout;
    /// What the linears take in memory, padding included.
    PlacedWeightBytes = "placed_weight_bytes", "bytes", Layout;
    /// Instructions of one decode step, loads and stores apart for each channel, in the mean over the lengths 1 to 2048, a core.
    InstructionBytesDecode = "instruction_bytes_decode", "bytes", Programs;
    /// Instructions of a whole prompt, loads and stores apart for each channel, in the mean over the lengths 1 to 2048, a core.
    InstructionBytesPrefill = "instruction_bytes_prefill", "bytes", Programs;
    /// The same for decode and prefill of the lengths 1 to 2048, one stream a length, all cores: `a stream a length` of
    /// `lapwing programs`.
    InstructionBytesEveryLength = "instruction_bytes_every_length", "bytes", Programs;
    /// The same with one stream of each for the lengths of a bucket, of one core: `buckets` of `lapwing programs`.
    InstructionBytesBucketsCore = "instruction_bytes_buckets_core", "bytes", Programs;
    /// The same with one load or store for all channels, of one core: `merged transfers` of `lapwing programs`.
    InstructionBytesMergedCore = "instruction_bytes_merged_core", "bytes", Programs;
    /// The same, of all cores.
    InstructionBytesMerged = "instruction_bytes_merged", "bytes", Programs;
    /// Distinct programs that serve all lengths 1 to 2048, prompts sharing their steps, of one core: `ours` of `lapwing programs`.
    InstructionBytesStoredCore = "instruction_bytes_stored_core", "bytes", Programs;
    /// The same, of all cores.
    InstructionBytesStored = "instruction_bytes_stored", "bytes", Programs;
    /// DSP blocks.
    Dsp = "dsp", "1", Machine;
    /// DSP blocks of the matrix chains alone.
    MatrixDsp = "matrix_dsp", "1", Machine;
    /// Block RAMs of 36 Kib.
    Bram36 = "bram36", "1", Machine;
    /// UltraRAMs.
    Uram = "uram", "1", Machine;
    /// Look-up tables, estimated.
    Lut = "lut", "1", Machine;
    /// Flip-flops, estimated.
    Ff = "ff", "1", Machine;
    /// Cycles of one step in the published layer model.
    LayerCycles = "layer_cycles", "cycles", Layers;
    /// Energy of PEs and SRAMs for one step in the published layer model.
    LayerOnChipUj = "layer_on_chip_uj", "uJ", Layers;
    /// The same with DRAM.
    LayerTotalUj = "layer_total_uj", "uJ", Layers;
    /// Cycles of one design over those of another in the published layer model, in the mean over models and both tasks.
    LayerSpeedUp = "layer_speed_up", "1", LayerRatio;
    /// Energy of one design over that of another in the published layer model, in the mean over models and both tasks.
    LayerEnergyRatio = "layer_energy_ratio", "1", LayerRatio;
}

impl Quantity {
    /// What becomes of it where everything takes `divisor` times as long: 1 for a time, -1 for what is over a time, as the power of
    /// the divisor; none where time is no part of it.
    pub const fn scale_with_time(self) -> Option<i32> {
        match self {
            Self::DecodeMsPerToken | Self::DecodeCyclesPerToken | Self::PrefillMs | Self::TotalMs => Some(1),
            Self::TokensPerS | Self::MemoryShare | Self::StoredShare | Self::MultiplierShare => Some(-1),
            Self::DecodeSpeedUp
            | Self::AveragePowerW
            | Self::TokensPerJ
            | Self::StoredWeightBytes
            | Self::PlacedWeightBytes
            | Self::InstructionBytesDecode
            | Self::InstructionBytesPrefill
            | Self::InstructionBytesEveryLength
            | Self::InstructionBytesBucketsCore
            | Self::InstructionBytesMergedCore
            | Self::InstructionBytesMerged
            | Self::InstructionBytesStoredCore
            | Self::InstructionBytesStored
            | Self::Dsp
            | Self::MatrixDsp
            | Self::Bram36
            | Self::Uram
            | Self::Lut
            | Self::Ff
            | Self::LayerCycles
            | Self::LayerOnChipUj
            | Self::LayerTotalUj
            | Self::LayerSpeedUp
            | Self::LayerEnergyRatio => None,
        }
    }
}
