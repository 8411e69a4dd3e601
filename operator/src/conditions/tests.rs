//! What the conditions say of quotas, failures and overrides.

use std::sync::Arc;

use floodgate_forecast::ForecastPath;
use serde_json::{Value, json};

use super::*;
use crate::{
    snapshot::{ForecastSnapshot, ForecastState},
    tests::fixtures::{applied, observed, planned, valid},
};

/// The conditions of a cluster that runs four pods and needs eight.
fn verdicts(observed: &Observed, deployment_status: &Value) -> Vec<Verdict> {
    let cluster = valid(observed);
    let applied = applied(&cluster, deployment_status);
    let standing = Standing {
        short_for_s: None,
        foreign_writer: None,
    };
    of(
        observed,
        &cluster,
        &planned(observed),
        &applied,
        &standing,
        accepted(),
    )
}

fn needing_eight() -> Observed {
    let mut observed = observed(4, json!({}));
    let path = ForecastPath::flat(observed.now.into(), 60, 600, 390.0, 390.0).unwrap();
    observed.forecast = Arc::new(ForecastSnapshot {
        state: ForecastState::Fitted,
        path: Some(Arc::new(path)),
        made_at: Some(observed.now),
        history_hours: 300,
        peak_rps: Some(400.0),
        ..ForecastSnapshot::default()
    });
    observed
}

fn said(verdicts: &[Verdict], kind: ConditionType) -> (Truth, Reason, &str) {
    let verdict = verdicts.iter().find(|one| one.kind == kind).unwrap();
    (verdict.status, verdict.reason, &verdict.message)
}

#[test]
fn f30_a_quota_that_admits_too_few_is_named_by_capacity_and_by_workload() {
    let free = verdicts(&needing_eight(), &json!({ "readyReplicas": 4 }));
    let (status, reason, _) = said(&free, ConditionType::CapacitySufficient);
    assert_eq!((status, reason), (Truth::True, Reason::CapacitySufficient));

    let mut capped = needing_eight();
    let quota = json!({
        "metadata": { "name": "team", "namespace": "shop" },
        "spec": { "hard": { "pods": "10" } },
        "status": { "hard": { "pods": "10" }, "used": { "pods": "9" } }
    });
    capped.quotas = vec![Arc::new(serde_json::from_value(quota).unwrap())];
    let failed = json!({
        "readyReplicas": 4,
        "conditions": [{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
            "message": "pods \"till-5\" is forbidden: exceeded quota: team"
        }]
    });
    let told = verdicts(&capped, &failed);
    let (status, reason, _) = said(&told, ConditionType::CapacitySufficient);
    assert_eq!((status, reason), (Truth::False, Reason::QuotaExceeded));
    let (status, reason, message) = said(&told, ConditionType::WorkloadAvailable);
    assert_eq!((status, reason), (Truth::False, Reason::QuotaExceeded));
    assert!(message.contains("exceeded quota: team"), "{message}");
}

/// What `Overridden` says of annotations, under an earlier status.
fn overridden_by(pairs: &[(&str, &str)], overrides: &Value) -> (Truth, Reason, String) {
    let mut observed = observed(4, json!({}));
    let mut cluster = (*observed.cluster).clone();
    let until = (observed.now + jiff::SignedDuration::from_mins(10)).to_string();
    let terms = [("override-until", &*until), ("override-reason", "INC-7")];
    let annotations = pairs.iter().chain(&terms);
    let annotations =
        annotations.map(|(name, value)| (format!("floodgate.dev/{name}"), (*value).to_owned()));
    cluster.metadata.annotations = Some(annotations.collect());
    let status = json!({ "overrides": overrides });
    cluster.status = Some(serde_json::from_value(status).unwrap());
    observed.cluster = Arc::new(cluster);
    let all = verdicts(&observed, &json!({ "readyReplicas": 4 }));
    let (status, reason, message) = said(&all, ConditionType::Overridden);
    (status, reason, message.to_owned())
}

#[test]
fn b28_the_condition_says_which_of_two_overrides_holds() {
    let plain = overridden_by(&[("floor-replicas", "6")], &json!([]));
    assert_eq!((plain.0, plain.1), (Truth::True, Reason::OverrideActive));
    let both = [("floor-replicas", "6"), ("ceiling-replicas", "4")];
    let (status, reason, message) = overridden_by(&both, &json!([]));
    assert_eq!((status, reason), (Truth::True, Reason::OverrideConflict));
    assert!(message.contains("6 holds"), "{message}");
}

#[test]
fn b26_the_condition_says_that_a_spoilt_pause_still_holds() {
    let last = json!([{
        "name": "pause", "value": "all", "until": "2026-11-10T15:10:00Z", "reason": "INC-7"
    }]);
    let (status, reason, message) = overridden_by(&[("pause", "yes")], &last);
    assert_eq!((status, reason), (Truth::True, Reason::OverrideActive));
    assert!(message.contains("`pause=all` holds"), "{message}");
    let (status, reason, _) = overridden_by(&[("pause", "yes")], &json!([]));
    assert_eq!((status, reason), (Truth::False, Reason::InvalidOverride));
}
