//! Requests with the same key that arrive while the first is in progress.
//!
//! A later request waits for the first and then reads its outcome from the ledger. Requests on
//! other pods meet at the payer's row lock instead; this only spares the shard the crowd.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::StoreError;

type AtWork = Arc<Mutex<HashMap<u64, watch::Receiver<()>>>>;

/// The keys in progress on this pod.
#[derive(Default)]
pub(super) struct SameKey {
    at_work: AtWork,
    hasher: RandomState,
}

/// Held by the first request of a key; its end wakes the others.
pub(super) struct First {
    at_work: AtWork,
    fingerprint: u64,
    _done: watch::Sender<()>,
}

impl SameKey {
    /// Returns at once for the first of a key, and for a later one when the first has ended.
    pub(super) async fn enter(
        &self,
        user_id: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<Option<First>, StoreError> {
        let fingerprint = self.hasher.hash_one((user_id, key));
        let first_done = {
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
        ended(first_done, deadline).await.map(|()| None)
    }

    /// Waits for the first of a key without becoming one: who only asks what became of a request
    /// must not make the request itself wait.
    pub(super) async fn wait(
        &self,
        user_id: &str,
        key: &str,
        deadline: Instant,
    ) -> Result<(), StoreError> {
        let fingerprint = self.hasher.hash_one((user_id, key));
        let at_work = {
            let at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
            at_work.get(&fingerprint).cloned()
        };
        match at_work {
            Some(first_done) => ended(first_done, deadline).await,
            None => Ok(()),
        }
    }
}

/// Waits for the end of a first. Nothing is ever sent: it ends by dropping its sender.
async fn ended(mut first_done: watch::Receiver<()>, deadline: Instant) -> Result<(), StoreError> {
    match timeout_at(deadline, first_done.changed()).await {
        Ok(_ended) => Ok(()),
        Err(_elapsed) => Err(StoreError::InProgress),
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.remove(&self.fingerprint);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[tokio::test]
    async fn p7_a_look_up_waits_for_a_payment_and_never_the_other_way_round() {
        let same_key = SameKey::default();
        same_key.wait("u", "k", soon()).await.unwrap();
        let first = same_key.enter("u", "k", soon()).await.unwrap();
        assert!(
            first.is_some(),
            "a look-up leaves the place of the first free"
        );
        let in_vain = same_key.wait("u", "k", Instant::now()).await;
        assert!(matches!(in_vain, Err(StoreError::InProgress)));
        let (waited, ()) = tokio::join!(same_key.wait("u", "k", soon()), async { drop(first) });
        waited.unwrap();
    }
}
