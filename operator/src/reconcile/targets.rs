//! What a pass asks of the loops: what to sample, push and forecast, and what a sale is planned with.

use std::sync::Arc;

use floodgate_api::cluster::forecast::ForecastMode;
use floodgate_planner::{
    UnixMillis,
    intake::{ColdScale, Trust},
};
use floodgate_prometheus::{BearerToken, Endpoint, history::history_query};
use jiff::Timestamp;

use super::pass::Pass;
use crate::{
    conditions::level_in_force,
    observe::Observed,
    plan::{Planned, plan_limits},
    snapshot::{ForecastState, PlanningFacts},
    target::{CapacityTarget, ForecastTarget, Target, WarmTarget},
    validate::ValidatedCluster,
};

/// Leaves target and planning facts in the cell; a changed policy is pushed at once.
pub(super) fn publish(pass: &Pass<'_>, valid: &ValidatedCluster, planned: &Planned, token: &str) {
    let Pass { cell, observed, .. } = pass;
    let target = target(observed, valid, planned, token);
    let last = cell.target.load_full();
    let policy_changed = last
        .as_ref()
        .is_none_or(|last| last.policy != target.policy);
    if last.is_none_or(|last| *last != target) {
        cell.target.store(Some(Arc::new(target)));
    }
    if policy_changed && pass.ctx.nudges.try_send(pass.key.clone()).is_err() {
        tracing::debug!(cluster = %pass.key, "the policy waits for the next round");
    }
    let facts = planning_facts(observed, valid, planned);
    cell.planning.store(Some(Arc::new(facts)));
}

fn target(observed: &Observed, valid: &ValidatedCluster, planned: &Planned, token: &str) -> Target {
    let traffic = &valid.traffic;
    let bearer = traffic.token.as_ref();
    Target {
        endpoint: Endpoint {
            url: traffic.url.clone(),
            token: bearer.map(|token| BearerToken::new(token.expose())),
        },
        query: traffic.query.clone(),
        control_token: Arc::from(token),
        capacity: CapacityTarget {
            declared: valid.scaling.clone(),
            bounds_rps: valid.capacity_rps_learned.clone(),
            in_force_rps: planned.scaling.capacity_rps,
        },
        warm: WarmTarget {
            keys_max: usize::try_from(valid.prewarm.hot_keys_max).unwrap_or(usize::MAX),
            min_score_permille: valid.prewarm.min_score_permille,
            deadline_ms: valid.prewarm.deadline_ms,
            sale_keys: sale_keys(planned, observed.now),
        },
        policy: planned.policy.clone(),
        forecast: forecast_target(observed, valid, planned),
    }
}

/// What a sale on this cluster is planned with.
fn planning_facts(
    observed: &Observed,
    valid: &ValidatedCluster,
    planned: &Planned,
) -> PlanningFacts {
    let trusted = planned.trust == Trust::Trusted;
    PlanningFacts {
        scaling: planned.scaling.clone(),
        lead_time: planned.lead_time,
        quantile_percent: valid.forecast.usual_quantile_percent(),
        path: observed.forecast.path.clone().filter(|_| trusted),
        measured_rps: planned.load.rps,
        baseline_rps: planned
            .load
            .rps
            .or_else(|| declared_rps(observed))
            .filter(|_| !sale_runs(planned, observed.now)),
        observed_peak_rps: observed.forecast.peak_rps,
        replicas: planned.replicas,
        level: level_in_force(observed, planned),
        pods: observed.pods.as_ref().map_or(0, |pods| pods.current()),
        raise_taken_back: planned.decision.memory.raise_taken_back(),
        limits: plan_limits(observed, valid, &planned.overrides),
    }
}

/// With neither history nor load a sale is planned from what the least replicas hold, until either
/// is there.
fn declared_rps(observed: &Observed) -> Option<f64> {
    let forecast = &observed.forecast;
    let path = forecast.path.as_ref()?;
    let declared = forecast.state == ForecastState::ColdStart(ColdScale::Declared);
    path.p50_rps().first().copied().filter(|_| declared)
}

/// Whether a phase of any sale runs: what is measured then is no baseline of another.
fn sale_runs(planned: &Planned, now: Timestamp) -> bool {
    let now = UnixMillis::from(now);
    let mut phases = planned.sales.iter().flat_map(|valid| &valid.sale.phases);
    phases.any(|phase| phase.t0 <= now && now < phase.until)
}

fn forecast_target(
    observed: &Observed,
    valid: &ValidatedCluster,
    planned: &Planned,
) -> ForecastTarget {
    let own = valid.traffic.query.clone();
    let lead_s = u32::try_from(planned.lead_time.horizon_s()).unwrap_or(u32::MAX);
    let span = |(from, until): (UnixMillis, UnixMillis)| from.timestamp().zip(until.timestamp());
    let phases = planned.sales.iter().flat_map(|valid| &valid.sale.phases);
    let begun = phases.filter(|phase| phase.t0 <= UnixMillis::from(observed.now));
    ForecastTarget {
        enabled: valid.forecast.mode != ForecastMode::Off,
        cluster: (valid.namespace.clone(), valid.name.clone()),
        owner: valid.owner.clone(),
        declared_rps: valid.scaling.capacity_rps * f64::from(valid.scaling.replicas_min),
        source_url: valid.traffic.url.clone(),
        query: own.unwrap_or_else(|| history_query(&valid.namespace, &valid.name)),
        history_days: valid.traffic.history_days,
        step_s: valid.traffic.history_step_s,
        quantile_percent: u8::try_from(valid.forecast.quantile_percent).unwrap_or(95),
        refresh_s: valid.forecast.refresh_s,
        refit_s: valid.forecast.refit_s,
        lead_s,
        sales: begun
            .filter_map(|phase| span((phase.t0, phase.until)))
            .collect(),
        masks: planned.masks.windows.clone(),
    }
}

/// Keys of sales that are not over, each once, in the order of the sales.
fn sale_keys(planned: &Planned, now: Timestamp) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let coming = planned
        .sales
        .iter()
        .filter(|valid| valid.sale.end > UnixMillis::from(now));
    for key in coming.flat_map(|valid| &valid.hot_keys) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}
