//! `override list`: overrides in force, refused and lapsed.

use std::fmt::Write;

use clap::Args;
use floodgate_api::PaymentCluster;
use floodgate_api::cluster::status::OverrideStatus;
use floodgate_api::overrides::Remark;
use floodgate_words::Reason;
use kube::ResourceExt;
use serde::Serialize;

use crate::access::AccessArgs;
use crate::colour;
use crate::exit::Exit;
use crate::line::one_line;
use crate::moment::{Moment, span};
use crate::query::{QueryArgs, QueryError, namespace_of};
use crate::status::judge::{in_force, overrides_of};
use crate::table::Table;

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    query: QueryArgs,
}

/// The overrides of a cluster.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterOverrides {
    namespace: String,
    name: String,
    overrides: Vec<OverrideStatus>,
    /// Not in force, and why.
    refused: Vec<String>,
    /// In force until they lapsed.
    lapsed: Vec<String>,
}

pub async fn run(args: &ListArgs, access: &AccessArgs) -> Result<Exit, QueryError> {
    let source = args.query.open(access).await?;
    let moment = args.query.moment();
    let found = args.query.find(&source).await?;
    let clusters = found.objects.iter().map(|one| listed(one, &moment));
    let mut clusters: Vec<ClusterOverrides> = clusters.collect();
    clusters.retain(|one| {
        !(one.overrides.is_empty() && one.refused.is_empty() && one.lapsed.is_empty())
    });
    args.query
        .print("clusters", &clusters, || table(&clusters, &moment))?;
    let refused = clusters.iter().any(|one| !one.refused.is_empty());
    Ok(Exit::wrong_if(refused || found.hides_one))
}

fn listed(cluster: &PaymentCluster, moment: &Moment) -> ClusterOverrides {
    let read = overrides_of(cluster, moment.now());
    let refused = read.remarks.iter().filter(|remark| remark.refused);
    let (lapsed, refused): (Vec<&Remark>, Vec<&Remark>) =
        refused.partition(|remark| remark.reason == Reason::OverrideLapsed);
    let messages = |remarks: Vec<&Remark>| {
        let remarks = remarks.into_iter();
        remarks.map(|remark| remark.message.clone()).collect()
    };
    ClusterOverrides {
        namespace: namespace_of(cluster),
        name: cluster.name_any(),
        refused: messages(refused),
        lapsed: messages(lapsed),
        overrides: in_force(cluster, moment.now()),
    }
}

fn table(clusters: &[ClusterOverrides], moment: &Moment) -> String {
    let mut text = String::new();
    for one in clusters {
        for message in &one.refused {
            // Writing to a String cannot fail.
            let line = format!("{} ({}): {}", one.name, one.namespace, one_line(message));
            let _ = writeln!(text, "! {}", colour::wrong(&line));
        }
        for message in &one.lapsed {
            let line = format!("{} ({}): {}", one.name, one.namespace, one_line(message));
            let _ = writeln!(text, "- {}", colour::note(&line));
        }
    }
    let mut table = Table::new(&[
        "NAMESPACE",
        "NAME",
        "OVERRIDE",
        "LEFT",
        "UNTIL",
        "REASON",
        "BY",
    ]);
    for one in clusters {
        for active in &one.overrides {
            table.row([
                one.namespace.clone(),
                one.name.clone(),
                format!("{}={}", active.name, active.value),
                span(moment.seconds_until(active.until.0).max(0)),
                moment.instant(active.until.0),
                active.reason.clone(),
                active.by.clone().unwrap_or_default(),
            ]);
        }
    }
    if table.is_empty() {
        text + "No override is in force.\n"
    } else {
        text + &table.render()
    }
}
