//! Axes: where a value lies in a panel, and which values get a tick.
//!
//! Invariant: a position is always finite and inside the panel, whatever the value is; a value that
//! is not finite has no position at all.

/// Least distance of two labels, pixels.
const LABEL_HEIGHT: f64 = 18.0;

/// How values are spread over the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// Evenly from 0 to the top.
    Linear,
    /// By powers of ten from the given least value, which must be positive.
    Log(f64),
}

/// A vertical axis: `top` at `y`, the least value at `y + height`, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Pixel of the top.
    pub y: f64,
    /// Pixels between top and bottom.
    pub height: f64,
    /// Greatest value shown.
    pub top: f64,
    /// How values are spread.
    pub spread: Spread,
}

impl Axis {
    /// An axis that shows all values and ends at a round number, at least `least_top`.
    pub fn over(
        y: f64,
        height: f64,
        spread: Spread,
        least_top: f64,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let greatest = values
            .filter(|value| value.is_finite())
            .fold(least_top, f64::max);
        let top = match spread {
            Spread::Linear => {
                let step = step(greatest, height);
                (greatest / step).ceil() * step
            }
            Spread::Log(_) => 10_f64.powf(greatest.log10().ceil()),
        };
        Self {
            y,
            height,
            top,
            spread,
        }
    }

    /// Pixel of a value; none when it is not finite.
    pub fn at(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let share = match self.spread {
            Spread::Linear => value / self.top,
            Spread::Log(least) => (value.max(least) / least).log10() / (self.top / least).log10(),
        };
        Some(self.y + self.height * (1.0 - share.clamp(0.0, 1.0)))
    }

    /// Values that get a line and a label.
    pub fn ticks(&self) -> Vec<f64> {
        match self.spread {
            Spread::Linear => {
                let step = step(self.top, self.height);
                let last = (self.top / step).round() as u32;
                (0..=last).map(|index| f64::from(index) * step).collect()
            }
            Spread::Log(least) => {
                let decades = (self.top / least).log10().round() as u32;
                (0..=decades)
                    .map(|decade| least * 10_f64.powi(decade as i32))
                    .collect()
            }
        }
    }
}

/// The round step (1, 2 or 5 times a power of ten) that leaves each label room on a panel of this
/// height.
fn step(range: f64, height: f64) -> f64 {
    let rough = range * LABEL_HEIGHT / height;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = match rough / power {
        f if f > 5.0 => 10.0,
        f if f > 2.0 => 5.0,
        f if f > 1.0 => 2.0,
        _ => 1.0,
    };
    factor * power
}

/// Seconds between two time ticks, so that at most `ticks_max` fit into the duration.
pub fn time_step_s(duration_s: f64, ticks_max: f64) -> i64 {
    [5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600]
        .into_iter()
        .find(|step_s| duration_s / *step_s as f64 <= ticks_max)
        .unwrap_or(7_200)
}

#[cfg(test)]
mod tests {
    use super::{Axis, Spread, time_step_s};

    fn linear(values: &[f64]) -> Axis {
        Axis::over(10.0, 100.0, Spread::Linear, 1.0, values.iter().copied())
    }

    #[test]
    fn a_linear_axis_ends_at_a_round_number_above_all_values() {
        let axis = linear(&[3.0, 1_180.0, f64::NAN]);
        assert_eq!(axis.ticks(), [0.0, 500.0, 1_000.0, 1_500.0]);
        assert_eq!(axis.at(0.0), Some(110.0));
        assert_eq!(axis.at(1_500.0), Some(10.0));
    }

    #[test]
    fn positions_are_finite_and_inside_or_absent() {
        let log = Axis::over(0.0, 50.0, Spread::Log(1.0), 100.0, [0.0, 730.0].into_iter());
        assert_eq!(log.ticks().last(), Some(&1_000.0));
        for axis in [linear(&[]), linear(&[1e300]), log] {
            for value in [-1.0, 0.0, 0.5, 1e9, f64::MAX] {
                let y = axis.at(value).unwrap();
                assert!(y >= axis.y && y <= axis.y + axis.height, "{value} at {y}");
            }
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(axis.at(value), None);
            }
        }
    }

    #[test]
    fn ticks_are_some_and_leave_their_labels_room() {
        for greatest in [0.3, 1.0, 7.0, 12.0, 99.0, 1_234.0, 1e7] {
            let ticks = linear(&[greatest]).ticks().len();
            assert!((3..=6).contains(&ticks), "{ticks} ticks for {greatest}");
        }
        assert_eq!(time_step_s(310.0, 12.0), 30);
        assert_eq!(time_step_s(90_000.0, 12.0), 7_200);
    }
}
