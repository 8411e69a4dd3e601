//! The command line: exit status, one line for every error, and what a kill leaves behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use payment_load::journal::Journal;
use payment_load::report::{EndedBy, SecondLine, Summary};
use tempfile::TempDir;

use crate::bank::{Bank, Faults};
use crate::postgres::{MERCHANTS, Postgres, Shards, USERS};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_payment-load"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// The one line an error is reported in.
fn line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("payment-load: "), "{text}");
    text
}

/// Command lines that are refused, and what their one line of error names.
const BAD_FLAGS: &[(&str, &str)] = &[
    ("", "subcommand"),
    ("dance", "dance"),
    ("run", "--target"),
    ("run --target http://127.0.0.1:1", "--rps"),
    (
        "run --target http://127.0.0.1:1 --rps many --for 1s",
        "many",
    ),
    ("run --target http://127.0.0.1:1 --rps 5 --for soon", "30s"),
    ("run --target http://127.0.0.1:1 --rps 5 --for -5s", "'-5'"),
    (
        "run --target http://127.0.0.1:1 --rps 5 --for=-5s",
        "positive",
    ),
    (
        "run --target http://127.0.0.1:1 --rps=-5 --for 5s",
        "`rps` must be",
    ),
    (
        "run --target http://127.0.0.1:1 --rps 1e9 --for 5s",
        "at most",
    ),
    (
        "run --target http://127.0.0.1:1 --rps NaN --for 5s",
        "`rps` must be",
    ),
    (
        "run --target http://192.0.2.1:80 --rps 5 --for 5s",
        "loopback",
    ),
    (
        "run --target http://127.0.0.1:1 --rps 5 --for 5s --users 0",
        "`users` must be",
    ),
    ("run --plan p --rps 5", "cannot be used"),
    ("audit", "--journal"),
    ("audit --journal j", "--shard"),
    ("audit --journal j --shard shard-one", "postgres://"),
    (
        "audit --journal j --shard postgres://h/d --settle-s 99999",
        "99999",
    ),
];

/// B62: bad flags are reported in one line with exit status 2, and nothing is sent.
#[test]
fn b62_bad_flags_are_refused_in_one_line_with_status_2() {
    for (flags, says) in BAD_FLAGS {
        let arguments: Vec<&str> = flags.split_whitespace().collect();
        let output = output(&arguments);
        assert_eq!(output.status.code(), Some(2), "{flags}");
        assert!(line(&output).contains(says), "{flags}: {}", line(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_password_is_not_repeated_in_an_error() {
    let url = "postgres://payments:hunter2@198.18.0.1:port/payments";
    let refused = output(&["audit", "--journal", "j", "--shard", url]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!line(&refused).contains("hunter2"), "{}", line(&refused));
}

#[test]
fn b62_a_refused_plan_has_status_2_and_a_missing_file_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    let plan_text = plan.to_str().unwrap();
    let missing = output(&["run", "--plan", plan_text]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(line(&missing).contains("plan.json"));
    let a_folder = output(&["run", "--plan", folder.path().to_str().unwrap()]);
    assert_eq!(a_folder.status.code(), Some(1));
    line(&a_folder);
    for (text, says) in [
        ("", "EOF"),
        ("{}", "missing field"),
        (
            r#"{"target":"http://192.0.2.1:80"}"#,
            "load is sent nowhere else",
        ),
        (
            r#"{"target":"http://127.0.0.1:1","users":1,"merchants":1,"rate":[]}"#,
            "`end_s` must be given",
        ),
    ] {
        fs::write(&plan, text).unwrap();
        let refused = output(&["run", "--plan", plan_text]);
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(line(&refused).contains(says), "{}", line(&refused));
    }
}

#[test]
fn a_target_where_nobody_answers_is_a_failure_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("summary.json");
    let mut command = run_command("http://127.0.0.1:1", "20", "1s", folder.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        line(&output).contains("answered none of"),
        "{}",
        line(&output)
    );
    assert!(out.exists(), "the summary is written all the same");
    let again = command.output().unwrap();
    assert!(
        line(&again).contains("journal"),
        "it is not overwritten: {}",
        line(&again)
    );
}

#[test]
fn a_journal_or_shard_that_cannot_be_read_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let shard = "postgres://payments@127.0.0.1:1/payments";
    let arguments = [
        "audit",
        "--journal",
        journal.to_str().unwrap(),
        "--shard",
        shard,
    ];
    let missing = output(&arguments);
    assert_eq!(missing.status.code(), Some(1));
    assert!(line(&missing).contains("cannot be read"));
    fs::write(&journal, "not a journal\n").unwrap();
    assert!(line(&output(&arguments)).contains("journal line 1"));
    let run = r#"{"line":"run","key_prefix":"p","currency":"CNY","at":"2026-11-21T00:00:00Z"}"#;
    fs::write(&journal, format!("{run}\n")).unwrap();
    let nobody = output(&arguments);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        line(&nobody).contains("shard 127.0.0.1:1/payments"),
        "{}",
        line(&nobody)
    );
}

fn run_command(target: &str, rps: &str, span: &str, folder: &Path) -> Command {
    let mut command = program(&["run", "--target", target, "--rps", rps, "--for", span]);
    command.args([
        "--users",
        &USERS.to_string(),
        "--merchants",
        &MERCHANTS.to_string(),
    ]);
    command.arg("--journal").arg(folder.join("journal"));
    command.arg("--out").arg(folder.join("summary.json"));
    command
}

/// Starts a long run and returns after its first lines, with those lines.
fn start_run(bank: &Bank, folder: &TempDir, lines: usize) -> (Child, Vec<SecondLine>) {
    let target = bank.target.to_string();
    let mut command = run_command(&target, "100", "10m", folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines = out
        .lines()
        .take(lines)
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    (child, lines.collect())
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_run_with_a_summary_and_a_whole_journal() {
    let bank = Bank::open(Faults::default(), None).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut child, lines) = start_run(&bank, &folder, 2);
    assert_eq!([lines[0].t_s, lines[1].t_s], [0, 1]);
    assert!(lines[0].counts.offered > 0);
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
    let summary = fs::read_to_string(folder.path().join("summary.json")).unwrap();
    let summary: Summary = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary.ended_by, EndedBy::Signal);
    assert_eq!(summary.total.counts.acked, summary.total.counts.offered);
    assert!(
        Journal::read(&folder.path().join("journal"))
            .unwrap()
            .complete
    );
}

/// P1, P2: after `kill -9` of the generator no payment is in the ledger that its journal lacks.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_leaves_a_journal_that_explains_the_ledger() {
    let postgres = Postgres::start().await;
    for shard in ["shard_0", "shard_1"] {
        postgres.create_shard(shard).await;
    }
    let shards = Arc::new(Shards::connect(&postgres, ["shard_0", "shard_1"]).await);
    let bank = Bank::open(Faults::default(), Some(shards)).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _) = start_run(&bank, &folder, 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let journal = folder.path().join("journal");
    let arguments = [
        "audit",
        "--json",
        "--journal",
        journal.to_str().unwrap(),
        "--shard",
        &postgres.address("shard_0"),
        "--shard",
        &postgres.address("shard_1"),
    ];
    let audited = output(&arguments);
    let text = String::from_utf8(audited.stdout.clone()).unwrap();
    assert!(audited.status.success(), "{text}{}", line(&audited));
    let report: payment_load::audit::AuditReport = serde_json::from_str(&text).unwrap();
    assert!(!report.journal_complete && report.acked > 0, "{report:?}");
    postgres
        .execute(
            "shard_1",
            "UPDATE accounts SET balance_minor = balance_minor + 1",
        )
        .await;
    let broken = output(&arguments);
    assert_eq!(broken.status.code(), Some(1));
    assert!(
        line(&broken).contains("broken promise: P3"),
        "{}",
        line(&broken)
    );
}
