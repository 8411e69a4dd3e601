//! What a run says: a line each second, and a summary at its end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many intents came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Intents sent; retries of one are not counted again.
    pub offered: u64,
    /// Done and acknowledged.
    pub acked: u64,
    /// Refused with 429 or 503 to the end.
    pub shed: u64,
    /// Ended in an error, a wrong answer or no connection at all.
    pub failed: u64,
    /// Ended without an answer after it was sent.
    pub unknown: u64,
}

/// One second of a run, printed as one line of JSON.
///
/// `offered` counts what was sent in that second, the other counts and the percentiles what ended
/// in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondLine {
    /// The second, from the start of the run; it is over when the line appears.
    pub t_s: i64,
    /// When the line was made.
    pub time: Timestamp,
    /// Counts of all classes.
    #[serde(flatten)]
    pub counts: Counts,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Intents without an end yet.
    pub in_flight: u64,
    /// Median of acknowledged intents from their intended send time, milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the same.
    pub p99_ms: Option<f64>,
    /// Offered in classes 0 and 1.
    pub critical_offered: u64,
    /// Acknowledged in classes 0 and 1.
    pub critical_acked: u64,
}

/// A phase, or the whole run: intents whose intended time lies in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseSummary {
    /// Name from the plan; `total` for the whole run.
    pub name: String,
    /// First second.
    pub from_s: f64,
    /// Second after the last; where the run was ended early, that second.
    pub to_s: f64,
    /// Counts of all classes; offered is the sum of the others.
    #[serde(flatten)]
    pub counts: Counts,
    /// Acknowledged share of classes 0 and 1; none when none was offered.
    pub success_ratio_critical: Option<f64>,
    /// Median latency of acknowledged intents from intended send time, retries and waits included.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the same.
    pub p99_ms: Option<f64>,
    /// 99.9th percentile of the same.
    pub p999_ms: Option<f64>,
    /// 99th percentile of the attempt that was acknowledged, from when it was to be sent.
    pub attempt_p99_ms: Option<f64>,
    /// Acknowledged intents per second of the phase.
    pub goodput_rps: f64,
    /// Counts by class name.
    pub classes: BTreeMap<String, Counts>,
}

/// What ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The plan was carried out.
    Plan,
    /// SIGTERM or SIGINT, or the caller of the library.
    Signal,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Prefix of every idempotency key of the run.
    pub key_prefix: String,
    /// Where the traffic went.
    pub target: String,
    /// Second 0.
    pub started: Timestamp,
    /// When the last intent had ended.
    pub ended: Timestamp,
    /// What ended it.
    pub ended_by: EndedBy,
    /// The whole run.
    pub total: PhaseSummary,
    /// The phases of the plan, in order.
    pub phases: Vec<PhaseSummary>,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Retries that the budget of 10 % kept back.
    pub retries_withheld: u64,
    /// 429 and 503 answers without a whole number of seconds in `Retry-After`.
    pub refusals_without_retry_after: u64,
    /// Intents that failed here because too many were in flight.
    pub client_overruns: u64,
    /// Ends other than acknowledged and shed, by code.
    pub errors: BTreeMap<String, u64>,
}
