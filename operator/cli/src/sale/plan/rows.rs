//! The plan of one sale on one cluster: as the operator published it, or as it is made here.

use floodgate_api::sale::status::{SalePhaseStatus, SalePlanStep};
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::{
    Baseline, ForecastPath, LeadTime, PlannedStep, Sale, SalePhase, Scaling, sale_plan,
};
use jiff::Timestamp;
use kube::ResourceExt;

use super::{ChanceRow, ClusterPlan, PhaseRow, StepRow};
use crate::sale::cost::{Standing, cost};
use crate::sale::{SaleError, instant};
use crate::settings;

/// Chances whose needs are told beside the one that is planned with, percent: the median, and the
/// two upper quantiles that a forecast knows.
pub(super) const CHANCES_PERCENT: [u8; 3] = [50, 95, 99];

/// Where the load without the sale is known from.
pub(super) enum Basis {
    /// Given by hand, or measured, requests/s.
    Rate(f64, String),
    /// Forecast from a recorded trace.
    Path {
        /// The forecast.
        path: ForecastPath,
        /// Largest load in the trace, requests/s.
        observed_peak_rps: f64,
        /// Where it comes from, in words.
        source: String,
    },
}

/// What the operator knows of the load without the sale; nothing where it has published a plan.
fn measured(cluster: &PaymentCluster) -> Option<Basis> {
    let rps = cluster.status.as_ref()?.load_rps.filter(|rps| *rps > 0)?;
    Some(Basis::Rate(
        f64::from(rps),
        "the load measured by the operator".to_owned(),
    ))
}

/// Plans a sale on a cluster it hits; `given` is the load from the command line.
pub(super) fn plan(
    event: &SaleEvent,
    sale: &Sale,
    cluster: &PaymentCluster,
    given: Option<&Basis>,
) -> Result<ClusterPlan, SaleError> {
    let scaling =
        floodgate_settings::scaling(&cluster.spec.scaling).map_err(|source| SaleError::Field {
            object: format!("PaymentCluster `{}`", cluster.name_any()),
            source,
        })?;
    let lead_time = settings::lead_time(cluster);
    let quantile = settings::quantile_percent(cluster).map_err(|source| SaleError::Field {
        object: format!("PaymentCluster `{}`", cluster.name_any()),
        source,
    })?;
    let sale = &sale.clone().with_usual_confidence(quantile);
    let published = given
        .is_none()
        .then(|| published(event, cluster, sale))
        .flatten();
    let (phases, source) = if let Some(published) = published {
        let phases = sale.phases.iter().zip(published);
        let rows = phases.map(|(phase, told)| told_row(phase, told, &scaling));
        (rows.collect(), "published by the operator".to_owned())
    } else {
        let own = measured(cluster);
        let basis = given.or(own.as_ref());
        let basis = basis.ok_or_else(|| SaleError::NoBaseline(cluster.name_any()))?;
        own_rows(sale, basis, &scaling, &lead_time)
            .ok_or_else(|| SaleError::NoBaseline(cluster.name_any()))?
    };
    Ok(summed(cluster, phases, source, &scaling, &lead_time))
}

/// The plan of every phase as the operator has published it; none when a phase is not planned yet.
fn published<'a>(
    event: &'a SaleEvent,
    cluster: &PaymentCluster,
    sale: &Sale,
) -> Option<Vec<&'a SalePhaseStatus>> {
    let told = event.status.as_ref()?.clusters.iter();
    let told = told
        .into_iter()
        .find(|one| one.name == cluster.name_any())?;
    let phases = sale.phases.iter();
    phases
        .map(|phase| {
            let same = |one: &&SalePhaseStatus| {
                one.name == phase.name && one.t0.0.as_second() == instant(phase.t0).as_second()
            };
            told.phases.iter().find(same)
        })
        .collect()
}

fn told_row(phase: &SalePhase, told: &SalePhaseStatus, scaling: &Scaling) -> PhaseRow {
    let replicas = u32::try_from(told.planned_replicas).unwrap_or(0);
    let expected_rps = f64::from(told.planned_rps);
    PhaseRow {
        name: phase.name.clone(),
        t0: instant(phase.t0),
        end: instant(phase.until),
        uplift_percent: u32::try_from(told.uplift_percent).unwrap_or(phase.uplift_percent),
        baseline_rps: None,
        expected_rps,
        quantile_percent: None,
        replicas,
        replicas_needed: scaling
            .replicas_for(expected_rps)
            .unwrap_or(replicas)
            .max(replicas),
        prescale_start: told.prescale_start.0,
        later: told
            .later
            .iter()
            .map(|step| told_step(phase, step, scaling))
            .collect(),
        late: None,
        chances: Vec::new(),
    }
}

fn told_step(phase: &SalePhase, step: &SalePlanStep, scaling: &Scaling) -> StepRow {
    let replicas = u32::try_from(step.planned_replicas).unwrap_or(0);
    let expected_rps = f64::from(step.planned_rps);
    let needed = scaling.replicas_for(expected_rps).unwrap_or(replicas);
    StepRow {
        from: instant(phase.t0.plus_s(i64::from(step.from_minute) * 60)),
        expected_rps,
        replicas,
        replicas_needed: needed.max(replicas),
    }
}

fn own_rows(
    sale: &Sale,
    basis: &Basis,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> Option<(Vec<PhaseRow>, String)> {
    let (baseline, source) = match basis {
        Basis::Rate(rps, source) => {
            let baseline = Baseline {
                path: None,
                measured_rps: Some(*rps),
                observed_peak_rps: None,
            };
            (baseline, format!("{rps} req/s, {source}"))
        }
        Basis::Path {
            path,
            observed_peak_rps,
            source,
        } => {
            let baseline = Baseline {
                path: Some(path),
                measured_rps: None,
                observed_peak_rps: Some(*observed_peak_rps),
            };
            (baseline, source.clone())
        }
    };
    let planned = sale_plan(sale, baseline, scaling, lead_time).phases;
    let others = CHANCES_PERCENT.map(|percent| {
        let other = with_chance(sale.clone(), percent);
        (
            percent,
            sale_plan(&other, baseline, scaling, lead_time).phases,
        )
    });
    let rows = sale.phases.iter().zip(planned).enumerate();
    let rows = rows.map(|(index, (phase, plan))| {
        let chances = others.iter().filter_map(|(percent, phases)| {
            let other = phases.get(index)?;
            Some(ChanceRow {
                quantile_percent: *percent,
                expected_rps: other.expected_rps?,
                replicas_needed: other.replicas_needed?,
            })
        });
        Some(PhaseRow {
            name: phase.name.clone(),
            t0: instant(phase.t0),
            end: instant(phase.until),
            uplift_percent: phase.uplift_percent,
            baseline_rps: plan.baseline_rps,
            expected_rps: plan.expected_rps?,
            quantile_percent: phase.confidence.quantile_percent,
            replicas: plan.replicas?,
            replicas_needed: plan.replicas_needed?,
            prescale_start: instant(plan.prescale_at),
            later: plan.later.iter().map(own_step).collect(),
            late: None,
            chances: chances.collect(),
        })
    });
    Some((rows.collect::<Option<_>>()?, source))
}

fn own_step(step: &PlannedStep) -> StepRow {
    StepRow {
        from: instant(step.from),
        expected_rps: step.expected_rps,
        replicas: step.replicas,
        replicas_needed: step.replicas_needed,
    }
}

/// The sale with one chance for all of its phases.
fn with_chance(mut sale: Sale, percent: u8) -> Sale {
    for phase in &mut sale.phases {
        phase.confidence.quantile_percent = Some(percent);
    }
    sale
}

fn summed(
    cluster: &PaymentCluster,
    phases: Vec<PhaseRow>,
    baseline: String,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> ClusterPlan {
    let spans = phases.iter().flat_map(spans);
    let cost = cost(&spans.collect::<Vec<_>>(), scaling.replicas_min);
    let first = phases.iter().map(|phase| phase.prescale_start).min();
    ClusterPlan {
        name: cluster.name_any(),
        baseline,
        capacity_rps: scaling.capacity_rps,
        lead_seconds: lead_time.total_s(),
        margin_seconds: lead_time.margin_s,
        replicas_min: scaling.replicas_min,
        replicas_max: scaling.replicas_max,
        replicas: phases
            .iter()
            .map(PhaseRow::replicas_most)
            .max()
            .unwrap_or(0),
        prescale_start: first.unwrap_or(Timestamp::MAX),
        pod_hours: tenths(cost.pod_hours),
        pod_hours_above_min: tenths(cost.above_min_pod_hours),
        phases,
    }
}

/// What stands for a phase, from the pre-scale on.
fn spans(phase: &PhaseRow) -> Vec<Standing> {
    let steps = phase.later.iter().map(|step| (step.from, step.replicas));
    let starts: Vec<(Timestamp, u32)> = std::iter::once((phase.prescale_start, phase.replicas))
        .chain(steps)
        .collect();
    let ends = starts.iter().skip(1).map(|(from, _)| *from);
    let ends = ends.chain([phase.end]);
    let spans = starts
        .iter()
        .zip(ends)
        .map(|((from, replicas), until)| Standing {
            from: (*from).into(),
            until: until.into(),
            replicas: *replicas,
        });
    spans.collect()
}

fn tenths(hours: f64) -> f64 {
    (hours * 10.0).round() / 10.0
}
