//! What a forecast is drawn with, and which traces it is not made from.

use std::f64::consts::TAU;
use std::fmt::Write;
use std::path::Path;

use crate::run::{Ran, fixture, run};

/// A folder with `load.csv`, ten days of hourly rows with a daily wave, and `events.csv`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let wave = |hour: u32| 200.0 + 100.0 * (f64::from(hour % 24) / 24.0 * TAU).sin();
    write_rows(&folder.path().join("load.csv"), wave);
    let events = "timestamp,label\n2026-06-09T06:00:00Z,sale\n2026-07-09T06:00:00Z,later\n";
    std::fs::write(folder.path().join("events.csv"), events).unwrap();
    folder
}

fn write_rows(path: &Path, value: impl Fn(u32) -> f64) {
    let mut text = "timestamp,value\n".to_owned();
    for hour in 0..240 {
        let (day, of_day) = (hour / 24 + 1, hour % 24);
        writeln!(
            text,
            "2026-06-{day:02}T{of_day:02}:00:00Z,{:.1}",
            value(hour)
        )
        .unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// `forecast show` at the end of the ninth day, as a page.
fn page(more: &[&str]) -> String {
    let folder = folder();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (load, html, events) = (at("load.csv"), at("page.html"), at("events.csv"));
    let args = ["forecast", "show", "--trace", &load, "--html", &html];
    let when = ["--events", &events, "--at", "2026-06-09T00:00:00Z"];
    let ran = run(&[&args[..], &when, more].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::read_to_string(&html).unwrap()
}

/// What stands in a picture between two words, as often as it does.
fn between<'a>(page: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let rests = page.split(before).skip(1);
    rests
        .map(|rest| rest.split(after).next().unwrap())
        .collect()
}

#[test]
fn a_picture_names_its_unit_and_cuts_no_label() {
    let page = page(&[]);
    assert!(page.contains(">req/s</text>") && page.contains(">UTC</text>"));
    // Twelve pixels a letter's height: six and a half for its width is on the safe side.
    for text in between(&page, "<text x=\"", "</text>") {
        let x: f64 = text.split('"').next().unwrap().parse().unwrap();
        let width = 6.5 * text.split('>').nth(1).unwrap().len() as f64;
        let (left, right) = if text.contains("\"end\"") {
            (x - width, x)
        } else {
            (x - width / 2.0, x + width / 2.0)
        };
        assert!(left >= 0.0 && right <= 1_200.0, "{text}: {left} .. {right}");
    }
}

#[test]
fn everything_drawn_stands_in_the_legend_and_nothing_else() {
    let masked = page(&["--mask", "2026-06-07T03:00:00Z/2026-06-07T09:00:00Z"]);
    for (class, name) in [
        ("history", "history"),
        ("p50", "median"),
        ("upper", "p95"),
        ("truth", "what happened"),
        ("origin", "forecast from here"),
        ("event", "event"),
        ("masked", "left out of the history"),
    ] {
        let entry = format!("<span class=\"{class}\">{name}</span>");
        assert!(masked.contains(&entry), "{entry}");
    }
    assert_eq!(
        masked.matches("class=\"event\" x1").count(),
        1,
        "the other is later"
    );
    assert!(!page(&[]).contains("<span class=\"masked\""));
}

#[test]
fn a_masked_window_is_shaded_and_no_line_runs_through_it() {
    let whole = page(&[]);
    let masked = page(&["--mask", "2026-06-07T03:00:00Z/2026-06-07T09:00:00Z"]);
    let lines = |page: &str| page.matches("<polyline class=\"history\"").count();
    assert_eq!((lines(&whole), lines(&masked)), (1, 2));
    let shade = between(&masked, "<rect class=\"masked\" x=\"", "/>");
    let numbers: Vec<f64> = shade[0]
        .split('"')
        .filter_map(|part| part.parse().ok())
        .collect();
    let (left, right) = (numbers[0], numbers[0] + numbers[2]);
    let history = between(&masked, "<polyline class=\"history\" points=\"", "\"/>");
    for point in history.join(" ").split(' ') {
        let x: f64 = point.split(',').next().unwrap().parse().unwrap();
        assert!(x <= left || x >= right, "{x} lies in {left} .. {right}");
    }
}

/// Every command that reads a trace, on this one.
fn read_by_all(path: &Path) -> Vec<Ran> {
    let (till, sale) = (fixture("till.yaml"), fixture("sale.yaml"));
    let trace = path.to_str().unwrap();
    let out = path.with_extension("out");
    let out = out.to_str().unwrap();
    let at = "2026-06-09T00:00:00Z";
    let commands = [
        &["forecast", "train", "--trace", trace, "--out", out][..],
        &[
            "forecast", "show", "--trace", trace, "--at", at, "--html", out,
        ],
        &[
            "rehearse",
            "-f",
            &till,
            "--policies",
            "hpa",
            "--trace",
            trace,
        ],
        &["sale", "plan", "-f", &till, "-f", &sale, "--history", trace],
    ];
    commands.map(run).into()
}

#[test]
fn b26_a_counter_read_as_a_load_is_refused_everywhere() {
    let folder = folder();
    let path = folder.path().join("counted.csv");
    write_rows(&path, |hour| f64::from(hour) * 3_600.0);
    for ran in read_by_all(&path) {
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.stderr
                .contains("its values never fall but to begin anew"),
            "{ran:?}"
        );
    }
    let out = folder.path().join("model.json");
    let args = ["forecast", "train", "--counter", "--trace"];
    let files = [path.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let counted = run(&[&args[..], &files].concat());
    assert!(counted.stdout.contains("0 resets"), "{counted:?}");
    for ran in read_by_all(&folder.path().join("load.csv")) {
        assert!(!ran.stderr.contains("its values never fall"), "{ran:?}");
    }
}

#[test]
fn b26_a_window_outside_of_the_trace_is_refused_with_what_it_holds() {
    let folder = folder();
    let (load, out) = (folder.path().join("load.csv"), folder.path().join("out"));
    let args = [
        "forecast",
        "train",
        "--trace",
        load.to_str().unwrap(),
        "--out",
    ];
    let masked = |mask: &str| run(&[&args[..], &[out.to_str().unwrap(), "--mask", mask]].concat());
    let outside = masked("2025-06-07T03:00:00Z/2025-06-07T09:00:00Z");
    let said = "`--mask` is 2025-06-07T03:00:00Z/2025-06-07T09:00:00Z; must touch 2026-06-01T00:00:00Z .. 2026-06-10T23:00:00Z";
    assert!(outside.stderr.contains(said), "{outside:?}");
    assert_eq!(outside.code, 2);
    let across = masked("2026-05-31T03:00:00Z/2026-06-01T02:00:00Z");
    assert!(across.stdout.contains("3 masked"), "{across:?}");
}

#[test]
fn what_no_rate_can_be_is_counted_as_refused() {
    let folder = folder();
    let (load, out) = (folder.path().join("load.csv"), folder.path().join("out"));
    let args = [
        "forecast",
        "train",
        "--json",
        "--trace",
        load.to_str().unwrap(),
    ];
    let ran = run(&[&args[..], &["--out", out.to_str().unwrap()]].concat());
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["refused"], 0, "{summary}");
}
