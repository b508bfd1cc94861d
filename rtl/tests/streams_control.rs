//! `control_slave` under a random AXI4-Lite manager, beside a plain statement of the Vitis register map: every answer,
//! every register write of the core, the arguments, start, done and interrupt.

use hw_config::program::random::Rng;
use rtl::verilated::{Design, Model, Port, sources_for_test};
use std::collections::VecDeque;
use std::path::Path;

const ACCESSES: usize = 6_000;
const CHANNELS: usize = 4;
const FIRST_ARGUMENT: u64 = 0x10;
const STRIDE: u64 = 12;
const WINDOW: u64 = 0x400;

/// The kernel's registers as the host sees them.
#[derive(Default)]
struct Registers {
    start: bool,
    restart: bool,
    done: bool,
    ready: bool,
    interrupts: bool,
    enable: u64,
    pending: u64,
    /// Words of the arguments, by offset / 4.
    arguments: Vec<u32>,
}

impl Registers {
    fn is_argument(offset: u64) -> bool {
        let Some(from) = offset.checked_sub(FIRST_ARGUMENT) else { return false };
        let (k, at) = (from / STRIDE, from % STRIDE);
        k < CHANNELS as u64 + 2 && (at == 0 || (at == 4 && k != 1))
    }

    fn read(&self, offset: u64, idle: bool, error: bool) -> u64 {
        let bit = |flag: bool, place: u32| u64::from(flag) << place;
        match offset {
            0 => bit(self.start, 0) | bit(self.done, 1) | bit(idle, 2) | bit(self.ready, 3) | bit(self.restart, 7),
            4 => u64::from(self.interrupts),
            8 => self.enable,
            12 => self.pending,
            _ if offset == WINDOW - 4 => u64::from(error),
            _ if Self::is_argument(offset) => self.arguments[offset as usize / 4].into(),
            _ => 0,
        }
    }

    /// A write, and what the kernel says in the same period.
    fn step(&mut self, write: Option<(u64, u32, u64)>, read_control: bool, done: bool) {
        self.done = done || (self.done && !read_control);
        self.ready = done || (self.ready && !read_control);
        let set = if done { self.enable } else { 0 };
        if done {
            self.start = self.restart;
        }
        if let Some((offset, data, strobes)) = write {
            let low = strobes & 1 == 1;
            match offset {
                0 if low => {
                    self.start |= data & 1 == 1;
                    self.restart = data >> 7 & 1 == 1;
                }
                4 if low => self.interrupts = data & 1 == 1,
                8 if low => self.enable = u64::from(data & 3),
                12 if low => self.pending ^= u64::from(data & 3),
                _ if Self::is_argument(offset) => {
                    let word = &mut self.arguments[offset as usize / 4];
                    for byte in (0..4).filter(|byte| strobes >> byte & 1 == 1) {
                        let mask = 0xff << (8 * byte);
                        *word = *word & !mask | data & mask;
                    }
                }
                _ => {}
            }
        }
        self.pending |= set;
    }
}

struct Bench {
    model: Model,
    rng: Rng,
    registers: Registers,
    /// Addresses and data sent and not joined; writes done and not answered; reads answered and not taken.
    addresses: VecDeque<u64>,
    data: VecDeque<(u32, u64)>,
    answers: usize,
    read: Option<u64>,
    /// What the manager offers.
    sends_address: Option<u64>,
    sends_data: Option<(u32, u64)>,
    sends_read: Option<u64>,
    window: Option<(u64, u32)>,
    compared: [usize; 4],
}

fn offset(rng: &mut Rng) -> u64 {
    4 * match rng.up_to(5) {
        0 | 1 => rng.up_to(3),
        2 => rng.up_to(255),
        3 => WINDOW / 4 - 1 + rng.up_to(129),
        _ => FIRST_ARGUMENT / 4 + rng.up_to(3 * (CHANNELS as u64 + 2)),
    }
}

impl Bench {
    fn port(&self, name: &str) -> Port {
        self.model.port(name)
    }

    fn set(&mut self, name: &str, value: u64) {
        let port = self.port(name);
        self.model.set(port, value);
    }

    fn get(&self, name: &str) -> u64 {
        self.model.get(self.port(name))
    }

    fn offer(&mut self) {
        if self.sends_address.is_none() && self.rng.one_in(3) {
            self.sends_address = Some(offset(&mut self.rng));
        }
        if self.sends_data.is_none() && self.rng.one_in(3) {
            let strobes = if self.rng.one_in(3) { self.rng.up_to(15) } else { 15 };
            self.sends_data = Some((self.rng.next_u64() as u32, strobes));
        }
        if self.sends_read.is_none() && self.rng.one_in(2) {
            self.sends_read = Some(offset(&mut self.rng));
        }
        self.set("awvalid_i", self.sends_address.is_some().into());
        let low = self.rng.up_to(3);
        self.set("awaddr_i", self.sends_address.unwrap_or(0) | low);
        self.set("wvalid_i", self.sends_data.is_some().into());
        let (data, strobes) = self.sends_data.unwrap_or((0xffff_ffff, 15));
        self.set("wdata_i", data.into());
        self.set("wstrb_i", strobes);
        self.set("arvalid_i", self.sends_read.is_some().into());
        self.set("araddr_i", self.sends_read.unwrap_or(0) | low);
    }

    fn check_kernel(&mut self) {
        assert_eq!(self.get("ap_start_o") == 1, self.registers.start, "start");
        let interrupt = self.registers.interrupts && self.registers.pending != 0;
        assert_eq!(self.get("interrupt_o") == 1, interrupt, "interrupt");
        let word = |offset: u64| u64::from(self.registers.arguments[offset as usize / 4]);
        let long = |k: u64| word(FIRST_ARGUMENT + STRIDE * k) | word(FIRST_ARGUMENT + STRIDE * k + 4) << 32;
        assert_eq!(self.get("instructions_o"), long(0), "address of the program");
        assert_eq!(self.get("instruction_count_o"), word(FIRST_ARGUMENT + STRIDE), "count of instructions");
        let memory = self.port("memory_o");
        for c in 0..CHANNELS {
            assert_eq!(self.model.get_bits(memory, 64 * c as u32, 64), long(2 + c as u64), "memory {c}");
        }
        assert_eq!(self.get("register_write_o") == 1, self.window.is_some(), "register write");
        if let Some((number, value)) = self.window {
            let got = (self.get("register_number_o"), self.get("register_value_o") as u32);
            assert_eq!(got, (number, value), "register write");
            self.compared[2] += 1;
        }
        self.compared[3] += 1;
    }

    fn period(&mut self) {
        self.offer();
        let (b_ready, r_ready) = (!self.rng.one_in(3), !self.rng.one_in(3));
        let (idle, error) = (self.rng.one_in(2), self.rng.one_in(2));
        let done = self.registers.start && self.rng.one_in(8);
        self.set("bready_i", b_ready.into());
        self.set("rready_i", r_ready.into());
        self.set("ap_idle_i", idle.into());
        self.set("error_i", error.into());
        self.set("ap_done_i", done.into());
        self.set("ap_ready_i", done.into());
        self.model.eval();
        self.check_kernel();

        // A write is done when both its parts have come and no answer is in its way.
        assert_eq!(self.get("bvalid_o"), self.answers as u64, "answer to a write");
        let answered = self.answers > 0 && b_ready;
        let joined = !self.addresses.is_empty() && !self.data.is_empty() && (self.answers == 0 || answered);
        assert_eq!(self.get("awready_o") == 1, self.addresses.is_empty(), "room for an address");
        assert_eq!(self.get("wready_o") == 1, self.data.is_empty(), "room for data");
        let taken_address = self.sends_address.filter(|_| self.addresses.is_empty());
        let taken_data = self.sends_data.filter(|_| self.data.is_empty());
        self.answers = self.answers - usize::from(answered) + usize::from(joined);
        self.compared[0] += usize::from(answered);

        assert_eq!(self.get("rvalid_o") == 1, self.read.is_some(), "answer to a read");
        if let Some(value) = self.read {
            assert_eq!((self.get("rdata_o"), self.get("rresp_o")), (value, 0), "answer to a read");
        }
        let taken_read = self.sends_read.filter(|_| self.read.is_none());
        if self.read.is_some() && r_ready {
            self.read = None;
            self.compared[1] += 1;
        }
        if let Some(offset) = taken_read {
            self.read = Some(self.registers.read(offset, idle, error));
            self.sends_read = None;
        }
        let write = joined.then(|| {
            let (data, strobes) = self.data.pop_front().expect("seen above");
            (self.addresses.pop_front().expect("seen above"), data, strobes)
        });
        self.window = write.and_then(|(offset, data, strobes)| {
            let number = offset.checked_sub(WINDOW).map(|from| from / 4).filter(|number| *number < 128);
            number.filter(|_| strobes == 15).map(|number| (number, data))
        });
        self.registers.step(write, taken_read == Some(0), done);
        if let Some(address) = taken_address {
            self.addresses.push_back(address);
            self.sends_address = None;
        }
        if let Some(data) = taken_data {
            self.data.push_back(data);
            self.sends_data = None;
        }
        self.model.tick();
    }
}

#[test]
fn control_slave_is_the_register_map() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let sources = sources_for_test("control_slave", &target.join("control_slave_sources"));
    let design = Design::new("control_slave", sources).with("Channels", CHANNELS as u64);
    let model = design.build(&target.join("verilated"), false).unwrap_or_else(|error| panic!("{error}"));
    let mut bench = Bench {
        model,
        rng: Rng::new(9),
        registers: Registers { arguments: vec![0; 256], ..Registers::default() },
        addresses: VecDeque::new(),
        data: VecDeque::new(),
        answers: 0,
        read: None,
        sends_address: None,
        sends_data: None,
        sends_read: None,
        window: None,
        compared: [0; 4],
    };
    bench.set("rst_ni", 0);
    bench.model.tick();
    bench.set("rst_ni", 1);
    while bench.compared[0] + bench.compared[1] < ACCESSES {
        bench.period();
    }
    let [writes, reads, windows, periods] = bench.compared;
    println!("{writes} writes, {reads} reads, {windows} register writes compared in {periods} periods");
    assert!(writes > 0 && reads > 0 && windows > 0, "nothing compared");
}
