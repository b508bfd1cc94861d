//! The bytes of the data memory, as the program addresses them. Striping over channels does not change what an
//! address holds, so it does not show here.

/// A byte image of the logical address space of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryImage {
    bytes: Vec<u8>,
}

impl MemoryImage {
    /// A memory of `bytes` zero bytes. The host gives pages out as they are first written, so a large image costs
    /// only what is used of it.
    pub fn new(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes] }
    }

    /// Bytes of the image.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the image has no byte.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The `count` bytes at `address`.
    ///
    /// # Panics
    /// When they are not all inside the image.
    #[inline]
    pub fn read(&self, address: u64, count: usize) -> &[u8] {
        self.assert_inside(address, count);
        &self.bytes[address as usize..address as usize + count]
    }

    /// Puts `data` at `address`.
    ///
    /// # Panics
    /// When it does not end inside the image.
    #[inline]
    pub fn write(&mut self, address: u64, data: &[u8]) {
        self.assert_inside(address, data.len());
        self.bytes[address as usize..address as usize + data.len()].copy_from_slice(data);
    }

    fn assert_inside(&self, address: u64, count: usize) {
        let inside = address.checked_add(count as u64).is_some_and(|end| end <= self.bytes.len() as u64);
        assert!(inside, "memory access of {count} bytes at {address:#x}: the image has {:#x} bytes", self.bytes.len());
    }
}
