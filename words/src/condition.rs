//! Types of the conditions, and how the message of one of them ends.

use crate::named::named;

/// How the message of [`ConditionType::Accepted`] ends while the spec is refused and the last valid
/// one is acted on. Without it nothing is decided for the object.
pub const LAST_VALID_HOLDS: &str = "the last valid spec holds";

named! {
    /// Types of the conditions on a `PaymentCluster` and a `SaleEvent`.
    pub enum ConditionType {
        /// True when none of the conditions it sums up is False: `Accepted`, `WorkloadAvailable`,
        /// `SignalsFresh`, `ForecastTrusted`, `CapacitySufficient`, `PlanMet`. False with the reason
        /// and message of the first one that is False. Unknown before the first decision.
        Ready,
        /// True when the spec is valid and every Secret key it refers to exists. False stops
        /// planning; what runs keeps running.
        Accepted,
        /// True when at least `scaling.min` pods are Ready and no rollout is stuck.
        WorkloadAvailable,
        /// True when a valid load sample is younger than `traffic.stalenessSeconds`. While False,
        /// replicas are not decreased.
        SignalsFresh,
        /// True when the forecast's live error is within `forecast.errorPercentMax` and not clearly
        /// above that of seasonal naive, or `forecast.mode` is Off. Unknown while there is too
        /// little history. While not True, the forecast makes no bid.
        ForecastTrusted,
        /// True when the warm capacity at `scaling.max`, and within the quotas and, with
        /// `scaling.nodes: Fixed`, the room on the nodes, holds the load expected within the lead
        /// time.
        CapacitySufficient,
        /// True when the Ready and warm pods are at least the plan, or the lead time still allows
        /// it. With `scaling.mode: Recommend` the plan is what people and their overrides ask for.
        PlanMet,
        /// True while a degradation level above Normal is in force or imposed.
        Degraded,
        /// True while an override annotation is in force.
        Overridden,
        /// True while somebody else writes the replicas of the Deployment, or a
        /// `HorizontalPodAutoscaler` targets it.
        ScaleConflict,
        /// Of a sale. True when nothing blocks its plan: `scaling.max`, quotas, nodes, overrides and
        /// mode, and from ten minutes before each T0 pods that will be late. Unknown until 24 hours
        /// before T0.
        Prepared,
        /// True while windows declared by the annotation `floodgate.dev/mask-history` are left out
        /// of the forecast's history. Unknown while one of them cannot be read; the others hold.
        HistoryMasked,
        /// True while the pause annotation stops scaling, degradation or both.
        Paused,
    }
}
