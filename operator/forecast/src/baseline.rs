//! Seasonal naive as a forecast of its own: what every other forecast is measured against.

use crate::{path::ForecastPath, series::Series};

const DAY_S: i64 = 86_400;
/// Normal quantiles of 51..=99 percent are needed rarely; this one serves the common 95 %.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;

/// Repeats the last week, or the last day when the window holds less than two weeks; the upper
/// 95 % quantile lies 1.645 standard deviations of the repetition's own errors above.
///
/// Looks at the newest `window_s` seconds only. `None` when no season has been observed.
pub fn seasonal_naive(series: &Series, window_s: u32, horizon_s: u32) -> Option<ForecastPath> {
    let step_s = i64::from(series.step_s());
    let slots = series.slots();
    let most = usize::try_from(i64::from(window_s) / step_s).ok()?;
    let slots = &slots[slots.len().saturating_sub(most)..];
    let day = usize::try_from(DAY_S / step_s).ok()?.max(1);
    let season = if slots.len() >= 14 * day {
        7 * day
    } else {
        day
    };
    let errors: Vec<f64> = slots
        .iter()
        .skip(season)
        .zip(slots)
        .map(|(now, before)| now - before)
        .filter(|error| !error.is_nan())
        .collect();
    let above = NORMAL_95 * deviation(&errors)?;
    let count = usize::try_from(i64::from(horizon_s).div_euclid(step_s))
        .ok()?
        .max(1);
    let repeated = |lead: usize| {
        let first = season * lead.div_ceil(season);
        (first..=slots.len() + lead)
            .step_by(season)
            .filter_map(|lag| {
                slots
                    .get((slots.len() + lead - 1).checked_sub(lag)?)
                    .copied()
            })
            .find(|value| !value.is_nan())
    };
    let p50: Option<Vec<f64>> = (1..=count).map(repeated).collect();
    let p50 = p50?;
    let upper = p50.iter().map(|value| value + above).collect();
    let start = series.end().plus_s(step_s);
    ForecastPath::new(
        start,
        series.step_s(),
        95,
        "seasonal-naive".to_owned(),
        p50,
        upper,
    )
}

/// Standard deviation around the mean; `None` with fewer than two values.
fn deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (count - 1.0)).sqrt())
}
