//! `sale report`.

use std::fmt::Write;

use clap::Args;
use floodgate_api::SaleEvent;
use floodgate_api::sale::status::{SaleClusterStatus, SalePhaseStatus};
use floodgate_planner::{Sale, SalePhase};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::status::told;
use super::{WhichArgs, instant, namespace, over_at, planned, times};
use crate::access::AccessArgs;
use crate::failure::{Failure, Finding};
use crate::moment::{Moment, span};
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::table::Table;

/// `sale report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    which: WhichArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What came of sales, as `-o json` tells it.
#[derive(Serialize)]
struct Answers {
    sales: Vec<Answer>,
}

/// What came of one sale.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    namespace: String,
    name: String,
    end: Timestamp,
    /// Whether every phase is over.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    learned_uplift_percent: Option<i32>,
    clusters: Vec<SaleClusterStatus>,
}

/// Runs the command. Without a name, what is not over yet is told only where nothing is.
pub async fn run(args: &ReportArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let moment = args.which.moment();
    let mut picked = super::find(&args.which, access).await?;
    let all = std::mem::take(&mut picked.all);
    picked.only(|event| planned(event, &all).is_ok_and(|sale| over_at(&sale) <= moment.now()));
    let mut answers = Vec::new();
    let mut sales = Vec::new();
    for event in &picked.sales {
        let sale = planned(event, &all)?;
        answers.push(answer(event, &sale, moment.now()));
        sales.push(sale);
    }
    let answers = Answers { sales: answers };
    args.output.print(&answers, || {
        let pages = answers.sales.iter().zip(&sales);
        let pages = pages.map(|(answer, sale)| page(answer, sale, &moment, Paint::for_stdout()));
        pages.collect::<Vec<_>>().join("\n")
    })?;
    let wrong = answers.sales.iter().any(|answer| {
        let phases = || answer.clusters.iter().flat_map(|cluster| &cluster.phases);
        !answer.complete || phases().any(is_cold) || phases().next().is_none()
    });
    Ok(Finding::wrong_if(wrong || picked.hides_one))
}

fn answer(event: &SaleEvent, sale: &Sale, now: Timestamp) -> Answer {
    let status = event.status.clone().unwrap_or_default();
    let end = over_at(sale);
    Answer {
        namespace: namespace(event),
        name: event.name_any(),
        end,
        complete: end <= now,
        learned_uplift_percent: status.learned_uplift_percent,
        clusters: status.clusters,
    }
}

/// Whether fewer pods than planned were warm at T0.
fn is_cold(phase: &SalePhaseStatus) -> bool {
    phase
        .warm_at_t0
        .is_some_and(|warm| warm < phase.planned_replicas)
}

fn page(answer: &Answer, sale: &Sale, moment: &Moment, paint: Paint) -> String {
    let mut text = String::new();
    let over = if answer.complete {
        "over since"
    } else {
        "not over, ends"
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} ({}): {over} {}, {}",
        paint.heading(&answer.name),
        answer.namespace,
        moment.instant(answer.end),
        moment.relative(answer.end),
    );
    for cluster in &answer.clusters {
        for phase in cluster.phases.iter().filter(|phase| is_cold(phase)) {
            let line = format!(
                "At T0 of {} only {} of {} planned pods of {} were warm",
                phase.name,
                phase.warm_at_t0.unwrap_or(0),
                phase.planned_replicas,
                cluster.name
            );
            let _ = writeln!(text, "  ! {}", paint.wrong(&line));
        }
    }
    if let Some(percent) = answer.learned_uplift_percent {
        let percent = u32::try_from(percent).unwrap_or(0);
        let _ = writeln!(
            text,
            "It brought {} of the baseline; a later sale plans with that through `learnFrom: [{}]`.",
            times(percent),
            answer.name
        );
    }
    let header = [
        "CLUSTER",
        "PHASE",
        "WARM AT T0",
        "PODS AT MOST",
        "PEAK",
        "PLANNED FOR",
        "UPLIFT",
        "DEGRADED",
    ];
    let mut table = Table::new(&header);
    for cluster in &answer.clusters {
        for phase in &sale.phases {
            table.row(row(cluster, phase, moment));
        }
    }
    if answer.clusters.is_empty() {
        text += "Nothing was recorded of it.\n";
    } else {
        let _ = write!(text, "\n{}", table.render(0));
    }
    for cluster in &answer.clusters {
        for phase in &sale.phases {
            if let Some(line) = told(cluster, phase).and_then(|told| lift(cluster, told)) {
                let _ = write!(text, "\n{line}");
            }
        }
    }
    text
}

/// `checkout/midnight over its baseline, p50 and p95: from 0 min 9.1 and 10.2 times, ...`.
fn lift(cluster: &SaleClusterStatus, told: &SalePhaseStatus) -> Option<String> {
    let profile = &told.report.as_ref()?.profile;
    let percent = |percent: i32| f64::from(percent) / 100.0;
    let steps: Vec<String> = profile
        .iter()
        .map(|step| {
            let (p50, p95) = (percent(step.p50_percent), percent(step.p95_percent));
            format!("from {} min {p50:.1} and {p95:.1}", step.from_minute)
        })
        .collect();
    (!steps.is_empty()).then(|| {
        format!(
            "{}/{}, times the baseline, p50 and p95: {}\n",
            cluster.name,
            told.name,
            steps.join(", ")
        )
    })
}

fn row(cluster: &SaleClusterStatus, phase: &SalePhase, moment: &Moment) -> Vec<String> {
    let mut cells = vec![cluster.name.clone(), phase.name.clone()];
    let Some(told) = told(cluster, phase) else {
        cells.extend(vec![String::new(); 6]);
        return cells;
    };
    let warm = told.warm_at_t0.map_or("not noted".to_owned(), |warm| {
        format!("{warm} of {}", told.planned_replicas)
    });
    let Some(report) = &told.report else {
        let state = if instant(phase.until) > moment.now() {
            "not over"
        } else {
            "not recorded"
        };
        let planned = format!("{} req/s", told.planned_rps);
        let rest = ["", state, &planned, "", ""].map(str::to_owned);
        cells.push(if told.warm_at_t0.is_some() {
            warm
        } else {
            String::new()
        });
        cells.extend(rest);
        return cells;
    };
    let percent = |percent: i32| times(u32::try_from(percent).unwrap_or(0));
    cells.extend([
        warm,
        report.replicas_max.to_string(),
        format!("{} req/s", report.peak_rps),
        format!("{} req/s", told.planned_rps),
        format!(
            "{} (planned {})",
            percent(report.learned_uplift_percent),
            percent(told.uplift_percent)
        ),
        span(i64::from(report.degraded_seconds)),
    ]);
    cells
}
