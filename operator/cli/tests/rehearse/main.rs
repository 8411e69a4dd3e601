//! `kubectl floodgate rehearse` from files to figures, and what it says of bad input.

#![allow(clippy::unwrap_used, reason = "a test ends by panic")]

mod sample;
mod world;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

const CLUSTER: &str = "
apiVersion: floodgate.dev/v1alpha1
kind: PaymentCluster
metadata: {name: till}
spec:
  service: {image: registry.example/pay:1}
  backends:
    shards: [{name: zero, primarySecretRef: {name: b, key: zero}}]
    cacheSecretRef: {name: b, key: lru}
    eventsSecretRef: {name: b, key: bus}
  scaling: {max: 40}
  traffic: {prometheus: {url: http://prom:9090}}
";

const SALE: &str = "
apiVersion: floodgate.dev/v1alpha1
kind: SaleEvent
metadata: {name: drop}
spec:
  clusterSelector: {names: [till]}
  start: '2026-03-03T12:00:00Z'
  end: '2026-03-03T14:00:00Z'
  upliftPercent: 500
  phases: [{name: opening, t0: '2026-03-03T12:00:00Z'}]
";

/// Files of one test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.put("cluster.yaml", CLUSTER);
        files.put("sale.yaml", SALE);
        let mut trace = "timestamp,value\n".to_owned();
        let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        for step in 0..4 * 288 {
            let at = start + jiff::SignedDuration::from_secs(step * 300);
            let value = 60_000 + (step % 288) * 100;
            trace.extend([at.to_string(), format!(",{value}\n")]);
        }
        files.put("trace.csv", &trace);
        files
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn rehearse(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kubectl-floodgate"))
            .current_dir(self.0.path())
            .arg("rehearse")
            .args(args)
            .output()
            .unwrap()
    }

    /// The complaint and the exit code.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.rehearse(args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn figures_of_every_policy_come_as_json_and_as_a_chart() {
    let files = Files::new();
    let output = files.rehearse(&[
        "-f",
        "cluster.yaml",
        "-f",
        "sale.yaml",
        "--trace",
        "trace.csv",
        "--inject",
        "20x@00:00:00+08:00",
        "--json",
        "--html",
        "chart.html",
    ]);
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let policies = answer["policies"].as_array().unwrap();
    let names: Vec<&str> = policies
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "floodgate",
            "hpa",
            "keda",
            "kpa",
            "holt-winters",
            "aws-predictive",
            "static-peak",
            "oracle"
        ]
    );
    for policy in policies {
        for figure in [
            "slo_violation_minutes",
            "unserved_ratio",
            "worst_queue_delay_ms",
            "pod_hours",
            "pod_hours_vs_oracle",
            "scale_actions",
            "reversals",
            "warm_share_at_t0",
            "idle_ratio",
        ] {
            assert!(policy[figure].is_number(), "{figure} of {policy}");
        }
    }
    assert_eq!(policies[0]["warm_share_at_t0"], 1.0);
    let chart = std::fs::read_to_string(files.0.path().join("chart.html")).unwrap();
    // The hour of the sale from near, and all of it.
    assert_eq!(chart.matches("<figure").count(), 16);
    assert!(
        chart.contains("Around the hardest T0, 2026-03-0"),
        "{chart}"
    );
    // A line for each T0 in every chart, and one in the legend.
    assert_eq!(chart.matches("upright green").count() % 16, 1);
    for line in chart.split("class=\"line ").skip(1) {
        let places = line.split('"').nth(2).unwrap().split(['M', 'L']).skip(1);
        for place in places {
            let y: f64 = place.split(' ').nth(1).unwrap().parse().unwrap();
            assert!((0.0..=160.0).contains(&y), "{place} is cut off");
        }
    }
    assert!(!chart.contains("src="), "nothing is fetched from elsewhere");
}

#[test]
fn a_sale_outside_of_the_trace_is_said_and_the_trace_is_moved_to_it() {
    let files = Files::new();
    files.put("sale.yaml", &SALE.replace("2026-03-03", "2027-11-11"));
    let args = [
        "-f",
        "cluster.yaml",
        "-f",
        "sale.yaml",
        "--trace",
        "trace.csv",
        "--json",
        "--policies",
        "floodgate,hpa",
    ];
    let output = files.rehearse(&args);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = answer["notes"].to_string();
    assert!(
        notes.contains("Every sale lies outside of the trace"),
        "{notes}"
    );
    let from = answer["rehearsed_from"].as_str().unwrap();
    assert!(from.starts_with("2027-11-"), "{from}");
    assert!(answer["policies"][1]["warm_share_at_t0"].as_f64().unwrap() < 1.0);
}

#[test]
fn bad_objects_are_refused_by_field_value_and_range() {
    let files = Files::new();
    let args = [
        "-f",
        "cluster.yaml",
        "-f",
        "sale.yaml",
        "--trace",
        "trace.csv",
    ];
    for (file, text, from, to, says) in [
        (
            "cluster.yaml",
            CLUSTER,
            "max: 40",
            "max: 1",
            "`spec.scaling.max` is `1`; must be at least `min`, 2",
        ),
        (
            "cluster.yaml",
            CLUSTER,
            "max: 40",
            "max: 0",
            "`spec.scaling.max` is 0; must be between 1 and 10000",
        ),
        (
            "cluster.yaml",
            CLUSTER,
            "apiVersion: floodgate.dev/v1alpha1\nkind: PaymentCluster",
            "apiVersion: v1\nkind: Pod",
            "hold no PaymentCluster; must hold exactly one",
        ),
        (
            "sale.yaml",
            SALE,
            "end: '2026-03-03T14",
            "end: '2026-03-03T11",
            "`spec.end` is `2026-03-03T11:00:00Z`; must be after `start`, 2026-03-03T12:00:00Z",
        ),
        (
            "sale.yaml",
            SALE,
            "t0: '2026-03-03T12:00:00Z'",
            "t0: noon",
            "`spec.phases[0].t0` is `noon`; must be an RFC 3339 instant",
        ),
        (
            "sale.yaml",
            SALE,
            "upliftPercent: 500",
            "upliftPercent: 5",
            "`spec.upliftPercent` is 5; must be between 100 and 100000",
        ),
        (
            "sale.yaml",
            SALE,
            "kind: SaleEvent",
            "kind: [",
            "must be YAML or JSON",
        ),
    ] {
        files.put(file, &text.replace(from, to));
        let error = files.refused(&args);
        assert!(error.contains(says), "{says}: {error}");
        files.put(file, text);
    }
}

#[test]
fn a_misspelt_field_is_refused_and_never_rehearsed_with_its_default() {
    let files = Files::new();
    files.put("cluster.yaml", &CLUSTER.replace("max: 40", "maxx: 40"));
    let error = files.refused(&["-f", "cluster.yaml", "--trace", "trace.csv"]);
    let says = "`spec.scaling.maxx` is not a field; did you mean `max`?";
    assert!(error.contains(says), "{error}");
}

#[test]
fn levels_that_are_entered_in_the_wrong_order_are_refused_as_the_operator_does() {
    let files = Files::new();
    let text = CLUSTER.to_owned()
        + "  degradation: {guard: {enterPercent: 400, exitPercent: 90, holdSeconds: 10}}\n";
    files.put("cluster.yaml", &text);
    let error = files.refused(&["-f", "cluster.yaml", "--trace", "trace.csv"]);
    assert!(
        error.contains("`spec.degradation.reduce.enterPercent` is")
            && error.contains("be at least that of `guard`, 400"),
        "{error}"
    );
}

#[test]
fn a_sale_that_hits_another_cluster_is_refused_and_not_left_out_unseen() {
    let files = Files::new();
    files.put(
        "sale.yaml",
        &SALE.replace("names: [till]", "names: [kiosk]"),
    );
    let args = [
        "-f",
        "cluster.yaml",
        "-f",
        "sale.yaml",
        "--trace",
        "trace.csv",
    ];
    let error = files.refused(&args);
    let says = "asks for the name kiosk, and the PaymentCluster is till (no labels)";
    assert!(error.contains(says), "{error}");
}

#[test]
fn bad_arguments_and_traces_are_refused_before_anything_runs() {
    let files = Files::new();
    let base = ["-f", "cluster.yaml", "--trace", "trace.csv"];
    for (more, says) in [
        (
            ["--inject", "20x@midnight"],
            "must be like `20x@00:00:00+08:00`",
        ),
        (
            ["--inject", "0.5x@00:00:00Z"],
            "must be between 1 and 1000 times",
        ),
        (["--inject", "20x@2031-01-01T00:00:00Z"], "must lie between"),
        (["--scale-to-peak", "0"], "must be a number above 0"),
        (["--policies", "hpb"], "must be one of floodgate, hpa"),
    ] {
        let error = files.refused(&[base.as_slice(), &more].concat());
        assert!(error.contains(says), "{says}: {error}");
    }
    files.put(
        "trace.csv",
        "timestamp,value\n2026-03-01T00:00:00Z,1\n2026-03-01T00:05:00Z,x\n",
    );
    assert!(
        files
            .refused(&base)
            .contains("`trace.csv`: line 3: value `x` must be a number of at least 0, or blank")
    );
    let missing = ["-f", "cluster.yaml", "--trace", "nowhere.csv"];
    assert!(
        files
            .refused(&missing)
            .contains("cannot read `nowhere.csv`")
    );
}
