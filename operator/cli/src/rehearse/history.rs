//! Recorded load from a metrics store, read by the operator's own client with the operator's query.

use floodgate_forecast::{Series, UnixMillis};
use floodgate_prometheus::history::{PastLoad, history_query, span_until};
use floodgate_prometheus::{BearerToken, Endpoint, EndpointError, Missing, Prometheus};
use floodgate_trace::counts_up;
use jiff::{SignedDuration, Timestamp};

use super::args::Args;
use super::objects::Past;
use crate::file::{self, FileError};

/// A load as it was recorded.
#[derive(Debug)]
pub struct Recorded {
    pub step_s: u32,
    /// Requests/s by the end of the step, oldest first; `None` where it is missing.
    pub samples: Vec<(UnixMillis, Option<f64>)>,
    /// Samples that are no rate, and count as missing.
    pub refused: usize,
}

/// Why the store gives no load.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file with the token cannot be read.
    #[error(transparent)]
    Token(#[from] FileError),
    /// The address cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// It does not answer, or not with one load.
    #[error("`{url}` gives no history for `{query}`: {missing}")]
    Missing {
        url: String,
        query: String,
        /// Reason and message, as the operator has them in its conditions.
        missing: Missing,
    },
    /// It answers with a counter, not with a rate.
    #[error(
        "`{query}` must yield requests per second; its values only rise or restart, like a counter's; use its `rate()`"
    )]
    Counter { query: String },
    /// It answers and holds nothing.
    #[error(
        "`{url}` holds fewer than two samples of `{query}` in the last {days} days; must hold at least 2 h of them"
    )]
    Empty {
        url: String,
        query: String,
        days: u16,
    },
}

/// The load of the last `--days`; what the store does not hold is left out and never zero.
pub async fn read(url: &str, args: &Args, past: &Past) -> Result<Recorded, HistoryError> {
    let token = args.token_file.as_deref().map(file::text).transpose()?;
    let (namespace, name) = &past.cluster;
    let own = args.query.clone().or_else(|| past.query.clone());
    let query = own.unwrap_or_else(|| history_query(namespace, name));
    let prometheus = Prometheus::connect(&Endpoint {
        url: url.to_owned(),
        token: token.as_deref().map(BearerToken::new),
    })?;
    let length = SignedDuration::from_hours(24 * i64::from(args.days));
    let span = span_until(Timestamp::now(), length, past.step_s);
    let loads = prometheus.history(&query, &past.cluster, span).await;
    let loads = loads.map_err(|missing| HistoryError::Missing {
        url: url.to_owned(),
        query: query.clone(),
        missing,
    })?;
    if loads.len() < 2 {
        return Err(HistoryError::Empty {
            url: url.to_owned(),
            query,
            days: args.days,
        });
    }
    // The operator's own series decides what is no rate: it is missing then, and never zero.
    let pairs: Vec<(UnixMillis, f64)> = loads
        .iter()
        .map(|PastLoad { at, rps }| (UnixMillis::from(*at), *rps))
        .collect();
    let series = Series::from_samples(past.step_s, &pairs).map_err(|_| HistoryError::Empty {
        url: url.to_owned(),
        query: query.clone(),
        days: args.days,
    })?;
    let samples: Vec<_> = series.points().map(|(at, rps)| (at, Some(rps))).collect();
    let rates = series.points();
    if counts_up(rates.filter_map(|(at, rps)| Some((at.timestamp()?, rps)))) {
        return Err(HistoryError::Counter { query });
    }
    let refused = series.quality().rejected;
    Ok(Recorded {
        step_s: past.step_s,
        samples,
        refused,
    })
}
