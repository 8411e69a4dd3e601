//! Earlier decisions and conditions, from the Events about a cluster.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use serde::Serialize;

/// One Event, as far as it tells something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// When it was last seen.
    pub time: Timestamp,
    /// Its reason.
    pub reason: String,
    /// What it says.
    pub message: String,
    /// How often it was seen.
    pub count: i32,
}

/// The newest `most` Events, newest first; those without any time are left out.
pub fn newest(events: Vec<Event>, most: usize) -> Vec<Told> {
    let mut told: Vec<Told> = events.into_iter().filter_map(told).collect();
    told.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.reason.cmp(&b.reason)));
    told.truncate(most);
    told
}

/// Events of the newer API carry `series` and `eventTime`, older ones `lastTimestamp` and `count`.
fn told(event: Event) -> Option<Told> {
    let series = event.series.as_ref();
    let repeated = series
        .and_then(|series| series.last_observed_time.as_ref())
        .map(|at| at.0);
    let times = [
        repeated,
        event.last_timestamp.as_ref().map(|at| at.0),
        event.event_time.as_ref().map(|at| at.0),
        event.first_timestamp.as_ref().map(|at| at.0),
        event.metadata.creation_timestamp.as_ref().map(|at| at.0),
    ];
    Some(Told {
        time: times.into_iter().flatten().next()?,
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        count: series
            .and_then(|series| series.count)
            .or(event.count)
            .unwrap_or(1),
    })
}
