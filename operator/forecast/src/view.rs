//! The blocks in log space: levels, profiles and volatility at any index in constant time.
//!
//! Logs are taken relative to a unit that grows with the series, so that a factor on the load is
//! the same factor on the forecast.

use crate::blocks::Blocks;

/// The unit is this share of the mean: loads far below it count as nearly equal.
const UNIT_SHARE: f64 = 0.1;
/// Blocks below this share of the mean are idle.
const IDLE_SHARE: f64 = 1e-3;
/// How much the share of idle blocks adds to the unit: where demand often ends altogether, logs
/// would make the step from nothing to little the greatest of all.
const IDLE_WEIGHT: f64 = 12.0;
/// Half of the width over which a lag is smoothed, seconds.
const SMOOTH_S: u32 = 1_800;
/// Weeks that make a weekly profile.
const WEEKS_MAX: usize = 7;
/// Days that make a daily profile.
const DAYS_MAX: usize = 7;
/// Weight of a week or a day beside the one after it in a profile.
const FADING: f64 = 0.8;

/// How a rate becomes a log and back.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Unit(f64);

impl Unit {
    pub(crate) fn of(blocks: &Blocks) -> Self {
        let mean = blocks.mean(0, blocks.last());
        let idle = (0..blocks.len()).filter(|at| blocks.value(*at) < IDLE_SHARE * mean);
        let idle = idle.count() as f64 / blocks.len() as f64;
        let share = (UNIT_SHARE + IDLE_WEIGHT * idle).min(5.0);
        Self(if mean > 0.0 { mean * share } else { 1.0 })
    }

    pub(crate) fn log(self, rate_rps: f64) -> f64 {
        (rate_rps.max(0.0) / self.0).ln_1p()
    }

    pub(crate) fn rate(self, log: f64) -> f64 {
        log.max(0.0).exp_m1() * self.0
    }
}

/// Blocks in log space with prefix sums.
pub(crate) struct View<'a> {
    pub(crate) blocks: &'a Blocks,
    pub(crate) hour: usize,
    pub(crate) day: usize,
    pub(crate) week: usize,
    smooth: usize,
    logs: Vec<f64>,
    sums: Vec<f64>,
    /// Prefix sums of the absolute steps from block to block.
    steps: Vec<f64>,
}

impl<'a> View<'a> {
    pub(crate) fn new(blocks: &'a Blocks, unit: Unit) -> Self {
        let logs = (0..blocks.len()).map(|at| unit.log(blocks.value(at)));
        Self::of_logs(blocks, logs.collect())
    }

    /// The same functions on other logs, which may reach beyond the blocks.
    pub(crate) fn of_logs(blocks: &'a Blocks, logs: Vec<f64>) -> Self {
        let mut sums = vec![0.0];
        let mut steps = vec![0.0];
        for (index, log) in logs.iter().enumerate() {
            sums.push(sums[index] + log);
            let before = logs[index.saturating_sub(1)];
            steps.push(steps[index] + (log - before).abs());
        }
        let day = blocks.count_in(86_400);
        Self {
            blocks,
            hour: blocks.count_in(3_600),
            day,
            week: 7 * day,
            smooth: usize::try_from(SMOOTH_S / blocks.block_s()).unwrap_or(0),
            logs,
            sums,
            steps,
        }
    }

    pub(crate) fn log(&self, index: usize) -> f64 {
        self.logs[index.min(self.logs.len() - 1)]
    }

    /// Mean log of the `count` blocks that end at `index`.
    pub(crate) fn trailing(&self, index: usize, count: usize) -> f64 {
        let to = index.min(self.logs.len() - 1);
        mean(&self.sums, (to + 1).saturating_sub(count), to)
    }

    /// Mean log of the blocks around `index`, none of them after `limit`.
    pub(crate) fn around(&self, index: usize, limit: usize) -> f64 {
        let to = (index + self.smooth).min(limit);
        mean(&self.sums, index.saturating_sub(self.smooth).min(to), to)
    }

    /// Mean absolute step of the `count` blocks that end at `index`.
    pub(crate) fn restless(&self, index: usize, count: usize) -> f64 {
        let to = index.min(self.logs.len() - 1);
        mean(&self.steps, (to + 1).saturating_sub(count), to)
    }

    /// The index a whole number of `season`s before `target` that is known at `origin`.
    pub(crate) fn lagged(target: usize, origin: usize, season: usize) -> usize {
        let ahead = target.saturating_sub(origin).max(1);
        target.saturating_sub(ahead.div_ceil(season) * season)
    }

    /// What the same time of the week was like, newer weeks weighing more, each moved to the level
    /// of the week that ends at `origin`.
    pub(crate) fn weekly_profile(&self, target: usize, origin: usize) -> f64 {
        self.profile(target, origin, self.week, WEEKS_MAX)
    }

    /// The same over the last days.
    pub(crate) fn daily_profile(&self, target: usize, origin: usize) -> f64 {
        self.profile(target, origin, self.day, DAYS_MAX)
    }

    fn profile(&self, target: usize, origin: usize, season: usize, most: usize) -> f64 {
        let level = self.trailing(origin, season);
        let mut sum = 0.0;
        let mut weights = 0.0;
        let mut weight = 1.0;
        let mut at = Self::lagged(target, origin, season);
        let mut then = origin - (target - at).min(origin);
        for count in 0..most {
            if count > 0 && then + 1 < season {
                break;
            }
            sum += weight * (self.around(at, origin) - self.trailing(then, season));
            weights += weight;
            weight *= FADING;
            let Some(earlier) = at.checked_sub(season) else {
                break;
            };
            at = earlier;
            then = then.saturating_sub(season);
        }
        level + sum / weights
    }
}

fn mean(sums: &[f64], from: usize, to: usize) -> f64 {
    (sums[to + 1] - sums[from]) / (to + 1 - from) as f64
}
