//! `st`: rows of the activation or vector buffer to memory, in runs or fragments.

use super::core::{Core, span};
use super::image::MemoryImage;
use hw_config::isa::{Store, StoreSource};
use hw_config::numeric::convert::f32_to_f16;
use hw_config::timing::{address, extent};

impl Core {
    pub(super) fn store(&mut self, st: &Store, memory: &mut MemoryImage) {
        let rows = extent(st.rows, st.rows_reg, self.register(st.rows_reg), 0);
        let mut bytes = std::mem::take(&mut self.scratch.bytes);
        for row in 0..rows {
            let v = self.register(st.reg) + if st.token_step { row } else { 0 };
            let to = address(st.base, v, st.shift, st.high, st.low) + u64::from(row) * st.row_stride;
            bytes.clear();
            self.store_row(st, row as usize, &mut bytes);
            let size = element_bytes(st.source);
            let fragment = if st.fragment == 0 { st.count } else { st.fragment } as usize * size;
            for (i, piece) in bytes.chunks(fragment.max(1)).enumerate() {
                memory.write(to + i as u64 * u64::from(st.fragment_stride), piece);
            }
        }
        self.scratch.bytes = bytes;
    }

    /// The bytes of a row, in element order.
    fn store_row(&self, st: &Store, row: usize, out: &mut Vec<u8>) {
        let (at, count) = (st.src as usize + row * st.src_stride as usize, st.count as usize);
        match st.source {
            StoreSource::Codes => {
                let codes = &self.activation[span("activation", at * self.chain, count, self.activation.len())];
                out.extend(codes.iter().map(|code| code.cast_unsigned()));
            }
            StoreSource::Scales => {
                let slot = st.src as usize + row;
                let scale = self.slots[span("scale slot", slot, 1, self.slots.len())][0];
                out.extend(f32_to_f16(scale).to_le_bytes());
            }
            StoreSource::Vector => {
                let values = &self.vector[span("vector", at, count, self.vector.len())];
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
    }
}

/// Bytes of an element in memory.
pub(crate) fn element_bytes(source: StoreSource) -> usize {
    match source {
        StoreSource::Codes => 1,
        StoreSource::Scales => 2,
        StoreSource::Vector => 4,
    }
}
