//! The tables of the page: promises, phases, faults, decisions.

use floodgate_picture::{Verdict, figures, section, table};
use floodgate_words::Level;
use jiff::Zoned;
use maud::{Markup, html};

use super::{clock, count, figure, grouped, percent};
use crate::sale_day::report::{Phase, Report};

/// The promises of the day.
pub fn promises(report: &Report) -> Markup {
    let rows = html! {
        @for promise in &report.promises {
            @let kept = if promise.kept { Verdict::Good("kept") } else { Verdict::Bad("broken") };
            tr {
                th scope="row" { (promise.kind.as_str()) }
                td { (promise.text) } td { (promise.measured) } td { (kept) }
            }
        }
        @for mark in &report.marks {
            @let reached = if mark.reached { Verdict::Good("reached") } else { Verdict::Short("short") };
            tr {
                th scope="row" { "mark" }
                td { (mark.name) ": " (mark.aim) } td { (mark.measured) } td { (reached) }
            }
        }
    };
    section(
        "Promises and marks",
        "A broken promise fails the run; a missed mark does not, because it also depends on who else used the machine.",
        &table(&["About", "Promise", "Measured", ""], &rows),
    )
}

/// What clients saw in each phase.
pub fn phases(report: &Report) -> Markup {
    let phases: [(&str, &Phase); 4] = [
        ("Before, base load", &report.before),
        ("Sale, tenfold step", &report.sale.phase),
        ("Overload wave", &report.overload),
        ("After, base load", &report.after),
    ];
    let heads = [
        "Phase",
        "Offered",
        "Acked",
        "Shed",
        "Failed",
        "Critical success",
        "p50 ms",
        "p99 ms",
        "Goodput req/s",
    ];
    let rows = phases.map(|(name, phase)| {
        [
            name.to_owned(),
            grouped(Some(phase.offered)),
            grouped(Some(phase.acked)),
            grouped(Some(phase.shed)),
            grouped(Some(phase.failed)),
            percent(phase.success_ratio_critical),
            figure(phase.p50_ms, 1, ""),
            figure(phase.p99_ms, 1, ""),
            figure(phase.goodput_rps, 0, ""),
        ]
    });
    section(
        "What clients saw",
        "Latency from the intended send time; retries of one key counted once; critical classes are payments and the look-up of their outcome.",
        &figures(heads, &rows),
    )
}

/// The faults of the day, and the override.
pub fn faults(report: &Report, start: &Zoned) -> Markup {
    let pods = |pods: [Option<u32>; 3]| pods.map(count).join(" \u{2192} ");
    let rows = html! {
        @for fault in &report.faults {
            @let healed = fault.healed_at_s.map(|healed_at_s| healed_at_s - fault.at_s);
            @let asked = [fault.replicas_before, fault.replicas_min, fault.replicas_after];
            @let ready = [fault.ready_before, fault.ready_min, fault.ready_after];
            @let shrank = if fault.shrank { Verdict::Bad("yes") } else { Verdict::Good("no") };
            tr {
                th scope="row" { (fault.name) } td { (clock(start, fault.at_s)) }
                td { (figure(healed, 0, " s")) }
                td { (pods(asked)) } td { (pods(ready)) } td { (shrank) }
            }
        }
    };
    let sre = &report.sre_override;
    let when = |at_s: Option<f64>| at_s.map_or("not seen".to_owned(), |at_s| clock(start, at_s));
    let note = format!(
        "Pods before, at least during, and after. The override {} was set at {}, won at {} and lapsed by itself at {}.",
        sre.annotation,
        when(sre.set_at_s),
        when(sre.won_at_s),
        when(sre.lapsed_at_s)
    );
    let heads = [
        "Fault",
        "At",
        "Whole again after",
        "Pods asked for",
        "Pods ready",
        "Shrank",
    ];
    section("Faults and the override", &note, &table(&heads, &rows))
}

/// The decisions of the day.
pub fn decisions(report: &Report, start: &Zoned) -> Markup {
    let rows = html! {
        @for decision in &report.decisions {
            tr {
                th scope="row" { (clock(start, decision.at_s)) }
                td { (count(decision.desired)) } td { (decision.level.map_or("?", Level::as_str)) }
                td { (decision.source) } td.long { (decision.explain) }
            }
        }
    };
    section(
        "Decisions",
        "Each change of pods, level or winning bid, as the operator explains it.",
        &table(&["At", "Pods", "Level", "Won by", "Why"], &rows),
    )
}
