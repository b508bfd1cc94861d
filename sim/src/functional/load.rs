//! `ld`: rows of memory into a buffer.
//!
//! Whole lines cross the bus; only the bytes of each row are kept, so nothing here rounds up. Bytes are copied as they
//! are: a buffer's reader says what they mean.

use super::core::{Core, PARAMETER_BYTES, span};
use super::image::MemoryImage;
use hw_config::isa::{Load, LoadBuffer};
use hw_config::timing::{address, load_extent};

impl Core {
    pub(super) fn load(&mut self, ld: &Load, memory: &MemoryImage) {
        let (rows, bytes) = load_extent(ld, &self.registers);
        let base = address(ld.base, self.register(ld.reg), 0, ld.high, 0);
        for row in 0..u64::from(rows) {
            let source = memory.read(base + row * ld.stride, bytes as usize);
            let at = ld.dst as usize + row as usize * ld.dst_stride as usize;
            self.load_row(ld, at, source);
        }
    }

    fn load_row(&mut self, ld: &Load, at: usize, source: &[u8]) {
        let chunk_bytes = self.width * self.chain;
        match ld.buffer {
            LoadBuffer::Weight => copy("weight", &mut self.weight, at * chunk_bytes, source),
            LoadBuffer::Index => copy("index", &mut self.index, at * chunk_bytes, source),
            LoadBuffer::Scale => copy("scale", &mut self.scale, at * self.width, source),
            LoadBuffer::Density => copy("density", &mut self.density, at * self.density_row_bytes, source),
            LoadBuffer::Parameter => copy("parameter", &mut self.parameter, at * PARAMETER_BYTES, source),
        }
    }
}

fn copy(buffer: &str, bytes: &mut [u8], at: usize, source: &[u8]) {
    let range = span(buffer, at, source.len(), bytes.len());
    bytes[range].copy_from_slice(source);
}
