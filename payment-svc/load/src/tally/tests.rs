use proptest::prelude::*;

use super::*;

fn phase(name: &str, from_s: f64, to_s: f64) -> Phase {
    Phase {
        name: name.to_owned(),
        from_s,
        to_s,
    }
}

fn acked(millis: u64) -> Outcome {
    let latency = Duration::from_millis(millis);
    Outcome::Acked {
        latency,
        attempt: latency,
    }
}

fn count(tally: &mut Tally, at_s: f64, class: Class, outcome: &Outcome) {
    let at = Duration::from_secs_f64(at_s);
    tally.begin(at, class);
    tally.end(at, class, outcome);
}

#[test]
fn intents_count_to_the_phase_of_their_intended_time() {
    let mut tally = Tally::new(&[phase("before", 0.0, 10.0), phase("sale", 10.0, 20.0)]);
    count(&mut tally, 9.999, Class::Critical, &acked(1));
    count(&mut tally, 10.0, Class::Critical, &Outcome::Shed);
    count(&mut tally, 25.0, Class::Critical, &acked(1));
    let (total, phases) = tally.summaries(30.0);
    assert_eq!((phases[0].counts.acked, phases[0].counts.offered), (1, 1));
    assert_eq!((phases[1].counts.shed, phases[1].counts.offered), (1, 1));
    assert_eq!(total.counts.offered, 3);
    assert_eq!(phases[1].success_ratio_critical, Some(0.0));
}

#[test]
fn only_classes_zero_and_one_are_critical() {
    let mut tally = Tally::new(&[]);
    count(&mut tally, 0.0, Class::CriticalPlus, &acked(1));
    count(&mut tally, 0.0, Class::Critical, &acked(1));
    count(&mut tally, 0.0, Class::SheddablePlus, &Outcome::Shed);
    count(&mut tally, 0.0, Class::Sheddable, &Outcome::Shed);
    let (total, _) = tally.summaries(1.0);
    assert_eq!(total.success_ratio_critical, Some(1.0));
    assert_eq!(total.classes["sheddable"].shed, 1);
    let line = tally.take_second(0, Timestamp::UNIX_EPOCH);
    assert_eq!((line.critical_offered, line.critical_acked), (2, 2));
}

#[test]
fn nothing_offered_is_no_ratio_and_no_latency() {
    let (total, _) = Tally::new(&[]).summaries(1.0);
    assert_eq!((total.success_ratio_critical, total.p99_ms), (None, None));
    assert!(total.goodput_rps.abs() < f64::EPSILON);
}

#[test]
fn a_second_is_counted_once() {
    let mut tally = Tally::new(&[]);
    tally.begin(Duration::ZERO, Class::Critical);
    let first = tally.take_second(0, Timestamp::UNIX_EPOCH);
    assert_eq!((first.counts.offered, first.in_flight), (1, 1));
    tally.end(Duration::ZERO, Class::Critical, &acked(7));
    let second = tally.take_second(1, Timestamp::UNIX_EPOCH);
    assert_eq!(
        (second.counts.offered, second.counts.acked, second.in_flight),
        (0, 1, 0)
    );
    assert!((second.p50_ms.unwrap() - 7.0).abs() < 0.01);
}

#[test]
fn error_codes_stay_bounded() {
    let mut tally = Tally::new(&[]);
    for number in 0..1000 {
        let outcome = Outcome::Failed {
            code: format!("code_{number}"),
        };
        count(&mut tally, 0.0, Class::Critical, &outcome);
    }
    assert!(tally.errors.len() <= CODES_MAX + 1);
    assert_eq!(tally.errors.values().sum::<u64>(), 1000);
}

#[test]
fn a_phase_cut_short_has_the_goodput_of_what_it_had() {
    let mut tally = Tally::new(&[phase("sale", 0.0, 100.0)]);
    (0..50).for_each(|_| count(&mut tally, 1.0, Class::Critical, &acked(1)));
    let (_, phases) = tally.summaries(10.0);
    assert!((phases[0].goodput_rps - 5.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn quantiles_are_within_a_thousandth_of_the_sorted_values(
        mut millis in prop::collection::vec(1_u64..100_000, 1..500),
    ) {
        let mut latencies = Latencies::new();
        for value in &millis {
            latencies.add(Duration::from_millis(*value));
        }
        millis.sort_unstable();
        let rank = (millis.len() as f64 * 0.99).ceil() as usize - 1;
        let exact = millis[rank] as f64;
        let got = latencies.quantile_ms(0.99).unwrap();
        prop_assert!((got / exact - 1.0).abs() < 0.002, "{got} {exact}");
    }

    #[test]
    fn offered_is_the_sum_of_the_ends(ends in prop::collection::vec((0_usize..4, 0_u8..4), 0..200)) {
        let mut tally = Tally::new(&[]);
        for (class, end) in ends {
            let outcome = match end {
                0 => acked(1),
                1 => Outcome::Shed,
                2 => Outcome::Failed { code: "x".to_owned() },
                _ => Outcome::Unknown { code: "y".to_owned() },
            };
            count(&mut tally, 0.0, Class::ALL[class], &outcome);
        }
        let Counts { offered, acked, shed, failed, unknown } = tally.summaries(1.0).0.counts;
        prop_assert_eq!(offered, acked + shed + failed + unknown);
    }
}
