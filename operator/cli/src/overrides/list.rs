//! `override list`.

use std::fmt::Write;

use clap::Args;
use floodgate_api::PaymentCluster;
use floodgate_api::cluster::status::OverrideStatus;
use floodgate_api::overrides::Remark;
use floodgate_words::Reason;
use kube::ResourceExt;
use serde::Serialize;

use crate::access::{AccessArgs, Scope};
use crate::failure::{Failure, Finding};
use crate::line::one_line;
use crate::moment::{Moment, span};
use crate::output::OutputArgs;
use crate::paint::Paint;
use crate::source::{Found, Source, SourceArgs};
use crate::status::judge::{in_force, overrides_of};
use crate::table::Table;

/// `override list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Name of a PaymentCluster; default all of the namespace.
    name: Option<String>,
    /// Every namespace.
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The overrides of a cluster.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    namespace: String,
    name: String,
    /// In force.
    overrides: Vec<OverrideStatus>,
    /// Not in force, and why.
    refused: Vec<String>,
    /// In force until they lapsed.
    lapsed: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    clusters: Vec<Listed>,
}

/// Runs the command.
pub async fn run(args: &ListArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let source = Source::open(&args.source, access).await?;
    let moment = args.source.moment();
    let scope = if args.all_namespaces {
        Scope::Everywhere
    } else {
        Scope::Namespace
    };
    let found = source.clusters(args.name.as_deref(), scope).await?;
    let listed = |one: Found<PaymentCluster>| match one {
        Ok(cluster) => listed(&cluster, &moment),
        Err(unreadable) => Listed {
            namespace: unreadable.namespace,
            name: unreadable.name,
            overrides: Vec::new(),
            refused: vec![format!(
                "cannot be read as a PaymentCluster: {}",
                unreadable.error
            )],
            lapsed: Vec::new(),
        },
    };
    if found.is_empty() {
        return Err(Failure::Nothing(
            source.nothing("PaymentCluster", scope).await,
        ));
    }
    let mut clusters: Vec<Listed> = found.into_iter().map(listed).collect();
    clusters.retain(|one| {
        !(one.overrides.is_empty() && one.refused.is_empty() && one.lapsed.is_empty())
    });
    let answer = Answer { clusters };
    args.output.print(&answer, || table(&answer, &moment))?;
    let refused = answer.clusters.iter().any(|one| !one.refused.is_empty());
    Ok(Finding::wrong_if(refused))
}

fn listed(cluster: &PaymentCluster, moment: &Moment) -> Listed {
    let read = overrides_of(cluster, moment.now());
    let refused = read.remarks.iter().filter(|remark| remark.refused);
    let (lapsed, refused): (Vec<&Remark>, Vec<&Remark>) =
        refused.partition(|remark| remark.reason == Reason::OverrideLapsed);
    let messages = |remarks: Vec<&Remark>| {
        let remarks = remarks.into_iter();
        remarks.map(|remark| remark.message.clone()).collect()
    };
    Listed {
        namespace: cluster.namespace().unwrap_or_else(|| "default".to_owned()),
        name: cluster.name_any(),
        refused: messages(refused),
        lapsed: messages(lapsed),
        overrides: in_force(cluster, moment.now()),
    }
}

fn table(answer: &Answer, moment: &Moment) -> String {
    let paint = Paint::for_stdout();
    let mut text = String::new();
    for one in &answer.clusters {
        for message in &one.refused {
            // Writing to a String cannot fail.
            let line = format!("{} ({}): {}", one.name, one.namespace, one_line(message));
            let _ = writeln!(text, "! {}", paint.wrong(&line));
        }
        for message in &one.lapsed {
            let line = format!("{} ({}): {}", one.name, one.namespace, one_line(message));
            let _ = writeln!(text, "- {}", paint.note(&line));
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
    let mut any = false;
    for one in &answer.clusters {
        for active in &one.overrides {
            any = true;
            table.row(vec![
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
    if any {
        text + &table.render(0)
    } else {
        text + "No override is in force.\n"
    }
}
