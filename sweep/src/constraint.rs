//! What points must hold: expressions over axes and results, as in `average_power_w < 60 && fits("u280")`. The language is
//! that of the crate `evalexpr`; here stand the names that it may use.

use std::collections::BTreeSet;
use std::sync::Arc;

use evalexpr::{
    ContextWithMutableFunctions, ContextWithMutableVariables, EvalexprError, Function, HashMapContext, Node, Operator,
    build_operator_tree,
};
use hw_config::board::Board;
use hw_config::machine::Machine;

use crate::results::{Figures, STATIC_KEYS, is_key};
use crate::value::Value;

/// What is asked with `fits("u280")`.
const FITS: &str = "fits";
/// Other names of results, as they are often written.
pub const ALIASES: [(&str, &str); 1] = [("power_w", "average_power_w")];

/// A condition on points.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// As it was written.
    pub text: String,
    tree: Node,
    /// What it reads.
    names: BTreeSet<String>,
}

/// Why a text is no constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConstraintError {
    /// It is no expression: why.
    Syntax(String),
    /// A name that is neither an axis nor a result.
    UnknownName(String),
    /// A function that there is not.
    UnknownFunction(String),
    /// A board that there is not.
    UnknownBoard(String),
}

impl Constraint {
    /// Reads a constraint over these axes, of which one value each is given: it is tried on them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, axes: &[(String, Value)]) -> Result<Self, ConstraintError> {
        let mut tree = build_operator_tree(text).map_err(|error| ConstraintError::Syntax(error.to_string()))?;
        make_real(&mut tree);
        let names: BTreeSet<String> = tree.iter_variable_identifiers().map(str::to_owned).collect();
        let known = |name: &str| axes.iter().any(|(axis, _)| axis == name) || is_key(unalias(name));
        if let Some(name) = names.iter().find(|name| !known(name)) {
            return Err(ConstraintError::UnknownName(name.clone()));
        }
        if let Some(name) = tree.iter_function_identifiers().find(|name| !is_function(name)) {
            return Err(ConstraintError::UnknownFunction(name.to_owned()));
        }
        for board in boards(&tree)? {
            if Board::text(&board).is_none() {
                return Err(ConstraintError::UnknownBoard(board));
            }
        }
        let constraint = Self { text: text.to_owned(), tree, names };
        let tried = constraint.judge(axes, |_| Some(1.0), |_| Ok(evalexpr::Value::Boolean(true)));
        tried.map(|_| constraint).map_err(|error| ConstraintError::Syntax(error.to_string()))
    }

    /// Whether it can be judged before the point is simulated.
    pub fn is_static(&self, axes: &[String]) -> bool {
        let known = |name: &String| axes.contains(name) || STATIC_KEYS.contains(&unalias(name));
        self.names.iter().all(known)
    }

    /// Whether a point holds it.
    ///
    /// # Errors
    /// An expression that is no condition, or that compares what cannot be compared: why, in one line.
    pub fn holds(&self, machine: &Arc<Machine>, axes: &[(String, Value)], figures: &Figures) -> Result<bool, String> {
        let machine = Arc::clone(machine);
        let fits = move |argument: &evalexpr::Value| -> Result<evalexpr::Value, EvalexprError> {
            let name = argument.as_string()?;
            let board = Board::by_name(&name).map_err(|faults| EvalexprError::CustomMessage(faults.to_string()))?;
            Ok(evalexpr::Value::Boolean(machine.fits(&board)))
        };
        let holds = self.judge(axes, |key| figures.get(key), fits);
        holds.map_err(|error| format!("constraint `{}` cannot be judged: {error}", self.text))
    }

    fn judge(
        &self,
        axes: &[(String, Value)],
        figure: impl Fn(&str) -> Option<f64>,
        fits: impl Fn(&evalexpr::Value) -> Result<evalexpr::Value, EvalexprError> + Clone + Send + Sync + 'static,
    ) -> Result<bool, EvalexprError> {
        let mut context = HashMapContext::new();
        for name in &self.names {
            let axis = axes.iter().find(|(axis, _)| axis == name).map(|(_, value)| of_axis(value));
            let value = axis.or_else(|| figure(unalias(name)).map(evalexpr::Value::Float));
            if let Some(value) = value {
                context.set_value(name.clone(), value)?;
            }
        }
        context.set_function(FITS.to_owned(), Function::new(fits))?;
        self.tree.eval_boolean_with_context(&context)
    }
}

/// All numbers are of one kind: a whole number and a measure of the same size are equal, and 1 / 2 is a half.
fn make_real(node: &mut Node) {
    if let Operator::Const { value: evalexpr::Value::Int(number) } = node.operator() {
        let value = evalexpr::Value::Float(*number as f64);
        *node.operator_mut() = Operator::Const { value };
    }
    node.children_mut().iter_mut().for_each(make_real);
}

/// The key that a name stands for.
pub fn unalias(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, key)| key)
}

/// Whether the language or this module has such a function.
fn is_function(name: &str) -> bool {
    const BUILT_IN: [&str; 8] = ["min", "max", "if", "floor", "ceil", "round", "math::abs", "math::log2"];
    name == FITS || BUILT_IN.contains(&name)
}

/// Names of boards in calls of `fits`, as far as they are written out.
fn boards(node: &Node) -> Result<Vec<String>, ConstraintError> {
    let mut found = Vec::new();
    for child in node.children() {
        found.extend(boards(child)?);
    }
    if let Operator::FunctionIdentifier { identifier } = node.operator()
        && identifier == FITS
    {
        let mut argument = node.children().first();
        while let Some(inner) = argument.filter(|inner| matches!(inner.operator(), Operator::RootNode)) {
            argument = inner.children().first();
        }
        match argument.map(Node::operator) {
            Some(Operator::Const { value: evalexpr::Value::String(name) }) => found.push(name.clone()),
            Some(Operator::VariableIdentifierRead { .. }) => {}
            Some(_) | None => {
                return Err(ConstraintError::Syntax(format!(
                    "`{FITS}` takes the name of a board, as in {FITS}(\"u280\")"
                )));
            }
        }
    }
    Ok(found)
}

fn of_axis(value: &Value) -> evalexpr::Value {
    match value {
        Value::Whole(number) => evalexpr::Value::Float(*number as f64),
        Value::Real(number) => evalexpr::Value::Float(*number),
        Value::Text(text) => evalexpr::Value::String(text.clone()),
        Value::Flag(flag) => evalexpr::Value::Boolean(*flag),
        Value::List(items) => evalexpr::Value::Tuple(items.iter().map(of_axis).collect()),
    }
}
