//! The sample loop: each second the load, and what every pod says.
//!
//! One query per Prometheus serves all clusters that share it; the pods of a cluster are asked in
//! parallel under one bound for all.
//! A cluster, a Prometheus or a pod that hangs delays nobody else: each has a task of its own, and
//! a tick skips what the last one has not finished (S12).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, jittered},
    control::ControlClient,
    metrics::Metrics,
    snapshot::{Cell, ClusterKey, Snapshots, cluster_of},
    stores::Guarded,
};

mod capacity;
mod cluster;
pub mod early_warm;
pub mod hot_set;
pub mod lead_time;
mod load;
pub mod rates;

use cluster::ClusterSampler;
pub use cluster::warm_request;
use load::PrometheusReaders;

/// Pause between two rounds while there are few clusters.
const PERIOD: Duration = Duration::from_secs(1);
/// Clusters a round may hold per second of its period; beyond, rounds come less often. Two cores
/// sample and reconcile so many in one second and stay half idle.
const CLUSTERS_PER_S: u32 = 1_000;

/// What the sample loop works with.
#[derive(Clone)]
pub struct Sampler {
    /// Where readings go and targets come from.
    pub snapshots: Arc<Snapshots>,
    /// Pods as the watch has them.
    pub pods: Store<Pod>,
    /// Client of the pods' control ports.
    pub control: ControlClient,
    pub metrics: Metrics,
    pub clock: Clock,
    /// Where a cluster goes that has something new to reconcile.
    pub triggers: mpsc::Sender<ObjectRef<Guarded>>,
}

/// One cluster's sampler; locked while a round of it runs.
type SharedSampler = Arc<tokio::sync::Mutex<ClusterSampler>>;

impl Sampler {
    /// Samples until `stop`; `nudges` names clusters that are not to wait for the next round.
    pub async fn run(self, mut nudges: mpsc::Receiver<ClusterKey>, stop: CancellationToken) {
        let readers = Arc::new(PrometheusReaders::default());
        let samplers: Mutex<HashMap<ClusterKey, SharedSampler>> = Mutex::default();
        let mut rounds = JoinSet::new();
        let mut ticks = interval(jittered(PERIOD, 50));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tick: u32 = 0;
        loop {
            let named = tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => None,
                Some(key) = nudges.recv() => Some(key),
                Some(ended) = rounds.join_next(), if !rounds.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a sample round ended abruptly");
                    }
                    continue;
                }
            };
            let cells = self.due(named.as_ref(), &mut tick);
            if named.is_none() {
                readers.read_all(&self, &cells, &mut rounds);
            }
            let pods = self.pods_by_cluster();
            for (key, cell) in cells {
                let sampler = sampler_of(&samplers, &key);
                let pods = pods.get(&key).cloned().unwrap_or_default();
                let this = self.clone();
                rounds.spawn(async move {
                    if let Ok(mut sampler) = sampler.try_lock_owned() {
                        sampler.round(&this, &key, &cell, &pods).await;
                    }
                });
            }
            if named.is_none() {
                self.forget_gone(&samplers, &readers);
            }
        }
        rounds.shutdown().await;
    }

    /// The clusters of this round: the named one, or the share of all whose turn it is.
    fn due(&self, named: Option<&ClusterKey>, tick: &mut u32) -> Vec<(ClusterKey, Arc<Cell>)> {
        if let Some(key) = named {
            let cell = self.snapshots.existing(key);
            return cell.map(|cell| (key.clone(), cell)).into_iter().collect();
        }
        *tick = tick.wrapping_add(1);
        let all = self.snapshots.all();
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let shares = count.div_ceil(CLUSTERS_PER_S).max(1);
        let turn = *tick % shares;
        (0..)
            .zip(all)
            .filter(|(index, _)| index % shares == turn)
            .map(|(_, one)| one)
            .collect()
    }

    fn pods_by_cluster(&self) -> HashMap<ClusterKey, Vec<Arc<Pod>>> {
        let mut by_cluster: HashMap<ClusterKey, Vec<Arc<Pod>>> = HashMap::new();
        for pod in self.pods.state() {
            if let Some(key) = cluster_of(&pod) {
                by_cluster.entry(key).or_default().push(pod);
            }
        }
        by_cluster
    }

    fn forget_gone(
        &self,
        samplers: &Mutex<HashMap<ClusterKey, SharedSampler>>,
        readers: &PrometheusReaders,
    ) {
        let all = self.snapshots.all();
        let living: HashSet<&ClusterKey> = all.iter().map(|(key, _)| key).collect();
        let mut samplers = samplers.lock().unwrap_or_else(PoisonError::into_inner);
        samplers.retain(|key, _| living.contains(key));
        readers.retain_used(&all);
    }

    /// Asks for a reconcile; when the queue is full the next round asks again.
    fn trigger(&self, key: &ClusterKey) {
        if self.triggers.try_send(key.object_ref()).is_err() {
            tracing::debug!(cluster = %key, "the reconcile queue is full");
        }
    }
}

fn sampler_of(
    samplers: &Mutex<HashMap<ClusterKey, SharedSampler>>,
    key: &ClusterKey,
) -> SharedSampler {
    let mut samplers = samplers.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(samplers.entry(key.clone()).or_default())
}
