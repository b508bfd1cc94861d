//! Address mapping: which bits of an address in a channel name the bank group, the bank and the row.
//! All sizes are powers of two, so a field is a shift and a mask. Column bits are not decoded: nothing depends on them.

use super::Organisation;

/// A field of an address, from the least significant end above the bytes of an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Bank group number.
    BankGroup,
    /// Bank number within its group.
    Bank,
    /// Atom number within a row.
    Column,
    /// Row number.
    Row,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 4] = [Self::BankGroup, Self::Bank, Self::Column, Self::Row];

    /// Name in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BankGroup => "bank_group",
            Self::Bank => "bank",
            Self::Column => "column",
            Self::Row => "row",
        }
    }

    /// The field called `name`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// Bank and row of an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Bank in the channel, counted group by group.
    pub bank: u32,
    /// Row in the bank.
    pub row: u32,
}

/// A validated address mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    order: [Field; 4],
    bank_group: BitField,
    bank: BitField,
    row: BitField,
    banks_per_group: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BitField {
    shift: u32,
    mask: u64,
}

impl BitField {
    #[inline]
    fn of(self, atom: u64) -> u32 {
        ((atom >> self.shift) & self.mask) as u32
    }
}

impl Mapping {
    /// Fields in `order` from the least significant end; each occurs once and every size is a power of two (checked
    /// by the caller).
    pub(super) fn new(order: [Field; 4], organisation: &Organisation) -> Self {
        let bits = |field: Field| match field {
            Field::BankGroup => organisation.bank_groups.ilog2(),
            Field::Bank => organisation.banks_per_group.ilog2(),
            Field::Column => organisation.atoms_per_row().ilog2(),
            Field::Row => organisation.rows.ilog2(),
        };
        let place = |wanted: Field| {
            let below = order.iter().take_while(|&&field| field != wanted).map(|&field| bits(field)).sum();
            BitField { shift: below, mask: (1 << bits(wanted)) - 1 }
        };
        Self {
            order,
            bank_group: place(Field::BankGroup),
            bank: place(Field::Bank),
            row: place(Field::Row),
            banks_per_group: organisation.banks_per_group,
        }
    }

    /// Fields from the least significant end.
    pub fn order(&self) -> [Field; 4] {
        self.order
    }

    /// Bank and row of the atom with number `atom` (address in the channel / atom bytes). Bits above the channel's
    /// size are not looked at.
    #[inline]
    pub fn locate(&self, atom: u64) -> Location {
        let bank = self.bank_group.of(atom) * self.banks_per_group + self.bank.of(atom);
        Location { bank, row: self.row.of(atom) }
    }

    /// Atoms of the largest aligned block in which each bank holds at most one row.
    pub fn row_block_atoms(&self) -> u64 {
        1 << self.row.shift
    }

    /// Atoms of the largest aligned block whose consecutive atoms visit the bank groups in turn, always the same bank
    /// of each; 1 when bank groups are not the lowest bits.
    pub fn interleaved_block_atoms(&self) -> u64 {
        if self.bank_group.shift != 0 {
            return 1;
        }
        1 << self.bank.shift.min(self.row.shift)
    }
}
