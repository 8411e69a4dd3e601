//! `status`: load, forecast, pods, level, sale and overrides of a cluster, and first what is wrong.

pub mod judge;
mod listing;
mod report;
mod screen;

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use floodgate_api::PaymentCluster;

use crate::access::{AccessArgs, Scope};
use crate::exit::Exit;
use crate::line::chain;
use crate::output;
use crate::query::{QueryArgs, QueryError, Source};

use listing::Columns;
use report::{ClusterReport, report};

/// Pause between two looks of `--watch`: the operator decides every two seconds.
const WATCH_PERIOD: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Refresh every two seconds until Ctrl-C.
    #[arg(short, long, conflicts_with = "filename")]
    watch: bool,
    #[command(flatten)]
    query: QueryArgs,
}

pub async fn run(args: &StatusArgs, access: &AccessArgs) -> Result<Exit, QueryError> {
    let source = args.query.open(access).await?;
    if !args.watch {
        return look(&args.query, &source).await;
    }
    loop {
        if std::io::stdout().is_terminal() {
            output::print("\x1b[2J\x1b[H")?;
        }
        match look(&args.query, &source).await {
            // A server that is away for a moment is what one watches for.
            Err(QueryError::Access(error)) => eprintln!("{}", chain(&error)),
            Err(error) => return Err(error),
            Ok(_) => output::print("\n")?,
        }
        tokio::time::sleep(WATCH_PERIOD).await;
    }
}

async fn look(query: &QueryArgs, source: &Source) -> Result<Exit, QueryError> {
    let moment = query.moment();
    let found = source.objects(query.name.as_deref(), query.scope()).await?;
    let found = found.into_iter();
    let mut reports: Vec<ClusterReport> = found
        .map(|one| report(one, source, query, &moment))
        .collect();
    reports.sort_by_key(|report| report.problems.is_empty());
    let nothing = if reports.is_empty() {
        source.nothing::<PaymentCluster>(query.scope()).await + "\n"
    } else {
        String::new()
    };
    query.print("clusters", &reports, || match reports.as_slice() {
        [] => nothing,
        [
            report @ ClusterReport {
                cluster: Some(cluster),
                ..
            },
        ] if !query.wide() => screen::screen(report, cluster, &moment),
        many => {
            let age = query.age(many.iter().flat_map(|one| &one.cluster), &moment);
            let columns = Columns {
                namespaces: query.scope() == Scope::Everywhere,
                wide: query.wide(),
            };
            listing::listing(many, age.as_ref(), columns, &moment)
        }
    })?;
    let wrong = reports.iter().any(|report| !report.problems.is_empty());
    Ok(Exit::wrong_if(wrong || reports.is_empty()))
}
