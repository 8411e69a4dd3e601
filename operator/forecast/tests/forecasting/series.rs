//! Missing is masked, absurd is refused, and neither is read as zero.

use floodgate_forecast::{Series, SeriesError, UnixMillis};

use crate::traffic::{START, samples, series};

#[test]
fn samples_may_come_in_any_order_and_twice() {
    let at = |second| START.plus_s(second);
    let unordered = [
        (at(120), 3.0),
        (at(60), 1.0),
        (at(120), 5.0),
        (at(300), 2.0),
    ];
    let series = Series::from_samples(60, &unordered).unwrap();
    let points: Vec<(UnixMillis, f64)> = series.points().collect();
    assert_eq!(points, [(at(60), 1.0), (at(120), 4.0), (at(300), 2.0)]);
    let quality = series.quality();
    assert_eq!(
        (quality.points, quality.missing, quality.rejected),
        (3, 2, 0)
    );
    assert!((quality.score - 0.6).abs() < 1e-9);
}

#[test]
fn f04_f05_nonsense_is_refused_and_counted() {
    let mut samples = samples(1.0, 300, 0.0);
    let clean = Series::from_samples(300, &samples).unwrap();
    for (index, rate) in [f64::NAN, f64::INFINITY, -1.0, 1e308, 1e7]
        .into_iter()
        .enumerate()
    {
        samples.push((
            START.plus_s(86_700 + 300 * i64::try_from(index).unwrap()),
            rate,
        ));
    }
    let series = Series::from_samples(300, &samples).unwrap();
    assert_eq!(series.quality().rejected, 5);
    assert!(series.points().eq(clean.points()));
    assert!(series.quality().score < 1.0);
}

#[test]
fn a_series_of_nothing_is_refused() {
    assert_eq!(Series::from_samples(60, &[]), Err(SeriesError::NoData));
    assert_eq!(
        Series::from_samples(60, &[(START, f64::NAN)]),
        Err(SeriesError::NoData)
    );
    assert_eq!(
        Series::from_samples(0, &[(START, 1.0)]),
        Err(SeriesError::StepInvalid)
    );
    let ends = [(UnixMillis(i64::MIN), 1.0), (UnixMillis(i64::MAX), 1.0)];
    assert_eq!(Series::from_samples(1, &ends), Err(SeriesError::TooLong));
}

#[test]
fn a_hundredfold_sale_is_believed_and_a_thousandfold_block_is_not() {
    let with_block = |factor: f64| {
        let mut samples = samples(7.0, 300, 0.0);
        for (_, rate) in &mut samples[500..512] {
            *rate *= factor;
        }
        Series::from_samples(300, &samples)
            .unwrap()
            .quality()
            .rejected
    };
    assert_eq!((with_block(60.0), with_block(1_000.0)), (0, 12));
}

#[test]
fn a_masked_window_is_counted_and_not_taken_for_missing() {
    let series = series(2.0, 300, 0.0);
    let masked = series
        .masked(START.plus_s(3_600), START.plus_s(7_200))
        .unwrap();
    let quality = masked.quality();
    assert_eq!((quality.masked, quality.missing), (13, 0));
    assert!(quality.score < series.quality().score);
    let end = masked.masked(START.plus_s(170_000), series.end()).unwrap();
    assert!(end.end() < START.plus_s(170_000));
    assert_eq!((end.quality().masked, end.quality().missing), (23, 0));
    assert!(series.masked(START, START.plus_s(1_000_000)).is_none());
}

#[test]
fn seasonal_naive_takes_the_week_then_the_day_then_nothing() {
    let long = series(9.0, 300, 0.1);
    let at = long.end().plus_s(280);
    let found = |series: &Series, lag_s: i64| {
        let wanted = series.end().plus_s(300 - lag_s);
        series
            .points()
            .find(|(at, _)| *at == wanted)
            .map(|(_, rate)| rate)
    };
    assert_eq!(long.seasonal_naive_rps(at), found(&long, 604_800));
    let short = series(2.0, 300, 0.1);
    assert_eq!(
        short.seasonal_naive_rps(short.end().plus_s(300)),
        found(&short, 86_400)
    );
    assert_eq!(short.seasonal_naive_rps(short.end().plus_s(90_000)), None);
}
