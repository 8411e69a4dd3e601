//! A cached value and how it ages.
//!
//! Two ages: from the soft one on it is handed out and renewed, from the hard one on it is gone.
//! Before the soft age a reader may renew early, the likelier the nearer it is and the longer the
//! load took, so that a key asked for ten thousand times a second is not renewed by a crowd.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rand::Rng;

use super::{FetchError, Kind};

/// Time an error is handed out to those who ask again, spread so that they do not come together.
const ERROR_LIFE_MS: std::ops::Range<u64> = 100..300;
/// Share by which soft ages are spread.
const SPREAD: std::ops::Range<f64> = 0.85..1.15;
const PRESENT: u8 = 1;
const ABSENT: u8 = 0;

/// What is known of a key.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Present(Bytes),
    Absent,
    Failed(FetchError),
}

/// How old a value is for the purpose of handing it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Hand it out.
    Fresh,
    /// Hand it out and renew it.
    Old,
    /// Do not hand it out.
    Gone,
}

/// A value with its ages; times of the cache's clock.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    value: Value,
    built_at: Duration,
    soft: Duration,
    hard: Duration,
    /// Time the load took.
    delta: Duration,
}

impl Entry {
    pub(super) fn new(now: Duration, kind: &Kind, value: Value, delta: Duration) -> Self {
        let spread = rand::rng().random_range(SPREAD);
        let (soft, hard) = match &value {
            Value::Present(_) => (kind.soft.mul_f64(spread), kind.hard),
            Value::Absent => (kind.absent, kind.absent),
            Value::Failed(_) => {
                let life = Duration::from_millis(rand::rng().random_range(ERROR_LIFE_MS));
                (life, life)
            }
        };
        Self {
            value,
            built_at: now,
            soft,
            hard,
            delta,
        }
    }

    /// Age as seen by a reader; `patience` stretches the soft age, never the hard one.
    pub(super) fn freshness(&self, now: Duration, patience: u32, early: bool) -> Freshness {
        let age = now.saturating_sub(self.built_at);
        if age >= self.hard {
            return Freshness::Gone;
        }
        let left = (self.soft * patience).saturating_sub(age);
        if left.is_zero() {
            return Freshness::Old;
        }
        let renewable = matches!(self.value, Value::Present(_));
        if early && renewable {
            let luck: f64 = rand::rng().random_range(f64::EPSILON..1.0);
            if self.delta.mul_f64(-luck.ln()) >= left {
                return Freshness::Old;
            }
        }
        Freshness::Fresh
    }

    /// What a reader gets.
    pub(super) fn answer(&self) -> Result<Option<Bytes>, FetchError> {
        match &self.value {
            Value::Present(bytes) => Ok(Some(bytes.clone())),
            Value::Absent => Ok(None),
            Value::Failed(error) => Err(error.clone()),
        }
    }

    pub(super) fn is_error(&self) -> bool {
        matches!(self.value, Value::Failed(_))
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.value, Value::Absent)
    }

    /// Whether it is worth more than an error.
    pub(super) fn outlives(&self, now: Duration) -> bool {
        !self.is_error() && now.saturating_sub(self.built_at) < self.hard
    }

    /// The same value, next renewed after a moment; its hard age stays.
    pub(super) fn put_off(mut self, now: Duration) -> Self {
        let moment = Duration::from_millis(rand::rng().random_range(ERROR_LIFE_MS));
        self.soft = now.saturating_sub(self.built_at) + moment;
        self.delta = Duration::ZERO;
        self
    }

    /// The form in Redis: a tag, the time it was built, the bytes. Errors are not shared.
    pub(super) fn pack(&self) -> Option<Vec<u8>> {
        let (tag, bytes): (u8, &[u8]) = match &self.value {
            Value::Present(bytes) => (PRESENT, bytes),
            Value::Absent => (ABSENT, &[]),
            Value::Failed(_) => return None,
        };
        let mut packed = Vec::with_capacity(9 + bytes.len());
        packed.push(tag);
        packed.extend_from_slice(&wall_ms().to_be_bytes());
        packed.extend_from_slice(bytes);
        Some(packed)
    }

    /// Reads what another pod wrote; none when it is of another form or too old.
    pub(super) fn unpack(now: Duration, kind: &Kind, packed: &[u8]) -> Option<Self> {
        let (tag, rest) = packed.split_first()?;
        let (built, bytes) = rest.split_first_chunk::<8>()?;
        let value = match *tag {
            PRESENT => Value::Present(Bytes::copy_from_slice(bytes)),
            ABSENT => Value::Absent,
            _ => return None,
        };
        let mut entry = Self::new(now, kind, value, Duration::ZERO);
        // Clocks of pods differ: an age below zero is zero, and Redis's own expiry decides.
        let age = Duration::from_millis(wall_ms().saturating_sub(u64::from_be_bytes(*built)));
        if age >= entry.hard {
            return None;
        }
        entry.soft = entry.soft.saturating_sub(age);
        entry.hard -= age;
        Some(entry)
    }
}

fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| {
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
        })
}

#[cfg(test)]
mod tests {
    use super::super::kind;
    use super::*;

    fn present(delta: Duration) -> Entry {
        let value = Value::Present(Bytes::from_static(b"v"));
        Entry::new(Duration::ZERO, &kind::MERCHANT, value, delta)
    }

    #[test]
    fn a_value_is_fresh_then_old_then_gone() {
        let entry = present(Duration::ZERO);
        let at = |s| entry.freshness(Duration::from_secs(s), 1, true);
        assert_eq!(at(1), Freshness::Fresh);
        assert_eq!(at(70), Freshness::Old);
        assert_eq!(at(600), Freshness::Gone);
        assert_eq!(
            entry.freshness(Duration::from_secs(80), 2, true),
            Freshness::Fresh,
            "a degraded pod waits twice as long before it renews"
        );
        assert_eq!(
            entry.freshness(Duration::from_mins(10), 2, true),
            Freshness::Gone
        );
    }

    #[test]
    fn g10_readers_renew_early_the_likelier_the_nearer_the_soft_age() {
        let entry = present(Duration::from_secs(1));
        let share = |before_s: u64| {
            let now = entry.soft.saturating_sub(Duration::from_secs(before_s));
            let early = (0..2_000).filter(|_| entry.freshness(now, 1, true) == Freshness::Old);
            early.count()
        };
        assert!(share(40) < 5);
        let one_delta_before = share(1);
        assert!(
            (600..900).contains(&one_delta_before),
            "{one_delta_before}: 37 % expected"
        );
        let now = entry.soft.saturating_sub(Duration::from_secs(1));
        assert!((0..500).all(|_| entry.freshness(now, 1, false) == Freshness::Fresh));
    }

    #[test]
    fn an_error_lives_a_tenth_to_a_third_of_a_second() {
        for _ in 0..200 {
            let value = Value::Failed(FetchError::TimedOut);
            let entry = Entry::new(Duration::ZERO, &kind::MERCHANT, value, Duration::ZERO);
            let at = |ms| entry.freshness(Duration::from_millis(ms), 1, true);
            assert_eq!(at(99), Freshness::Fresh);
            assert_eq!(at(300), Freshness::Gone);
            assert!(
                entry.pack().is_none(),
                "errors are not shared with other pods"
            );
        }
    }

    #[test]
    fn what_another_pod_wrote_is_read_and_garbage_is_not() {
        let packed = present(Duration::ZERO).pack().expect("a value");
        let read = |packed: &[u8]| Entry::unpack(Duration::ZERO, &kind::MERCHANT, packed);
        let entry = read(&packed).expect("read");
        assert_eq!(
            entry.answer().expect("value").as_deref(),
            Some(b"v".as_slice())
        );
        assert!(read(b"").is_none());
        assert!(read(b"\x01short").is_none());
        assert!(read(b"\x07xxxxxxxxv").is_none());
    }
}
