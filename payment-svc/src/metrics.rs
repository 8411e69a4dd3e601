//! The metrics a pod exports: every name from the contract, every series present from the start.
//!
//! Series exist at zero before the first event, so that a rate over a new pod is a number and not
//! an absence, which would look like "no data".
//! Counters here are also what `GET /control/v1/status` reports: one source, so the two agree.
//! Invariant: label values come from closed sets (class, reason, tier, outcome, shard index).

use std::sync::Arc;
use std::time::Duration;

use floodgate_contract::{Class, ClassCounts, Level, ShedReason, metrics as names};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use self::series::{ClassSeries, ShardSeries, cache_series, class_series, shard_series};

mod series;

/// Content type of [`Metrics::render`].
pub const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where a cache look-up was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The map in this process.
    L1,
    /// Redis.
    L2,
    /// The system of record.
    Store,
}

impl Tier {
    const ALL: [Self; 3] = [Self::L1, Self::L2, Self::Store];

    const fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::Store => "store",
        }
    }
}

/// How a cache look-up ended in one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The tier had an answer, be it "no such thing".
    Hit,
    /// The tier had none.
    Miss,
    /// The tier did not answer, or was not asked because its breaker is open.
    Error,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Error];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Error => "error",
        }
    }
}

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    classes: [ClassSeries; 4],
    shards: Vec<ShardSeries>,
    cache: [[Counter; 3]; 3],
    level: Gauge,
    queue_delay_s: Gauge<f64, std::sync::atomic::AtomicU64>,
    in_flight: Gauge,
    cpu_share: Gauge<f64, std::sync::atomic::AtomicU64>,
    warm_score: Gauge<f64, std::sync::atomic::AtomicU64>,
    warm: Gauge,
}

impl Metrics {
    /// Registers everything for a service over `shards` shards.
    pub fn new(shards: usize) -> Arc<Self> {
        let mut registry = Registry::default();
        let classes = class_series(&mut registry);
        let shards = shard_series(&mut registry, shards);
        let cache = cache_series(&mut registry);
        let level = Gauge::default();
        registry.register(
            names::LEVEL,
            "Degradation level in force, 0 to 4",
            level.clone(),
        );
        let queue_delay_s = Gauge::default();
        registry.register(
            names::QUEUE_DELAY,
            "Mean queueing delay of the last control tick",
            queue_delay_s.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            names::IN_FLIGHT,
            "Requests being worked on",
            in_flight.clone(),
        );
        let cpu_share = Gauge::default();
        registry.register(
            names::CPU_SHARE,
            "CPU used as a share of the limit",
            cpu_share.clone(),
        );
        let warm_score = Gauge::default();
        registry.register(
            names::WARM_SCORE,
            "Weight of the hot set loaded over all of it",
            warm_score.clone(),
        );
        let warm = Gauge::default();
        registry.register(
            names::WARM,
            "1 when warm, 0 when cold, warming or partial",
            warm.clone(),
        );
        Arc::new(Self {
            registry,
            classes,
            shards,
            cache,
            level,
            queue_delay_s,
            in_flight,
            cpu_share,
            warm_score,
            warm,
        })
    }

    /// Everything as OpenMetrics text, ended by `# EOF`.
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        // Writing into a String does not fail; half a page would still be valid up to the cut.
        if encode(&mut text, &self.registry).is_err() {
            tracing::warn!("metrics could not be encoded");
        }
        text
    }

    /// One request a client sent, retries of a key counted once by the caller.
    pub fn offered(&self, class: Class) {
        self.classes[class.index()].offered.inc();
    }

    /// One request let through the gate.
    pub fn admitted(&self, class: Class) {
        self.classes[class.index()].admitted.inc();
    }

    /// One request refused.
    pub fn shed(&self, class: Class, reason: ShedReason) {
        self.classes[class.index()].shed[reason as usize].inc();
    }

    /// One admitted request answered with `status` after `took`.
    pub fn finished(&self, class: Class, status: u16, took: Duration) {
        let series = &self.classes[class.index()];
        series.latency.observe(took.as_secs_f64());
        if status >= 500 {
            series.failed.inc();
        }
    }

    /// Counts of every class, most important first.
    pub fn class_counts(&self) -> [ClassCounts; 4] {
        std::array::from_fn(|index| {
            let series = &self.classes[index];
            ClassCounts {
                offered: series.offered.get(),
                admitted: series.admitted.get(),
                shed: series.shed.iter().map(Counter::get).sum(),
                failed: series.failed.get(),
            }
        })
    }

    /// One look-up in a tier of the cache.
    pub fn cache(&self, tier: Tier, outcome: Outcome) {
        self.cache[tier as usize][outcome as usize].inc();
    }

    /// Look-ups in a tier that ended so, since the start.
    pub fn cache_count(&self, tier: Tier, outcome: Outcome) -> u64 {
        self.cache[tier as usize][outcome as usize].get()
    }

    /// One committed batch of `payments` on a shard, begin to commit.
    pub fn batch(&self, shard: usize, payments: usize, took: Duration) {
        if let Some(series) = self.shards.get(shard) {
            series.batch_size.observe(payments as f64);
            series.batch_latency.observe(took.as_secs_f64());
        }
    }

    /// Outbox rows relayed to the event stream.
    pub fn relayed(&self, shard: usize, rows: u64) {
        if let Some(series) = self.shards.get(shard) {
            series.relayed.inc_by(rows);
        }
    }

    /// Outbox rows not yet relayed.
    pub fn outbox_lag(&self, shard: usize, rows: u64) {
        if let Some(series) = self.shards.get(shard) {
            series
                .outbox_lag
                .set(i64::try_from(rows).unwrap_or(i64::MAX));
        }
    }

    /// What the gate's control tick saw.
    pub(crate) fn tick(&self, level: Level, queue_delay: Duration, in_flight: u32, cpu_share: f64) {
        self.level.set(i64::from(level.index()));
        self.queue_delay_s.set(queue_delay.as_secs_f64());
        self.in_flight.set(i64::from(in_flight));
        self.cpu_share.set(cpu_share);
    }

    /// How warm the pod is; `score` from 0 to 1.
    pub(crate) fn warmth(&self, score: f64, warm: bool) {
        self.warm_score.set(score);
        self.warm.set(i64::from(warm));
    }
}

#[cfg(test)]
mod tests;
