//! Linear and logarithmic axes: where a value lies on the page, and which ticks stand there.
//!
//! Must never clamp: a value outside the range lies outside the axis, and the caller decides what that means.

use super::FigureError;
use super::drawing::Run;

/// How values spread over the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps, equal distances.
    Linear,
    /// Equal factors, equal distances.
    Log,
}

/// One axis: the values `low` to `high` over the page positions `start_pt` to `end_pt`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    start_pt: f64,
    end_pt: f64,
}

/// Ticks of a linear axis at least: two leave open how values between them spread.
pub(crate) const TICKS_MIN: i64 = 3;

/// One tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tick {
    /// The value it stands for.
    pub value: f64,
    /// Whether it has a label and the stronger grid line.
    pub major: bool,
}

impl Axis {
    /// An axis over `low..high`.
    ///
    /// # Errors
    /// `BadValue` unless both are finite, `low < high`, and on a log axis `low > 0`.
    pub fn new(scale: Scale, low: f64, high: f64, start_pt: f64, end_pt: f64) -> Result<Axis, FigureError> {
        let expected = match scale {
            Scale::Linear => "a finite value",
            Scale::Log => "a finite value above 0",
        };
        let fits = |v: f64| match scale {
            Scale::Linear => v.is_finite(),
            Scale::Log => v.is_finite() && v > 0.0,
        };
        for (what, value) in [("lower axis bound", low), ("upper axis bound", high)] {
            if !fits(value) {
                return Err(FigureError::BadValue { what: what.to_owned(), value, expected });
            }
        }
        if low >= high {
            let what = "upper axis bound".to_owned();
            return Err(FigureError::BadValue { what, value: high, expected: "more than the lower bound" });
        }
        Ok(Axis { scale, low, high, start_pt, end_pt })
    }

    /// Smallest value on the axis.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// Largest value on the axis.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Page position of `value` in points; beyond the ends for values outside the range.
    pub fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).log10() / (self.high / self.low).log10(),
        };
        self.start_pt + share * (self.end_pt - self.start_pt)
    }

    /// Ticks from low to high: decades and their 2..9 multiples on a log axis, 1-2-5 steps on a linear one, at least three.
    pub fn ticks(&self) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(),
        }
    }

    /// The label of a major tick: 10 with its exponent raised, or a plain number on a linear axis.
    pub fn label(&self, tick: &Tick, size_pt: f64) -> Vec<Run> {
        match self.scale {
            Scale::Linear => vec![Run { text: tick.value.to_string(), size_pt, rise_pt: 0.0 }],
            Scale::Log => {
                let exponent = tick.value.log10().round() as i32;
                // U+2212 is as wide as a digit; a hyphen at 5 pt reads as a speck.
                let exponent = exponent.to_string().replace('-', "\u{2212}");
                vec![
                    Run { text: "10".to_owned(), size_pt, rise_pt: 0.0 },
                    Run { text: exponent, size_pt: size_pt * 0.72, rise_pt: size_pt * 0.38 },
                ]
            }
        }
    }

    fn linear_ticks(&self) -> Vec<Tick> {
        let rough = (self.high - self.low) / 5.0;
        let decade = power_of_ten(rough.log10().floor() as i32);
        let within = |step: f64| {
            let slack = step * 1e-9;
            (((self.low - slack) / step).ceil() as i64, ((self.high + slack) / step).floor() as i64)
        };
        let mut steps = [10.0, 5.0, 2.0, 1.0, 0.5, 0.2].map(|m| m * decade).into_iter().peekable();
        let mut step = steps.next().unwrap_or(rough);
        // The smallest that gives about five ticks, and a smaller one where the range lies so that few of them are in it.
        while let Some(finer) =
            steps.next_if(|finer| *finer >= rough || within(step).1 - within(step).0 + 1 < TICKS_MIN)
        {
            step = finer;
        }
        let (first, last) = within(step);
        // A step below 1 is divided out, so that 0.3 does not become 0.30000000000000004.
        let value = |i: i64| {
            if step < 1.0 { i as f64 / (1.0 / step).round() } else { i as f64 * step }
        };
        (first..=last).map(|i| Tick { value: value(i), major: true }).collect()
    }

    fn log_ticks(&self) -> Vec<Tick> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let mut ticks = Vec::new();
        for decade in first..=last {
            for multiple in 1..=9 {
                let value = f64::from(multiple) * power_of_ten(decade);
                if value >= self.low * (1.0 - 1e-9) && value <= self.high * (1.0 + 1e-9) {
                    ticks.push(Tick { value, major: multiple == 1 });
                }
            }
        }
        ticks
    }
}

/// A log range that holds `low..high` with `margin` (a factor above 1) at both ends and at least two decade ticks.
///
/// The ends are rounded outwards to 1, 2 or 5 times a power of ten, so that small changes in the data leave the
/// axes alone.
pub fn log_range(low: f64, high: f64, margin: f64) -> (f64, f64) {
    let low = round_down(low / margin);
    let high = round_up(high * margin);
    let decades = (high.log10() + 1e-9).floor() as i32 - (low.log10() - 1e-9).ceil() as i32 + 1;
    if decades >= 2 {
        return (low, high);
    }
    let first = power_of_ten((low.log10() + 1e-9).floor() as i32);
    (first.min(low), (first * 10.0).max(high))
}

fn round_down(value: f64) -> f64 {
    let decade = power_of_ten(value.log10().floor() as i32);
    [5.0, 2.0, 1.0].map(|m| m * decade).into_iter().find(|v| *v <= value).unwrap_or(decade)
}

fn round_up(value: f64) -> f64 {
    let decade = power_of_ten(value.log10().floor() as i32);
    [1.0, 2.0, 5.0].map(|m| m * decade).into_iter().find(|v| *v >= value).unwrap_or(decade * 10.0)
}

/// 10^exponent, exact wherever a double can be.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().expect("an integer exponent parses")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_axis_places_decades_at_equal_distances() {
        let axis = Axis::new(Scale::Log, 0.1, 1000.0, 40.0, 240.0).expect("valid");
        for (value, at) in [(0.1, 40.0), (1.0, 90.0), (10.0, 140.0), (100.0, 190.0), (1000.0, 240.0)] {
            assert!((axis.place(value) - at).abs() < 1e-9, "{value}: {} != {at}", axis.place(value));
        }
        let majors: Vec<f64> = axis.ticks().iter().filter(|t| t.major).map(|t| t.value).collect();
        assert_eq!(majors, [0.1, 1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(axis.ticks().len(), 4 * 9 + 1);
    }

    #[test]
    fn linear_axis_ticks_are_round_numbers() {
        let axis = Axis::new(Scale::Linear, 0.0, 1.0, 0.0, 100.0).expect("valid");
        let values: Vec<f64> = axis.ticks().iter().map(|t| t.value).collect();
        assert_eq!(values, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(axis.place(0.25), 25.0);
        let axis = Axis::new(Scale::Linear, -30.0, 170.0, 0.0, 100.0).expect("valid");
        let values: Vec<f64> = axis.ticks().iter().map(|t| t.value).collect();
        assert_eq!(values, [0.0, 50.0, 100.0, 150.0]);
    }

    #[test]
    fn a_linear_axis_has_three_ticks_wherever_it_lies() {
        let mut compared = 0;
        for length in 1..100 {
            for from in 0..40 {
                let low = f64::from(from) * 0.173;
                let axis = Axis::new(Scale::Linear, low, low + 0.1 * f64::from(length), 0.0, 1.0).expect("valid");
                let ticks = axis.ticks();
                assert!((3..=11).contains(&ticks.len()), "{low} + {length}: {ticks:?}");
                compared += 1;
            }
        }
        println!("compared {compared} ranges");
    }

    #[test]
    fn exponent_is_raised_and_negative_ones_have_a_minus() {
        let axis = Axis::new(Scale::Log, 0.01, 10.0, 0.0, 1.0).expect("valid");
        let runs = axis.label(&Tick { value: 0.01, major: true }, 7.0);
        assert_eq!((runs[0].text.as_str(), runs[1].text.as_str()), ("10", "\u{2212}2"));
        assert!(runs[1].rise_pt > 0.0 && runs[1].size_pt < runs[0].size_pt);
    }

    #[test]
    fn a_range_holds_its_values_and_two_decades() {
        for (low, high) in [(1.0, 1.0), (0.3, 0.4), (7.0, 900.0), (2e-3, 8e5), (1e9, 1e13)] {
            let (from, to) = log_range(low, high, 1.5);
            assert!(from <= low / 1.5 && to >= high * 1.5, "{from}..{to} lacks margin about {low}..{high}");
            let axis = Axis::new(Scale::Log, from, to, 0.0, 1.0).expect("valid");
            let majors = axis.ticks().iter().filter(|t| t.major).count();
            assert!(majors >= 2, "{from}..{to} shows {majors} decades");
        }
    }

    #[test]
    fn bad_bounds_are_refused() {
        for (low, high) in [(0.0, 1.0), (-1.0, 1.0), (1.0, f64::INFINITY), (f64::NAN, 1.0), (2.0, 1.0), (1.0, 1.0)] {
            assert!(Axis::new(Scale::Log, low, high, 0.0, 1.0).is_err(), "{low}..{high} was accepted");
        }
    }
}
