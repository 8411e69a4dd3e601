//! Reads load and history from any Prometheus-compatible server.
//!
//! Every answer becomes either a valid number with its age or a [`Missing`] with a reason; nothing
//! here turns absence, NaN or a failure into zero (F01-F11).
//! Age is the server's evaluation time minus the server's sample time, so a skewed clock on either
//! side neither freshens nor stales a sample; the skew itself is reported and lowers nothing (F13).

use std::{collections::HashMap, fmt, time::Duration};

use floodgate_words::{LOAD_RPS_MAX, Reason, is_plausible};
use jiff::Timestamp;
use prometheus_http_query::{Client, Error};
use reqwest::header::HeaderValue;

pub mod history;
pub mod load;

/// Longest wait for one answer; three seconds is what a decision can be late without harm (F02).
pub const DEADLINE: Duration = Duration::from_millis(2_500);

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MissingReason {
    /// The server cannot be reached or answers 5xx.
    PrometheusUnavailable,
    /// The server did not answer in time.
    PrometheusTimeout,
    /// The server answers something that is not a query result.
    AnswerUndecodable,
    /// The server refuses the query.
    QueryInvalid,
    /// The result is not one number per cluster.
    QueryShapeInvalid,
    /// The query succeeded and says nothing about this cluster.
    NoData,
    /// The number is NaN.
    NotANumber,
    /// The number is negative, infinite or absurdly large.
    OutOfRange,
    /// The newest sample is too old.
    Stale,
    /// Some Ready pods have no sample, so the number is too small.
    PartialData,
    /// The server's clock is off.
    ClockSkew,
    /// The model of a forecast could not be fitted.
    RefitFailed,
    /// Not asked yet.
    NotSampledYet,
}

impl MissingReason {
    /// The reason shown in conditions, Events and metric labels.
    pub const fn reason(self) -> Reason {
        match self {
            Self::PrometheusUnavailable | Self::PrometheusTimeout | Self::AnswerUndecodable => {
                Reason::PrometheusUnreachable
            }
            Self::QueryInvalid | Self::QueryShapeInvalid => Reason::QueryShapeInvalid,
            Self::NoData | Self::PartialData => Reason::SeriesMissing,
            Self::NotANumber | Self::OutOfRange => Reason::ValueImplausible,
            Self::Stale => Reason::SignalsStale,
            Self::ClockSkew => Reason::ClockSkew,
            Self::RefitFailed => Reason::RefitFailed,
            Self::NotSampledYet => Reason::NoSignals,
        }
    }
}

/// A number that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Why it is missing.
    pub reason: MissingReason,
    /// What a person needs beside the reason.
    pub message: String,
}

impl Missing {
    /// A missing number with its reason and message.
    pub fn because(reason: MissingReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.reason(), self.message)
    }
}

/// A bearer token; never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BearerToken(String);

impl BearerToken {
    /// A token as read from a Secret, without the white space around it.
    pub fn new(token: &str) -> Self {
        Self(token.trim().to_owned())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

/// A Prometheus and how to be let in; clusters with equal endpoints share one query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Base URL.
    pub url: String,
    /// Token to send, if the server wants one.
    pub token: Option<BearerToken>,
}

/// A connection to one endpoint.
#[derive(Clone)]
pub struct Prometheus {
    client: Client,
    authorization: Option<HeaderValue>,
}

/// An endpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("`{0}` is not a URL of a Prometheus")]
    Url(String, #[source] Error),
    /// A server that is reached by TLS only.
    #[error("`{0}` asks for TLS, which is not supported yet; must begin with `http://`")]
    Tls(String),
    /// The token holds bytes that no header may hold.
    #[error("the bearer token of the Prometheus holds characters that a header may not hold")]
    Token,
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
}

impl Prometheus {
    /// Prepares a connection; nothing is sent yet.
    pub fn connect(endpoint: &Endpoint) -> Result<Self, EndpointError> {
        // Without this the client says only that it failed to send.
        if reqwest::Url::parse(&endpoint.url).is_ok_and(|url| url.scheme() == "https") {
            return Err(EndpointError::Tls(endpoint.url.clone()));
        }
        // Addresses come from cluster objects; a proxy of the operator's environment is not asked.
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .no_proxy()
            .build()
            .map_err(EndpointError::Client)?;
        let client = Client::from(http, &endpoint.url)
            .map_err(|source| EndpointError::Url(endpoint.url.clone(), source))?;
        let authorization = endpoint.token.as_ref().map(authorization).transpose()?;
        Ok(Self {
            client,
            authorization,
        })
    }
}

fn authorization(token: &BearerToken) -> Result<HeaderValue, EndpointError> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", token.0)).map_err(|_| EndpointError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends a prepared query with the token, if any.
macro_rules! send {
    ($prometheus:expr, $query:expr) => {{
        let query = $query.timeout(i64::try_from($crate::DEADLINE.as_millis()).unwrap_or(i64::MAX));
        match &$prometheus.authorization {
            Some(value) => {
                query
                    .header(reqwest::header::AUTHORIZATION, value.clone())
                    .post()
                    .await
            }
            None => query.post().await,
        }
    }};
}
use send;

/// The cluster that the labels of a series name.
fn cluster_of(labels: &HashMap<String, String>) -> Option<(String, String)> {
    let label = |name| labels.get(name).cloned();
    Some((label("namespace")?, label("cluster")?))
}

fn many_series(count: usize) -> Missing {
    let message = format!(
        "the query yields {count} series; must be one, or one with the labels `namespace` and `cluster` of this cluster"
    );
    Missing::because(MissingReason::QueryShapeInvalid, message)
}

/// Sorts a failed query into its reason.
fn missing_from(error: &Error) -> Missing {
    let reason = match error {
        Error::Prometheus(refusal) if refusal.is_bad_data() || refusal.is_execution() => {
            MissingReason::QueryInvalid
        }
        Error::Prometheus(refusal) if refusal.is_timeout() || refusal.is_canceled() => {
            MissingReason::PrometheusTimeout
        }
        Error::Client(client) => match client.inner() {
            Some(inner) if inner.is_timeout() => MissingReason::PrometheusTimeout,
            Some(inner) if inner.is_decode() => MissingReason::AnswerUndecodable,
            Some(inner) if inner.is_status() || inner.is_connect() || inner.is_request() => {
                MissingReason::PrometheusUnavailable
            }
            _ => MissingReason::AnswerUndecodable,
        },
        Error::ParseUrl(_) | Error::EmptySeriesSelector => MissingReason::QueryInvalid,
        _ => MissingReason::PrometheusUnavailable,
    };
    let mut message = error.to_string();
    if let Error::Client(client) = error
        && let Some(inner) = client.inner().filter(|inner| inner.is_connect())
    {
        message = format!("{message}: {}", root(inner));
    }
    message.truncate(
        message
            .char_indices()
            .nth(200)
            .map_or(message.len(), |(at, _)| at),
    );
    Missing { reason, message }
}

/// What lies below all the wrappings of an error: a refused connection, a name nobody knows.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

/// A timestamp in Prometheus's fractional seconds.
fn timestamp_from(seconds: f64) -> Option<Timestamp> {
    let milliseconds = seconds * 1_000.0;
    let representable = milliseconds.is_finite() && milliseconds.abs() < 9e15;
    representable
        .then(|| Timestamp::from_millisecond(milliseconds as i64).ok())
        .flatten()
}

/// A number that may be used as a load, or why not.
fn checked_rps(value: f64) -> Result<f64, Missing> {
    if value.is_nan() {
        return Err(Missing::because(
            MissingReason::NotANumber,
            "the load is NaN",
        ));
    }
    if !is_plausible(value) {
        let message = format!("the load is {value}; must be between 0 and {LOAD_RPS_MAX:e}");
        return Err(Missing::because(MissingReason::OutOfRange, message));
    }
    Ok(value)
}

/// A label value, escaped for double quotes in PromQL.
fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests;
