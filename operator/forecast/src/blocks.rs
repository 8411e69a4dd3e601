//! The series as the models see it: averaged to training blocks, gaps filled, means by prefix sums.
//!
//! Blocks are aligned to the end of the series, so that a path made a minute later sees a full last
//! block. Filled values serve as inputs only; a block that was not observed is never a target. A run
//! of silence at a time of day that is never silent counts as not observed: an outage is no demand; nor
//! do hours in which nothing ever came.

use crate::{hours::Hours, series::Series, time::UnixMillis};

/// One-minute data are averaged to this before training, seconds.
const BLOCK_S: u32 = 300;
/// Gaps up to this are bridged by a straight line, seconds; longer ones take the day before.
const BRIDGE_S: u32 = 1_800;

/// Silence at least this long is an outage, seconds; shorter dips are believed.
const OUTAGE_S: u32 = 1_200;
/// Silence: below this share of the least value seen at the same time on neighbouring days.
const SILENCE_SHARE: f64 = 0.02;

/// Averaged, gap-filled series.
pub(crate) struct Blocks {
    end: UnixMillis,
    block_s: u32,
    /// Requests/s, filled; every value finite.
    filled: Vec<f64>,
    /// Whether the block was observed.
    seen: Vec<bool>,
    /// `sums[i]` is the sum of the first `i` filled values.
    sums: Vec<f64>,
    hours: Hours,
}

impl Blocks {
    /// Averages the last `window_s` seconds of a series.
    pub(crate) fn new(series: &Series, window_s: u32) -> Self {
        let per_block = (BLOCK_S / series.step_s()).max(1);
        let block_s = per_block * series.step_s();
        let width = usize::try_from(per_block).unwrap_or(1);
        let most = usize::try_from(window_s / block_s)
            .unwrap_or(usize::MAX)
            .max(1);
        let slots = series.slots();
        let mut means: Vec<f64> = slots.rchunks(width).take(most).map(mean).collect();
        means.reverse();
        mask_outages(&mut means, block_s);
        let hours = Hours::learn(&means, blocks_in(block_s, 86_400));
        let seen = means.iter().enumerate();
        let seen = seen.map(|(index, value)| !value.is_nan() && !hours.is_closed(index));
        let seen: Vec<bool> = seen.collect();
        let filled = fill(&hours.held(&means), block_s);
        let mut sums = Vec::with_capacity(filled.len() + 1);
        sums.push(0.0);
        for value in &filled {
            sums.push(sums[sums.len() - 1] + value);
        }
        Self {
            end: series.end(),
            block_s,
            filled,
            seen,
            sums,
            hours,
        }
    }

    /// What comes at a block, which may lie ahead, because it is in hours in which nothing ever
    /// came, requests/s; `None` outside of them.
    pub(crate) fn closed_rps(&self, index: usize) -> Option<f64> {
        let closed = self.hours.is_closed(index);
        closed.then_some(self.hours.most_rps())
    }

    pub(crate) fn len(&self) -> usize {
        self.filled.len()
    }

    pub(crate) fn last(&self) -> usize {
        self.filled.len().saturating_sub(1)
    }

    pub(crate) const fn end(&self) -> UnixMillis {
        self.end
    }

    pub(crate) const fn block_s(&self) -> u32 {
        self.block_s
    }

    /// Blocks in `seconds`, rounded, at least one.
    pub(crate) fn count_in(&self, seconds: u32) -> usize {
        blocks_in(self.block_s, seconds)
    }

    /// Observed value of a block, requests/s.
    pub(crate) fn observed(&self, index: usize) -> Option<f64> {
        let seen = self.seen.get(index).copied().unwrap_or(false);
        seen.then(|| self.filled[index])
    }

    /// Value of a block, filled where it was not observed.
    pub(crate) fn value(&self, index: usize) -> f64 {
        self.filled[index.min(self.last())]
    }

    /// Mean over the blocks `[from, to]`, cut to what exists.
    pub(crate) fn mean(&self, from: usize, to: usize) -> f64 {
        let to = to.min(self.last());
        let from = from.min(to);
        let count = to - from + 1;
        ((self.sums[to + 1] - self.sums[from]) / count as f64).max(0.0)
    }

    /// Seconds since the epoch at the end of a block, which may lie ahead of the last one.
    pub(crate) fn epoch_s(&self, index: usize) -> i64 {
        let behind = i64::try_from(self.last()).unwrap_or(0) - i64::try_from(index).unwrap_or(0);
        self.end
            .plus_s(-behind * i64::from(self.block_s))
            .0
            .div_euclid(1_000)
    }
}

fn blocks_in(block_s: u32, seconds: u32) -> usize {
    let half = block_s / 2;
    usize::try_from((seconds.saturating_add(half)) / block_s)
        .unwrap_or(1)
        .max(1)
}

fn mean(slots: &[f64]) -> f64 {
    let (sum, count) = slots
        .iter()
        .filter(|value| !value.is_nan())
        .fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 {
        f64::NAN
    } else {
        sum / f64::from(count)
    }
}

/// Masks runs of silence where the days around were not silent at the same time.
fn mask_outages(means: &mut [f64], block_s: u32) {
    let day = usize::try_from(86_400 / block_s).unwrap_or(1).max(1);
    let least = usize::try_from(OUTAGE_S.div_ceil(block_s)).unwrap_or(1);
    let silent: Vec<bool> = (0..means.len())
        .map(|at| is_silent(means, at, day))
        .collect();
    let mut index = 0;
    while index < silent.len() {
        let run = silent[index..].iter().take_while(|silent| **silent).count();
        // Silence that lasts until now may be the end of demand as well; it is believed.
        if run >= least && index + run < silent.len() {
            means[index..index + run].fill(f64::NAN);
        }
        index += run.max(1);
    }
}

/// Whether a block is far below the same time on at least two of the days around it.
fn is_silent(means: &[f64], index: usize, day: usize) -> bool {
    let at = |index: Option<usize>| index.and_then(|it| means.get(it)).filter(|it| !it.is_nan());
    let before = [1, 2, 7].map(|days| at(index.checked_sub(days * day)));
    let after = [1, 2].map(|days| at(index.checked_add(days * day)));
    let usual: Vec<f64> = before.into_iter().chain(after).flatten().copied().collect();
    let least = usual.iter().copied().fold(f64::INFINITY, f64::min);
    usual.len() >= 2 && means[index] < SILENCE_SHARE * least
}

fn fill(means: &[f64], block_s: u32) -> Vec<f64> {
    let day = usize::try_from(86_400 / block_s).unwrap_or(1).max(1);
    let bridge = usize::try_from(BRIDGE_S / block_s).unwrap_or(1);
    let mut filled = means.to_vec();
    let mut index = 0;
    while index < filled.len() {
        if !filled[index].is_nan() {
            index += 1;
            continue;
        }
        let gap = means[index..]
            .iter()
            .take_while(|value| value.is_nan())
            .count();
        let after = means.get(index + gap).copied();
        let before = index.checked_sub(1).map(|previous| filled[previous]);
        for offset in 0..gap {
            let earlier = (index + offset).checked_sub(day).map(|same| filled[same]);
            filled[index + offset] = match (before, after, earlier) {
                (Some(left), Some(right), _) if gap <= bridge => {
                    let share = (offset + 1) as f64 / (gap + 1) as f64;
                    left + (right - left) * share
                }
                (_, _, Some(yesterday)) => yesterday,
                (Some(left), _, None) => left,
                (None, right, None) => right.unwrap_or(0.0),
            };
        }
        index += gap;
    }
    filled
}
