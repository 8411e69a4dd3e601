//! Finds who else scales the Deployment of a cluster, and keeps the two from fighting.
//!
//! What another wrote is put back, but less and less often while it keeps being written. What a
//! person wrote while a sale was near or ran is a floor until the sale ends.

use floodgate_words::Reason;
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler};
use kube::ResourceExt;

use super::{foreign_writes::ForeignWrites, pass::Pass};
use crate::{
    observe::Observed,
    plan::sale_until,
    snapshot::ClusterKey,
    writers::{ByHand, WriterKind, autoscaler_name, manager_of_replicas},
};

/// Who else scales, and what follows from it.
pub(super) struct Conflict {
    /// The count that a person wrote during a sale, while it holds.
    pub(super) by_hand: Option<ByHand>,
    /// Who else writes the replicas, if anybody does, with the reason to give.
    pub(super) writer: Option<(Reason, String)>,
    /// The replicas to leave as they are, where ours have to wait: while an autoscaler targets the
    /// Deployment, because two writers in turn would make pods come and go (F26), and between two
    /// rounds of a fight with anybody else (F27).
    pub(super) yielded: Option<i32>,
}

/// Takes note of what others wrote, before the plan is made.
pub(super) fn conflict(pass: &mut Pass<'_>) -> Conflict {
    let (observed, foreign) = (&pass.observed, &mut pass.remembered.foreign);
    let ours = pass.remembered.deployment.as_deref();
    let by_hand = note_write(foreign, ours, observed);
    let autoscaler = pass.ctx.stores.autoscalers.state();
    let autoscaler = autoscaler.iter().find(|one| targets(one, pass.key));
    let live = || observed.deployment.as_deref().and_then(replicas_of);
    if let Some(autoscaler) = autoscaler {
        // Its writes were left alone; once it is gone nobody fights.
        foreign.forget_controllers();
        let name = autoscaler_name(autoscaler);
        let message = format!("{name} targets the Deployment; remove it");
        return Conflict {
            by_hand,
            writer: Some((Reason::AutoscalerTargets, message)),
            yielded: live(),
        };
    }
    let writer = foreign_writer(foreign, observed);
    let waits = foreign
        .left_until()
        .is_some_and(|until| observed.now < until);
    Conflict {
        by_hand,
        yielded: live().filter(|_| writer.is_some() && waits),
        writer,
    }
}

/// Notes a foreign write; the count that a person wrote, while it holds.
fn note_write(
    foreign: &mut ForeignWrites,
    ours: Option<&Deployment>,
    observed: &Observed,
) -> Option<ByHand> {
    let now = observed.now;
    if !std::mem::replace(&mut foreign.recalled, true) {
        let status = observed.cluster.status.as_ref();
        foreign.by_hand = status.and_then(ByHand::recalled);
    }
    let ours = ours.and_then(replicas_of);
    if let Some(live) = observed.deployment.as_deref()
        && ours.is_some()
        && replicas_of(live) != ours
        && let Some(manager) = manager_of_replicas(live)
    {
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
    foreign.by_hand.take_if(|hand| hand.until <= now);
    foreign.by_hand.clone()
}

/// Who wrote the replicas lately, and the reason to give.
fn foreign_writer(foreign: &mut ForeignWrites, observed: &Observed) -> Option<(Reason, String)> {
    let fights = foreign.is_fight();
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
}

/// Replicas a Deployment asks for.
fn replicas_of(deployment: &Deployment) -> Option<i32> {
    deployment.spec.replicas
}

fn targets(autoscaler: &HorizontalPodAutoscaler, cluster: &ClusterKey) -> bool {
    let target = &autoscaler.spec.scale_target_ref;
    autoscaler.namespace().as_deref() == Some(&cluster.namespace)
        // One that targets the PaymentCluster only moves `scaling.min`, which is nobody's fight.
        && target.kind == "Deployment"
        && target.name == cluster.name
}

#[cfg(test)]
mod tests;
