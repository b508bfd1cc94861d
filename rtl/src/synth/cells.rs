//! What the cells of a netlist take: the primitives of UltraScale+ (UG974) that Yosys maps to. It must never take a cell
//! that it does not know for nothing.

/// Resources as a netlist has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// Look-up tables that compute.
    pub lut: u64,
    /// Look-up tables used as memory.
    pub lutram: u64,
    /// Look-up tables used as shift registers.
    pub srl: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Halves of block RAMs of 36 Kib.
    pub bram18: u64,
    /// UltraRAMs.
    pub uram: u64,
    /// DSP blocks.
    pub dsp: u64,
}

impl Cells {
    /// What one cell takes; none for a name that is no primitive that Yosys maps to.
    pub(super) fn of_primitive(name: &str) -> Option<Self> {
        let zero = Self::default();
        let lut = |lut| Some(Self { lut, ..zero });
        let lutram = |lutram| Some(Self { lutram, ..zero });
        match name {
            // An inverter is a LUT unless the cell behind it takes it in.
            "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" | "LUT6_2" | "INV" => lut(1),
            "FDRE" | "FDSE" | "FDCE" | "FDPE" => Some(Self { ff: 1, ..zero }),
            "SRL16E" | "SRLC16E" | "SRLC32E" => Some(Self { srl: 1, ..zero }),
            "RAM32X1S" | "RAM64X1S" => lutram(1),
            "RAM32X1D" | "RAM64X1D" | "RAM128X1S" => lutram(2),
            "RAM128X1D" | "RAM256X1S" | "RAM32M" | "RAM64M" => lutram(4),
            "RAM256X1D" | "RAM512X1S" | "RAM32M16" | "RAM64M8" | "RAM32X16DR8" | "RAM64X8SW" => lutram(8),
            "RAMB18E2" => Some(Self { bram18: 1, ..zero }),
            "RAMB36E2" => Some(Self { bram18: 2, ..zero }),
            "URAM288" | "URAM288_BASE" => Some(Self { uram: 1, ..zero }),
            "DSP48E2" => Some(Self { dsp: 1, ..zero }),
            // They stand beside every LUT or come with the fabric.
            "CARRY4" | "CARRY8" | "MUXF7" | "MUXF8" | "MUXF9" | "VCC" | "GND" => Some(zero),
            _ => None,
        }
    }

    /// All LUTs, whatever they are used for.
    pub const fn all_luts(&self) -> u64 {
        self.lut + self.lutram + self.srl
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            lut: self.lut + other.lut,
            lutram: self.lutram + other.lutram,
            srl: self.srl + other.srl,
            ff: self.ff + other.ff,
            bram18: self.bram18 + other.bram18,
            uram: self.uram + other.uram,
            dsp: self.dsp + other.dsp,
        }
    }

    /// So many times the same.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self {
            lut: self.lut * n,
            lutram: self.lutram * n,
            srl: self.srl * n,
            ff: self.ff * n,
            bram18: self.bram18 * n,
            uram: self.uram * n,
            dsp: self.dsp * n,
        }
    }
}
