//! What stands beside a recommendation, and what an SRE's word leaves behind: nothing.

use serde_json::{Value, json};

use super::*;

fn deployment(noted: Option<&str>, managers: &Value) -> Deployment {
    let noted = noted.map(|noted| json!({ REPLICAS_BEFORE_OVERRIDE: noted }));
    serde_json::from_value(json!({
        "metadata": { "name": "till", "annotations": noted, "managedFields": managers },
        "spec": { "selector": {}, "template": {} }
    }))
    .unwrap()
}

fn ours(noted: Option<&str>) -> Deployment {
    deployment(noted, &json!([]))
}

fn word(value: u32) -> Override<u32> {
    Override {
        value,
        until: floodgate_planner::UnixMillis(i64::MAX),
        reason: "a test".to_owned(),
        by: None,
    }
}

fn floor(value: u32) -> Overrides {
    Overrides {
        floor: Some(word(value)),
        ..Overrides::default()
    }
}

fn none() -> Overrides {
    Overrides::default()
}

fn check(kept: Kept, replicas: u32, before_override: Option<u32>) {
    let expected = Kept {
        replicas,
        before_override,
    };
    assert_eq!(kept, expected);
}

#[test]
fn a_recommendation_puts_nobodys_hand_back() {
    for decided in [2, 5, 9] {
        check(kept(None, 5, &none(), decided), 5, None);
        check(kept(Some(&ours(None)), 5, &none(), decided), 5, None);
    }
}

#[test]
fn s9_a_word_holds_and_what_stood_before_it_stands_again() {
    let before = ours(None);
    check(kept(Some(&before), 4, &floor(6), 6), 6, Some(4));
    let during = ours(Some("4"));
    check(kept(Some(&during), 6, &floor(6), 6), 6, Some(4));
    check(kept(Some(&during), 6, &none(), 2), 4, None);
    let ceiling = Overrides {
        ceiling: Some(word(3)),
        ..Overrides::default()
    };
    check(kept(Some(&before), 4, &ceiling, 3), 3, Some(4));
    check(kept(Some(&during), 3, &none(), 2), 4, None);
    let pin = Overrides {
        pin: Some(word(9)),
        ..Overrides::default()
    };
    check(kept(Some(&before), 4, &pin, 9), 9, Some(4));
    check(kept(Some(&during), 9, &none(), 2), 4, None);
    // A word that moves nothing leaves nothing to remember.
    check(kept(Some(&before), 4, &floor(3), 4), 4, None);
}

#[test]
fn s2_pods_are_given_back_only_as_far_as_the_decision_allows() {
    let during = ours(Some("4"));
    // Without fresh load the decision holds what stands.
    check(kept(Some(&during), 6, &none(), 6), 6, Some(4));
    check(kept(Some(&during), 6, &none(), 12), 6, Some(4));
    check(kept(Some(&during), 6, &none(), 5), 5, Some(4));
    // So it is with a floor that is taken lower.
    check(kept(Some(&during), 8, &floor(5), 7), 7, Some(4));
    check(kept(Some(&during), 8, &floor(5), 2), 5, Some(4));
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_what_stands() {
    let kubectl = json!([{
        "manager": "kubectl", "operation": "Update", "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": { "f:replicas": {} } }
    }]);
    let written = deployment(Some("4"), &kubectl);
    check(kept(Some(&written), 7, &floor(6), 6), 7, None);
    check(kept(Some(&written), 7, &none(), 2), 7, None);
    let nonsense = ours(Some("many"));
    check(kept(Some(&nonsense), 7, &none(), 2), 7, None);
}
