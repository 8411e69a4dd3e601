//! The vertical axis: where a value lies in a plot, and which values get a tick.
//!
//! Invariant: a position is finite and never below the plot; a value that is not finite has none.

/// Least distance of two ticks, pixels.
const TICK_ROOM: f64 = 28.0;
/// The same where all of them have to be named, pixels: the height of a label.
const LABEL_ROOM: f64 = 18.0;
/// Bounds of where an axis may end, so that arithmetic stays finite.
const TOP_MIN: f64 = 1e-9;
const TOP_MAX: f64 = 1e15;
/// Decades below the top that a square-root axis may label.
const DECADES_MAX: i32 = 6;
/// Heights above the plot that a value may be drawn at before it is clipped.
const ABOVE_MAX: f64 = 4.0;

/// How values are spread over the height of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Evenly from 0.
    Linear,
    /// By the square root, so that small values can be seen beside large ones.
    SquareRoot,
    /// By powers of ten from this least value, which must be positive.
    Log(f64),
    /// One step for each name, from 0.
    Named(&'static [&'static str]),
}

/// The axis of one plot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    height: f64,
    top: f64,
    /// Between two ticks of an even axis.
    step: f64,
    scale: Scale,
}

impl Axis {
    /// An axis that holds all values and reaches at least `top_min`.
    pub(crate) fn over(
        scale: Scale,
        height: f64,
        top_min: f64,
        values: impl Iterator<Item = f64>,
    ) -> Self {
        let greatest = values.filter(|value| value.is_finite());
        let greatest = greatest.fold(top_min, f64::max).clamp(TOP_MIN, TOP_MAX);
        let step = match scale {
            Scale::Named(_) => 1.0,
            _ => round_step(greatest, height),
        };
        let top = match scale {
            Scale::Linear => (greatest / step).ceil() * step,
            Scale::SquareRoot => greatest * 1.05,
            Scale::Log(least) => 10_f64.powf(greatest.max(least * 10.0).log10().ceil()),
            Scale::Named(names) => names.len().saturating_sub(1).max(1) as f64,
        };
        Self {
            height,
            top,
            step,
            scale,
        }
    }

    /// Pixels below the top of the plot; above it, where the axis does not reach the value.
    pub(crate) fn y(&self, value: f64) -> Option<f64> {
        let share = match self.scale {
            Scale::Linear | Scale::Named(_) => value / self.top,
            Scale::SquareRoot => (value / self.top).max(0.0).sqrt(),
            Scale::Log(least) => (value.max(least) / least).log10() / (self.top / least).log10(),
        };
        let share = value.is_finite().then_some(share)?;
        Some(self.height * (1.0 - share.clamp(0.0, ABOVE_MAX)))
    }

    /// Pixel and text of each tick.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let values = self.tick_values().into_iter();
        let place = |value| Some((self.y(value)?, self.text(value)));
        values.filter_map(place).collect()
    }

    /// The name of a value, or the value with at most three digits after the point and a prefix for
    /// thousands.
    fn text(&self, value: f64) -> String {
        if let Scale::Named(names) = self.scale {
            return names
                .get(value as usize)
                .copied()
                .unwrap_or_default()
                .to_owned();
        }
        let (value, prefix) = match value {
            1e9.. => (value / 1e9, "G"),
            1e6.. => (value / 1e6, "M"),
            1e3.. => (value / 1e3, "k"),
            _ => (value, ""),
        };
        format!("{}{prefix}", (value * 1e3).round() / 1e3)
    }

    fn tick_values(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear | Scale::Named(_) => {
                let count = (self.top / self.step).round() as u32;
                let steps = (0..=count).map(|index| f64::from(index) * self.step);
                steps.collect()
            }
            Scale::Log(least) => {
                let decades = (self.top / least).log10().round();
                let stride = (decades * LABEL_ROOM / self.height).ceil().max(1.0) as usize;
                let powers = (0..=decades as i32).step_by(stride);
                powers.map(|power| least * 10_f64.powi(power)).collect()
            }
            Scale::SquareRoot => self.spread_ticks(),
        }
    }

    /// Zero and round values, from the top down as close as their labels allow.
    fn spread_ticks(&self) -> Vec<f64> {
        let power = self.top.log10().floor() as i32;
        let decades = (0..DECADES_MAX).map(|below| 10_f64.powi(power - below));
        let round = decades.flat_map(|decade| [5.0, 2.0, 1.0].map(|times| times * decade));
        let mut ticks = vec![0.0];
        let mut y_last = f64::NEG_INFINITY;
        for value in round.filter(|value| *value <= self.top) {
            let Some(y) = self.y(value) else { continue };
            if y - y_last >= LABEL_ROOM && self.height - y >= LABEL_ROOM {
                ticks.push(value);
                y_last = y;
            }
        }
        ticks
    }
}

/// The step of 1, 2 or 5 times a power of ten that leaves each label room on a plot of this height.
fn round_step(range: f64, height: f64) -> f64 {
    let rough = range * TICK_ROOM / height;
    let power = 10_f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter();
    let fits = |times: &f64| rough / power <= *times;
    times.clone().find(fits).unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests;
