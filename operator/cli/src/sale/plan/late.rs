//! Pods of a phase that cannot be warm at its T0 any more. Pure.

use floodgate_api::PaymentCluster;
use jiff::Timestamp;

use super::plans::{ClusterPlan, Late, PhasePlan};
use crate::moment::{Moment, seconds, span};

/// Marks the phases that are nearer than the lead time, or run, while their pods are not all warm.
pub(super) fn mark(plan: &mut ClusterPlan, cluster: &PaymentCluster, now: Timestamp) {
    let warm = warm(cluster);
    for phase in &mut plan.phases {
        let seconds = seconds(phase.t0, now) + plan.lead_seconds;
        let planned = phase.replicas_at(now);
        let replicas = planned.saturating_sub(warm);
        let late = seconds > 0 && replicas > 0 && phase.end > now;
        phase.late = late.then_some(Late {
            replicas,
            planned,
            seconds,
        });
    }
}

/// Pods that are warm already; none of a cluster without a status.
fn warm(cluster: &PaymentCluster) -> u32 {
    let status = cluster.status.as_ref();
    let pods = status.and_then(|status| status.replicas);
    pods.and_then(|pods| u32::try_from(pods.warm).ok())
        .unwrap_or(0)
}

/// What is late of a phase: `midnight begins in 50 s and a pod takes 1 min 2 s to be warm: ...`.
pub(super) fn missed(phase: &PhasePlan, lead_s: i64, moment: &Moment) -> Option<String> {
    let Late {
        replicas,
        planned,
        seconds,
    } = phase.late?;
    let name = &phase.name;
    let begun = match moment.seconds_until(phase.t0) {
        left @ 1.. => format!("begins in {}", span(left)),
        passed => format!("began {} ago", span(-passed)),
    };
    Some(format!(
        "{name} {begun} and a pod takes {} to be warm: {replicas} of {planned} pods are not warm; created now, they are {} late",
        span(lead_s),
        span(seconds),
    ))
}

/// That the pre-scale of a phase should have begun, while its pods can still come in time.
pub(super) fn begun(phase: &PhasePlan, lead_s: i64, moment: &Moment) -> Option<String> {
    let spare_s = moment.seconds_until(phase.t0) - lead_s;
    let due = phase.prescale_start < moment.now() && spare_s >= 0;
    due.then(|| {
        format!(
            "The pre-scale of {} began at {}; pods created within {} are still warm at T0",
            phase.name,
            moment.instant(phase.prescale_start),
            span(spare_s),
        )
    })
}
