//! What a request says of itself when it asks to be let in.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use floodgate_contract::Class;

/// A request that wants in.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub(super) class: Class,
    pub(super) sub_key: u64,
    pub(super) once: Option<u64>,
    pub(super) attempt: u32,
    pub(super) deadline: Option<Duration>,
}

impl Ask {
    /// A request of a class; `sub_key` is the fingerprint of the user it is for, if known.
    pub const fn new(class: Class, sub_key: u64) -> Self {
        Self {
            class,
            sub_key,
            once: None,
            attempt: 1,
            deadline: None,
        }
    }

    /// Moves money, once for this fingerprint of a payer and a key: it counts as offered only the
    /// first time the fingerprint is seen.
    #[must_use]
    pub const fn once(mut self, key: u64) -> Self {
        self.once = Some(key);
        self
    }

    /// Which attempt of the client this is; only the first counts as offered.
    #[must_use]
    pub const fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Time left until the client gives up.
    #[must_use]
    pub const fn deadline(mut self, left: Duration) -> Self {
        self.deadline = Some(left);
        self
    }
}

/// Fingerprint of a key, an id or several of them; the same in every process of one build.
pub fn fingerprint<T: Hash + ?Sized>(what: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
