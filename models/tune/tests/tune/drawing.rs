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

/// What a picture holds between two words, as often as it does.
fn between<'a>(page: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let rests = page.split(before).skip(1);
    rests
        .map(|rest| rest.split(after).next().unwrap())
        .collect()
}

#[test]
fn a_picture_names_its_unit_and_its_zone() {
    let page = page(&[]);
    assert!(page.contains(">requests/s</text>") && page.contains(">UTC</text>"));
}

#[test]
fn everything_drawn_stands_in_the_legend_and_nothing_else() {
    let masked = page(&["--mask", "2026-06-07T03:00:00Z/2026-06-07T09:00:00Z"]);
    for entry in [
        "<i class=\"solid grey\"></i>history",
        "<i class=\"solid blue\"></i>median",
        "<i class=\"dashed amber\"></i>p95",
        "<i class=\"solid green\"></i>what happened",
        "<i class=\"upright ink\"></i>forecast from here",
        "<i class=\"upright amber\"></i>event",
        "<i class=\"shade grey\"></i>left out of the history",
    ] {
        assert!(masked.contains(entry), "{entry}");
    }
    assert_eq!(
        masked.matches("<path class=\"upright amber\"").count(),
        1,
        "the other is later"
    );
    assert!(!page(&[]).contains("left out of the history"));
}

#[test]
fn a_masked_window_is_shaded_and_no_line_runs_through_it() {
    let whole = page(&[]);
    let masked = page(&["--mask", "2026-06-07T03:00:00Z/2026-06-07T09:00:00Z"]);
    let history = |page: &str| -> Vec<String> {
        let line = between(page, "<path class=\"line grey\" d=\"", "\"");
        line[0].split('M').skip(1).map(str::to_owned).collect()
    };
    assert_eq!((history(&whole).len(), history(&masked).len()), (1, 2));
    let shade = between(&masked, "<rect class=\"shade grey\" x=\"", ">");
    let numbers: Vec<f64> = shade[0]
        .split('"')
        .filter_map(|part| part.parse().ok())
        .collect();
    let (left, right) = (numbers[0], numbers[0] + numbers[2]);
    for place in history(&masked).join("L").split('L') {
        let x: f64 = place.split(' ').next().unwrap().parse().unwrap();
        assert!(x <= left || x >= right, "{x} lies in {left} .. {right}");
    }
}
