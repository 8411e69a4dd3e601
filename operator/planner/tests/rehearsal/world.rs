//! Traffic, gaps and what is counted.

use floodgate_planner::UnixMillis;
use floodgate_planner::rehearse::{PolicyKind, Surge, Traffic, TrafficError};

use crate::stage::{START, quiet_world, rehearsal, report, wave};

#[test]
fn half_of_a_short_trace_is_history_at_most() {
    let traffic = wave();
    assert_eq!(traffic.rehearsed_from(), START.plus_s(2 * 86_400));
    assert_eq!(traffic.rehearsed_s(), 2 * 86_400);
}

#[test]
fn too_short_a_trace_is_refused_and_not_guessed_at() {
    let at = |minute: i64| START.plus_s(minute * 60);
    let short: Vec<_> = (0..60).map(|minute| (at(minute), Some(1.0))).collect();
    assert_eq!(
        Traffic::new(60, &short, 86_400),
        Err(TrafficError::TooShort { hours: 0 })
    );
    let idle: Vec<_> = (0..600).map(|minute| (at(minute), Some(0.0))).collect();
    assert_eq!(Traffic::new(60, &idle, 86_400), Err(TrafficError::Idle));
    let endless = [(START, Some(1.0)), (UnixMillis(START.0 * 2), Some(1.0))];
    assert!(matches!(
        Traffic::new(1, &endless, 86_400),
        Err(TrafficError::TooLong { .. })
    ));
}

#[test]
fn a_surge_is_up_in_ten_seconds_and_gone_after_two_hours() {
    let t0 = wave().rehearsed_from().plus_s(3_600);
    let surge = Surge { t0, factor: 20.0 };
    let factor = |after_s| surge.factor_at(t0.plus_s(after_s));
    assert!((factor(-1) - 1.0).abs() < 1e-9);
    assert!((factor(10) - 20.0).abs() < 1e-9);
    assert!((factor(900) - 20.0).abs() < 1e-9);
    assert!((factor(1_800) - 10.5).abs() < 1e-9);
    assert!((factor(7_200) - 1.0).abs() < 1e-9);
}

#[test]
fn the_slowest_start_of_a_measured_world_is_what_was_measured() {
    for (ready_p99_s, warm_p99_s) in [(60, 11), (47, 0), (5, 5), (1, 0), (300, 20)] {
        let mut stage = rehearsal(wave(), Vec::new());
        stage.settings.lead_s = 1..=3_600;
        stage.world = stage.world.with_measured_starts(ready_p99_s, warm_p99_s);
        assert_eq!(stage.lead_time().ready_p99_s, ready_p99_s);
        assert!(stage.world.ready_s > 0.0, "the warm-up is never all of it");
    }
}

#[test]
fn what_was_not_observed_is_not_scored() {
    let gap = 60..300;
    let sample = |minute: i64| {
        let value = if gap.contains(&(minute - 1_440)) {
            None
        } else {
            Some(500.0)
        };
        (START.plus_s(minute * 60), value)
    };
    let holes: Vec<_> = (0..2 * 1_440).map(sample).collect();
    let mut stage = rehearsal(Traffic::new(60, &holes, 86_400).unwrap(), Vec::new());
    stage.world = quiet_world();
    let score = report(&stage, PolicyKind::Floodgate).score;
    assert_eq!(score.slo_violation_minutes, 0);
    assert!(
        score.pod_hours > 24.0 * 9.0,
        "time goes on in a gap: {score:?}"
    );
}

#[test]
fn the_hardest_t0_is_shown_in_spans_of_ten_seconds_with_its_bad_minutes() {
    let early = wave().rehearsed_from().plus_s(12 * 3_600);
    let late = early.plus_s(20 * 3_600);
    let surge = |t0, factor| Surge { t0, factor };
    let traffic = wave().with_surge(surge(early, 3.0));
    let mut stage = rehearsal(traffic.with_surge(surge(late, 20.0)), Vec::new());
    stage.world = quiet_world();
    assert_eq!(stage.hardest_t0(), Some(late));
    let report = report(&stage, PolicyKind::Keda);
    let near = &report.around_t0;
    assert_eq!(near.first().unwrap().at, late.plus_s(-600));
    assert_eq!(near.len(), 360);
    let bad = |sample: &&floodgate_planner::rehearse::Sample| sample.bad_minutes > 0;
    let shown = near.iter().filter(bad).count();
    let counted: u32 = report
        .samples
        .iter()
        .filter(|sample| late.plus_s(-600) <= sample.at && sample.at < late.plus_s(3_000))
        .map(|sample| sample.bad_minutes)
        .sum();
    assert!(counted > 0);
    assert_eq!(shown, 6 * usize::try_from(counted).unwrap());
    assert_eq!(rehearsal(wave(), Vec::new()).hardest_t0(), None);
}
