//! The pods that exist, beside the number decided, and why the two differ.

use floodgate_api::PaymentCluster;
use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_words::{ConditionType, Reason};
use serde::Serialize;

use crate::line::one_line;
use crate::status::judge::find;

/// The pods that exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentPods {
    pub pods: i32,
    pub ready: i32,
    /// What keeps the decision from being carried out; empty where nothing does.
    pub why: Vec<String>,
}

impl CurrentPods {
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

/// The pods of a cluster, once the operator has counted them.
pub fn of(cluster: &PaymentCluster) -> Option<CurrentPods> {
    let status = cluster.status.as_ref()?;
    let replicas = status.replicas?;
    let mut why = Vec::new();
    if cluster.spec.scaling.mode == ScalingMode::Recommend {
        why.push("the number is only recommended, `scaling.mode` is Recommend".to_owned());
    }
    let obstacles = [
        // While the spec is refused, what was decided is of an earlier one, or of long ago.
        (ConditionType::Accepted, "False"),
        (ConditionType::ScaleConflict, "True"),
        (ConditionType::PlanMet, "False"),
    ];
    for (kind, truth) in obstacles {
        let condition = find(&status.conditions, kind).filter(|one| one.status == truth);
        let Some(condition) = condition else { continue };
        // The mode is named above, and a conflict once.
        let named =
            condition.reason == Reason::RecommendOnly.as_str() || why.contains(&condition.message);
        if !named {
            why.push(condition.message.clone());
        }
    }
    Some(CurrentPods {
        pods: replicas.current,
        ready: replicas.ready,
        why,
    })
}
