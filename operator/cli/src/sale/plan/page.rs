//! A plan for a person: what is short first, then a line per phase, then what it costs.

use std::fmt::Write;

use super::late;
use super::plans::{ClusterPlan, SalePlan};
use super::rows::CHANCES_PERCENT;
use crate::colour;
use crate::moment::{Moment, span};
use crate::point::{Weight, mark};
use crate::sale::phase::times;
use crate::table::{Table, cell, titled};

/// Greatest `scaling.max`.
const REPLICAS_MAX: u32 = 10_000;

/// What is short, where a phase needs more than the maximum.
fn short(plan: &ClusterPlan) -> Option<String> {
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

/// The plan for a person; the wide format adds what other chances would need.
pub(super) fn page(sale: &SalePlan, wide: bool, moment: &Moment) -> String {
    let mut text = String::new();
    for plan in &sale.clusters {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} ({}) on {}: {}",
            colour::heading(&sale.name),
            sale.namespace,
            colour::heading(&plan.name),
            counts(plan, moment),
        );
        marks(&mut text, sale, plan, moment);
        let _ = writeln!(text, "\n{}", phases(plan, wide, moment));
        let cost = format!(
            "{:.1} pod-hours from the pre-scale to the end of each phase, {:.1} of them beyond min {}",
            plan.pod_hours, plan.pod_hours_above_min, plan.replicas_min
        );
        let basis = format!(
            "{} req/s per warm pod; lead time {} and margin {}; baseline: {}",
            plan.capacity_rps,
            span(plan.lead_seconds),
            span(i64::from(plan.margin_seconds)),
            plan.baseline,
        );
        text += &titled([("Cost", cost), ("Planned", basis)]);
    }
    text
}

/// How many pods the first pre-scale creates, and how many there are at most, where later ones are
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
    format!("{first} pods, pre-scale from {at}, {when}{most}")
}

/// What is wrong with a plan, with what to do, and what is only worth knowing.
fn marks(text: &mut String, sale: &SalePlan, plan: &ClusterPlan, moment: &Moment) {
    if sale.end <= moment.now() {
        mark(text, Weight::Wrong, "The sale is over", None);
    }
    let missed = |phase| late::missed(phase, plan.lead_seconds, moment);
    let missed: Vec<String> = plan.phases.iter().filter_map(missed).collect();
    for (index, line) in missed.iter().enumerate() {
        let remedy = "apply the sale at once, or move T0; until the pods are warm, degradation answers the rest";
        let is_last = index + 1 == missed.len();
        mark(text, Weight::Wrong, line, is_last.then_some(remedy));
    }
    if let Some(short) = short(plan) {
        let remedy = "raise `scaling.max`, and see that quota and nodes have room";
        mark(text, Weight::Wrong, &short, Some(remedy));
    }
    let begun = |phase| late::begun(phase, plan.lead_seconds, moment);
    let begun: Vec<String> = plan.phases.iter().filter_map(begun).collect();
    for note in begun.iter().chain(&sale.remarks).chain(&sale.doubts) {
        mark(text, Weight::Note, note, None);
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
        "PRE-SCALE FROM",
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
            cell(phase.baseline_rps.map(rate)),
            rate(phase.expected_rps),
            phase.replicas.to_string(),
            pods(phase.replicas_needed),
            moment.instant(phase.prescale_start),
        ];
        if wide {
            let percent = |percent: u8| format!("{percent} %");
            cells.push(cell(phase.quantile_percent.map(percent)));
            cells.extend(CHANCES_PERCENT.map(|percent| {
                let mut chances = phase.chances.iter();
                let chance = chances.find(|one| one.quantile_percent == percent);
                cell(chance.map(|one| pods(one.replicas_needed)))
            }));
        }
        table.row(cells);
        for step in &phase.later {
            let blank = String::new;
            table.row([
                blank(),
                format!("from {}", moment.instant(step.from)),
                blank(),
                blank(),
                blank(),
                rate(step.expected_rps),
                step.replicas.to_string(),
                pods(step.replicas_needed),
            ]);
        }
    }
    table.render()
}
