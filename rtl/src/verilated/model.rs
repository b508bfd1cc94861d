//! A loaded model: ports, settling, clock. It must never change a port that its user did not set, except the clock.

use std::ffi::CString;
use std::path::Path;

use super::build::Built;
use super::loaded::Loaded;
use super::ports::{Direction, PortInfo};
use super::{BuildError, Design};

/// A port of one model: an index, so that an access is no search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Port(usize);

/// An instance of a Verilated design.
///
/// A clock period is: set inputs, [`Model::eval`], get outputs, [`Model::tick`]. Between `eval` and `tick` all outputs
/// have the values that they have at the end of the present clock period, before the edge that ends it.
///
/// The model is a 2-state one: X does not exist, registers without reset begin at 0.
#[derive(Debug)]
pub struct Model {
    top: String,
    ports: Vec<PortInfo>,
    clock: Option<Port>,
    clock_is_high: bool,
    is_settled: bool,
    has_wave: bool,
    loaded: Loaded,
}

impl Model {
    pub(super) fn load(design: &Design, built: &Built, has_wave: bool) -> Result<Self, BuildError> {
        let loaded = Loaded::open(&built.library, &built.ports)
            .map_err(|error| BuildError::Load { path: built.library.clone(), message: error.to_string() })?;
        let clock = design.clock.map(|name| find_clock(&design.top, &built.ports, name)).transpose()?;
        let mut model = Self {
            top: design.top.clone(),
            ports: built.ports.clone(),
            clock,
            clock_is_high: false,
            is_settled: false,
            has_wave,
            loaded,
        };
        // `initial` blocks run now: a parameter out of its range is found here.
        if model.loaded.eval() {
            return Err(BuildError::Stopped { top: model.top.clone(), message: model.loaded.stopped() });
        }
        Ok(model)
    }

    /// The port of a name.
    ///
    /// # Panics
    /// If there is none: the message names those that there are.
    pub fn port(&self, name: &str) -> Port {
        let found = self.ports.iter().position(|port| port.name == name);
        Port(found.unwrap_or_else(|| {
            let names: Vec<&str> = self.ports.iter().map(|port| port.name.as_str()).collect();
            panic!("`{}` has no port `{name}`; its ports: {}", self.top, names.join(", "))
        }))
    }

    /// All ports, in no particular order.
    pub fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    /// Width of a port in bits.
    #[inline]
    pub fn width(&self, port: Port) -> u32 {
        self.ports[port.0].width
    }

    /// Words of 32 bits of a port: the length of what [`Model::set_wide`] takes and [`Model::get_wide`] fills.
    #[inline]
    pub fn words(&self, port: Port) -> usize {
        self.width(port).div_ceil(32) as usize
    }

    /// Sets an input of at most 64 bits. It takes effect at the next [`Model::eval`] or [`Model::tick`].
    ///
    /// # Panics
    /// If the port is no input, is wider, or the value does not fit it.
    #[inline]
    pub fn set(&mut self, port: Port, value: u64) {
        let width = self.width(port);
        assert!(width <= 64, "port `{}` has {width} bits: use set_wide or set_bits", self.ports[port.0].name);
        self.set_bits(port, 0, width, value);
    }

    /// Sets an input of any width from words of 32 bits, the lowest first.
    ///
    /// # Panics
    /// If the port is no input, there are more or fewer words than [`Model::words`], or the value does not fit.
    #[inline]
    pub fn set_wide(&mut self, port: Port, words: &[u32]) {
        let info = &self.ports[port.0];
        assert!(info.direction == Direction::Input, "port `{}` is an output", info.name);
        assert!(words.len() == info.width.div_ceil(32) as usize, "port `{}` has {} bits", info.name, info.width);
        let beyond = info.width % 32;
        let last = words[words.len() - 1];
        assert!(beyond == 0 || last >> beyond == 0, "port `{}` has {} bits: value too wide", info.name, info.width);
        for (i, word) in words.iter().enumerate() {
            self.loaded.write(port.0, i, *word);
        }
        self.is_settled = false;
    }

    /// Sets `width` bits (at most 64) of an input from bit `at` on and leaves the others: a lane of a flat vector.
    ///
    /// # Panics
    /// If the port is no input, has not these bits, or the value does not fit them.
    #[inline]
    pub fn set_bits(&mut self, port: Port, at: u32, width: u32, value: u64) {
        let info = &self.ports[port.0];
        assert!(info.direction == Direction::Input, "port `{}` is an output", info.name);
        check_bits(info, at, width);
        assert!(width == 64 || value >> width == 0, "port `{}`: {value:#x} is wider than {width} bits", info.name);
        let (mut done, mut at) = (0, at);
        while done < width {
            let (word, bit) = ((at / 32) as usize, at % 32);
            let taken = (32 - bit).min(width - done);
            let mask = low_mask(taken) << bit;
            let bits = ((value >> done) as u32) << bit & mask;
            let kept = if mask == u32::MAX { 0 } else { self.loaded.read(port.0, word) & !mask };
            self.loaded.write(port.0, word, kept | bits);
            (done, at) = (done + taken, at + taken);
        }
        self.is_settled = false;
    }

    /// A port of at most 64 bits, as of the last [`Model::eval`] or [`Model::tick`].
    ///
    /// # Panics
    /// If the port is wider.
    #[inline]
    pub fn get(&self, port: Port) -> u64 {
        let width = self.width(port);
        assert!(width <= 64, "port `{}` has {width} bits: use get_wide or get_bits", self.ports[port.0].name);
        self.get_bits(port, 0, width)
    }

    /// Copies a port of any width into words of 32 bits, the lowest first.
    ///
    /// # Panics
    /// If there are more or fewer words than [`Model::words`].
    #[inline]
    pub fn get_wide(&self, port: Port, words: &mut [u32]) {
        let info = &self.ports[port.0];
        assert!(words.len() == info.width.div_ceil(32) as usize, "port `{}` has {} bits", info.name, info.width);
        for (i, word) in words.iter_mut().enumerate() {
            *word = self.loaded.read(port.0, i);
        }
    }

    /// `width` bits (at most 64) of a port from bit `at` on: a lane of a flat vector.
    ///
    /// # Panics
    /// If the port has not these bits.
    #[inline]
    pub fn get_bits(&self, port: Port, at: u32, width: u32) -> u64 {
        check_bits(&self.ports[port.0], at, width);
        let (mut done, mut at, mut value) = (0, at, 0);
        while done < width {
            let (word, bit) = ((at / 32) as usize, at % 32);
            let taken = (32 - bit).min(width - done);
            let bits = self.loaded.read(port.0, word) >> bit & low_mask(taken);
            value |= u64::from(bits) << done;
            (done, at) = (done + taken, at + taken);
        }
        value
    }

    /// Lets everything settle with the clock low: outputs then are what they are at the end of the present clock
    /// period. Registers keep their values.
    ///
    /// # Panics
    /// If the design stops by itself (`$finish`, `$stop`, no settling): where, and what it printed.
    #[inline]
    pub fn eval(&mut self) {
        if let Some(clock) = self.clock {
            self.loaded.write(clock.0, 0, 0);
            self.clock_is_high = false;
        }
        self.settle();
    }

    /// The rising edge that ends the present clock period: registers take what stands before them with the inputs as
    /// they are set now (what was set since the last [`Model::eval`] is settled first). Afterwards outputs have the
    /// values of the new period under the inputs of the old one: those straight from registers can be read, for the
    /// others set the inputs and call [`Model::eval`], which also takes the clock low again.
    ///
    /// # Panics
    /// As [`Model::eval`], and for a design without a clock.
    #[inline]
    pub fn tick(&mut self) {
        let clock = self.clock.unwrap_or_else(|| panic!("`{}` has no clock", self.top));
        if self.clock_is_high || !self.is_settled {
            self.eval();
        }
        self.loaded.write(clock.0, 0, 1);
        self.clock_is_high = true;
        self.settle();
    }

    /// Opens a wave file (FST). Replaces one that is open.
    ///
    /// # Errors
    /// The file cannot be written.
    ///
    /// # Panics
    /// If the model was built without waves, or the path has a zero byte.
    pub fn open_wave(&mut self, path: &Path) -> Result<(), BuildError> {
        assert!(self.has_wave, "`{}` was built without waves", self.top);
        let text = CString::new(path.as_os_str().as_encoded_bytes()).expect("a path without zero bytes");
        let error = || BuildError::File { path: path.to_owned(), message: "cannot be written".to_owned() };
        if self.loaded.open_wave(&text) { Ok(()) } else { Err(error()) }
    }

    /// Writes the present values of all signals to the wave file, at a time that must grow from call to call. Does
    /// nothing while no file is open; the file is complete when the model is dropped.
    pub fn dump(&mut self, time: u64) {
        self.loaded.dump(time);
    }

    #[inline]
    fn settle(&mut self) {
        assert!(!self.loaded.eval(), "`{}` stopped by itself at {}", self.top, self.loaded.stopped());
        self.is_settled = true;
    }
}

fn find_clock(top: &str, ports: &[PortInfo], name: &str) -> Result<Port, BuildError> {
    let is_candidate = |port: &PortInfo| port.width == 1 && port.direction == Direction::Input;
    let found = ports.iter().position(|port| port.name == name && is_candidate(port));
    found.map(Port).ok_or_else(|| {
        let inputs: Vec<&str> = ports.iter().filter(|port| is_candidate(port)).map(|port| port.name.as_str()).collect();
        BuildError::Clock { top: top.to_owned(), clock: name.to_owned(), inputs: inputs.join(", ") }
    })
}

#[inline]
fn check_bits(info: &PortInfo, at: u32, width: u32) {
    let fits = (1..=64).contains(&width) && at.checked_add(width).is_some_and(|end| end <= info.width);
    assert!(fits, "port `{}` has {} bits, not {width} from bit {at}", info.name, info.width);
}

/// The lowest `width` (1 to 32) bits.
#[inline]
fn low_mask(width: u32) -> u32 {
    u32::MAX >> (32 - width)
}
