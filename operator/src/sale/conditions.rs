//! The conditions of a sale, but for `Prepared`. Pure.

use floodgate_api::sale::status::{SaleClusterStatus, SaleEventStatus};
use floodgate_planner::UnixMillis;
use floodgate_settings::ValidSale;
use floodgate_words::{ConditionType, Reason};
use jiff::Timestamp;

use super::stage::{Stage, current_phase, stage};
use crate::conditions::{Truth, Verdict, ready};

/// The sale is valid; with what was taken for local times that are no single instant (B15).
pub(super) fn accepted(valid: &ValidSale) -> Verdict {
    let mut message = "the sale is valid and its clusters exist".to_owned();
    for remark in &valid.remarks {
        message.push_str("; ");
        message.push_str(remark);
    }
    Verdict::new(ConditionType::Accepted, true, Reason::Accepted, message)
}

/// The conditions of the sale.
pub(super) fn verdicts(
    status: &SaleEventStatus,
    valid: &ValidSale,
    (accepted, prepared): (Verdict, Verdict),
    now: Timestamp,
) -> Vec<Verdict> {
    let stage = stage(status, valid, now);
    let plan_met = plan_met(status, valid, stage, now);
    let verdicts = [accepted, plan_met, prepared];
    let summed = ready(&verdicts);
    let reason = match stage {
        Stage::Scheduled => Reason::Scheduled,
        Stage::Prescaling => Reason::Prescaling,
        Stage::Running => Reason::Running,
        Stage::Completed => Reason::Completed,
    };
    let summed = match summed.status {
        Truth::True => Verdict {
            reason,
            message: "the plan stands".to_owned(),
            ..summed
        },
        Truth::False | Truth::Unknown => summed,
    };
    let [accepted, plan_met, prepared] = verdicts;
    vec![summed, accepted, plan_met, prepared]
}

pub(super) fn plan_met(
    status: &SaleEventStatus,
    valid: &ValidSale,
    stage: Stage,
    now: Timestamp,
) -> Verdict {
    let kind = ConditionType::PlanMet;
    let verdict = |truth: Truth, reason, message: &str| Verdict::new(kind, truth, reason, message);
    let unplanned = |cluster: &SaleClusterStatus| {
        stage != Stage::Completed && current_phase(cluster, valid, now).is_none()
    };
    if status.clusters.iter().any(unplanned) {
        let message = "no forecast and no load to plan from yet";
        return verdict(Truth::Unknown, Reason::NoSignals, message);
    }
    let instant = UnixMillis::from(now);
    // Each phase by itself: while one runs the pre-scale of the next may be under way.
    let short = |runs: bool| {
        status.clusters.iter().any(|cluster| {
            let mut open = valid.sale.phases.iter();
            open.any(|phase| {
                let planned = cluster.phases.iter().find(|one| one.name == phase.name);
                phase.until > instant
                    && (phase.t0 <= instant) == runs
                    && planned.is_some_and(|planned| {
                        planned.prescale_start.0 <= now
                            && cluster.warm < planned.planned_replicas_at(now)
                    })
            })
        })
    };
    match stage {
        Stage::Scheduled => verdict(Truth::True, Reason::Scheduled, "the pre-scale lies ahead"),
        Stage::Completed => verdict(Truth::True, Reason::Completed, "every phase is over"),
        Stage::Prescaling | Stage::Running if short(true) => verdict(
            Truth::False,
            Reason::PlanLate,
            "a phase runs with fewer warm pods than planned",
        ),
        Stage::Prescaling | Stage::Running if short(false) => verdict(
            Truth::True,
            Reason::WarmingUp,
            "pods of the plan are starting",
        ),
        Stage::Prescaling | Stage::Running => verdict(
            Truth::True,
            Reason::PlanMet,
            "the planned pods are Ready and warm",
        ),
    }
}
