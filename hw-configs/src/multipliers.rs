//! Multipliers beside those of the matrix array, by what they are for: a machine says which of them are built of LUTs. Either
//! way they give the same bits after the same cycles; only what they take of the board differs.

/// A kind of multipliers. All of a kind are alike, in every lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplier {
    /// Drain lanes: a sum times its group's scale, the accumulator times its row's.
    Scales,
    /// Vector unit: the four f32 products of a lane, and that of the scalars of rows.
    Products,
    /// Vector unit: the product in front of the rounding to codes, in each lane.
    Quantizers,
    /// Vector unit: the exponential of each lane.
    Exponentials,
    /// Vector unit: the reciprocal of each lane, and that of the scalars of rows.
    Reciprocals,
    /// Vector unit: the reciprocal root of the scalars of rows.
    Roots,
    /// Vector unit: the address of an operation's first row.
    Rows,
    /// Loads and stores: their run-time addresses.
    Addresses,
}

impl Multiplier {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Scales,
        Self::Products,
        Self::Quantizers,
        Self::Exponentials,
        Self::Reciprocals,
        Self::Roots,
        Self::Rows,
        Self::Addresses,
    ];

    /// Name in machine files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scales => "scales",
            Self::Products => "products",
            Self::Quantizers => "quantizers",
            Self::Exponentials => "exponentials",
            Self::Reciprocals => "reciprocals",
            Self::Roots => "roots",
            Self::Rows => "rows",
            Self::Addresses => "addresses",
        }
    }

    /// Its bit in a set of kinds, as the Verilog takes it.
    pub const fn bit(self) -> u64 {
        1 << self as u32
    }
}
