//! What the operator has measured of the pods of a cluster, from the status of a saved object. Pure.
//!
//! The operator plans with the same figures after a restart: starts of at least one pod, and a
//! capacity it has learned within the bounds of the spec.

use floodgate_api::PaymentCluster;
use floodgate_api::cluster::status::CapacitySource;
use floodgate_planner::rehearse::World;

use crate::number::tenths;

/// Longest start that counts, seconds: what `prewarm.leadSecondsMax` may be at most.
const START_S_MAX: i32 = 7_200;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// How long pods take to start.
    pub starts: Option<Starts>,
    /// What one holds.
    pub capacity: Option<Capacity>,
}

/// Starts of pods, 99th percentiles in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starts {
    ready_p99_s: u32,
    warm_p99_s: u32,
    pods: i32,
}

/// What a warm pod was seen to hold at target utilisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Requests/s.
    pub rps: f64,
    samples: i32,
}

impl Measured {
    /// What the status says; nothing of an object that has none.
    pub fn of(cluster: &PaymentCluster) -> Self {
        let Some(status) = &cluster.status else {
            return Self::default();
        };
        let count = |seconds: i32| u32::try_from(seconds.clamp(0, START_S_MAX)).unwrap_or(0);
        let starts = status
            .lead_time
            .filter(|lead| lead.samples > 0 && lead.ready_seconds > 0)
            .map(|lead| Starts {
                ready_p99_s: count(lead.ready_seconds),
                warm_p99_s: count(lead.warm_seconds),
                pods: lead.samples,
            });
        let scaling = &cluster.spec.scaling;
        let declared_rps = f64::from(scaling.capacity_rps);
        let learns = f64::from(scaling.capacity_learn_percent.clamp(0, 90)) / 100.0;
        let capacity = status
            .capacity
            .filter(|capacity| capacity.source == CapacitySource::Learned && learns > 0.0)
            .map(|capacity| Capacity {
                rps: f64::from(capacity.rps)
                    .clamp(declared_rps * (1.0 - learns), declared_rps * (1.0 + learns)),
                samples: capacity.samples.unwrap_or(0),
            });
        Self { starts, capacity }
    }
}

impl Starts {
    /// The world with pods that start so.
    pub fn of_world(self, world: World) -> World {
        world.with_measured_starts(self.ready_p99_s, self.warm_p99_s)
    }

    /// What was measured and what is made of it.
    pub fn in_words(self) -> String {
        let world = self.of_world(World::default());
        format!(
            "The status has measured {} pods: {} s from creation to Ready at the 99th percentile, {} s of it warm-up. The slowest start here takes as long, so the middle is {} s and {} s.",
            self.pods,
            self.ready_p99_s,
            self.warm_p99_s,
            tenths(world.ready_s),
            tenths(world.warm_s)
        )
    }
}

impl Capacity {
    /// What was learned beside what was declared.
    pub fn in_words(self, declared_rps: f64) -> String {
        format!(
            "The status has learned from {} measurements that a warm pod holds {} requests/s at target utilisation, where the spec declares {declared_rps}: pods here hold that, and planning uses it.",
            self.samples,
            tenths(self.rps)
        )
    }
}
