//! `sale plan`.

mod page;

use std::path::PathBuf;

use clap::Args;
use floodgate_api::sale::status::SalePhaseStatus;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::{Baseline, ForecastPath, LeadTime, Sale, Scaling, sale_plan};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::cost::{Standing, cost};
use super::history::{self, History};
use super::{Picked, SaleError, WhichArgs, instant, namespace, over_at, planned};
use crate::access::{Access, AccessArgs, AccessError, Scope};
use crate::calendar::{self, cluster_in_words, selector_in_words};
use crate::failure::{Failure, Finding};
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::settings;
use crate::source::Source;
use crate::trace::Unit;

use page::{page, short};

/// Most requests/s that are taken for the load of one service: what the most pods of the greatest
/// capacity hold.
const BASELINE_RPS_MAX: f64 = 1e9;

/// `sale plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Load that would come without the sale, requests/s.
    #[arg(long, value_name = "RPS", conflicts_with = "history", value_parser = rate)]
    #[arg(allow_negative_numbers = true)]
    baseline_rps: Option<f64>,
    /// Recorded trace (`timestamp,value`) that the baseline is forecast from; more than a day of
    /// it, until about now (or --at).
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// What a value of --history counts.
    #[arg(long, value_enum, default_value_t, requires = "history")]
    unit: Unit,
    #[command(flatten)]
    output: OutputArgs,
}

/// A rate on the command line.
fn rate(text: &str) -> Result<f64, String> {
    let rps = text.parse::<f64>().ok();
    rps.filter(|rps| *rps > 0.0 && *rps <= BASELINE_RPS_MAX)
        .ok_or_else(|| {
            format!("must be a number above 0 and at most {BASELINE_RPS_MAX}, requests/s")
        })
}

/// The plans, as `-o json` tells them.
#[derive(Serialize)]
struct Answers {
    sales: Vec<Answer>,
}

/// The plan of one sale.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    namespace: String,
    name: String,
    end: Timestamp,
    /// What is doubtful about the history that was planned from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<String>,
    /// Local times of the sale that do not exist or come twice, and what is taken for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
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

/// Runs the command. Without a name, what is over is planned only where nothing lies ahead.
pub async fn run(args: &PlanArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let moment = args.which.moment();
    let (given, doubts) = given(args, moment.now())?;
    let mut picked = super::find(&args.which, access).await?;
    let all = std::mem::take(&mut picked.all);
    picked.only(|event| planned(event, &all).is_ok_and(|sale| over_at(&sale) > moment.now()));
    let clusters = clusters(&picked, args.which.scope(), access).await?;
    let mut sales = Vec::new();
    for event in &picked.sales {
        let sale = planned(event, &all)?;
        let hit = clusters.iter().filter(|one| calendar::selects(event, one));
        let plans = hit.map(|cluster| plan(event, &sale, cluster, given.as_ref()));
        let plans = plans.collect::<Result<Vec<ClusterPlan>, SaleError>>()?;
        if plans.is_empty() {
            return Err(no_cluster(event, &clusters).into());
        }
        sales.push(Answer {
            namespace: namespace(event),
            name: event.name_any(),
            end: over_at(&sale),
            doubts: doubts.clone(),
            remarks: calendar::remarks(event, &all),
            clusters: plans,
        });
    }
    let answers = Answers { sales };
    args.output.print(&answers, || {
        let pages = answers.sales.iter();
        let pages = pages.map(|one| page(one, &moment, Paint::for_stdout()));
        pages.collect::<Vec<_>>().join("\n")
    })?;
    let wrong = answers.sales.iter().any(|one| {
        one.end <= moment.now() || one.clusters.iter().any(|plan| short(plan).is_some())
    });
    Ok(Finding::wrong_if(wrong))
}

/// The clusters there are: those in the files, or those of the cluster where the files have none.
async fn clusters(
    picked: &Picked,
    scope: Scope,
    access: &AccessArgs,
) -> Result<Vec<PaymentCluster>, Failure> {
    let online;
    let source = match &picked.source {
        Source::Files(saved, _) if saved.clusters.is_empty() => {
            let access = Access::open(access).await.map_err(|error| match error {
                AccessError::NoCluster(_) => Failure::from(SaleError::OnlySales),
                error => error.into(),
            })?;
            online = Source::Cluster(access);
            &online
        }
        source => source,
    };
    let all = source.clusters(None, scope).await?;
    Ok(all.into_iter().flatten().collect())
}

fn no_cluster(event: &SaleEvent, clusters: &[PaymentCluster]) -> SaleError {
    let held: Vec<String> = clusters.iter().map(cluster_in_words).collect();
    SaleError::NoCluster {
        sale: event.name_any(),
        wanted: selector_in_words(event),
        held: if held.is_empty() {
            "there is none at all".to_owned()
        } else {
            format!("there is {}", held.join(", "))
        },
    }
}

/// The baseline that was given on the command line, and what is doubtful about it.
fn given(args: &PlanArgs, now: Timestamp) -> Result<(Option<Basis>, Vec<String>), SaleError> {
    if let Some(rps) = args.baseline_rps {
        let basis = Basis::Rate(rps, "given with --baseline-rps".to_owned());
        return Ok((Some(basis), Vec::new()));
    }
    let Some(file) = &args.history else {
        return Ok((None, Vec::new()));
    };
    let History {
        path,
        source,
        doubts,
    } = history::forecast(file, args.unit, now)?;
    Ok((Some(Basis::Path(path, source)), doubts))
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
    let scaling = settings::scaling(cluster).map_err(|source| SaleError::Field {
        object: format!("PaymentCluster `{}`", cluster.name_any()),
        source,
    })?;
    let lead_time = settings::lead_time(cluster);
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
