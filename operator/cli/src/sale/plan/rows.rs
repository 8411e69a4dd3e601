//! The plan of one sale on one cluster: as the operator published it, or as it is made here.

use floodgate_api::sale::status::{SalePhaseStatus, SalePlanStep};
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::{LeadTime, PlannedStep, Sale, SalePhase, Scaling, sale_plan};
use jiff::Timestamp;
use kube::ResourceExt;

use super::baseline::KnownLoad;
use super::cost::{Span, cost};
use super::plans::{ChancePlan, ClusterPlan, PhasePlan, StepPlan};
use crate::number::tenths;
use crate::sale::error::SaleError;
use crate::sale::phase::instant;
use crate::settings;

/// Chances whose needs are shown beside the one that is planned with, percent: the median, and the
/// two upper quantiles that a forecast knows.
pub(super) const CHANCES_PERCENT: [u8; 3] = [50, 95, 99];

/// Plans a sale on a cluster it hits; `given` is the load from the command line.
pub(super) fn plan(
    event: &SaleEvent,
    sale: &Sale,
    cluster: &PaymentCluster,
    given: Option<&KnownLoad>,
) -> Result<ClusterPlan, SaleError> {
    let field = |source| SaleError::Field {
        object: format!("PaymentCluster `{}`", cluster.name_any()),
        source,
    };
    let scaling = floodgate_settings::scaling(&cluster.spec.scaling).map_err(field)?;
    let quantile = settings::quantile_percent(cluster).map_err(field)?;
    let lead_time = settings::lead_time(cluster);
    let sale = &sale.clone().with_usual_confidence(quantile);
    let published = || published(event, cluster, sale);
    let (phases, source) = if let Some(published) = given.is_none().then(published).flatten() {
        let phases = sale.phases.iter().zip(published);
        let rows = phases.map(|(phase, published)| published_phase(phase, published, &scaling));
        (rows.collect(), "published by the operator".to_owned())
    } else {
        let measured = KnownLoad::measured(cluster);
        let load = given.or(measured.as_ref());
        let phases = load.and_then(|load| own_phases(sale, load, &scaling, &lead_time));
        let unknown = || SaleError::NoBaseline(cluster.name_any());
        phases
            .zip(load.map(|load| load.source.clone()))
            .ok_or_else(unknown)?
    };
    Ok(summed(cluster, phases, source, &scaling, &lead_time))
}

/// The plan of every phase as the operator has published it; none when a phase is not planned yet.
fn published<'a>(
    event: &'a SaleEvent,
    cluster: &PaymentCluster,
    sale: &Sale,
) -> Option<Vec<&'a SalePhaseStatus>> {
    let mut clusters = event.status.as_ref()?.clusters.iter();
    let of_cluster = clusters.find(|one| one.name == cluster.name_any())?;
    let phases = sale.phases.iter();
    phases
        .map(|phase| {
            let same = |one: &&SalePhaseStatus| {
                one.name == phase.name && one.t0.0.as_second() == instant(phase.t0).as_second()
            };
            of_cluster.phases.iter().find(same)
        })
        .collect()
}

fn published_phase(phase: &SalePhase, published: &SalePhaseStatus, scaling: &Scaling) -> PhasePlan {
    let replicas = u32::try_from(published.planned_replicas).unwrap_or(0);
    let expected_rps = f64::from(published.planned_rps);
    let uplift_percent = u32::try_from(published.uplift_percent);
    let step = |step| published_step(phase, step, scaling);
    PhasePlan {
        name: phase.name.clone(),
        t0: instant(phase.t0),
        end: instant(phase.until),
        uplift_percent: uplift_percent.unwrap_or(phase.uplift_percent),
        baseline_rps: None,
        expected_rps,
        quantile_percent: None,
        replicas,
        replicas_needed: needed(expected_rps, replicas, scaling),
        prescale_start: published.prescale_start.0,
        later: published.later.iter().map(step).collect(),
        late: None,
        chances: Vec::new(),
    }
}

fn published_step(phase: &SalePhase, step: &SalePlanStep, scaling: &Scaling) -> StepPlan {
    let replicas = u32::try_from(step.planned_replicas).unwrap_or(0);
    let expected_rps = f64::from(step.planned_rps);
    StepPlan {
        from: instant(phase.t0.plus_s(i64::from(step.from_minute) * 60)),
        expected_rps,
        replicas,
        replicas_needed: needed(expected_rps, replicas, scaling),
    }
}

/// What a load needs without a maximum: what is planned for it, or more.
fn needed(expected_rps: f64, replicas: u32, scaling: &Scaling) -> u32 {
    let needed = scaling.replicas_for(expected_rps);
    needed.map_or(replicas, |needed| needed.max(replicas))
}

/// The plan as it is made here; none where the load at a phase is not known.
fn own_phases(
    sale: &Sale,
    load: &KnownLoad,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> Option<Vec<PhasePlan>> {
    let baseline = load.baseline();
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
            Some(ChancePlan {
                quantile_percent: *percent,
                expected_rps: other.expected_rps?,
                replicas_needed: other.replicas_needed?,
            })
        });
        Some(PhasePlan {
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
    rows.collect()
}

fn own_step(step: &PlannedStep) -> StepPlan {
    StepPlan {
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
    phases: Vec<PhasePlan>,
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
            .map(PhasePlan::replicas_most)
            .max()
            .unwrap_or(0),
        prescale_start: first.unwrap_or(Timestamp::MAX),
        pod_hours: tenths(cost.pod_hours),
        pod_hours_above_min: tenths(cost.above_min_pod_hours),
        phases,
    }
}

/// What is kept for a phase, from the pre-scale on.
fn spans(phase: &PhasePlan) -> Vec<Span> {
    let steps = phase.later.iter().map(|step| (step.from, step.replicas));
    let starts: Vec<(Timestamp, u32)> = std::iter::once((phase.prescale_start, phase.replicas))
        .chain(steps)
        .collect();
    let ends = starts.iter().skip(1).map(|(from, _)| *from);
    let ends = ends.chain([phase.end]);
    let spans = starts
        .iter()
        .zip(ends)
        .map(|((from, replicas), until)| Span {
            from: (*from).into(),
            until: until.into(),
            replicas: *replicas,
        });
    spans.collect()
}
