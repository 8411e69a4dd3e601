//! A metrics store that is not to be relied on lowers nothing in a rehearsal either.

use floodgate_planner::rehearse::{PolicyKind, World};

use crate::stage::{quiet_world, rehearsal, report, wave};

/// Warm pods over two days of the daily wave, and the minutes that went wrong.
fn lived(world: World) -> (Vec<u32>, u32) {
    let mut stage = rehearsal(wave(), Vec::new());
    stage.world = world;
    let report = report(&stage, PolicyKind::Floodgate);
    let warm = report.samples.iter().map(|sample| sample.warm);
    (warm.collect(), report.score.slo_violation_minutes)
}

#[test]
fn s2_pods_that_the_store_does_not_scrape_keep_the_load_from_lowering_anything() {
    let (warm, bad_minutes) = lived(quiet_world());
    assert!(!warm.is_sorted(), "a whole load lowers: {warm:?}");
    let partial = World {
        unscraped_pods: 1,
        ..quiet_world()
    };
    let (warm, minutes) = lived(partial);
    assert!(warm.is_sorted() && warm.first() < warm.last(), "{warm:?}");
    assert!(minutes <= bad_minutes, "the pods' own counters raise");
}

#[test]
fn f13_a_store_whose_clock_is_off_lowers_nothing() {
    for store_clock_ahead_s in [-60, 60] {
        let skewed = World {
            store_clock_ahead_s,
            ..quiet_world()
        };
        let (warm, _) = lived(skewed);
        assert!(warm.is_sorted() && warm.first() < warm.last(), "{warm:?}");
    }
    let near = World {
        store_clock_ahead_s: 5,
        ..quiet_world()
    };
    let (warm, _) = lived(near);
    assert!(!warm.is_sorted(), "{warm:?}");
}
