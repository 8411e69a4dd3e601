//! Finds who else scales the Deployment of a cluster, and keeps the two from fighting.
//!
//! What another wrote is put back, but less and less often while it keeps being written. What a
//! person wrote while a sale was near or ran is a floor until the sale ends.

use std::collections::VecDeque;

use floodgate_words::Reason;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler};
use kube::ResourceExt;

use super::Context;
use crate::{
    clock::seconds_between,
    conditions::Standing,
    observe::Observed,
    plan::sale_until,
    snapshot::{Cell, ClusterKey},
    writers::{ByHand, WriterKind, autoscaler_name, manager_of_replicas},
};

/// For how long a foreign write is told of, seconds; one fight a minute is seen as one.
const TOLD_FOR_S: f64 = 600.0;
/// Foreign writes kept.
const KEPT_MAX: usize = 32;
/// Foreign writes within [`TOLD_FOR_S`] that are put back at once; more of them are a fight.
const PATIENCE: usize = 2;
/// First and longest pause before a write of a fight is put back. A minute bounds both the writes
/// and the time a fleet stands at what a repository says.
const BACK_OFF_MIN: SignedDuration = SignedDuration::from_secs(10);
const BACK_OFF_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Foreign writes of the replicas.
#[derive(Debug, Default)]
pub struct ForeignWrites {
    writes: VecDeque<(Timestamp, String)>,
    last_generation: Option<i64>,
    by_hand: Option<ByHand>,
    recalled: bool,
}

impl ForeignWrites {
    /// Notes that `manager` wrote the replicas in `generation`; the same one counts once.
    fn note(&mut self, at: Timestamp, generation: Option<i64>, manager: String) -> bool {
        if self.last_generation == generation {
            return false;
        }
        self.last_generation = generation;
        if self.writes.len() == KEPT_MAX {
            self.writes.pop_front();
        }
        self.writes.push_back((at, manager));
        true
    }

    fn forget_controllers(&mut self) {
        self.writes
            .retain(|(_, manager)| WriterKind::of(manager) != WriterKind::Controller);
    }

    fn recent(&mut self, now: Timestamp) -> Option<&str> {
        self.writes
            .retain(|(at, _)| seconds_between(*at, now) < TOLD_FOR_S);
        self.writes.back().map(|(_, manager)| manager.as_str())
    }

    /// Until when the last foreign write is left standing.
    fn left_until(&self) -> Option<Timestamp> {
        let (last, _) = self.writes.back()?;
        let fought = u32::try_from(self.writes.len().checked_sub(PATIENCE + 1)?).ok()?;
        let pause = BACK_OFF_MIN
            .checked_mul(1 << fought.min(8))
            .unwrap_or(BACK_OFF_MAX)
            .min(BACK_OFF_MAX);
        last.saturating_add(pause).ok()
    }
}

/// Takes note of a foreign write, before the plan is made; the count that a person wrote, while it
/// holds.
pub(super) fn note_writes(cell: &Cell, observed: &Observed) -> Option<ByHand> {
    let now = observed.now;
    cell.with_remembered(|remembered| {
        if !std::mem::replace(&mut remembered.foreign.recalled, true) {
            let status = observed.cluster.status.as_ref();
            remembered.foreign.by_hand = status.and_then(ByHand::recalled);
        }
        let ours = remembered.deployment.as_deref().and_then(replicas_of);
        if let Some(live) = observed.deployment.as_deref()
            && ours.is_some()
            && replicas_of(live) != ours
            && let Some(manager) = manager_of_replicas(live)
        {
            let foreign = &mut remembered.foreign;
            let new = foreign.note(now, live.metadata.generation, manager.clone());
            let written = replicas_of(live).and_then(|count| u32::try_from(count).ok());
            if new
                && WriterKind::of(&manager) == WriterKind::Person
                && let Some((replicas, until)) = written.zip(sale_until(observed))
            {
                foreign.by_hand = Some(ByHand {
                    replicas,
                    until,
                    manager,
                });
            }
        }
        let by_hand = remembered.foreign.by_hand.take();
        remembered.foreign.by_hand = by_hand.filter(|hand| hand.until > now);
        remembered.foreign.by_hand.clone()
    })
}

/// Who else scales, and the reason to give.
pub(super) fn foreign_writer(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
) -> Option<(Reason, String)> {
    if let Some(name) = autoscaler_of(ctx, key) {
        // Its writes stood; once it is gone nobody fights.
        cell.with_remembered(|remembered| remembered.foreign.forget_controllers());
        let message = format!("{name} targets the Deployment; remove it");
        return Some((Reason::AutoscalerTargets, message));
    }
    cell.with_remembered(|remembered| {
        let foreign = &mut remembered.foreign;
        let fights = foreign.writes.len() > PATIENCE;
        let held = foreign.by_hand.is_some();
        let manager = foreign.recent(observed.now)?;
        let kind = WriterKind::of(manager);
        let advice = match kind {
            WriterKind::Person if held => "what it wrote is a floor until the sale ends",
            WriterKind::Person => "they are put back; use `floodgate.dev/pin-replicas`",
            WriterKind::GitOps if fights => {
                "they are put back at most once a minute; leave `replicas` out of what it applies"
            }
            WriterKind::GitOps => "they are put back; leave `replicas` out of what it applies",
            WriterKind::Controller if fights => "they are put back at most once a minute",
            WriterKind::Controller => "they are put back",
        };
        let message = format!("`{manager}` writes the replicas of the Deployment; {advice}");
        Some((kind.reason(), message))
    })
}

/// The replicas that stand, where ours have to wait: while an autoscaler targets the Deployment,
/// because two writers in turn would make pods come and go (F26), and between two rounds of a fight
/// with anybody else (F27).
pub(super) fn yielded(cell: &Cell, standing: &Standing, observed: &Observed) -> Option<i32> {
    let (reason, _) = standing.foreign_writer.as_ref()?;
    let waits = *reason == Reason::AutoscalerTargets
        || cell
            .with_remembered(|remembered| remembered.foreign.left_until())
            .is_some_and(|until| observed.now < until);
    replicas_of(observed.deployment.as_deref().filter(|_| waits)?)
}

/// Replicas a Deployment asks for.
pub fn replicas_of(deployment: &Deployment) -> Option<i32> {
    deployment.spec.replicas
}

fn autoscaler_of(ctx: &Context, key: &ClusterKey) -> Option<String> {
    let targets = |one: &HorizontalPodAutoscaler| {
        let target = &one.spec.scale_target_ref;
        one.namespace().as_deref() == Some(&key.namespace)
            // One that targets the PaymentCluster only moves `scaling.min`, which is nobody's fight.
            && target.kind == "Deployment"
            && target.name == key.name
    };
    ctx.autoscalers
        .state()
        .into_iter()
        .find(|one| targets(one))
        .map(|one| autoscaler_name(&one))
}

#[cfg(test)]
mod tests;
