//! Sends the hot set to a new pod the moment it has an address.
//!
//! A pod is not Ready before it is warm, so a second of waiting here is a second of lead time;
//! the pod watch therefore starts a task of its own instead of waiting for the next round.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Sampler, hot_set::HotSet, warm_request};
use crate::{
    clock::jittered,
    control::ControlAddress,
    snapshot::{Cell, PodFacts, cluster_of},
};

/// Pods warmed at once; a tenfold step of a large cluster fits.
const AT_ONCE: usize = 256;
/// First pause between two attempts: a process is up some 100 ms after its pod has an address.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_millis(800);
/// After this long the sample loop sees to the pod.
const GIVE_UP: Duration = Duration::from_secs(60);

/// Warms pods as `seen` names them, until `stop`.
pub async fn run(sampler: Sampler, mut seen: mpsc::Receiver<Pod>, stop: CancellationToken) {
    let begun: Arc<Mutex<HashSet<String>>> = Arc::default();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    loop {
        let pod = tokio::select! {
            () = stop.cancelled() => break,
            Some(pod) = seen.recv() => pod,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
        };
        let facts = PodFacts::of(&pod);
        let waiting = facts.ip.is_some() && facts.ready_since.is_none() && !facts.ending;
        let key = cluster_of(&pod).filter(|_| waiting);
        let Some(cell) = key.and_then(|key| sampler.snapshots.existing(&key)) else {
            continue;
        };
        if !lock(&begun).insert(facts.uid.clone()) {
            continue;
        }
        let (sampler, begun, places) = (sampler.clone(), Arc::clone(&begun), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire().await;
            warm(&sampler, &cell, &facts).await;
            lock(&begun).remove(&facts.uid);
        });
    }
    tasks.shutdown().await;
}

/// Tries until the pod takes the hot set.
async fn warm(sampler: &Sampler, cell: &Cell, facts: &PodFacts) {
    let started = Instant::now();
    let mut pause = PAUSE_FIRST;
    while started.elapsed() < GIVE_UP {
        let Some((target, ip)) = cell.target.load_full().zip(facts.ip) else {
            return;
        };
        let address = ControlAddress::of_pod(ip, Arc::clone(&target.control_token));
        let request = cell.hot_set.load_full().unwrap_or_else(|| {
            let keys = HotSet::default().choose(&target.warm.sale_keys, target.warm.keys_max);
            Arc::new(warm_request(&target.warm, keys, &sampler.clock))
        });
        if sampler.control.put_warm(&address, &request).await.is_ok() {
            tracing::debug!(pod = %facts.name, keys = request.keys.len(), "sent the hot set");
            return;
        }
        sleep(jittered(pause, 100)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
