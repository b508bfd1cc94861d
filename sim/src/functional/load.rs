//! `ld`: rows of memory into a buffer.
//!
//! Whole lines cross the bus; only the bytes of each row are kept, so nothing here rounds up.

use super::core::{Core, span};
use super::image::MemoryImage;
use hw_config::isa::{Convert, Load, LoadBuffer};
use hw_config::numeric::convert::f16_to_f32;
use hw_config::numeric::fp32::canonical;
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
            LoadBuffer::Parameter => match ld.convert {
                Convert::Raw => widen::<4>(&mut self.parameter, at, source, |b| canonical(f32::from_le_bytes(b))),
                Convert::F16 => widen::<2>(&mut self.parameter, at, source, |b| f16_to_f32(u16::from_le_bytes(b))),
            },
        }
    }
}

fn copy(buffer: &str, bytes: &mut [u8], at: usize, source: &[u8]) {
    let range = span(buffer, at, source.len(), bytes.len());
    bytes[range].copy_from_slice(source);
}

/// Elements of `N` bytes into the parameter buffer, in stored form.
fn widen<const N: usize>(parameter: &mut [f32], at: usize, source: &[u8], element: impl Fn([u8; N]) -> f32) {
    let (elements, rest) = source.as_chunks::<N>();
    assert!(rest.is_empty(), "a row of {} bytes is no whole number of {N}-byte elements", source.len());
    let range = span("parameter", at, elements.len(), parameter.len());
    for (slot, &bytes) in parameter[range].iter_mut().zip(elements) {
        *slot = element(bytes);
    }
}
