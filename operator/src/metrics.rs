//! The operator's metrics: one struct, registered once, served as OpenMetrics.
//!
//! Counters never carry an object's name or an error's text; gauges of a cluster are dropped with
//! the cluster, so the number of series stays bounded by what exists.

use std::{
    borrow::Cow,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

mod cluster;
pub mod names;

pub use cluster::{ClusterGauges, ClusterLabels};

/// A gauge with a fraction.
pub type FloatGauge = Gauge<f64, AtomicU64>;

/// A gauge by cluster.
pub(crate) type FloatGaugeFamily = Family<ClusterLabels, FloatGauge>;

/// One label, `category`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CategoryLabel {
    /// Category of an error.
    pub category: &'static str,
}

/// One label, `reason`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    /// A reason constant.
    pub reason: String,
}

/// One label, `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabel {
    /// Kind of a Kubernetes object.
    pub kind: Cow<'static, str>,
}

/// Labels of a change of replicas.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DecisionLabels {
    /// `up` or `down`.
    pub direction: &'static str,
    /// Reason of the winning bid or guard.
    pub reason: String,
}

/// Labels of a request to a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ControlLabels {
    /// `status`, `policy` or `warm`.
    pub request: &'static str,
    /// `ok` or `error`.
    pub outcome: &'static str,
}

/// All metrics; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// See [`names::RECONCILES`].
    pub reconciles: Counter,
    /// See [`names::RECONCILE_FAILURES`].
    pub reconcile_failures: Family<CategoryLabel, Counter>,
    /// See [`names::RECONCILE_DURATION`].
    pub reconcile_duration: Histogram,
    /// See [`names::DECISIONS`].
    pub decisions: Family<DecisionLabels, Counter>,
    /// See [`names::WRITES`].
    pub writes: Family<KindLabel, Counter>,
    /// See [`names::EVENTS`].
    pub events: Family<ReasonLabel, Counter>,
    /// See [`names::MISSING_READINGS`].
    pub missing_readings: Family<ReasonLabel, Counter>,
    /// See [`names::CONTROL_REQUESTS`].
    pub control_requests: Family<ControlLabels, Counter>,
    /// See [`names::FIT_DURATION`].
    pub fit_duration: Histogram,
    /// See [`names::FIT_FAILURES`].
    pub fit_failures: Family<CategoryLabel, Counter>,
    /// See [`names::LEADER`].
    pub leader: Gauge,
    /// Gauges that every cluster has.
    pub clusters: ClusterGauges,
}

impl Default for Metrics {
    fn default() -> Self {
        // A reconcile takes milliseconds; past 10 s something hangs.
        let reconcile_duration = Histogram::new([0.002, 0.005, 0.02, 0.05, 0.2, 0.5, 2.0, 10.0]);
        // A fit takes tens of milliseconds to a few seconds on one core.
        let fit_duration = Histogram::new([0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0]);
        let mut metrics = Self {
            registry: Arc::default(),
            reconciles: Counter::default(),
            reconcile_failures: Family::default(),
            reconcile_duration,
            decisions: Family::default(),
            writes: Family::default(),
            events: Family::default(),
            missing_readings: Family::default(),
            control_requests: Family::default(),
            fit_duration,
            fit_failures: Family::default(),
            leader: Gauge::default(),
            clusters: ClusterGauges::default(),
        };
        metrics.registry = Arc::new(metrics.registered());
        metrics
    }
}

impl Metrics {
    fn registered(&self) -> Registry {
        let mut registry = Registry::default();
        // The encoder appends `_total` to counters by itself.
        let counter = |name: &'static str| name.strip_suffix("_total").unwrap_or(name);
        let mut count = |name, help: &str, metric: &Counter| {
            registry.register(counter(name), help, metric.clone());
        };
        count(
            names::RECONCILES,
            "Reconciles ended, well or not",
            &self.reconciles,
        );
        registry.register(
            counter(names::RECONCILE_FAILURES),
            "Reconciles that failed",
            self.reconcile_failures.clone(),
        );
        registry.register(
            names::RECONCILE_DURATION,
            "Duration of one reconcile, seconds",
            self.reconcile_duration.clone(),
        );
        registry.register(
            counter(names::DECISIONS),
            "Replica counts that were changed",
            self.decisions.clone(),
        );
        registry.register(
            counter(names::WRITES),
            "Objects written to the apiserver",
            self.writes.clone(),
        );
        registry.register(
            counter(names::EVENTS),
            "Events published",
            self.events.clone(),
        );
        registry.register(
            counter(names::MISSING_READINGS),
            "Load readings that were missing or refused",
            self.missing_readings.clone(),
        );
        registry.register(
            counter(names::CONTROL_REQUESTS),
            "Requests to the control port of pods",
            self.control_requests.clone(),
        );
        registry.register(
            names::FIT_DURATION,
            "Duration of one fit of a forecast model, seconds",
            self.fit_duration.clone(),
        );
        registry.register(
            counter(names::FIT_FAILURES),
            "Fits and paths of a forecast that failed",
            self.fit_failures.clone(),
        );
        registry.register(
            names::LEADER,
            "1 while this process holds the lease",
            self.leader.clone(),
        );
        for (name, help, family) in self.clusters.named() {
            registry.register(name, help, family.clone());
        }
        registry
    }

    /// The metrics as OpenMetrics text.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut encoded = String::new();
        text::encode(&mut encoded, &self.registry)?;
        Ok(encoded)
    }

    /// Counts one reconcile and its duration when the returned guard is dropped.
    pub fn time_reconcile(&self) -> ReconcileTimer {
        self.reconciles.inc();
        ReconcileTimer {
            started: Instant::now(),
            histogram: self.reconcile_duration.clone(),
        }
    }

    /// Counts one object written to the apiserver.
    pub fn count_write(&self, kind: impl Into<Cow<'static, str>>) {
        let kind = kind.into();
        self.writes.get_or_create(&KindLabel { kind }).inc();
    }

    /// Counts one request to a pod.
    pub fn count_control(&self, request: &'static str, succeeded: bool) {
        let outcome = if succeeded { "ok" } else { "error" };
        self.control_requests
            .get_or_create(&ControlLabels { request, outcome })
            .inc();
    }
}

/// Observes the time since its making when dropped.
#[derive(Debug)]
pub struct ReconcileTimer {
    started: Instant,
    histogram: Histogram,
}

impl Drop for ReconcileTimer {
    fn drop(&mut self) {
        self.histogram.observe(self.started.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_served_under_its_constant() {
        let metrics = Metrics::default();
        // A family shows up with its first member.
        let reason = || "reason".to_owned();
        let category = "status";
        drop(
            metrics
                .reconcile_failures
                .get_or_create(&CategoryLabel { category }),
        );
        let decision = DecisionLabels {
            direction: "up",
            reason: reason(),
        };
        drop(metrics.decisions.get_or_create(&decision));
        drop(
            metrics
                .fit_failures
                .get_or_create(&CategoryLabel { category }),
        );
        metrics.count_write("Secret");
        let label = ReasonLabel { reason: reason() };
        drop(metrics.events.get_or_create(&label));
        drop(metrics.missing_readings.get_or_create(&label));
        metrics.count_control("status", true);
        let labels = ClusterLabels {
            namespace: "pay".into(),
            cluster: "till".into(),
        };
        for (_, _, family) in metrics.clusters.named() {
            drop(family.get_or_create(&labels));
        }
        let text = metrics.encode().unwrap();
        for name in names::ALL {
            let family = name.strip_suffix("_total").unwrap_or(name);
            assert!(
                text.contains(&format!("# TYPE {family} ")),
                "{name} is not registered"
            );
        }
    }
}
