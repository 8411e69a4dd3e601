//! What holds the present count: a clock that is off, a takeover, a history that was lost.

use floodgate_planner::{HoldCause, LoadFault};

use super::*;
use crate::snapshot::ForecastSnapshot;

/// A fresh reading of a server whose clock is `ahead_s` ahead of ours.
fn read_by_clock(rps: f64, ahead_s: i64) -> Arc<PrometheusReading> {
    let load = PrometheusLoad {
        rps,
        age_s: 0.0,
        server_time: now() + SignedDuration::from_secs(ahead_s),
        pods: None,
    };
    let asked_at = now() - SignedDuration::from_millis(20);
    Arc::new(reading_after(None, (asked_at, now()), Ok(load)))
}

#[test]
fn f13_a_skewed_clock_is_told_and_its_load_lowers_nothing_but_may_raise() {
    let skewed = |rps, ahead_s| Observed {
        prometheus: Some(read_by_clock(rps, ahead_s)),
        ..observed(8, json!({}))
    };
    for ahead_s in [-600, -6, 6, 600] {
        let low = planned(&skewed(90.0, ahead_s));
        assert_eq!(low.replicas, 8, "{ahead_s} s ahead");
        assert_eq!(low.load.missing.unwrap().reason, MissingReason::ClockSkew);
        assert_eq!(low.decision.load_fault, Some(LoadFault::ClockSkew));
        assert_eq!(planned(&skewed(500.0, ahead_s)).replicas, 10);
    }
    for ahead_s in [-5, 5] {
        assert_eq!(planned(&skewed(90.0, ahead_s)).load.missing, None);
    }
}

#[test]
fn s4_a_takeover_is_held_for_under_its_own_name() {
    let taken_over = Before {
        started_by: HoldCause::Takeover,
        ..Before::default()
    };
    let observed = observed(8, json!({}));
    let first = plan(&observed, &valid(&observed), &taken_over);
    assert_eq!(
        (first.replicas, first.decision.reason()),
        (8, Reason::HeldAfterTakeover)
    );
}

/// Replicas at each second of a load that fell right after the first; the history is lost at one.
fn lived_through(seconds: &[i64], lost_at: Option<i64>) -> Vec<u32> {
    let window = json!({ "stabilizationSeconds": 60, "percentPerMinute": 100 });
    let mut observed = observed(8, json!({ "scaleDown": window }));
    let cluster = valid(&observed);
    let mut before = Before::default();
    let at = |second: i64| now() + SignedDuration::from_secs(second);
    let mut replicas = Vec::new();
    for second in seconds {
        observed.now = at(*second);
        let load = PrometheusLoad {
            rps: if *second == 0 { 390.0 } else { 90.0 },
            age_s: 0.0,
            server_time: observed.now,
            pods: None,
        };
        let asked = (observed.now, observed.now);
        observed.prometheus = Some(Arc::new(reading_after(None, asked, Ok(load))));
        observed.forecast = Arc::new(ForecastSnapshot {
            history_lost_at: lost_at.filter(|lost| lost <= second).map(at),
            ..ForecastSnapshot::default()
        });
        let planned = plan(&observed, &cluster, &before);
        before.memory = Some(planned.decision.memory.clone());
        before.history_lost_at = observed.forecast.history_lost_at;
        replicas.push(planned.replicas);
    }
    replicas
}

#[test]
fn f12_a_history_lost_under_the_running_operator_is_held_for_once() {
    let seconds = [0, 30, 59, 61, 120, 122];
    let usual = lived_through(&seconds, None);
    assert_eq!(usual[..3], [8, 8, 8]);
    assert!(usual[3] < 8, "the load was low for a whole window");
    let held = lived_through(&seconds, Some(61));
    assert_eq!(held[..5], [8, 8, 8, 8, 8], "held through another window");
    assert!(held[5] < 8, "and for once");
}
