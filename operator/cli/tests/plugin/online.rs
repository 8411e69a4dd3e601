//! Against a server: what is read, and what is told when it is away or says no.

use serde_json::{Value, json};

use crate::run::{fixture, run};
use crate::server::{Server, nobody, set, till};

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
        elsewhere
            .stdout
            .contains("there is no PaymentCluster in namespace attic; look in another with -n"),
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
    let twice = server.run(&["status", "-n", "attic", "-n", "shop"]);
    assert!(
        twice.stdout.starts_with("till (shop): "),
        "the last one counts: {twice:?}"
    );
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
            .contains("PaymentCluster `broken` in namespace shop cannot be read; correct it first"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_mistyped_namespace_is_named_as_such_where_one_may_know() {
    let server = Server::holding(&till(json!({})));
    for args in [
        &["status", "till"][..],
        &["status"],
        &["explain"],
        &["sale", "status"],
        &["override", "list"],
        &["override", "clear", "till"],
    ] {
        let ran = server.run(&[args, &["-n", "shpo"]].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let words = "there is no namespace shpo; did you mean `shop`?";
        assert!(said.contains(words), "{said}");
    }
    server.forbid("list namespaces");
    let ran = server.run(&["status", "-n", "shpo"]);
    let words = "there is no PaymentCluster in namespace shpo";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
}

#[test]
fn one_unreadable_sale_hides_no_other() {
    let sale = std::fs::read_to_string(fixture("sale-running.yaml")).unwrap();
    let broken = "{apiVersion: floodgate.dev/v1alpha1, kind: SaleEvent, metadata: {name: broken, namespace: shop}, spec: {phases: many}}";
    let server = Server::holding(&format!("{sale}\n---\n{broken}\n---\n{}", till(json!({}))));
    for command in ["status", "plan", "report"] {
        let ran = server.run(&["sale", command]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stdout.starts_with("autumn (shop)"), "{}", ran.stdout);
        let said = "SaleEvent `broken` in namespace shop cannot be read; correct it first";
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert_eq!(server.run(&["sale", command, "broken"]).code, 2);
    }
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
    assert_eq!(told["sales"][0]["clusters"][0]["phases"][1]["replicas"], 12);
    let file = fixture("sale.yaml");
    let plan = server.run(&["sale", "plan", "-f", &file, "-o", "json"]);
    let told: Value = serde_json::from_str(&plan.stdout).unwrap();
    let baseline = told["sales"][0]["clusters"][0]["baseline"]
        .as_str()
        .unwrap();
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
fn every_namespace_is_explained_and_its_sales_are_shown_with_all_namespaces() {
    let sale = std::fs::read_to_string(fixture("sale-running.yaml")).unwrap();
    let server = Server::holding(&format!("{sale}\n---\n{}", till(json!({}))));
    for (args, said) in [
        (&["explain"][..], "till (shop): 12 replicas"),
        (&["sale", "status"], "autumn (shop): Prescaling"),
        (&["sale", "plan"], "autumn (shop) on till: 10 pods"),
        (&["sale", "report"], "autumn (shop): "),
    ] {
        let there = server.run(&[args, &["-A", "--context", "elsewhere"]].concat());
        assert!(there.stdout.starts_with(said), "{there:?}");
        let here = server.run(&[args, &["--context", "elsewhere"]].concat());
        assert_eq!(here.code, 1, "{here:?}");
        assert!(
            here.stderr
                .contains("in namespace attic; look in another with -n"),
            "{here:?}"
        );
    }
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
        ran.stderr.contains(
            "list paymentclusters.floodgate.dev in all namespaces; name a namespace with -n"
        ),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.ends_with("User \"sre\" cannot list resource\n"),
        "the server's words, once and without its envelope: {}",
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
        assert!(
            ran.stderr.contains("did you mean `till`?"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn watch_looks_again_and_outlives_a_server_that_fails() {
    let server = Server::holding(&till(json!({})));
    let mut watch = server.watch(&["status", "till", "--watch"]);
    watch.read_until("till (shop): ");
    server.answer_always(503);
    watch.read_until("the server refused to get paymentclusters");
    server.answer_as_usual();
    watch.read_until("till (shop): ");
}

#[test]
fn kubectl_is_offered_the_names_that_are_there() {
    let sale = std::fs::read_to_string(fixture("sale.yaml")).unwrap();
    let server = Server::holding(&format!("{sale}\n---\n{}", till(json!({}))));
    let kubeconfig = server.kubeconfig();
    let access = ["--kubeconfig", kubeconfig.to_str().unwrap()];
    let offered = |words: &[&str]| {
        let words = [&["__complete"], &access[..], words].concat();
        run(&words).stdout
    };
    assert_eq!(offered(&["override", "clear", "t"]), "till\t\n:4\n");
    assert_eq!(offered(&["sale", "status", ""]), "autumn\t\n:4\n");
    assert_eq!(offered(&["-n", "attic", "status", ""]), ":4\n");
    assert_eq!(offered(&["status", "-n", ""]), "attic\t\nshop\t\n:4\n");
    let contexts = offered(&["status", "--context", ""]);
    assert_eq!(contexts, "here\t\nelsewhere\t\n:4\n");
}
