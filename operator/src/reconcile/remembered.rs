//! What a pass leaves to the next one over the same cluster, and no object holds.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;

use super::{back_off::BackOff, foreign_writes::ForeignWrites};
use crate::{
    apply::SentByKind, clock::seconds_between, plan::Before, snapshot::ClusterKey, status::Written,
    validate::ValidatedCluster,
};

/// What is remembered of one cluster.
#[derive(Default)]
pub(super) struct Remembered {
    /// What was planned with, and what the planner wants back.
    pub(super) before: Before,
    /// The last spec that was valid, as it was understood.
    pub(super) valid: Option<ValidatedCluster>,
    /// What was applied, by kind.
    pub(super) sent: SentByKind,
    /// The Deployment as the last apply returned it.
    pub(super) deployment: Option<Arc<Deployment>>,
    /// Status last written.
    pub(super) status: Option<Written>,
    /// Remarks already published.
    pub(super) announced: HashSet<String>,
    /// Since when fewer pods than planned are warm, and how many were planned.
    short_since: Option<(Timestamp, u32)>,
    /// When somebody else wrote the replicas.
    pub(super) foreign: ForeignWrites,
    /// Until when a cluster whose pass failed is left alone.
    pub(super) back_off: Option<BackOff>,
}

impl Remembered {
    /// Seconds for which fewer pods than `wanted` have been warm; none while they are enough.
    pub(super) fn short_for_s(&mut self, warm: u32, wanted: u32, now: Timestamp) -> Option<f64> {
        self.short_since = match self.short_since {
            _ if warm >= wanted => None,
            // A plan that grows starts its own lead time.
            Some((since, planned)) if planned >= wanted => Some((since, wanted)),
            _ => Some((now, wanted)),
        };
        self.short_since
            .map(|(since, _)| seconds_between(since, now))
    }
}

/// What is remembered of every cluster.
#[derive(Default)]
pub(super) struct Memories(Mutex<HashMap<ClusterKey, Memory>>);

/// One cluster's memory; locked while a pass over it runs.
pub(super) type Memory = Arc<tokio::sync::Mutex<Remembered>>;

impl Memories {
    /// The memory of a cluster, empty when it is new.
    pub(super) fn of(&self, key: &ClusterKey) -> Memory {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(key.clone()).or_default())
    }

    /// Forgets clusters that `exists` no longer knows.
    pub(super) fn retain(&self, exists: impl Fn(&ClusterKey) -> bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|key, _| exists(key));
    }
}
