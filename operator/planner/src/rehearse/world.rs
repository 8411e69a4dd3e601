//! The pods and the metrics of a rehearsal.

use serde::Serialize;

/// A start takes this share more or less than usual.
pub(super) const START_SPREAD: f64 = 0.2;

/// What pods and metrics are like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct World {
    /// Seed of everything that happens by chance.
    pub seed: u64,
    /// From creation to Ready without warm-up, seconds; each pod takes 0.8 to 1.2 of it.
    pub ready_s: f64,
    /// Warm-up before Ready, seconds, where a warm-up is ordered; 0.8 to 1.2 of it.
    pub warm_s: f64,
    /// What a pod with a cold cache holds at first, percent of a warm one; it grows evenly.
    pub cold_percent: u32,
    /// Until a cold pod has become warm by the requests it serves, seconds.
    pub cold_s: f64,
    /// Most requests wait this long, seconds; what comes beyond is refused.
    pub queue_s: f64,
    /// A request that waits longer than this, milliseconds, has missed its objective.
    pub slo_delay_ms: f64,
    /// Pods that die, per day.
    pub pods_lost_per_day: f64,
    /// Losses of the metrics store, per day.
    pub metric_losses_per_day: f64,
    /// How long each of them lasts, seconds.
    pub metric_loss_s: u32,
    /// Seconds between two scrapes of the metrics store and of the metrics server, 1 to 60.
    pub scrape_s: u32,
    /// Seconds from a scrape until its sample can be read, at most 120.
    pub metric_delay_s: u32,
    /// Pods that the metrics store does not scrape: the load it tells is as much too small.
    pub unscraped_pods: u32,
    /// Seconds that the clock of the metrics store is ahead of the operator's; negative behind it.
    pub store_clock_ahead_s: i64,
    /// Most pods the quota admits; more are not created.
    pub quota_replicas_max: Option<u32>,
    /// Most pods the nodes have room for; more are created and stay Pending.
    pub node_room_pods: Option<u32>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            seed: 1,
            ready_s: 30.0,
            // Measured on `payment-svc` with real PostgreSQL, Redis and NATS: 0.4 s from the start
            // of the process until pools, self-test and hot keys were there, in three starts of
            // three; the order comes within the operator's round of a second.
            warm_s: 2.0,
            // Measured likewise: in its first five seconds a pod that got no hot key spent no
            // more CPU a request than later or than one that got some (300 requests/s, 20,000
            // users, three pods each), and answered as much of 2,500 requests/s. Its money path
            // reads no cache. Other services lose more; Sentinel's warm-up rule takes a third.
            cold_percent: 100,
            cold_s: 60.0,
            queue_s: 1.0,
            slo_delay_ms: 250.0,
            pods_lost_per_day: 2.0,
            metric_losses_per_day: 0.5,
            metric_loss_s: 120,
            scrape_s: 15,
            metric_delay_s: 1,
            unscraped_pods: 0,
            store_clock_ahead_s: 0,
            quota_replicas_max: None,
            node_room_pods: None,
        }
    }
}

impl World {
    /// The same world with pods as they were measured: `ready_p99_s` from creation to Ready, the
    /// warm-up in it, and `warm_p99_s` for the warm-up alone, 99th percentiles in seconds.
    ///
    /// A start is drawn evenly from 0.8 to 1.2 of its middle. The slowest one takes what was
    /// measured (99 of 100 take 1.196 or less), so the lead time planned with is the measured one.
    /// A percentile of the rest alone is not known: it takes what the warm-up leaves.
    #[must_use]
    pub fn with_measured_starts(self, ready_p99_s: u32, warm_p99_s: u32) -> Self {
        let slowest = 1.0 + START_SPREAD;
        let ready_p99_s = ready_p99_s.max(1);
        let warm_p99_s = warm_p99_s.min(ready_p99_s - 1);
        Self {
            ready_s: f64::from(ready_p99_s - warm_p99_s) / slowest,
            warm_s: f64::from(warm_p99_s) / slowest,
            ..self
        }
    }
}
