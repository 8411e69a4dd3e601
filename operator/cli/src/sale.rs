//! `sale`: what is planned for a sale, how it stands against the plan, and what came of it.

mod cost;
mod history;
mod plan;
mod report;
mod status;

use clap::{Args, Subcommand};
use floodgate_api::{FieldError, SaleEvent};
use floodgate_forecast::{FitError, SeriesError};
use floodgate_planner::{Sale, UnixMillis};
use floodgate_trace::ReadError;
use jiff::Timestamp;
use kube::ResourceExt;

use crate::access::{AccessArgs, Scope};
use crate::failure::{Failure, Finding};
use crate::moment::Moment;
use crate::source::{Source, SourceArgs};

/// `sale`.
#[derive(Debug, Args)]
pub struct SaleArgs {
    #[command(subcommand)]
    command: Command,
}

/// Which sales, as every command here takes it.
#[derive(Debug, Args)]
struct WhichArgs {
    /// Name of a SaleEvent; default all of the namespace.
    name: Option<String>,
    /// Every namespace.
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
    #[command(flatten)]
    source: SourceArgs,
}

impl WhichArgs {
    fn scope(&self) -> Scope {
        if self.all_namespaces {
            Scope::Everywhere
        } else {
            Scope::Namespace
        }
    }

    fn moment(&self) -> Moment {
        self.source.moment()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plans a sale: replicas, start of the pre-scale, cost in pod-hours.
    ///
    /// With -f sale.yaml -f cluster.yaml it needs no cluster; what the files lack is asked for.
    Plan(plan::PlanArgs),
    /// Shows ready and warm pods of a sale against its plan.
    Status(status::StatusArgs),
    /// Shows what came of a sale.
    Report(report::ReportArgs),
}

/// A sale cannot be planned or told about.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// A field holds what cannot be planned with.
    #[error("{object}")]
    Field {
        /// Kind and name of the object.
        object: String,
        /// The field and what it must be.
        source: FieldError,
    },
    /// The object on the server cannot be read.
    #[error(
        "SaleEvent `{name}` in namespace {namespace} cannot be read; correct it first: {cause}"
    )]
    Unreadable {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why.
        cause: String,
    },
    /// The selector matches nothing that is known.
    #[error(
        "SaleEvent `{sale}`: `spec.clusterSelector` asks for {wanted}, which no PaymentCluster has: {held}; correct the selector, label the cluster, or give its file with -f"
    )]
    NoCluster {
        /// Name of the sale.
        sale: String,
        /// What it selects.
        wanted: String,
        /// What there is.
        held: String,
    },
    /// There are only files, and no cluster among them.
    #[error(
        "the files hold no PaymentCluster, and no Kubernetes cluster is configured to ask for one; give the file of the cluster with -f, too"
    )]
    OnlySales,
    /// Nothing says how much traffic comes without the sale.
    #[error(
        "no load is known for PaymentCluster `{0}`; give --baseline-rps, or --history with a recorded trace"
    )]
    NoBaseline(String),
    /// The recorded trace is none.
    #[error("`--history` must be a trace of timestamp,value")]
    Trace(#[from] ReadError),
    /// All of the trace lies after the instant that is planned from.
    #[error(
        "`--history` begins at {from}, after {now}, as of which this is planned; must hold what came before, or set --at"
    )]
    HistoryLater {
        /// Its first row.
        from: UnixMillis,
        /// The instant.
        now: Timestamp,
    },
    /// Too little to forecast from.
    #[error(
        "`--history` has {points} values over {span}; must hold more than a day to forecast from; give --baseline-rps instead"
    )]
    HistoryShort {
        /// Values in it.
        points: usize,
        /// Time between the first and the last.
        span: String,
    },
    /// The trace gives no series.
    #[error("`--history` must hold rates to learn from")]
    Series(#[source] SeriesError),
    /// No model can be fitted.
    #[error("no forecast can be made from `--history`")]
    Fit(#[source] FitError),
}

/// Runs the command.
pub async fn run(args: &SaleArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    match &args.command {
        Command::Plan(args) => plan::run(args, access).await,
        Command::Status(args) => status::run(args, access).await,
        Command::Report(args) => report::run(args, access).await,
    }
}

/// Sales that were asked for.
struct Picked {
    sales: Vec<SaleEvent>,
    /// All that there are; `learnFrom` may name any of them.
    all: Vec<SaleEvent>,
    source: Source,
    /// Whether another one cannot be read, which was said.
    hides_one: bool,
}

impl Picked {
    /// Those for which `wanted` holds; all of them when it holds for none.
    fn only(&mut self, wanted: impl Fn(&SaleEvent) -> bool) {
        if self.sales.iter().any(&wanted) {
            self.sales.retain(wanted);
        }
    }
}

/// The sale of that name, or all of the scope; never none.
async fn find(which: &WhichArgs, access: &AccessArgs) -> Result<Picked, Failure> {
    let source = Source::open(&which.source, access).await?;
    let asked = |name: &str| which.name.as_ref().is_none_or(|asked| asked == name);
    let mut sales = Vec::new();
    let mut all = Vec::new();
    let mut unreadable = Vec::new();
    for found in source.sales(which.scope()).await? {
        match found {
            Ok(sale) => {
                all.push(sale.clone());
                sales.extend(asked(&sale.name_any()).then_some(sale));
            }
            Err(one) if asked(&one.name) => unreadable.push(SaleError::Unreadable {
                namespace: one.namespace,
                name: one.name,
                cause: one.error,
            }),
            Err(_) => {}
        }
    }
    let hides_one = !unreadable.is_empty();
    if !sales.is_empty() {
        // One that cannot be read hides no other.
        for error in unreadable {
            eprintln!("error: {error}");
        }
        return Ok(Picked {
            sales,
            all,
            source,
            hides_one,
        });
    }
    match (unreadable.into_iter().next(), &which.name) {
        (Some(error), _) => Err(error.into()),
        (None, Some(name)) => Err(source.not_found("SaleEvent", name).await),
        (None, None) => Err(Failure::Nothing(
            source.nothing("SaleEvent", which.scope()).await,
        )),
    }
}

/// The sale as the planner takes it; `all` are the sales `learnFrom` may name.
fn planned(event: &SaleEvent, all: &[SaleEvent]) -> Result<Sale, SaleError> {
    crate::calendar::sale(event, all).map_err(|source| SaleError::Field {
        object: format!("SaleEvent `{}`", event.name_any()),
        source,
    })
}

/// Where a sale lives, as other commands say it.
fn namespace(event: &SaleEvent) -> String {
    event.namespace().unwrap_or_else(|| "default".to_owned())
}

/// When a sale is over: with its last phase, as the operator has it, however much later
/// `spec.end` is.
fn over_at(sale: &Sale) -> Timestamp {
    let last = sale.phases.iter().map(|phase| phase.until).max();
    instant(last.unwrap_or(sale.end))
}

/// An instant of the planner; the furthest one where it is out of range.
fn instant(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::MAX)
}

/// `ten times` in percent is `10x`; `1234` is `12.3x`.
fn times(percent: u32) -> String {
    let text = format!("{:.1}", f64::from(percent) / 100.0);
    format!("{}x", text.trim_end_matches(".0"))
}
