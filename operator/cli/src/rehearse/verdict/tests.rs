//! Who wins, and what is said of it.

use super::*;

fn report(name: &'static str, minutes: u32, pod_hours: f64) -> Report {
    Report {
        name,
        score: Score {
            slo_violation_minutes: minutes,
            pod_hours,
            ..Score::default()
        },
        samples: Vec::new(),
        around_t0: Vec::new(),
    }
}

fn words(runs: &[Vec<Report>]) -> String {
    let verdict = Verdict::of(runs).unwrap();
    verdict.in_words(runs.len()).join("\n")
}

#[test]
fn where_another_wins_it_is_said_first_and_the_marks_are_missed() {
    let text = words(&[vec![
        report("floodgate", 11, 13_953.0),
        report("holt-winters", 8, 10_092.0),
        report("kpa", 8, 11_000.0),
        report("hpa", 400, 9_000.0),
        report("oracle", 0, 1.0),
    ]]);
    assert!(
        text.contains("Another wins on both: holt-winters and kpa, with"),
        "{text}"
    );
    assert!(
        text.contains("MISSED  minutes saved: none, 3 min more"),
        "{text}"
    );
    assert!(text.contains("MISSED  pod-hours: 1.38 of its"), "{text}");
}

#[test]
fn fewer_minutes_for_more_pods_are_said_too() {
    let text = words(&[vec![
        report("floodgate", 11, 900.0),
        report("kpa", 8, 1_000.0),
    ]]);
    assert!(
        text.contains("Another wins on minutes: kpa, with more pod-hours"),
        "{text}"
    );
}

#[test]
fn the_best_other_is_the_one_with_the_fewest_minutes_over_all_seeds() {
    let runs = [(29, 80, 300), (45, 82, 10), (31, 81, 300)].map(|(own, keda, hpa)| {
        vec![
            report("floodgate", own, 3_700.0),
            report("hpa", hpa, 3_000.0),
            report("keda", keda, 3_762.0),
        ]
    });
    let verdict = Verdict::of(&runs).unwrap();
    assert_eq!(verdict.best_other.name, "keda");
    let minutes = verdict.own.minutes;
    let figures = [minutes.mean, minutes.least, minutes.most].map(number);
    assert_eq!(figures, ["35", "29", "45"]);
    let met: Vec<bool> = verdict.marks.iter().map(|mark| mark.met).collect();
    assert_eq!(met, [false, true, true, true, true], "{:?}", verdict.marks);
    assert_eq!(verdict.marks[0].value, "56.8 %");
}

#[test]
fn without_floodgate_or_without_any_other_there_is_no_verdict() {
    assert_eq!(Verdict::of(&[vec![report("hpa", 1, 1.0)]]), None);
    let bounds = vec![report("floodgate", 1, 1.0), report("oracle", 0, 1.0)];
    assert_eq!(Verdict::of(&[bounds]), None);
    assert_eq!(Verdict::of(&[]), None);
}

#[test]
fn where_nobody_misses_a_minute_there_is_nothing_to_save() {
    let text = words(&[vec![report("floodgate", 0, 1.0), report("hpa", 0, 2.0)]]);
    assert!(
        text.contains("met     minutes saved: nothing to save"),
        "{text}"
    );
}
