//! A module as its users see it: name, parameters, ports, and which modules and files it needs itself. It must never
//! read more of a body than that.

use super::Value;
use super::constant::{Constant, Values, take};
use super::fault::Fault;
use super::lexer::{Kind, Token, tokens};

/// Which way a port of a module goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortDirection {
    /// Into the module.
    Input,
    /// Out of it.
    Output,
}

/// A parameter and its default, which may depend on parameters before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafParameter {
    /// Name.
    pub name: String,
    default: Constant,
}

/// A port; its width may depend on parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafPort {
    /// Name.
    pub name: String,
    /// Which way it goes.
    pub direction: PortDirection,
    /// Highest and lowest bit; none for a single wire.
    range: Option<(Constant, Constant)>,
}

/// A module that can be instantiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Name of the module and, with `.v`, of its file.
    pub name: String,
    /// Parameters in order.
    pub parameters: Vec<LeafParameter>,
    /// Ports in order.
    pub ports: Vec<LeafPort>,
    /// Modules that it instantiates, each once, in order of first use. Instances are known by their `u_` names.
    pub modules: Vec<String>,
    /// Files that it includes, each once.
    pub includes: Vec<String>,
}

impl Leaf {
    /// Reads a file with one module.
    ///
    /// # Errors
    /// The first thing in the header that is not an ANSI header of Verilog-2005.
    pub fn parse(file: &str, text: &str) -> Result<Self, Fault> {
        let tokens = tokens(text);
        let mut rest = tokens.as_slice();
        let start = tokens.iter().position(|token| token.kind == Kind::Name && token.text == "module");
        rest = &rest[start.map_or(rest.len(), |start| start + 1)..];
        let header = |rest: &mut &[Token<'_>]| -> Result<_, String> {
            let name = take_name(rest)?;
            let parameters = if take(rest, "#") { parse_parameters(rest)? } else { Vec::new() };
            let ports = if take(rest, "(") { parse_ports(rest)? } else { Vec::new() };
            expect(rest, ";")?;
            Ok((name, parameters, ports))
        };
        let (name, parameters, ports) = header(&mut rest).map_err(|message| {
            let line = rest.first().or(tokens.last()).map_or(1, |token| token.line);
            Fault::Syntax { file: file.to_owned(), line, message }
        })?;
        let (modules, includes) = needs(rest);
        Ok(Self { name, parameters, ports, modules, includes })
    }

    /// The ports of an instance with these parameters, with their widths.
    ///
    /// # Errors
    /// A parameter that it has not, or a width without a value.
    pub fn ports_under(&self, given: &[(&str, Value)]) -> Result<Vec<(&LeafPort, u32)>, Fault> {
        let widths = self.values(given).and_then(|values| self.widths(&values));
        let widths = widths.map_err(|message| Fault::Constant { module: self.name.clone(), message })?;
        Ok(self.ports.iter().zip(widths).collect())
    }

    /// All parameters of an instance with these given. Errors name the unknown or unusable one.
    pub(super) fn values(&self, given: &[(&str, Value)]) -> Result<Values, String> {
        if let Some((name, _)) = given.iter().find(|(name, _)| self.parameters.iter().all(|known| known.name != *name))
        {
            let known: Vec<&str> = self.parameters.iter().map(|known| known.name.as_str()).collect();
            return Err(format!("`{}` has no parameter `{name}`; its parameters: {}", self.name, known.join(", ")));
        }
        let mut values = Values::new();
        for parameter in &self.parameters {
            let given = given.iter().find(|(name, _)| parameter.name == *name);
            let default = || parameter.default.value(&values);
            let value = match given {
                Some((_, value)) => value.clone(),
                None => default().map_err(|fault| format!("parameter `{}`: {fault}", parameter.name))?,
            };
            values.insert(parameter.name.clone(), value);
        }
        Ok(values)
    }

    /// Widths of all ports, in order, of an instance with these parameters.
    pub(super) fn widths(&self, values: &Values) -> Result<Vec<u32>, String> {
        self.ports
            .iter()
            .map(|port| port.width(values).map_err(|fault| format!("port `{}`: {fault}", port.name)))
            .collect()
    }
}

impl LeafPort {
    fn width(&self, values: &Values) -> Result<u32, String> {
        let Some((high, low)) = &self.range else { return Ok(1) };
        let (high, low) = (high.number(values)?, low.number(values)?);
        let width = high.checked_sub(low).and_then(|span| span.checked_add(1));
        let width = width.filter(|width| *width > 0).and_then(|width| u32::try_from(width).ok());
        width.ok_or_else(|| format!("[{high}:{low}] is no range from high to low"))
    }
}

/// `(parameter [range] Name = default, ...)`; a parameter after the first may leave the keyword out.
fn parse_parameters(rest: &mut &[Token<'_>]) -> Result<Vec<LeafParameter>, String> {
    expect(rest, "(")?;
    let mut parameters = Vec::new();
    loop {
        take_keyword(rest, &["parameter"]);
        take_keyword(rest, &["integer"]);
        take_keyword(rest, &["signed"]);
        parse_range(rest)?;
        let name = take_name(rest)?;
        expect(rest, "=")?;
        parameters.push(LeafParameter { name, default: Constant::parse(rest)? });
        if !take(rest, ",") {
            expect(rest, ")")?;
            return Ok(parameters);
        }
    }
}

/// `direction [net type] [range] name, ...)`, after the opening bracket.
fn parse_ports(rest: &mut &[Token<'_>]) -> Result<Vec<LeafPort>, String> {
    let mut ports: Vec<LeafPort> = Vec::new();
    if take(rest, ")") {
        return Ok(ports);
    }
    loop {
        let direction = match take_keyword(rest, &["input", "output", "inout"]) {
            Some("input") => PortDirection::Input,
            Some("output") => PortDirection::Output,
            Some(other) => return Err(format!("`{other}` ports are not known: use one input and one output")),
            None => return Err("expected `input` or `output`: every port says its direction".to_owned()),
        };
        take_keyword(rest, &["wire", "reg"]);
        take_keyword(rest, &["signed"]);
        let range = parse_range(rest)?;
        let name = take_name(rest)?;
        if ports.iter().any(|port| port.name == name) {
            return Err(format!("two ports are called `{name}`"));
        }
        ports.push(LeafPort { name, direction, range });
        if !take(rest, ",") {
            expect(rest, ")")?;
            return Ok(ports);
        }
    }
}

fn parse_range(rest: &mut &[Token<'_>]) -> Result<Option<(Constant, Constant)>, String> {
    if !take(rest, "[") {
        return Ok(None);
    }
    let high = Constant::parse(rest)?;
    expect(rest, ":")?;
    let low = Constant::parse(rest)?;
    expect(rest, "]")?;
    Ok(Some((high, low)))
}

/// Modules and files that a body names: `module_name [#(...)] u_name (` and `` `include "file" ``. What stands under
/// `` `ifdef FORMAL `` is for provers, which bring it along.
fn needs(body: &[Token<'_>]) -> (Vec<String>, Vec<String>) {
    let (mut modules, mut includes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let add = |list: &mut Vec<String>, name: &str| {
        if list.iter().all(|known| known != name) {
            list.push(name.to_owned());
        }
    };
    // Open conditions, and how many of them were when one on FORMAL opened.
    let (mut open_conditions, mut formal): (i32, Option<i32>) = (0, None);
    for (at, token) in body.iter().enumerate() {
        if token.kind == Kind::Directive {
            match token.text {
                "ifdef" | "ifndef" => {
                    open_conditions += 1;
                    let is_formal = token.text == "ifdef" && body.get(at + 1).is_some_and(|name| name.text == "FORMAL");
                    formal = formal.or(is_formal.then_some(open_conditions));
                }
                "else" => formal = formal.filter(|depth| *depth != open_conditions),
                "endif" => {
                    formal = formal.filter(|depth| *depth != open_conditions);
                    open_conditions -= 1;
                }
                _ => {}
            }
        }
        if formal.is_some() {
            continue;
        }
        if token.kind == Kind::Directive && token.text == "include" {
            body.get(at + 1).into_iter().for_each(|file| add(&mut includes, file.text));
        }
        if token.kind != Kind::Name {
            continue;
        }
        let mut rest = &body[at + 1..];
        if take(&mut rest, "#") {
            rest = &rest[bracketed(rest)..];
        }
        let [instance, open, ..] = rest else { continue };
        if instance.kind == Kind::Name && instance.text.starts_with("u_") && open.text == "(" {
            add(&mut modules, token.text);
        }
    }
    (modules, includes)
}

/// Tokens of the bracket that stands at the front, with both its ends; 0 if there is none.
fn bracketed(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match (token.kind, token.text) {
            (Kind::Symbol, "(") => depth += 1,
            (Kind::Symbol, ")") => depth = depth.saturating_sub(1),
            (Kind::Name | Kind::Number | Kind::Text | Kind::Directive | Kind::Symbol, _) => {}
        }
        if depth == 0 {
            return if at == 0 { 0 } else { at + 1 };
        }
    }
    tokens.len()
}

fn expect(rest: &mut &[Token<'_>], symbol: &str) -> Result<(), String> {
    if take(rest, symbol) {
        return Ok(());
    }
    Err(format!("expected `{symbol}`, got `{}`", rest.first().map_or("the end", |token| token.text)))
}

fn take_name(rest: &mut &[Token<'_>]) -> Result<String, String> {
    let Some((token, after)) = rest.split_first().filter(|(token, _)| token.kind == Kind::Name) else {
        return Err(format!("expected a name, got `{}`", rest.first().map_or("the end", |token| token.text)));
    };
    *rest = after;
    Ok(token.text.to_owned())
}

fn take_keyword<'a>(rest: &mut &[Token<'_>], keywords: &[&'a str]) -> Option<&'a str> {
    let token = rest.first().filter(|token| token.kind == Kind::Name)?;
    let found = keywords.iter().find(|keyword| **keyword == token.text)?;
    *rest = &rest[1..];
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// A header.
module thing #(
    parameter Width = 8, // bits
    parameter integer Depth = 4,
    parameter AddressBits = Depth > 1 ? $clog2(Depth) : 1,
    parameter Style = \"block\"
) (
    input  wire clk_i,
    input  wire signed [Width*2-1:0] a_i,
    output reg  [AddressBits-1:0] b_o
);
    `include \"isa.vh\"
`ifdef FORMAL
`ifndef OTHER
    `include \"proof.vh\"
`endif
    prover u_prover (.clk_i(clk_i));
`endif
    wire [Width-1:0] not_a_module = f(a_i);
    fifo #(.Width(Width), .Depth((Depth + 1) * 2)) u_fifo (.clk_i(clk_i));
    generate if (Depth > 1) begin : gen_x
        skid_buffer u_skid (.clk_i(clk_i));
        fifo u_second (.clk_i(clk_i));
    end endgenerate
endmodule
";

    #[test]
    fn a_header_is_read_and_evaluated() {
        let leaf = Leaf::parse("thing.v", TEXT).expect("is well-formed");
        assert_eq!(leaf.name, "thing");
        assert_eq!(
            (leaf.modules.as_slice(), leaf.includes.as_slice()),
            (["fifo".to_owned(), "skid_buffer".to_owned()].as_slice(), ["isa.vh".to_owned()].as_slice())
        );
        let widths = |given: &[(&str, Value)]| leaf.values(given).and_then(|values| leaf.widths(&values));
        assert_eq!(widths(&[]), Ok(vec![1, 16, 2]));
        assert_eq!(widths(&[("Width", 3.into()), ("Depth", 1.into())]), Ok(vec![1, 6, 1]));
        assert_eq!(widths(&[("Depth", 100.into()), ("Style", "ultra".into())]), Ok(vec![1, 16, 7]));
        let fault = widths(&[("Size", 3.into())]).expect_err("no such parameter");
        assert_eq!(fault, "`thing` has no parameter `Size`; its parameters: Width, Depth, AddressBits, Style");
        let fault = widths(&[("Width", "x".into())]).expect_err("no number");
        assert_eq!(fault, "port `a_i`: \"x\" is no number");
        let fault = widths(&[("Width", Value::Number(0))]).expect_err("no width");
        assert_eq!(fault, "port `a_i`: [-1:0] is no range from high to low");
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_line() {
        for (from, to, expected) in [
            ("input  wire clk_i", "inout wire clk_i", "thing.v:8: `inout` ports are not known"),
            ("input  wire clk_i", "clk_i", "thing.v:8: expected `input` or `output`"),
            ("parameter Width = 8", "parameter Width", "thing.v:3: expected `=`"),
            ("output reg  [AddressBits-1:0] b_o", "output reg a_i", "thing.v:11: two ports are called `a_i`"),
            ("module", "library", "thing.v:25: expected a name, got `the end`"),
            (");\n    `include", ")\n    `include", "expected `;`"),
        ] {
            let fault = Leaf::parse("thing.v", &TEXT.replace(from, to)).expect_err(to).to_string();
            assert!(fault.starts_with(expected) || fault.contains(expected), "{to}: {fault}");
        }
    }
}
