//! Replicas to order: the decision, or in mode Recommend what stands. Pure.
//!
//! A recommendation puts nobody's hand back: what stands, stands, whoever set it. An SRE's word
//! holds in this mode too, and lapses: what stood before it is noted on the Deployment by the very
//! write that carries the word out, and stands again afterwards, whichever process lives then.
//! Invariant: pods that a word brought are given back only as far and as fast as the decision would,
//! so that without fresh load none are.

use floodgate_api::annotation::REPLICAS_BEFORE_OVERRIDE;
use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_planner::{Decision, Override, Overrides};
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;

use super::live_replicas;
use crate::{observe::Observed, validate::ValidatedCluster, writers::manager_of_replicas};

/// What is ordered although nothing is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Replicas to apply.
    pub(super) replicas: u32,
    /// What stood before a word moved it, until it stands again.
    pub(super) before_override: Option<u32>,
}

/// What is ordered: the decision, or in mode Recommend what stands under the words in force.
pub(super) fn ordered(
    observed: &Observed,
    cluster: &ValidatedCluster,
    words: &Overrides,
    decision: &Decision,
) -> Kept {
    match cluster.mode {
        ScalingMode::Enforce => Kept {
            replicas: decision.replicas,
            before_override: None,
        },
        ScalingMode::Recommend => {
            let live = live_replicas(observed).unwrap_or(cluster.scaling.replicas_min);
            kept(
                observed.deployment.as_deref(),
                live,
                words,
                decision.replicas,
            )
        }
    }
}

/// What is kept of `live` replicas under the words in force, where `decided` are recommended.
fn kept(deployment: Option<&Deployment>, live: u32, words: &Overrides, decided: u32) -> Kept {
    let value = |word: &Option<Override<u32>>| word.as_ref().map(|word| word.value);
    let stood = deployment.and_then(stood_before).unwrap_or(live);
    let floored = stood.max(value(&words.floor).unwrap_or(0));
    let ceiling = value(&words.ceiling).unwrap_or(u32::MAX);
    let given_back = floored.max(live.min(decided)).min(ceiling);
    let replicas = value(&words.pin).unwrap_or(given_back);
    Kept {
        replicas,
        before_override: (replicas != stood).then_some(stood),
    }
}

/// What the Deployment says that stood before a word moved it; nothing once somebody else has
/// written the replicas, for that is what stands now.
fn stood_before(deployment: &Deployment) -> Option<u32> {
    if manager_of_replicas(deployment).is_some() {
        return None;
    }
    let noted = deployment.annotations().get(REPLICAS_BEFORE_OVERRIDE)?;
    noted.parse().ok()
}

#[cfg(test)]
mod tests;
