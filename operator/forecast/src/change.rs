//! Change points: a lasting jump of the level, after which older history misleads.
//!
//! Only a jump that splits the window far better than steady growth does counts, and only when
//! weeks have passed since to learn from; a younger jump is left to the level features.

use crate::{blocks::Blocks, view::Unit};

/// Days that must have passed since a change: with fewer, what a shorter window loses in rows is
/// worth more than what it sheds.
const DAYS_AFTER_MIN: usize = 21;
/// Days that must lie before it.
const DAYS_BEFORE_MIN: usize = 5;
/// Least jump of the daily level, as a factor.
const JUMP_MIN: f64 = 2.0;
/// The rest that two levels leave is at most this share of what a straight line leaves.
const REST_SHARE_MAX: f64 = 0.4;

/// Whole days since the newest lasting jump of the level; `None` without one.
pub(crate) fn days_since_jump(blocks: &Blocks, unit: Unit) -> Option<usize> {
    let day = blocks.count_in(86_400);
    // Newest day first.
    let levels: Vec<f64> = (0..blocks.len() / day)
        .map(|age| {
            let end = blocks.len() - age * day;
            unit.log(blocks.mean(end - day, end - 1))
        })
        .collect();
    let last = levels.len().checked_sub(DAYS_BEFORE_MIN)?;
    let rest = |split: usize| rest_of_mean(&levels[..split]) + rest_of_mean(&levels[split..]);
    let split =
        (DAYS_AFTER_MIN..=last).min_by(|left, right| rest(*left).total_cmp(&rest(*right)))?;
    let jump = (mean(&levels[..split]) - mean(&levels[split..])).abs();
    let lasting = rest(split) <= REST_SHARE_MAX * rest_of_line(&levels);
    (jump >= JUMP_MIN.ln() && lasting).then_some(split)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Squares that remain after the mean.
fn rest_of_mean(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// Squares that remain after a straight line.
fn rest_of_line(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mean = mean(values);
    let along = |index: usize| index as f64 - middle;
    let (mut product, mut square) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        product += along(index) * (value - mean);
        square += along(index).powi(2);
    }
    let slope = if square > 0.0 { product / square } else { 0.0 };
    let rest = values
        .iter()
        .enumerate()
        .map(|(index, value)| (value - mean - slope * along(index)).powi(2));
    rest.sum()
}
