//! Finds who else scales the Deployment of a cluster.

use std::collections::VecDeque;

use floodgate_api::{FIELD_MANAGER, Reason};
use jiff::Timestamp;
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler};
use kube::{ResourceExt, runtime::reflector::Store};

use super::Context;
use crate::{
    clock::seconds_between,
    conditions::Standing,
    observe::Observed,
    snapshot::{Cell, ClusterKey},
};

/// Autoscalers as the watch has them.
pub type Autoscalers = Store<HorizontalPodAutoscaler>;

/// For how long a foreign write is told of, seconds; one fight a minute is seen as one.
const TOLD_FOR_S: f64 = 600.0;
/// Foreign writes kept.
const KEPT_MAX: usize = 32;

/// Foreign writes of the replicas.
#[derive(Debug, Default)]
pub struct ForeignWrites {
    writes: VecDeque<(Timestamp, String)>,
    last_generation: Option<i64>,
}

impl ForeignWrites {
    /// Notes that `manager` wrote the replicas in `generation`; the same one counts once.
    fn note(&mut self, at: Timestamp, generation: Option<i64>, manager: String) {
        if self.last_generation == generation {
            return;
        }
        self.last_generation = generation;
        if self.writes.len() == KEPT_MAX {
            self.writes.pop_front();
        }
        self.writes.push_back((at, manager));
    }

    fn recent(&mut self, now: Timestamp) -> Option<&str> {
        self.writes
            .retain(|(at, _)| seconds_between(*at, now) < TOLD_FOR_S);
        self.writes.back().map(|(_, manager)| manager.as_str())
    }
}

/// Who else scales, and the reason to give.
pub(super) fn foreign_writer(
    ctx: &Context,
    key: &ClusterKey,
    cell: &Cell,
    observed: &Observed,
) -> Option<(Reason, String)> {
    if let Some(name) = autoscaler_of(ctx, key) {
        let message = format!("HorizontalPodAutoscaler {name} targets the Deployment; remove it");
        return Some((Reason::AutoscalerTargets, message));
    }
    let live = observed.deployment.as_deref()?;
    cell.with_remembered(|remembered| {
        let ours = remembered.deployment.as_deref().and_then(replicas_of);
        let changed = ours.is_some() && replicas_of(live) != ours;
        if changed && let Some(manager) = manager_of_replicas(live) {
            remembered
                .foreign
                .note(observed.now, live.metadata.generation, manager);
        }
        let manager = remembered.foreign.recent(observed.now)?;
        let message =
            format!("`{manager}` writes the replicas of the Deployment; they are put back");
        Some((Reason::ForeignWriter, message))
    })
}

/// The replicas that stand, while an autoscaler targets the Deployment: two writers in turn would
/// make pods come and go, so ours waits and says so (F26).
pub(super) fn yielded(standing: &Standing, observed: &Observed) -> Option<i32> {
    let (reason, _) = standing.foreign_writer.as_ref()?;
    let live = observed
        .deployment
        .as_deref()
        .filter(|_| *reason == Reason::AutoscalerTargets)?;
    replicas_of(live)
}

/// Replicas a Deployment asks for.
pub fn replicas_of(deployment: &Deployment) -> Option<i32> {
    deployment.spec.replicas
}

fn manager_of_replicas(deployment: &Deployment) -> Option<String> {
    let fields = deployment.metadata.managed_fields.as_ref()?;
    let writes_replicas =
        |one: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
            one.fields_v1
                .as_ref()
                .is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
        };
    let others = fields
        .iter()
        .filter(|one| one.manager.as_deref() != Some(FIELD_MANAGER));
    others
        .filter(writes_replicas)
        .find_map(|one| one.manager.clone())
}

fn autoscaler_of(ctx: &Context, key: &ClusterKey) -> Option<String> {
    let targets = |one: &HorizontalPodAutoscaler| {
        let target = &one.spec.scale_target_ref;
        one.namespace().as_deref() == Some(&key.namespace)
            && matches!(target.kind.as_str(), "Deployment" | "PaymentCluster")
            && target.name == key.name
    };
    ctx.autoscalers
        .state()
        .into_iter()
        .find(|one| targets(one))
        .map(|one| one.name_any())
}
