//! Learning the usual day from traces, each judged by a day that was learned without it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::HOURS;
use crate::{
    blocks::Blocks,
    prior::{Cold, PriorDay},
    series::Series,
    time::UnixMillis,
};

/// Ends of the ranges of lead, hours.
const LEADS_H: [u32; 5] = [1, 3, 6, 12, 24];
/// Quantiles kept, percent.
const PERCENTS: [u8; 5] = [50, 75, 90, 95, 99];
/// Hours of history the rules are judged at: too few to turn the usual day, and enough.
const FEW_H: [usize; 2] = [3, 6];
const ENOUGH_H: [usize; 3] = [12, 18, 24];
/// Origins of one trace, at most, so that a long trace does not outweigh the others.
const ORIGINS_MAX: usize = 150;
/// The usual day is turned so that its quietest three hours are around this one.
const QUIETEST_H: usize = 4;
const HOUR_S: i64 = 3_600;

/// How a cold start fares on a trace that its usual day was not learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColdScore {
    /// The trace.
    pub series: String,
    /// Hours of history that were known.
    pub hours: usize,
    /// Error over the next 24 h as a share of the load.
    pub wape: f64,
    /// The same when the mean of the last hour is taken for all of them.
    pub wape_flat: f64,
    /// Share of loads at or below the 95 % bound; none where no bound was learned yet.
    pub coverage: f64,
}

/// Hourly means by the hour since the epoch at which they end, requests per whatever unit.
type Hours = BTreeMap<i64, f64>;

/// The usual day of some traces, and how a cold start on each of them fares with what the others
/// taught. `None` when fewer than two traces hold a whole day.
pub fn learn_prior_day(traces: &[(String, Series)]) -> Option<(PriorDay, Vec<ColdScore>)> {
    let hourly: Vec<(String, Hours, [f64; HOURS])> = traces
        .iter()
        .filter_map(|(name, series)| {
            let hours = hours_of(series);
            let shape = shape_of(&hours)?;
            Some((name.clone(), hours, shape))
        })
        .collect();
    if hourly.len() < 2 {
        return None;
    }
    let shapes = |left_out: Option<usize>| {
        let shapes = hourly.iter().enumerate();
        let kept = shapes.filter(|(index, _)| Some(*index) != left_out);
        median_shape(&kept.map(|(_, (_, _, shape))| *shape).collect::<Vec<_>>())
    };
    let bare = |shape: [f64; HOURS]| PriorDay {
        series: hourly.iter().map(|(name, ..)| name.clone()).collect(),
        shape: shape.map(rounded).to_vec(),
        leads_h: LEADS_H.to_vec(),
        percents: PERCENTS.to_vec(),
        moment: Vec::new(),
        level: Vec::new(),
        turned: Vec::new(),
    };
    let trials: Vec<Vec<Trial>> = hourly
        .iter()
        .enumerate()
        .map(|(index, (_, hours, _))| trials(hours, &bare(shapes(Some(index)))))
        .collect();
    let with = |trials: &[&Trial], prior: PriorDay| PriorDay {
        moment: factors(trials, |trial| trial.hours == FEW_H[0], |point| point.flat),
        level: factors(
            trials,
            |trial| FEW_H.contains(&trial.hours),
            |point| point.said,
        ),
        turned: factors(
            trials,
            |trial| ENOUGH_H.contains(&trial.hours),
            |point| point.said,
        ),
        ..prior
    };
    let all: Vec<&Trial> = trials.iter().flatten().collect();
    let prior = with(&all, bare(shapes(None)));
    let mut scores = Vec::new();
    for (index, (name, ..)) in hourly.iter().enumerate() {
        let others = trials
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index);
        let others: Vec<&Trial> = others.flat_map(|(_, trials)| trials).collect();
        let judge = with(&others, bare(shapes(Some(index))));
        scores.extend(FEW_H.iter().chain(&ENOUGH_H).filter_map(|hours| {
            let own: Vec<&Trial> = trials[index]
                .iter()
                .filter(|one| one.hours == *hours)
                .collect();
            score(name, *hours, &own, &judge)
        }));
    }
    Some((prior, scores))
}

/// One cold start.
struct Trial {
    hours: usize,
    peak: f64,
    points: Vec<Point>,
}

/// What was said about one hour, and what came.
struct Point {
    lead_s: i64,
    said: f64,
    flat: f64,
    truth: f64,
}

fn trials(hours: &Hours, prior: &PriorDay) -> Vec<Trial> {
    let known: Vec<i64> = hours.keys().copied().collect();
    let inner = known.get(HOURS..known.len().saturating_sub(HOURS));
    let origins = inner.unwrap_or_default();
    let step = origins.len().div_ceil(ORIGINS_MAX).max(1);
    let mut trials = Vec::new();
    for origin in origins.iter().step_by(step) {
        for count in FEW_H.into_iter().chain(ENOUGH_H) {
            trials.extend(trial(hours, prior, *origin, count));
        }
    }
    trials
}

/// A cold start at `origin` with `count` hours known; `None` where one of them is missing.
fn trial(hours: &Hours, prior: &PriorDay, origin: i64, count: usize) -> Option<Trial> {
    let first = origin - i64::try_from(count).ok()? + 1;
    let samples: Option<Vec<(UnixMillis, f64)>> = (first..=origin)
        .map(|hour| Some((UnixMillis(hour * HOUR_S * 1_000), *hours.get(&hour)?)))
        .collect();
    let series = Series::from_samples(3_600, &samples?).ok()?;
    let blocks = Blocks::new(&series, 86_400);
    let cold = Cold::of(&blocks, prior);
    let flat = *hours.get(&origin)?;
    let ahead = (1..=24_i64).filter_map(|lead| Some((lead, *hours.get(&(origin + lead))?)));
    let points = ahead.map(|(lead, truth)| Point {
        lead_s: lead * HOUR_S,
        said: cold.at(lead * HOUR_S, 50).p50,
        flat,
        truth,
    });
    Some(Trial {
        hours: count,
        peak: series.peak_rps(),
        points: points.collect(),
    })
}

/// Load over forecast by lead and quantile.
fn factors(
    trials: &[&Trial],
    wanted: impl Fn(&Trial) -> bool,
    said: impl Fn(&Point) -> f64,
) -> Vec<Vec<f64>> {
    let mut start_h = 0;
    let by_lead = LEADS_H.map(|end_h| {
        let range = i64::from(start_h) * HOUR_S + 1..=i64::from(end_h) * HOUR_S;
        start_h = end_h;
        let points = trials.iter().filter(|trial| wanted(trial));
        let points = points.flat_map(|trial| &trial.points);
        let points = points.filter(|point| range.contains(&point.lead_s) && said(point) > 0.0);
        let mut ratios: Vec<f64> = points.map(|point| point.truth / said(point)).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let at = |percent: u8| {
            let rank = ratios.len() * usize::from(percent) / 100;
            let ratio = ratios.get(rank.min(ratios.len().saturating_sub(1)));
            rounded(ratio.copied().unwrap_or(1.0))
        };
        PERCENTS.map(at).to_vec()
    });
    by_lead.to_vec()
}

fn score(name: &str, hours: usize, trials: &[&Trial], judge: &PriorDay) -> Option<ColdScore> {
    let rule = if ENOUGH_H.contains(&hours) {
        &judge.turned
    } else {
        &judge.level
    };
    let (mut load, mut error, mut flat, mut covered, mut count) = (0.0, 0.0, 0.0, 0_u32, 0_u32);
    for trial in trials {
        for point in &trial.points {
            let upper = point.said * judge.factor(rule, point.lead_s, 95);
            load += point.truth;
            error += (point.said - point.truth).abs();
            flat += (point.flat - point.truth).abs();
            covered += u32::from(point.truth <= upper.max(trial.peak));
            count += 1;
        }
    }
    (load > 0.0).then(|| ColdScore {
        series: name.to_owned(),
        hours,
        wape: rounded(error / load),
        wape_flat: rounded(flat / load),
        coverage: rounded(f64::from(covered) / f64::from(count)),
    })
}

fn hours_of(series: &Series) -> Hours {
    let mut sums: BTreeMap<i64, (f64, u32)> = BTreeMap::new();
    for (at, value) in series.points() {
        let hour = -(-at.0.div_euclid(1_000)).div_euclid(HOUR_S);
        let (sum, count) = sums.entry(hour).or_default();
        *sum += value;
        *count += 1;
    }
    sums.into_iter()
        .map(|(hour, (sum, count))| (hour, sum / f64::from(count)))
        .collect()
}

/// The median day of a trace as shares of the mean, turned; `None` without a whole day.
fn shape_of(hours: &Hours) -> Option<[f64; HOURS]> {
    let mut shares: [Vec<f64>; HOURS] = Default::default();
    let first = hours.keys().next()?.div_euclid(24);
    let last = hours.keys().next_back()?.div_euclid(24);
    for day in first..=last {
        let whole: Option<Vec<f64>> = (0..24)
            .map(|hour| hours.get(&(day * 24 + hour)).copied())
            .collect();
        let Some(whole) = whole else { continue };
        let mean = whole.iter().sum::<f64>() / whole.len() as f64;
        if mean > 0.0 {
            for (shares, value) in shares.iter_mut().zip(&whole) {
                shares.push(value / mean);
            }
        }
    }
    if shares[0].is_empty() {
        return None;
    }
    let shape = shares.map(|mut shares| median(&mut shares));
    let around = |hour: usize| {
        [HOURS - 1, 0, 1]
            .map(|offset| shape[(hour + offset) % HOURS])
            .iter()
            .sum::<f64>()
    };
    let quietest = (0..HOURS).min_by(|left, right| around(*left).total_cmp(&around(*right)))?;
    Some(normal(std::array::from_fn(|hour| {
        shape[(hour + quietest + HOURS - QUIETEST_H) % HOURS]
    })))
}

fn median_shape(shapes: &[[f64; HOURS]]) -> [f64; HOURS] {
    normal(std::array::from_fn(|hour| {
        median(&mut shapes.iter().map(|shape| shape[hour]).collect::<Vec<_>>())
    }))
}

/// The same shape with a mean of 1, nowhere nearly nothing.
fn normal(shape: [f64; HOURS]) -> [f64; HOURS] {
    let mean = shape.iter().sum::<f64>() / HOURS as f64;
    shape.map(|share| (share / mean).max(0.01))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 1.0,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Three digits: more would only be noise in a file that people read.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
