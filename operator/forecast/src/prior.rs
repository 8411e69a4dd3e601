//! Cold start: what a day of load usually looks like, from public traces, for a cluster with less
//! than a day of its own.
//!
//! Nobody says in which zone the customers of a cluster live, so the usual day has no clock of its
//! own: with hours enough it is turned until it fits them, with fewer only the level is used. The
//! bound is what that rule was wrong by on traces it had not seen.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{
    blocks::Blocks,
    path::{ForecastPath, QuantilesRps},
    time::UnixMillis,
};

mod learn;

pub use learn::{ColdScore, learn_prior_day};

/// Hours of a day.
const HOURS: usize = 24;
/// The farthest quantile of a path, percent.
const FAR_PERCENT: u8 = 99;
/// Hours of history from which the usual day is turned to fit them; with fewer the level alone was
/// better on traces left out.
const TURNED_FROM_H: usize = 9;
/// Hours after which what was measured last has lost most of its say.
const MEMORY_H: f64 = 3.0;
/// Share of the mean below which a load counts as nearly nothing, so that logs stay finite.
const FLOOR_SHARE: f64 = 1e-3;

/// The usual day and how wrong a forecast from it is. `models/prior-day.md` says how it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorDay {
    /// Traces it was learned from.
    pub series: Vec<String>,
    /// Load of each hour of a day that is quietest around 04:00, as a share of its mean.
    pub shape: Vec<f64>,
    /// Ends of the ranges of lead, hours.
    pub leads_h: Vec<u32>,
    /// Quantiles of the factors below, percent, rising.
    pub percents: Vec<u8>,
    /// Load over forecast by lead and quantile, when a single moment is known.
    pub moment: Vec<Vec<f64>>,
    /// The same when a few hours are known.
    pub level: Vec<Vec<f64>>,
    /// The same when the usual day was turned to fit.
    pub turned: Vec<Vec<f64>>,
}

static BUILTIN: LazyLock<PriorDay> = LazyLock::new(|| {
    let text = include_str!("../../../models/prior-day.json");
    // A test reads the file and checks every length; it is part of the program.
    serde_json::from_str(text).expect("models/prior-day.json is a PriorDay")
});

impl PriorDay {
    /// The one this program was built with.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The usual load at an instant `phase_s` before it by the clock of the usual day, as a share of
    /// the day's mean.
    fn share(&self, epoch_s: i64, phase_s: i64) -> f64 {
        let second = (epoch_s + phase_s).rem_euclid(86_400);
        // A value stands for the hour that ends at it, so it is right in the middle of that hour.
        let place = (second - 1_800).rem_euclid(86_400) as f64 / 3_600.0;
        let hour = place.floor();
        let within = place - hour;
        let at = |hour: usize| self.shape.get(hour % HOURS).copied().unwrap_or(1.0);
        let hour = hour as usize;
        at(hour) * (1.0 - within) + at(hour + 1) * within
    }

    /// How far above a forecast the load lies at most, with the chance asked for.
    fn factor(&self, rule: &[Vec<f64>], lead_s: i64, quantile_percent: u8) -> f64 {
        let mut leads = self.leads_h.iter();
        let range = leads.position(|end_h| lead_s <= i64::from(*end_h) * 3_600);
        let Some(factors) = rule.get(range.unwrap_or(rule.len().saturating_sub(1))) else {
            return 1.0;
        };
        let above = self
            .percents
            .iter()
            .position(|percent| *percent >= quantile_percent);
        let above = above.unwrap_or(self.percents.len().saturating_sub(1));
        let below = above.saturating_sub(1);
        let percent = |index: usize| f64::from(self.percents.get(index).copied().unwrap_or(50));
        let value = |index: usize| factors.get(index).copied().unwrap_or(1.0);
        let width = percent(above) - percent(below);
        let within = if width > 0.0 {
            (f64::from(quantile_percent) - percent(below)) / width
        } else {
            0.0
        };
        let within = within.clamp(0.0, 1.0);
        (value(below) * (1.0 - within) + value(above) * within).max(1.0)
    }
}

/// The path of a cluster of which only one load is known: measured now, or declared.
///
/// `None` when `level_rps` is not a positive number or `step_s` is 0.
pub fn path_of_moment(
    now: UnixMillis,
    step_s: u32,
    horizon_s: u32,
    quantile_percent: u8,
    level_rps: f64,
) -> Option<ForecastPath> {
    if step_s == 0 || !level_rps.is_finite() || level_rps <= 0.0 {
        return None;
    }
    let prior = PriorDay::builtin();
    let steps = i64::from(horizon_s.div_ceil(step_s).max(1));
    let steps = (1..=steps).map(|step| {
        let lead_s = step * i64::from(step_s);
        let upper = level_rps * prior.factor(&prior.moment, lead_s, quantile_percent);
        let p99 = level_rps * prior.factor(&prior.moment, lead_s, FAR_PERCENT);
        QuantilesRps {
            p50: level_rps,
            upper,
            p99: p99.max(upper),
        }
    });
    Some(ForecastPath::from_sound(
        now.plus_s(i64::from(step_s)),
        step_s,
        quantile_percent,
        "usual-day".to_owned(),
        &steps.collect::<Vec<QuantilesRps>>(),
    ))
}

/// A forecast from some hours of history.
pub(crate) struct Cold<'a> {
    prior: &'a PriorDay,
    end_s: i64,
    block_s: i64,
    /// Mean of the last hour, requests/s.
    last_rps: f64,
    /// Largest value of the last day, requests/s.
    peak_rps: f64,
    /// Level of the day, requests/s, and how the usual day is turned; none while it is not.
    level_rps: f64,
    phase_s: Option<i64>,
}

impl<'a> Cold<'a> {
    pub(crate) fn of(blocks: &Blocks, prior: &'a PriorDay) -> Self {
        let last = blocks.last();
        let first = (last + 1).saturating_sub(blocks.count_in(86_400));
        let known: Vec<(i64, f64)> = (first..=last)
            .map(|at| (blocks.epoch_s(at), blocks.value(at)))
            .collect();
        let hour = (last + 1).saturating_sub(blocks.count_in(3_600));
        let mean_rps = blocks.mean(first, last);
        let peak_rps = known.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let hours = known.len() * blocks.block_s() as usize / 3_600;
        let turned = (hours >= TURNED_FROM_H && mean_rps > 0.0)
            .then(|| turned(prior, &known, mean_rps))
            .flatten();
        let (phase_s, level_rps) = turned.map_or((None, mean_rps), |(phase_s, level_rps)| {
            (Some(phase_s), level_rps)
        });
        Self {
            prior,
            end_s: blocks.epoch_s(last),
            block_s: i64::from(blocks.block_s()),
            last_rps: blocks.mean(hour, last),
            peak_rps,
            level_rps,
            phase_s,
        }
    }

    /// The quantiles so many blocks after the end of the history.
    pub(crate) fn step(&self, lead: usize, quantile_percent: u8) -> QuantilesRps {
        let lead = i64::try_from(lead).unwrap_or(i64::MAX);
        self.at(lead.saturating_mul(self.block_s), quantile_percent)
    }

    /// The quantiles so many seconds after the end of the history. The upper ones are never below
    /// what the last day has seen.
    pub(crate) fn at(&self, lead_s: i64, quantile_percent: u8) -> QuantilesRps {
        let fading = (-(lead_s as f64) / 3_600.0 / MEMORY_H).exp();
        let (carried_rps, usual_rps, rule) = match self.phase_s {
            Some(phase_s) => {
                let then = self.prior.share(self.end_s + lead_s, phase_s);
                let now = self.prior.share(self.end_s - 1_800, phase_s);
                let carried_rps = self.last_rps * then / now;
                (carried_rps, self.level_rps * then, &self.prior.turned)
            }
            None => (self.last_rps, self.level_rps, &self.prior.level),
        };
        let p50_rps = carried_rps * fading + usual_rps * (1.0 - fading);
        let reach = |percent: u8| {
            let factor = self.prior.factor(rule, lead_s, percent);
            (p50_rps * factor).max(self.peak_rps)
        };
        let upper = reach(quantile_percent).max(p50_rps);
        QuantilesRps {
            p50: p50_rps,
            upper,
            p99: reach(FAR_PERCENT).max(upper),
        }
    }
}

/// How the usual day must be turned to fit best, seconds, and the level it then has, requests/s.
fn turned(prior: &PriorDay, known: &[(i64, f64)], mean_rps: f64) -> Option<(i64, f64)> {
    let count = known.len() as f64;
    let fit = |hour: i64| {
        let phase_s = hour * 3_600;
        let gaps: Vec<f64> = known
            .iter()
            .map(|(epoch_s, rate_rps)| {
                let seen = rate_rps.max(FLOOR_SHARE * mean_rps);
                seen.ln() - prior.share(*epoch_s, phase_s).ln()
            })
            .collect();
        let level = gaps.iter().sum::<f64>() / count;
        let rest: f64 = gaps.iter().map(|gap| (gap - level).powi(2)).sum();
        (rest, phase_s, level.exp())
    };
    let fits = (0..24).map(fit);
    let best = fits.min_by(|left, right| left.0.total_cmp(&right.0))?;
    let (_, phase_s, level_rps) = best;
    level_rps.is_finite().then_some((phase_s, level_rps))
}
