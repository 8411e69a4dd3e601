use std::fmt::Write as _;

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

#[test]
fn the_sale_steps_at_t0_and_comes_down_again() {
    let sale = SaleShape {
        base_rps: 40.0,
        t0_s: 100.0,
        step_factor: 10.0,
        step_s: 120.0,
        wave_rps: 1200.0,
        wave_s: 60.0,
        after_s: 40.0,
    };
    let curve = sale.curve().unwrap();
    for (t_s, rps) in [(99.9, 40.0), (100.0, 400.0), (220.0, 1200.0), (280.0, 40.0)] {
        assert!((curve.rps_at(t_s) - rps).abs() < 1e-9, "{t_s}");
    }
    assert!((curve.end_s() - 320.0).abs() < 1e-9);
}

#[test]
fn the_daily_curve_keeps_its_mean_over_a_week_and_its_seed() {
    let from: jiff::Timestamp = "2026-11-02T00:00:00Z".parse().unwrap();
    let to: jiff::Timestamp = "2026-11-09T00:00:00Z".parse().unwrap();
    let daily = DailyCurve::around(40.0, 1);
    let series = daily.series(from, to, 300);
    assert_eq!(series.len(), 7 * 288);
    let mean = series.iter().filter_map(|sample| sample.value).sum::<f64>() / series.len() as f64;
    assert!((mean / 40.0 - 1.0).abs() < 0.03, "{mean}");
    assert_eq!(series, daily.series(from, to, 300));
    let night = daily.rps_at("2026-11-03T04:00:00Z".parse().unwrap());
    let evening = daily.rps_at("2026-11-03T18:00:00Z".parse().unwrap());
    assert!(evening > 2.0 * night, "{night} {evening}");
}

fn trace(rows: &str) -> Result<Trace, TraceError> {
    Trace::parse(&format!("timestamp,value\n{rows}"))
}

#[test]
fn a_blank_value_is_missing_and_not_zero() {
    let trace = trace("2020-01-01T00:00:00Z,1\n2020-01-01T00:01:00Z,\r\n2020-01-01T00:02:00Z,0\n");
    let values: Vec<_> = trace
        .unwrap()
        .samples()
        .iter()
        .map(|sample| sample.value)
        .collect();
    assert_eq!(values, [Some(1.0), None, Some(0.0)]);
}

/// B37: an imported series names the line that is wrong.
#[test]
fn a_bad_row_is_named_by_its_line() {
    let good = "2020-01-01T00:00:00Z,1\n";
    for (row, error) in [
        ("2020-01-01T00:01:00Z", TraceError::Columns { line: 3 }),
        ("2020-01-01T00:01:00Z,1,2", TraceError::Columns { line: 3 }),
        ("yesterday,1", TraceError::Timestamp { line: 3 }),
        ("2020-01-01T00:01:00,1", TraceError::Timestamp { line: 3 }),
        ("2020-01-01T00:00:00Z,1", TraceError::Order { line: 3 }),
        ("2019-01-01T00:00:00Z,1", TraceError::Order { line: 3 }),
        ("2020-01-01T00:01:00Z,-1", TraceError::Value { line: 3 }),
        ("2020-01-01T00:01:00Z,NaN", TraceError::Value { line: 3 }),
        ("2020-01-01T00:01:00Z,many", TraceError::Value { line: 3 }),
    ] {
        assert_eq!(trace(&format!("{good}{row}\n")), Err(error));
    }
    assert_eq!(trace(good), Err(TraceError::TooShort));
    assert_eq!(Trace::parse("time,count\n"), Err(TraceError::Header));
    assert_eq!(Trace::parse(""), Err(TraceError::Header));
}

#[test]
fn a_trace_becomes_a_history_with_the_same_hours_and_the_wanted_median() {
    let start: jiff::Timestamp = "1998-05-04T00:00:00Z".parse().unwrap();
    let mut rows = String::new();
    for hour in 0..(24 * 21) {
        let at = start + jiff::SignedDuration::from_hours(hour);
        let missing = (100..105).contains(&hour);
        let value = if missing {
            String::new()
        } else {
            (10 + hour % 24).to_string()
        };
        writeln!(rows, "{at},{value}").unwrap();
    }
    let end: jiff::Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
    let history = trace(&rows).unwrap().history(end, 14 * 86_400, 300, 40.0);
    assert_eq!(history.len(), 14 * 288);
    let last = history.last().unwrap();
    assert!(last.timestamp < end);
    // The last sample is the hour from 04:00, worth 14 of a median of 22.
    assert!(
        (last.value.unwrap() - 14.0 * 40.0 / 22.0).abs() < 1e-9,
        "{last:?}"
    );
    let known = history
        .iter()
        .filter(|sample| sample.value.is_some())
        .count();
    assert!(known > history.len() * 9 / 10, "{known}");
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
