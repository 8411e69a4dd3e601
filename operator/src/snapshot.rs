//! The snapshot store: what the loops leave for each other.
//!
//! Sample and forecast write what they saw, reconcile writes what they shall ask; each reads the
//! newest value of the others and awaits none of them.
//! Invariant: every field of a [`Cell`] has one writing loop, named in its documentation.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use floodgate_contract::WarmRequest;
use jiff::{SignedDuration, Timestamp};
use kube::{Resource, runtime::reflector::ObjectRef};

use crate::{
    clock::seconds_between,
    forecast::Outlook,
    plan::PlanningFacts,
    prometheus::{Missing, MissingReason, load::Load},
    reconcile::Remembered,
    sample::{PodsSeen, Rates},
    target::Target,
};

/// Namespace and name of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterKey {
    /// Namespace.
    pub namespace: String,
    /// Name of the `PaymentCluster`.
    pub name: String,
}

impl ClusterKey {
    /// The key of an object that carries a namespace and a name.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }

    /// The key as the reference a controller is triggered with.
    pub fn object_ref<K: Resource<DynamicType = ()>>(&self) -> ObjectRef<K> {
        ObjectRef::new(&self.name).within(&self.namespace)
    }
}

impl fmt::Display for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The newest reading of Prometheus, and the valid ones of the last minute.
#[derive(Clone, Debug)]
pub struct PrometheusReading {
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the answer came, or the failure.
    pub taken_at: Timestamp,
    /// The load, or why there is none.
    pub load: Result<Load, Missing>,
    /// Valid loads of the last minute before the newest valid one: when they were true by the
    /// operator's clock, and requests/s.
    pub recent: VecDeque<(Timestamp, f64)>,
}

/// Seconds whose largest load counts.
const MINUTE_S: f64 = 60.0;

impl PrometheusReading {
    /// A new reading; what was valid before stays known until it is a minute older than the
    /// newest valid load.
    pub fn after(
        last: Option<&Self>,
        (asked_at, taken_at): (Timestamp, Timestamp),
        load: Result<Load, Missing>,
    ) -> Self {
        let mut recent = last.map(|last| last.recent.clone()).unwrap_or_default();
        if let Ok(valid) = &load {
            let age = SignedDuration::try_from_secs_f64(valid.age_s).unwrap_or_default();
            let at = taken_at.saturating_sub(age).unwrap_or(taken_at);
            recent.retain(|(then, _)| seconds_between(*then, at) <= MINUTE_S);
            recent.push_back((at, valid.rps));
        }
        Self {
            asked_at,
            taken_at,
            load,
            recent,
        }
    }

    /// That the server's clock is off ours by more than `limit_s` seconds: it evaluated the query
    /// before it was asked, or after it answered (F13). Ages are by its clock alone and stay true.
    pub fn clock_skew(&self, limit_s: u32) -> Option<Missing> {
        let server_time = self.load.as_ref().ok()?.server_time;
        let ahead_s = seconds_between(self.taken_at, server_time);
        let behind_s = seconds_between(server_time, self.asked_at);
        if ahead_s.max(behind_s) <= f64::from(limit_s) {
            return None;
        }
        let which = if ahead_s > behind_s {
            "ahead of"
        } else {
            "behind"
        };
        let message = format!(
            "the clock of Prometheus is more than {limit_s} s {which} that of the operator; sales \
             start by the operator's"
        );
        Some(Missing::because(MissingReason::ClockSkew, message))
    }

    /// Time of the newest valid load, and the largest load of the minute before it, requests/s.
    pub fn minute_max(&self) -> Option<(Timestamp, f64)> {
        let (at, _) = self.recent.back()?;
        let largest = self.recent.iter().map(|(_, rps)| *rps).reduce(f64::max)?;
        Some((*at, largest))
    }
}

/// What is known of one cluster.
#[derive(Debug, Default)]
pub struct Cell {
    /// What the loops shall ask and push. Written by reconcile.
    pub target: ArcSwapOption<Target>,
    /// Newest reading of Prometheus. Written by the sample loop.
    pub prometheus: ArcSwapOption<PrometheusReading>,
    /// Offered rates from the pods' own counters. Written by the sample loop.
    pub rates: ArcSwapOption<Rates>,
    /// Pods and what they said. Written by the sample loop.
    pub pods: ArcSwapOption<PodsSeen>,
    /// What new pods load. Written by the sample loop.
    pub hot_set: ArcSwapOption<WarmRequest>,
    /// The forecast. Written by the forecast loop.
    pub outlook: ArcSwap<Outlook>,
    /// What a sale is planned with. Written by reconcile.
    pub planning: ArcSwapOption<PlanningFacts>,
    /// What the next pass of reconcile needs of the last one and that stands in no object.
    remembered: Mutex<Remembered>,
}

impl Cell {
    /// Reads and changes what reconcile remembers; the lock is never held across an await.
    pub fn with_remembered<R>(&self, act: impl FnOnce(&mut Remembered) -> R) -> R {
        act(&mut self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }
}

/// All cells.
#[derive(Debug, Default)]
pub struct Snapshots {
    cells: RwLock<HashMap<ClusterKey, Arc<Cell>>>,
}

impl Snapshots {
    /// The cell of a cluster, made when it is new.
    pub fn cell(&self, key: &ClusterKey) -> Arc<Cell> {
        if let Some(cell) = self.existing(key) {
            return cell;
        }
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(key.clone()).or_default())
    }

    /// The cell of a cluster, if there is one.
    pub fn existing(&self, key: &ClusterKey) -> Option<Arc<Cell>> {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        cells.get(key).map(Arc::clone)
    }

    /// Every cell, at this instant.
    pub fn all(&self) -> Vec<(ClusterKey, Arc<Cell>)> {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        cells
            .iter()
            .map(|(key, cell)| (key.clone(), Arc::clone(cell)))
            .collect()
    }

    /// Drops the cells of clusters that `exists` no longer knows; returns their keys.
    pub fn retain(&self, exists: impl Fn(&ClusterKey) -> bool) -> Vec<ClusterKey> {
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<_> = cells.keys().filter(|key| !exists(key)).cloned().collect();
        for key in &gone {
            cells.remove(key);
        }
        gone
    }
}
