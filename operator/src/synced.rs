//! Tells when every watch has filled its store once.
//!
//! A store's own `wait_until_ready` wakes only the one who asked last, and the controller asks, too;
//! so each watch reports here when its first list is done, and everybody waits here.

use std::{collections::BTreeSet, sync::Arc};

use futures::{Stream, StreamExt};
use kube::runtime::watcher;
use tokio::sync::watch;

/// The watches whose first list is not done yet.
#[derive(Clone, Debug)]
pub struct Synced {
    missing: Arc<watch::Sender<BTreeSet<&'static str>>>,
}

impl Default for Synced {
    fn default() -> Self {
        Self {
            missing: Arc::new(watch::Sender::new(BTreeSet::new())),
        }
    }
}

impl Synced {
    /// Counts a watch in and passes its events on; they must have gone through the store before.
    pub fn watching<K: Send + 'static>(
        &self,
        name: &'static str,
        events: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static,
    ) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static {
        self.missing.send_modify(|missing| {
            missing.insert(name);
        });
        let this = self.clone();
        events.inspect(move |event| {
            if let Ok(watcher::Event::InitDone) = event {
                this.missing
                    .send_if_modified(|missing| missing.remove(name));
            }
        })
    }

    /// Waits until nothing is missing; any number of tasks may wait.
    pub async fn wait(&self) {
        // The sender lives as long as this value, so waiting cannot fail.
        let _ = self.missing.subscribe().wait_for(BTreeSet::is_empty).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken() {
        let synced = Synced::default();
        let events = stream::iter([Ok(watcher::Event::<()>::Init), Ok(watcher::Event::InitDone)]);
        let events = synced.watching("pods", events);
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let synced = synced.clone();
                tokio::spawn(async move { synced.wait().await })
            })
            .collect();
        assert_eq!(events.count().await, 2);
        for waiter in waiters {
            waiter.await.unwrap();
        }
    }
}
