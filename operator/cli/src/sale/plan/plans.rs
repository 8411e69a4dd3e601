//! The plan of a sale, as `-o json` prints it.

use jiff::Timestamp;
use serde::Serialize;

/// The plan of one sale.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SalePlan {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) end: Timestamp,
    /// What is doubtful about what was planned from: an old history, an old saved status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) doubts: Vec<String>,
    /// Local times of the sale that do not exist or come twice, and what is taken for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) remarks: Vec<String>,
    pub(super) clusters: Vec<ClusterPlan>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterPlan {
    pub(super) name: String,
    /// Where the expected load comes from.
    pub(super) baseline: String,
    pub(super) capacity_rps: f64,
    pub(super) lead_seconds: i64,
    pub(super) margin_seconds: u32,
    pub(super) replicas_min: u32,
    pub(super) replicas_max: u32,
    /// Most replicas of all phases.
    pub(super) replicas: u32,
    pub(super) prescale_start: Timestamp,
    pub(super) pod_hours: f64,
    pub(super) pod_hours_above_min: f64,
    pub(super) phases: Vec<PhasePlan>,
}

impl ClusterPlan {
    /// Whether pods are missing: more than the maximum are needed, or some come late.
    pub(super) fn falls_short(&self) -> bool {
        let most = self.replicas_max;
        let short = |phase: &PhasePlan| phase.replicas_needed_most() > most || phase.late.is_some();
        self.phases.iter().any(short)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhasePlan {
    pub(super) name: String,
    pub(super) t0: Timestamp,
    pub(super) end: Timestamp,
    pub(super) uplift_percent: u32,
    /// Load without the sale at T0; absent where the operator published the
    /// plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline_rps: Option<f64>,
    pub(super) expected_rps: f64,
    /// Chance with which the pods hold the load, percent; absent where the operator published it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quantile_percent: Option<u8>,
    pub(super) replicas: u32,
    /// What it would need without a maximum.
    pub(super) replicas_needed: u32,
    pub(super) prescale_start: Timestamp,
    /// Where the plan becomes another later in the phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) later: Vec<StepPlan>,
    /// Pods that cannot be warm at T0 any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) late: Option<Late>,
    /// What other chances would need; none where the operator published the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) chances: Vec<ChancePlan>,
}

/// What is planned from a moment of a phase on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepPlan {
    pub(super) from: Timestamp,
    pub(super) expected_rps: f64,
    pub(super) replicas: u32,
    /// What it would need without a maximum.
    pub(super) replicas_needed: u32,
}

impl PhasePlan {
    /// Pods that are planned for an instant; before T0 those of T0.
    pub(super) fn replicas_at(&self, now: Timestamp) -> u32 {
        let begun = self.later.iter().rev().find(|step| step.from <= now);
        begun.map_or(self.replicas, |step| step.replicas)
    }

    /// Most pods at any moment.
    pub(super) fn replicas_most(&self) -> u32 {
        let later = self.later.iter().map(|step| step.replicas);
        later.fold(self.replicas, u32::max)
    }

    /// Most that would be needed at any moment without a maximum.
    pub(super) fn replicas_needed_most(&self) -> u32 {
        let later = self.later.iter().map(|step| step.replicas_needed);
        later.fold(self.replicas_needed, u32::max)
    }
}

/// What a phase would need to hold the load with some chance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChancePlan {
    pub(super) quantile_percent: u8,
    pub(super) expected_rps: f64,
    /// What it would need without a maximum.
    pub(super) replicas_needed: u32,
}

/// Pods that come after T0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Late {
    /// Planned pods that are not warm.
    pub(super) replicas: u32,
    pub(super) planned: u32,
    /// How long after T0 they are warm when they are created now, seconds.
    pub(super) seconds: i64,
}
