//! What the compiler does to make programs fast, each part of which can be left out, to see what it is worth.
//!
//! Every set of optimisations gives legal programs that compute the same bits. It must never be asked for by a pass that
//! checks or orders: what is safe does not depend on what is fast.

use std::fmt;

use hw_config::timing::LOADS_IN_FLIGHT;

/// One optimisation. The first three are FlightLLM's (Zeng et al., FPGA 2024, arXiv 2401.03868), in the order of its
/// ablation; what "without" means in detail stands at the pass that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Optimisation {
    /// N:M weights are stored with their indices and only they are multiplied ("configurable sparse DSP chain"). Without:
    /// the pattern's zeros are stored, loaded and multiplied like any weight.
    SparseChain,
    /// Vectors of a decode step stay in the buffers and vector work goes on tile by tile behind the matrix unit
    /// ("always-on-chip decode", "MISC fused with MV"). Without: every operator's result is written to memory and read
    /// back, and no operator begins before the one before it is there.
    OnChipDecode,
    /// One load or store moves what all channels hold of a piece ("LD/ST merging of eight channels"). Without: as many
    /// as there are channels, each with its share.
    MergedTransfers,
    /// Loads run ahead of the operator in hand as far as the buffers reach. Without: the first load of each operator waits
    /// for everything before it.
    Prefetch,
}

impl Optimisation {
    /// Every one, in the order in which a ladder adds them.
    pub const ALL: [Self; 4] = [Self::SparseChain, Self::OnChipDecode, Self::MergedTransfers, Self::Prefetch];

    /// Name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SparseChain => "sparse-chain",
            Self::OnChipDecode => "on-chip-decode",
            Self::MergedTransfers => "merged-transfers",
            Self::Prefetch => "prefetch",
        }
    }

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|optimisation| optimisation.name() == name)
    }
}

/// How far ahead the load unit may work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// As far as the buffers reach, over operators and layers.
    #[default]
    Prefetch,
    /// Loads keep their natural order, and the first of each layer waits for everything before it, as where cores meet once a
    /// layer.
    LayerBarriers,
    /// Likewise the first load of each operator: nothing is fetched ahead of the operator in hand.
    OperatorBarriers,
}

impl Schedule {
    /// Every schedule.
    pub const ALL: [Self; 3] = [Self::Prefetch, Self::LayerBarriers, Self::OperatorBarriers];

    /// Name on the command line, in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prefetch => "prefetch",
            Self::LayerBarriers => "layer-barriers",
            Self::OperatorBarriers => "operator-barriers",
        }
    }

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|schedule| schedule.name() == name)
    }
}

/// How much the load unit is given at a time. Less makes no program better: it is how a load unit works that somebody else has
/// built, said for a comparison with it. So it is none of the optimisations, and no ladder of them has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loads {
    /// Bytes of each channel that one `ld` moves at most, whole beats; nothing: as many as a piece of a tile has.
    pub channel_bytes: Option<u32>,
    /// Loads that are under way together at most, from 1 to [`Loads::MOST_IN_FLIGHT`].
    pub in_flight: u32,
}

impl Loads {
    /// What the load unit itself allows: with as many under way, no load waits for another.
    pub const MOST_IN_FLIGHT: u32 = LOADS_IN_FLIGHT as u32;

    /// All that the load unit takes.
    pub const ALL: Self = Self { channel_bytes: None, in_flight: Self::MOST_IN_FLIGHT };
}

/// Whether an optimisation is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Which optimisations are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Optimisations {
    /// [`Optimisation::SparseChain`].
    pub sparse_chain: Switch,
    /// [`Optimisation::OnChipDecode`].
    pub on_chip_decode: Switch,
    /// [`Optimisation::MergedTransfers`].
    pub merged_transfers: Switch,
    /// [`Optimisation::Prefetch`], in its degrees.
    pub schedule: Schedule,
    /// How much the load unit is given at a time, with any of the above and with none.
    pub loads: Loads,
}

impl Optimisations {
    /// All of them: what every program has that is not asked to be slower.
    pub const ALL: Self = Self {
        sparse_chain: Switch::On,
        on_chip_decode: Switch::On,
        merged_transfers: Switch::On,
        schedule: Schedule::Prefetch,
        loads: Loads::ALL,
    };

    /// None of them.
    pub const NONE: Self = Self {
        sparse_chain: Switch::Off,
        on_chip_decode: Switch::Off,
        merged_transfers: Switch::Off,
        schedule: Schedule::OperatorBarriers,
        loads: Loads::ALL,
    };

    /// The same with one of them on or off.
    #[must_use]
    pub const fn with(self, optimisation: Optimisation, switch: Switch) -> Self {
        match optimisation {
            Optimisation::SparseChain => Self { sparse_chain: switch, ..self },
            Optimisation::OnChipDecode => Self { on_chip_decode: switch, ..self },
            Optimisation::MergedTransfers => Self { merged_transfers: switch, ..self },
            Optimisation::Prefetch => {
                let schedule = match switch {
                    Switch::On => Schedule::Prefetch,
                    Switch::Off => Schedule::OperatorBarriers,
                };
                Self { schedule, ..self }
            }
        }
    }

    /// Whether one of them is used. A schedule of layer barriers counts as no prefetch.
    pub const fn switch(self, optimisation: Optimisation) -> Switch {
        match optimisation {
            Optimisation::SparseChain => self.sparse_chain,
            Optimisation::OnChipDecode => self.on_chip_decode,
            Optimisation::MergedTransfers => self.merged_transfers,
            Optimisation::Prefetch => match self.schedule {
                Schedule::Prefetch => Switch::On,
                Schedule::LayerBarriers | Schedule::OperatorBarriers => Switch::Off,
            },
        }
    }

    /// None of them, then one more with each step, until all are used.
    pub fn ladder() -> Vec<Self> {
        let rungs = std::iter::once(None).chain(Optimisation::ALL.map(Some)).scan(Self::NONE, |so_far, next| {
            if let Some(next) = next {
                *so_far = so_far.with(next, Switch::On);
            }
            Some(*so_far)
        });
        rungs.collect()
    }

    /// Every set of them.
    pub fn sets() -> Vec<Self> {
        Optimisation::ALL.iter().fold(vec![Self::NONE], |sets, optimisation| {
            sets.into_iter().flat_map(|set| [set, set.with(*optimisation, Switch::On)]).collect()
        })
    }
}

impl fmt::Display for Optimisations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Optimisation::ALL.into_iter().filter(|optimisation| self.switch(*optimisation) == Switch::On);
        let names: Vec<&str> = on.map(Optimisation::name).collect();
        if names.is_empty() { f.write_str("none") } else { f.write_str(&names.join(" + ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Optimisation, Optimisations, Switch};

    #[test]
    fn a_ladder_goes_from_none_to_all_and_sets_are_all_different() {
        let ladder = Optimisations::ladder();
        assert_eq!((ladder.first(), ladder.last()), (Some(&Optimisations::NONE), Some(&Optimisations::ALL)));
        for (step, pair) in ladder.windows(2).enumerate() {
            assert_eq!(pair[0].with(Optimisation::ALL[step], Switch::On), pair[1]);
            assert_ne!(pair[0], pair[1]);
        }
        let sets = Optimisations::sets();
        assert_eq!(sets.len(), 1 << Optimisation::ALL.len());
        let equal = sets.iter().enumerate().filter(|(i, set)| sets[..*i].contains(set)).count();
        assert_eq!(equal, 0);
        println!("compared {} rungs and {} sets", ladder.len(), sets.len());
    }
}
