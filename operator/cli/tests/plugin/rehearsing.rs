//! What is refused before a trace is rehearsed or forecast, and how it is completed.

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

/// Two days of hourly rows.
fn trace() -> tempfile::NamedTempFile {
    let mut text = "timestamp,value\n".to_owned();
    for hour in 0..48 {
        let (day, hour) = (hour / 24 + 1, hour % 24);
        writeln!(text, "2026-06-{day:02}T{hour:02}:00:00Z,{}", 1_000 + hour).unwrap();
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
fn a_file_that_cannot_be_written_exits_2_from_every_command() {
    let (till, trace) = (fixture("till.yaml"), trace());
    let trace = trace.path().to_str().unwrap();
    let out = "/nonexistent/out";
    let at = ["--at", "2026-06-02T12:00:00Z"];
    for args in [
        &["rehearse", "-f", &till, "--trace", trace, "--html", out][..],
        &["forecast", "train", "--trace", trace, "--out", out],
        &[
            &["forecast", "show", "--trace", trace, "--html", out],
            &at[..],
        ]
        .concat(),
    ] {
        let ran = run(args);
        let said = "error: cannot write `/nonexistent/out`: No such file or directory";
        assert!(ran.stderr.starts_with(said), "{args:?}: {ran:?}");
        assert_eq!(ran.code, 2, "{ran:?}");
        assert_eq!(ran.stdout, "", "nothing was rehearsed for nothing");
    }
}

#[test]
fn a_rehearsal_without_a_load_is_told_both_ways_to_give_one() {
    let ran = run(&["rehearse", "-f", &fixture("till.yaml")]);
    let both = "<--trace <FILE>|--from-prometheus <URL>>";
    assert!(ran.stderr.contains(both) && ran.code == 2, "{ran:?}");
}
