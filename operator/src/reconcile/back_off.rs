//! Leaves a cluster alone for a while after a failed pass, so that a fault that lasts costs few requests (S11). Pure.
//!
//! The sample loop triggers each second; without this a refused write would be tried as often.
//! Whoever changes the object, its annotations included, ends the back-off: an SRE does not have to wait.

use std::{collections::BTreeMap, time::Duration};

use floodgate_api::PaymentCluster;
use jiff::{SignedDuration, Timestamp};

/// Pause after the first failure; each further one doubles it.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause: after an outage of the apiserver work resumes within this (F37).
const PAUSE_MAX: Duration = Duration::from_secs(8);

/// What a failed pass leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct BackOff {
    until: Timestamp,
    failures: u32,
    generation: Option<i64>,
    annotations: Option<BTreeMap<String, String>>,
}

impl BackOff {
    /// The back-off after one more failure at `now`; `jitter` (0..=1) spreads many clusters.
    pub fn after(
        last: Option<&Self>,
        cluster: &PaymentCluster,
        now: Timestamp,
        jitter: f64,
    ) -> Self {
        let last = last.filter(|last| last.is_about(cluster));
        let failures = last.map_or(0, |last| last.failures).saturating_add(1);
        let doubled = PAUSE_MIN.saturating_mul(1 << (failures - 1).min(8));
        let pause = doubled.min(PAUSE_MAX).mul_f64(0.75 + 0.25 * jitter);
        let pause = SignedDuration::try_from(pause).unwrap_or_default();
        Self {
            until: now.saturating_add(pause).unwrap_or(now),
            failures,
            generation: cluster.metadata.generation,
            annotations: cluster.metadata.annotations.clone(),
        }
    }

    /// What is left of it at `now`; none when it is over, or the object has changed since.
    pub fn left(&self, cluster: &PaymentCluster, now: Timestamp) -> Option<Duration> {
        let left = Duration::try_from(self.until.duration_since(now)).ok()?;
        (self.is_about(cluster) && !left.is_zero()).then_some(left)
    }

    fn is_about(&self, cluster: &PaymentCluster) -> bool {
        self.generation == cluster.metadata.generation
            && self.annotations == cluster.metadata.annotations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(generation: i64, annotation: &str) -> PaymentCluster {
        serde_json::from_value(serde_json::json!({
            "apiVersion": floodgate_api::API_VERSION,
            "kind": "PaymentCluster",
            "metadata": { "name": "till", "generation": generation,
                "annotations": { "floodgate.dev/pause": annotation } },
            "spec": {
                "service": { "image": "example.test/payment-svc:1" },
                "backends": {
                    "shards": [{ "name": "s0", "primarySecretRef": { "name": "b", "key": "pg" } }],
                    "cacheSecretRef": { "name": "b", "key": "redis" },
                    "eventsSecretRef": { "name": "b", "key": "nats" }
                },
                "traffic": { "prometheus": { "url": "http://prometheus:9090" } }
            }
        }))
        .unwrap()
    }

    #[test]
    fn s11_the_rest_doubles_while_passes_fail_and_stays_below_its_bound() {
        let (till, now) = (cluster(1, "all"), Timestamp::UNIX_EPOCH);
        let mut back_off = None;
        let mut lengths = Vec::new();
        for _ in 0..6 {
            let next = BackOff::after(back_off.as_ref(), &till, now, 1.0);
            lengths.push(next.left(&till, now).unwrap().as_secs());
            back_off = Some(next);
        }
        assert_eq!(lengths, [1, 2, 4, 8, 8, 8]);
    }

    #[test]
    fn a_changed_object_ends_the_rest_at_once() {
        let (till, now) = (cluster(1, "all"), Timestamp::UNIX_EPOCH);
        let back_off = BackOff::after(None, &till, now, 1.0);
        assert!(back_off.left(&till, now).is_some());
        assert_eq!(
            back_off.left(&till, now + SignedDuration::from_secs(1)),
            None
        );
        for changed in [cluster(2, "all"), cluster(1, "scaling")] {
            assert_eq!(back_off.left(&changed, now), None);
            let again = BackOff::after(Some(&back_off), &changed, now, 1.0);
            assert_eq!(again.left(&changed, now), Some(PAUSE_MIN));
        }
    }
}
