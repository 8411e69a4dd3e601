//! Why a sale cannot be planned or reported on.

use floodgate_api::FieldError;
use floodgate_forecast::{FitError, SeriesError};
use floodgate_planner::UnixMillis;
use floodgate_trace::ReadError;
use jiff::Timestamp;

use crate::exit::Exit;
use crate::query::QueryError;

/// A sale cannot be planned or reported on.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// A field holds what cannot be planned with.
    #[error("{object}")]
    Field { object: String, source: FieldError },
    /// The selector matches nothing that is known.
    #[error(
        "SaleEvent `{sale}`: `spec.clusterSelector` asks for {wanted}, which no PaymentCluster has: {held}; correct the selector, label the cluster, or give its file with -f"
    )]
    NoCluster {
        sale: String,
        wanted: String,
        held: String,
    },
    /// There are only files, and no cluster among them.
    #[error(
        "the files hold no PaymentCluster, and no Kubernetes cluster is configured; add the file of the PaymentCluster with -f"
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
    HistoryLater { from: UnixMillis, now: Timestamp },
    /// Too little to forecast from.
    #[error(
        "`--history` has {points} values over {span}; must hold more than a day to forecast from; give --baseline-rps instead"
    )]
    HistoryShort { points: usize, span: String },
    /// The trace gives no series.
    #[error("`--history` must hold rates to learn from")]
    Series(#[source] SeriesError),
    /// No model can be fitted.
    #[error("no forecast can be made from `--history`")]
    Fit(#[source] FitError),
    /// The objects cannot be read, or the answer cannot be printed.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl SaleError {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Query(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}
