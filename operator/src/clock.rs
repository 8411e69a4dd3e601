//! The only place where the operator reads a clock or draws a random number.
//!
//! Everything that decides takes the time as an argument; loops and steps take it from a [`Clock`]
//! so that tests can set it.
//! Invariant: no other module calls `Timestamp::now`, `Instant::now` or a random source.

use std::fmt::Write;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Duration;

use jiff::Timestamp;

/// Wall-clock time: the machine's, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds since the epoch when the clock is set by hand.
    by_hand_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `at` until it is moved.
    pub fn standing_at(at: Timestamp) -> Self {
        Self {
            by_hand_ms: Some(Arc::new(AtomicI64::new(at.as_millisecond()))),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.by_hand_ms {
            None => Timestamp::now(),
            Some(ms) => {
                Timestamp::from_millisecond(ms.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Moves a clock that was made with [`Clock::standing_at`]; the machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Some(ms) = &self.by_hand_ms {
            let step_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            ms.fetch_add(step_ms, Ordering::SeqCst);
        }
    }
}

/// `period` spread by up to `spread_permille` either way, so that many clusters or many operators
/// never ask one server in the same instant.
pub fn jittered(period: Duration, spread_permille: u32) -> Duration {
    let spread = f64::from(spread_permille.min(1_000)) / 1_000.0;
    period.mul_f64(1.0 + spread * (2.0 * rand::random::<f64>() - 1.0))
}

/// A fresh bearer token: 256 random bits in hexadecimal.
pub fn secret_token() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().fold(String::new(), |mut token, byte| {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// Seconds from `earlier` to `later`; negative when they are the other way round.
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.duration_since(earlier).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_by_hand() {
        let start = Timestamp::from_second(1_000).unwrap();
        let clock = Clock::standing_at(start);
        assert_eq!(clock.now(), start);
        clock.clone().advance(Duration::from_millis(1_500));
        assert!((seconds_between(start, clock.now()) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn jitter_stays_within_its_spread() {
        for _ in 0..1_000 {
            let period = jittered(Duration::from_secs(10), 200);
            assert!(period >= Duration::from_secs(8) && period <= Duration::from_secs(12));
        }
    }
}
