//! What a regression sees: levels, lags, differences and the calendar, all in log space.
//!
//! An origin is the last block that is known; nothing after it is read.

use std::f64::consts::TAU;

use crate::blocks::Blocks;

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

impl Season {
    /// First origin at which every feature exists.
    pub(crate) fn first_origin(self, blocks: &Blocks) -> usize {
        let hour = blocks.count_in(3_600);
        let day = blocks.count_in(DAY_S);
        match self {
            Self::Daily => day + hour,
            Self::Weekly => 8 * day + hour,
        }
    }

    /// The lag that seasonal naive repeats, in blocks.
    pub(crate) fn lag(self, blocks: &Blocks) -> usize {
        match self {
            Self::Daily => blocks.count_in(DAY_S),
            Self::Weekly => 7 * blocks.count_in(DAY_S),
        }
    }
}

/// Log of a rate, defined at zero.
pub(crate) fn log_rate(rate_rps: f64) -> f64 {
    rate_rps.max(0.0).ln_1p()
}

/// Seasonal naive in log space: the value one season before the target.
pub(crate) fn seasonal_naive(blocks: &Blocks, season: Season, origin: usize, lead: usize) -> f64 {
    let target = origin + lead;
    log_rate(blocks.value(target.saturating_sub(season.lag(blocks)).min(origin)))
}

/// One row of the regression for a target `lead` blocks after `origin`.
pub(crate) fn row(blocks: &Blocks, season: Season, origin: usize, lead: usize) -> Vec<f64> {
    let view = View { blocks, origin };
    let hour = blocks.count_in(3_600);
    let day = blocks.count_in(DAY_S);
    let target = origin + lead;
    let recent = view.trailing(origin, hour);
    let mut row = Vec::with_capacity(40);
    let now = log_rate(blocks.value(origin));
    let quarter = view.trailing(origin, blocks.count_in(900));
    let half = blocks.count_in(1_800);
    // The trend weighs more the further ahead the target lies.
    let trend = quarter - view.trailing(origin.saturating_sub(half), half);
    let ahead = lead as f64 / (lead as f64 + hour as f64);
    row.extend([
        now,
        log_rate(blocks.value(origin.saturating_sub(1))),
        quarter,
        trend,
        trend * ahead,
        (now - quarter) * ahead,
        recent,
        view.trailing(origin, 3 * hour),
        view.trailing(origin, day),
        view.around(target.saturating_sub(day), 1),
        view.around(target.saturating_sub(day), hour / 2),
        view.around(target.saturating_sub(2 * day), hour / 2),
        recent - view.trailing(origin.saturating_sub(day), hour),
    ]);
    if season == Season::Weekly {
        let week = 7 * day;
        let same = view.around(target.saturating_sub(week), hour / 2);
        let weeks: Vec<f64> = (1..=3)
            .filter_map(|count| target.checked_sub(count * week))
            .map(|index| view.around(index, hour / 2))
            .collect();
        row.extend([
            view.around(target.saturating_sub(week), 1),
            same,
            weeks.iter().sum::<f64>() / weeks.len().max(1) as f64,
            recent - view.trailing(origin.saturating_sub(week), hour),
            view.trailing(origin, day) - view.trailing(origin.saturating_sub(week), day),
            view.around(target.saturating_sub(day), hour / 2)
                - view.around(target.saturating_sub(day + week), hour / 2),
        ]);
    }
    calendar(&mut row, blocks.epoch_s(target), season);
    row
}

fn calendar(row: &mut Vec<f64>, epoch_s: i64, season: Season) {
    let second = epoch_s.rem_euclid(i64::from(DAY_S)) as f64;
    for harmonic in 1..=DAY_HARMONICS {
        let angle = TAU * f64::from(harmonic) * second / f64::from(DAY_S);
        row.extend([angle.sin(), angle.cos()]);
    }
    if season == Season::Weekly {
        let weekday = epoch_s.div_euclid(i64::from(DAY_S)).rem_euclid(7);
        row.extend((0..7).map(|day| if day == weekday { 1.0 } else { 0.0 }));
    }
}

/// Means in log space that never look past the origin.
struct View<'a> {
    blocks: &'a Blocks,
    origin: usize,
}

impl View<'_> {
    /// Log of the mean of the `count` blocks that end at `index`.
    fn trailing(&self, index: usize, count: usize) -> f64 {
        log_rate(
            self.blocks
                .mean((index + 1).saturating_sub(count), index.min(self.origin)),
        )
    }

    /// Log of the mean of the blocks at most `radius` away from `index`.
    fn around(&self, index: usize, radius: usize) -> f64 {
        let to = (index + radius).min(self.origin);
        log_rate(self.blocks.mean(index.saturating_sub(radius).min(to), to))
    }
}
