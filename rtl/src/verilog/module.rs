//! A module that is being written: ports, wires, assignments, instances, tables. Every connection is checked against
//! what the other side has; at the end every bit has exactly one driver and a reader. It must never write a module in
//! which one of these does not hold.

use super::Value;
use super::emit;
use super::fault::Fault;
use super::leaf::{Leaf, PortDirection};
use super::signal::{Expression, Signal};

/// What is connected to a port of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// A value for an input; signals side by side for an output.
    Expression(Expression),
    /// Nothing: an output that nobody needs.
    Open,
}

impl<T: Into<Expression>> From<T> for Pin {
    fn from(expression: T) -> Self {
        Self::Expression(expression.into())
    }
}

/// One row of a table: the values of its columns at an address that is the row's number.
pub type Case = Vec<u64>;

/// What a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Output,
    Wire,
}

/// A declared signal.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) width: u32,
    pub(super) role: Role,
    driven: Vec<bool>,
    read: Vec<bool>,
}

/// A line of the port list.
#[derive(Clone, Debug)]
pub(super) enum PortLine {
    Comment(String),
    Port(Signal),
}

/// A part of the body.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Comment(String),
    Include(String),
    Wire(Signal),
    Assign {
        target: Expression,
        value: Expression,
    },
    /// Named so that linters know it is meant: bits that nobody reads.
    Unused {
        name: String,
        bits: Vec<Expression>,
    },
    Instance {
        leaf: String,
        name: String,
        parameters: Vec<(String, Value)>,
        pins: Vec<(String, Expression)>,
    },
    /// A look-up: all columns side by side, the first in the high bits.
    Table {
        address: Signal,
        columns: Vec<Signal>,
        rows: Vec<Case>,
    },
}

/// A module that is being written.
#[derive(Clone, Debug)]
pub struct Module {
    pub(super) name: String,
    pub(super) header: String,
    pub(super) signals: Vec<Declared>,
    pub(super) ports: Vec<PortLine>,
    pub(super) items: Vec<Item>,
    instances: Vec<String>,
    faults: Vec<Fault>,
}

impl Module {
    /// An empty module. `header` is its comment: what it does, latency, initiation interval, what it does not do, which
    /// ports are registered.
    pub fn new(name: &str, header: &str) -> Self {
        Self {
            name: name.to_owned(),
            header: header.to_owned(),
            signals: Vec::new(),
            ports: Vec::new(),
            items: Vec::new(),
            instances: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A comment before the ports that follow.
    pub fn port_comment(&mut self, text: &str) {
        self.ports.push(PortLine::Comment(text.to_owned()));
    }

    /// An input port.
    pub fn input(&mut self, name: &str, width: u32) -> Signal {
        self.port(name, width, Role::Input)
    }

    /// An output port. It is driven like a wire and may be read.
    pub fn output(&mut self, name: &str, width: u32) -> Signal {
        self.port(name, width, Role::Output)
    }

    /// A wire.
    pub fn wire(&mut self, name: &str, width: u32) -> Signal {
        let signal = self.declare(name, width, Role::Wire);
        self.items.push(Item::Wire(signal));
        signal
    }

    /// A comment before what follows.
    pub fn comment(&mut self, text: &str) {
        self.items.push(Item::Comment(text.to_owned()));
    }

    /// Includes a file.
    pub fn include(&mut self, file: &str) {
        self.items.push(Item::Include(file.to_owned()));
    }

    /// Drives signals with a value.
    pub fn assign(&mut self, target: impl Into<Expression>, value: impl Into<Expression>) {
        let (target, value) = (target.into(), value.into());
        let widths = self.width(&target).and_then(|target| Ok((target, self.width(&value)?)));
        match widths {
            Err(message) => self.fault_width(message),
            Ok((target_width, width)) if target_width != width => {
                let name = emit::text(&target, self);
                self.fault_width(format!("`{name}` has {target_width} bits and gets a value of {width}"));
            }
            Ok(_) => {
                self.drive(&target);
                self.read(&value);
                self.items.push(Item::Assign { target, value });
            }
        }
    }

    /// Says that these bits are not needed, as `unused_<name>`.
    pub fn unused(&mut self, name: &str, bits: Vec<Expression>) {
        for part in &bits {
            self.read(part);
        }
        self.items.push(Item::Unused { name: format!("unused_{name}"), bits });
    }

    /// An instance of a leaf. Every port is connected, in any order; an output that is not needed to [`Pin::Open`].
    pub fn instance(&mut self, leaf: &Leaf, name: &str, parameters: &[(&str, Value)], pins: Vec<(&str, Pin)>) {
        if let Err(fault) = self.add_instance(leaf, name, parameters, pins) {
            self.faults.push(fault);
        }
    }

    /// A look-up table: `columns` (outputs or wires) take the values of the row that `address` numbers. It has
    /// 2^(bits of the address) rows.
    pub fn table(&mut self, address: Signal, columns: &[Signal], rows: Vec<Case>) {
        let expected = 1_usize.checked_shl(address.width).unwrap_or(0);
        if rows.len() != expected {
            let message =
                format!("the table has {} rows, its address of {} bits {expected}", rows.len(), address.width);
            return self.fault_width(message);
        }
        let wide = |row: &Case| {
            row.len() != columns.len() || row.iter().zip(columns).any(|(v, c)| c.width < 64 && v >> c.width != 0)
        };
        if let Some(at) = rows.iter().position(wide) {
            return self.fault_width(format!("row {at} of the table does not fit its columns"));
        }
        self.read(&address.into());
        for column in columns {
            self.drive(&(*column).into());
        }
        self.items.push(Item::Table { address, columns: columns.to_vec(), rows });
    }

    /// The text of the module.
    ///
    /// # Errors
    /// Every fault of what was added, and every bit that has not exactly one driver or no reader.
    pub fn finish(mut self) -> Result<String, Vec<Fault>> {
        for signal in &self.signals {
            let undriven = signal.driven.iter().position(|driven| !driven);
            let unread = signal.read.iter().position(|read| !read);
            // Reading a port from outside, and driving it, is its user's.
            let found = match signal.role {
                Role::Input => unread.map(|bit| (bit, "is never read: give it to `unused` if that is meant")),
                Role::Output => undriven.map(|bit| (bit, "is never driven")),
                Role::Wire => undriven
                    .map(|bit| (bit, "is never driven"))
                    .or(unread.map(|bit| (bit, "is never read: give it to `unused` if that is meant"))),
            };
            if let Some((bit, what)) = found {
                let message = format!("bit {bit} of `{}` {what}", signal.name);
                self.faults.push(Fault::Wiring { module: self.name.clone(), message });
            }
        }
        if self.faults.is_empty() { Ok(emit::module(&self)) } else { Err(self.faults) }
    }

    fn add_instance(
        &mut self,
        leaf: &Leaf,
        name: &str,
        parameters: &[(&str, Value)],
        pins: Vec<(&str, Pin)>,
    ) -> Result<(), Fault> {
        let (module, instance) = (self.name.clone(), format!("`{name}` of `{}`", leaf.name));
        let fault = |message: String| Fault::Port { module: module.clone(), instance: instance.clone(), message };
        let parameter_fault =
            |message: String| Fault::Parameter { module: module.clone(), instance: instance.clone(), message };
        if !name.starts_with("u_") || self.instances.iter().any(|known| known == name) {
            return Err(fault("an instance needs a name of its own that begins with `u_`".to_owned()));
        }
        let values = leaf.values(parameters).map_err(parameter_fault)?;
        let widths = leaf.widths(&values).map_err(parameter_fault)?;
        if let Some((unknown, _)) = pins.iter().find(|(pin, _)| leaf.ports.iter().all(|port| port.name != *pin)) {
            let known: Vec<&str> = leaf.ports.iter().map(|port| port.name.as_str()).collect();
            return Err(fault(format!("no port `{unknown}`; its ports: {}", known.join(", "))));
        }
        let mut connected = Vec::new();
        for (port, width) in leaf.ports.iter().zip(widths) {
            let mut of_port = pins.iter().filter(|(pin, _)| *pin == port.name).map(|(_, pin)| pin);
            let (Some(pin), None) = (of_port.next(), of_port.next()) else {
                return Err(fault(format!("port `{}` must be connected once", port.name)));
            };
            let expression = match (pin, port.direction) {
                (Pin::Expression(expression), _) => expression.clone(),
                (Pin::Open, PortDirection::Output) => {
                    let wire = self.unused_wire(&format!("unused_{}_{}", &name[2..], port.name), width);
                    wire.into()
                }
                (Pin::Open, PortDirection::Input) => {
                    return Err(fault(format!("input `{}` is not connected", port.name)));
                }
            };
            let got = self.width(&expression).map_err(|message| fault(format!("port `{}`: {message}", port.name)))?;
            if got != width {
                let what = emit::text(&expression, self);
                return Err(fault(format!("port `{}` has {width} bits, `{what}` has {got}", port.name)));
            }
            match port.direction {
                PortDirection::Input => self.read(&expression),
                PortDirection::Output if expression.is_target() => self.drive(&expression),
                PortDirection::Output => {
                    let what = emit::text(&expression, self);
                    return Err(fault(format!("output `{}` cannot drive `{what}`", port.name)));
                }
            }
            connected.push((port.name.clone(), expression));
        }
        self.instances.push(name.to_owned());
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.items.push(Item::Instance { leaf: leaf.name.clone(), name: name.to_owned(), parameters, pins: connected });
        Ok(())
    }

    /// A wire for an output that nobody needs, before the comment of the instance that is being added.
    fn unused_wire(&mut self, name: &str, width: u32) -> Signal {
        let wire = self.declare(name, width, Role::Wire);
        self.read(&wire.into());
        let comments = self.items.iter().rev().take_while(|item| matches!(item, Item::Comment(_))).count();
        self.items.insert(self.items.len() - comments, Item::Wire(wire));
        wire
    }

    fn port(&mut self, name: &str, width: u32, role: Role) -> Signal {
        let signal = self.declare(name, width, role);
        self.ports.push(PortLine::Port(signal));
        signal
    }

    fn declare(&mut self, name: &str, width: u32, role: Role) -> Signal {
        let module = self.name.clone();
        if self.signals.iter().any(|known| known.name == name) {
            self.faults.push(Fault::Wiring { module, message: format!("two signals are called `{name}`") });
        } else if width == 0 {
            self.faults.push(Fault::Width { module, message: format!("`{name}` has 0 bits") });
        }
        let is_input = role == Role::Input;
        let bits = width as usize;
        let declared =
            Declared { name: name.to_owned(), width, role, driven: vec![is_input; bits], read: vec![false; bits] };
        self.signals.push(declared);
        Signal { index: self.signals.len() - 1, width }
    }

    fn width(&self, expression: &Expression) -> Result<u32, String> {
        expression.width(&|signal| self.signals[signal.index].name.clone())
    }

    fn fault_width(&mut self, message: String) {
        self.faults.push(Fault::Width { module: self.name.clone(), message });
    }

    /// Marks the bits as read. Bits that do not exist were found before.
    fn read(&mut self, expression: &Expression) {
        let signals = &mut self.signals;
        expression.for_each_read(&mut |signal, low, width| {
            signals[signal.index].read[low as usize..(low + width) as usize].fill(true);
        });
    }

    /// Marks the bits as driven, each once.
    fn drive(&mut self, target: &Expression) {
        let (signals, faults, module) = (&mut self.signals, &mut self.faults, &self.name);
        let mut fault = |message: String| faults.push(Fault::Wiring { module: module.clone(), message });
        if !target.is_target() {
            return fault("only signals side by side can be driven".to_owned());
        }
        target.for_each_read(&mut |signal, low, width| {
            let declared = &mut signals[signal.index];
            let bits = &mut declared.driven[low as usize..(low + width) as usize];
            if let Some(at) = bits.iter().position(|driven| *driven) {
                fault(format!("bit {} of `{}` is driven twice", low as usize + at, declared.name));
            }
            bits.fill(true);
        });
    }
}
