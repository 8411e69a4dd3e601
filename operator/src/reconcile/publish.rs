//! What a pass leaves for the loops, the metrics and the Events.

use std::sync::Arc;

use floodgate_api::cluster::forecast::ForecastMode;
use floodgate_planner::{
    Decision, Direction, UnixMillis,
    intake::{ColdScale, Trust},
};
use floodgate_prometheus::{BearerToken, Endpoint, history::history_query};
use floodgate_words::ConditionType;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Context;
use crate::{
    clock::{seconds_between, secret_token},
    conditions::level_in_force,
    metrics::{ClusterLabels, DecisionLabels},
    observe::Observed,
    overrides::{OverridesRead, Remark},
    plan::{Planned, plan_limits},
    snapshot::{Cell, ClusterKey, ForecastState, PlanningFacts},
    target::{CapacityTarget, ForecastTarget, Target, WarmTarget},
    validate::ValidatedCluster,
};

/// The token of the control port: the one that exists, or a fresh one.
pub fn token(observed: &Observed) -> String {
    observed
        .control_token
        .clone()
        .filter(|token| !token.is_empty())
        .unwrap_or_else(secret_token)
}

/// Leaves the target in the cell; a changed policy is pushed at once.
pub(super) fn target(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
    valid: &ValidatedCluster,
    planned: &Planned,
    token: &str,
) {
    let target = Target {
        endpoint: Endpoint {
            url: valid.traffic.url.clone(),
            token: valid
                .traffic
                .token
                .as_ref()
                .map(|token| BearerToken::new(token.expose())),
        },
        query: valid.traffic.query.clone(),
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
    };
    let last = cell.target.load_full();
    let policy_changed = last
        .as_ref()
        .is_none_or(|last| last.policy != target.policy);
    if last.is_none_or(|last| *last != target) {
        cell.target.store(Some(Arc::new(target)));
    }
    if policy_changed && ctx.nudges.try_send(key.clone()).is_err() {
        tracing::debug!(cluster = %key, "the policy waits for the next round");
    }
    let trusted = planned.trust == Trust::Trusted;
    cell.planning.store(Some(Arc::new(PlanningFacts {
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
    })));
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

/// Labels of the cluster's gauges.
pub(super) fn labels(key: &ClusterKey) -> ClusterLabels {
    ClusterLabels {
        namespace: key.namespace.clone(),
        cluster: key.name.clone(),
    }
}

/// Sets the gauges of the cluster.
pub(super) fn metrics(ctx: &Context, key: &ClusterKey, observed: &Observed, planned: &Planned) {
    let labels = labels(key);
    let gauges = &ctx.metrics.clusters;
    gauges
        .desired
        .get_or_create(&labels)
        .set(f64::from(planned.replicas));
    gauges
        .ready
        .get_or_create(&labels)
        .set(f64::from(planned.replica_state.ready));
    gauges
        .warm
        .get_or_create(&labels)
        .set(f64::from(planned.replica_state.warm));
    gauges
        .lead_time
        .get_or_create(&labels)
        .set(planned.lead_time.total_s() as f64);
    gauges
        .unprepared_sales
        .get_or_create(&labels)
        .set(f64::from(unprepared_sales(observed)));
    let floor = planned
        .policy
        .as_ref()
        .map_or(0, |policy| policy.floor.index());
    gauges.floor.get_or_create(&labels).set(f64::from(floor));
    if let Some(rps) = planned.load.rps {
        gauges.offered_load.get_or_create(&labels).set(rps);
    }
    if let Some(at) = planned.load.fresh_at {
        gauges
            .signal_age
            .get_or_create(&labels)
            .set(seconds_between(at, observed.now));
    }
    let now = UnixMillis::from(observed.now);
    let until = now.plus_s(planned.lead_time.horizon_s());
    if let Some(path) = &observed.forecast.path {
        if let Some(p50_rps) = path.p50_rps_max(now, until) {
            gauges.forecast_median.get_or_create(&labels).set(p50_rps);
        }
        if let Some(upper_rps) = path.upper_rps_max(now, until) {
            gauges.forecast_upper.get_or_create(&labels).set(upper_rps);
        }
    }
    let live = &observed.forecast.live;
    for (family, percent) in [
        (&gauges.forecast_error, live.error_percent),
        (&gauges.forecast_naive_error, live.naive_error_percent),
        (&gauges.forecast_coverage, live.coverage_percent),
    ] {
        if let Some(percent) = percent {
            family.get_or_create(&labels).set(f64::from(percent) * 10.0);
        }
    }
    if let Some(quality) = &observed.forecast.quality {
        let masked = quality.masked as f64;
        gauges.masked_points.get_or_create(&labels).set(masked);
    }
}

/// Sales that hit the cluster and say that they are not prepared.
fn unprepared_sales(observed: &Observed) -> u32 {
    let name = observed.cluster.metadata.name.as_deref();
    let statuses = observed
        .sales
        .iter()
        .filter_map(|sale| sale.status.as_ref());
    let here = statuses.filter(|status| {
        let mut hit = status.clusters.iter();
        hit.any(|cluster| Some(cluster.name.as_str()) == name)
    });
    let prepared = ConditionType::Prepared.as_str();
    let unprepared = here.filter(|status| {
        let mut conditions = status.conditions.iter();
        conditions.any(|one| one.type_ == prepared && one.status == "False")
    });
    u32::try_from(unprepared.count()).unwrap_or(u32::MAX)
}

/// Counts a change of replicas.
pub(super) fn count_decision(ctx: &Context, decision: &Decision) {
    let direction = match decision.direction() {
        Direction::Up => "up",
        Direction::Down => "down",
        Direction::Stay => return,
    };
    let reason = decision.reason().as_str().to_owned();
    ctx.metrics
        .decisions
        .get_or_create(&DecisionLabels { direction, reason })
        .inc();
}

/// Remarks not yet published; those that no longer apply may be published again later. What the
/// condition says already was published before this process started.
pub(super) fn new_remarks(
    cell: &Cell,
    overrides: &OverridesRead,
    before: &[Condition],
) -> Vec<Remark> {
    let said = |remark: &Remark| before.iter().any(|one| one.message == remark.message);
    cell.with_remembered(|remembered| {
        let standing = overrides
            .remarks
            .iter()
            .map(|remark| remark.message.clone())
            .collect();
        let before = std::mem::replace(&mut remembered.announced, standing);
        let new = overrides
            .remarks
            .iter()
            .filter(|remark| !before.contains(&remark.message) && !said(remark));
        new.cloned().collect()
    })
}
