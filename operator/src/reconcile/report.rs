//! The end of a pass: what its plan means, reported in status and Events, and when the next one is
//! due.

use std::time::Duration;

use floodgate_planner::{Decision, Direction};

use super::pass::Pass;
use crate::{
    build::{Applied, Resources},
    conditions::{self, Standing, Verdict, merge},
    events,
    metrics::DecisionLabels,
    observe::Observed,
    plan::Planned,
    status::{self, StatusError},
    validate::ValidatedCluster,
};

/// Longest pause between two passes; the sample loop triggers far more often.
const RESYNC: Duration = Duration::from_secs(30);

/// Writes the status and publishes Events about what changed.
pub(super) async fn report(
    pass: &mut Pass<'_>,
    valid: &ValidatedCluster,
    planned: &Planned,
    applied: &Resources<Applied>,
    standing: &Standing,
    accepted: Verdict,
) -> Result<(), StatusError> {
    let before = pass.status();
    let observed = &pass.observed;
    let verdicts = conditions::of(observed, valid, planned, applied, standing, accepted);
    let verdicts = merge::carried_over(verdicts, &before.conditions);
    let flips = merge::flips(&before.conditions, &verdicts);
    let after = status::build_status(observed, valid, planned, &verdicts, before.clone());
    pass.write_status(&before, after).await?;
    if planned.replicas == planned.decision.replicas
        && let Some(event) = events::scaled(&planned.decision)
    {
        count(pass, &planned.decision);
        pass.publish(event).await;
    }
    for flip in flips.iter().filter(|flip| flip.status_changed) {
        if let Some(event) = events::condition(&flip.verdict) {
            pass.publish(event).await;
        }
    }
    let announced = &mut pass.remembered.announced;
    let remarks = &planned.overrides.remarks;
    for remark in events::new_remarks(announced, remarks, &before.conditions) {
        pass.publish(events::remark(&remark)).await;
    }
    Ok(())
}

/// Counts a change of replicas.
fn count(pass: &Pass<'_>, decision: &Decision) {
    let direction = match decision.direction() {
        Direction::Up => "up",
        Direction::Down => "down",
        Direction::Stay => return,
    };
    let reason = decision.reason().as_str().to_owned();
    pass.ctx
        .metrics
        .decisions
        .get_or_create(&DecisionLabels { direction, reason })
        .inc();
}

/// Until the plan may change by itself: an override that lapses lapses then, not later.
pub(super) fn pause(observed: &Observed, planned: &Planned) -> Duration {
    let Some(wake) = planned.decision.next_wake.timestamp() else {
        return RESYNC;
    };
    let lapse = planned.overrides.active.iter().map(|one| one.until.0).min();
    let wake = lapse.map_or(wake, |lapse| wake.min(lapse));
    let pause = Duration::try_from(wake.duration_since(observed.now)).unwrap_or_default();
    pause.clamp(Duration::from_millis(20), RESYNC)
}
