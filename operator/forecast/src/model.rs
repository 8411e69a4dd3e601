//! The fitted model: one regression per lead bucket, blended with seasonal naive, and its path.

use std::cell::LazyCell;

use serde::{Deserialize, Serialize};

use crate::{
    blocks::Blocks,
    conformal::{Bound, Uppers},
    events::{Calendar, EventView, Uplift},
    features::{self, Season},
    path::{ForecastPath, QuantilesRps},
    prior::{Cold, PriorDay},
    residual::LeadPoint,
    ridge::predict,
    series::Series,
    time::UnixMillis,
    view::{Unit, View},
};

/// What a model could learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// Less than a day and a bit: the usual day of public traces on the recent level, with a wide
    /// interval. Publish `ColdStart`.
    ColdStart,
    /// Daily lags only.
    Daily,
    /// Daily and weekly lags.
    Weekly,
}

impl Basis {
    /// Name as decisions and status print it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ColdStart => "usual-day",
            Self::Daily => "ridge-direct-daily",
            Self::Weekly => "ridge-direct-weekly",
        }
    }
}

/// A fitted model; serialises to a few kilobytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub(crate) basis: Basis,
    pub(crate) quantile_percent: u8,
    pub(crate) window_s: u32,
    pub(crate) changed_at: Option<UnixMillis>,
    pub(crate) unit: Unit,
    pub(crate) uplift: Uplift,
    /// No median lies outside, in log space: from a share of the least value trained on to a
    /// multiple of the largest, which also bounds the upper quantile.
    pub(crate) log_range: (f64, f64),
    pub(crate) buckets: Vec<Bucket>,
}

/// One range of lead times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// The bucket serves leads up to this one, seconds.
    pub(crate) lead_s_max: u32,
    /// One per feature: the weighted sum of all members, seasonal naive among them.
    pub(crate) coefficients: Vec<f64>,
    /// Share of the regressions in the blend, 0..=1; the rest is seasonal naive.
    pub(crate) ridge_share: f64,
    pub(crate) bound: Bound,
}

impl Model {
    /// What the model could learn from.
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// The lasting jump of the level after which the history was used, when there was one: what lies
    /// before it was left out.
    pub const fn changed_at(&self) -> Option<UnixMillis> {
        self.changed_at
    }

    /// Largest share of the regression over all lead buckets, 0..=1; 0 means seasonal naive won
    /// everywhere.
    pub fn ridge_share_max(&self) -> f64 {
        self.buckets
            .iter()
            .map(|bucket| bucket.ridge_share)
            .fold(0.0, f64::max)
    }

    /// The path of `horizon_s` after the last value of `series`, which is the newest history and
    /// may be longer than what the model was fitted on. Steps are those of the series, or 5 minutes
    /// when those are shorter.
    pub fn path(&self, series: &Series, horizon_s: u32) -> ForecastPath {
        self.path_with_events(series, horizon_s, &Calendar::default())
    }

    /// The path with the lift of the events of a calendar, past ones included.
    pub fn path_with_events(
        &self,
        series: &Series,
        horizon_s: u32,
        calendar: &Calendar,
    ) -> ForecastPath {
        let blocks = Blocks::new(series, self.window_s);
        let steps = usize::try_from(horizon_s.div_ceil(blocks.block_s()))
            .unwrap_or(1)
            .max(1);
        let season = match self.basis {
            Basis::Weekly => Season::Weekly,
            Basis::Daily | Basis::ColdStart => Season::Daily,
        };
        let known = blocks.last() >= season.first_origin(&blocks);
        let view = View::new(&blocks, self.unit);
        let events = self
            .uplift
            .view(&blocks, calendar, steps + blocks.count_in(86_400));
        // Made only where it is asked: turning the usual day costs more than a path.
        let cold = LazyCell::new(|| Cold::of(&blocks, PriorDay::builtin()));
        let steps = (1..=steps).map(|lead| {
            let bucket = self.bucket(lead, blocks.block_s());
            match bucket.filter(|_| known && self.basis != Basis::ColdStart) {
                Some(bucket) => self.step(bucket, &view, season, lead, events.as_ref()),
                None => cold.step(lead, self.quantile_percent),
            }
        });
        let start = blocks.end().plus_s(i64::from(blocks.block_s()));
        let name = self.basis.as_str().to_owned();
        let steps: Vec<QuantilesRps> = steps.collect();
        ForecastPath::from_sound(start, blocks.block_s(), self.quantile_percent, name, &steps)
    }

    fn step(
        &self,
        bucket: &Bucket,
        view: &View,
        season: Season,
        lead: usize,
        events: Option<&EventView>,
    ) -> QuantilesRps {
        let origin = view.blocks.last();
        let row = features::row(view, events, season, origin, lead);
        let predicted = predict(&bucket.coefficients, &row);
        let lift = events.map_or(0.0, |events| events.lift(origin + lead));
        // An event may open what is closed otherwise.
        let closed_rps = view
            .blocks
            .closed_rps(origin + lead)
            .filter(|_| lift == 0.0);
        if let Some(most_rps) = closed_rps {
            return QuantilesRps {
                p50: 0.0,
                upper: most_rps,
                p99: most_rps,
            };
        }
        let median = predicted.clamp(self.log_range.0, self.log_range.1);
        let point = LeadPoint {
            origin,
            lead,
            lift,
            predicted: median,
        };
        let Uppers { upper_rps, p99_rps } = bucket.bound.uppers(view, self.unit, &point);
        let p50_rps = self.unit.rate(median);
        let most_rps = self.unit.rate(self.log_range.1).max(p50_rps);
        QuantilesRps {
            p50: p50_rps,
            upper: upper_rps.min(most_rps).max(p50_rps),
            p99: p99_rps.min(most_rps).max(p50_rps),
        }
    }

    fn bucket(&self, lead: usize, block_s: u32) -> Option<&Bucket> {
        let lead_s = u32::try_from(lead)
            .unwrap_or(u32::MAX)
            .saturating_mul(block_s);
        let serving = self
            .buckets
            .iter()
            .find(|bucket| lead_s <= bucket.lead_s_max);
        serving.or(self.buckets.last())
    }
}
