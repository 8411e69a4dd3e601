//! report.html: the sale day on one page, one file, no network, light and dark.

use floodgate_picture::{Page, Verdict};
use floodgate_words::Level;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use maud::{Markup, html};

use super::report::Report;

mod chart;
mod tables;

/// For a figure that was not measured.
const DASH: &str = "\u{2013}";

/// Renders the whole page.
pub fn render(report: &Report) -> String {
    let start = start(report);
    let title = headline(report);
    let page = Page {
        kind: "Floodgate sale day",
        verdict: Some(if report.passed {
            Verdict::Good("Promises kept")
        } else {
            Verdict::Bad("Promise broken")
        }),
        title: &title,
        origin: &origin(report, &start),
        body: html! {
            (tiles(report))
            (chart::chart(report, &start).figure())
            p.note {
                "The numbers above the chart are the events listed here; a line breaks where nothing was measured."
            }
            (events(report, &start))
            (tables::promises(report))
            (tables::phases(report))
            (tables::faults(report, &start))
            (tables::decisions(report, &start))
            footer { (report.timeline.len()) " rows of one second in report.json beside this page." }
        },
    };
    page.render()
}

/// The start of the day in the zone it was written in.
fn start(report: &Report) -> Zoned {
    let zone = jiff::fmt::temporal::DateTimeParser::new()
        .parse_pieces(&report.machine.started_at)
        .ok()
        .and_then(|pieces| pieces.to_numeric_offset())
        .map_or(TimeZone::UTC, TimeZone::fixed);
    let instant: Timestamp = report.machine.started_at.parse().unwrap_or_default();
    instant.to_zoned(zone)
}

/// Local time of day, `t_s` seconds after the start.
fn clock(start: &Zoned, t_s: f64) -> String {
    let span = jiff::SignedDuration::try_from_secs_f64(t_s).unwrap_or_default();
    start.saturating_add(span).strftime("%H:%M:%S").to_string()
}

fn headline(report: &Report) -> String {
    if !report.passed {
        let broken = report.promises.iter().filter(|promise| !promise.kept);
        let broken: Vec<&str> = broken.map(|promise| promise.text.as_str()).collect();
        return format!("Broken: {}.", broken.join("; "));
    }
    match report.marks.iter().filter(|mark| !mark.reached).count() {
        0 => "Money, warmth and safety held, and every mark was reached.".to_owned(),
        1 => "Money, warmth and safety held; one mark was missed.".to_owned(),
        more => format!("Money, warmth and safety held; {more} marks were missed."),
    }
}

fn origin(report: &Report, start: &Zoned) -> String {
    let machine = &report.machine;
    let duration_s = machine.duration_s.max(0.0).round() as u64;
    format!(
        "{}, {} min {:02} s \u{b7} history {} \u{b7} {} cores, {:.0} GiB, Linux {} \u{b7} seed {}",
        start.strftime("%-d %B %Y, %H:%M:%S (UTC%:z)"),
        duration_s / 60,
        duration_s % 60,
        machine.history,
        machine.cpus,
        machine.memory_mib as f64 / 1024.0,
        machine.kernel,
        machine.seed,
    )
}

fn tiles(report: &Report) -> Markup {
    let sale = &report.sale;
    let offered = report.timeline.iter().filter_map(|row| row.offered_rps);
    let levels = report.timeline.iter().filter_map(|row| row.level);
    let prescaled = sale.prescaled_before_t0_s.map(|lead_s| {
        let base = count(sale.base_replicas);
        format!("pre-scale from {base} began {lead_s:.0} s before")
    });
    let tiles = [
        (
            "pods warm at T0",
            format!(
                "{} of {}",
                count(sale.warm_at_t0),
                count(sale.planned_replicas)
            ),
            prescaled.unwrap_or_default(),
        ),
        (
            "payments that succeeded in the step",
            percent(sale.phase.success_ratio_critical),
            format!("p99 {}", figure(sale.phase.p99_ms, 0, " ms")),
        ),
        (
            "goodput at overload",
            figure(report.overload.goodput_rps, 0, " req/s"),
            format!(
                "offered up to {:.0} req/s, level up to {}",
                offered.fold(0.0, f64::max),
                levels.max().unwrap_or(Level::Normal)
            ),
        ),
        (
            "payments lost / doubled",
            format!(
                "{} / {}",
                grouped(report.money.lost),
                grouped(report.money.doubled)
            ),
            format!("of {} acknowledged", grouped(report.money.acked)),
        ),
        (
            "shrinks on missing data",
            report.shrinks_on_missing_data.to_string(),
            format!("{} faults injected", report.faults.len()),
        ),
    ];
    html! {
        section.tiles aria-label="Key figures" {
            @for (name, value, note) in tiles {
                div.tile { p.value { (value) } p.name { (name) } p.note { (note) } }
            }
        }
    }
}

fn events(report: &Report, start: &Zoned) -> Markup {
    html! {
        ol.events aria-label="Events marked in the chart" {
            @for (event, number) in report.events.iter().zip(1..) {
                li { b { (number) } time { (clock(start, event.at_s)) } " " (event.label) }
            }
        }
    }
}

/// A small count, or a dash.
fn count(value: Option<u32>) -> String {
    value.map_or(DASH.to_owned(), |value| value.to_string())
}

/// A measured figure with its unit, or a dash.
fn figure(value: Option<f64>, digits: usize, unit: &str) -> String {
    let value = value.filter(|value| value.is_finite());
    value.map_or(DASH.to_owned(), |value| format!("{value:.digits$}{unit}"))
}

/// A measured share.
fn percent(share: Option<f64>) -> String {
    figure(share.map(|share| share * 100.0), 3, " %")
}

/// A count with its thousands apart, or a dash.
fn grouped(value: Option<u64>) -> String {
    let grouped = |value: u64| {
        let digits = value.to_string();
        let groups = digits.as_bytes().rchunks(3).rev();
        let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
        groups.join("\u{202f}")
    };
    value.map_or(DASH.to_owned(), grouped)
}

#[cfg(test)]
mod tests;
