//! report.html: the sale day on one page, one file, no network, light and dark.
//!
//! Everything is rendered here: styles are inlined, charts are SVG. Text that came from the
//! cluster is escaped, so that a decision's words can never become markup.

use std::fmt::Write;

use floodgate_words::Level;
use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::report::Report;

mod chart;
mod lines;
mod panels;
mod scale;
mod tables;

const STYLE: &str = include_str!("page/style.css");

/// Renders the whole page.
pub fn render(report: &Report) -> String {
    let mut page = String::with_capacity(256 * 1024);
    page.push_str(&header(report));
    page.push_str(&tiles(report));
    page.push_str(&chart::figure(report));
    page.push_str(&events(report));
    page.push_str(&tables::promises(report));
    page.push_str(&tables::phases(report));
    page.push_str(&tables::faults(report));
    page.push_str(&tables::decisions(report));
    let title = if report.passed { "kept" } else { "broken" };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Sale day: promises {title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{page}{}</main>\n</body>\n</html>\n",
        footer(report)
    )
}

/// Text as it may stand in HTML and SVG.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
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

fn header(report: &Report) -> String {
    let broken: Vec<&str> = report
        .promises
        .iter()
        .filter(|promise| !promise.kept)
        .map(|promise| promise.text.as_str())
        .collect();
    let (class, verdict, line) = if report.passed {
        let short = report.marks.iter().filter(|mark| !mark.reached).count();
        let line = match short {
            0 => "Money, warmth and safety held, and every mark was reached.".to_owned(),
            1 => "Money, warmth and safety held; one mark was missed.".to_owned(),
            more => format!("Money, warmth and safety held; {more} marks were missed."),
        };
        ("good", "Promises kept", line)
    } else {
        (
            "bad",
            "Promise broken",
            format!("Broken: {}.", broken.join("; ")),
        )
    };
    let started = start(report);
    format!(
        "<header>\n<p class=\"kicker\">Floodgate sale day</p>\n\
         <h1><span class=\"pill {class}\">{verdict}</span> {}</h1>\n\
         <p class=\"meta\">{}, {} long &middot; history {} &middot; {} cores, {:.0} GiB, Linux {} &middot; seed {}</p>\n\
         </header>\n",
        escape(&line),
        started.strftime("%-d %B %Y, %H:%M:%S (UTC%:z)"),
        duration(report.machine.duration_s),
        escape(&report.machine.history),
        report.machine.cpus,
        report.machine.memory_mib as f64 / 1024.0,
        escape(&report.machine.kernel),
        report.machine.seed,
    )
}

fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

fn tiles(report: &Report) -> String {
    let sale = &report.sale;
    let lost = report.money.lost.zip(report.money.doubled);
    let tile = |value: String, name: &str, note: String| {
        format!(
            "<div class=\"tile\"><p class=\"value\">{}</p><p class=\"name\">{name}</p>\
             <p class=\"note\">{}</p></div>\n",
            escape(&value),
            escape(&note)
        )
    };
    let peak = report
        .timeline
        .iter()
        .filter_map(|row| row.offered_rps)
        .fold(0.0, f64::max);
    let level = report
        .timeline
        .iter()
        .filter_map(|row| row.level)
        .max()
        .unwrap_or(Level::Normal);
    [
        "<section class=\"tiles\" aria-label=\"Key figures\">\n".to_owned(),
        tile(
            format!(
                "{} of {}",
                short(sale.warm_at_t0),
                short(sale.planned_replicas)
            ),
            "pods warm at T0",
            sale.prescaled_before_t0_s
                .map_or_else(String::new, |lead_s| {
                    format!(
                        "pre-scale from {} began {lead_s:.0} s before",
                        short(sale.base_replicas)
                    )
                }),
        ),
        tile(
            figure(
                sale.phase.success_ratio_critical.map(|ratio| ratio * 100.0),
                3,
                " %",
            ),
            "payments that succeeded in the step",
            format!("p99 {}", figure(sale.phase.p99_ms, 0, " ms")),
        ),
        tile(
            figure(report.overload.goodput_rps, 0, " req/s"),
            "goodput at overload",
            format!("offered up to {peak:.0} req/s, level up to {level}"),
        ),
        tile(
            lost.map_or("?".to_owned(), |(lost, doubled)| {
                format!("{lost} / {doubled}")
            }),
            "payments lost / doubled",
            format!("of {} acknowledged", grouped(report.money.acked)),
        ),
        tile(
            report.shrinks_on_missing_data.to_string(),
            "shrinks on missing data",
            format!("{} faults injected", report.faults.len()),
        ),
        "</section>\n".to_owned(),
    ]
    .concat()
}

fn short(value: Option<u32>) -> String {
    value.map_or("?".to_owned(), |value| value.to_string())
}

/// A measured figure with its unit, or a dash.
fn figure(value: Option<f64>, digits: usize, unit: &str) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.digits$}{unit}"),
        _ => "\u{2013}".to_owned(),
    }
}

/// A count with its thousands apart, or a dash.
fn grouped(value: Option<u64>) -> String {
    let Some(value) = value else {
        return "\u{2013}".to_owned();
    };
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn events(report: &Report) -> String {
    let started = start(report);
    let mut out = "<ol class=\"events\" aria-label=\"Events marked in the chart\">\n".to_owned();
    for event in &report.events {
        let _ = writeln!(
            out,
            "<li><span><time>{}</time> {}</span></li>",
            clock(&started, event.at_s),
            escape(&event.label)
        );
    }
    out + "</ol>\n"
}

fn footer(report: &Report) -> String {
    format!(
        "<footer>{} rows of one second in report.json beside this page.</footer>\n",
        report.timeline.len()
    )
}

#[cfg(test)]
mod tests;
