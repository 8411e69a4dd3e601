//! The work of warming up: pools, self-test, then the keys of the hot set, heaviest first.
//!
//! It runs on the serving runtime and at a bounded rate: a hundred pods that start together must
//! not become the load they are made for.

use std::sync::Arc;
use std::time::Duration;

use floodgate_contract::WarmKey;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use thiserror::Error;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::shared::Shared;
use super::warm::{Advance, Checks};

/// Keys asked of Redis in one pipeline.
const CHUNK_KEYS: usize = 500;
/// Keys per second that are loaded from the store at most.
const STORE_LOADS_PER_S: u64 = 200;
/// Keys loaded from the store at one time.
const STORE_LOADS_AT_ONCE: usize = 8;
/// Time one key, one pool or the self-test may take.
const STEP_MAX: Duration = Duration::from_secs(2);
/// Time between attempts to open the pools and to pass the self-test.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// Time between attempts to load the keys of a hot set that failed: the cache remembers an error for
/// a moment, and a store that just failed is not to be pressed.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);
/// Time between looks at the deadline.
const DEADLINE_INTERVAL: Duration = Duration::from_millis(100);

/// A step of the warm-up that failed.
#[derive(Debug, Error)]
#[error("warm-up: {0}")]
pub struct WarmError(pub String);

/// What there is to warm; called on the serving runtime.
pub trait WarmTarget: Send + Sync + 'static {
    /// Loads one key, `kind:id`, through the cache; false when there is no such thing.
    fn load(&self, key: String) -> BoxFuture<'_, Result<bool, WarmError>>;
    /// Opens the pools to their minimum; Ok when every shard answers.
    fn open_pools(&self) -> BoxFuture<'_, Result<(), WarmError>>;
    /// Runs the path of a payment once without effect.
    fn self_test(&self) -> BoxFuture<'_, Result<(), WarmError>>;
}

/// Works until the process ends.
pub(super) async fn run(shared: Arc<Shared>, target: Arc<dyn WarmTarget>) {
    tokio::join!(
        mind_deadline(&shared),
        check(&shared, target.as_ref()),
        load_hot_sets(&shared, &target)
    );
}

/// Note of a step that changed the state, for gate, metrics and log.
pub(super) fn note(shared: &Shared, advance: Advance) {
    if let Advance::To(state) = advance {
        let permille = shared.warm().permille();
        tracing::info!(?state, score_permille = permille, "warm state changed");
    }
    shared.warm_changed();
}

async fn mind_deadline(shared: &Shared) {
    let mut ticks = interval(DEADLINE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.warm().is_warm() {
        ticks.tick().await;
        let advance = shared.warm().step(shared.gate.uptime());
        if advance != Advance::Same {
            note(shared, advance);
        }
    }
}

async fn check(shared: &Shared, target: &dyn WarmTarget) {
    until_ok("open pools", || target.open_pools()).await;
    let pools = Checks {
        pools: true,
        self_test: false,
    };
    let advance = shared.warm().checked(shared.gate.uptime(), pools);
    note(shared, advance);
    until_ok("self-test", || target.self_test()).await;
    let all = Checks {
        pools: true,
        self_test: true,
    };
    let advance = shared.warm().checked(shared.gate.uptime(), all);
    note(shared, advance);
}

async fn until_ok<'a, F>(step: &'static str, mut attempt: F)
where
    F: FnMut() -> BoxFuture<'a, Result<(), WarmError>>,
{
    loop {
        match timeout(STEP_MAX, attempt()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(step, %error, "warm-up step failed; trying again"),
            Err(_) => tracing::warn!(step, "warm-up step took too long; trying again"),
        }
        sleep(RETRY_INTERVAL).await;
    }
}

async fn load_hot_sets(shared: &Shared, target: &Arc<dyn WarmTarget>) {
    let mut done = None;
    loop {
        let set = {
            let machine = shared.warm();
            machine
                .request()
                .filter(|request| Some(request.version) != done)
                .map(|request| (request.version, request.keys.clone()))
        };
        let Some((version, keys)) = set else {
            shared.warm_news.notified().await;
            continue;
        };
        load_set(shared, target, version, keys).await;
        done = Some(version);
    }
}

/// Loads a hot set until it scores or is replaced; keys that failed are asked for again.
async fn load_set(
    shared: &Shared,
    target: &Arc<dyn WarmTarget>,
    version: u64,
    mut keys: Vec<WarmKey>,
) {
    while shared.warm().version() == Some(version) {
        let mut failed = Vec::new();
        for chunk in keys.chunks(CHUNK_KEYS) {
            failed.extend(load_chunk(shared, target, version, chunk).await);
            if shared.warm().version() != Some(version) {
                return;
            }
        }
        if failed.is_empty() || shared.warm().score_reached() {
            return;
        }
        tracing::warn!(
            version,
            keys = failed.len(),
            "hot keys not loaded; trying again"
        );
        keys = failed;
        tokio::select! {
            () = sleep(RELOAD_INTERVAL) => {}
            // Maybe of this very set: compare the version.
            () = shared.warm_news.notified() => {}
        }
    }
}

/// Loads some keys and returns those that failed.
async fn load_chunk(
    shared: &Shared,
    target: &Arc<dyn WarmTarget>,
    version: u64,
    chunk: &[WarmKey],
) -> Vec<WarmKey> {
    let names: Vec<&str> = chunk.iter().map(|key| key.key.as_str()).collect();
    let present = shared.cache.prefetch(&names).await;
    let found = chunk.iter().zip(&present).filter(|(_, there)| **there);
    let weight = found
        .map(|(key, _)| key.weight.max(1))
        .fold(0, u64::saturating_add);
    let advance = shared.warm().loaded(shared.gate.uptime(), version, weight);
    note(shared, advance);
    let started = Instant::now();
    let missing = chunk.iter().zip(&present).filter(|(_, there)| !**there);
    // Owned keys: a stream of borrowing futures cannot be proven Send across the spawn.
    let missing: Vec<(usize, WarmKey)> = missing.map(|(key, _)| key.clone()).enumerate().collect();
    stream::iter(missing)
        .map(|(index, key)| async move {
            let turn = Duration::from_micros(index as u64 * 1_000_000 / STORE_LOADS_PER_S);
            tokio::time::sleep_until(started + turn).await;
            match timeout(STEP_MAX, target.load(key.key.clone())).await {
                // What does not exist needs no loading: its absence is what is cached.
                Ok(Ok(_)) => {
                    let now = shared.gate.uptime();
                    let advance = shared.warm().loaded(now, version, key.weight.max(1));
                    note(shared, advance);
                    return None;
                }
                Ok(Err(error)) => tracing::debug!(key = key.key, %error, "hot key not loaded"),
                Err(_) => tracing::debug!(key = key.key, "hot key took too long"),
            }
            Some(key)
        })
        .buffer_unordered(STORE_LOADS_AT_ONCE)
        .filter_map(|failed| async move { failed })
        .collect()
        .await
}
