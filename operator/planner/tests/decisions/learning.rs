//! What is learned from measurements: capacity of a pod and lead time.

use floodgate_planner::capacity::{CapacityBook, CapacitySample};
use floodgate_planner::{DecayingHistogram, Scaling};
use proptest::prelude::*;

use crate::fleet::NOW;

/// Declared: 70 req/s at 70 %, so full at 100 req/s.
fn declared() -> Scaling {
    Scaling {
        capacity_rps: 70.0,
        ..Scaling::default()
    }
}

const BOUNDS: std::ops::RangeInclusive<f64> = 49.0..=91.0;

/// Samples of a pod that is idle at `idle` and full at `full_rps`, at the given loads.
fn book(full_rps: f64, idle: f64, loads: impl Iterator<Item = f64>) -> CapacityBook {
    let mut book = CapacityBook::default();
    for load_rps in loads {
        for _ in 0..8 {
            let sample = CapacitySample {
                load_rps,
                cpu_share: idle + (1.0 - idle) * load_rps / full_rps,
                queue_ms: 0.3,
            };
            book.note(&declared(), sample);
        }
    }
    book
}

fn loads() -> impl Iterator<Item = f64> + Clone {
    (0..7).map(|step| 5.0 + 10.0 * f64::from(step))
}

fn check(book: &CapacityBook, expected: Option<f64>) {
    let learned = book.learned(&declared(), &BOUNDS);
    match (learned, expected) {
        (Some(learned), Some(expected)) => {
            let off = (learned.capacity_rps - expected).abs();
            assert!(off < 0.5, "{learned:?}, not {expected}");
        }
        (learned, expected) => assert_eq!(learned.is_some(), expected.is_some(), "{learned:?}"),
    }
}

#[test]
fn capacity_is_where_the_measured_line_reaches_the_target() {
    // 5 % idle, full at 110: 70 % of CPU is reached at (0.70 - 0.05) / 0.95 * 110.
    check(&book(110.0, 0.05, loads()), Some(75.26));
}

#[test]
fn capacity_stays_within_its_bounds_whatever_was_measured() {
    check(&book(1_000.0, 0.0, loads()), Some(91.0));
    check(&book(30.0, 0.0, loads()), Some(49.0));
}

#[test]
fn few_points_or_little_spread_teach_nothing() {
    check(&CapacityBook::default(), None);
    check(&book(80.0, 0.0, loads().take(3)), None);
    let narrow = (0..8).map(|step| 50.0 + f64::from(step));
    check(&book(80.0, 0.0, narrow), None);
}

#[test]
fn a_line_that_explains_nothing_teaches_nothing() {
    let mut book = CapacityBook::default();
    for (index, load_rps) in (0..).zip(loads().cycle().take(70)) {
        let cpu_share = f64::from((index * 37) % 100) / 100.0;
        let sample = CapacitySample {
            load_rps,
            cpu_share,
            queue_ms: 0.0,
        };
        book.note(&declared(), sample);
    }
    check(&book, None);
    check(&self::book(-80.0, 0.9, loads()), None);
}

#[test]
fn odd_samples_do_not_bend_the_line() {
    let mut book = book(100.0, 0.0, loads());
    for load_rps in loads() {
        for cpu_share in [1.0, 1.0, 0.0, f64::NAN, -3.0, 50.0] {
            let sample = CapacitySample {
                load_rps,
                cpu_share,
                queue_ms: 0.3,
            };
            book.note(&declared(), sample);
        }
    }
    check(&book, Some(70.0));
}

#[test]
fn queueing_below_the_cpu_target_lowers_the_capacity() {
    let mut book = CapacityBook::default();
    for load_rps in loads() {
        for _ in 0..8 {
            let sample = CapacitySample {
                load_rps,
                cpu_share: load_rps / 140.0,
                queue_ms: load_rps / 8.0,
            };
            book.note(&declared(), sample);
        }
    }
    // CPU alone says 98; 10 ms of queueing at 80 req/s says 70 % of that.
    check(&book, Some(56.0));
}

#[test]
fn another_declared_capacity_begins_anew() {
    let mut book = book(100.0, 0.0, loads());
    let other = Scaling {
        capacity_rps: 140.0,
        ..declared()
    };
    let sample = CapacitySample {
        load_rps: 10.0,
        cpu_share: 0.1,
        queue_ms: 0.0,
    };
    book.note(&other, sample);
    assert!(book.learned(&other, &BOUNDS).is_none());
}

#[test]
fn a_start_is_planned_with_and_a_single_slow_one_in_a_hundred_is_not() {
    let mut starts = DecayingHistogram::default();
    assert_eq!(starts.quantile_s(0.99), None);
    starts.note(NOW, 500.0);
    assert!((500.0..550.0).contains(&starts.quantile_s(0.99).unwrap()));
    for _ in 0..99 {
        starts.note(NOW, 4.0);
    }
    let p99_s = starts.quantile_s(0.99).unwrap();
    assert!((4.0..4.4).contains(&p99_s), "{p99_s}");
    assert_eq!(starts.samples(), 100);
}

#[test]
fn old_starts_count_less_than_new_ones() {
    let mut starts = DecayingHistogram::default();
    for _ in 0..100 {
        starts.note(NOW, 300.0);
    }
    let later = NOW.plus_s(10 * 86_400);
    for _ in 0..20 {
        starts.note(later, 5.0);
    }
    let p99_s = starts.quantile_s(0.99).unwrap();
    assert!(p99_s < 6.0, "{p99_s}");
    // Far beyond what a double could hold as a weight.
    starts.note(NOW.plus_s(10_000 * 86_400), 40.0);
    let p99_s = starts.quantile_s(0.99).unwrap();
    assert!((40.0..44.0).contains(&p99_s), "{p99_s}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_learned_is_within_the_bounds(
        samples in prop::collection::vec((-10.0..300.0_f64, -0.5..3.0_f64, -1.0..50.0_f64), 0..120),
    ) {
        let mut book = CapacityBook::default();
        for (load_rps, cpu_share, queue_ms) in samples {
            book.note(&declared(), CapacitySample { load_rps, cpu_share, queue_ms });
        }
        if let Some(learned) = book.learned(&declared(), &BOUNDS) {
            prop_assert!(BOUNDS.contains(&learned.capacity_rps), "{learned:?}");
        }
    }

    #[test]
    fn a_quantile_is_never_below_the_value_it_stands_for(
        starts in prop::collection::vec(0.0..7_000.0_f64, 1..60),
    ) {
        let mut histogram = DecayingHistogram::default();
        for start_s in &starts {
            histogram.note(NOW, *start_s);
        }
        let most = starts.iter().copied().fold(0.0, f64::max);
        let p99_s = histogram.quantile_s(0.99).unwrap();
        prop_assert!(p99_s >= most - 1e-6 && p99_s <= (most * 1.1).max(0.1) + 1e-6, "{p99_s} for {most}");
    }
}
