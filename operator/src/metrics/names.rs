//! Names of the operator's own metrics; dashboards and rules are held to them by a test.
//!
//! Counters are written with the suffix `_total` they carry on the wire.

/// Counter: reconciles ended, well or not.
pub const RECONCILES: &str = "floodgate_reconciles_total";
/// Counter by `category`: reconciles that failed.
pub const RECONCILE_FAILURES: &str = "floodgate_reconcile_failures_total";
/// Histogram, seconds: one reconcile.
pub const RECONCILE_DURATION: &str = "floodgate_reconcile_duration_seconds";
/// Counter by `direction` (`up`, `down`) and `reason`: replica counts that were changed.
pub const DECISIONS: &str = "floodgate_decisions_total";
/// Counter by `kind`: objects written to the apiserver, status included.
pub const WRITES: &str = "floodgate_writes_total";
/// Counter by `reason`: Events published.
pub const EVENTS: &str = "floodgate_events_total";
/// Counter by `reason`: load readings that were missing or refused.
pub const MISSING_READINGS: &str = "floodgate_missing_readings_total";
/// Counter by `request` (`status`, `policy`, `warm`) and `outcome` (`ok`, `error`).
pub const CONTROL_REQUESTS: &str = "floodgate_control_requests_total";
/// Histogram, seconds: one fit of a forecast model.
pub const FIT_DURATION: &str = "floodgate_forecast_fit_duration_seconds";
/// Counter by `category` (`error`, `panic`, `timeout`): fits and paths of a forecast that failed.
pub const FIT_FAILURES: &str = "floodgate_forecast_fit_failures_total";
/// Gauge: 1 while this process holds the lease.
pub const LEADER: &str = "floodgate_leader";
/// Gauge by cluster, requests/s: the load decisions are made on.
pub const OFFERED_LOAD: &str = "floodgate_offered_load_rps";
/// Gauge by cluster, requests/s: median forecast at the lead time.
pub const FORECAST_MEDIAN: &str = "floodgate_forecast_median_rps";
/// Gauge by cluster, requests/s: upper quantile of the forecast at the lead time.
pub const FORECAST_UPPER: &str = "floodgate_forecast_upper_rps";
/// Gauge by cluster, permille: live error of the forecast.
pub const FORECAST_ERROR: &str = "floodgate_forecast_error_permille";
/// Gauge by cluster, permille: live error of seasonal naive on the same points.
pub const FORECAST_NAIVE_ERROR: &str = "floodgate_forecast_naive_error_permille";
/// Gauge by cluster, permille: share of loads at or below the upper quantile of the forecast.
pub const FORECAST_COVERAGE: &str = "floodgate_forecast_coverage_permille";
/// Gauge by cluster: values of the history left out as sales or declared windows.
pub const MASKED_POINTS: &str = "floodgate_forecast_masked_points";
/// Gauge by cluster: replicas decided.
pub const DESIRED: &str = "floodgate_desired_replicas";
/// Gauge by cluster: pods Ready.
pub const READY: &str = "floodgate_ready_replicas";
/// Gauge by cluster: pods warm.
pub const WARM: &str = "floodgate_warm_replicas";
/// Gauge by cluster: level the operator imposes on the fleet, 0 to 4.
pub const FLOOR: &str = "floodgate_degradation_floor";
/// Gauge by cluster, seconds: age of the newest valid load.
pub const SIGNAL_AGE: &str = "floodgate_signal_age_seconds";
/// Gauge by cluster, seconds: measured lead time.
pub const LEAD_TIME: &str = "floodgate_lead_time_seconds";
/// Gauge by cluster: sales that hit it and whose plan something stands in the way of, from 24 hours
/// before T0.
pub const UNPREPARED_SALES: &str = "floodgate_unprepared_sales";

/// Every metric of the operator.
pub const ALL: [&str; 25] = [
    RECONCILES,
    RECONCILE_FAILURES,
    RECONCILE_DURATION,
    DECISIONS,
    WRITES,
    MISSING_READINGS,
    CONTROL_REQUESTS,
    FIT_DURATION,
    FIT_FAILURES,
    LEADER,
    OFFERED_LOAD,
    FORECAST_MEDIAN,
    FORECAST_UPPER,
    FORECAST_ERROR,
    FORECAST_NAIVE_ERROR,
    FORECAST_COVERAGE,
    MASKED_POINTS,
    DESIRED,
    READY,
    WARM,
    FLOOR,
    SIGNAL_AGE,
    LEAD_TIME,
    UNPREPARED_SALES,
    EVENTS,
];
