//! Chance that depends on the seed and the instant only, so that every policy meets the same.

/// A number in `[0, 1)` for a place in a sequence of its own (`lane`).
pub(super) fn unit(seed: u64, lane: u64, index: u64) -> f64 {
    let mixed = splitmix(seed ^ splitmix(lane ^ splitmix(index)));
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number of mean 0 and variance 1, within plus and minus 3.5: the sum of four uniform ones.
pub(super) fn noise(seed: u64, lane: u64, index: u64) -> f64 {
    let mixed = splitmix(seed ^ splitmix(lane ^ splitmix(index)));
    let part = |shift: u32| ((mixed >> shift) & 0xffff) as f64 / 65_536.0;
    // The variance of four uniform numbers is a third.
    (part(0) + part(16) + part(32) + part(48) - 2.0) * 3.0_f64.sqrt()
}

/// Instants of something that happens `per_day` times a day on average, within `[0, span_s)`.
pub(super) fn instants_s(seed: u64, lane: u64, per_day: f64, span_s: i64) -> Vec<i64> {
    let mut instants = Vec::new();
    if per_day.is_nan() || per_day <= 0.0 {
        return instants;
    }
    let mut at_s = 0.0;
    for index in 0.. {
        at_s -= (1.0 - unit(seed, lane, index)).ln() * 86_400.0 / per_day;
        // A second at least between two of them bounds the number.
        at_s += 1.0;
        if at_s >= span_s as f64 {
            break;
        }
        instants.push(at_s as i64);
    }
    instants
}

/// The finaliser of `SplitMix64`.
const fn splitmix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
