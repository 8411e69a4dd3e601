use super::{clock, grouped, render, start};
use crate::sale_day::fixture::good_day;
use crate::sale_day::report::{Report, Row};

/// Whether every tag that is opened is closed again, in order.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in page
        .split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
    {
        let name = tag.split([' ', '/']).next().unwrap();
        match tag {
            tag if tag.starts_with('!') || tag.ends_with('/') || name == "meta" => {}
            tag if tag.starts_with('/') => assert_eq!(open.pop(), Some(&tag[1..]), "{tag}"),
            _ => open.push(name),
        }
    }
    assert_eq!(open, [] as [&str; 0]);
}

#[test]
fn the_page_is_whole_and_needs_no_network() {
    let page = render(&good_day());
    assert_balanced(&page);
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("Promises kept") && page.contains("prefers-color-scheme: dark"));
}

#[test]
fn words_of_the_cluster_never_become_markup() {
    let page = render(&good_day());
    assert!(page.contains("by &lt;sre&gt;: payday &amp; rain"));
    assert!(!page.contains("<sre>"));
}

#[test]
fn a_broken_promise_stands_in_the_headline() {
    let mut report = good_day();
    report.money.lost = Some(3);
    crate::sale_day::verdict::judge(&mut report);
    let page = render(&report);
    assert!(page.contains("Broken: every acknowledged payment is in the ledger."));
}

#[test]
fn coordinates_are_finite_whatever_was_measured() {
    let mut report = good_day();
    report.timeline[5].p99_ms = Some(f64::NAN);
    report.timeline[6].offered_rps = Some(f64::INFINITY);
    report.timeline[7] = Row {
        t_s: f64::NAN,
        ..Row::default()
    };
    report.timeline[8].forecast_upper_rps = Some(-3.0);
    report.events[0].at_s = f64::INFINITY;
    for report in [report, Report::default()] {
        let page = render(&report);
        assert_balanced(&page);
        for part in page
            .split("<svg")
            .nth(1)
            .unwrap()
            .split(['"', ' ', 'L', 'M', 'H', 'V'])
        {
            assert!(!["NaN", "inf", "-inf"].contains(&part), "{part}");
        }
    }
}

#[test]
fn times_are_local_and_thousands_apart() {
    let start = start(&good_day());
    assert_eq!(clock(&start, 103.0), "00:00:00");
    assert_eq!(grouped(Some(1_234_567)), "1\u{202f}234\u{202f}567");
    assert_eq!(grouped(Some(12)), "12");
}

#[test]
fn a_report_is_written_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let report = good_day();
    report.write(folder.path()).unwrap();
    let mut read = Report::read(&folder.path().join("report.json")).unwrap();
    assert_eq!(read.timeline.len(), report.timeline.len());
    read.timeline.clone_from(&report.timeline);
    assert_eq!(read.promises, report.promises);
    assert!(read.passed && read.sale.planned_replicas == Some(9));
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    for pointer in [
        "/sale/planned_replicas",
        "/sale/ready_at_t0",
        "/sale/warm_at_t0",
        "/sale/offered",
        "/before/success_ratio_critical",
        "/overload/p99_ms",
        "/after/shed",
        "/money/imbalance_minor",
        "/faults/0/replicas_min",
        "/shrinks_on_missing_data",
        "/timeline/309/t_s",
        "/override/won",
    ] {
        assert!(
            json.pointer(pointer).is_some_and(|value| !value.is_null()),
            "{pointer}"
        );
    }
}
