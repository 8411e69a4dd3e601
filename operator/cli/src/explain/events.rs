//! Earlier decisions and conditions, from the Events about a cluster.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use serde::Serialize;

/// One earlier Event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastEvent {
    /// When it was last seen.
    pub time: Timestamp,
    pub reason: String,
    pub message: String,
    /// How often it was seen.
    pub count: i32,
}

/// The newest `most` Events, newest first; those without any time are left out.
pub fn newest(events: Vec<Event>, most: usize) -> Vec<PastEvent> {
    let mut past: Vec<PastEvent> = events.into_iter().filter_map(past).collect();
    past.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.reason.cmp(&b.reason)));
    past.truncate(most);
    past
}

/// Events of the newer API carry `series` and `eventTime`, older ones `lastTimestamp` and `count`.
fn past(event: Event) -> Option<PastEvent> {
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
    Some(PastEvent {
        time: times.into_iter().flatten().next()?,
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        count: series
            .and_then(|series| series.count)
            .or(event.count)
            .unwrap_or(1),
    })
}
