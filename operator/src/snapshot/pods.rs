//! Pods and what they said in one round. Pure.

use floodgate_contract::{ControlStatus, WarmState};
use floodgate_planner::{PodHealth, capacity::LearnedCapacity};
use floodgate_words::Level;
use jiff::Timestamp;

use super::pod::PodFacts;
use crate::clock::seconds_between;

/// A pod and its answer.
#[derive(Clone, Debug)]
pub struct PodSeen {
    /// What Kubernetes says of it.
    pub facts: PodFacts,
    /// What it said itself; none when it was not asked or did not answer.
    pub status: Option<ControlStatus>,
    /// What it said a moment ago, when it did not answer now.
    pub recalled: Option<ControlStatus>,
}

impl PodSeen {
    /// The newest answer that still counts.
    pub fn answer(&self) -> Option<&ControlStatus> {
        self.status.as_ref().or(self.recalled.as_ref())
    }

    /// Whether it is Ready and says it is warm.
    pub fn is_warm(&self) -> bool {
        let warm = |status: &ControlStatus| status.warm == WarmState::Warm;
        self.facts.is_ready() && self.answer().is_some_and(warm)
    }
}

/// One round of a cluster.
#[derive(Clone, Debug)]
pub struct PodsSeen {
    /// Every pod that carries the cluster's label.
    pub pods: Vec<PodSeen>,
    /// What was measured in this round and earlier ones.
    pub measured: Measured,
}

/// What was measured of the pods of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// How long they take to start.
    pub starts: Option<MeasuredStarts>,
    /// What they hold.
    pub capacity: Option<LearnedCapacity>,
    /// Share of their admitted requests that failed lately, permille.
    pub failed_permille: Option<u32>,
}

/// How long pods take to start, as measured so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeasuredStarts {
    /// 99th percentile of creation to Ready, seconds. A pod is Ready only when it is warm or past
    /// its warm deadline, so the warm-up is in it.
    pub ready_p99_s: f64,
    /// 99th percentile of the warm-up alone, seconds.
    pub warm_p99_s: f64,
    pub pods: u64,
}

impl PodsSeen {
    /// Pods that exist and are not being taken down.
    pub fn current(&self) -> u32 {
        self.count(|_| true)
    }

    /// Pods that are Ready.
    pub fn ready(&self) -> u32 {
        self.count(|pod| pod.facts.is_ready())
    }

    /// Pods that have been Ready for `age_s` at `now`.
    pub fn ready_for(&self, age_s: f64, now: Timestamp) -> u32 {
        let settled = |at| seconds_between(at, now) >= age_s;
        self.count(|pod| pod.facts.ready_since.is_some_and(settled))
    }

    /// Pods that are Ready and say they are warm.
    pub fn warm(&self) -> u32 {
        self.count(PodSeen::is_warm)
    }

    /// Pods that the scheduler could not place.
    pub fn unschedulable(&self) -> u32 {
        self.count(|pod| pod.facts.unschedulable)
    }

    /// Highest level in force on any pod that answered.
    pub fn level_max(&self) -> Level {
        let levels = self.pods.iter().filter_map(|pod| Some(pod.answer()?.level));
        levels.max().unwrap_or_default()
    }

    /// What the pods say of themselves.
    ///
    /// A level that a pod took because of its load says that its gate refuses something, request by
    /// request; imposing it on all would refuse whole classes of which a part still fits. One that
    /// it took because the store is slow, no shard takes writes or memory runs out says something
    /// about all pods, and counts.
    pub fn health(&self) -> PodHealth {
        let mut health = PodHealth {
            failed_permille: self.measured.failed_permille,
            ..PodHealth::default()
        };
        let ready = self.pods.iter().filter(|pod| pod.facts.is_ready());
        for answer in ready.filter_map(PodSeen::answer) {
            let shared = matches!(&*answer.level_trigger, "store" | "memory" | "writer_lost");
            let own = if shared { answer.level } else { Level::Normal };
            let index = usize::from(own.index());
            health.own_levels[index] = health.own_levels[index].saturating_add(1);
        }
        health
    }

    fn count(&self, wanted: impl Fn(&PodSeen) -> bool) -> u32 {
        let count = self
            .pods
            .iter()
            .filter(|pod| !pod.facts.ending && wanted(pod))
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
