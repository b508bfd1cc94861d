//! The ports of a Verilated top module, read from the class that Verilator writes for it. It must never guess: a
//! declaration that it does not know is an error.

use super::BuildError;

/// Which way a port goes, seen from the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Set by the user of the model.
    Input,
    /// Set by the model.
    Output,
}

/// A port of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInfo {
    /// Name in the Verilog.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Width in bits.
    pub width: u32,
}

/// The ports in the order of the header.
pub(super) fn parse_header(top: &str, header: &str) -> Result<Vec<PortInfo>, BuildError> {
    let section = header.split("// PORTS").nth(1).and_then(|rest| rest.split("// CELLS").next()).unwrap_or("");
    let lines = section.lines().map(str::trim).filter(|line| line.starts_with("VL_"));
    lines
        .map(|line| parse_port(line).ok_or_else(|| BuildError::Port { top: top.to_owned(), line: line.to_owned() }))
        .collect()
}

/// One declaration: `VL_IN8(&name,msb,lsb);`, for more than 64 bits `VL_OUTW(&name,msb,lsb,words);`.
fn parse_port(line: &str) -> Option<PortInfo> {
    let (kind, rest) = line.split_once('(')?;
    let direction = match kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W') {
        "VL_IN" => Direction::Input,
        "VL_OUT" => Direction::Output,
        _ => return None,
    };
    let mut arguments = rest.strip_suffix(");")?.split(',').map(str::trim);
    let name = arguments.next()?.strip_prefix('&')?.to_owned();
    let msb: u32 = arguments.next()?.parse().ok()?;
    let lsb: u32 = arguments.next()?.parse().ok()?;
    Some(PortInfo { name, direction, width: msb.checked_sub(lsb)?.checked_add(1)? })
}

/// The same ports for the C++ side.
pub(super) fn write_include(ports: &[PortInfo]) -> String {
    ports.iter().map(|port| format!("LAPWING_PORT({})\n", port.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_every_size_are_read() {
        let header = "// PORTS\n VL_IN8(&a_i,0,0);\n VL_OUT16(&b_o,15,0);\n VL_IN(&c_i,31,0);\n VL_OUT64(&d_o,40,1);\n \
                      VL_INW(&e_i,255,0,8);\n // CELLS\n VL_IN8(&not_a_port,0,0);\n";
        let ports = parse_header("t", header).expect("all are plain ports");
        let seen: Vec<_> = ports.iter().map(|port| (port.name.as_str(), port.direction, port.width)).collect();
        let (i, o) = (Direction::Input, Direction::Output);
        assert_eq!(seen, [("a_i", i, 1), ("b_o", o, 16), ("c_i", i, 32), ("d_o", o, 40), ("e_i", i, 256)]);
        let fault = parse_header("t", "// PORTS\n VL_INOUT8(&pad,0,0);\n").expect_err("no inouts");
        assert!(fault.to_string().contains("VL_INOUT8(&pad,0,0);"), "{fault}");
    }
}
