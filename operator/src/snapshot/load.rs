//! The load as Prometheus reports it. Pure.

use floodgate_planner::intake::{StoreLoad, StoreReading};
use floodgate_prometheus::{Missing, MissingReason, load::Load};
use jiff::Timestamp;

/// The newest reading of Prometheus, and the valid ones of the last minute.
pub type PrometheusReading = StoreReading<Missing>;

/// The reading after `last`, of an answer that was asked for and came when told.
pub fn reading_after(
    last: Option<&PrometheusReading>,
    (asked_at, answered_at): (Timestamp, Timestamp),
    load: Result<Load, Missing>,
) -> PrometheusReading {
    let load = load.map(|load| StoreLoad {
        rps: load.rps,
        age_s: load.age_s,
        store_time: load.server_time.into(),
        pods: load.pods,
    });
    StoreReading::after(last, (asked_at.into(), answered_at.into()), load)
}

/// That the clock of Prometheus is off ours by more than `limit_s` seconds (F13).
pub fn clock_skew(reading: &PrometheusReading, limit_s: u32) -> Option<Missing> {
    let ahead_s = reading.clock_skew_s(limit_s)?;
    let which = if ahead_s > 0.0 { "ahead of" } else { "behind" };
    let message = format!(
        "the clock of Prometheus is more than {limit_s} s {which} that of the operator; sales \
         start by the operator's"
    );
    Some(Missing::because(MissingReason::ClockSkew, message))
}
