//! `explain`: why a cluster has as many pods as it has. Every bid, every guard, the figures.

mod current;
mod events;
mod missing;
mod page;

use clap::Args;
use floodgate_api::cluster::decision::DecisionRecord;
use floodgate_api::cluster::status::{Capacity, LeadTime, LevelStatus};
use floodgate_api::{PaymentCluster, PaymentClusterStatus};
use kube::ResourceExt;
use serde::Serialize;

use crate::access::AccessArgs;
use crate::exit::Exit;
use crate::point::Point;
use crate::query::{QueryArgs, QueryError, Source, namespace_of};

use current::CurrentPods;
use events::PastEvent;
use missing::MissingBid;
use page::page;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Earlier Events to show, at most.
    #[arg(long, default_value_t = 10, value_name = "N")]
    events: usize,
    #[command(flatten)]
    query: QueryArgs,
}

/// Why a cluster has as many pods as it has, as `-o json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    namespace: String,
    name: String,
    /// Absent before the first decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionRecord>,
    /// How old a saved object is, where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<Point>,
    /// Sources that make no bid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_bids: Vec<MissingBid>,
    /// The pods that exist, beside the number decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<CurrentPods>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_rps: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<Capacity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_time: Option<LeadTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<LevelStatus>,
    /// Newest first.
    events: Vec<PastEvent>,
    /// Why there are no Events, when they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_missing: Option<String>,
}

pub async fn run(args: &ExplainArgs, access: &AccessArgs) -> Result<Exit, QueryError> {
    let source = args.query.open(access).await?;
    let moment = args.query.moment();
    let found = args.query.find(&source).await?;
    let mut clusters = Vec::new();
    for cluster in found.objects {
        let age = args.query.age([&cluster], &moment);
        clusters.push(explanation(&source, cluster, age, args.events).await);
    }
    args.query
        .print_pages("clusters", &clusters, |one| page(one, &moment))?;
    let undecided = clusters.iter().any(|one| one.decision.is_none());
    Ok(Exit::wrong_if(undecided || found.hides_one))
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
        Ok(all) => (events::newest(all, most), None),
        // The decision is in the status, and worth showing without its history.
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
        missing_bids: cluster.status.as_ref().map_or_else(Vec::new, missing::of),
        current: current::of(&cluster),
        namespace: namespace_of(&cluster),
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
