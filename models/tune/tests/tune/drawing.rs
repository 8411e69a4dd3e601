//! What a forecast is drawn with.

use crate::{folder, hourly, run, write};

/// `show` at the end of the ninth day of ten, as a page.
fn page(more: &[&str]) -> String {
    let folder = folder();
    write(&folder, "load.csv", &hourly(10));
    let events = "timestamp,label\n2026-06-09T06:00:00Z,sale\n2026-07-09T06:00:00Z,later\n";
    write(&folder, "events.csv", events);
    let args = ["show", "--trace", "load.csv", "--html", "page.html"];
    let when = ["--events", "events.csv", "--at", "2026-06-09T00:00:00Z"];
    let output = run(&folder, &[&args[..], &when, more].concat());
    assert!(output.status.success(), "{output:?}");
    std::fs::read_to_string(folder.path().join("page.html")).unwrap()
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
