//! What is told from saved objects, as of a fixed instant.

use floodgate_words::{ConditionType, Reason};
use serde_json::Value;

use crate::golden::holds;
use crate::run::{fixture, run, run_in, run_in_colour, run_with};

/// Two minutes before T0 of the fixtures.
const AT: &str = "2026-11-10T15:58:00Z";

#[test]
fn status_of_one_cluster_puts_what_is_wrong_first() {
    let till = fixture("till.yaml");
    holds(
        "status-till.txt",
        1,
        &["status", "till", "-f", &till, "--at", AT],
    );
}

#[test]
fn status_of_many_puts_the_wrong_ones_first() {
    let (till, fleet) = (fixture("till.yaml"), fixture("fleet.yaml"));
    let files = ["-f", &till, "-f", &fleet, "--at", AT];
    holds(
        "status-many.txt",
        1,
        &[&["status", "-A"][..], &files[..]].concat(),
    );
    holds(
        "status-wide.txt",
        1,
        &[&["status", "-o", "wide"][..], &files[..]].concat(),
    );
}

#[test]
fn a_fine_cluster_says_so_and_exits_0() {
    let fleet = fixture("fleet.yaml");
    holds(
        "status-fine.txt",
        0,
        &["status", "kiosk", "-f", &fleet, "--at", AT],
    );
}

#[test]
fn json_and_yaml_tell_the_same_and_hold_the_problems() {
    let till = fixture("till.yaml");
    let told = |format: &str| {
        let args = ["status", "till", "-f", &till, "--at", AT, "-o", format];
        run(&args).stdout
    };
    let json: Value = serde_json::from_str(&told("json")).unwrap();
    let yaml: Value = serde_saphyr::from_str(&told("yaml")).unwrap();
    assert_eq!(json, yaml);
    let cluster = &json["clusters"][0];
    assert_eq!(cluster["verdict"], "Wrong");
    let reasons: Vec<&str> = cluster["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"PrometheusUnreachable") && reasons.contains(&"UnknownAnnotation"));
    assert_eq!(cluster["status"]["replicas"]["warm"], 10);
}

#[test]
fn what_files_hold_is_named_where_nothing_in_them_was_meant() {
    let (till, fleet) = (fixture("till.yaml"), fixture("fleet.yaml"));
    for (args, said) in [
        (
            &["status", "kisok", "-f", &fleet][..],
            "they hold kiosk (namespace shop), booth (namespace shop); did you mean `kiosk`?",
        ),
        (
            &["explain", "-n", "attic", "-f", &till],
            "there is no PaymentCluster in namespace attic of the files given with -f; they hold till (namespace shop)",
        ),
        (
            &["sale", "status", "-f", &till],
            "there is no SaleEvent in the files given with -f; they hold no SaleEvent at all",
        ),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let everywhere = run(&["explain", "-A", "-n", "attic", "-f", &till, "--at", AT]);
    assert!(
        everywhere.stdout.starts_with("till (shop): "),
        "{everywhere:?}"
    );
}

#[test]
fn an_object_without_status_shows_no_figures_it_cannot_know() {
    let fleet = fixture("fleet.yaml");
    let ran = run(&["status", "booth", "-f", &fleet, "--at", AT]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for line in [
        "was never seen by the operator: the saved object has no status",
        "Pods       not known yet (min 2, max 10)",
        "Next sale  not known yet",
    ] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
}

#[test]
fn a_saved_fleet_larger_than_any_configuration_is_read() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let many = (0..800).map(|index| {
        let name = format!("  name: till-{index}\n");
        till.replacen("  name: till\n", &name, 1) + "---\n"
    });
    let args = ["override", "list", "-f", "-", "--at", AT, "-o", "json"];
    let ran = run_with(&args, &many.collect::<String>());
    let listed: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(listed["clusters"].as_array().unwrap().len(), 800);
}

#[test]
fn what_to_do_can_be_copied_as_it_stands() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let text = till.replace(
        "{type: WorkloadAvailable, status: \"True\", reason: PodsReady",
        "{type: WorkloadAvailable, status: \"False\", reason: PodsNotReady",
    );
    assert_ne!(text, till);
    let ran = run_with(&["status", "-f", "-", "--at", AT], &text);
    let does = "`kubectl get pods -n shop -l floodgate.dev/cluster=till`";
    assert!(ran.stdout.contains(does), "{}", ran.stdout);
}

#[test]
fn saved_objects_are_read_from_standard_input_too() {
    let text = std::fs::read_to_string(fixture("fleet.yaml")).unwrap();
    let ran = run_with(&["status", "kiosk", "-f", "-", "--at", AT], &text);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.starts_with("kiosk (shop): fine"));
}

/// What the fixtures hold could be of today's operator.
#[test]
fn conditions_and_reasons_of_the_fixtures_exist() {
    for name in [
        "till.yaml",
        "fleet.yaml",
        "guarded.yaml",
        "sale-running.yaml",
    ] {
        let text = std::fs::read_to_string(fixture(name)).unwrap();
        for line in text
            .lines()
            .filter(|line| line.contains("lastTransitionTime"))
        {
            let value = |key: &str| {
                let (_, rest) = line.split_once(key).unwrap();
                rest.split(',').next().unwrap().to_owned()
            };
            let (kind, reason) = (value("type: "), value("reason: "));
            let mut kinds = ConditionType::ALL.iter();
            assert!(kinds.any(|known| known.as_str() == kind), "{name}: {kind}");
            let mut reasons = Reason::ALL.iter();
            assert!(
                reasons.any(|known| known.as_str() == reason),
                "{name}: {reason}"
            );
        }
    }
}

#[test]
fn saved_objects_of_another_namespace_are_left_out() {
    let till = fixture("till.yaml");
    let ran = run(&["status", "till", "-f", &till, "-n", "attic"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("`till` was not found"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_others_wrote_cannot_forge_a_line_or_hide_one() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let hostile = r#""x\nlevel: fine\e[2J""#;
    let text = till.replace(
        "override-reason: INC-7 bank is slow",
        &format!("override-reason: {hostile}"),
    );
    assert_ne!(text, till);
    for args in [
        &["status", "till"][..],
        &["status", "-o", "wide"],
        &["override", "list"],
    ] {
        let ran = run_in_colour(&[args, &["-f", "-", "--at", AT]].concat(), &text);
        assert!(
            !ran.stdout.contains("\x1b[2J") && !ran.stdout.contains("\nlevel"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn what_is_wrong_is_red_on_a_terminal_and_plain_in_a_file() {
    let till = fixture("till.yaml");
    let args = ["status", "till", "-f", &till, "--at", AT];
    let red = "  ! \x1b[1;31mCapacity does not suffice";
    assert!(run_in_colour(&args, "").stdout.contains(red));
    let plain = run(&args).stdout;
    assert!(!plain.contains('\x1b'), "{plain}");
}

#[test]
fn columns_line_up_below_chinese_text() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let text = till.replace(
        "override-reason: INC-7 bank is slow",
        "override-reason: 双十一银行变慢",
    );
    assert_ne!(text, till);
    let args = ["override", "list", "-f", "-", "--at", AT];
    let listed = run_with(&args, &text).stdout;
    // Seven characters in fourteen cells: the header is padded to them, and the gap follows.
    assert!(listed.contains("REASON           BY\n"), "{listed}");
    assert!(listed.contains("双十一银行变慢   lin\n"), "{listed}");
}

#[test]
fn a_zone_that_is_not_known_is_told_once_and_times_stand_in_utc() {
    let (till, fleet) = (fixture("till.yaml"), fixture("fleet.yaml"));
    let args = ["status", "-f", &till, "-f", &fleet, "--at", AT];
    let unknown = run_in("Asia/Shangai", &args);
    assert_eq!(
        unknown.stderr,
        "warning: `TZ` is `Asia/Shangai`, which is no known time zone; times are in UTC; did you mean `Asia/Shanghai`?\n"
    );
    assert_eq!(unknown.stdout, run_in("UTC", &args).stdout);
    for zone in ["", "UTC", "CST-8", ":Asia/Shanghai"] {
        assert_eq!(run_in(zone, &args).stderr, "", "{zone}");
    }
}

#[test]
fn below_a_fleet_longer_than_a_screen_stands_which_ones_are_wrong() {
    let till = std::fs::read_to_string(fixture("till.yaml")).unwrap();
    let fleet = fixture("fleet.yaml");
    let end = |tills: usize| {
        let named = |at: usize| till.replacen("name: till", &format!("name: till-{at:02}"), 1);
        let text = (0..tills).map(named).collect::<Vec<String>>();
        let args = ["status", "-f", "-", "-f", &fleet, "--at", AT];
        let told = run_with(&args, &text.join("\n---\n")).stdout;
        let lines = told
            .lines()
            .rev()
            .filter(|line| line.contains(" clusters are wrong"));
        lines.collect::<Vec<&str>>().join("\n")
    };
    // Beside them one that was never looked at, and one that is fine.
    assert_eq!(
        end(18),
        "19 of 20 clusters are wrong: booth, till-00, till-01, till-02, till-03, till-04, till-05, till-06, till-07, till-08 and 9 more"
    );
    assert_eq!(end(17), "", "a screen shows all of them");
}
