//! `sale plan`.

mod page;

use std::path::{Path, PathBuf};

use clap::Args;
use floodgate_api::sale::status::SalePhaseStatus;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_forecast::{FitOptions, Trace, fit};
use floodgate_planner::{Baseline, ForecastPath, LeadTime, Sale, Scaling, sale_plan};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::cost::{Standing, cost};
use super::{SaleError, instant, planning};
use crate::access::{Access, AccessArgs, Scope};
use crate::failure::{Failure, Finding};
use crate::file;
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::source::{Source, SourceArgs};

use page::{page, short};

/// How far a forecast of the history goes; a phase beyond it takes the same time of the last day.
const HORIZON_S: u32 = 86_400;

/// `sale plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Name of the SaleEvent; may be left out when there is only one.
    name: Option<String>,
    /// Load that would come without the sale, requests/s.
    #[arg(long, value_name = "RPS", conflicts_with = "history")]
    baseline_rps: Option<f64>,
    /// Recorded trace (timestamp,value) that the baseline is forecast from.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The plan, as `-o json` tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    sale: String,
    end: Timestamp,
    clusters: Vec<ClusterPlan>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterPlan {
    name: String,
    /// Where the expected load comes from.
    baseline: String,
    capacity_rps: f64,
    lead_seconds: i64,
    margin_seconds: u32,
    replicas_min: u32,
    replicas_max: u32,
    /// Most replicas of all phases.
    replicas: u32,
    prescale_start: Timestamp,
    pod_hours: f64,
    pod_hours_above_min: f64,
    phases: Vec<PhaseRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhaseRow {
    name: String,
    t0: Timestamp,
    end: Timestamp,
    uplift_percent: u32,
    expected_rps: f64,
    replicas: u32,
    /// What it would need without a maximum.
    replicas_needed: u32,
    prescale_start: Timestamp,
}

/// Where the load without the sale is known from.
enum Basis {
    /// Given by hand, or measured, requests/s.
    Rate(f64, String),
    /// Forecast from a recorded trace.
    Path(ForecastPath, String),
}

/// Runs the command.
pub async fn run(args: &PlanArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let moment = args.source.moment();
    let given = given(args)?;
    let (event, sales, source) = super::find(args.name.as_deref(), &args.source, access).await?;
    let sale = planning::sale(&event, &sales)?;
    let mut plans = Vec::new();
    for cluster in clusters(&event, &source, access).await? {
        plans.push(plan(&event, &sale, &cluster, given.as_ref())?);
    }
    if plans.is_empty() {
        return Err(SaleError::NoCluster(event.name_any()).into());
    }
    let answer = Answer {
        sale: sale.name.clone(),
        end: instant(sale.end),
        clusters: plans,
    };
    args.output
        .print(&answer, || page(&answer, &moment, Paint::for_stdout()))?;
    let short = answer.clusters.iter().any(|one| short(one).is_some());
    Ok(Finding::wrong_if(short || answer.end <= moment.now()))
}

/// The clusters the sale hits: those in the files, or those of the cluster where the files have none.
async fn clusters(
    event: &SaleEvent,
    source: &Source,
    access: &AccessArgs,
) -> Result<Vec<PaymentCluster>, Failure> {
    let online;
    let source = match source {
        Source::Files(saved, _) if saved.clusters.is_empty() => {
            online = Source::Cluster(Access::open(access).await?);
            &online
        }
        source => source,
    };
    let all = source.clusters(None, Scope::Namespace).await?;
    let readable = all.into_iter().flatten();
    Ok(readable
        .filter(|cluster| planning::selects(event, cluster))
        .collect())
}

/// The baseline that was given on the command line.
fn given(args: &PlanArgs) -> Result<Option<Basis>, Failure> {
    if let Some(rps) = args.baseline_rps {
        if !(rps.is_finite() && rps > 0.0) {
            return Err(SaleError::Baseline(rps).into());
        }
        return Ok(Some(Basis::Rate(
            rps,
            "given with --baseline-rps".to_owned(),
        )));
    }
    args.history.as_deref().map(forecast).transpose()
}

fn forecast(path: &Path) -> Result<Basis, Failure> {
    let trace = Trace::parse(&file::text(path)?).map_err(SaleError::Trace)?;
    let end = trace.samples().last().map(|(at, _)| *at);
    let series = trace
        .known_at(end.unwrap_or_default())
        .map_err(SaleError::Series)?;
    let model = fit(&series, &FitOptions::default()).map_err(SaleError::Fit)?;
    let path = model.path(&series, HORIZON_S);
    let source = format!("forecast from --history, p{}", path.quantile_percent());
    Ok(Basis::Path(path, source))
}

/// What the operator knows of the load without the sale; nothing where it has published a plan.
fn measured(cluster: &PaymentCluster) -> Option<Basis> {
    let rps = cluster.status.as_ref()?.load_rps.filter(|rps| *rps > 0)?;
    Some(Basis::Rate(
        f64::from(rps),
        "the load measured by the operator".to_owned(),
    ))
}

fn plan(
    event: &SaleEvent,
    sale: &Sale,
    cluster: &PaymentCluster,
    given: Option<&Basis>,
) -> Result<ClusterPlan, SaleError> {
    let scaling = planning::scaling(cluster)?;
    let lead_time = planning::lead_time(cluster);
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

fn told_row(
    phase: &floodgate_planner::SalePhase,
    told: &SalePhaseStatus,
    scaling: &Scaling,
) -> PhaseRow {
    let replicas = u32::try_from(told.planned_replicas).unwrap_or(0);
    let expected_rps = f64::from(told.planned_rps);
    PhaseRow {
        name: phase.name.clone(),
        t0: instant(phase.t0),
        end: instant(phase.until),
        uplift_percent: u32::try_from(told.uplift_percent).unwrap_or(phase.uplift_percent),
        expected_rps,
        replicas,
        replicas_needed: scaling
            .replicas_for(expected_rps)
            .unwrap_or(replicas)
            .max(replicas),
        prescale_start: told.prescale_start.0,
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
            };
            (baseline, format!("{rps} req/s, {source}"))
        }
        Basis::Path(path, source) => {
            let baseline = Baseline {
                path: Some(path),
                measured_rps: None,
            };
            (baseline, source.clone())
        }
    };
    let planned = sale_plan(sale, baseline, scaling, lead_time).phases;
    let rows = sale.phases.iter().zip(planned).map(|(phase, plan)| {
        Some(PhaseRow {
            name: phase.name.clone(),
            t0: instant(phase.t0),
            end: instant(phase.until),
            uplift_percent: phase.uplift_percent,
            expected_rps: plan.expected_rps?,
            replicas: plan.replicas?,
            replicas_needed: plan.replicas_needed?,
            prescale_start: instant(plan.prescale_at),
        })
    });
    Some((rows.collect::<Option<_>>()?, source))
}

fn summed(
    cluster: &PaymentCluster,
    phases: Vec<PhaseRow>,
    baseline: String,
    scaling: &Scaling,
    lead_time: &LeadTime,
) -> ClusterPlan {
    let spans = phases.iter().map(|phase| Standing {
        from: phase.prescale_start.into(),
        until: phase.end.into(),
        replicas: phase.replicas,
    });
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
        replicas: phases.iter().map(|phase| phase.replicas).max().unwrap_or(0),
        prescale_start: first.unwrap_or(Timestamp::MAX),
        pod_hours: tenths(cost.pod_hours),
        pod_hours_above_min: tenths(cost.above_min_pod_hours),
        phases,
    }
}

fn tenths(hours: f64) -> f64 {
    (hours * 10.0).round() / 10.0
}
