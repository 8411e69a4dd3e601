//! Plans of one cluster under one clock, from observed facts to orders.

use std::sync::Arc;

use floodgate_contract::{ControlStatus, WarmState};
use floodgate_planner::{BidSource, capacity::LearnedCapacity};
use floodgate_prometheus::{MissingReason, load::Load as PrometheusLoad};
use floodgate_words::{Level, Reason};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::{
    snapshot::{PrometheusReading, reading_after},
    tests::fixtures::{
        annotated, before, event, now, observed, planned, planned_first, rates, read, sale, valid,
    },
    writers::ByHand,
};

mod holds;

#[test]
fn a_fresh_load_raises_and_lowers() {
    let up = Observed {
        prometheus: Some(read(390.0, 1, Ok(()))),
        ..observed(2, json!({}))
    };
    assert_eq!(planned(&up).replicas, 8);
    let mut down = Observed {
        prometheus: Some(read(90.0, 1, Ok(()))),
        ..observed(8, json!({}))
    };
    let before = Before {
        memory: Some(planned(&down).decision.memory),
        ..Before::default()
    };
    down.now = now() + SignedDuration::from_secs(1);
    assert!(plan(&down, &valid(&down), &before).replicas < 8);
}

/// A fresh reading to which only `sampled` pods contributed.
fn read_of_pods(rps: f64, sampled: u32) -> Arc<PrometheusReading> {
    let load = PrometheusLoad {
        rps,
        age_s: 0.0,
        server_time: now(),
        pods: Some(sampled),
    };
    Arc::new(reading_after(None, (now(), now()), Ok(load)))
}

#[test]
fn s2_a_load_without_some_of_the_ready_pods_lowers_nothing_but_may_raise() {
    let partial = |rps| Observed {
        prometheus: Some(read_of_pods(rps, 7)),
        ..observed(8, json!({}))
    };
    let low = planned(&partial(90.0));
    assert_eq!(low.replicas, 8);
    assert_eq!(low.load.missing.unwrap().reason, MissingReason::PartialData);
    assert_eq!(planned(&partial(500.0)).replicas, 10);
    let whole = Observed {
        prometheus: Some(read_of_pods(90.0, 8)),
        ..observed(8, json!({}))
    };
    assert_eq!(planned(&whole).load.missing, None);
}

#[test]
fn f01_a_silent_prometheus_lowers_nothing_even_when_the_pods_say_less() {
    let silent = Err(MissingReason::PrometheusTimeout);
    let less = Observed {
        prometheus: Some(read(390.0, 60, silent)),
        rates: Some(rates(40.0)),
        ..observed(8, json!({}))
    };
    let plan = planned(&less);
    assert_eq!(plan.replicas, 8);
    assert_eq!(
        plan.load.missing.unwrap().reason,
        MissingReason::PrometheusTimeout
    );
}

#[test]
fn f01_the_pods_own_count_may_raise_while_prometheus_is_silent() {
    let more = Observed {
        prometheus: Some(read(90.0, 60, Err(MissingReason::PrometheusUnavailable))),
        rates: Some(rates(420.0)),
        ..observed(2, json!({}))
    };
    assert_eq!(planned(&more).replicas, 9);
}

#[test]
fn a_reading_of_a_moment_ago_stands_for_one_that_failed() {
    let held = Observed {
        prometheus: Some(read(390.0, 5, Err(MissingReason::PrometheusUnavailable))),
        ..observed(8, json!({}))
    };
    let plan = planned(&held);
    assert_eq!((plan.replicas, plan.load.missing), (8, None));
}

#[test]
fn s4_the_first_pass_after_a_restart_keeps_what_runs() {
    assert_eq!(planned_first(&observed(7, json!({}))).replicas, 7);
}

#[test]
fn what_was_ordered_counts_more_than_what_somebody_wrote_over_it() {
    let rewritten = observed(1, json!({}));
    let before = Before {
        ordered: Some(8),
        ..before()
    };
    assert_eq!(plan(&rewritten, &valid(&rewritten), &before).replicas, 8);
}

#[test]
fn recommend_publishes_and_orders_nothing() {
    let recommend = json!({ "mode": "Recommend" });
    let observed = Observed {
        prometheus: Some(read(390.0, 1, Ok(()))),
        ..observed(3, recommend)
    };
    let plan = planned(&observed);
    assert_eq!(
        (plan.replicas, plan.decision.replicas, plan.policy),
        (3, 8, None)
    );
}

#[test]
fn an_equal_policy_keeps_its_version() {
    let observed = Observed {
        prometheus: Some(read(90.0, 1, Ok(()))),
        ..observed(2, json!({}))
    };
    let first = planned(&observed);
    let later = Observed {
        now: now() + SignedDuration::from_secs(3),
        ..observed
    };
    let before = Before {
        memory: Some(first.decision.memory),
        policy: first.policy.clone(),
        ..Before::default()
    };
    assert_eq!(plan(&later, &valid(&later), &before).policy, first.policy);
}

#[test]
fn overload_beyond_the_maximum_imposes_a_level_and_a_sale_bounds_it() {
    let overload = Observed {
        prometheus: Some(read(4_000.0, 1, Ok(()))),
        ..observed(12, json!({}))
    };
    let floor = planned(&overload).policy.unwrap().floor;
    assert!(floor >= Level::Guard, "{floor}");
    let hours = ("2026-11-10T14:00:00Z", "2026-11-10T16:00:00Z");
    let mut sale = sale(hours, &[("rush", "2026-11-10T14:30:00Z")]);
    sale["spec"]["protect"] = json!(["CriticalPlus", "Critical", "SheddablePlus", "Sheddable"]);
    let protected = Observed {
        sales: vec![event(sale)],
        ..overload
    };
    assert_eq!(
        planned(&protected).policy.unwrap().floor,
        floor.min(Level::Guard)
    );
}

/// The plan of an observed cluster whose pods have taught `rps`, declared 50.
fn planned_with(rps: Option<f64>, learn_percent: i32, status: Value) -> Planned {
    let mut observed = observed(4, json!({ "capacityLearnPercent": learn_percent }));
    observed.prometheus = Some(read(390.0, 1, Ok(())));
    let mut pods = (**observed.pods.as_ref().unwrap()).clone();
    pods.measured.capacity = rps.map(|capacity_rps| LearnedCapacity {
        capacity_rps,
        samples: 90,
    });
    observed.pods = Some(Arc::new(pods));
    let mut cluster = (*observed.cluster).clone();
    cluster.status = serde_json::from_value(status).unwrap();
    observed.cluster = Arc::new(cluster);
    planned(&observed)
}

#[test]
fn a_learned_capacity_is_planned_with_inside_its_bounds() {
    let replicas = |rps, percent| planned_with(rps, percent, json!({})).replicas;
    assert_eq!(replicas(None, 30), 8);
    assert_eq!(replicas(Some(60.0), 30), 7);
    assert_eq!(replicas(Some(500.0), 30), 6, "not beyond 65");
    assert_eq!(replicas(Some(60.0), 0), 8, "nothing may be learned");
    let plan = planned_with(Some(60.0), 30, json!({}));
    assert_eq!(plan.capacity_samples, Some(90));
}

#[test]
fn s4_what_an_earlier_process_learned_holds_until_this_one_has() {
    let status = json!({
        "capacity": { "rps": 40, "warmTotalRps": 160, "source": "Learned", "samples": 200 },
        "leadTime": { "seconds": 92, "readySeconds": 90, "warmSeconds": 5, "samples": 12 }
    });
    let plan = planned_with(None, 30, status.clone());
    assert_eq!((plan.replicas, plan.capacity_samples), (10, Some(200)));
    assert_eq!(plan.lead_time.total_s(), 92);
    assert_eq!(planned_with(Some(50.0), 30, status).replicas, 8);
}

#[test]
fn f30_a_quota_of_the_namespace_caps_the_plan_and_never_lowers_it() {
    let quota = |pods: &str, used: &str| {
        let quota = json!({
            "metadata": { "name": "team", "namespace": "shop" },
            "spec": { "hard": { "pods": pods } },
            "status": { "hard": { "pods": pods }, "used": { "pods": used } }
        });
        Observed {
            prometheus: Some(read(390.0, 1, Ok(()))),
            quotas: vec![Arc::new(serde_json::from_value(quota).unwrap())],
            ..observed(4, json!({}))
        }
    };
    let capped = planned(&quota("10", "8"));
    assert_eq!(
        (capped.replicas, capped.decision.reason()),
        (6, Reason::QuotaExceeded)
    );
    assert_eq!(planned(&quota("3", "8")).replicas, 4);
    assert_eq!(planned(&quota("100", "8")).replicas, 8);
}

#[test]
fn f28_a_hand_in_a_sale_is_a_floor_that_is_shown_and_lapses() {
    let by_hand = |replicas, seconds: i64| {
        let hand = ByHand {
            replicas,
            until: now() + SignedDuration::from_secs(seconds),
            manager: "kubectl".to_owned(),
        };
        let observed = Observed {
            prometheus: Some(read(90.0, 1, Ok(()))),
            ..observed(2, json!({}))
        };
        let before = Before {
            by_hand: Some(hand),
            ..before()
        };
        plan(&observed, &valid(&observed), &before)
    };
    let held = by_hand(9, 60);
    assert_eq!(
        (held.replicas, held.decision.winner),
        (9, BidSource::Override)
    );
    assert_eq!(held.overrides.active[0].name, "scaled-by-hand");
    assert_eq!(
        by_hand(400, 60).replicas,
        12,
        "within the bounds of the spec"
    );
    assert_eq!(by_hand(9, 0).replicas, 2);
    assert_eq!(by_hand(1, 60).replicas, 2);
}

#[test]
fn pods_that_degraded_for_what_all_share_raise_the_floor() {
    let with = |trigger: &str| {
        let mut observed = Observed {
            prometheus: Some(read(90.0, 1, Ok(()))),
            ..observed(4, json!({}))
        };
        let mut pods = (**observed.pods.as_ref().unwrap()).clone();
        for pod in pods.pods.iter_mut().take(2) {
            pod.status = Some(ControlStatus {
                level: Level::Protect,
                level_trigger: trigger.to_owned(),
                warm: WarmState::Warm,
                ..ControlStatus::default()
            });
        }
        observed.pods = Some(Arc::new(pods));
        planned(&observed).policy.unwrap().floor
    };
    assert_eq!(with("store"), Level::Protect);
    assert_eq!(
        with("cursor"),
        Level::Normal,
        "its gate refuses finer than a level"
    );
    assert_eq!(
        with("floor"),
        Level::Normal,
        "a floor does not hold itself up"
    );
}

#[test]
fn f55_a_sale_that_an_edit_broke_still_holds_its_plan() {
    let hours = ("2026-11-10T14:00:00Z", "2026-11-10T13:00:00Z");
    let mut sale = sale(hours, &[("rush", "2026-11-10T14:30:00Z")]);
    sale["status"] = json!({ "clusters": [{ "name": "till", "ready": 9, "warm": 9, "phases": [{
        "name": "rush", "t0": "2026-11-10T14:30:00Z", "end": "2026-11-10T16:00:00Z",
        "upliftPercent": 1000, "plannedRps": 430, "plannedReplicas": 9,
        "prescaleStart": "2026-11-10T14:28:00Z"
    }] }] });
    let edited = Observed {
        prometheus: Some(read(90.0, 1, Ok(()))),
        sales: vec![event(sale)],
        ..observed(9, json!({}))
    };
    assert_eq!(planned(&edited).replicas, 9);
    let over = Observed {
        now: "2026-11-10T16:00:00Z".parse().unwrap(),
        ..edited
    };
    assert!(planned(&over).sales.is_empty());
}

#[test]
fn in_recommend_a_floor_and_a_ceiling_hold_whatever_bid_wins() {
    let words = |name: &str, count: &str| {
        let seen = Observed {
            prometheus: Some(read(560.0, 1, Ok(()))),
            ..observed(4, json!({ "mode": "Recommend" }))
        };
        let until = (now() + SignedDuration::from_mins(10)).to_string();
        let terms = [("override-until", &*until), ("override-reason", "a test")];
        let seen = annotated(seen, &[&[(name, count)], &terms[..]].concat());
        planned(&seen)
    };
    let floor = words("floor-replicas", "6");
    assert_eq!(
        floor.decision.winner,
        BidSource::Reactive,
        "12 pods are bid for"
    );
    assert_eq!(floor.replicas, 6);
    assert_eq!(words("ceiling-replicas", "3").replicas, 3);
    assert_eq!(
        words("floor-replicas", "2").replicas,
        4,
        "what stands, stands"
    );
}
