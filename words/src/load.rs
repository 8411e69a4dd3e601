//! What can be a load at all.

/// Largest believable load, requests/s: past what the largest payment systems of the world see, so
/// anything above is a broken rule or a wrong unit (F05).
pub const LOAD_RPS_MAX: f64 = 1e8;

/// Whether a number can be a load, requests/s: not NaN, infinite, negative or absurdly large.
pub fn is_plausible(rps: f64) -> bool {
    (0.0..=LOAD_RPS_MAX).contains(&rps)
}
