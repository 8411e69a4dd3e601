//! The record of a sale day: what report.json holds and report.html shows.
//!
//! A figure that could not be measured is none (`null`), never zero; a promise about it is then
//! broken, because nobody saw it kept. No I/O here but reading and writing the file.

use std::path::{Path, PathBuf};

use floodgate_words::Level;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::promise::{Mark, Promise};
use crate::file::{self, FileError};

/// Why the report could not be written or read again.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A file or folder of the report.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is no report, or one of another version.
    #[error("{path} is no sale-day report")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
}

/// Everything one sale day showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whether every promise of money, warmth and safety was kept.
    pub passed: bool,
    /// The promises, each with what was measured; a broken one fails the run.
    pub promises: Vec<Promise>,
    /// Figures beside their marks; a noisy machine may fall short without failing the run.
    pub marks: Vec<Mark>,
    /// The machine and the run.
    pub machine: Machine,
    /// Base load, until T0.
    pub before: Phase,
    /// The tenfold step, with the pods ready for it.
    pub sale: Sale,
    /// The second wave, beyond what max replicas hold.
    pub overload: Phase,
    /// Base load again.
    pub after: Phase,
    /// The audit of the ledger.
    pub money: Money,
    /// What was broken on purpose and what it did to the fleet.
    pub faults: Vec<Fault>,
    /// The override an SRE set for a while.
    #[serde(rename = "override")]
    pub sre_override: Override,
    /// Times the fleet was asked to be smaller while the load was not known.
    pub shrinks_on_missing_data: u32,
    /// What was done when, for the chart's markers.
    pub events: Vec<Event>,
    /// Each change of the operator's decision, as it explains it.
    pub decisions: Vec<Decision>,
    /// Refusals of the whole day without `Retry-After`.
    pub refusals_without_retry_after: Option<u64>,
    /// One row per second.
    pub timeline: Vec<Row>,
}

/// The machine and the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Start of the base load, RFC 3339 with the local offset.
    pub started_at: String,
    /// From the start of the base load to the end of the load, seconds.
    pub duration_s: f64,
    /// Cores all of it shared: Kubernetes, its load, the databases.
    pub cpus: u32,
    /// Memory of the machine, MiB.
    pub memory_mib: u64,
    /// Kernel release.
    pub kernel: String,
    /// Where the history came from: `synthetic` or the trace's file name.
    pub history: String,
    /// Seed of history and load.
    pub seed: u64,
}

/// What clients saw in one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// Requests sent, retries of one key counted once.
    pub offered: u64,
    /// Requests answered with success.
    pub acked: u64,
    /// Requests refused with 429 or 503 to the end.
    pub shed: u64,
    /// Requests that ended any other way: errors, time-outs.
    pub failed: u64,
    /// Acked share of classes 0 and 1, 0 to 1.
    pub success_ratio_critical: Option<f64>,
    /// Median latency from the intended send time, milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile of the same.
    pub p99_ms: Option<f64>,
    /// Acked requests per second over the phase.
    pub goodput_rps: Option<f64>,
}

/// The sale phase, and the pods ready at T0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sale {
    /// What clients saw.
    #[serde(flatten)]
    pub phase: Phase,
    /// Replicas the SaleEvent's status planned for T0.
    pub planned_replicas: Option<u32>,
    /// Ready pods in the last second before T0.
    pub ready_at_t0: Option<u32>,
    /// Warm pods in the last second before T0.
    pub warm_at_t0: Option<u32>,
    /// Replicas asked for at base load, before the pre-scale.
    pub base_replicas: Option<u32>,
    /// Seconds from the first pre-scaled replica to T0.
    pub prescaled_before_t0_s: Option<f64>,
}

/// What the audit found; none when it could not run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Money {
    /// Payments the service acknowledged.
    pub acked: Option<u64>,
    /// Of those, found in the ledger.
    pub recorded: Option<u64>,
    /// Acknowledged but not in the ledger.
    pub lost: Option<u64>,
    /// Keys with more than one effect.
    pub doubled: Option<u64>,
    /// Sum of all entries, all currencies, absolute, minor units.
    pub imbalance_minor: Option<i64>,
    /// Whether the audit found every promise about money kept, refunds and balances among them.
    pub audit_passed: Option<bool>,
    /// What the audit printed when it did not.
    pub complaint: String,
}

/// One fault and what it did to the fleet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What was broken.
    pub name: String,
    /// Seconds after the start.
    pub at_s: f64,
    /// Seconds after the start at which it was whole again; none when it was not seen.
    pub healed_at_s: Option<f64>,
    /// Replicas asked for before, the fewest during, and after it.
    pub replicas_before: Option<u32>,
    /// The fewest replicas asked for during the fault.
    pub replicas_min: Option<u32>,
    /// Replicas asked for once healed.
    pub replicas_after: Option<u32>,
    /// Ready pods before it.
    pub ready_before: Option<u32>,
    /// The fewest ready pods during it.
    pub ready_min: Option<u32>,
    /// Ready pods once healed.
    pub ready_after: Option<u32>,
    /// Whether the number asked for fell during the fault.
    pub shrank: bool,
}

/// The override of the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// The annotation and its value.
    pub annotation: String,
    /// Seconds after the start at which it was set.
    pub set_at_s: Option<f64>,
    /// Its end as written in `floodgate.dev/override-until`, RFC 3339.
    pub until: String,
    /// Seconds after the start at which the decision followed it.
    pub won_at_s: Option<f64>,
    /// Whether the decision followed it.
    pub won: bool,
    /// Seconds after the start at which the operator dropped it by itself.
    pub lapsed_at_s: Option<f64>,
}

/// Something done to the cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds after the start.
    pub at_s: f64,
    /// What happened, in short.
    pub label: String,
}

/// A change of the operator's decision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Seconds after the start.
    pub at_s: f64,
    /// Replicas asked for.
    pub desired: Option<u32>,
    /// The bid that won.
    pub source: String,
    /// Degradation level in force.
    pub level: Option<Level>,
    /// Bids and guards, as the operator explains them.
    pub explain: String,
}

/// One second of the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// Seconds after the start of the base load.
    pub t_s: f64,
    /// The same, RFC 3339.
    pub time: String,
    /// `before`, `sale`, `overload` or `after`.
    pub phase: String,
    /// Requests clients sent in this second.
    pub offered_rps: Option<f64>,
    /// Of those, answered with success.
    pub acked_rps: Option<f64>,
    /// Of those, refused.
    pub shed_rps: Option<f64>,
    /// Of those, failed.
    pub failed_rps: Option<f64>,
    /// Median latency, milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile latency, milliseconds.
    pub p99_ms: Option<f64>,
    /// Median forecast at the lead time, requests/s.
    pub forecast_p50_rps: Option<f64>,
    /// Upper quantile of the forecast at the lead time, requests/s.
    pub forecast_upper_rps: Option<f64>,
    /// Replicas the operator decided on.
    pub desired: Option<u32>,
    /// Replicas in the Deployment's spec.
    pub replicas: Option<u32>,
    /// Ready pods.
    pub ready: Option<u32>,
    /// Warm pods.
    pub warm: Option<u32>,
    /// Degradation level in force.
    pub level: Option<Level>,
    /// Why it is in force.
    pub level_reason: Option<String>,
    /// Whether the operator trusts its load signal.
    pub signals_fresh: Option<bool>,
    /// The bid that won.
    pub source: Option<String>,
    /// The decision, as the operator explains it.
    pub explain: Option<String>,
    /// Whether an override is in force.
    pub overridden: Option<bool>,
    /// Replicas the sale's status plans for T0.
    pub planned: Option<u32>,
    /// The operator pod that holds the Lease.
    pub leader: Option<String>,
}

impl Report {
    /// Reads a report.json.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let text = std::fs::read_to_string(path).map_err(FileError::of("read", path))?;
        serde_json::from_str(&text).map_err(|source| ReportError::Parse {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes `report.json` into a folder, which is made if it is missing.
    pub fn write(&self, folder: &Path) -> Result<(), ReportError> {
        let path = folder.join("report.json");
        let text = serde_json::to_string_pretty(self).map_err(|source| ReportError::Parse {
            path: path.clone(),
            source,
        })?;
        Ok(file::write(&path, (text + "\n").as_bytes())?)
    }
}
