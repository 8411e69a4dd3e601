//! What `override set` and `override clear` send to a server, and what they never send.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::server::{Server, set, till};

#[test]
fn set_sends_the_override_with_its_end_and_reason_and_nothing_else() {
    let server = Server::holding(&till(json!({ "example.com/team": "payments" })));
    let before = Timestamp::now();
    let ran = server.run(&[&set(&["--floor", "9"])[..], &["--by", "lin"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout
            .starts_with("till: floor-replicas=9 for 45 min, until "),
        "{}",
        ran.stdout
    );
    let stands = server.annotations("till");
    let until: Timestamp = stands["floodgate.dev/override-until"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let left = until.duration_since(before);
    assert!(left > SignedDuration::from_mins(44) && left <= SignedDuration::from_mins(46));
    assert_eq!(stands["floodgate.dev/floor-replicas"], "9");
    assert_eq!(
        stands["floodgate.dev/override-reason"],
        "INC-7 bank is slow"
    );
    assert_eq!(stands["floodgate.dev/override-by"], "lin");
    assert_eq!(stands["example.com/team"], "payments");
    let patches = server.patches();
    let [patch] = patches.as_slice() else {
        panic!("{patches:?}");
    };
    assert_eq!(
        patch.as_object().unwrap().len(),
        1,
        "metadata only: {patch}"
    );
}

#[test]
fn set_does_not_bring_back_what_has_lapsed_and_keeps_what_holds() {
    let lapsed = json!({
        "floodgate.dev/pin-replicas": "3",
        "floodgate.dev/override-until": "2026-01-01T00:00:00Z",
        "floodgate.dev/override-reason": "long ago",
        "floodgate.dev/override-by": "wu",
    });
    let server = Server::holding(&till(lapsed));
    let ran = server.run(&set(&["--floor", "9"]));
    assert!(
        ran.stdout
            .contains("pin-replicas was no longer in force and was removed"),
        "{}",
        ran.stdout
    );
    let stands = server.annotations("till");
    assert_eq!(stands.get("floodgate.dev/pin-replicas"), None);
    assert_eq!(
        stands.get("floodgate.dev/override-by"),
        None,
        "wu did not say this"
    );

    let soon = (Timestamp::now() + SignedDuration::from_mins(5)).to_string();
    let holds = json!({
        "floodgate.dev/degrade-floor": "Guard",
        "floodgate.dev/override-until": soon,
        "floodgate.dev/override-reason": "before",
    });
    let server = Server::holding(&till(holds));
    let ran = server.run(&set(&["--ceiling", "10"]));
    assert!(
        ran.stdout
            .contains("degrade-floor=Guard was in force already"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        server.annotations("till")["floodgate.dev/degrade-floor"],
        "Guard"
    );
}

/// B28, B29.
#[test]
fn b29_counts_beyond_the_spec_are_sent_and_said_to_be_moved() {
    let server = Server::holding(&till(json!({})));
    let ran = server.run(&set(&["--pin", "40"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout
            .contains("asks for 40; the spec allows 2 to 12, so 12 is used"),
        "{}",
        ran.stdout
    );
    let ran = server.run(&set(&["--pin", "4", "--floor", "6"]));
    assert!(ran.stdout.contains("6 holds"), "{}", ran.stdout);
}

#[test]
fn a_dry_run_asks_the_server_and_changes_nothing() {
    let server = Server::holding(&till(json!({})));
    let ran = server.run(&[&set(&["--pause", "all"])[..], &["--dry-run"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("nothing was changed"));
    assert_eq!(server.annotations("till"), json!({}));
    server.forbid("patch paymentclusters");
    let ran = server.run(&[&set(&["--pause", "all"])[..], &["--dry-run"]].concat());
    assert_eq!(ran.code, 3, "a dry run tells whether one may: {ran:?}");
}

#[test]
fn what_was_set_and_cleared_is_told_to_programs_too() {
    let server = Server::holding(&till(json!({})));
    let ran = server.run(&[&set(&["--floor", "9"])[..], &["-o", "json"]].concat());
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["overrides"][0]["name"], "floor-replicas");
    assert_eq!(
        (&told["namespace"], &told["dryRun"]),
        (&json!("shop"), &json!(false))
    );
    let ran = server.run(&["override", "clear", "till", "floor", "-o", "yaml"]);
    let told: Value = serde_saphyr::from_str(&ran.stdout).unwrap();
    let cleared = told["cleared"].as_array().unwrap();
    assert!(cleared.contains(&json!("floor-replicas")), "{told}");
    assert_eq!(told["left"], json!([]));
}

#[test]
fn nothing_that_is_refused_is_ever_sent() {
    let server = Server::holding(&till(json!({})));
    for args in [
        ["--floor", "many"],
        ["--degrade-pin", "guard"],
        ["--pause", "al"],
    ] {
        assert_eq!(server.run(&set(&args)).code, 2);
    }
    assert_eq!(server.patches(), Vec::<Value>::new());
}

#[test]
fn clear_removes_what_is_named_and_the_terms_with_the_last_one() {
    let server = Server::holding(&till(
        json!({ "example.com/team": "payments", "floodgate.dev/pasue": "all" }),
    ));
    assert_eq!(
        server
            .run(&set(&["--floor", "9", "--pause", "scaling"]))
            .code,
        0
    );
    let ran = server.run(&["override", "clear", "till", "pause"]);
    assert_eq!(
        ran.stdout,
        "till: cleared pause\n  still set: floor-replicas\n"
    );
    let stands = server.annotations("till");
    assert!(
        stands.get("floodgate.dev/override-until").is_some(),
        "the floor still needs its end"
    );
    let ran = server.run(&["override", "clear", "till"]);
    assert_eq!(
        ran.stdout,
        "till: cleared floor-replicas, override-reason, override-until, pasue\n"
    );
    assert_eq!(
        server.annotations("till"),
        json!({ "example.com/team": "payments" })
    );
    let ran = server.run(&["override", "clear", "till"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "till: nothing to clear\n")
    );
}

#[test]
fn set_says_when_the_operator_acts_on_nothing_of_this_cluster() {
    let mut object: Value = serde_json::from_str(&till(json!({}))).unwrap();
    object["status"]["conditions"][1]["status"] = json!("False");
    object["status"]["conditions"][1]["message"] = json!("Secret `backends` must exist");
    let server = Server::holding(&object.to_string());
    let ran = server.run(&set(&["--floor", "9"]));
    let words = "no effect until the cluster is accepted: Secret `backends` must exist";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    let holds = json!("Secret `backends` must exist; the last valid spec holds");
    object["status"]["conditions"][1]["message"] = holds;
    let ran = Server::holding(&object.to_string()).run(&set(&["--floor", "9"]));
    assert!(!ran.stdout.contains("no effect"), "{}", ran.stdout);
}

#[test]
fn an_end_that_was_set_long_ago_does_not_stand_in_the_way_of_a_new_one() {
    let past = Timestamp::now() - SignedDuration::from_hours(23);
    let old = json!({
        "floodgate.dev/floor-replicas": "4",
        "floodgate.dev/override-until": (Timestamp::now() + SignedDuration::from_mins(30)).to_string(),
        "floodgate.dev/override-reason": "yesterday",
    });
    let mut object: Value = serde_json::from_str(&till(old)).unwrap();
    object["metadata"]["managedFields"] = json!([{
        "manager": "kubectl-annotate", "operation": "Update", "time": past.round(jiff::Unit::Second).unwrap().to_string(),
        "fieldsType": "FieldsV1",
        "fieldsV1": { "f:metadata": { "f:annotations": { "f:floodgate.dev/override-until": {} } } },
    }]);
    let server = Server::holding(&object.to_string());
    let ran = server.run(&[
        "override", "set", "till", "--floor", "9", "--for", "20h", "--reason", "INC-7",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        server.annotations("till")["floodgate.dev/floor-replicas"],
        "9"
    );
}
