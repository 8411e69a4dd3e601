//! A plan for a person: what is short first, then a line per phase, then what it costs.

use std::fmt::Write;

use super::{Answer, ClusterPlan};
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
        .max_by_key(|phase| phase.replicas_needed)?;
    let missing = worst.replicas_needed.checked_sub(plan.replicas_max)?;
    (missing > 0).then(|| {
        format!(
            "{} needs {} pods and `scaling.max` is {}: {} are short, and degradation answers the rest",
            worst.name,
            pods(worst.replicas_needed),
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

/// The plan for a person.
pub(super) fn page(answer: &Answer, moment: &Moment, paint: Paint) -> String {
    let mut text = String::new();
    for plan in &answer.clusters {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} ({}) on {}: {} pods, put up from {}, {}",
            paint.heading(&answer.name),
            answer.namespace,
            paint.heading(&plan.name),
            plan.replicas,
            moment.instant(plan.prescale_start),
            moment.relative(plan.prescale_start),
        );
        if answer.end <= moment.now() {
            let _ = writeln!(text, "  ! {}", paint.wrong("The sale is over"));
        }
        if let Some(short) = short(plan) {
            let _ = writeln!(text, "  ! {}", paint.wrong(&short));
            let _ = writeln!(
                text,
                "      do: raise `scaling.max`, and see that quota and nodes have room"
            );
        }
        for doubt in answer.remarks.iter().chain(&answer.doubts) {
            let _ = writeln!(text, "  - {}", paint.note(doubt));
        }
        let _ = writeln!(text, "\n{}", phases(plan, moment));
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

fn phases(plan: &ClusterPlan, moment: &Moment) -> String {
    let header = [
        "PHASE",
        "T0",
        "LASTS",
        "UPLIFT",
        "EXPECTED",
        "PODS",
        "NEEDED",
        "PUT UP FROM",
    ];
    let mut table = Table::new(&header);
    for phase in &plan.phases {
        table.row(vec![
            phase.name.clone(),
            moment.instant(phase.t0),
            span(crate::moment::seconds(phase.t0, phase.end)),
            times(phase.uplift_percent),
            format!("{:.0} req/s", phase.expected_rps),
            phase.replicas.to_string(),
            pods(phase.replicas_needed),
            moment.instant(phase.prescale_start),
        ]);
    }
    table.render(0)
}
