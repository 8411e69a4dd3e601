//! The gauges of a cluster, set by every pass.

use floodgate_planner::UnixMillis;
use floodgate_words::ConditionType;

use super::pass::Pass;
use crate::{
    clock::seconds_between,
    metrics::{ClusterLabels, FloatGaugeFamily},
    observe::Observed,
    plan::Planned,
};

/// Sets the gauges; one whose figure is not known keeps its last value.
pub(super) fn set(pass: &Pass<'_>, planned: &Planned) {
    let Pass { key, observed, .. } = pass;
    let labels = ClusterLabels {
        namespace: key.namespace.clone(),
        cluster: key.name.clone(),
    };
    let set = |family: &FloatGaugeFamily, figure: Option<f64>| {
        if let Some(figure) = figure {
            family.get_or_create(&labels).set(figure);
        }
    };
    let count = |count: u32| Some(f64::from(count));
    let gauges = &pass.ctx.metrics.clusters;
    set(&gauges.desired, count(planned.replicas));
    set(&gauges.ready, count(planned.replica_state.ready));
    set(&gauges.warm, count(planned.replica_state.warm));
    let lead_time_s = planned.lead_time.total_s() as f64;
    set(&gauges.lead_time, Some(lead_time_s));
    set(&gauges.unprepared_sales, count(unprepared_sales(observed)));
    let policy = planned.policy.as_ref();
    let floor = policy.map_or(0, |policy| policy.floor.index());
    set(&gauges.floor, Some(f64::from(floor)));
    set(&gauges.offered_load, planned.load.rps);
    let age_s = |at| seconds_between(at, observed.now);
    set(&gauges.signal_age, planned.load.fresh_at.map(age_s));
    let now = UnixMillis::from(observed.now);
    let until = now.plus_s(planned.lead_time.horizon_s());
    if let Some(path) = &observed.forecast.path {
        set(&gauges.forecast_median, path.p50_rps_max(now, until));
        set(&gauges.forecast_upper, path.upper_rps_max(now, until));
    }
    let permille = |percent: Option<u32>| percent.map(|percent| f64::from(percent) * 10.0);
    let live = &observed.forecast.live;
    set(&gauges.forecast_error, permille(live.error_percent));
    set(
        &gauges.forecast_naive_error,
        permille(live.naive_error_percent),
    );
    set(&gauges.forecast_coverage, permille(live.coverage_percent));
    let quality = observed.forecast.quality.as_ref();
    let masked = quality.map(|quality| quality.masked as f64);
    set(&gauges.masked_points, masked);
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
