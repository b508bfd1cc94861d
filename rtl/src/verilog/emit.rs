//! The text of a module: aligned, with comments, equal for equal modules. It must never change what a module means.

use std::fmt::Write as _;

use super::module::{Item, Module, PortLine, Role};
use super::signal::{Expression, Operator, Signal};

/// Columns of a line.
const LINE_MAX: usize = 120;

const INDENT: &str = "    ";

/// A whole file.
pub(super) fn module(module: &Module) -> String {
    let mut out = String::new();
    write_comment(&mut out, "", &module.header);
    out.push_str(&format!("module {}", module.name));
    write_ports(&mut out, module);
    let mut items = module.items.as_slice();
    let mut before: Option<&Item> = None;
    while let Some(first) = items.first() {
        if before.is_some_and(|before| is_parted(before, first)) {
            out.push('\n');
        }
        let wires = items.iter().take_while(|item| matches!(item, Item::Wire(_))).count();
        if wires > 0 {
            write_wires(&mut out, module, &items[..wires]);
        } else {
            write_item(&mut out, module, first);
        }
        let done = wires.max(1);
        before = items.get(done - 1);
        items = &items[done..];
    }
    out.push_str("endmodule\n");
    out
}

/// An expression as Verilog.
pub(super) fn text(expression: &Expression, module: &Module) -> String {
    match expression {
        Expression::Bits { signal, low, width } => bits(*signal, *low, *width, module),
        Expression::Constant { value, width } => constant(*value, *width),
        Expression::Concatenation(parts) => format!("{{{}}}", list(parts, module)),
        Expression::Repeat(times, part) => format!("{{{times}{{{}}}}}", text(part, module)),
        Expression::Not(operand) => format!("~{}", operand_text(operand, None, module)),
        Expression::Any(operand) => format!("|{}", operand_text(operand, None, module)),
        Expression::Binary(operator, left, right) => {
            let (left, right) =
                (operand_text(left, Some(*operator), module), operand_text(right, Some(*operator), module));
            format!("{left} {} {right}", operator.symbol())
        }
        Expression::Select(condition, then, otherwise) => {
            let [condition, then, otherwise] =
                [condition, then, otherwise].map(|operand| operand_text(operand, None, module));
            format!("{condition} ? {then} : {otherwise}")
        }
    }
}

/// An operand, in brackets where a reader would want them. Chains of the same operator have none.
fn operand_text(operand: &Expression, within: Option<Operator>, module: &Module) -> String {
    let inner = text(operand, module);
    let is_plain = match operand {
        Expression::Bits { .. }
        | Expression::Constant { .. }
        | Expression::Concatenation(_)
        | Expression::Repeat(..) => true,
        Expression::Not(_) => true,
        Expression::Binary(operator, ..) => within == Some(*operator) && is_chain(*operator),
        Expression::Any(_) | Expression::Select(..) => false,
    };
    if is_plain { inner } else { format!("({inner})") }
}

fn is_chain(operator: Operator) -> bool {
    match operator {
        Operator::And | Operator::Or | Operator::Xor | Operator::Add => true,
        Operator::Equal | Operator::Less => false,
    }
}

fn bits(signal: Signal, low: u32, width: u32, module: &Module) -> String {
    let declared = &module.signals[signal.index];
    match (low, width) {
        (0, width) if width == declared.width => declared.name.clone(),
        (low, 1) => format!("{}[{low}]", declared.name),
        (low, width) => format!("{}[{}:{low}]", declared.name, u64::from(low) + u64::from(width) - 1),
    }
}

fn constant(value: u64, width: u32) -> String {
    // One bit is a level, a small number a count, a large one a pattern.
    if width == 1 {
        return format!("1'b{value}");
    }
    if value < 1 << 10 { format!("{width}'d{value}") } else { format!("{width}'h{value:x}") }
}

fn list(parts: &[Expression], module: &Module) -> String {
    parts.iter().map(|part| text(part, module)).collect::<Vec<_>>().join(", ")
}

/// A blank line stands between parts of different kinds, and around instances and tables; none after a comment.
fn is_parted(before: &Item, next: &Item) -> bool {
    let kind = |item: &Item| match item {
        Item::Comment(_) => 0,
        Item::Include(_) => 1,
        Item::Wire(_) => 2,
        Item::Assign { .. } => 3,
        Item::Unused { .. } => 4,
        Item::Instance { .. } => 5,
        Item::Table { .. } => 6,
    };
    match (kind(before), kind(next)) {
        (0, _) => false,
        (before, next) => before != next || before >= 5,
    }
}

fn write_ports(out: &mut String, module: &Module) {
    let signals: Vec<Signal> = module.ports.iter().filter_map(port_of).collect();
    let Some(last) = signals.last() else { return out.push_str(";\n") };
    let columns = range_columns(&signals);
    out.push_str(" (\n");
    for line in &module.ports {
        match line {
            PortLine::Comment(text) => write_comment(out, INDENT, text),
            PortLine::Port(signal) => {
                let declared = &module.signals[signal.index];
                let direction = if declared.role == Role::Input { "input  wire" } else { "output wire" };
                let comma = if signal == last { "" } else { "," };
                let range = range(signal.width);
                writeln!(out, "{INDENT}{direction}{range:>columns$} {}{comma}", declared.name).expect("a string grows");
            }
        }
    }
    out.push_str(");\n");
}

fn port_of(line: &PortLine) -> Option<Signal> {
    match line {
        PortLine::Comment(_) => None,
        PortLine::Port(signal) => Some(*signal),
    }
}

/// ` [7:0]`; nothing for a single bit.
fn range(width: u32) -> String {
    if width == 1 { String::new() } else { format!(" [{}:0]", width - 1) }
}

/// Columns of the widest range.
fn range_columns(signals: &[Signal]) -> usize {
    signals.iter().map(|signal| range(signal.width).len()).max().unwrap_or(0)
}

fn write_wires(out: &mut String, module: &Module, wires: &[Item]) {
    let signals = wires.iter().filter_map(|item| if let Item::Wire(signal) = item { Some(*signal) } else { None });
    let signals: Vec<Signal> = signals.collect();
    let columns = range_columns(&signals);
    for signal in signals {
        let name = &module.signals[signal.index].name;
        writeln!(out, "{INDENT}wire{:>columns$} {name};", range(signal.width)).expect("a string grows");
    }
}

fn write_item(out: &mut String, module: &Module, item: &Item) {
    match item {
        Item::Comment(text) => write_comment(out, INDENT, text),
        Item::Include(file) => out.push_str(&format!("{INDENT}`include \"{file}\"\n")),
        Item::Wire(_) => write_wires(out, module, std::slice::from_ref(item)),
        Item::Assign { target, value } => {
            let head = format!("{INDENT}assign {} = ", text(target, module));
            write_value(out, &head, value, ";", module);
        }
        Item::Unused { name, bits } => {
            let mut parts = vec![Expression::constant(0, 1)];
            parts.extend(bits.iter().cloned());
            let value = Expression::Concatenation(parts);
            write_value(out, &format!("{INDENT}wire {name} = &"), &value, ";", module);
        }
        Item::Instance { leaf, name, parameters, pins } => {
            let parameters = parameters.iter().map(|(name, value)| (name.as_str(), vec![value.to_string()]));
            let parameters: Vec<_> = parameters.collect();
            let pins: Vec<_> = pins.iter().map(|(name, pin)| (name.as_str(), parts_of(pin, module))).collect();
            out.push_str(&format!("{INDENT}{leaf} "));
            if !parameters.is_empty() {
                out.push_str("#(\n");
                write_connections(out, &parameters);
                out.push_str(&format!("{INDENT}) "));
            }
            out.push_str(&format!("{name} (\n"));
            write_connections(out, &pins);
            out.push_str(&format!("{INDENT});\n"));
        }
        Item::Table { address, columns, rows } => write_table(out, module, *address, columns, rows),
    }
}

/// `head value end`, the value broken at its top level if the line would be too long.
fn write_value(out: &mut String, head: &str, value: &Expression, end: &str, module: &Module) {
    let line = format!("{head}{}{end}", text(value, module));
    if line.len() <= LINE_MAX {
        out.push_str(&line);
        out.push('\n');
        return;
    }
    let (open, close, separator, parts) = match value {
        Expression::Concatenation(parts) => ("{", "}", ",", parts.iter().map(|part| text(part, module)).collect()),
        Expression::Binary(operator, left, right) if is_chain(*operator) => {
            let mut parts = Vec::new();
            chain(*operator, left, module, &mut parts);
            chain(*operator, right, module, &mut parts);
            ("", "", operator_end(*operator), parts)
        }
        Expression::Bits { .. }
        | Expression::Constant { .. }
        | Expression::Repeat(..)
        | Expression::Not(_)
        | Expression::Any(_)
        | Expression::Binary(..)
        | Expression::Select(..) => ("", "", "", vec![text(value, module)]),
    };
    out.push_str(head.trim_end());
    out.push_str(if open.is_empty() { "\n" } else { " {\n" });
    let broken = fill(&parts, separator);
    for line in broken {
        out.push_str(&format!("{INDENT}{INDENT}{line}\n"));
    }
    if close.is_empty() {
        out.truncate(out.len() - 1);
        out.push_str(&format!("{end}\n"));
    } else {
        out.push_str(&format!("{INDENT}{close}{end}\n"));
    }
}

fn operator_end(operator: Operator) -> &'static str {
    match operator {
        Operator::And => " &",
        Operator::Or => " |",
        Operator::Xor => " ^",
        Operator::Add => " +",
        Operator::Equal | Operator::Less => "",
    }
}

/// The operands of a chain of one operator, left to right.
fn chain(operator: Operator, operand: &Expression, module: &Module, parts: &mut Vec<String>) {
    match operand {
        Expression::Binary(inner, left, right) if *inner == operator => {
            chain(operator, left, module, parts);
            chain(operator, right, module, parts);
        }
        Expression::Binary(..)
        | Expression::Bits { .. }
        | Expression::Constant { .. }
        | Expression::Concatenation(_)
        | Expression::Repeat(..)
        | Expression::Not(_)
        | Expression::Any(_)
        | Expression::Select(..) => parts.push(operand_text(operand, Some(operator), module)),
    }
}

/// Parts on as few lines as hold them, each but the last followed by the separator.
fn fill(parts: &[String], separator: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let part = format!("{part}{}", if at + 1 < parts.len() { separator } else { "" });
        match lines.last_mut() {
            Some(line) if line.len() + 1 + part.len() + 2 * INDENT.len() <= LINE_MAX => {
                line.push(' ');
                line.push_str(&part);
            }
            Some(_) | None => lines.push(part),
        }
    }
    lines
}

/// The parts of a concatenation; of anything else itself.
fn parts_of(pin: &Expression, module: &Module) -> Vec<String> {
    match pin {
        Expression::Concatenation(parts) if parts.len() > 1 => parts.iter().map(|part| text(part, module)).collect(),
        Expression::Concatenation(_)
        | Expression::Bits { .. }
        | Expression::Constant { .. }
        | Expression::Repeat(..)
        | Expression::Not(_)
        | Expression::Any(_)
        | Expression::Binary(..)
        | Expression::Select(..) => vec![text(pin, module)],
    }
}

/// `.name(value)` one a line, values aligned; a value of several parts is a concatenation.
fn write_connections(out: &mut String, connections: &[(&str, Vec<String>)]) {
    let columns = connections.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (at, (name, parts)) in connections.iter().enumerate() {
        let comma = if at + 1 < connections.len() { "," } else { "" };
        let inner = format!("{INDENT}{INDENT}.{name:columns$}(");
        let value = if parts.len() == 1 { parts[0].clone() } else { format!("{{{}}}", parts.join(", ")) };
        if parts.len() == 1 || inner.len() + value.len() + 2 <= LINE_MAX {
            out.push_str(&format!("{inner}{value}){comma}\n"));
        } else {
            out.push_str(&format!("{inner}{{\n"));
            for line in fill(parts, ",") {
                out.push_str(&format!("{INDENT}{INDENT}{INDENT}{line}\n"));
            }
            out.push_str(&format!("{INDENT}{INDENT}}}){comma}\n"));
        }
    }
}

fn write_table(out: &mut String, module: &Module, address: Signal, columns: &[Signal], rows: &[Vec<u64>]) {
    let name = |signal: Signal| module.signals[signal.index].name.as_str();
    let width: u32 = columns.iter().map(|column| column.width).sum();
    let targets: Vec<&str> = columns.iter().map(|column| name(*column)).collect();
    writeln!(out, "{INDENT}reg{} row;", range(width)).expect("a string grows");
    writeln!(out, "{INDENT}assign {{{}}} = row;", targets.join(", ")).expect("a string grows");
    writeln!(out, "{INDENT}always @* begin\n{INDENT}{INDENT}case ({})", name(address)).expect("a string grows");
    for (at, row) in rows.iter().enumerate() {
        let values = row.iter().zip(columns).map(|(value, column)| {
            let digits = column.width.div_ceil(4) as usize;
            format!("{}'h{value:0digits$x}", column.width)
        });
        let values: Vec<String> = values.collect();
        let indent = INDENT.repeat(3);
        writeln!(out, "{indent}{}'d{at}: row = {{{}}};", address.width, values.join(", ")).expect("a string grows");
    }
    writeln!(out, "{INDENT}{INDENT}endcase\n{INDENT}end").expect("a string grows");
}

/// A comment of any number of lines, broken at spaces.
pub(super) fn write_comment(out: &mut String, indent: &str, text: &str) {
    for paragraph in text.lines() {
        let mut line = format!("{indent}//");
        for word in paragraph.split_whitespace() {
            if line.len() + 1 + word.len() > LINE_MAX {
                out.push_str(&line);
                out.push('\n');
                line = format!("{indent}//");
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(&line);
        out.push('\n');
    }
}
