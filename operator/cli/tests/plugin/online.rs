//! Against a server: what is sent, what is kept, what is told when it is away or says no.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::run::{fixture, run};
use crate::server::{Server, nobody};

const FOR: [&str; 4] = ["--for", "45m", "--reason", "INC-7 bank is slow"];

/// A cluster `till` in `shop` that carries `annotations`.
fn till(annotations: Value) -> String {
    let mut till: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(fixture("till.yaml")).unwrap()).unwrap();
    till["metadata"]["annotations"] = annotations;
    till["status"]["overrides"] = json!([]);
    till.to_string()
}

fn set<'a>(what: &[&'a str]) -> Vec<&'a str> {
    [&["override", "set", "till"], what, &FOR[..]].concat()
}

#[test]
fn set_sends_the_override_with_its_end_and_reason_and_nothing_else() {
    let server = Server::holding(&till(json!({ "example.com/team": "payments" })));
    let before = Timestamp::now();
    let ran = server.run(&[&set(&["--floor", "9"])[..], &["--by", "lin"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout
            .starts_with("till: floor-replicas=9 for 44 min, until "),
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
            .contains("pin-replicas was not in force any more and is removed"),
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
fn list_and_status_read_the_namespace_of_the_context_or_the_one_given() {
    let server = Server::holding(&till(json!({})));
    assert_eq!(server.run(&set(&["--floor", "9"])).code, 0);
    let listed = server.run(&["override", "list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(
        listed.stdout.contains("floor-replicas=9") && listed.stdout.contains("INC-7 bank is slow")
    );
    let elsewhere = server.run(&["status", "--context", "elsewhere"]);
    assert_eq!(elsewhere.code, 1);
    assert!(
        elsewhere.stdout.contains("No PaymentCluster here"),
        "{}",
        elsewhere.stdout
    );
    for args in [
        &["status", "--context", "elsewhere", "-n", "shop"][..],
        &["status", "--context", "elsewhere", "-A"],
    ] {
        let ran = server.run(args);
        assert!(ran.stdout.starts_with("till (shop): "), "{args:?}: {ran:?}");
    }
    let pending = server.run(&["status"]).stdout;
    assert!(
        pending.contains("The operator has not taken floor-replicas=9 in yet"),
        "{pending}"
    );
}

#[test]
fn one_unreadable_object_hides_no_other() {
    let broken = "{apiVersion: floodgate.dev/v1alpha1, kind: PaymentCluster, metadata: {name: broken, namespace: shop}, spec: {scaling: {min: many}}}";
    let server = Server::holding(&format!("{}\n---\n{broken}", till(json!({}))));
    let ran = server.run(&["status"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("cannot be read as a PaymentCluster") && ran.stdout.contains("till"),
        "{}",
        ran.stdout
    );
    let ran = server.run(&["override", "clear", "broken"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("PaymentCluster `broken` cannot be read; correct it first"),
        "{}",
        ran.stderr
    );
}

#[test]
fn explain_goes_on_without_the_right_to_list_events() {
    let server = Server::holding(&till(json!({})));
    server.forbid("list events");
    let ran = server.run(&["explain", "till"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("AtMaximum makes it 12"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("you may not list events in namespace shop"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_sale_is_planned_and_shown_from_the_server() {
    let sale = std::fs::read_to_string(fixture("sale-running.yaml")).unwrap();
    let server = Server::holding(&format!("{sale}\n---\n{}", till(json!({}))));
    let plan = server.run(&["sale", "plan", "autumn", "-o", "json"]);
    let told: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(told["clusters"][0]["phases"][1]["replicas"], 12);
    let file = fixture("sale.yaml");
    let plan = server.run(&["sale", "plan", "-f", &file, "-o", "json"]);
    let told: Value = serde_json::from_str(&plan.stdout).unwrap();
    let baseline = told["clusters"][0]["baseline"].as_str().unwrap();
    assert_eq!(
        baseline, "412 req/s, the load measured by the operator",
        "a sale not yet applied"
    );
    let missing = server.run(&["sale", "status", "winter"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing
            .stderr
            .contains("SaleEvent `winter` was not found in namespace shop"),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_missing_right_is_named_with_verb_and_resource() {
    let server = Server::holding(&till(json!({})));
    server.forbid("patch paymentclusters");
    let ran = server.run(&set(&["--floor", "9"]));
    assert_eq!(ran.code, 3, "{ran:?}");
    let words = "you may not patch paymentclusters.floodgate.dev in namespace shop; ask for a role with verb `patch` on `paymentclusters.floodgate.dev`";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    server.forbid("list paymentclusters");
    let ran = server.run(&["status", "-A"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr
            .contains("list paymentclusters.floodgate.dev in all namespaces"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_server_that_is_away_or_knows_nothing_of_floodgate_exits_3() {
    let nobody = nobody();
    let kubeconfig = nobody.path().join("config");
    let ran = run(&["status", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("was not reached; check the network"),
        "{}",
        ran.stderr
    );
    let server = Server::holding(&till(json!({})));
    for (code, words) in [
        (401, "does not accept your credentials; log in again"),
        (404, "is Floodgate installed there?"),
        (
            500,
            "the server refused to list paymentclusters.floodgate.dev",
        ),
    ] {
        server.answer_always(code);
        let ran = server.run(&["status"]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let ran = server.run(&["status", "--context", "nowhere"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr
            .contains("check --kubeconfig, $KUBECONFIG and --context"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_name_the_server_does_not_have_exits_1() {
    let server = Server::holding(&till(json!({})));
    for args in [
        &["status", "tlil"][..],
        &["explain", "tlil"],
        &["override", "clear", "tlil"],
    ] {
        let ran = server.run(args);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.stderr
                .contains("PaymentCluster `tlil` was not found in namespace shop"),
            "{}",
            ran.stderr
        );
    }
}
