//! What the forecast loop of the operator would have left at every refresh, made ahead of the run.
//!
//! A forecast depends on what came and on the calendar, never on the pods, so it is made once and
//! on all cores. A long rehearsal fits and refreshes less often than the operator does, to stay
//! within a minute; what is lost by that is lost by `floodgate` alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use floodgate_forecast::{Basis, FitOptions, ForecastPath, Mask, Model, Series, UnixMillis, fit};

use crate::{
    intake::{
        ColdScale, ForecastFacts, ForecastMode, ForecastState, LiveAccuracy, LiveFigures, naive_rps,
    },
    load::LoadFault,
    rehearse::{
        parallel::in_parallel,
        rehearsal::{ForecastSettings, Rehearsal},
    },
    sale::phases,
};

/// Most fits of one rehearsal.
const FITS_MAX: i64 = 400;
/// Most paths of one rehearsal.
const PATHS_MAX: i64 = 60_000;
/// Reach of a path a sale is planned with, seconds; as in the operator.
const LONG_S: u32 = 26 * 3_600;
/// Reach of every other path beyond what a decision looks at, seconds.
const SHORT_EXTRA_S: u32 = 900;

/// One refresh.
#[derive(Clone, Debug)]
pub(super) struct ForecastSnapshot {
    pub(super) at: UnixMillis,
    path: Arc<ForecastPath>,
    /// Whether the path reaches far enough to plan a sale of tomorrow.
    pub(super) is_long: bool,
    state: ForecastState<LoadFault>,
    history_hours: u32,
    /// Largest load in the history, requests/s.
    peak_rps: f64,
    /// What seasonal naive says about the end of the lead time, requests/s.
    naive_rps: Option<f64>,
    live: LiveFigures,
}

impl ForecastSnapshot {
    /// What is known of the forecast while this is the newest one.
    pub(super) fn facts(&self, settings: &ForecastSettings) -> ForecastFacts<'_, LoadFault> {
        ForecastFacts {
            mode: ForecastMode::Active,
            error_percent_max: settings.error_percent_max,
            state: &self.state,
            path: Some(&self.path),
            made_at: Some(self.at),
            history_hours: self.history_hours,
            peak_rps: Some(self.peak_rps),
            live: self.live,
        }
    }
}

/// Every refresh of a rehearsal, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Forecasts(pub(super) Vec<ForecastSnapshot>);

impl Forecasts {
    /// Makes them all.
    pub(super) fn make(rehearsal: &Rehearsal, progress: &(dyn Fn(f64) + Sync)) -> Self {
        if !rehearsal.settings.forecast.active {
            return Self::default();
        }
        let pace = Pace::of(rehearsal);
        let span_s = rehearsal.traffic.rehearsed_s();
        let fits = usize::try_from(span_s.div_euclid(pace.refit_s) + 1).unwrap_or(1);
        let done = AtomicUsize::new(0);
        let parts = in_parallel(fits, |index| {
            let first_s = i64::try_from(index).unwrap_or(0) * pace.refit_s;
            let part = pace.part(rehearsal, first_s, (first_s + pace.refit_s).min(span_s));
            progress(done.fetch_add(1, Ordering::Relaxed) as f64 / fits as f64);
            part
        });
        let mut all: Vec<ForecastSnapshot> = parts.into_iter().flatten().collect();
        keep_promises(rehearsal, pace.refresh_s, &mut all);
        Self(all)
    }
}

/// How often fits and paths are made, seconds.
struct Pace {
    refresh_s: i64,
    refit_s: i64,
}

impl Pace {
    fn of(rehearsal: &Rehearsal) -> Self {
        let span_s = rehearsal.traffic.rehearsed_s();
        let settings = &rehearsal.settings.forecast;
        let spread_over = |usual_s: u32, most: i64| {
            let usual_s = i64::from(usual_s.max(10));
            let times = span_s / (usual_s * most) + i64::from(span_s % (usual_s * most) > 0);
            usual_s * times.max(1)
        };
        let refresh_s = spread_over(settings.refresh_s, PATHS_MAX);
        let refit_s = spread_over(settings.refit_s, FITS_MAX).max(refresh_s);
        Self {
            refresh_s,
            refit_s: (refit_s + refresh_s - 1) / refresh_s * refresh_s,
        }
    }

    /// One fit, and the paths until the next one.
    fn part(&self, rehearsal: &Rehearsal, first_s: i64, until_s: i64) -> Vec<ForecastSnapshot> {
        let traffic = &rehearsal.traffic;
        let settings = &rehearsal.settings.forecast;
        let from = traffic.rehearsed_from();
        let history_s = i64::from(settings.history_days) * 86_400;
        let oldest = from.plus_s(first_s - history_s).max(traffic.start());
        let newest = from.plus_s(until_s);
        let past: Vec<(UnixMillis, f64)> = traffic.recorded(oldest, newest).collect();
        let mut model: Option<Model> = None;
        let mut forecasts = Vec::new();
        for elapsed_s in (first_s..until_s.max(first_s + 1)).step_by(self.refresh_s as usize) {
            let at = from.plus_s(elapsed_s);
            let Some(series) = series(rehearsal, &past, at) else {
                continue;
            };
            if model.is_none() {
                let options = FitOptions {
                    quantile_percent: settings.quantile_percent,
                    ..FitOptions::default()
                };
                model = fit(&series, &options).ok();
            }
            if let Some(model) = &model {
                forecasts.push(self.forecast(rehearsal, model, &series, at));
            }
        }
        forecasts
    }

    fn forecast(
        &self,
        rehearsal: &Rehearsal,
        model: &Model,
        series: &Series,
        at: UnixMillis,
    ) -> ForecastSnapshot {
        let lead = rehearsal.lead_time();
        let horizon_s = u32::try_from(lead.horizon_s()).unwrap_or(0);
        let soon = at.plus_s(2 * self.refresh_s);
        // Plans are made with the last path before the pre-scale begins.
        let plans = phases(&rehearsal.sales).any(|(_, phase)| {
            let prescale_at = phase.t0.plus_s(-lead.horizon_s());
            at <= prescale_at && prescale_at <= soon
        });
        let short_s = horizon_s + u32::try_from(self.refresh_s).unwrap_or(0) + SHORT_EXTRA_S;
        // While a sale is left out, the history ends before it began.
        let behind_s = u32::try_from(at.seconds_since(series.end())).unwrap_or(0);
        let reach_s = if plans { LONG_S } else { short_s + behind_s };
        let state = match model.basis() {
            Basis::ColdStart => ForecastState::ColdStart(ColdScale::History),
            Basis::Daily | Basis::Weekly => ForecastState::Fitted,
        };
        ForecastSnapshot {
            at,
            path: Arc::new(model.path(series, reach_s)),
            is_long: plans,
            state,
            history_hours: u32::try_from(series.span_s() / 3_600).unwrap_or(0),
            peak_rps: series.peak_rps(),
            naive_rps: naive_rps(series, at.plus_s(lead.horizon_s())),
            live: LiveFigures::default(),
        }
    }
}

impl Rehearsal {
    /// Seconds between two forecasts and between two fits of the model: those of the settings, or
    /// longer ones where a long rehearsal would take minutes otherwise.
    pub fn forecast_pace_s(&self) -> (i64, i64) {
        let Pace { refresh_s, refit_s } = Pace::of(self);
        (refresh_s, refit_s)
    }
}

/// The history known at an instant, without the phases that have begun by then.
fn series(rehearsal: &Rehearsal, past: &[(UnixMillis, f64)], at: UnixMillis) -> Option<Series> {
    let known = &past[..past.partition_point(|(end, _)| *end <= at)];
    let oldest = at.plus_s(-i64::from(rehearsal.settings.forecast.history_days) * 86_400);
    let known = &known[known.partition_point(|(end, _)| *end <= oldest)..];
    let begun = phases(&rehearsal.sales).filter(|(_, phase)| phase.t0 <= at);
    let begun = begun.map(|(_, phase)| Mask {
        from: phase.t0,
        until: phase.until,
    });
    let begun: Vec<Mask> = begun.collect();
    let series = Series::from_samples(rehearsal.traffic.step_s(), known).ok()?;
    series.without(&begun)
}

/// Lets each promise come due, and widens the paths after it as the operator does.
fn keep_promises(rehearsal: &Rehearsal, refresh_s: i64, snapshots: &mut [ForecastSnapshot]) {
    let lead_s = rehearsal.lead_time().horizon_s();
    let quantile_percent = rehearsal.settings.forecast.quantile_percent;
    let refresh_s = u32::try_from(refresh_s).unwrap_or(u32::MAX);
    let mut live = LiveAccuracy::default();
    for snapshot in snapshots {
        let at = snapshot.at;
        if !phases(&rehearsal.sales).any(|(_, phase)| phase.runs_at(at)) {
            let minute_rps = rehearsal.traffic.rate_at(at.plus_s(-30));
            live.settle(at, minute_rps, refresh_s);
        }
        let widening = live.widening(quantile_percent);
        let path = (*snapshot.path).clone().widened(widening);
        live.promise(&path, at.plus_s(lead_s), snapshot.naive_rps);
        snapshot.path = Arc::new(path);
        snapshot.live = live.figures();
    }
}

#[cfg(test)]
mod tests;
