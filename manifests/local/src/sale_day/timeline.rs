//! The rows of the day as they come in: load lines from one side, observations from the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Deserialize;

use super::observe::Seen;
use super::report::Row;
use super::script;

/// One line of the load generator, as far as the day needs it; the second is over when it appears.
#[derive(Debug, Clone, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct LoadLine {
    /// The second, from the start of the run.
    pub t_s: i64,
    /// Requests sent in it.
    pub offered: u64,
    /// Requests acknowledged in it.
    pub acked: u64,
    /// Requests refused in it.
    pub shed: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Requests that ended in it without an answer.
    pub unknown: u64,
    /// Median latency, milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile latency, milliseconds.
    pub p99_ms: Option<f64>,
}

/// The rows so far, shared by those who write them.
#[derive(Debug, Clone)]
pub struct Timeline {
    start: Timestamp,
    rows: Arc<Mutex<BTreeMap<i64, Row>>>,
}

impl Timeline {
    /// An empty one whose second 0 is `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            start,
            rows: Arc::default(),
        }
    }

    /// Seconds from the start to now, negative before it.
    pub fn now_s(&self) -> f64 {
        Timestamp::now().duration_since(self.start).as_secs_f64()
    }

    /// The instant of a second of the day.
    pub fn instant(&self, t_s: f64) -> Timestamp {
        let after = SignedDuration::try_from_secs_f64(t_s).unwrap_or_default();
        self.start.saturating_add(after).unwrap_or(self.start)
    }

    /// Adds what was seen in a second.
    pub fn observe(&self, t_s: i64, seen: &Seen) -> Row {
        let mut rows = self.rows();
        let row = self.row(&mut rows, t_s);
        seen.fill(row);
        row.clone()
    }

    /// Adds a line of the load generator; what ends after the day has no row.
    pub fn load(&self, line: &LoadLine) {
        if !(0.0..script::END_S).contains(&(line.t_s as f64)) {
            return;
        }
        let mut rows = self.rows();
        let row = self.row(&mut rows, line.t_s);
        row.offered_rps = Some(line.offered as f64);
        row.acked_rps = Some(line.acked as f64);
        row.shed_rps = Some(line.shed as f64);
        row.failed_rps = Some((line.failed + line.unknown) as f64);
        row.p50_ms = line.p50_ms;
        row.p99_ms = line.p99_ms;
    }

    /// The latest row that has a load, for the live view.
    pub fn load_latest(&self) -> Option<Row> {
        self.rows()
            .values()
            .rev()
            .find(|row| row.offered_rps.is_some())
            .cloned()
    }

    /// All rows, in order.
    pub fn finish(&self) -> Vec<Row> {
        self.rows().values().cloned().collect()
    }

    fn row<'rows>(&self, rows: &'rows mut BTreeMap<i64, Row>, t_s: i64) -> &'rows mut Row {
        rows.entry(t_s).or_insert_with(|| Row {
            t_s: t_s as f64,
            time: local(self.instant(t_s as f64)),
            phase: script::phase(t_s as f64).to_owned(),
            ..Row::default()
        })
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<i64, Row>> {
        // A writer that panicked left whole rows behind: each is written under one lock.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instant in local time, RFC 3339 to the second.
pub fn local(instant: Timestamp) -> String {
    instant
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{LoadLine, Timeline};
    use crate::sale_day::observe::Seen;

    #[test]
    fn load_and_pods_of_one_second_meet_in_one_row_in_any_order() {
        let timeline = Timeline::new(Timestamp::UNIX_EPOCH);
        let deployment = json!({ "spec": { "replicas": 2 }, "status": {} });
        let seen = Seen {
            deployment,
            ..Seen::default()
        };
        let line: LoadLine = serde_json::from_str(
            r#"{"t_s":3,"time":"x","offered":40,"acked":38,"shed":1,"failed":0,"unknown":1,"p50_ms":3.1,"p99_ms":null}"#,
        )
        .unwrap();
        timeline.observe(4, &seen);
        timeline.load(&line);
        timeline.observe(3, &seen);
        let rows = timeline.finish();
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].replicas, rows[0].ready, rows[0].acked_rps),
            (Some(2), Some(0), Some(38.0))
        );
        assert_eq!((rows[0].failed_rps, rows[0].p99_ms), (Some(1.0), None));
        assert_eq!(
            (rows[1].offered_rps, rows[1].phase.as_str()),
            (None, "before")
        );
        assert_eq!(timeline.load_latest(), rows.first().cloned());
    }
}
