//! Rehearsals of made-up traffic: what must hold of the simulator, of our policy and of the others.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test ends by panic")]

mod faults;
mod intake;
mod peers;
mod stage;
mod world;

use floodgate_planner::Sale;
use floodgate_planner::rehearse::{PolicyKind, Surge};
use floodgate_words::Level;
use stage::{announced, quiet_world, rehearsal, report, wave};

#[test]
fn the_same_seed_gives_the_same_report_bit_for_bit() {
    let once = rehearsal(wave(), Vec::new());
    let kinds = [PolicyKind::Floodgate, PolicyKind::Kpa];
    assert_eq!(once.run(&kinds, &|_| {}), once.run(&kinds, &|_| {}));
    let mut other = once.clone();
    other.world.seed = 2;
    assert_ne!(once.run(&kinds, &|_| {}), other.run(&kinds, &|_| {}));
}

#[test]
fn an_announced_sale_meets_warm_pods_and_an_unannounced_one_does_not() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 10.0 });
    let told = rehearsal(traffic.clone(), vec![announced(t0, 1_000)]);
    let score = report(&told, PolicyKind::Floodgate).score;
    assert_eq!(score.warm_share_at_t0, Some(1.0));
    let untold = rehearsal(traffic, Vec::new());
    let surprised = report(&untold, PolicyKind::Floodgate).score;
    assert_eq!(surprised.warm_share_at_t0, None, "nothing was scheduled");
    assert!(surprised.unserved_ratio > score.unserved_ratio);
}

#[test]
fn seeds_run_together_give_what_each_gives_alone() {
    let stage = rehearsal(wave(), Vec::new());
    let kinds = [PolicyKind::Floodgate, PolicyKind::Hpa];
    let together = stage.run_seeds(&kinds, 3, &|_| {});
    assert_eq!(together.len(), 3);
    for (seed, reports) in (stage.world.seed..).zip(together) {
        let mut alone = stage.clone();
        alone.world.seed = seed;
        assert_eq!(reports, alone.run(&kinds, &|_| {}), "seed {seed}");
    }
}

#[test]
fn s3_replicas_stay_within_their_bounds_and_the_quota() {
    let t0 = wave().rehearsed_from().plus_s(20 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 100.0 });
    let mut stage = rehearsal(traffic, vec![announced(t0, 10_000)]);
    stage.world.quota_replicas_max = Some(50);
    for report in stage.run(&PolicyKind::ALL, &|_| {}) {
        for sample in &report.samples {
            assert!(
                (1..=50).contains(&sample.pods),
                "{}: {sample:?}",
                report.name
            );
        }
    }
}

#[test]
fn what_a_sale_protects_stays_on_in_a_rehearsal_too() {
    let t0 = wave().rehearsed_from().plus_s(20 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 100.0 });
    let highest = |level_max| {
        let sale = Sale {
            level_max,
            ..announced(t0, 10_000)
        };
        let mut stage = rehearsal(traffic.clone(), vec![sale]);
        stage.settings.scaling.replicas_max = 100;
        let report = report(&stage, PolicyKind::Floodgate);
        let imposed = report.samples.iter().map(|sample| sample.level);
        imposed.max().unwrap()
    };
    assert!(highest(Level::Survive) > Level::Guard);
    assert_eq!(highest(Level::Guard), Level::Guard);
}

#[test]
fn s2_a_lost_metrics_store_never_shrinks_the_fleet() {
    let mut stage = rehearsal(wave(), Vec::new());
    stage.world = quiet_world();
    stage.world.metric_losses_per_day = 12.0;
    stage.world.metric_loss_s = 3_600;
    let lossy = report(&stage, PolicyKind::Floodgate);
    assert_eq!(lossy.score.slo_violation_minutes, 0);
    // One loss after the other: the store never answers, and no forecast is renewed.
    stage.world.metric_losses_per_day = 86_400.0;
    let lost = report(&stage, PolicyKind::Floodgate).samples;
    assert!(lost.is_sorted_by_key(|sample| sample.warm), "{lost:?}");
    assert!(lost.first().unwrap().warm < lost.last().unwrap().warm);
}

#[test]
fn directions_reverse_at_most_once_in_a_stabilisation_window() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let traffic = wave().with_surge(Surge { t0, factor: 20.0 });
    let stage = rehearsal(traffic, vec![announced(t0, 2_000)]);
    let score = report(&stage, PolicyKind::Floodgate).score;
    assert!(score.reversals_per_window_max <= 1, "{score:?}");
}
