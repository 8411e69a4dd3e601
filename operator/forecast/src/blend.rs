//! Weights of a mixture: not negative, summing to one, chosen by the loss it would have had on rows
//! that none of its parts had seen.

/// Share of weight that moves at a time; halved until it is small.
const MOVES: [f64; 4] = [0.4, 0.2, 0.1, 0.05];

/// Weights of `count` parts with the least loss, found by moving weight between pairs of them.
///
/// A move must lower the loss by the share `gain_min`, which has to be above zero so that the search
/// ends; parts that are as good as each other keep equal weights.
pub(crate) fn weights(count: usize, gain_min: f64, loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut weights = vec![1.0 / count as f64; count];
    let mut least = loss(&weights);
    for amount in MOVES {
        let mut moved = true;
        while moved {
            moved = false;
            for from in 0..count {
                for to in 0..count {
                    let share = amount.min(weights[from]);
                    if from == to || share <= 0.0 {
                        continue;
                    }
                    let mut tried = weights.clone();
                    tried[from] -= share;
                    tried[to] += share;
                    let found = loss(&tried);
                    if found < least * (1.0 - gain_min) {
                        (weights, least, moved) = (tried, found, true);
                    }
                }
            }
        }
    }
    weights
}

/// The mixture of what each part said.
pub(crate) fn mixed(said: &[f64], weights: &[f64]) -> f64 {
    said.iter()
        .zip(weights)
        .map(|(said, weight)| said * weight)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{mixed, weights};

    #[test]
    fn the_part_that_is_right_gets_all_the_weight() {
        let loss = |tried: &[f64]| (mixed(&[3.0, 1.0, 9.0], tried) - 1.0).abs();
        let found = weights(3, 1e-4, loss);
        assert!(loss(&found) < 0.2, "{found:?}");
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_gain_too_small_moves_nothing() {
        let found = weights(2, 0.5, |tried| 1.0 - 0.1 * tried[0]);
        assert_eq!(found, [0.5, 0.5]);
    }
}
