//! How the families are registered and their series created; names and labels are here only.

use floodgate_contract::{Class, ShedReason, metrics as names};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Outcome, Tier};

/// Bounds of request latency, seconds: fine around 5 to 200 ms, where the promises are.
const LATENCY_BOUNDS_S: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.2, 0.35, 0.5, 1.0, 2.0,
];
/// Bounds of payments in one transaction; a batch holds at most some hundreds.
const BATCH_BOUNDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Counters and latency of one class.
#[derive(Clone)]
pub(super) struct ClassSeries {
    pub(super) offered: Counter,
    pub(super) admitted: Counter,
    pub(super) shed: [Counter; ShedReason::ALL.len()],
    pub(super) failed: Counter,
    pub(super) latency: Histogram,
}

/// Series of one shard of the store.
pub(super) struct ShardSeries {
    pub(super) batch_size: Histogram,
    pub(super) batch_latency: Histogram,
    pub(super) relayed: Counter,
    pub(super) outbox_lag: Gauge,
}

/// `prometheus-client` appends `_total` itself; the contract names what is on the wire.
fn counter_name(name: &'static str) -> &'static str {
    name.strip_suffix("_total").unwrap_or(name)
}

type ClassLabel = [(&'static str, &'static str); 1];
type PairLabels = [(&'static str, &'static str); 2];
type ShardLabel = [(&'static str, String); 1];

pub(super) fn class_series(registry: &mut Registry) -> [ClassSeries; 4] {
    let offered = Family::<ClassLabel, Counter>::default();
    let admitted = Family::<ClassLabel, Counter>::default();
    let shed = Family::<PairLabels, Counter>::default();
    let failed = Family::<ClassLabel, Counter>::default();
    let latency =
        Family::<ClassLabel, Histogram>::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS_S));
    registry.register(
        counter_name(names::OFFERED),
        "Requests clients sent, retries of one key counted once",
        offered.clone(),
    );
    registry.register(
        counter_name(names::ADMITTED),
        "Requests let through the gate",
        admitted.clone(),
    );
    registry.register(
        counter_name(names::SHED),
        "Requests refused with 429 or 503",
        shed.clone(),
    );
    registry.register(
        counter_name(names::FAILED),
        "Admitted requests that ended in 5xx",
        failed.clone(),
    );
    registry.register(
        names::LATENCY,
        "Admitted requests, entry to answer, in seconds",
        latency.clone(),
    );
    Class::ALL.map(|class| {
        let label = [("class", class.as_str())];
        ClassSeries {
            offered: offered.get_or_create_owned(&label),
            admitted: admitted.get_or_create_owned(&label),
            shed: ShedReason::ALL.map(|reason| {
                shed.get_or_create_owned(&[("class", class.as_str()), ("reason", reason.as_str())])
            }),
            failed: failed.get_or_create_owned(&label),
            latency: latency.get_or_create_owned(&label),
        }
    })
}

pub(super) fn shard_series(registry: &mut Registry, shards: usize) -> Vec<ShardSeries> {
    let batch_size =
        Family::<ShardLabel, Histogram>::new_with_constructor(|| Histogram::new(BATCH_BOUNDS));
    let batch_latency =
        Family::<ShardLabel, Histogram>::new_with_constructor(|| Histogram::new(LATENCY_BOUNDS_S));
    let relayed = Family::<ShardLabel, Counter>::default();
    let outbox_lag = Family::<ShardLabel, Gauge>::default();
    registry.register(
        names::BATCH_SIZE,
        "Payments written in one transaction",
        batch_size.clone(),
    );
    registry.register(
        names::BATCH_LATENCY,
        "One batch, begin to commit, in seconds",
        batch_latency.clone(),
    );
    registry.register(
        counter_name(names::RELAYED),
        "Outbox rows relayed to the event stream",
        relayed.clone(),
    );
    registry.register(
        names::OUTBOX_LAG,
        "Outbox rows not yet relayed",
        outbox_lag.clone(),
    );
    (0..shards)
        .map(|shard| {
            let label = [("shard", shard.to_string())];
            ShardSeries {
                batch_size: batch_size.get_or_create_owned(&label),
                batch_latency: batch_latency.get_or_create_owned(&label),
                relayed: relayed.get_or_create_owned(&label),
                outbox_lag: outbox_lag.get_or_create_owned(&label),
            }
        })
        .collect()
}

pub(super) fn cache_series(registry: &mut Registry) -> [[Counter; 3]; 3] {
    let cache = Family::<PairLabels, Counter>::default();
    registry.register(
        counter_name(names::CACHE),
        "Cache look-ups by tier and outcome",
        cache.clone(),
    );
    Tier::ALL.map(|tier| {
        Outcome::ALL.map(|outcome| {
            cache.get_or_create_owned(&[("tier", tier.as_str()), ("outcome", outcome.as_str())])
        })
    })
}
