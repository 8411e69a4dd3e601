//! Faults of the catalogue that a rehearsal can show, and what our policy does in them.

use floodgate_planner::rehearse::{PolicyKind, Rehearsal, Surge, Traffic};
use floodgate_planner::{Sale, UnixMillis};

use crate::stage::{START, announced, quiet_world, rehearsal, report, wave};

/// A rehearsal of two days of a load, minute by minute, after two days of history, in a world where
/// no pod and no metric is lost.
fn quiet(rate: impl Fn(i64) -> f64, sales: Vec<Sale>) -> Rehearsal {
    after(2, rate, sales)
}

/// The same, as many days after as many of history.
fn after(days: i64, rate: impl Fn(i64) -> f64, sales: Vec<Sale>) -> Rehearsal {
    let sample = |minute: i64| (START.plus_s(minute * 60), Some(rate(minute)));
    let samples: Vec<_> = (0..2 * days * 1_440).map(sample).collect();
    let traffic = Traffic::new(60, &samples, days * 86_400).unwrap();
    let mut stage = rehearsal(traffic, sales);
    stage.world = quiet_world();
    stage
}

/// The daily wave of the stage.
fn daily(minute: i64) -> f64 {
    let angle = minute as f64 / 1_440.0 * std::f64::consts::TAU;
    600.0 + 400.0 * angle.sin()
}

/// Warm pods at each point within `[from, until)`.
fn warm(stage: &Rehearsal, from: UnixMillis, until: UnixMillis) -> Vec<u32> {
    let report = report(stage, PolicyKind::Floodgate);
    let within = report
        .samples
        .iter()
        .filter(|sample| from <= sample.at && sample.at < until);
    within.map(|sample| sample.warm).collect()
}

#[test]
fn f16_a_block_of_history_a_thousandfold_too_high_costs_no_more_than_the_cap_allows() {
    let block = 1_440..1_450;
    let poisoned = |minute| {
        daily(minute)
            * if block.contains(&minute) {
                1_000.0
            } else {
                1.0
            }
    };
    let clean = report(&quiet(daily, Vec::new()), PolicyKind::Floodgate).score;
    let score = report(&quiet(poisoned, Vec::new()), PolicyKind::Floodgate).score;
    assert_eq!(score.slo_violation_minutes, 0, "{score:?}");
    assert!(
        score.pod_hours < clean.pod_hours * 1.3,
        "{score:?}\n{clean:?}"
    );
}

#[test]
fn f17_a_load_that_fell_to_nothing_before_a_sale_does_not_shrink_what_stands_for_it() {
    let t0 = START.plus_s(3 * 86_400);
    let outage = 3 * 1_440 - 180..3 * 1_440 - 60;
    let zeroed = |minute| {
        if outage.contains(&minute) {
            0.0
        } else {
            daily(minute)
        }
    };
    let mut stage = quiet(zeroed, vec![announced(t0, 500)]);
    stage.traffic = stage.traffic.with_surge(Surge { t0, factor: 5.0 });
    let report = report(&stage, PolicyKind::Floodgate);
    assert_eq!(report.score.warm_share_at_t0, Some(1.0));
    // The end of the outage itself is a load at no known time.
    let in_sale = report.samples.iter().filter(|sample| t0 <= sample.at);
    assert_eq!(in_sale.map(|sample| sample.bad_minutes).sum::<u32>(), 0);
}

#[test]
fn f19_an_outage_and_a_spike_in_the_history_move_the_days_after_little() {
    let (outage, spike) = (600..720, 2 * 1_440 + 300..2 * 1_440 + 420);
    let polluted = |minute| match minute {
        minute if outage.contains(&minute) => 0.0,
        minute if spike.contains(&minute) => daily(minute) * 5.0,
        minute => daily(minute),
    };
    let clean = report(&after(4, daily, Vec::new()), PolicyKind::Floodgate).score;
    let score = report(&after(4, polluted, Vec::new()), PolicyKind::Floodgate).score;
    assert_eq!(score.slo_violation_minutes, 0, "{score:?}");
    assert!(
        score.pod_hours < clean.pod_hours * 1.2,
        "{score:?}\n{clean:?}"
    );
}

#[test]
fn f20_overlapping_sales_stand_as_the_larger_one_alone_and_a_past_one_as_none() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let named = |name: &str, t0, uplift| Sale {
        name: name.to_owned(),
        ..announced(t0, uplift)
    };
    let hours = |sales| {
        report(&quiet(daily, sales), PolicyKind::Floodgate)
            .score
            .pod_hours
    };
    let larger = hours(vec![named("large", t0, 500)]);
    let both = hours(vec![named("large", t0, 500), named("small", t0, 200)]);
    assert!((both - larger).abs() < 1e-6, "{both} {larger}");
    let past = named("past", START.plus_s(-86_400), 5_000);
    assert!((hours(vec![past]) - hours(Vec::new())).abs() < 1e-6);
}

#[test]
fn f23_no_pod_goes_where_two_sales_touch() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let seam = t0.plus_s(7_200);
    let second = Sale {
        name: "second".to_owned(),
        ..announced(seam, 500)
    };
    let stage = quiet(|_| 500.0, vec![announced(t0, 500), second]);
    let warm = warm(&stage, t0, seam.plus_s(7_000));
    assert!(warm.len() > 50);
    assert_eq!(warm.iter().min(), warm.iter().max(), "{warm:?}");
}

#[test]
fn f24_a_load_that_swings_by_a_third_every_minute_is_not_followed_down() {
    let square = |minute: i64| if minute % 2 == 0 { 700.0 } else { 1_300.0 };
    let stage = quiet(square, Vec::new());
    let report = report(&stage, PolicyKind::Floodgate);
    assert!(report.score.reversals_per_window_max <= 1);
    // The first pods are those of one moment, and nobody decides in the first minutes.
    let settled = stage.traffic.rehearsed_from().plus_s(600);
    let later = report.samples.iter().filter(|sample| settled <= sample.at);
    assert_eq!(later.map(|sample| sample.bad_minutes).sum::<u32>(), 0);
}

#[test]
fn f25_after_an_untold_tenfold_step_all_is_served_within_two_lead_times() {
    let t0 = wave().rehearsed_from().plus_s(30 * 3_600);
    let mut stage = quiet(|_| 500.0, Vec::new());
    stage.traffic = stage.traffic.with_surge(Surge { t0, factor: 10.0 });
    let lead_s = stage.lead_time().total_s();
    let report = report(&stage, PolicyKind::Floodgate);
    // The step rises for ten seconds first.
    let bad_most = u32::try_from((10 + 2 * lead_s) / 60 + 1).unwrap();
    let minutes = report.score.slo_violation_minutes;
    assert!((1..=bad_most).contains(&minutes), "{minutes} of {bad_most}");
    let held = report
        .samples
        .iter()
        .filter(|sample| t0.plus_s(300) <= sample.at && sample.at < t0.plus_s(900));
    let pods: Vec<u32> = held.map(|sample| sample.warm).collect();
    assert!(pods.windows(2).all(|pair| pair[0] <= pair[1]), "{pods:?}");
}

#[test]
fn f30_while_pods_wait_for_room_on_the_nodes_none_is_added_to_them() {
    let mut stage = quiet(daily, Vec::new());
    let roomy = report(&stage, PolicyKind::Floodgate).score;
    stage.world.node_room_pods = Some(10);
    let tight = report(&stage, PolicyKind::Floodgate);
    assert!(tight.samples.iter().all(|sample| sample.pods <= 10));
    assert!(tight.score.unserved_ratio > roomy.unserved_ratio);
    // The first pod that waits ends the climb.
    assert!(
        tight.score.scale_actions < roomy.scale_actions,
        "{:?}\n{roomy:?}",
        tight.score
    );
}

#[test]
fn f02_metrics_that_are_older_than_the_staleness_count_as_none() {
    let mut stage = quiet(daily, Vec::new());
    let sound = report(&stage, PolicyKind::Floodgate).score;
    stage.world.metric_delay_s = 120;
    let late = report(&stage, PolicyKind::Floodgate).score;
    assert_eq!(late.slo_violation_minutes, 0, "{late:?}");
    assert!(late.pod_hours > sound.pod_hours, "nothing is lowered");
}
