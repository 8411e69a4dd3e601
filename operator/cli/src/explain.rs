//! `explain`: why there are as many pods as there are. Every bid, every guard, the numbers.

mod history;
mod standing;

use std::fmt::Write;

use clap::Args;
use floodgate_api::cluster::decision::DecisionRecord;
use floodgate_api::cluster::degradation::Level;
use floodgate_api::cluster::status::{Capacity, LeadTime, LevelStatus};
use floodgate_api::{PaymentCluster, PaymentClusterStatus};
use kube::ResourceExt;
use serde::Serialize;

use crate::access::{AccessArgs, Scope};
use crate::failure::{Failure, Finding};
use crate::line::one_line;
use crate::moment::{Moment, span};
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::source::{Source, SourceArgs, Unreadable};
use crate::table::Table;
use crate::words;

use history::Told;
use standing::Standing;

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Name of a PaymentCluster; default all of the namespace.
    name: Option<String>,
    /// Every namespace.
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    /// How many earlier Events are told.
    #[arg(long, default_value_t = 10, value_name = "N")]
    events: usize,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Why a cluster is as it is, as `-o json` tells it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    namespace: String,
    name: String,
    /// Absent before the first decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionRecord>,
    /// The pods there are, beside the number decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_rps: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<Capacity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_time: Option<LeadTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<LevelStatus>,
    /// Newest first.
    events: Vec<Told>,
    /// Why there are no Events, when they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_missing: Option<String>,
}

#[derive(Serialize)]
struct Explanations {
    clusters: Vec<Explanation>,
}

/// Runs the command.
pub async fn run(args: &ExplainArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let source = Source::open(&args.source, access).await?;
    let moment = args.source.moment();
    let scope = if args.all_namespaces {
        Scope::Everywhere
    } else {
        Scope::Namespace
    };
    let found = source.clusters(args.name.as_deref(), scope).await?;
    if found.is_empty() {
        return Err(Failure::Nothing(
            source.nothing("PaymentCluster", scope).await,
        ));
    }
    let mut clusters = Vec::new();
    let mut unreadable = 0;
    for found in found {
        match found {
            Ok(cluster) => clusters.push(explanation(&source, cluster, args.events).await),
            Err(Unreadable {
                namespace,
                name,
                error,
            }) => {
                unreadable += 1;
                eprintln!(
                    "error: {name} ({namespace}) cannot be read as a PaymentCluster: {error}"
                );
            }
        }
    }
    let answer = Explanations { clusters };
    args.output.print(&answer, || {
        let paint = Paint::for_stdout();
        let pages = answer.clusters.iter().map(|one| page(one, &moment, paint));
        pages.collect::<Vec<_>>().join("\n")
    })?;
    let undecided = answer.clusters.iter().any(|one| one.decision.is_none());
    Ok(Finding::wrong_if(undecided || unreadable > 0))
}

async fn explanation(source: &Source, cluster: PaymentCluster, most: usize) -> Explanation {
    let name = cluster.name_any();
    let namespace = cluster.namespace();
    let events = source.events("PaymentCluster", namespace.as_deref(), &name);
    let (events, events_missing) = match events.await {
        Ok(all) => (history::newest(all, most), None),
        // The decision itself stands in the status; without its history it is still worth telling.
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let PaymentClusterStatus {
        decision,
        load_rps,
        capacity,
        lead_time,
        level,
        ..
    } = cluster.status.clone().unwrap_or_default();
    Explanation {
        standing: standing::of(&cluster),
        namespace: cluster.namespace().unwrap_or_else(|| "default".to_owned()),
        name,
        decision,
        load_rps,
        capacity,
        lead_time,
        level,
        events,
        events_missing,
    }
}

fn page(one: &Explanation, moment: &Moment, paint: Paint) -> String {
    let mut text = String::new();
    let name = paint.heading(&one.name);
    // Writing to a String cannot fail.
    let _ = match &one.decision {
        Some(decision) => writeln!(
            text,
            "{name} ({}): {} replicas, decided {} at {}; {} before\n{}\n\n{}\n{}",
            one.namespace,
            decision.to,
            moment.relative(decision.time.0),
            moment.instant(decision.time.0),
            decision.from,
            one_line(&decision.explain),
            bids(decision),
            guards(decision),
        ),
        None => writeln!(
            text,
            "{name} ({}): {}\n",
            one.namespace,
            paint.wrong("nothing was decided yet; `kubectl floodgate status` tells why"),
        ),
    };
    let _ = writeln!(text, "{}", numbers(one));
    if let Some(missing) = &one.events_missing {
        let _ = writeln!(
            text,
            "{}",
            paint.note(&format!("Without earlier Events: {missing}"))
        );
    }
    if !one.events.is_empty() {
        let _ = write!(text, "\n{}", events(&one.events, moment));
    }
    text
}

fn bids(decision: &DecisionRecord) -> String {
    let mut table = Table::new(&["BID", "REPLICAS", "WHY"]);
    let winner = decision
        .bids
        .iter()
        .position(|bid| bid.source == decision.winner);
    for (index, bid) in decision.bids.iter().enumerate() {
        let wins = if winner == Some(index) {
            " <- wins"
        } else {
            ""
        };
        table.row(vec![
            bid.source.clone(),
            bid.replicas.to_string(),
            format!("{}{wins}", in_words(&bid.reason)),
        ]);
    }
    if decision.bids.is_empty() {
        table.row(vec![
            "none".to_owned(),
            String::new(),
            in_words(&decision.reason),
        ]);
    }
    table.render(0)
}

fn guards(decision: &DecisionRecord) -> String {
    if decision.guards.is_empty() {
        return "No guard changed the number.\n".to_owned();
    }
    let mut table = Table::new(&["GUARD", "FROM -> TO", "WHY"]);
    for guard in &decision.guards {
        table.row(vec![
            guard.guard.clone(),
            format!("{} -> {}", guard.from, guard.to),
            told_once(&guard.guard, &guard.reason),
        ]);
    }
    table.render(0)
}

/// The reason of a guard, without its own name when that is all it says.
fn told_once(guard: &str, reason: &str) -> String {
    match words::meaning(reason) {
        meaning if guard == reason && !meaning.is_empty() => meaning.to_owned(),
        _ => in_words(reason),
    }
}

/// `SalePrescale: double-eleven/midnight (a sale phase begins within the lead time)`.
fn in_words(reason: &str) -> String {
    let known = reason.split([':', ',']).next().unwrap_or(reason);
    match words::meaning(known) {
        "" => reason.to_owned(),
        meaning => format!("{reason} ({meaning})"),
    }
}

fn numbers(one: &Explanation) -> String {
    let mut lines = Vec::new();
    if let Some(standing) = &one.standing {
        lines.push(format!("Standing    {}", standing.line()));
    }
    lines.push(match one.load_rps {
        Some(load_rps) => format!("Load        {load_rps} req/s"),
        None => "Load        not known".to_owned(),
    });
    if let Some(capacity) = &one.capacity {
        let source = match capacity.samples {
            Some(samples) => format!("learned from {samples} measurements"),
            None => "declared".to_owned(),
        };
        lines.push(format!(
            "Capacity    {} req/s per warm pod ({source})",
            capacity.rps
        ));
    }
    if let Some(lead) = &one.lead_time {
        let seconds = |seconds: i32| span(i64::from(seconds));
        lines.push(match lead.samples {
            0 => format!("Lead time   {} (declared)", seconds(lead.seconds)),
            pods => format!(
                "Lead time   {} (p99 of {pods} pods: {} to Ready, of which {} warm-up)",
                seconds(lead.seconds),
                seconds(lead.ready_seconds),
                seconds(lead.warm_seconds),
            ),
        });
    }
    if let Some(level) = &one.level {
        let imposed = match level.pinned.unwrap_or(level.floor) {
            Level::Normal => "nothing imposed".to_owned(),
            imposed => format!("{imposed} imposed"),
        };
        lines.push(format!(
            "Level       {}, {imposed}: {}",
            level.current,
            in_words(&level.reason)
        ));
    }
    lines.join("\n")
}

fn events(events: &[Told], moment: &Moment) -> String {
    let mut table = Table::new(&["WHEN", "EVENT", "WHAT"]);
    for told in events {
        let count = if told.count > 1 {
            format!(" ({} times)", told.count)
        } else {
            String::new()
        };
        table.row(vec![
            moment.relative(told.time),
            told.reason.clone(),
            format!("{}{count}", told.message),
        ]);
    }
    table.render(0)
}
