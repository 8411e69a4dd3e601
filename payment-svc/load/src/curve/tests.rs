use proptest::prelude::*;

use super::*;

fn curve(points: &[(f64, f64, Ramp)], end_s: f64) -> RateCurve {
    let points = points
        .iter()
        .map(|&(t_s, rps, ramp)| RatePoint { t_s, rps, ramp })
        .collect();
    RateCurve::new(points, end_s).unwrap()
}

#[test]
fn a_step_and_a_line_have_their_areas() {
    let curve = curve(
        &[
            (0.0, 40.0, Ramp::Step),
            (10.0, 400.0, Ramp::Linear),
            (20.0, 0.0, Ramp::Step),
        ],
        30.0,
    );
    assert!((curve.total() - 2400.0).abs() < 1e-9);
    assert!((curve.requests_until(10.0) - 400.0).abs() < 1e-9);
    assert!((curve.rps_at(15.0) - 200.0).abs() < 1e-9);
    assert!((curve.rps_at(9.999) - 40.0).abs() < 1e-9);
    assert!(curve.rps_at(30.0).abs() < f64::EPSILON);
}

#[test]
fn nothing_is_sent_before_the_first_point_or_while_the_rate_is_zero() {
    let curve = curve(
        &[
            (5.0, 10.0, Ramp::Step),
            (6.0, 0.0, Ramp::Step),
            (9.0, 10.0, Ramp::Step),
        ],
        10.0,
    );
    let arrivals: Vec<f64> = curve
        .arrivals(Spacing::Poisson, 3)
        .map(|at| at.as_secs_f64())
        .collect();
    assert!(
        arrivals
            .iter()
            .all(|at| (5.0..=6.0).contains(at) || (9.0..10.0).contains(at))
    );
    assert!(curve.rps_at(1.0).abs() < f64::EPSILON);
}

#[test]
fn bad_points_are_refused_by_index() {
    let step = RatePoint::step;
    for (points, end_s, error) in [
        (vec![], 1.0, CurveError::Empty),
        (vec![step(-1.0, 1.0)], 1.0, CurveError::Time { index: 0 }),
        (
            vec![step(0.0, 1.0), step(0.0, 2.0)],
            1.0,
            CurveError::Time { index: 1 },
        ),
        (
            vec![step(0.0, 1.0), step(f64::NAN, 2.0)],
            1.0,
            CurveError::Time { index: 1 },
        ),
        (vec![step(0.0, -1.0)], 1.0, CurveError::Rate { index: 0 }),
        (
            vec![step(0.0, f64::INFINITY)],
            1.0,
            CurveError::Rate { index: 0 },
        ),
        (
            vec![step(2.0, 1.0)],
            2.0,
            CurveError::End {
                end_s: 2.0,
                last_s: 2.0,
            },
        ),
    ] {
        assert_eq!(RateCurve::new(points, end_s), Err(error));
    }
}

#[test]
fn poisson_gaps_have_the_mean_and_the_spread_of_independent_people() {
    let curve = curve(&[(0.0, 100.0, Ramp::Step)], 500.0);
    let arrivals: Vec<f64> = curve
        .arrivals(Spacing::Poisson, 7)
        .map(|at| at.as_secs_f64())
        .collect();
    let gaps: Vec<f64> = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let spread =
        (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
    assert!((mean - 0.01).abs() < 0.0003, "{mean}");
    assert!((spread / mean - 1.0).abs() < 0.05, "{spread}");
}

fn any_curve() -> impl Strategy<Value = RateCurve> {
    let segment = (0.1..20.0, 0.0..300.0, prop::bool::ANY);
    (prop::collection::vec(segment, 1..8), 0.1..20.0).prop_map(|(segments, last_s)| {
        let mut t_s = 0.0;
        let points = segments.into_iter().map(|(length_s, rps, linear)| {
            let ramp = if linear { Ramp::Linear } else { Ramp::Step };
            let point = RatePoint { t_s, rps, ramp };
            t_s += length_s;
            point
        });
        let points: Vec<RatePoint> = points.collect();
        RateCurve::new(points, t_s + last_s).unwrap()
    })
}

proptest! {
    #[test]
    fn with_even_spacing_the_count_is_the_rounded_integral(curve in any_curve()) {
        let count = curve.arrivals(Spacing::Even, 1).count() as f64;
        prop_assert!((count - curve.total()).abs() <= 0.5 + 1e-6, "{count} {}", curve.total());
    }

    #[test]
    fn with_poisson_spacing_the_count_is_the_integral_within_six_deviations(
        curve in any_curve(), seed in any::<u64>(),
    ) {
        let count = curve.arrivals(Spacing::Poisson, seed).count() as f64;
        prop_assert!((count - curve.total()).abs() <= 6.0 * curve.total().sqrt() + 6.0);
    }

    #[test]
    fn arrivals_are_in_order_and_inside_the_curve(curve in any_curve(), seed in any::<u64>()) {
        let arrivals: Vec<Duration> = curve.arrivals(Spacing::Poisson, seed).collect();
        prop_assert!(arrivals.is_sorted());
        prop_assert!(arrivals.iter().all(|at| at.as_secs_f64() <= curve.end_s()));
    }

    #[test]
    fn the_second_of_a_request_inverts_the_integral(curve in any_curve(), share in 0.0..0.999) {
        let requests = curve.total() * share;
        if let Some(t_s) = curve.second_of(requests) {
            let back = curve.requests_until(t_s);
            prop_assert!((back - requests).abs() < 1e-6 * curve.total().max(1.0), "{back}");
        }
    }
}
