//! What a policy sees and what it orders.

use floodgate_forecast::UnixMillis;
use floodgate_words::Level;

use crate::rehearse::sensors::Sensors;

/// What a policy sees when it decides.
pub(super) struct Seen<'a> {
    pub(super) now: UnixMillis,
    pub(super) sensors: &'a Sensors,
    /// The metrics store does not answer; the metrics server, from which CPU comes, is another.
    pub(super) metrics_lost: bool,
    pub(super) desired: u32,
    pub(super) ready: u32,
    /// Ready pods that the metrics store scrapes.
    pub(super) scraped: u32,
    pub(super) warm: u32,
    /// Pods that wait for room on a node.
    pub(super) pending: u32,
}

impl Seen<'_> {
    /// Rate of the last minute as the metrics store has it, requests/s.
    pub(super) fn stored_rps(&self) -> f64 {
        let share = f64::from(self.scraped) / f64::from(self.ready.max(1));
        self.sensors.minute_rps() * share
    }
}

/// What it orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) replicas: u32,
    pub(super) level: Level,
}

impl Order {
    pub(super) const fn replicas(replicas: u32) -> Self {
        Self {
            replicas,
            level: Level::Normal,
        }
    }
}

/// One policy at work.
pub(super) trait Policy {
    /// Seconds between two decisions.
    fn tick_s(&self) -> i64;
    /// Decides.
    fn decide(&mut self, seen: &Seen<'_>) -> Order;
}
