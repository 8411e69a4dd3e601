//! Requests with the same key that arrive while the first is at work.
//!
//! A twin waits for the first and then asks the books, where it finds the first's outcome. Twins on
//! other pods meet at the payer's row lock instead; this only spares the shard the crowd.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::StoreError;

type AtWork = Arc<Mutex<HashMap<u64, watch::Receiver<()>>>>;

/// The keys at work on this pod.
#[derive(Default)]
pub(super) struct Twins {
    at_work: AtWork,
    hasher: RandomState,
}

/// Held by the first request of a key; its end wakes the twins.
pub(super) struct First {
    at_work: AtWork,
    fingerprint: u64,
    _done: watch::Sender<()>,
}

impl Twins {
    /// Returns at once for the first of a key, and for a twin when the first has ended.
    pub(super) async fn enter(
        &self,
        user_id: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<Option<First>, StoreError> {
        let fingerprint = self.hasher.hash_one((user_id, key));
        let mut first_done = {
            let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
            match at_work.entry(fingerprint) {
                Entry::Occupied(first) => first.get().clone(),
                Entry::Vacant(place) => {
                    let (done, receiver) = watch::channel(());
                    place.insert(receiver);
                    return Ok(Some(First {
                        at_work: Arc::clone(&self.at_work),
                        fingerprint,
                        _done: done,
                    }));
                }
            }
        };
        // Nothing is ever sent: the wait ends when the first drops its sender.
        match timeout_at(deadline, first_done.changed()).await {
            Ok(_ended) => Ok(None),
            Err(_elapsed) => Err(StoreError::InProgress),
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.remove(&self.fingerprint);
    }
}
