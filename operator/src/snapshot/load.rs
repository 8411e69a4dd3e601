//! The load as Prometheus and the pods report it. Pure.

use std::collections::VecDeque;

use floodgate_prometheus::{Missing, MissingReason, load::Load};
use jiff::{SignedDuration, Timestamp};

use crate::clock::seconds_between;

/// The newest reading of Prometheus, and the valid ones of the last minute.
#[derive(Clone, Debug)]
pub struct PrometheusReading {
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the answer came, or the failure.
    pub taken_at: Timestamp,
    /// The load, or why there is none.
    pub load: Result<Load, Missing>,
    /// Valid loads of the last minute before the newest valid one: when they were true by the
    /// operator's clock, and requests/s.
    pub recent: VecDeque<(Timestamp, f64)>,
}

/// Seconds whose largest load counts.
const MINUTE_S: f64 = 60.0;

impl PrometheusReading {
    /// A new reading; what was valid before stays known until it is a minute older than the
    /// newest valid load.
    pub fn after(
        last: Option<&Self>,
        (asked_at, taken_at): (Timestamp, Timestamp),
        load: Result<Load, Missing>,
    ) -> Self {
        let mut recent = last.map(|last| last.recent.clone()).unwrap_or_default();
        if let Ok(valid) = &load {
            let age = SignedDuration::try_from_secs_f64(valid.age_s).unwrap_or_default();
            let at = taken_at.saturating_sub(age).unwrap_or(taken_at);
            recent.retain(|(then, _)| seconds_between(*then, at) <= MINUTE_S);
            recent.push_back((at, valid.rps));
        }
        Self {
            asked_at,
            taken_at,
            load,
            recent,
        }
    }

    /// That the server's clock is off ours by more than `limit_s` seconds: it evaluated the query
    /// before it was asked, or after it answered (F13). Ages are by its clock alone and stay true.
    pub fn clock_skew(&self, limit_s: u32) -> Option<Missing> {
        let server_time = self.load.as_ref().ok()?.server_time;
        let ahead_s = seconds_between(self.taken_at, server_time);
        let behind_s = seconds_between(server_time, self.asked_at);
        if ahead_s.max(behind_s) <= f64::from(limit_s) {
            return None;
        }
        let which = if ahead_s > behind_s {
            "ahead of"
        } else {
            "behind"
        };
        let message = format!(
            "the clock of Prometheus is more than {limit_s} s {which} that of the operator; sales \
             start by the operator's"
        );
        Some(Missing::because(MissingReason::ClockSkew, message))
    }

    /// Time of the newest valid load, and the largest load of the minute before it, requests/s.
    pub fn minute_max(&self) -> Option<(Timestamp, f64)> {
        let (at, _) = self.recent.back()?;
        let largest = self.recent.iter().map(|(_, rps)| *rps).reduce(f64::max)?;
        Some((*at, largest))
    }
}

/// Offered rates measured at the pods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// When the newest complete round was.
    pub at: Timestamp,
    /// Largest rate of the last minute, requests/s.
    pub minute_max_rps: f64,
    /// Rate of the last seconds, requests/s.
    pub burst_rps: Option<f64>,
}
