//! Names of the metrics a payment pod exports, in one place.
//!
//! Dashboards, rules and the operator's default queries use these names; a test holds them to it.
//! Counters carry the OpenMetrics suffix `_total` on the wire.

/// Counter by `class`: requests clients sent, retries of one idempotency key counted once.
pub const OFFERED: &str = "payment_offered_requests_total";
/// Counter by `class`: requests let through the gate.
pub const ADMITTED: &str = "payment_admitted_requests_total";
/// Counter by `class` and `reason`: requests refused with 429 or 503.
pub const SHED: &str = "payment_shed_requests_total";
/// Counter by `class`: admitted requests that ended in 5xx.
pub const FAILED: &str = "payment_failed_requests_total";
/// Histogram by `class`, seconds: admitted requests, entry to answer.
pub const LATENCY: &str = "payment_request_duration_seconds";
/// Gauge: degradation level in force, 0 to 4.
pub const LEVEL: &str = "payment_degradation_level";
/// Gauge, seconds: mean queueing delay of the last control tick.
pub const QUEUE_DELAY: &str = "payment_queue_delay_seconds";
/// Gauge: requests being worked on.
pub const IN_FLIGHT: &str = "payment_in_flight_requests";
/// Gauge: CPU used as a share of the limit, 0 to 1.
pub const CPU_SHARE: &str = "payment_cpu_share_ratio";
/// Gauge: warm score, 0 to 1.
pub const WARM_SCORE: &str = "payment_warm_score_ratio";
/// Gauge: 1 when warm, 0 when cold, warming or partial.
pub const WARM: &str = "payment_warm";
/// Counter by `tier` (`l1`, `l2`, `store`) and `outcome` (`hit`, `miss`, `error`).
pub const CACHE: &str = "payment_cache_requests_total";
/// Histogram by `shard`: payments written in one transaction.
pub const BATCH_SIZE: &str = "payment_store_batch_payments";
/// Histogram by `shard`, seconds: one batch, begin to commit.
pub const BATCH_LATENCY: &str = "payment_store_batch_duration_seconds";
/// Counter by `shard`: outbox rows relayed to the event stream.
pub const RELAYED: &str = "payment_outbox_relayed_rows_total";
/// Gauge by `shard`: outbox rows not yet relayed.
pub const OUTBOX_LAG: &str = "payment_outbox_lag_rows";

/// Every metric, for the test that holds other files to these names.
pub const ALL: [&str; 16] = [
    OFFERED,
    ADMITTED,
    SHED,
    FAILED,
    LATENCY,
    LEVEL,
    QUEUE_DELAY,
    IN_FLIGHT,
    CPU_SHARE,
    WARM_SCORE,
    WARM,
    CACHE,
    BATCH_SIZE,
    BATCH_LATENCY,
    RELAYED,
    OUTBOX_LAG,
];
