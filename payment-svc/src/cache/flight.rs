//! One load per key at a time; everybody else waits for it.
//!
//! The load runs in a task of its own, so that no asker's going away ends it. If it panics, its
//! lead is dropped and those who wait get its error.
//! Invariant: a key has at most one lead; at most [`WAITERS_MAX`] wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Most who may wait for one key.
const WAITERS_MAX: usize = 1_000;

type Table<T> = Arc<Mutex<HashMap<String, watch::Sender<Option<T>>>>>;

/// Loads under way.
pub(super) struct Flights<T>(Table<T>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// What one who asks gets.
pub(super) enum Seat<T> {
    /// The first: he has to load.
    Leader(Lead<T>, Ticket<T>),
    /// One who waits.
    Passenger(Ticket<T>),
    /// Too many wait.
    Full,
}

/// A place in the wait for a load.
pub(super) struct Ticket<T>(watch::Receiver<Option<T>>);

impl<T: Clone> Ticket<T> {
    /// Waits for the load; none when it was lost.
    pub(super) async fn wait(mut self) -> Option<T> {
        let landed = self.0.wait_for(Option::is_some).await.ok()?;
        landed.clone()
    }
}

/// The duty to load a key; it ends by landing or by being dropped.
pub(super) struct Lead<T> {
    table: Table<T>,
    key: String,
}

impl<T> Lead<T> {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Gives everybody the result.
    pub(super) fn land(self, result: T) {
        if let Some(sender) = locked(&self.table).remove(&self.key) {
            sender.send_replace(Some(result));
        }
    }
}

impl<T> Drop for Lead<T> {
    fn drop(&mut self) {
        locked(&self.table).remove(&self.key);
    }
}

fn locked<T>(
    table: &Table<T>,
) -> std::sync::MutexGuard<'_, HashMap<String, watch::Sender<Option<T>>>> {
    // Nothing panics while it holds the table.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Flights<T> {
    /// Takes a seat in the load of a key.
    pub(super) fn join(&self, key: &str) -> Seat<T> {
        let mut table = locked(&self.0);
        if let Some(sender) = table.get(key) {
            if sender.receiver_count() >= WAITERS_MAX {
                return Seat::Full;
            }
            return Seat::Passenger(Ticket(sender.subscribe()));
        }
        let (sender, receiver) = watch::channel(None);
        table.insert(key.to_owned(), sender);
        Seat::Leader(self.lead_of(key), Ticket(receiver))
    }

    /// Takes the lead if nobody has it, to renew in the background.
    pub(super) fn lead(&self, key: &str) -> Option<Lead<T>> {
        let mut table = locked(&self.0);
        if table.contains_key(key) {
            return None;
        }
        table.insert(key.to_owned(), watch::channel(None).0);
        Some(self.lead_of(key))
    }

    fn lead_of(&self, key: &str) -> Lead<T> {
        Lead {
            table: Arc::clone(&self.0),
            key: key.to_owned(),
        }
    }
}
