//! The others do what their documentation says.

use floodgate_planner::rehearse::{PolicyKind, Surge};

use crate::stage::{announced, quiet_world, rehearsal, report, wave};

#[test]
fn the_oracle_misses_nothing_and_uses_least_of_those_that_miss_nothing() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 10.0 });
    let mut stage = rehearsal(traffic, vec![announced(t0, 1_000)]);
    stage.world = quiet_world();
    let reports = stage.run(&PolicyKind::ALL, &|_| {});
    let oracle = reports.iter().find(|one| one.name == "oracle").unwrap();
    assert_eq!(oracle.score.slo_violation_minutes, 0);
    assert!((oracle.score.pod_hours_vs_oracle - 1.0).abs() < 1e-9);
    for report in &reports {
        if report.score.slo_violation_minutes == 0 {
            assert!(report.score.pod_hours_vs_oracle >= 0.95, "{}", report.name);
        }
    }
}

#[test]
fn a_calendar_helps_those_who_take_one_and_nobody_else() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 20.0 });
    let mut told = rehearsal(traffic.clone(), vec![announced(t0, 2_000)]);
    told.world = quiet_world();
    let mut untold = rehearsal(traffic, Vec::new());
    untold.world = quiet_world();
    for kind in [PolicyKind::Keda, PolicyKind::AwsPredictive] {
        let with = report(&told, kind).score;
        let without = report(&untold, kind).score;
        assert_eq!(with.warm_share_at_t0, Some(1.0), "{}", kind.name());
        assert!(
            with.unserved_ratio < without.unserved_ratio,
            "{}",
            kind.name()
        );
    }
    for kind in [PolicyKind::Hpa, PolicyKind::Kpa, PolicyKind::HoltWinters] {
        let with = report(&told, kind).score;
        let without = report(&untold, kind).score;
        assert!(
            (with.pod_hours - without.pod_hours).abs() < 1e-6,
            "{}",
            kind.name()
        );
    }
}

#[test]
fn a_plain_daily_wave_is_no_trouble_for_anybody() {
    let mut stage = rehearsal(wave(), Vec::new());
    stage.world = quiet_world();
    stage.world.cold_percent = 100;
    for report in stage.run(&PolicyKind::ALL, &|_| {}) {
        let score = &report.score;
        assert_eq!(score.slo_violation_minutes, 0, "{}: {score:?}", report.name);
    }
}

#[test]
fn knative_panics_before_the_others_have_seen_a_surge() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 20.0 });
    let mut stage = rehearsal(traffic, Vec::new());
    stage.world = quiet_world();
    let kpa = report(&stage, PolicyKind::Kpa).score.unserved_ratio;
    for kind in [PolicyKind::Hpa, PolicyKind::Keda, PolicyKind::AwsPredictive] {
        assert!(
            kpa < report(&stage, kind).score.unserved_ratio,
            "{}",
            kind.name()
        );
    }
}
