//! What running phases have seen so far: what the report at their end is made of.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use floodgate_planner::{SalePhase, UnixMillis};
use floodgate_settings::ValidSale;
use floodgate_words::Level;
use jiff::Timestamp;

use super::{profile::LoadProfile, seen::ClusterSeen};
use crate::{clock::seconds_between, snapshot::ClusterKey};

/// Phases kept, at most.
const KEPT_MAX: usize = 10_000;
/// How long a phase is kept after it was last noted, seconds: its report is written within seconds.
const KEPT_S_MAX: f64 = 3_600.0;
/// A phase first noted this many seconds after its T0 was not seen whole.
const LATE_S_MAX: i64 = 15;
/// Longest gap between two notes that counts as time under a level, seconds.
const GAP_S_MAX: f64 = 10.0;

/// What one phase has seen on one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseRecord {
    /// Highest load, requests/s.
    pub peak_rps: f64,
    pub replicas_max: u32,
    /// Seconds in which a level above Normal was in force.
    pub degraded_s: f64,
    /// The load over its minutes.
    pub(super) profile: LoadProfile,
    /// When it was noted first.
    first_at: Option<Timestamp>,
    /// When it was noted last.
    noted_at: Option<Timestamp>,
}

/// Sale, cluster, phase and its T0: a sale that is postponed, or declared anew under its old name,
/// begins a new record.
type RecordKey = (ClusterKey, String, String, UnixMillis);

/// Records of all running phases.
#[derive(Debug, Default)]
pub struct PhaseRecords {
    records: Mutex<HashMap<RecordKey, PhaseRecord>>,
}

impl PhaseRecords {
    /// Notes what every running phase of a sale sees now.
    pub(super) fn note(
        &self,
        sale: &ClusterKey,
        valid: &ValidSale,
        seen: &[ClusterSeen],
        now: Timestamp,
    ) {
        let instant = UnixMillis::from(now);
        let phases = valid.sale.phases.iter();
        let running = phases.filter(|phase| phase.t0 <= instant && instant < phase.until);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = |record: &PhaseRecord| {
            record
                .noted_at
                .is_some_and(|at| seconds_between(at, now) < KEPT_S_MAX)
        };
        records.retain(|_, record| lately(record));
        for phase in running {
            for cluster in seen {
                let Some(facts) = &cluster.planning else {
                    continue;
                };
                let key = key_of(sale, &cluster.name, phase);
                if records.len() >= KEPT_MAX && !records.contains_key(&key) {
                    continue;
                }
                let record = records.entry(key).or_default();
                record.note(facts.measured_rps, facts.replicas, facts.level, now);
                if let Some(rps) = facts.measured_rps {
                    record.profile.note(phase, instant, rps);
                }
            }
        }
    }

    /// What a phase has seen, if this process saw any of it.
    pub(super) fn record(
        &self,
        sale: &ClusterKey,
        cluster: &str,
        phase: &SalePhase,
    ) -> Option<PhaseRecord> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(&key_of(sale, cluster, phase)).cloned()
    }
}

fn key_of(sale: &ClusterKey, cluster: &str, phase: &SalePhase) -> RecordKey {
    (
        sale.clone(),
        cluster.to_owned(),
        phase.name.clone(),
        phase.t0,
    )
}

impl PhaseRecord {
    /// Whether it has been noted since `t0`, or nearly.
    pub(super) fn saw_from(&self, t0: UnixMillis) -> bool {
        self.first_at
            .is_some_and(|first| UnixMillis::from(first).seconds_since(t0) <= LATE_S_MAX)
    }

    pub(super) fn note(&mut self, rps: Option<f64>, replicas: u32, level: Level, now: Timestamp) {
        self.peak_rps = self.peak_rps.max(rps.unwrap_or(0.0));
        self.replicas_max = self.replicas_max.max(replicas);
        let gap_s = self.noted_at.map_or(0.0, |last| seconds_between(last, now));
        if level > Level::Normal && (0.0..=GAP_S_MAX).contains(&gap_s) {
            self.degraded_s += gap_s;
        }
        self.first_at.get_or_insert(now);
        self.noted_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_that_was_joined_late_was_not_seen_whole() {
        let t0: Timestamp = "2026-11-11T00:00:00Z".parse().unwrap();
        let first_noted = |late_s: i64| {
            let mut record = PhaseRecord::default();
            let at = t0 + jiff::SignedDuration::from_secs(late_s);
            record.note(Some(400.0), 8, Level::Normal, at);
            record.saw_from(t0.into())
        };
        assert!(first_noted(1));
        assert!(!first_noted(30));
        assert!(!PhaseRecord::default().saw_from(t0.into()));
    }
}
