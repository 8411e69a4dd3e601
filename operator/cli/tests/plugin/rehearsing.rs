//! What is refused before a trace is rehearsed, and how it is completed.

use std::fmt::Write;

use crate::run::{fixture, run};

const POLICIES: [&str; 8] = [
    "floodgate",
    "hpa",
    "keda",
    "kpa",
    "holt-winters",
    "aws-predictive",
    "static-peak",
    "oracle",
];

/// So many days of hourly rows.
fn hourly(days: u32, value: impl Fn(u32) -> u64) -> tempfile::NamedTempFile {
    let mut text = "timestamp,value\n".to_owned();
    for hour in 0..days * 24 {
        let (day, of_day) = (hour / 24 + 1, hour % 24);
        let value = value(hour);
        writeln!(text, "2026-06-{day:02}T{of_day:02}:00:00Z,{value}").unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn policies_stand_in_help_in_completion_and_in_the_refusal_of_a_misspelt_one() {
    let till = fixture("till.yaml");
    let help = run(&["rehearse", "--help"]).stdout;
    let offered = run(&["__complete", "rehearse", "--policies", ""]).stdout;
    let args = ["rehearse", "-f", &till, "--trace", "x.csv", "--policies"];
    let refused = run(&[&args[..], &["hpa,kdea"]].concat());
    for name in POLICIES {
        assert!(help.contains(name), "{help}");
        assert!(offered.contains(&format!("{name}\t")), "{offered}");
        assert!(refused.stderr.contains(name), "{}", refused.stderr);
    }
    assert!(
        refused.stderr.contains("did you mean `keda`?"),
        "{refused:?}"
    );
    assert_eq!(refused.code, 2);
    let second = run(&["__complete", "rehearse", "--policies", "hpa,ke"]).stdout;
    assert_eq!(second, "hpa,keda\t\n:4\n");
}

#[test]
fn f01_a_store_that_asks_for_tls_is_refused_in_the_words_of_the_operator() {
    let till = fixture("till.yaml");
    let from = "https://127.0.0.1:9090";
    let ran = run(&["rehearse", "-f", &till, "--from-prometheus", from]);
    let said = "error: `https://127.0.0.1:9090` asks for TLS, which is not supported yet; must begin with `http://`\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, said));
}

#[test]
fn a_chart_that_cannot_be_written_is_refused_before_anything_is_rehearsed() {
    let till = fixture("till.yaml");
    let trace = hourly(2, |hour| 1_000 + u64::from(hour % 24));
    let trace = trace.path().to_str().unwrap();
    let out = "/nonexistent/out";
    let ran = run(&["rehearse", "-f", &till, "--trace", trace, "--html", out]);
    let refusal = "error: cannot write `/nonexistent/out`: No such file or directory";
    assert!(ran.stderr.starts_with(refusal), "{ran:?}");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(ran.stdout, "", "nothing was rehearsed for nothing");
}

#[test]
fn b26_a_counter_read_as_a_load_is_refused_everywhere() {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let counted = hourly(10, |hour| u64::from(hour) * 3_600);
    let load = hourly(10, |hour| 200 + u64::from(hour % 24));
    let commands = |trace: &str| {
        let rehearse = [
            "rehearse",
            "-f",
            &till,
            "--policies",
            "hpa",
            "--trace",
            trace,
        ];
        let plan = ["sale", "plan", "-f", &till, "-f", &sale, "--history", trace];
        [run(&rehearse), run(&plan)]
    };
    let complaint = "its values never fall except to start again";
    for ran in commands(counted.path().to_str().unwrap()) {
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(complaint), "{ran:?}");
    }
    for ran in commands(load.path().to_str().unwrap()) {
        assert!(!ran.stderr.contains(complaint), "{ran:?}");
    }
}

#[test]
fn a_rehearsal_without_a_load_is_told_both_ways_to_give_one() {
    let ran = run(&["rehearse", "-f", &fixture("till.yaml")]);
    let both = "<--trace <FILE>|--from-prometheus <URL>>";
    assert!(ran.stderr.contains(both) && ran.code == 2, "{ran:?}");
}
