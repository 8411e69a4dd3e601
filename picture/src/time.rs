//! The horizontal axis: a span of time, and the instants that get a tick.

use jiff::{Timestamp, tz::Offset};

/// Least distance of two ticks, pixels: the longest label and a gap.
const TICK_ROOM: f64 = 82.0;
/// Times between two ticks, seconds, from one second to twelve weeks.
const STEPS_S: [i64; 22] = [
    1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, DAY_S,
    172_800, WEEK_S, 1_209_600, 2_419_200, 7_257_600,
];
const DAY_S: i64 = 86_400;
const WEEK_S: i64 = 604_800;

/// A span of time and the zone in which it is labelled.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Its start, Unix seconds.
    pub from_s: f64,
    /// Its end, Unix seconds.
    pub until_s: f64,
    /// The zone of the labels.
    pub offset: Offset,
}

/// An instant with a label: the time, and where the day (or the year) changes, that below it.
#[derive(Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) share: f64,
    pub(crate) text: String,
    pub(crate) below: Option<String>,
}

impl Time {
    /// Share of the span that lies before an instant, 0 to 1.
    pub(crate) fn share(&self, at_s: f64) -> f64 {
        // The greater of NaN and a number is the number.
        ((at_s - self.from_s) / self.span_s())
            .clamp(0.0, 1.0)
            .max(0.0)
    }

    /// Whether an instant lies in it.
    pub fn holds(&self, at_s: f64) -> bool {
        (self.from_s..=self.until_s).contains(&at_s)
    }

    fn span_s(&self) -> f64 {
        (self.until_s - self.from_s).max(1.0)
    }

    /// The zone as it is printed at the axis.
    pub(crate) fn zone(&self) -> String {
        let zoned = Timestamp::UNIX_EPOCH.to_zoned(self.offset.to_time_zone());
        let format = if self.offset == Offset::UTC {
            "UTC"
        } else {
            "UTC%:z"
        };
        zoned.strftime(format).to_string()
    }

    /// Ticks at round local times, as many as there is room for in `width` pixels.
    pub(crate) fn ticks(&self, width: f64) -> Vec<Tick> {
        let count_max = width / TICK_ROOM;
        let least_s = self.span_s() / count_max;
        let fits = |step_s: &i64| *step_s as f64 >= least_s;
        let weeks = (least_s / WEEK_S as f64).clamp(1.0, 1e6).ceil() as i64;
        let step_s = STEPS_S.into_iter().find(fits).unwrap_or(weeks * WEEK_S);
        let (text, below) = match step_s {
            ..60 => ("%H:%M:%S", "%b %-d"),
            60..DAY_S => ("%H:%M", "%b %-d"),
            _ => ("%b %-d", "%Y"),
        };
        let local_s = i64::from(self.offset.seconds());
        let first = (self.from_s + local_s as f64) / step_s as f64;
        let (first, mut ticks) = (first.ceil() as i64, Vec::new());
        let mut before = String::new();
        for index in first..first.saturating_add(count_max as i64 + 1) {
            let at_s = index.saturating_mul(step_s).saturating_sub(local_s);
            let Ok(at) = Timestamp::from_second(at_s) else {
                break;
            };
            if !self.holds(at_s as f64) {
                break;
            }
            let at = at.to_zoned(self.offset.to_time_zone());
            let day = at.strftime(below).to_string();
            ticks.push(Tick {
                share: self.share(at_s as f64),
                text: at.strftime(text).to_string(),
                below: (day != before).then(|| day.clone()),
            });
            before = day;
        }
        ticks
    }
}

#[cfg(test)]
mod tests;
