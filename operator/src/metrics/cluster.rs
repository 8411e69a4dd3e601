//! The gauges that every cluster has.

use prometheus_client::{encoding::EncodeLabelSet, metrics::family::Family};

use super::{FloatGauge, names};

/// Labels of a gauge of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ClusterLabels {
    /// Namespace of the cluster.
    pub namespace: String,
    /// Name of the cluster.
    pub cluster: String,
}

/// A gauge of every cluster: its field, the constant of its name and its help text.
macro_rules! cluster_gauges {
    ($($field:ident = $name:ident, $help:literal;)*) => {
        /// Gauges by cluster.
        #[derive(Clone, Debug, Default)]
        pub struct ClusterGauges {
            $(#[doc = $help] pub $field: Family<ClusterLabels, FloatGauge>,)*
        }

        impl ClusterGauges {
            /// Each gauge with its name and help text.
            pub(super) fn named(
                &self,
            ) -> impl Iterator<Item = (&'static str, &'static str, &Family<ClusterLabels, FloatGauge>)>
            {
                [$((names::$name, $help, &self.$field)),*].into_iter()
            }
        }
    };
}

cluster_gauges! {
    offered_load = OFFERED_LOAD, "Load decisions are made on, requests/s";
    forecast_median = FORECAST_MEDIAN, "Median forecast at the lead time, requests/s";
    forecast_upper = FORECAST_UPPER, "Upper quantile of the forecast at the lead time, requests/s";
    forecast_error = FORECAST_ERROR, "Live error of the forecast, permille";
    forecast_naive_error = FORECAST_NAIVE_ERROR, "Live error of seasonal naive on the same points, permille";
    forecast_coverage = FORECAST_COVERAGE, "Share of loads at or below the upper quantile, permille";
    masked_points = MASKED_POINTS, "Values of the history left out as sales or declared windows";
    desired = DESIRED, "Replicas decided";
    ready = READY, "Pods Ready";
    warm = WARM, "Pods warm";
    floor = FLOOR, "Level imposed on the fleet, 0 to 4";
    signal_age = SIGNAL_AGE, "Age of the newest valid load, seconds";
    lead_time = LEAD_TIME, "Measured lead time, seconds";
    unprepared_sales = UNPREPARED_SALES, "Sales within 24 hours whose plan something stands in the way of";
}

impl ClusterGauges {
    /// Drops the gauges of a cluster that is gone.
    pub fn forget(&self, labels: &ClusterLabels) {
        for (_, _, family) in self.named() {
            family.remove(labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn gauges_of_a_cluster_go_with_it() {
        let metrics = Metrics::default();
        let labels = ClusterLabels {
            namespace: "pay".into(),
            cluster: "till".into(),
        };
        metrics.clusters.desired.get_or_create(&labels).set(3.0);
        assert!(metrics.encode().unwrap().contains("till"));
        metrics.clusters.forget(&labels);
        assert!(!metrics.encode().unwrap().contains("till"));
    }
}
