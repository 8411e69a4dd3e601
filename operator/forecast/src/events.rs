//! Events known ahead: how much they lift demand, minute by minute from their start.
//!
//! The lift is learned as a ratio to what the time of day and the level of the day alone would
//! have given; it is taken out of the history before the members look at it, so that yesterday's
//! event is not expected again today, and put back where the calendar has one.

use serde::{Deserialize, Serialize};

use crate::{
    blocks::Blocks,
    ridge::{Rows, Sums, predict},
    time::UnixMillis,
    view::{Unit, View},
};

/// The profile begins this long before the start of an event, minutes.
const FROM_MIN: i64 = -120;
/// The profile ends this long after the start of an event, minutes.
const TO_MIN: i64 = 300;
/// Length of one step of the profile, minutes.
const STEP_MIN: i64 = 15;
const STEPS: usize = ((TO_MIN - FROM_MIN) / STEP_MIN) as usize;
/// Penalty on the steps: an event or two move them little.
const LAMBDA: f64 = 5.0;
/// No step lifts or lowers demand by more than this, in log space: about twentyfold.
const LIFT_MAX: f64 = 3.0;
const DAY_S: i64 = 86_400;
const DAY_HARMONICS: u32 = 4;

/// Instants at which events start, past and future, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar(Vec<UnixMillis>);

impl Calendar {
    /// A calendar of instants in any order.
    pub fn new(mut starts: Vec<UnixMillis>) -> Self {
        starts.sort_unstable();
        starts.dedup();
        Self(starts)
    }

    /// Whether nothing is known ahead.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The instants, oldest first.
    pub fn starts(&self) -> &[UnixMillis] {
        &self.0
    }

    /// Whether an event starts in `[from, to]`.
    pub fn touches(&self, from: UnixMillis, to: UnixMillis) -> bool {
        self.0.iter().any(|start| (from..=to).contains(start))
    }

    /// Steps of the profile that `epoch_s` falls in, one for each event near it.
    fn steps(&self, epoch_s: i64) -> impl Iterator<Item = usize> {
        let seconds = |minutes: i64| minutes * 60;
        let first = self.0.partition_point(|start| {
            start.plus_s(seconds(TO_MIN)).0 <= epoch_s.saturating_mul(1_000)
        });
        self.0[first..]
            .iter()
            .map(move |start| epoch_s - start.0.div_euclid(1_000) - seconds(FROM_MIN))
            .take_while(|behind_s| *behind_s >= 0)
            .filter_map(move |behind_s| usize::try_from(behind_s / seconds(STEP_MIN)).ok())
            .filter(|step| *step < STEPS)
    }
}

/// The lift of one event over its minutes, in log space.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Uplift {
    /// One per step of the profile; empty when nothing was learned.
    steps: Vec<f64>,
}

impl Uplift {
    /// Learns from the events that lie within the blocks.
    pub(crate) fn learn(blocks: &Blocks, unit: Unit, calendar: &Calendar) -> Self {
        let Some(fitted) = Self::regress(blocks, unit, calendar) else {
            return Self::default();
        };
        let steps = fitted[fitted.len() - STEPS..]
            .iter()
            .map(|lift| lift.clamp(-LIFT_MAX, LIFT_MAX));
        Self {
            steps: steps.collect(),
        }
    }

    /// Coefficients of a regression on level, time of day and the steps of the profile.
    fn regress(blocks: &Blocks, unit: Unit, calendar: &Calendar) -> Option<Vec<f64>> {
        if calendar.is_empty() {
            return None;
        }
        let day = blocks.count_in(86_400);
        let mut rows = Rows::default();
        for index in 0..blocks.len() {
            let Some(rate) = blocks.observed(index) else {
                continue;
            };
            let row = row(blocks, unit, calendar, index, day);
            rows.push(&row, unit.log(rate));
        }
        if rows.len() == 0 {
            return None;
        }
        let mut sums = Sums::plain(&rows);
        sums.grow(rows.len(), &|_| 1.0);
        let columns: Vec<usize> = (0..rows.row(0).len()).collect();
        sums.solve(&columns, LAMBDA)
    }

    /// The lift over the blocks and `ahead` more, and the calendar behind it; `None` without events.
    pub(crate) fn view<'a>(
        &self,
        blocks: &'a Blocks,
        calendar: &'a Calendar,
        ahead: usize,
    ) -> Option<EventView<'a>> {
        if self.steps.is_empty() {
            return None;
        }
        let count = blocks.len() + ahead;
        let logs = (0..count).map(|index| self.log_at(calendar, blocks.epoch_s(index)));
        Some(EventView {
            lift: View::of_logs(blocks, logs.collect()),
            calendar,
        })
    }

    /// Lift at an instant, in log space; events that overlap add up.
    pub(crate) fn log_at(&self, calendar: &Calendar, epoch_s: i64) -> f64 {
        if self.steps.is_empty() {
            return 0.0;
        }
        calendar.steps(epoch_s).map(|step| self.steps[step]).sum()
    }
}

/// Every ratio of the load to what time of day and level alone would have given, by step of the
/// profile; moments that two events share are left out.
pub(crate) fn lifts(
    blocks: &Blocks,
    unit: Unit,
    calendar: &Calendar,
) -> Option<Vec<(i64, Vec<f64>)>> {
    let fitted = Uplift::regress(blocks, unit, calendar)?;
    let day = blocks.count_in(86_400);
    let mut lifts: Vec<(i64, Vec<f64>)> = (FROM_MIN..TO_MIN)
        .step_by(usize::try_from(STEP_MIN).ok()?)
        .map(|from_min| (from_min, Vec::new()))
        .collect();
    for index in 0..blocks.len() {
        let mut steps = calendar.steps(blocks.epoch_s(index));
        let (Some(step), None) = (steps.next(), steps.next()) else {
            continue;
        };
        let Some(rate_rps) = blocks.observed(index) else {
            continue;
        };
        let row = row(blocks, unit, calendar, index, day);
        let plain = row.len() - STEPS;
        let usual_rps = unit.rate(predict(&fitted[..plain], &row[..plain]));
        if usual_rps > 0.0 {
            lifts[step].1.push(rate_rps / usual_rps);
        }
    }
    Some(lifts)
}

fn row(blocks: &Blocks, unit: Unit, calendar: &Calendar, index: usize, day: usize) -> Vec<f64> {
    let epoch_s = blocks.epoch_s(index);
    let level = blocks.mean(index.saturating_sub(day / 2), index + day / 2);
    let mut row = vec![1.0, unit.log(level)];
    let second = epoch_s.rem_euclid(DAY_S) as f64;
    for harmonic in 1..=DAY_HARMONICS {
        let angle = std::f64::consts::TAU * f64::from(harmonic) * second / DAY_S as f64;
        row.extend([angle.sin(), angle.cos()]);
    }
    let first = row.len();
    row.resize(first + STEPS, 0.0);
    for step in calendar.steps(epoch_s) {
        row[first + step] += 1.0;
    }
    row
}

/// Edges of the bins that a regression sees, minutes from the start of an event.
const BIN_EDGES_MIN: [i64; 12] = [-60, -30, -15, 0, 15, 30, 60, 90, 120, 150, 180, 240];

/// Columns that events add to a row.
pub(crate) const BIN_COLUMNS: usize = 9 + BIN_EDGES_MIN.len() - 1;

/// Events as a regression sees them.
pub(crate) struct EventView<'a> {
    lift: View<'a>,
    calendar: &'a Calendar,
}

impl EventView<'_> {
    /// Lift at a block.
    pub(crate) fn lift(&self, index: usize) -> f64 {
        self.lift.log(index)
    }

    /// Columns for a target: what events do there, and what they did to each input.
    pub(crate) fn extend(&self, row: &mut Vec<f64>, origin: usize, target: usize) {
        let lift = &self.lift;
        let (day, week) = (lift.day, lift.week);
        row.extend([
            lift.log(target),
            lift.log(origin),
            lift.trailing(origin, lift.hour),
            lift.trailing(origin, day),
            lift.trailing(target + day / 2, day),
            lift.log(View::lagged(target, origin, day)),
            lift.daily_profile(target, origin),
            lift.log(View::lagged(target, origin, week)),
            lift.weekly_profile(target, origin),
        ]);
        let first = row.len();
        row.resize(first + BIN_EDGES_MIN.len() - 1, 0.0);
        let epoch_s = lift.blocks.epoch_s(target);
        for start in &self.calendar.0 {
            let behind_min = (epoch_s - start.0.div_euclid(1_000)).div_euclid(60);
            let bin = BIN_EDGES_MIN.partition_point(|edge| *edge <= behind_min);
            if (1..BIN_EDGES_MIN.len()).contains(&bin) {
                row[first + bin - 1] += 1.0;
            }
        }
    }
}
