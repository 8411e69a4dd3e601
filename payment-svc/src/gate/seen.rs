//! Which idempotency keys were seen of late: offered load counts a key once, however often it is
//! sent again, and a key known to be recorded is finished before anything new is started.
//!
//! Two generations of hashes; the older one is dropped when the younger is full or old enough.
//! Invariant: memory is bounded by two full generations whatever clients send.

use std::collections::HashSet;
use std::time::Duration;

/// Hashes of one generation; two of them hold about 2 MB.
const GENERATION_MAX: usize = 65_536;
/// A client that retries after this time is counted anew.
const GENERATION_LIFE: Duration = Duration::from_secs(30);

/// A bounded, forgetful set of 64-bit fingerprints.
#[derive(Debug, Default)]
pub(super) struct Seen {
    young: HashSet<u64>,
    old: HashSet<u64>,
    turned_at: Duration,
}

impl Seen {
    /// Adds a fingerprint; true when it was not known.
    pub(super) fn insert(&mut self, now: Duration, fingerprint: u64) -> bool {
        self.turn(now);
        let known = self.old.contains(&fingerprint);
        self.young.insert(fingerprint) && !known
    }

    /// Whether a fingerprint is known.
    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        self.young.contains(&fingerprint) || self.old.contains(&fingerprint)
    }

    fn turn(&mut self, now: Duration) {
        let age = now.saturating_sub(self.turned_at);
        if age < GENERATION_LIFE && self.young.len() < GENERATION_MAX {
            return;
        }
        if age >= 2 * GENERATION_LIFE {
            self.young.clear();
        }
        std::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        self.turned_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once_and_forgotten_after_two_generations() {
        let mut seen = Seen::default();
        let at = Duration::from_secs;
        assert!(seen.insert(at(0), 7));
        assert!(!seen.insert(at(1), 7));
        assert!(!seen.insert(at(31), 7), "known from the older generation");
        assert!(seen.contains(7));
        assert!(seen.insert(at(200), 7), "forgotten after a long silence");
    }

    #[test]
    fn memory_is_bounded_under_a_flood_of_keys() {
        let mut seen = Seen::default();
        for key in 0..10 * GENERATION_MAX as u64 {
            seen.insert(Duration::ZERO, key);
        }
        assert!(seen.young.len() + seen.old.len() <= 2 * GENERATION_MAX);
    }
}
