//! Weights of the members of one lead bucket: not negative, summing to one, chosen by the absolute
//! error they would have made on rows that no member had seen.

/// What each member said beside the truth, in requests/s.
pub(crate) struct Judged {
    pub(crate) said_rps: Vec<f64>,
    pub(crate) truth_rps: f64,
}

/// Share of weight that moves at a time; halved until it is small.
const MOVES: [f64; 4] = [0.4, 0.2, 0.1, 0.05];
/// A move must lower the error by this share, so that the search ends.
const GAIN_MIN: f64 = 1e-4;

/// Weights with the least absolute error, found by moving weight between pairs of members.
pub(crate) fn weights(judged: &[Judged], members: usize) -> Vec<f64> {
    let mut weights = vec![1.0 / members as f64; members];
    let mut least = error(judged, &weights);
    for amount in MOVES {
        let mut moved = true;
        while moved {
            moved = false;
            for from in 0..members {
                for to in 0..members {
                    let share = amount.min(weights[from]);
                    if from == to || share <= 0.0 {
                        continue;
                    }
                    let mut tried = weights.clone();
                    tried[from] -= share;
                    tried[to] += share;
                    let found = error(judged, &tried);
                    if found < least * (1.0 - GAIN_MIN) {
                        (weights, least, moved) = (tried, found, true);
                    }
                }
            }
        }
    }
    weights
}

fn error(judged: &[Judged], weights: &[f64]) -> f64 {
    let off = judged.iter().map(|row| {
        let said: f64 = row
            .said_rps
            .iter()
            .zip(weights)
            .map(|(said, weight)| said * weight)
            .sum();
        (said - row.truth_rps).abs()
    });
    off.sum()
}
