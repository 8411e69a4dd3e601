//! `explain`: why there are as many pods as there are. Every bid, every guard, the numbers.

mod history;
mod page;
mod silent;
mod standing;

use clap::Args;
use floodgate_api::cluster::decision::DecisionRecord;
use floodgate_api::cluster::status::{Capacity, LeadTime, LevelStatus};
use floodgate_api::{PaymentCluster, PaymentClusterStatus};
use kube::ResourceExt;
use serde::Serialize;

use crate::access::{AccessArgs, Scope};
use crate::failure::{Failure, Finding};
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::source::{Source, SourceArgs, Unreadable};
use crate::status::judge::Point;

use history::Told;
use page::page;
use silent::Silent;
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
    /// How old a saved object is, where that is to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<Point>,
    /// Sources that make no bid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    silent: Vec<Silent>,
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
            Ok(cluster) => {
                let age = args.source.age([&cluster], &moment);
                clusters.push(explanation(&source, cluster, age, args.events).await);
            }
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

async fn explanation(
    source: &Source,
    cluster: PaymentCluster,
    age: Option<Point>,
    most: usize,
) -> Explanation {
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
        silent: cluster.status.as_ref().map_or_else(Vec::new, silent::of),
        standing: standing::of(&cluster),
        namespace: cluster.namespace().unwrap_or_else(|| "default".to_owned()),
        name,
        age,
        decision,
        load_rps,
        capacity,
        lead_time,
        level,
        events,
        events_missing,
    }
}
