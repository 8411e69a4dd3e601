//! What is read often and may be a little old: a map in this process, Redis behind it, the store
//! behind both.
//!
//! A key is loaded once at a time per process, however many ask for it; who asks for an old value
//! gets it at once while one load renews it; an error is shared by all who wait and remembered for
//! a moment; loads from the store are few at a time.
//! Invariant: no decision about money reads the cache; it may be emptied at any moment.
//! Invariant: without Redis everything works, and the store sees no more loads at one time than
//! [`CacheConfig::store_loads_at_once`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use floodgate_contract::{HotKey, Level};
use thiserror::Error;
use tokio::sync::Semaphore;

use self::entry::{Entry, Freshness};
use self::flight::{Flights, Seat};
use self::hot::HotKeys;
use self::redis_tier::RedisTier;
use crate::gate::{Clock, LevelWatch, fingerprint};
use crate::metrics::{Metrics, Outcome, Tier};

mod breaker;
mod entry;
mod flight;
mod hot;
pub mod kind;
mod load;
mod redis_tier;

pub use self::kind::Kind;

/// Time one load may take, all tiers together. A stalled store must not hold a key for ever.
const LOAD_MAX: Duration = Duration::from_millis(500);
/// Generations by hash of the key; a collision costs one value that is not kept.
const GENERATIONS: usize = 1_024;

/// Sizes and addresses of the cache.
#[derive(Clone)]
pub struct CacheConfig {
    /// Redis, `redis://host:port/`; none keeps everything in the process.
    pub url: Option<String>,
    /// Values the map in the process holds; some hundred bytes each.
    pub values_max: usize,
    /// Loads from the store at one time.
    pub store_loads_at_once: usize,
    /// Time a command to Redis may take.
    pub redis_timeout: Duration,
    /// Clock that ages the values.
    pub clock: Clock,
}

impl std::fmt::Debug for CacheConfig {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheConfig")
            .field("url", &self.url.is_some())
            .field("values_max", &self.values_max)
            .field("store_loads_at_once", &self.store_loads_at_once)
            .field("redis_timeout", &self.redis_timeout)
            .finish_non_exhaustive()
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            url: None,
            values_max: 20_000,
            store_loads_at_once: 8,
            redis_timeout: Duration::from_millis(50),
            clock: Clock::system(),
        }
    }
}

/// A load that failed in the store.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct LoadError(Arc<str>);

impl LoadError {
    /// Keeps the text of the cause: the error is shared by many and logged by one.
    pub fn new(cause: &dyn std::fmt::Display) -> Self {
        Self(cause.to_string().into())
    }
}

/// Why a value could not be had.
#[derive(Clone, Debug, Error)]
pub enum FetchError {
    /// The store failed, now or a moment ago.
    #[error("load a cached value")]
    Load(#[source] LoadError),
    /// The load took too long.
    #[error("a load took longer than {} ms", LOAD_MAX.as_millis())]
    TimedOut,
    /// Too many wait for this key already.
    #[error("too many wait for one key")]
    Crowded,
}

type Loaded = Result<Option<Bytes>, FetchError>;

/// The cache of one process.
pub struct Cache {
    clock: Clock,
    metrics: Arc<Metrics>,
    level: LevelWatch,
    map: quick_cache::sync::Cache<String, Entry>,
    flights: Flights<Loaded>,
    generations: Vec<AtomicU64>,
    redis: Option<RedisTier>,
    store_loads: Semaphore,
    hot: HotKeys,
}

impl Cache {
    /// A cache on the current runtime. Redis is connected in the background; a wrong address is
    /// logged and the cache works without.
    pub fn connect(config: CacheConfig, metrics: Arc<Metrics>, level: LevelWatch) -> Arc<Self> {
        let redis = config.url.as_deref().and_then(|url| {
            RedisTier::connect(url, config.redis_timeout, config.clock.clone())
                .inspect_err(|error| tracing::error!(%error, "the cache works without Redis"))
                .ok()
        });
        Arc::new(Self {
            clock: config.clock,
            metrics,
            level,
            map: quick_cache::sync::Cache::new(config.values_max),
            flights: Flights::default(),
            generations: (0..GENERATIONS).map(|_| AtomicU64::new(0)).collect(),
            redis,
            store_loads: Semaphore::new(config.store_loads_at_once),
            hot: HotKeys::default(),
        })
    }

    /// The value of a key; `None` when there is no such thing. `loader` asks the store and is only
    /// called when no tier knows, by one of all who ask at the time.
    pub async fn fetch<L, F>(
        self: &Arc<Self>,
        key: &str,
        kind: &'static Kind,
        loader: L,
    ) -> Result<Option<Bytes>, FetchError>
    where
        L: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<Option<Bytes>, LoadError>> + Send + 'static,
    {
        self.hot.touch(key);
        if let Some((freshness, entry)) = self.look_up(key) {
            self.metrics.cache(Tier::L1, Outcome::Hit);
            if freshness == Freshness::Old
                && let Some(lead) = self.flights.lead(key)
            {
                tokio::spawn(Arc::clone(self).load(lead, kind, loader));
            }
            return entry.answer();
        }
        self.metrics.cache(Tier::L1, Outcome::Miss);
        match self.flights.join(key) {
            Seat::Leader(lead, ticket) => {
                // Detached: whoever asked first may go away, the others still wait.
                tokio::spawn(Arc::clone(self).load(lead, kind, loader));
                ticket.wait().await
            }
            Seat::Passenger(ticket) => ticket.wait().await,
            Seat::Full => None,
        }
        .unwrap_or(Err(FetchError::Crowded))
    }

    /// Forgets a key here and in Redis; a load under way is answered but not kept.
    pub async fn invalidate(&self, key: &str) {
        self.generation(key).fetch_add(1, Ordering::AcqRel);
        self.map.remove(key);
        if let Some(redis) = &self.redis {
            redis.remove(key).await;
        }
    }

    /// Takes keys from Redis into the process, some hundred at once; says for each whether it is
    /// here now. The hottest keys of a new pod come this way, without touching the store.
    pub async fn prefetch(&self, keys: &[&str]) -> Vec<bool> {
        let now = self.clock.now();
        let shared = |key: &&str| kind::of(key).is_some_and(|kind| kind.shared);
        let asked: Vec<&str> = keys.iter().copied().filter(shared).collect();
        if let Some(redis) = &self.redis
            && !asked.is_empty()
        {
            for (key, found) in asked.iter().zip(redis.read_many(&asked).await) {
                let outcome = if found.is_some() {
                    Outcome::Hit
                } else {
                    Outcome::Miss
                };
                self.metrics.cache(Tier::L2, outcome);
                if let (Some(kind), Some(packed)) = (kind::of(key), found)
                    && let Some(entry) = Entry::unpack(now, kind, &packed)
                {
                    self.map.insert((*key).to_owned(), entry);
                }
            }
        }
        keys.iter()
            .map(|key| matches!(self.look_up(key), Some((Freshness::Fresh, _))))
            .collect()
    }

    /// The keys most asked for in the current window.
    pub fn hottest(&self, count: usize) -> Vec<HotKey> {
        self.hot.top(count)
    }

    /// Lets time pass for the counter of hot keys.
    pub fn tick(&self) {
        self.hot.decay(self.clock.now());
    }

    fn look_up(&self, key: &str) -> Option<(Freshness, Entry)> {
        let entry = self.map.get(key)?;
        let level = self.level.level();
        // Past capacity a value may be older, and nothing is renewed before it has to be.
        let patience = if level >= Level::Guard { 2 } else { 1 };
        let early = level < Level::Protect;
        match entry.freshness(self.clock.now(), patience, early) {
            Freshness::Gone => None,
            freshness => Some((freshness, entry)),
        }
    }

    fn generation(&self, key: &str) -> &AtomicU64 {
        &self.generations[fingerprint(key) as usize % GENERATIONS]
    }
}

#[cfg(test)]
mod tests;
