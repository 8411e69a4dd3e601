//! What is refused before anything is sent. No cluster is configured here: a refusal that needed
//! one would end with exit code 3.

use crate::run::{Ran, fixture, run, run_with};

fn set(args: &[&str]) -> Ran {
    run(&[&["override", "set", "till"], args].concat())
}

fn refused(ran: &Ran, words: &str) {
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
}

/// An end far enough ahead for every test.
fn in_an_hour() -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string()
}

/// B27.
#[test]
fn b27_an_override_needs_an_end_and_a_reason() {
    refused(&set(&["--pin", "4", "--reason", "INC-7"]), "--until");
    refused(&set(&["--pin", "4", "--for", "45m"]), "--reason");
    refused(&set(&["--for", "45m", "--reason", "INC-7"]), "--pin");
    let both = [
        "--pin",
        "4",
        "--reason",
        "INC-7",
        "--for",
        "45m",
        "--until",
        &in_an_hour(),
    ];
    refused(&set(&both), "cannot be used with");
}

/// B27.
#[test]
fn b27_ends_are_refused_in_the_words_of_the_operator() {
    for (until, words) in [
        (
            "tonight",
            "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T02:00:00+08:00`",
        ),
        ("2026-11-10T18:00:00", "with a zone offset"),
        (
            "2025-11-10T15:00:00Z",
            "has passed; set a later end, or remove it",
        ),
        ("9999-11-10T15:00:00Z", "must be at most 24 h ahead"),
    ] {
        let ran = set(&["--floor", "4", "--reason", "INC-7", "--until", until]);
        refused(&ran, words);
        refused(&ran, "`floodgate.dev/floor-replicas` is not in force");
    }
    for lasting in ["soon", "0m", "-5m", "25h", "1d", "45"] {
        let lasting = format!("--for={lasting}");
        let ran = set(&["--floor", "4", "--reason", "INC-7", &lasting]);
        refused(&ran, "must be a duration of at most 24 h");
    }
    let ran = set(&["--pin", "4", "--for", "45m", "--reason", "  "]);
    refused(&ran, "must say why, for example `INC-1234 bank is slow`");
}

/// B26.
#[test]
fn b26_bad_values_are_refused_in_the_words_of_the_operator() {
    for (flag, value, words) in [
        (
            "--pin",
            "many",
            "`floodgate.dev/pin-replicas` is `many`; must be a whole number of replicas",
        ),
        ("--floor", "3.5", "must be a whole number of replicas"),
        (
            "--ceiling",
            "99999999999",
            "must be a whole number of replicas",
        ),
        (
            "--degrade-floor",
            "guard",
            "must be one of Normal, Guard, Reduce, Protect, Survive; did you mean `Guard`?",
        ),
        ("--degrade-pin", "5", "must be one of Normal, Guard"),
        (
            "--pause",
            "scalng",
            "must be one of scaling, degradation, all; did you mean `scaling`?",
        ),
    ] {
        let ran = set(&[flag, value, "--for", "45m", "--reason", "INC-7"]);
        refused(&ran, words);
    }
}

#[test]
fn a_bad_file_is_named_with_what_is_wrong() {
    refused(
        &run(&["status", "-f", "/nonexistent/till.yaml"]),
        "cannot read `/nonexistent/till.yaml`",
    );
    refused(
        &run_with(&["status", "-f", "-"], "a: [1"),
        "must be YAML or JSON",
    );
    let broken = "apiVersion: floodgate.dev/v1alpha1\nkind: PaymentCluster\nmetadata: {name: till}\nspec: {scaling: {min: many}}";
    refused(
        &run_with(&["status", "-f", "-"], broken),
        "PaymentCluster `till` in `-` cannot be read: `spec.scaling.min`: invalid type: string \"many\"",
    );
    for (text, words) in [
        (
            "timestamp,value",
            "holds a text; must hold Kubernetes objects",
        ),
        ("[1, 2]", "holds a list; must hold Kubernetes objects"),
        ("a: 1", "`kind` is not set"),
    ] {
        refused(&run_with(&["status", "-f", "-"], text), words);
    }
}

#[test]
fn every_misspelling_of_every_file_is_refused_at_once_with_the_nearest_spelling() {
    let good = std::fs::read_to_string(fixture("sale.yaml")).unwrap();
    let text = good
        .replace("upliftPercent: 1000", "upliftPercnt: 1000")
        .replace("t0: \"2026-11-10T20", "T0: \"2026-11-10T20")
        + "---\napiVersion: floodgate.dev/v1alpha1\nkind: PaymentClutser\nmetadata: {name: till}\n";
    let ran = run_with(&["sale", "plan", "-f", "-"], &text);
    for words in [
        "error: 3 mistakes\n",
        "`-`: SaleEvent `autumn`: `spec.upliftPercnt` is not a field; did you mean `upliftPercent`?",
        "`spec.phases[0].T0` is not a field; did you mean `t0`?",
        "`-`: PaymentClutser `till`: `kind` is `PaymentClutser`; must be PaymentCluster or SaleEvent; did you mean `PaymentCluster`?",
    ] {
        refused(&ran, words);
    }
}

#[test]
fn an_object_that_is_there_twice_is_refused() {
    let till = fixture("till.yaml");
    let ran = run(&["status", "-f", &till, "-f", &till]);
    refused(
        &ran,
        "PaymentCluster `till` is in the files twice; must be there once",
    );
}

#[test]
fn what_is_wrong_with_a_file_is_printed_once() {
    let ran = run_with(&["status", "-f", "-"], "a: [1");
    refused(&ran, "unclosed bracket");
    assert_eq!(
        ran.stderr.matches("unclosed bracket").count(),
        1,
        "{}",
        ran.stderr
    );
}

#[test]
fn an_instant_that_is_none_is_refused_with_an_example() {
    let till = fixture("till.yaml");
    let ran = run(&["status", "-f", &till, "--at", "tomorrow"]);
    refused(
        &ran,
        "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`",
    );
}

#[test]
fn a_name_that_is_not_there_exits_1() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&["status", "tlil", "-f", &fleet]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr
            .contains("PaymentCluster `tlil` was not found in the files"),
        "{}",
        ran.stderr
    );
}

#[test]
fn no_sale_at_all_exits_1() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&["sale", "status", "-f", &fleet]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("there is no SaleEvent in the files"),
        "{}",
        ran.stderr
    );
}

#[test]
fn bad_sales_are_refused_with_the_field_and_what_it_must_be() {
    let good = std::fs::read_to_string(fixture("sale.yaml")).unwrap();
    let till = fixture("till.yaml");
    let plan = |text: &str, rest: &[&str]| {
        let args = [&["sale", "plan", "-f", &till, "-f", "-"], rest].concat();
        run_with(&args, text)
    };
    let rate = ["--baseline-rps", "48"];
    for (from, to, words) in [
        (
            "start: \"2026-11-10T20:00:00+08:00\"",
            "start: tonight",
            "`spec.start` is `tonight`; must be an RFC 3339 instant",
        ),
        (
            "end: \"2026-11-11T02:00:00+08:00\"",
            "end: \"2026-11-10T02:00:00+08:00\"",
            "`spec.end` is `2026-11-10T02:00:00+08:00`; must be after `start`, 2026-11-10T20:00:00+08:00",
        ),
        (
            "end: \"2026-11-11T02:00:00+08:00\"",
            "end: \"2027-11-11T02:00:00+08:00\"",
            "at most 90 days",
        ),
        (
            "evening, t0: \"2026-11-10T20",
            "evening, t0: \"2026-11-10T19",
            "`spec.phases[0].t0` is `2026-11-10T19:00:00+08:00`; must be at or after",
        ),
        (
            "upliftPercent: 4000",
            "upliftPercent: 40",
            "`spec.phases[1].upliftPercent` is 40; must be between 100",
        ),
        (
            "upliftPercent: 4000",
            "upliftPercent: 4000, quantilePercent: 20",
            "`spec.phases[1].quantilePercent` is 20; must be between 50 and 99",
        ),
        (
            "upliftPercent: 1000",
            "upliftPercent: 1000\n  upliftErrorPercent: 999",
            "`spec.upliftErrorPercent` is 999; must be between 0 and 200",
        ),
        (
            "names: [till]",
            "names: [other]",
            "asks for the name other in namespace shop, which no PaymentCluster has: there is till in namespace shop (no labels)",
        ),
    ] {
        assert!(good.contains(from));
        refused(&plan(&good.replace(from, to), &rate), words);
    }
}

#[test]
fn a_baseline_that_is_none_is_refused() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let plan = |rest: &[&str]| {
        let files = ["sale", "plan", "-f", &till, "-f", &sale];
        run(&[&files[..], rest].concat())
    };
    for rps in ["1e300", "inf", "NaN", "0", "-3", "many"] {
        let ran = plan(&["--baseline-rps", rps]);
        refused(&ran, "must be a number above 0 and at most 1000000000");
    }
    refused(
        &plan(&["--history", &till]),
        "must be a trace of timestamp,value",
    );
}

#[test]
fn a_sale_without_any_known_load_asks_for_one() {
    let (fleet, sale) = (fixture("fleet.yaml"), fixture("sale.yaml"));
    let sale = std::fs::read_to_string(sale)
        .unwrap()
        .replace("names: [till]", "names: [booth]");
    let ran = run_with(&["sale", "plan", "-f", &fleet, "-f", "-"], &sale);
    refused(&ran, "give --baseline-rps, or --history");
}

#[test]
fn an_invalid_sale_is_not_passed_over_among_valid_ones() {
    let good = std::fs::read_to_string(fixture("sale.yaml")).unwrap();
    let bad = good
        .replace("name: autumn", "name: winter")
        .replace("upliftPercent: 4000", "upliftPercent: 40");
    let till = fixture("till.yaml");
    let text = format!("{good}---\n{bad}");
    let args = [
        "sale",
        "plan",
        "-f",
        &till,
        "-f",
        "-",
        "--baseline-rps",
        "9",
    ];
    let at = ["--at", "2026-11-09T00:00:00Z"];
    let ran = run_with(&[&args[..], &at].concat(), &text);
    refused(
        &ran,
        "SaleEvent `winter`: `spec.phases[1].upliftPercent` is 40",
    );
}

#[test]
fn a_sale_alone_asks_for_the_file_of_its_cluster() {
    let ran = run(&["sale", "plan", "-f", &fixture("sale.yaml")]);
    refused(&ran, "the files hold no PaymentCluster");
    refused(&ran, "add the file of the PaymentCluster with -f");
}

#[test]
fn b62_without_any_cluster_the_way_out_is_shown_and_the_exit_code_is_3() {
    let ran = run(&["status"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("set --kubeconfig or $KUBECONFIG"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("in-cluster"), "{}", ran.stderr);
}
