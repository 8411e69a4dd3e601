//! `sale report`: what came of a sale.

use std::fmt::Write;

use clap::Args;
use floodgate_api::SaleEvent;
use floodgate_api::sale::status::{SaleClusterStatus, SalePhaseStatus};
use floodgate_planner::{Sale, SalePhase};
use jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

use super::error::SaleError;
use super::phase::{cold, instant, over_at, published, times};
use super::picked;
use crate::access::AccessArgs;
use crate::colour;
use crate::exit::Exit;
use crate::moment::{Moment, span};
use crate::point::{Weight, mark};
use crate::query::{QueryArgs, namespace_of};
use crate::table::Table;

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    query: QueryArgs,
}

/// What came of one sale, as `-o json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SaleOutcome {
    namespace: String,
    name: String,
    end: Timestamp,
    /// Whether every phase is over.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    learned_uplift_percent: Option<i32>,
    clusters: Vec<SaleClusterStatus>,
    #[serde(skip)]
    sale: Sale,
}

/// Runs the command. Without a name, what is not over yet is reported only where nothing is.
pub async fn run(args: &ReportArgs, access: &AccessArgs) -> Result<Exit, SaleError> {
    let moment = args.query.moment();
    let over = |sale: &Sale| over_at(sale) <= moment.now();
    let mut picked = picked::find(&args.query, access).await?;
    picked.only(|sale| sale.as_ref().is_ok_and(over));
    let outcomes = picked.sales.into_iter();
    let outcomes = outcomes.map(|one| Ok(outcome(one.event, one.sale?, moment.now())));
    let outcomes: Vec<SaleOutcome> = outcomes.collect::<Result<_, SaleError>>()?;
    let page = |one: &SaleOutcome| page(one, &moment);
    args.query.print_pages("sales", &outcomes, page)?;
    let fine = outcomes.iter().all(SaleOutcome::is_fine);
    Ok(Exit::wrong_if(!fine || picked.hides_one))
}

fn outcome(event: SaleEvent, sale: Sale, now: Timestamp) -> SaleOutcome {
    let (namespace, name) = (namespace_of(&event), event.name_any());
    let status = event.status.unwrap_or_default();
    let end = over_at(&sale);
    SaleOutcome {
        namespace,
        name,
        end,
        complete: end <= now,
        learned_uplift_percent: status.learned_uplift_percent,
        clusters: status.clusters,
        sale,
    }
}

impl SaleOutcome {
    /// Whether every phase is over, and all planned pods were warm at each T0.
    fn is_fine(&self) -> bool {
        let recorded = self.clusters.iter().any(|one| !one.phases.is_empty());
        self.complete && recorded && self.cold().is_empty()
    }

    /// Phases whose planned pods were not all warm at T0.
    fn cold(&self) -> Vec<String> {
        let of = |one: &SaleClusterStatus| {
            let phases = one.phases.iter();
            phases
                .filter_map(|phase| cold(one, phase))
                .collect::<Vec<_>>()
        };
        self.clusters.iter().flat_map(of).collect()
    }
}

fn page(outcome: &SaleOutcome, moment: &Moment) -> String {
    let mut text = String::new();
    let over = if outcome.complete {
        "over since"
    } else {
        "not over, ends"
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} ({}): {over} {}, {}",
        colour::heading(&outcome.name),
        outcome.namespace,
        moment.instant(outcome.end),
        moment.relative(outcome.end),
    );
    for line in outcome.cold() {
        mark(&mut text, Weight::Wrong, &line, None);
    }
    if let Some(percent) = outcome.learned_uplift_percent {
        let _ = writeln!(
            text,
            "Its uplift was {} of the baseline; a later sale plans with that through `learnFrom: [{}]`.",
            uplift(percent),
            outcome.name
        );
    }
    if outcome.clusters.is_empty() {
        return text + "Nothing was recorded.\n";
    }
    let mut table = Table::new(&[
        "CLUSTER",
        "PHASE",
        "WARM AT T0",
        "PODS AT MOST",
        "PEAK",
        "PLANNED FOR",
        "UPLIFT",
        "DEGRADED",
    ]);
    let mut profiles = String::new();
    for cluster in &outcome.clusters {
        for phase in &outcome.sale.phases {
            let published = published(cluster, phase);
            table.row(row(cluster, phase, published, moment));
            profiles.extend(published.and_then(|phase| profile(cluster, phase)));
        }
    }
    let _ = write!(text, "\n{}{profiles}", table.render());
    text
}

/// `checkout/midnight, times the baseline, p50 and p95: from 0 min 9.1 and 10.2, ...`.
fn profile(cluster: &SaleClusterStatus, phase: &SalePhaseStatus) -> Option<String> {
    let percent = |percent: i32| f64::from(percent) / 100.0;
    let steps = phase.report.as_ref()?.profile.iter().map(|step| {
        let (p50, p95) = (percent(step.p50_percent), percent(step.p95_percent));
        format!("from {} min {p50:.1} and {p95:.1}", step.from_minute)
    });
    let steps: Vec<String> = steps.collect();
    (!steps.is_empty()).then(|| {
        format!(
            "\n{}/{}, times the baseline, p50 and p95: {}\n",
            cluster.name,
            phase.name,
            steps.join(", ")
        )
    })
}

/// The cells of a phase; those that nothing is known for are left out.
fn row(
    cluster: &SaleClusterStatus,
    phase: &SalePhase,
    published: Option<&SalePhaseStatus>,
    moment: &Moment,
) -> Vec<String> {
    let mut cells = vec![cluster.name.clone(), phase.name.clone()];
    let Some(published) = published else {
        return cells;
    };
    let planned = format!("{} req/s", published.planned_rps);
    let warm = published
        .warm_at_t0
        .map(|warm| format!("{warm} of {}", published.planned_replicas));
    let Some(report) = &published.report else {
        let over = instant(phase.until) <= moment.now();
        let state = if over { "not recorded" } else { "not over" };
        cells.extend([
            warm.unwrap_or_default(),
            String::new(),
            state.to_owned(),
            planned,
        ]);
        return cells;
    };
    cells.extend([
        warm.unwrap_or_else(|| "not noted".to_owned()),
        report.replicas_max.to_string(),
        format!("{} req/s", report.peak_rps),
        planned,
        format!(
            "{} (planned {})",
            uplift(report.learned_uplift_percent),
            uplift(published.uplift_percent)
        ),
        span(i64::from(report.degraded_seconds)),
    ]);
    cells
}

fn uplift(percent: i32) -> String {
    times(u32::try_from(percent).unwrap_or(0))
}
