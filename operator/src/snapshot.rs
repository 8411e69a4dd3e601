//! The snapshot store: what the loops leave for each other.
//!
//! Sample and forecast write what they saw, reconcile writes what they shall ask; each reads the
//! newest value of the others and awaits none of them.
//! Invariant: every field of a [`Cell`] has one writing loop, named in its documentation.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use floodgate_contract::WarmRequest;
use floodgate_planner::intake::PodRates;

use crate::target::Target;

mod cluster_key;
mod forecast;
mod load;
mod planning;
mod pod;
mod pods;

pub use cluster_key::ClusterKey;
pub use forecast::{ForecastSnapshot, ForecastState};
pub use load::{PrometheusReading, clock_skew, reading_after};
pub use planning::{PlanLimits, PlanningFacts};
pub use pod::{PodFacts, cluster_of};
pub use pods::{Measured, MeasuredStarts, PodSeen, PodsSeen};

/// What is known of one cluster.
#[derive(Debug, Default)]
pub struct Cell {
    /// What the loops shall ask and push. Written by reconcile.
    pub target: ArcSwapOption<Target>,
    /// Newest reading of Prometheus. Written by the sample loop.
    pub prometheus: ArcSwapOption<PrometheusReading>,
    /// Offered rates from the pods' own counters. Written by the sample loop.
    pub rates: ArcSwapOption<PodRates>,
    /// Pods and what they said. Written by the sample loop.
    pub pods: ArcSwapOption<PodsSeen>,
    /// What new pods load. Written by the sample loop.
    pub hot_set: ArcSwapOption<WarmRequest>,
    /// The forecast. Written by the forecast loop.
    pub forecast: ArcSwap<ForecastSnapshot>,
    /// What a sale is planned with. Written by reconcile.
    pub planning: ArcSwapOption<PlanningFacts>,
}

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
