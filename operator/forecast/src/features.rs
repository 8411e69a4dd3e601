//! What a regression sees: levels, lags, differences, profiles and the calendar, all in log space.
//!
//! An origin is the last block that is known; nothing after it is read.

use std::f64::consts::TAU;

use crate::{blocks::Blocks, events::EventView, residual::LeadPoint, view::View};

/// Which features exist, decided once per fit by the length of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Season {
    /// Lags of one and two days.
    Daily,
    /// Lags of seven days and weekdays too.
    Weekly,
}

const DAY_S: u32 = 86_400;
const DAY_HARMONICS: u32 = 4;

/// Where the columns of a row lie.
pub(crate) mod column {
    /// The constant.
    pub(crate) const ONE: usize = 0;
    /// The load now.
    pub(crate) const NOW: usize = 1;
    /// The load one day before the target.
    pub(crate) const DAY_BEFORE: usize = 2;
    /// The profile over days.
    pub(crate) const DAILY_PROFILE: usize = 3;
    /// Deviations of the last hour, three hours and day from the profile over days.
    pub(crate) const DAILY_DEVIATIONS: std::ops::Range<usize> = 4..7;
    /// First column after those that every season has.
    pub(crate) const WEEK_BEFORE: usize = 26;
    /// The profile over weeks.
    pub(crate) const WEEKLY_PROFILE: usize = 27;
    /// Deviations of the last hour, three hours and day from the profile over weeks.
    pub(crate) const WEEKLY_DEVIATIONS: std::ops::Range<usize> = 28..31;
    /// First column after those of a week.
    pub(crate) const WEEKLY_END: usize = 45;
}

impl Season {
    /// First origin at which every feature exists.
    pub(crate) fn first_origin(self, blocks: &Blocks) -> usize {
        let hour = blocks.count_in(3_600);
        let day = blocks.count_in(DAY_S);
        match self {
            Self::Daily => day + hour,
            Self::Weekly => 7 * day + hour,
        }
    }

    /// The column that seasonal naive repeats.
    pub(crate) const fn naive(self) -> usize {
        match self {
            Self::Daily => column::DAY_BEFORE,
            Self::Weekly => column::WEEK_BEFORE,
        }
    }
}

/// One row of the regression for a target `lead` blocks after `origin`.
pub(crate) fn row(
    view: &View,
    events: Option<&EventView>,
    season: Season,
    origin: usize,
    lead: usize,
) -> Vec<f64> {
    let (hour, day) = (view.hour, view.day);
    let target = origin + lead;
    let now = view.log(origin);
    let recent = view.trailing(origin, hour);
    let three = view.trailing(origin, 3 * hour);
    let today = view.trailing(origin, day);
    let ago = |lag: usize| origin.saturating_sub(lag);
    let mut row = Vec::with_capacity(48);
    row.extend([
        1.0,
        now,
        view.log(View::lagged(target, origin, day)),
        view.daily_profile(target, origin),
    ]);
    row.extend(deviations(view, origin, day));
    let half = hour.div_ceil(2);
    row.extend([
        view.log(ago(1)),
        view.trailing(origin, hour.div_ceil(4)),
        view.trailing(origin, half) - view.trailing(ago(half), half),
        recent,
        three,
        today,
        view.around(View::lagged(target, origin, day), origin),
        view.around(View::lagged(target, origin, 2 * day), origin),
        now - view.log(ago(day)),
        recent - view.trailing(ago(day), hour),
        today - view.trailing(ago(day), day),
    ]);
    let second = view.blocks.epoch_s(target).rem_euclid(i64::from(DAY_S)) as f64;
    for harmonic in 1..=DAY_HARMONICS {
        let angle = TAU * f64::from(harmonic) * second / f64::from(DAY_S);
        row.extend([angle.sin(), angle.cos()]);
    }
    if season == Season::Weekly {
        weekly(&mut row, view, origin, target);
    }
    if let Some(events) = events {
        events.extend(&mut row, origin, target);
    }
    row
}

fn weekly(row: &mut Vec<f64>, view: &View, origin: usize, target: usize) {
    let (hour, day, week) = (view.hour, view.day, view.week);
    let before = View::lagged(target, origin, week);
    let ago = origin.saturating_sub(week);
    row.extend([view.log(before), view.weekly_profile(target, origin)]);
    row.extend(deviations(view, origin, week));
    row.extend([
        view.around(before, origin),
        view.around(before.saturating_sub(week), origin),
        view.log(origin) - view.log(ago),
        view.trailing(origin, hour) - view.trailing(ago, hour),
        view.trailing(origin, day) - view.trailing(ago, day),
        view.trailing(origin, week),
        view.around(View::lagged(target, origin, day), origin)
            - view.around(
                View::lagged(target, origin, day).saturating_sub(week),
                origin,
            ),
    ]);
    let weekday = view
        .blocks
        .epoch_s(target)
        .div_euclid(i64::from(DAY_S))
        .rem_euclid(7);
    row.extend((0..7).map(|day| if day == weekday { 1.0 } else { 0.0 }));
}

/// How far the last hour, three hours and day lie above what the profile says about them.
fn deviations(view: &View, origin: usize, season: usize) -> [f64; 3] {
    let over = |count: usize| {
        let then = origin.saturating_sub(season);
        let before = then.saturating_sub(season);
        let usual = f64::midpoint(view.trailing(then, count), view.trailing(before, count));
        let level = f64::midpoint(view.trailing(then, season), view.trailing(before, season));
        view.trailing(origin, count) - usual - (view.trailing(origin, season) - level)
    };
    [over(view.hour), over(3 * view.hour), over(view.day)]
}

/// The columns of a small regression: profile, level and the deviations from it.
pub(crate) fn small(season: Season, width: usize) -> Vec<usize> {
    let mut columns = vec![column::ONE, column::NOW, column::DAILY_PROFILE];
    columns.extend(column::DAILY_DEVIATIONS);
    if season == Season::Weekly {
        columns.push(column::WEEKLY_PROFILE);
        columns.extend(column::WEEKLY_DEVIATIONS);
    }
    // Whatever events add comes last.
    let plain = match season {
        Season::Daily => column::WEEK_BEFORE,
        Season::Weekly => column::WEEKLY_END,
    };
    columns.extend(plain..width);
    columns
}

/// What the spread of the errors depends on.
pub(crate) fn spread_row(view: &View, point: &LeadPoint) -> Vec<f64> {
    let LeadPoint {
        origin,
        lead,
        lift,
        predicted,
    } = *point;
    let (hour, day) = (view.hour, view.day);
    let target = origin + lead;
    let log = |value: f64| (value + 1e-4).ln();
    let same = View::lagged(target, origin, day);
    let second = view.blocks.epoch_s(target).rem_euclid(i64::from(DAY_S)) as f64;
    let angle = TAU * second / f64::from(DAY_S);
    vec![
        1.0,
        predicted,
        log(view.restless(origin, hour)),
        log(view.restless(origin, day)),
        log(view.restless((same + hour).min(origin), 2 * hour)),
        (predicted - view.log(origin)).abs(),
        (predicted - view.around(same, origin)).abs(),
        angle.sin(),
        angle.cos(),
        (2.0 * angle).sin(),
        (2.0 * angle).cos(),
        lift.abs(),
    ]
}
