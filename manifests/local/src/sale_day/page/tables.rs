//! The tables of the page: promises, phases, faults, decisions.

use std::fmt::Write;

use floodgate_words::Level;

use super::{clock, escape, figure, grouped, short, start};
use crate::sale_day::report::{Fault, Phase, Report};
use crate::sale_day::verdict::count;

/// The promises of the day.
pub fn promises(report: &Report) -> String {
    let mut rows = String::new();
    for promise in &report.promises {
        let (class, word) = if promise.kept {
            ("good", "kept")
        } else {
            ("bad", "broken")
        };
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td><span class=\"pill {class}\">{word}</span></td></tr>",
            promise.kind.as_str(),
            escape(&promise.text),
            escape(&promise.measured)
        );
    }
    for mark in &report.marks {
        let (class, word) = if mark.reached {
            ("good", "reached")
        } else {
            ("short", "short")
        };
        let _ = writeln!(
            rows,
            "<tr><td>mark</td><td>{}: {}</td><td>{}</td><td><span class=\"pill {class}\">{word}</span></td></tr>",
            escape(&mark.name),
            escape(&mark.aim),
            escape(&mark.measured)
        );
    }
    table(
        "Promises and marks",
        "A broken promise fails the run; a missed mark does not, because it also depends on who else used the machine.",
        &["About", "Promise", "Measured", ""],
        &rows,
    )
}

/// The phases of the day.
pub fn phases(report: &Report) -> String {
    let mut rows = String::new();
    let phases: [(&str, &Phase); 4] = [
        ("Before, base load", &report.before),
        ("Sale, tenfold step", &report.sale.phase),
        ("Overload wave", &report.overload),
        ("After, base load", &report.after),
    ];
    for (name, phase) in phases {
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            grouped(Some(phase.offered)),
            grouped(Some(phase.acked)),
            grouped(Some(phase.shed)),
            grouped(Some(phase.failed)),
            figure(
                phase.success_ratio_critical.map(|ratio| ratio * 100.0),
                3,
                " %"
            ),
            figure(phase.p50_ms, 1, ""),
            figure(phase.p99_ms, 1, ""),
            figure(phase.goodput_rps, 0, ""),
        );
    }
    table(
        "What clients saw",
        "Latency from the intended send time; retries of one key counted once; critical classes are payments and the look-up of their outcome.",
        &[
            "Phase",
            "Offered",
            "Acked",
            "Shed",
            "Failed",
            "Critical success",
            "p50 ms",
            "p99 ms",
            "Goodput req/s",
        ],
        &rows,
    )
}

/// The faults of the day.
pub fn faults(report: &Report) -> String {
    let started = start(report);
    let mut rows = String::new();
    for fault in &report.faults {
        let Fault {
            name,
            at_s,
            healed_at_s,
            replicas_before,
            replicas_min,
            replicas_after,
            ready_before,
            ready_min,
            ready_after,
            shrank,
        } = fault;
        let healed = healed_at_s.map_or("not seen".to_owned(), |healed_at_s| {
            format!("{:.0} s", healed_at_s - at_s)
        });
        let (class, word) = if *shrank {
            ("bad", "yes")
        } else {
            ("good", "no")
        };
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{healed}</td><td>{} &rarr; {} &rarr; {}</td><td>{} &rarr; {} &rarr; {}</td><td><span class=\"pill {class}\">{word}</span></td></tr>",
            escape(name),
            clock(&started, *at_s),
            short(*replicas_before),
            short(*replicas_min),
            short(*replicas_after),
            short(*ready_before),
            short(*ready_min),
            short(*ready_after),
        );
    }
    let sre = &report.sre_override;
    let when = |at_s: Option<f64>| at_s.map_or("not seen".to_owned(), |at_s| clock(&started, at_s));
    let note = format!(
        "Pods before, at least during, and after. The override {} was set at {}, won at {} and lapsed by itself at {}.",
        sre.annotation,
        when(sre.set_at_s),
        when(sre.won_at_s),
        when(sre.lapsed_at_s)
    );
    table(
        "Faults and the override",
        &note,
        &[
            "Fault",
            "At",
            "Whole again after",
            "Pods asked for",
            "Pods ready",
            "Shrank",
        ],
        &rows,
    )
}

/// The decisions of the day.
pub fn decisions(report: &Report) -> String {
    let started = start(report);
    let mut rows = String::new();
    for decision in &report.decisions {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"explain\">{}</td></tr>",
            clock(&started, decision.at_s),
            count(decision.desired),
            decision.level.map_or("?", Level::as_str),
            escape(&decision.source),
            escape(&decision.explain)
        );
    }
    table(
        "Decisions",
        "Each change of pods, level or winning bid, in the operator's own words.",
        &["At", "Pods", "Level", "Won by", "Why"],
        &rows,
    )
}

fn table(title: &str, note: &str, columns: &[&str], rows: &str) -> String {
    let head = format!(
        "<th scope=\"col\">{}</th>",
        columns.join("</th><th scope=\"col\">")
    );
    let rows = if rows.is_empty() {
        format!(
            "<tr><td colspan=\"{}\">none recorded</td></tr>\n",
            columns.len()
        )
    } else {
        rows.to_owned()
    };
    format!(
        "<section>\n<h2>{title}</h2>\n<p class=\"note\">{}</p>\n<div class=\"scroll\"><table>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n",
        escape(note)
    )
}
