//! The status of a cluster, from what was observed and planned. Pure but for [`write`].

use floodgate_api::cluster::status::{
    Capacity, CapacitySource, ForecastSummary, LeadTime, LevelStatus, PaymentClusterStatus,
    ReplicaCounts, SaleSummary,
};
use floodgate_planner::{ReplicaState, UnixMillis};
use floodgate_words::Level;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{
    build,
    conditions::{Verdict, level_in_force, merge},
    observe::Observed,
    plan::Planned,
    validate::ValidatedCluster,
};

mod decision;
mod write;

use decision::decision_record;
pub use write::{StatusError, Written, current, patch, write};

/// The status after a pass that planned and applied; `before` is the one in force.
pub fn build_status(
    observed: &Observed,
    cluster: &ValidatedCluster,
    planned: &Planned,
    verdicts: &[Verdict],
    before: PaymentClusterStatus,
) -> PaymentClusterStatus {
    let now = merge::whole_second(observed.now);
    let pods = observed.pods.as_ref();
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let ReplicaState { warm, ready, .. } = planned.replica_state;
    PaymentClusterStatus {
        observed_generation: cluster.generation,
        conditions: merge::merged(&before.conditions, verdicts, cluster.generation, now),
        replicas: Some(ReplicaCounts {
            desired: count(planned.decision.replicas),
            current: pods.map_or(0, |pods| count(pods.current())),
            ready: count(ready),
            warm: count(warm),
        }),
        selector: Some(build::selector(&cluster.name)),
        load_rps: planned.load.rps.map(rounded),
        decision: Some(decision_record(planned, before.decision, now)),
        forecast: forecast_summary(observed, cluster, planned),
        level: Some(level_status(observed, planned, before.level.as_ref(), now)),
        lead_time: Some(lead_time(observed, planned, before.lead_time)),
        capacity: Some(Capacity {
            rps: rounded(planned.scaling.capacity_rps),
            warm_total_rps: rounded(planned.scaling.capacity_rps * f64::from(warm)),
            source: match planned.capacity_samples {
                Some(_) => CapacitySource::Learned,
                None => CapacitySource::Declared,
            },
            samples: planned.capacity_samples.map(count),
        }),
        sale: sale_summary(observed, planned),
        overrides: planned.overrides.active.clone(),
    }
}

fn forecast_summary(
    observed: &Observed,
    cluster: &ValidatedCluster,
    planned: &Planned,
) -> Option<ForecastSummary> {
    let forecast = &observed.forecast;
    let path = forecast.path.as_ref()?;
    let horizon_s = planned.lead_time.horizon_s();
    let now = UnixMillis::from(observed.now);
    let (from, to) = (now, now.plus_s(horizon_s));
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let points = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let quality = forecast.quality.as_ref();
    let short = |note: Option<&str>| note.map(|note| note.chars().take(256).collect());
    Some(ForecastSummary {
        model: path.model().chars().take(64).collect(),
        p50_rps: rounded(path.p50_rps_max(from, to)?),
        upper_rps: rounded(path.upper_rps_max(from, to)?),
        quantile_percent: number(cluster.forecast.quantile_percent),
        horizon_seconds: i32::try_from(horizon_s).unwrap_or(i32::MAX),
        error_percent: forecast.live.error_percent.map(number),
        naive_error_percent: forecast.live.naive_error_percent.map(number),
        coverage_percent: forecast.live.coverage_percent.map(number),
        fitted_at: forecast.fitted_at.map(|at| Time(merge::whole_second(at))),
        history_hours: number(forecast.history_hours),
        quality_percent: quality.map(|quality| rounded(quality.score * 100.0)),
        masked_points: quality.map(|quality| points(quality.masked)),
        refused_points: quality.map(|quality| points(quality.rejected)),
        changed_at: forecast.changed_at.map(|at| Time(merge::whole_second(at))),
        note: short(forecast.note.as_deref()),
    })
}

fn level_status(
    observed: &Observed,
    planned: &Planned,
    before: Option<&LevelStatus>,
    now: Timestamp,
) -> LevelStatus {
    let policy = planned.policy.as_ref();
    let floor = policy.map_or(Level::Normal, |policy| policy.floor);
    let since = before
        .filter(|before| before.floor == floor)
        .and_then(|before| before.since.clone());
    LevelStatus {
        current: level_in_force(observed, planned),
        floor,
        pinned: policy.and_then(|policy| policy.pin),
        reason: planned.decision.level.reason.as_str().to_owned(),
        since: Some(since.unwrap_or(Time(now))),
    }
}

/// What was measured; until this process has measured anything, what an earlier one did.
fn lead_time(observed: &Observed, planned: &Planned, before: Option<LeadTime>) -> LeadTime {
    let seconds = i32::try_from(planned.lead_time.total_s()).unwrap_or(i32::MAX);
    let pods = observed.pods.as_ref();
    let Some(starts) = pods.and_then(|pods| pods.measured.starts) else {
        return LeadTime {
            seconds,
            ..before.unwrap_or_default()
        };
    };
    LeadTime {
        seconds,
        ready_seconds: rounded(starts.ready_p99_s.ceil()),
        warm_seconds: rounded(starts.warm_p99_s.ceil()),
        samples: i32::try_from(starts.pods).unwrap_or(i32::MAX),
    }
}

/// The running phase, or the next one, with what its sale has published.
fn sale_summary(observed: &Observed, planned: &Planned) -> Option<SaleSummary> {
    let now = UnixMillis::from(observed.now);
    let phases = planned.sales.iter().flat_map(|valid| {
        valid
            .sale
            .phases
            .iter()
            .map(|phase| (valid.sale.name.as_str(), phase))
    });
    let (sale, phase) = phases
        .filter(|(_, phase)| phase.until > now)
        .min_by_key(|(_, phase)| phase.t0)?;
    let cluster = observed.cluster.metadata.name.as_deref()?;
    let event = observed
        .sales
        .iter()
        .find(|event| event.metadata.name.as_deref() == Some(sale))?;
    let published = event
        .status
        .as_ref()?
        .clusters
        .iter()
        .find(|one| one.name == cluster)?;
    let published = published.phases.iter().find(|one| one.name == phase.name)?;
    Some(SaleSummary {
        name: sale.to_owned(),
        phase: phase.name.clone(),
        t0: published.t0.clone(),
        planned_replicas: published.planned_replicas_at(observed.now),
        prescale_start: published.prescale_start.clone(),
    })
}

/// A figure in whole units, none of them negative.
pub(crate) fn rounded(value: f64) -> i32 {
    value.round().clamp(0.0, f64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests;
