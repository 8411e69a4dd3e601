//! `sale plan`.

mod late;
mod page;
mod rows;

use std::path::PathBuf;

use clap::Args;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_trace::Unit;
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::history::{self, History};
use super::{Picked, SaleError, WhichArgs, namespace, over_at, planned};
use crate::access::{Access, AccessArgs, AccessError, Scope};
use crate::calendar::{self, cluster_in_words, selector_in_words};
use crate::failure::{Failure, Finding};
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::source::Source;
use crate::status::judge::Point;

use late::Late;
use page::{page, short};
use rows::{Basis, plan};

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
    /// What is doubtful about what was planned from: an old history, an old saved status.
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

impl ClusterPlan {
    /// Whether pods are missing: more than the maximum are needed, or some come late.
    fn falls_short(&self) -> bool {
        short(self).is_some() || self.phases.iter().any(|phase| phase.late.is_some())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhaseRow {
    name: String,
    t0: Timestamp,
    end: Timestamp,
    uplift_percent: u32,
    /// Load without the sale at T0; absent where the operator published the
    /// plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_rps: Option<f64>,
    expected_rps: f64,
    /// Chance with which the pods hold the load, percent; absent where the operator published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantile_percent: Option<u8>,
    replicas: u32,
    /// What it would need without a maximum.
    replicas_needed: u32,
    prescale_start: Timestamp,
    /// Where the plan becomes another later in the phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    later: Vec<StepRow>,
    /// Pods that cannot be warm at T0 any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<Late>,
    /// What other chances would ask for; none where the operator published the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chances: Vec<ChanceRow>,
}

/// What is planned from a moment of a phase on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepRow {
    from: Timestamp,
    expected_rps: f64,
    replicas: u32,
    /// What it would need without a maximum.
    replicas_needed: u32,
}

impl PhaseRow {
    /// Pods that are planned for an instant; before T0 those of T0.
    fn replicas_at(&self, now: Timestamp) -> u32 {
        let begun = self.later.iter().rev().find(|step| step.from <= now);
        begun.map_or(self.replicas, |step| step.replicas)
    }

    /// Most pods that stand at any moment.
    fn replicas_most(&self) -> u32 {
        let later = self.later.iter().map(|step| step.replicas);
        later.fold(self.replicas, u32::max)
    }

    /// Most that would be needed at any moment without a maximum.
    fn replicas_needed_most(&self) -> u32 {
        let later = self.later.iter().map(|step| step.replicas_needed);
        later.fold(self.replicas_needed, u32::max)
    }
}

/// What a phase would need to hold the load with some chance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChanceRow {
    quantile_percent: u8,
    expected_rps: f64,
    /// What it would need without a maximum.
    replicas_needed: u32,
}

/// Runs the command. Without a name, what is over is planned only where nothing lies ahead.
pub async fn run(args: &PlanArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let moment = args.which.moment();
    let (given, doubts) = given(args, moment.now())?;
    let mut picked = super::find(&args.which, access).await?;
    let all = std::mem::take(&mut picked.all);
    // One that is not valid is not passed over: it says so in place of its plan.
    picked.only(|event| planned(event, &all).map_or(true, |sale| over_at(&sale) > moment.now()));
    let clusters = clusters(&picked, args.which.scope(), access).await?;
    let mut sales = Vec::new();
    for event in &picked.sales {
        let sale = planned(event, &all)?;
        let hit = clusters.iter().filter(|one| calendar::selects(event, one));
        // Clusters that the files lack are asked for, and are of now.
        let saved = hit.clone().filter(|_| picked.source.holds_clusters());
        let age = args
            .which
            .source
            .age(saved, &moment)
            .map(Point::in_one_line);
        let plans = hit.map(|cluster| {
            let mut plan = plan(event, &sale, cluster, given.as_ref())?;
            late::mark(&mut plan, cluster, moment.now());
            Ok(plan)
        });
        let plans = plans.collect::<Result<Vec<ClusterPlan>, SaleError>>()?;
        if plans.is_empty() {
            return Err(no_cluster(event, &clusters).into());
        }
        sales.push(Answer {
            namespace: namespace(event),
            name: event.name_any(),
            end: over_at(&sale),
            doubts: age.into_iter().chain(doubts.clone()).collect(),
            remarks: calendar::remarks(event, &all),
            clusters: plans,
        });
    }
    let answers = Answers { sales };
    args.output.print(&answers, || {
        let pages = answers.sales.iter();
        let wide = args.output.wide();
        let pages = pages.map(|one| page(one, wide, &moment, Paint::for_stdout()));
        pages.collect::<Vec<_>>().join("\n")
    })?;
    let wrong = answers
        .sales
        .iter()
        .any(|one| one.end <= moment.now() || one.clusters.iter().any(ClusterPlan::falls_short));
    Ok(Finding::wrong_if(wrong || picked.hides_one))
}

/// The clusters there are: those in the files, or those of the cluster where the files have none.
async fn clusters(
    picked: &Picked,
    scope: Scope,
    access: &AccessArgs,
) -> Result<Vec<PaymentCluster>, Failure> {
    let online;
    let source = match &picked.source {
        source @ Source::Files(..) if !source.holds_clusters() => {
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
        observed_peak_rps,
        source,
        doubts,
    } = history::forecast(file, args.unit, now)?;
    let basis = Basis::Path {
        path,
        observed_peak_rps,
        source,
    };
    Ok((Some(basis), doubts))
}
