//! A plan for a person: what is short first, then a line per phase, then what it costs.

use std::fmt::Write;

use super::rows::CHANCES_PERCENT;
use super::{Answer, ClusterPlan, late};
use crate::moment::{Moment, span};
use crate::paint::Paint;
use crate::sale::times;
use crate::table::Table;

/// Greatest `scaling.max`.
const REPLICAS_MAX: u32 = 10_000;

/// What is short, where a phase needs more than the maximum.
pub(super) fn short(plan: &ClusterPlan) -> Option<String> {
    let worst = plan
        .phases
        .iter()
        .max_by_key(|phase| phase.replicas_needed_most())?;
    let needed = worst.replicas_needed_most();
    let missing = needed.checked_sub(plan.replicas_max)?;
    (missing > 0).then(|| {
        format!(
            "{} needs {} pods and `scaling.max` is {}: {} are short, and degradation answers the rest",
            worst.name,
            pods(needed),
            plan.replicas_max,
            pods(missing)
        )
    })
}

/// A number of pods; more than any `scaling.max` may be is no number to read.
fn pods(count: u32) -> String {
    if count > REPLICAS_MAX {
        format!("over {REPLICAS_MAX}")
    } else {
        count.to_string()
    }
}

/// The plan for a person; the wide form has what other chances would ask for.
pub(super) fn page(answer: &Answer, wide: bool, moment: &Moment, paint: Paint) -> String {
    let mut text = String::new();
    for plan in &answer.clusters {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} ({}) on {}: {}",
            paint.heading(&answer.name),
            answer.namespace,
            paint.heading(&plan.name),
            counts(plan, moment),
        );
        objections(&mut text, answer, plan, moment, paint);
        let _ = writeln!(text, "\n{}", phases(plan, wide, moment));
        let _ = writeln!(
            text,
            "Cost       {:.1} pod-hours from the pre-scale to the end of each phase, {:.1} of them beyond min {}",
            plan.pod_hours, plan.pod_hours_above_min, plan.replicas_min
        );
        let _ = writeln!(
            text,
            "Planned    {} req/s per warm pod; lead time {} and margin {}; baseline: {}",
            plan.capacity_rps,
            span(plan.lead_seconds),
            span(i64::from(plan.margin_seconds)),
            plan.baseline,
        );
    }
    text
}

/// How many pods the first pre-scale puts up, and how many there are at most, where later ones are
/// more.
fn counts(plan: &ClusterPlan, moment: &Moment) -> String {
    let first = plan.phases.iter().min_by_key(|phase| phase.prescale_start);
    let first = first.map_or(plan.replicas, |phase| phase.replicas);
    let (at, when) = (
        moment.instant(plan.prescale_start),
        moment.relative(plan.prescale_start),
    );
    let starts = plan.phases.iter().flat_map(|phase| {
        let steps = phase.later.iter().map(|step| (step.replicas, step.from));
        std::iter::once((phase.replicas, phase.prescale_start)).chain(steps)
    });
    let mut most = starts.filter(|(pods, _)| *pods == plan.replicas && *pods > first);
    let most = most.next().map_or(String::new(), |(pods, from)| {
        format!("; at most {pods}, from {}", moment.instant(from))
    });
    format!("{first} pods, put up from {at}, {when}{most}")
}

/// What is wrong with a plan, with what to do, and what is only worth knowing.
fn objections(
    text: &mut String,
    answer: &Answer,
    plan: &ClusterPlan,
    moment: &Moment,
    paint: Paint,
) {
    // Writing to a String cannot fail.
    if answer.end <= moment.now() {
        let _ = writeln!(text, "  ! {}", paint.wrong("The sale is over"));
    }
    let late = |phase| late::told(phase, plan.lead_seconds, moment);
    let late: Vec<String> = plan.phases.iter().filter_map(late).collect();
    for late in &late {
        let _ = writeln!(text, "  ! {}", paint.wrong(late));
    }
    if !late.is_empty() {
        let _ = writeln!(
            text,
            "      do: apply the sale at once, or move T0; until the pods are warm, degradation answers the rest"
        );
    }
    if let Some(short) = short(plan) {
        let _ = writeln!(text, "  ! {}", paint.wrong(&short));
        let _ = writeln!(
            text,
            "      do: raise `scaling.max`, and see that quota and nodes have room"
        );
    }
    let begun = |phase| late::begun(phase, plan.lead_seconds, moment);
    let begun: Vec<String> = plan.phases.iter().filter_map(begun).collect();
    for note in begun.iter().chain(&answer.remarks).chain(&answer.doubts) {
        let _ = writeln!(text, "  - {}", paint.note(note));
    }
}

fn phases(plan: &ClusterPlan, wide: bool, moment: &Moment) -> String {
    let mut header = vec![
        "PHASE",
        "T0",
        "LASTS",
        "UPLIFT",
        "BASELINE",
        "EXPECTED",
        "PODS",
        "NEEDED",
        "PUT UP FROM",
    ];
    let chances = CHANCES_PERCENT.map(|percent| format!("FOR {percent} %"));
    if wide {
        header.push("CHANCE");
        header.extend(chances.iter().map(String::as_str));
    }
    let mut table = Table::new(&header);
    for phase in &plan.phases {
        let rate = |rps: f64| format!("{rps:.0} req/s");
        let mut cells = vec![
            phase.name.clone(),
            moment.instant(phase.t0),
            span(crate::moment::seconds(phase.t0, phase.end)),
            times(phase.uplift_percent),
            phase.baseline_rps.map_or(String::new(), rate),
            rate(phase.expected_rps),
            phase.replicas.to_string(),
            pods(phase.replicas_needed),
            moment.instant(phase.prescale_start),
        ];
        if wide {
            let percent = |percent: u8| format!("{percent} %");
            cells.push(phase.quantile_percent.map_or(String::new(), percent));
            cells.extend(CHANCES_PERCENT.map(|percent| {
                let mut chances = phase.chances.iter();
                let chance = chances.find(|one| one.quantile_percent == percent);
                chance.map_or(String::new(), |one| pods(one.replicas_needed))
            }));
        }
        table.row(cells);
        for step in &phase.later {
            let mut cells = vec![String::new(); header.len()];
            cells[1] = format!("from {}", moment.instant(step.from));
            cells[5] = rate(step.expected_rps);
            cells[6] = step.replicas.to_string();
            cells[7] = pods(step.replicas_needed);
            table.row(cells);
        }
    }
    table.render(0)
}
