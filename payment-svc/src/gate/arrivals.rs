//! Who knocks: arrival rates by position, from most to least important.
//!
//! A position is class x 128 + sub-level; the cursor is a position, and what lies below it is let
//! in. The shape of the histogram is remembered for seconds (few requests spread over 512
//! positions), its total follows within some ticks, so that a step moves the cursor at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use floodgate_contract::Class;

/// Sub-levels of one class.
pub(super) const SUB_LEVELS: usize = 128;
/// Positions of all classes.
pub(super) const POSITIONS: usize = SUB_LEVELS * Class::ALL.len();

/// Memory of the histogram's shape.
const SHAPE_MEMORY_S: f64 = 2.0;
/// Memory of the total rate.
const TOTAL_MEMORY_S: f64 = 0.3;

/// Counts since the last tick; written by every request.
#[derive(Debug)]
pub(super) struct Knocks([AtomicU32; POSITIONS]);

impl Default for Knocks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU32::new(0)))
    }
}

impl Knocks {
    /// One request at a position.
    pub(super) fn add(&self, position: u32) {
        if let Some(count) = self.0.get(position as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the counts.
    pub(super) fn take(&self) -> Vec<u32> {
        self.0
            .iter()
            .map(|count| count.swap(0, Ordering::Relaxed))
            .collect()
    }
}

/// Arrival rates, requests per second.
#[derive(Debug)]
pub(super) struct Arrivals {
    shape: Vec<f64>,
    total_rps: f64,
    age_s: f64,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            shape: vec![0.0; POSITIONS],
            total_rps: 0.0,
            age_s: 0.0,
        }
    }
}

impl Arrivals {
    /// Takes in the counts of one tick of length `dt`.
    pub(super) fn tick(&mut self, dt: Duration, counts: &[u32]) {
        let dt_s = dt.as_secs_f64().max(1e-3);
        self.age_s += dt_s;
        let keep = (-dt_s / SHAPE_MEMORY_S).exp();
        let mut arrived = 0u64;
        for (rate, count) in self.shape.iter_mut().zip(counts) {
            *rate = *rate * keep + f64::from(*count);
            arrived += u64::from(*count);
        }
        let keep = (-dt_s / TOTAL_MEMORY_S.min(self.age_s)).exp();
        self.total_rps = self.total_rps * keep + arrived as f64 / dt_s * (1.0 - keep);
    }

    /// Requests per second of all classes.
    pub(super) fn total_rps(&self) -> f64 {
        self.total_rps
    }

    /// Requests per second below a position.
    pub(super) fn below_rps(&self, position: u32) -> f64 {
        let end = (position as usize).min(POSITIONS);
        self.shape[..end].iter().sum::<f64>() * self.scale()
    }

    /// Highest position below which at most `rps` arrive; all when everything fits.
    pub(super) fn position_of(&self, rps: f64) -> u32 {
        let scale = self.scale();
        let mut sum_rps = 0.0;
        for (position, rate) in self.shape.iter().enumerate() {
            sum_rps += rate * scale;
            if sum_rps > rps {
                return position as u32;
            }
        }
        POSITIONS as u32
    }

    fn scale(&self) -> f64 {
        let sum: f64 = self.shape.iter().sum();
        if sum > 0.0 { self.total_rps / sum } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_of_a_rate_follows_a_step_within_half_a_second() {
        let mut arrivals = Arrivals::default();
        let tick = Duration::from_millis(100);
        for _ in 0..50 {
            arrivals.tick(tick, &[1; POSITIONS]);
        }
        assert_eq!(arrivals.position_of(1e9), POSITIONS as u32);
        let half = arrivals.position_of(arrivals.total_rps() / 2.0);
        assert!((250..=258).contains(&half), "{half}");
        for _ in 0..5 {
            arrivals.tick(tick, &[2; POSITIONS]);
        }
        let quarter = arrivals.position_of(5_120.0 / 2.0);
        assert!((120..=160).contains(&quarter), "{quarter}");
    }

    #[test]
    fn rates_add_up_to_the_total() {
        let mut arrivals = Arrivals::default();
        let mut counts = vec![0; POSITIONS];
        counts[130] = 30;
        counts[400] = 10;
        arrivals.tick(Duration::from_millis(100), &counts);
        let all_rps = arrivals.below_rps(POSITIONS as u32);
        assert!((all_rps - arrivals.total_rps()).abs() < 1e-6);
        assert!((arrivals.below_rps(256) - 0.75 * all_rps).abs() < 1e-6);
    }
}
