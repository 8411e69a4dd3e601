//! What is said of the pods, by how long they have been short.

use serde_json::json;

use super::*;
use crate::{
    conditions::Truth,
    observe::Observed,
    tests::fixtures::{observed, planned, read, valid},
};

/// Three pods run, eight are wanted; what is said when some have not been warm for so long.
fn said(mode: &str, short_for_s: Option<f64>) -> (Truth, Reason, String) {
    let busy = Observed {
        prometheus: Some(read(390.0, 1, Ok(()))),
        ..observed(3, json!({ "mode": mode }))
    };
    let cluster = valid(&busy);
    let standing = Standing {
        short_for_s,
        foreign_writer: None,
    };
    let verdict = plan_met(&cluster, &planned(&busy), &standing);
    (verdict.status, verdict.reason, verdict.message)
}

#[test]
fn s8_no_pod_is_said_to_stand_before_it_is_warm() {
    let check = |mode: &str, short_for_s, holds: bool, reason, message: &str| {
        let expected = (Truth::from(holds), reason, message.to_owned());
        assert_eq!(said(mode, short_for_s), expected);
    };
    let met = Reason::PlanMet;
    check(
        "Enforce",
        None,
        true,
        met,
        "8 pods are planned, Ready and warm",
    );
    let warming = "8 pods are planned; the missing ones are in time";
    check("Enforce", Some(1.0), true, Reason::WarmingUp, warming);
    let late = "8 pods are planned; some are not warm within the lead time";
    check("Enforce", Some(1e4), false, Reason::PlanLate, late);
    let only = Reason::RecommendOnly;
    let met = "8 pods are recommended, 3 are asked for, Ready and warm";
    check("Recommend", None, true, only, met);
    let warming = "8 pods are recommended, 3 are asked for; the missing ones are in time";
    check("Recommend", Some(1.0), true, only, warming);
    let late = "8 pods are recommended, 3 are asked for; some are not warm within the lead time";
    check("Recommend", Some(1e4), false, Reason::PlanLate, late);
}
