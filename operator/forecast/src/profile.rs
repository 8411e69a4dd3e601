//! How much an event lifts demand, minute by minute from its start, with quantiles over events.
//!
//! The lift is the ratio to what the time of day and the level of the day alone would have given.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{
    blocks::Blocks,
    events::{Calendar, lifts},
    series::Series,
    view::Unit,
};

/// Fewest events a profile is learned from: with fewer its quantiles would be those of one evening.
const EVENTS_MIN: usize = 3;

/// Lift of an event over its minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpliftProfile {
    /// Events it was learned from.
    pub events: usize,
    /// Length of a step, minutes.
    pub step_min: i64,
    /// The steps, earliest first.
    pub steps: Vec<UpliftStep>,
}

/// Lift in one step, as a factor on what would have come without the event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpliftStep {
    /// Beginning of the step, minutes from the start of the event; negative before it.
    pub from_min: i64,
    /// Median.
    pub p50: f64,
    /// What nine in ten moments stay below.
    pub p90: f64,
    /// What nineteen in twenty stay below.
    pub p95: f64,
}

static BUILTIN: LazyLock<UpliftProfile> = LazyLock::new(|| {
    let text = include_str!("../../../models/prior-event.json");
    // A test reads the file; it is part of the program.
    serde_json::from_str(text).expect("models/prior-event.json is an UpliftProfile")
});

impl UpliftProfile {
    /// The one of public events that this program was built with: `models/prior-event.md`.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Learns from the events of a calendar that lie in a series; `None` with fewer than three.
    pub fn learn(series: &Series, calendar: &Calendar) -> Option<Self> {
        let inside =
            |start: &&crate::UnixMillis| series.start() <= **start && **start <= series.end();
        let events = calendar.starts().iter().filter(inside).count();
        if events < EVENTS_MIN {
            return None;
        }
        let window_s = u32::try_from(series.span_s()).ok()?.max(1);
        let blocks = Blocks::new(series, window_s);
        let lifts = lifts(&blocks, Unit::of(&blocks), calendar)?;
        let step_min = lifts.get(1)?.0 - lifts.first()?.0;
        let steps = lifts.into_iter().map(|(from_min, mut factors)| {
            factors.sort_unstable_by(f64::total_cmp);
            UpliftStep {
                from_min,
                p50: quantile(&factors, 50),
                p90: quantile(&factors, 90),
                p95: quantile(&factors, 95),
            }
        });
        Some(Self {
            events,
            step_min,
            steps: steps.collect(),
        })
    }

    /// The step with the highest median.
    pub fn peak(&self) -> Option<&UpliftStep> {
        self.steps
            .iter()
            .max_by(|left, right| left.p50.total_cmp(&right.p50))
    }
}

/// The value that so many percent of sorted factors stay at or below, to three digits; 1 of none.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = sorted.len() * percent / 100;
    let value = sorted.get(rank.min(sorted.len().saturating_sub(1)));
    (value.copied().unwrap_or(1.0) * 1_000.0).round() / 1_000.0
}
