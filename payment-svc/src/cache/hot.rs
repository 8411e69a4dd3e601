//! Which keys are asked for most: a space-saving counter with decay.
//!
//! It holds a bounded number of keys; a new one takes the place and the count of the least, so that
//! a key asked for more than 1/512 of the time cannot be missed. Counts are halved every ten
//! seconds, so that what was hot an hour ago is not.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use floodgate_contract::HotKey;

/// Keys counted.
const KEYS_MAX: usize = 512;
/// Time after which counts are halved.
const HALF_LIFE: Duration = Duration::from_secs(10);
/// Longest key that is counted, bytes; longer ones are somebody's nonsense.
const KEY_BYTES_MAX: usize = 128;

/// The counter.
#[derive(Debug, Default)]
pub(super) struct HotKeys(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_key: HashMap<String, u64>,
    halved_at: Duration,
}

impl HotKeys {
    /// One access.
    pub(super) fn touch(&self, key: &str) {
        if key.len() > KEY_BYTES_MAX {
            return;
        }
        let mut counts = self.counts();
        if let Some(count) = counts.by_key.get_mut(key) {
            *count += 1;
            return;
        }
        let inherited = if counts.by_key.len() < KEYS_MAX {
            0
        } else {
            let least = counts.by_key.iter().min_by_key(|(_, count)| **count);
            let Some((least, count)) = least.map(|(key, count)| (key.clone(), *count)) else {
                return;
            };
            counts.by_key.remove(&least);
            count
        };
        counts.by_key.insert(key.to_owned(), inherited + 1);
    }

    /// Halves the counts when it is time.
    pub(super) fn decay(&self, now: Duration) {
        let mut counts = self.counts();
        if now.saturating_sub(counts.halved_at) < HALF_LIFE {
            return;
        }
        counts.halved_at = now;
        counts.by_key.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
    }

    /// Those asked for most, most asked first.
    pub(super) fn top(&self, count: usize) -> Vec<HotKey> {
        let mut all: Vec<HotKey> = self
            .counts()
            .by_key
            .iter()
            .map(|(key, count)| HotKey {
                key: key.clone(),
                count: *count,
            })
            .collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
        all.truncate(count);
        all
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counts are statistics; a panic elsewhere leaves at worst one of them off by one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hot_keys_are_found_among_many_cold_ones_in_bounded_memory() {
        let hot = HotKeys::default();
        for round in 0..200 {
            for key in 0..20 {
                for _ in 0..(20 - key) {
                    hot.touch(&format!("merchant:hot-{key}"));
                }
            }
            for cold in 0..100 {
                hot.touch(&format!("account:cold-{round}-{cold}"));
            }
        }
        let top = hot.top(10);
        let names: Vec<&str> = top.iter().map(|hot| hot.key.as_str()).collect();
        let expected: Vec<String> = (0..10).map(|key| format!("merchant:hot-{key}")).collect();
        assert_eq!(names, expected);
        assert!(hot.counts().by_key.len() <= KEYS_MAX);
    }

    #[test]
    fn what_is_no_longer_asked_for_is_forgotten() {
        let hot = HotKeys::default();
        (0..100).for_each(|_| hot.touch("merchant:m-1"));
        for step in 1..=7 {
            hot.decay(HALF_LIFE * step);
        }
        assert!(hot.top(10).is_empty());
    }
}
