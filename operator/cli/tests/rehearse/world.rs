//! What a rehearsal takes from a status and from flags, and what it says of several seeds.

use serde_json::{Value, json};

use super::{CLUSTER, Files, SALE};

/// What an operator left after 24 starts and 90 measurements.
const STATUS: &str = "
status:
  leadTime: {seconds: 62, readySeconds: 60, warmSeconds: 12, samples: 24}
  capacity: {rps: 60, warmTotalRps: 600, source: Learned, samples: 90}
";

/// Ours takes a forecast and time; most of what is shown here needs neither.
const WITH_OURS: [&str; 2] = ["--policies", "floodgate"];

fn base<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let base = ["-f", "cluster.yaml", "--trace", "trace.csv"];
    [&base[..], &["--policies", "hpa"], more].concat()
}

impl Files {
    fn answer(&self, args: &[&str]) -> Value {
        let output = self.rehearse(&[&base(args)[..], &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn text(&self, args: &[&str]) -> String {
        let output = self.rehearse(&base(args));
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn notes(answer: &Value) -> String {
    answer["notes"].to_string()
}

#[test]
fn what_the_status_has_measured_is_rehearsed_with_and_said() {
    let files = Files::new();
    files.put("cluster.yaml", &(CLUSTER.to_owned() + STATUS));
    let answer = files.answer(&[]);
    let settings = &answer["settings"];
    // The slowest start takes 1.2 of the middle: 48 s and 12 s make the 60 s that were measured.
    let starts = |name: &str| settings["world"][name].as_f64().unwrap();
    assert!((starts("ready_s") - 40.0).abs() < 1e-9, "{settings}");
    assert!((starts("warm_s") - 10.0).abs() < 1e-9, "{settings}");
    assert_eq!(settings["lead_time"]["ready_p99_s"], 60);
    assert_eq!(settings["cluster"]["scaling"]["capacity_rps"], 60.0);
    let notes = notes(&answer);
    for says in [
        "measured 24 pods: 60 s from creation to Ready",
        "so the middle is 40 s and 10 s",
        "learned from 90 measurements that a warm pod holds 60 requests/s",
        "where the spec declares 50",
    ] {
        assert!(notes.contains(says), "{says}: {notes}");
    }
}

#[test]
fn a_flag_wins_over_the_status() {
    let files = Files::new();
    files.put("cluster.yaml", &(CLUSTER.to_owned() + STATUS));
    let flags = ["--ready-seconds", "5", "--warm-seconds", "1"];
    let answer = files.answer(&[&flags[..], &["--capacity-rps", "40"]].concat());
    let settings = &answer["settings"];
    assert_eq!(settings["world"]["ready_s"], 5.0);
    assert_eq!(settings["world"]["warm_s"], 1.0);
    assert_eq!(settings["cluster"]["scaling"]["capacity_rps"], 40.0);
    assert!(!notes(&answer).contains("The status"), "{answer}");
}

#[test]
fn a_status_that_has_measured_nothing_changes_nothing() {
    let files = Files::new();
    let without = files.answer(&[])["settings"].clone();
    let declared = STATUS
        .replace("samples: 24", "samples: 0")
        .replace("source: Learned", "source: Declared");
    files.put("cluster.yaml", &(CLUSTER.to_owned() + &declared));
    assert_eq!(files.answer(&[])["settings"], without);
}

#[test]
fn a_learned_capacity_counts_within_the_bounds_of_the_spec_only() {
    let files = Files::new();
    let absurd = STATUS.replace("rps: 60", "rps: 5000");
    files.put("cluster.yaml", &(CLUSTER.to_owned() + &absurd));
    let scaling = |answer: &Value| answer["settings"]["cluster"]["scaling"]["capacity_rps"].clone();
    assert_eq!(scaling(&files.answer(&[])), 65.0);
    let never = CLUSTER.replace("max: 40", "max: 40, capacityLearnPercent: 0");
    files.put("cluster.yaml", &(never + &absurd));
    assert_eq!(scaling(&files.answer(&[])), 50.0);
}

#[test]
fn every_flag_of_the_world_stands_in_the_settings_so_that_a_result_can_be_repeated() {
    let files = Files::new();
    let flags = [
        ("--seed", "seed", json!(7)),
        ("--cold-percent", "cold_percent", json!(50)),
        ("--cold-seconds", "cold_s", json!(90.0)),
        ("--quota", "quota_replicas_max", json!(30)),
        ("--node-room", "node_room_pods", json!(20)),
        ("--pods-lost-per-day", "pods_lost_per_day", json!(12.0)),
        (
            "--metric-losses-per-day",
            "metric_losses_per_day",
            json!(0.0),
        ),
        ("--metric-loss-seconds", "metric_loss_s", json!(300)),
        ("--scrape-seconds", "scrape_s", json!(30)),
        ("--metric-delay-seconds", "metric_delay_s", json!(45)),
    ];
    let values = flags.each_ref().map(|(_, _, value)| value.to_string());
    let args: Vec<&str> = flags
        .iter()
        .zip(&values)
        .flat_map(|((flag, ..), value)| [*flag, value.as_str()])
        .collect();
    let answer = files.answer(&args);
    for (flag, field, value) in &flags {
        assert_eq!(answer["settings"]["world"][field], *value, "{flag}");
    }
    let notes = notes(&answer);
    assert!(notes.contains("Per day 12 pods die"), "{notes}");
    assert!(notes.contains("The nodes have room for 20 pods"), "{notes}");
    for (flag, value) in [
        ("--pods-lost-per-day", "-1"),
        ("--metric-losses-per-day", "NaN"),
        ("--metric-delay-seconds", "121"),
        ("--node-room", "0"),
        ("--seeds", "21"),
    ] {
        files.refused(&base(&[&format!("{flag}={value}")]));
    }
}

#[test]
fn pods_beyond_the_room_on_the_nodes_serve_nobody() {
    let files = Files::new();
    let unserved = |room: &str| {
        let answer = files.answer(&["--node-room", room]);
        answer["policies"][0]["unserved_ratio"].as_f64().unwrap()
    };
    assert!(unserved("3") > unserved("40") + 0.05);
}

#[test]
fn several_seeds_give_their_spread_and_a_verdict_over_all_of_them() {
    let files = Files::new();
    let answer = files.answer(&[&WITH_OURS[..], &["--seeds", "3", "--seed", "5"]].concat());
    let runs = answer["by_seed"].as_array().unwrap();
    let seeds: Vec<_> = runs.iter().map(|run| run["seed"].as_u64()).collect();
    assert_eq!(seeds, [Some(5), Some(6), Some(7)]);
    assert_eq!(runs[0]["policies"], answer["policies"]);
    assert_ne!(runs[1]["policies"], answer["policies"]);
    let minutes = &answer["verdict"]["own"]["minutes"];
    assert!(minutes["least"].as_f64() <= minutes["mean"].as_f64());
    assert!(minutes["mean"].as_f64() <= minutes["most"].as_f64());
    let text = files.text(&[&WITH_OURS[..], &["--seeds", "3"]].concat());
    assert!(text.contains("Means of 3 seeds, least and most:"), "{text}");
    assert!(text.contains("Best other on minutes: hpa"), "{text}");
}

#[test]
fn the_table_ends_with_the_marks_each_met_or_missed() {
    let files = Files::new();
    let text = files.text(&WITH_OURS);
    for mark in ["minutes saved:", "pod-hours:", "idle outside events:"] {
        let line = text.lines().find(|line| line.contains(mark)).unwrap();
        let line = line.trim_start();
        assert!(
            line.starts_with("met ") || line.starts_with("MISSED "),
            "{line}"
        );
    }
    let alone = files.rehearse(&[
        "-f",
        "cluster.yaml",
        "--trace",
        "trace.csv",
        "--policies",
        "kpa",
    ]);
    let text = String::from_utf8(alone.stdout).unwrap();
    assert!(!text.contains("Best other"), "{text}");
}

#[test]
fn what_a_sale_protects_bounds_the_level_that_is_rehearsed() {
    let files = Files::new();
    let level = || files.answer(&["-f", "sale.yaml"])["settings"]["sales"][0]["level_max"].clone();
    assert_eq!(level(), "Protect", "new payments are protected by default");
    let all = "  protect: [CriticalPlus, Critical, SheddablePlus, Sheddable]\n";
    files.put("sale.yaml", &(SALE.to_owned() + all));
    assert_eq!(level(), "Guard");
}
