//! Completion, and what `--help` tells.

use crate::run::run;

#[test]
fn completion_knows_every_command_and_kubectl_is_offered_them() {
    let scripts = ["bash", "zsh", "fish"].map(|shell| run(&["completion", shell]));
    for script in scripts {
        assert_eq!(script.code, 0);
        assert!(script.stdout.contains("override") && script.stdout.contains("explain"));
    }
    let helper = run(&["completion", "kubectl"]).stdout;
    assert!(helper.starts_with("#!/bin/sh\n") && helper.contains("__complete"));
    let offered = run(&["__complete", "sale", ""]).stdout;
    assert!(
        offered.contains("plan\t") && offered.contains("report\t"),
        "{offered}"
    );
    assert!(
        offered.ends_with(":4\n"),
        "no file names beside them: {offered}"
    );
    let values = run(&["__complete", "status", "-o", ""]).stdout;
    assert!(
        values.starts_with("table\t") && values.contains("yaml\t"),
        "{values}"
    );
    let left = run(&["__complete", "override", "clear", "till", "f"]).stdout;
    assert_eq!(left, "floor\tAt least this many replicas\n:4\n");
    assert_eq!(run(&["__complete", "status", "till", ""]).stdout, ":4\n");
    let levels = run(&[
        "__complete",
        "override",
        "set",
        "till",
        "--degrade-floor",
        "P",
    ])
    .stdout;
    assert_eq!(levels, "Protect\t\n:4\n");
    let files = run(&["__complete", "sale", "plan", "-f", ""]).stdout;
    assert_eq!(files, ":0\n", "the shell completes files");
    let flags = run(&["__complete", "override", "set", "--pi"]).stdout;
    assert_eq!(flags.lines().count(), 2, "{flags}");
    assert!(flags.starts_with("--pin\t"));
}

#[test]
fn exit_codes_are_told_in_help() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for code in [
        "0  fine",
        "1  something is wrong",
        "2  bad usage",
        "3  the cluster",
    ] {
        assert!(help.stdout.contains(code), "{}", help.stdout);
    }
}
