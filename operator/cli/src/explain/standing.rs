//! The pods that stand beside the number decided, and why the two differ.

use floodgate_api::PaymentCluster;
use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_words::{ConditionType, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;

use crate::line::one_line;

/// The pods that stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Pods that exist.
    pub pods: i32,
    /// Of these, Ready.
    pub ready: i32,
    /// What keeps the decision from being what stands; empty where nothing does.
    pub why: Vec<String>,
}

impl Standing {
    /// `2 pods (2 Ready): the number is only recommended, ...`.
    pub fn line(&self) -> String {
        let Self { pods, ready, why } = self;
        let colon = if why.is_empty() { "" } else { ": " };
        format!(
            "{pods} pods ({ready} Ready){colon}{}",
            one_line(&why.join("; "))
        )
    }
}

/// What stands, once the operator has said anything of it.
pub fn of(cluster: &PaymentCluster) -> Option<Standing> {
    let status = cluster.status.as_ref()?;
    let mut why = Vec::new();
    if cluster.spec.scaling.mode == ScalingMode::Recommend {
        why.push("the number is only recommended, `scaling.mode` is Recommend".to_owned());
    }
    let told = [
        // While the spec is refused, what was decided is of an earlier one, or of long ago.
        (ConditionType::Accepted, "False"),
        (ConditionType::ScaleConflict, "True"),
        (ConditionType::PlanMet, "False"),
    ];
    for (kind, truth) in told {
        let held = |one: &&Condition| one.type_ == kind.as_str() && one.status == truth;
        let Some(condition) = status.conditions.iter().find(held) else {
            continue;
        };
        // The mode is told above, and a conflict once.
        let told_already =
            condition.reason == Reason::RecommendOnly.as_str() || why.contains(&condition.message);
        if !told_already {
            why.push(condition.message.clone());
        }
    }
    let replicas = status.replicas?;
    Some(Standing {
        pods: replicas.current,
        ready: replicas.ready,
        why,
    })
}
