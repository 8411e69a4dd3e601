use super::{clock, grouped, render, start};
use crate::sale_day::fixture::good_day;
use crate::sale_day::report::Report;

#[test]
fn the_page_shows_every_panel_and_every_event_of_the_day() {
    let report = good_day();
    let page = render(&report);
    assert!(page.contains("Promises kept"));
    for panel in ["Load", "Forecast at", "Pods", "Degradation", "Latency"] {
        assert!(page.contains(&format!("<b>{panel}")), "{panel}");
    }
    for event in &report.events {
        let title = format!("<title>{}</title>", event.label);
        assert_eq!(page.matches(&title).count(), 5, "{title} in each panel");
        assert!(page.contains(&format!("</time> {}", event.label)));
    }
    assert!(page.contains(">UTC+08:00</text>"));
}

#[test]
fn text_of_the_cluster_never_becomes_markup() {
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
fn a_report_without_a_single_figure_is_still_a_page() {
    let page = render(&Report::default());
    assert!(page.contains("none recorded") && page.contains(super::DASH));
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
