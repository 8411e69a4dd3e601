//! Capacity of a pod, learned from what pods were measured to do: CPU and queueing delay regressed
//! on load with linfa.
//!
//! Samples are gathered by load and only the median of each range counts, so that neither a burst
//! of odd samples nor the hours spent at one load bend the line. Too few ranges, too little spread
//! or a poor fit teach nothing, and what is taught stays within declared bounds.
//! Invariant: a pure function of the samples in the order of their arrival.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

use crate::input::Scaling;

/// Ranges of load up to the load at which a pod is declared full, and as many beyond.
const RANGES_TO_FULL: usize = 10;
const RANGES: usize = 2 * RANGES_TO_FULL;
/// Samples kept per range; at one every ten seconds the newest five minutes of that load.
const KEPT: usize = 32;
/// Samples a range needs before its median counts.
const SAMPLES_MIN: usize = 5;
/// Ranges that must count: with fewer a line through them says little.
const POINTS_MIN: usize = 4;
/// Distance between the least and the greatest load, as a share of the declared full load, below
/// which the slope is mostly noise.
const SPREAD_MIN: f64 = 0.3;
/// Share of the variance that a line must explain.
const FIT_MIN: f64 = 0.8;
/// Queueing delay at which a pod is full, milliseconds: the target of the service's own gate.
const QUEUE_TARGET_MS: f64 = 10.0;
/// Below this delay nothing queues, and the delays say nothing about capacity, milliseconds.
const QUEUE_SEEN_MS: f64 = 2.0;

/// What one warm pod at level Normal did over some seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CapacitySample {
    /// Requests that it admitted, requests/s.
    pub load_rps: f64,
    /// CPU used as a share of its limit, 0 to 1.
    pub cpu_share: f64,
    /// Queueing delay, milliseconds.
    pub queue_ms: f64,
}

/// A capacity that was learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedCapacity {
    /// Requests/s of one warm pod at target utilisation, within the bounds given.
    pub capacity_rps: f64,
    /// Samples it was learned from.
    pub samples: u32,
}

/// Samples of one cluster, bounded.
#[derive(Clone, Debug, Default)]
pub struct CapacityBook {
    /// Load at which a pod is declared full, requests/s; the ranges are parts of it.
    full_rps: f64,
    ranges: Vec<VecDeque<CapacitySample>>,
}

impl CapacityBook {
    /// Takes in a sample; one that is no plausible measurement is dropped. Samples of another
    /// declared capacity are forgotten, because their ranges no longer fit.
    pub fn note(&mut self, declared: &Scaling, sample: CapacitySample) {
        let CapacitySample {
            load_rps,
            cpu_share,
            queue_ms,
        } = sample;
        let full_rps = declared.full_rps();
        let plausible = |value: f64, most: f64| value.is_finite() && (0.0..=most).contains(&value);
        if !declared.has_capacity()
            || !plausible(load_rps, 100.0 * full_rps)
            || !plausible(cpu_share, 2.0)
            || !plausible(queue_ms, 600_000.0)
        {
            return;
        }
        if (self.full_rps - full_rps).abs() > f64::EPSILON * full_rps {
            self.full_rps = full_rps;
            self.ranges = vec![VecDeque::new(); RANGES];
        }
        let index = (load_rps / full_rps * RANGES_TO_FULL as f64) as usize;
        let range = &mut self.ranges[index.min(RANGES - 1)];
        if range.len() == KEPT {
            range.pop_front();
        }
        range.push_back(sample);
    }

    /// The capacity that the samples teach, moved into `bounds`; `None` while they do not.
    pub fn learned(
        &self,
        declared: &Scaling,
        bounds: &RangeInclusive<f64>,
    ) -> Option<LearnedCapacity> {
        let counted = || {
            self.ranges
                .iter()
                .filter(|range| range.len() >= SAMPLES_MIN)
        };
        let points: Vec<CapacitySample> = counted().map(median).collect();
        let (first, last) = (points.first()?, points.last()?);
        let spread_rps = last.load_rps - first.load_rps;
        if points.len() < POINTS_MIN || spread_rps < SPREAD_MIN * self.full_rps {
            return None;
        }
        let target = f64::from(declared.target_utilisation_percent.clamp(1, 100)) / 100.0;
        let by_cpu = line(points.iter().map(|one| (one.load_rps, one.cpu_share)))?;
        let mut capacity_rps = by_cpu.reaches(target)?;
        if points.iter().any(|one| one.queue_ms >= QUEUE_SEEN_MS)
            && let Some(by_queue) = line(points.iter().map(|one| (one.load_rps, one.queue_ms)))
            && let Some(full_rps) = by_queue.reaches(QUEUE_TARGET_MS)
        {
            capacity_rps = capacity_rps.min(full_rps * target);
        }
        let samples: usize = counted().map(VecDeque::len).sum();
        Some(LearnedCapacity {
            capacity_rps: capacity_rps.clamp(*bounds.start(), bounds.end().max(*bounds.start())),
            samples: u32::try_from(samples).unwrap_or(u32::MAX),
        })
    }
}

/// The median of each number by itself.
fn median(range: &VecDeque<CapacitySample>) -> CapacitySample {
    let middle = |number: fn(&CapacitySample) -> f64| {
        let mut values: Vec<f64> = range.iter().map(number).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    CapacitySample {
        load_rps: middle(|one| one.load_rps),
        cpu_share: middle(|one| one.cpu_share),
        queue_ms: middle(|one| one.queue_ms),
    }
}

/// A rising line that explains its points well.
struct Line {
    intercept: f64,
    slope: f64,
}

impl Line {
    /// The load at which the line reaches `value`, requests/s.
    fn reaches(&self, value: f64) -> Option<f64> {
        let load_rps = (value - self.intercept) / self.slope;
        (load_rps.is_finite() && load_rps > 0.0).then_some(load_rps)
    }
}

fn line(points: impl Iterator<Item = (f64, f64)>) -> Option<Line> {
    let (loads, values): (Vec<f64>, Vec<f64>) = points.unzip();
    let targets = Array1::from(values);
    let mean = targets.mean()?;
    let total: f64 = targets.iter().map(|value| (value - mean).powi(2)).sum();
    let matrix = Array2::from_shape_vec((loads.len(), 1), loads).ok()?;
    let model = LinearRegression::new()
        .fit(&Dataset::new(matrix.clone(), targets.clone()))
        .ok()?;
    let (intercept, slope) = (model.intercept(), *model.params().first()?);
    let missed: f64 = matrix
        .column(0)
        .iter()
        .zip(&targets)
        .map(|(load, value)| (value - intercept - slope * load).powi(2))
        .sum();
    let explains = total > 0.0 && 1.0 - missed / total >= FIT_MIN;
    (explains && slope > 0.0 && slope.is_finite() && intercept.is_finite())
        .then_some(Line { intercept, slope })
}
