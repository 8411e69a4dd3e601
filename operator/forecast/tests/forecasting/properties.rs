//! Finite, ordered, deterministic, equivariant to scale, blind to masked points.

use floodgate_forecast::{FitOptions, ForecastPath, Series, UnixMillis, fit};
use proptest::prelude::*;

use crate::traffic::{START, noise, rate_rps};

fn forecast(samples: &[(UnixMillis, f64)], step_s: u32) -> Option<ForecastPath> {
    let series = Series::from_samples(step_s, samples).ok()?;
    let model = fit(&series, &FitOptions::default()).expect("the default options are valid");
    Some(model.path(&series, 86_400))
}

fn any_rate() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => 0.0..1e4_f64,
        1 => Just(0.0),
        1 => prop::num::f64::ANY,
    ]
}

/// Samples with gaps, jumps and nonsense, over up to 30 days.
fn any_samples() -> impl Strategy<Value = Vec<(UnixMillis, f64)>> {
    let gap = prop_oneof![8 => Just(1_i64), 1 => 1_i64..20, 1 => 100_i64..3_000];
    prop::collection::vec((gap, any_rate()), 1..600).prop_map(|drawn| {
        let mut second = 0;
        let samples = drawn.into_iter().map(|(gap, rate)| {
            second += gap * 3_600;
            (START.plus_s(second), rate)
        });
        samples.collect()
    })
}

/// Plausible traffic of up to 21 days at one hour.
fn traffic() -> impl Strategy<Value = Vec<(UnixMillis, f64)>> {
    (1_i64..320, 0.0..0.5_f64, any::<u32>()).prop_map(|(count, share, seed)| {
        let rate = |index: i64| {
            let wobble = 1.0 + share * noise(index + i64::from(seed));
            rate_rps(index * 3_600) * wobble
        };
        (1..=count)
            .map(|index| (START.plus_s(index * 3_600), rate(index)))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_path_is_finite_and_ordered(samples in any_samples()) {
        if let Some(path) = forecast(&samples, 3_600) {
            let p99 = path.p99_rps().expect("a model knows its 99 % quantile");
            for ((p50, upper), p99) in path.p50_rps().iter().zip(path.upper_rps()).zip(p99) {
                prop_assert!(p50.is_finite() && upper.is_finite() && p99.is_finite());
                prop_assert!(0.0 <= *p50 && p50 <= upper && upper <= p99);
            }
            prop_assert_eq!(path.p50_rps().len(), 24);
        }
    }

    #[test]
    fn the_same_series_gives_the_same_path(samples in traffic()) {
        let first = forecast(&samples, 3_600);
        let shuffled: Vec<(UnixMillis, f64)> = samples.iter().rev().copied().collect();
        prop_assert_eq!(first, forecast(&shuffled, 3_600));
    }

    #[test]
    fn masked_points_at_the_end_change_nothing(
        samples in traffic(),
        masked in prop::collection::vec(
            prop::sample::select(vec![f64::NAN, f64::INFINITY, -1.0, 1e300]), 1..20
        ),
    ) {
        let mut longer = samples.clone();
        let end = samples.len();
        for (offset, rate) in masked.into_iter().enumerate() {
            let second = i64::try_from(end + 1 + offset).unwrap_or(0) * 3_600;
            longer.push((START.plus_s(second), rate));
        }
        prop_assert_eq!(forecast(&samples, 3_600), forecast(&longer, 3_600));
    }

    #[test]
    fn scaled_load_gives_a_scaled_path(samples in traffic(), power in -8..12_i32) {
        // A power of two scales without rounding, so that even ties are decided alike.
        let factor = 2.0_f64.powi(power);
        let scaled: Vec<(UnixMillis, f64)> =
            samples.iter().map(|(at, rate)| (*at, rate * factor)).collect();
        let paths = forecast(&samples, 3_600).zip(forecast(&scaled, 3_600));
        let Some((small, large)) = paths else { return Ok(()) };
        let all = |path: &ForecastPath| {
            let p99 = path.p99_rps().expect("a model knows its 99 % quantile");
            [path.p50_rps(), path.upper_rps(), p99].concat()
        };
        for (small, large) in all(&small).into_iter().zip(all(&large)) {
            prop_assert!((large - small * factor).abs() <= 1e-6 * large.abs(), "{small} to {large} by {factor}");
        }
    }
}
