//! `status`: load, forecast, pods, level, sale and overrides of a cluster, and first what is wrong.

pub mod judge;
mod listing;
mod screen;

pub use screen::{Weight, points};

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use floodgate_api::{PaymentCluster, PaymentClusterStatus};
use kube::ResourceExt;
use serde::Serialize;

use crate::access::{AccessArgs, Scope};
use crate::failure::{Failure, Finding};
use crate::moment::Moment;
use crate::output::{self, OutputArgs};
use crate::paint::Paint;
use crate::source::{Found, Source, SourceArgs};

use judge::{Judgement, Point, judge};
use listing::Columns;

/// Pause between two looks of `--watch`: the operator decides every two seconds.
const WATCH_PERIOD: Duration = Duration::from_secs(2);

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Name of a PaymentCluster; default all of the namespace.
    name: Option<String>,
    /// Every namespace.
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    /// Looks again every two seconds until Ctrl-C.
    #[arg(short, long, conflicts_with = "filename")]
    watch: bool,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A cluster with what is wrong, as `-o json` tells it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// Namespace of the cluster.
    pub namespace: String,
    /// Name of the cluster.
    pub name: String,
    /// `Wrong` or `Fine`.
    pub verdict: &'static str,
    /// What is wrong, worst first.
    pub problems: Vec<Point>,
    /// What is only worth knowing.
    pub notes: Vec<Point>,
    /// The status as the operator wrote it.
    pub status: PaymentClusterStatus,
}

/// All that were asked for.
#[derive(Serialize)]
struct Reports<'a> {
    clusters: Vec<&'a ClusterReport>,
}

type Row = (ClusterReport, Option<PaymentCluster>);

/// Runs the command.
pub async fn run(args: &StatusArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let source = Source::open(&args.source, access).await?;
    if !args.watch {
        return look(args, &source).await;
    }
    loop {
        if std::io::stdout().is_terminal() {
            output::print("\x1b[2J\x1b[H")?;
        }
        match look(args, &source).await {
            // A server that is away for a moment is what one watches for.
            Err(Failure::Access(error)) => eprintln!("{}", crate::chain(&error)),
            Err(failure) => return Err(failure),
            Ok(_) => output::print("\n")?,
        }
        tokio::time::sleep(WATCH_PERIOD).await;
    }
}

async fn look(args: &StatusArgs, source: &Source) -> Result<Finding, Failure> {
    let moment = args.source.moment();
    let scope = if args.all_namespaces {
        Scope::Everywhere
    } else {
        Scope::Namespace
    };
    let found = source.clusters(args.name.as_deref(), scope).await?;
    let mut rows: Vec<Row> = found
        .into_iter()
        .map(|one| row(one, source, &args.source, &moment))
        .collect();
    rows.sort_by_key(|(report, _)| {
        (
            report.problems.is_empty(),
            report.namespace.clone(),
            report.name.clone(),
        )
    });
    let nothing = if rows.is_empty() {
        source.nothing("PaymentCluster", scope).await + "\n"
    } else {
        String::new()
    };
    let paint = Paint::for_stdout();
    let answer = Reports {
        clusters: rows.iter().map(|(report, _)| report).collect(),
    };
    args.output.print(&answer, || match rows.as_slice() {
        [] => nothing,
        [(report, Some(cluster))] if !args.output.wide() => {
            screen::screen(report, cluster, &moment, paint)
        }
        many => {
            let namespaces = scope == Scope::Everywhere;
            let wide = args.output.wide();
            let age = args
                .source
                .age(many.iter().flat_map(|(_, one)| one), &moment);
            let columns = Columns { namespaces, wide };
            listing::listing(many, age.as_ref(), columns, &moment, paint)
        }
    })?;
    let wrong = rows.iter().any(|(report, _)| !report.problems.is_empty());
    Ok(Finding::wrong_if(wrong || rows.is_empty()))
}

fn row(found: Found<PaymentCluster>, source: &Source, files: &SourceArgs, moment: &Moment) -> Row {
    match found {
        Ok(cluster) => {
            let Judgement {
                mut problems,
                mut notes,
            } = judge(&cluster, moment.now());
            notes.splice(0..0, files.age([&cluster], moment));
            if cluster.status.is_none() {
                problems.insert(0, source.unseen("cluster"));
            }
            let report = ClusterReport {
                namespace: cluster.namespace().unwrap_or_else(|| "default".to_owned()),
                name: cluster.name_any(),
                verdict: if problems.is_empty() { "Fine" } else { "Wrong" },
                problems,
                notes,
                status: cluster.status.clone().unwrap_or_default(),
            };
            (report, Some(cluster))
        }
        Err(unreadable) => {
            let what = format!(
                "The object cannot be read as a PaymentCluster: {}",
                unreadable.error
            );
            let report = ClusterReport {
                namespace: unreadable.namespace,
                name: unreadable.name,
                verdict: "Wrong",
                problems: vec![Point::new(what, "Malformed", None)],
                notes: Vec::new(),
                status: PaymentClusterStatus::default(),
            };
            (report, None)
        }
    }
}
