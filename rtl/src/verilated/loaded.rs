//! The boundary to a Verilated model: the only unsafe code of the project. What it relies on: the library was built by
//! `build` from `shim.cpp`, and its port table stands in the order of the list of ports that it was built with.
//! It must never hand out a pointer or a reference into the model.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;

use libloading::{Library, Symbol};

use super::ports::PortInfo;

/// Where Verilator keeps a port: the width decides the C++ type.
#[derive(Clone, Copy, Debug)]
enum Storage {
    /// Up to 8 bits.
    Byte(*mut u8),
    /// Up to 16 bits.
    Half(*mut u16),
    /// Up to 32 bits.
    Word(*mut u32),
    /// Up to 64 bits.
    Quad(*mut u64),
    /// More: so many words of 32 bits, the lowest first.
    Wide(*mut u32, usize),
}

type InstanceFn = unsafe extern "C" fn(*mut c_void);
type EvalFn = unsafe extern "C" fn(*mut c_void) -> c_int;
type DumpFn = unsafe extern "C" fn(*mut c_void, u64);

/// One instance of a loaded model.
#[derive(Debug)]
pub(super) struct Loaded {
    instance: *mut c_void,
    ports: Vec<Storage>,
    eval: EvalFn,
    dump: DumpFn,
    free: InstanceFn,
    // The functions above are code of this library: it is dropped last.
    library: Library,
}

impl Loaded {
    /// Loads the library at `path` and makes an instance with all inputs 0.
    pub(super) fn open(path: &Path, ports: &[PortInfo]) -> Result<Self, libloading::Error> {
        // SAFETY: opening runs the initialisers of the C++ runtime only. Each symbol has the type that `shim.cpp`
        // defines it with. The port table has one pointer for each of `ports`, in order, to the type of its width,
        // and lives as long as the instance.
        unsafe {
            let library = Library::new(path)?;
            let new: Symbol<'_, unsafe extern "C" fn() -> *mut c_void> = library.get(b"lapwing_new")?;
            let table: Symbol<'_, unsafe extern "C" fn(*mut c_void) -> *const *mut c_void> =
                library.get(b"lapwing_ports")?;
            let eval = *library.get::<EvalFn>(b"lapwing_eval")?;
            let dump = *library.get::<DumpFn>(b"lapwing_wave_dump")?;
            let free = *library.get::<InstanceFn>(b"lapwing_free")?;
            let instance = new();
            let pointers = table(instance);
            let ports = ports.iter().enumerate().map(|(i, port)| storage(*pointers.add(i), port.width)).collect();
            Ok(Self { instance, ports, eval, dump, free, library })
        }
    }

    /// Lets the model settle; whether it stopped by itself, now or before.
    #[inline]
    pub(super) fn eval(&mut self) -> bool {
        // SAFETY: the instance is valid until drop, and no other reference into it exists.
        unsafe { (self.eval)(self.instance) != 0 }
    }

    /// Why the model stopped by itself; empty if it did not.
    pub(super) fn stopped(&self) -> String {
        // SAFETY: the symbol has this type; the text is valid until the next call into the instance.
        unsafe {
            let stopped: Result<Symbol<'_, unsafe extern "C" fn(*mut c_void) -> *const c_char>, _> =
                self.library.get(b"lapwing_stopped");
            let stopped = stopped.expect("every model is built with the whole shim");
            CStr::from_ptr(stopped(self.instance)).to_string_lossy().into_owned()
        }
    }

    /// The 32 bits number `word` of a port, from its lowest.
    #[inline]
    pub(super) fn read(&self, port: usize, word: usize) -> u32 {
        // SAFETY: the pointers are valid until drop and of these types; `Wide` checks its bound.
        unsafe {
            match self.ports[port] {
                Storage::Byte(at) if word == 0 => u32::from(*at),
                Storage::Half(at) if word == 0 => u32::from(*at),
                Storage::Word(at) if word == 0 => *at,
                Storage::Quad(at) if word < 2 => (*at >> (32 * word)) as u32,
                Storage::Wide(at, words) if word < words => *at.add(word),
                Storage::Byte(_) | Storage::Half(_) | Storage::Word(_) | Storage::Quad(_) | Storage::Wide(..) => {
                    panic!("port {port} has no word {word}")
                }
            }
        }
    }

    /// Sets the 32 bits number `word` of a port, from its lowest. Bits beyond the port's width must be 0.
    #[inline]
    pub(super) fn write(&mut self, port: usize, word: usize, bits: u32) {
        // SAFETY: as in `read`; the exclusive borrow of `self` covers all ports.
        unsafe {
            match self.ports[port] {
                Storage::Byte(at) if word == 0 => *at = bits as u8,
                Storage::Half(at) if word == 0 => *at = bits as u16,
                Storage::Word(at) if word == 0 => *at = bits,
                Storage::Quad(at) if word < 2 => {
                    let mask = u64::from(u32::MAX) << (32 * word);
                    *at = *at & !mask | u64::from(bits) << (32 * word);
                }
                Storage::Wide(at, words) if word < words => *at.add(word) = bits,
                Storage::Byte(_) | Storage::Half(_) | Storage::Word(_) | Storage::Quad(_) | Storage::Wide(..) => {
                    panic!("port {port} has no word {word}")
                }
            }
        }
    }

    /// Opens a file for waves; whether that worked.
    pub(super) fn open_wave(&mut self, path: &CString) -> bool {
        // SAFETY: the symbol has this type; the path is a C string that lives through the call.
        unsafe {
            let open: Result<Symbol<'_, unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int>, _> =
                self.library.get(b"lapwing_wave_open");
            open.expect("every model is built with the whole shim")(self.instance, path.as_ptr()) != 0
        }
    }

    /// Writes the values of all signals to the wave file, if one is open.
    pub(super) fn dump(&mut self, time: u64) {
        // SAFETY: the instance is valid until drop.
        unsafe { (self.dump)(self.instance, time) }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: made by `lapwing_new`, freed once; the library is still open.
        unsafe { (self.free)(self.instance) }
    }
}

/// The type that Verilator gives to a port of so many bits.
fn storage(at: *mut c_void, width: u32) -> Storage {
    match width {
        0 => unreachable!("a port has at least one bit"),
        1..=8 => Storage::Byte(at.cast()),
        9..=16 => Storage::Half(at.cast()),
        17..=32 => Storage::Word(at.cast()),
        33..=64 => Storage::Quad(at.cast()),
        65.. => Storage::Wide(at.cast(), width.div_ceil(32) as usize),
    }
}
