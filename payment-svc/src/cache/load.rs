//! One load: Redis, then the store, then what is kept where.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::time::timeout;

use super::entry::{Entry, Freshness, Value};
use super::flight::Lead;
use super::redis_tier::NoAnswer;
use super::{Cache, FetchError, Kind, LOAD_MAX, LoadError, Loaded};
use crate::metrics::{Outcome, Tier};

impl Cache {
    /// Loads a key for all who wait for it, and keeps it.
    pub(super) async fn load<L, F>(
        self: Arc<Self>,
        lead: Lead<Loaded>,
        kind: &'static Kind,
        loader: L,
    ) where
        L: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<Option<Bytes>, LoadError>> + Send + 'static,
    {
        let key = lead.key().to_owned();
        let generation = self.generation(&key).load(Ordering::Acquire);
        let started = self.clock.now();
        let value = timeout(LOAD_MAX, self.load_tiers(&key, kind, loader))
            .await
            .unwrap_or(Err(FetchError::TimedOut));
        let now = self.clock.now();
        let (entry, from_store) = match value {
            Ok((entry, from_store)) => (entry, from_store),
            Err(error) => {
                let delta = now.saturating_sub(started);
                (Entry::new(now, kind, Value::Failed(error), delta), false)
            }
        };
        self.keep(&key, &entry, generation);
        lead.land(entry.answer());
        if from_store && kind.shared {
            self.fill_redis(&key, kind, &entry, generation).await;
        }
    }

    /// Asks Redis, then the store; the flag says that the store answered.
    async fn load_tiers<L, F>(
        &self,
        key: &str,
        kind: &'static Kind,
        loader: L,
    ) -> Result<(Entry, bool), FetchError>
    where
        L: FnOnce() -> F,
        F: Future<Output = Result<Option<Bytes>, LoadError>>,
    {
        // Another flight may have landed between the look-up and this one's start.
        if let Some((Freshness::Fresh, entry)) = self.look_up(key)
            && !entry.is_error()
        {
            return Ok((entry, false));
        }
        let started = self.clock.now();
        if kind.shared
            && let Some(entry) = self.read_redis(key, kind).await
        {
            return Ok((entry, false));
        }
        let permit = self.store_loads.acquire().await;
        let loaded = loader().await;
        drop(permit);
        let outcome = if loaded.is_ok() {
            Outcome::Hit
        } else {
            Outcome::Error
        };
        self.metrics.cache(Tier::Store, outcome);
        let value = match loaded.map_err(FetchError::Load)? {
            Some(bytes) => Value::Present(bytes),
            None => Value::Absent,
        };
        let now = self.clock.now();
        let entry = Entry::new(now, kind, value, now.saturating_sub(started));
        Ok((entry, true))
    }

    /// Keeps what was loaded, unless the key was written or forgotten meanwhile.
    fn keep(&self, key: &str, entry: &Entry, generation: u64) {
        let current = || self.generation(key).load(Ordering::Acquire) == generation;
        if !current() {
            return;
        }
        let now = self.clock.now();
        let renewed = match (entry.is_error(), self.map.get(key)) {
            // An old value is better than a fresh error, until it is too old for anything.
            (true, Some(old)) if old.outlives(now) => old.put_off(now),
            _ => entry.clone(),
        };
        self.map.insert(key.to_owned(), renewed);
        // Whoever forgets the key after this line removes it himself.
        if !current() {
            self.map.remove(key);
        }
    }

    async fn read_redis(&self, key: &str, kind: &'static Kind) -> Option<Entry> {
        let redis = self.redis.as_ref()?;
        let (outcome, entry) = match redis.read(key).await {
            Ok(packed) => {
                let entry =
                    packed.and_then(|packed| Entry::unpack(self.clock.now(), kind, &packed));
                let outcome = if entry.is_some() {
                    Outcome::Hit
                } else {
                    Outcome::Miss
                };
                (outcome, entry)
            }
            Err(NoAnswer) => (Outcome::Error, None),
        };
        self.metrics.cache(Tier::L2, outcome);
        entry
    }

    /// Gives a value to the other pods.
    async fn fill_redis(&self, key: &str, kind: &Kind, entry: &Entry, generation: u64) {
        let (Some(redis), Some(packed)) = (&self.redis, entry.pack()) else {
            return;
        };
        redis
            .write(key, &packed, kind.redis_life(entry.is_absent()))
            .await;
        let current = self.generation(key).load(Ordering::Acquire);
        // Forgotten while it was on its way: take it back.
        if generation != current {
            redis.remove(key).await;
        }
    }
}
