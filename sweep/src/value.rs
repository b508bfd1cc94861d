//! A value of an axis: what stands in the sweep file and in a row of the results. It knows TOML and JSON, and must never
//! know which field it is for.

use std::fmt;

use toml::de::DeValue;

/// A value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(i64),
    /// A number that is written with a point.
    Real(f64),
    /// A name.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A list, such as the regions of the cores.
    List(Vec<Value>),
}

impl Value {
    /// The value of a TOML value; none for tables, dates and numbers that are too large or not finite.
    pub fn from_toml(value: &DeValue<'_>) -> Option<Self> {
        if let Some(whole) = value.as_integer() {
            return i64::from_str_radix(whole.as_str(), whole.radix()).ok().map(Self::Whole);
        }
        if let Some(real) = value.as_float() {
            return real.as_str().parse().ok().filter(|real: &f64| real.is_finite()).map(Self::Real);
        }
        if let Some(items) = value.as_array() {
            return items.iter().map(|item| Self::from_toml(item.get_ref())).collect::<Option<_>>().map(Self::List);
        }
        let text = value.as_str().map(|text| Self::Text(text.to_owned()));
        text.or_else(|| value.as_bool().map(Self::Flag))
    }

    /// As it is written in a machine file.
    pub fn literal(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Real(number) => format!("{number:?}"),
            Self::Text(text) => toml::Value::String(text.clone()).to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::literal).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    /// As it stands in a row.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Whole(number) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Text(text) => text.clone().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
        }
    }

    /// The value of one in a row; none for objects and `null`.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Null | serde_json::Value::Object(_) => None,
            serde_json::Value::Bool(flag) => Some(Self::Flag(*flag)),
            serde_json::Value::Number(number) => {
                number.as_i64().map(Self::Whole).or_else(|| number.as_f64().map(Self::Real))
            }
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            serde_json::Value::Array(items) => items.iter().map(Self::from_json).collect::<Option<_>>().map(Self::List),
        }
    }

    /// A measure that is whole as a whole number; everything else as it is. JSON does not tell 8 from 8.0, and some write the one for
    /// the other.
    pub fn whole(self) -> Self {
        if let Self::Real(number) = self
            && number.fract() == 0.0
            && number.abs() < 2.0_f64.powi(53)
        {
            return Self::Whole(number as i64);
        }
        self
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Text(_) | Self::Flag(_) | Self::List(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Whole(_) | Self::Real(_) | Self::Flag(_) | Self::List(_) => f.write_str(&self.literal()),
        }
    }
}
