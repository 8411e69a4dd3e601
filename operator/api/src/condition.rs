//! Condition types and reasons, each once.
//!
//! The same reason string stands in the condition, the Event and the metric label.

use crate::names::named;

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
        /// True when a valid load sample is younger than `traffic.stalenessSeconds`. False means
        /// no decrease of replicas.
        SignalsFresh,
        /// True when the forecast's live error is within the gate and not clearly above that of
        /// seasonal naive, or `forecast.mode` is Off. Unknown while there is too little history. When not True, the forecast makes no bid.
        ForecastTrusted,
        /// True when the warm capacity at `scaling.max`, and within the quotas and, with
        /// `scaling.nodes: Fixed`, the room on the nodes, holds the load expected within the lead time.
        CapacitySufficient,
        /// True when the Ready and warm pods are at least the plan, or the lead time still allows it.
        /// With `scaling.mode` Recommend the plan is what people and their overrides ask for.
        PlanMet,
        /// True while a degradation level above Normal is in force or imposed.
        Degraded,
        /// True while an override annotation is in force. Lapses with it.
        Overridden,
        /// True while somebody else writes the replicas of the Deployment, or a
        /// `HorizontalPodAutoscaler` targets it.
        ScaleConflict,
        /// Of a sale. True when nothing stands in the way of its plan: `scaling.max`, quotas, nodes,
        /// overrides and mode, and from ten minutes before each T0 pods that come late. Unknown until
        /// 24 hours before T0.
        Prepared,
        /// True while windows that the annotation `floodgate.dev/mask-history` declares are left out
        /// of the forecast's history. Unknown while one of them cannot be read; the others hold.
        HistoryMasked,
        /// True while the pause annotation holds scaling, degradation or both.
        Paused,
    }
}

named! {
    /// Reasons of conditions, Events, bids and guards.
    pub enum Reason {
        // Accepted
        /// Nothing to object to.
        Accepted,
        /// A field holds what the schema could not refuse.
        InvalidSpec,
        /// `timeZone` names no zone that is known.
        InvalidTimeZone,
        /// The object cannot be read as its own kind at all.
        Malformed,
        /// A referenced Secret does not exist (yet).
        SecretNotFound,
        /// A referenced Secret lacks the key.
        SecretKeyNotFound,
        /// A referenced Secret key holds no usable address or token.
        InvalidSecretValue,
        /// A Deployment, Service or Secret of that name belongs to somebody else.
        NameTaken,
        // Workload
        /// Enough pods are Ready.
        PodsReady,
        /// Fewer pods are Ready than the least number.
        PodsNotReady,
        /// The rollout made no progress within its deadline.
        RolloutStuck,
        /// Pods cannot be scheduled.
        PodsUnschedulable,
        /// A quota refuses more pods.
        QuotaExceeded,
        // Signals
        /// The newest valid sample is young enough.
        SignalsFresh,
        /// The newest valid sample is too old.
        SignalsStale,
        /// No valid sample was ever seen.
        NoSignals,
        /// Prometheus could not be asked.
        PrometheusUnreachable,
        /// The query returned no series, or none for this cluster.
        SeriesMissing,
        /// The query was refused, or returned something that is not one number per cluster.
        QueryShapeInvalid,
        /// The value is NaN, infinite, negative or beyond belief.
        ValueImplausible,
        /// The clocks of the operator and of Prometheus differ.
        ClockSkew,
        // Forecast
        /// The live error is within the gate.
        WithinGate,
        /// The live error is beyond the gate.
        ErrorAboveGate,
        /// The live error is clearly above that of seasonal naive on the same points.
        WorseThanNaive,
        /// Less history than the model needs.
        InsufficientHistory,
        /// Less than a day of history: the usual shape of a day stands in.
        ColdStart,
        /// Declared windows are left out of the history.
        WindowsMasked,
        /// No window is declared.
        NoMask,
        /// A declared window cannot be read; the message says what is accepted.
        InvalidMask,
        /// The forecast is switched off.
        ForecastOff,
        /// The last refit failed; the previous model still runs, or none does.
        RefitFailed,
        // Capacity and plan
        /// Load fits.
        CapacitySufficient,
        /// The number, or the load expected, is above what `scaling.max` allows.
        AtMaximum,
        /// The pods of the last raise did not become Ready, so it was taken back.
        NewPodsNotReady,
        /// Errors rose with the pods of the last raise, so it was taken back.
        ErrorsRose,
        /// The plan stands, Ready and warm.
        PlanMet,
        /// Nothing stands in the way of the plan of a sale.
        Prepared,
        /// The check of a sale's plan against quota and nodes lies ahead.
        PreflightAhead,
        /// The nodes there are have no room for the pods of the plan; more may be added.
        NodesShort,
        /// The nodes have no room for more pods, and `scaling.nodes` is Fixed.
        NodesFull,
        /// An override holds fewer pods than the plan of a sale.
        OverrideBelowPlan,
        /// Pods of the plan are still starting or warming, in time.
        WarmingUp,
        /// T0 is nearer than the missing pods can be warm.
        PlanLate,
        // Degradation
        /// No level is in force.
        Normal,
        /// Pods degraded on their own, or half of them did.
        PodsDegraded,
        // Overrides
        /// An override is in force.
        OverrideActive,
        /// An override ended by its own time.
        OverrideLapsed,
        /// Nobody overrides.
        NoOverride,
        /// An override was refused; the message says why.
        InvalidOverride,
        /// An annotation under our prefix is not one of ours.
        UnknownAnnotation,
        /// Two overrides contradict each other; the safer one holds.
        OverrideConflict,
        /// An override asked for more or less than the spec allows and was moved to the bound.
        OverrideClamped,
        /// The pause annotation holds the operator's hand.
        Paused,
        /// Nothing is paused.
        NotPaused,
        /// `scaling.mode` is Recommend: decisions are published, not applied.
        RecommendOnly,
        // Conflicts
        /// A `HorizontalPodAutoscaler` targets the Deployment.
        AutoscalerTargets,
        /// Another manager wrote the replicas.
        ForeignWriter,
        /// A tool that follows a repository (`GitOps`) wrote the replicas.
        GitOpsWriter,
        /// A person wrote the replicas; during a sale that is a floor until it ends.
        ScaledByHand,
        /// Nobody else scales.
        SoleWriter,
        // Bids, guards and levels of a decision, and why there is no number
        /// The load of the last minute asks for it.
        CurrentLoad,
        /// The rate of the last 6 s is higher than that of the last minute.
        BurstLoad,
        /// The load climbs, and will be there before pods ordered later are.
        RisingLoad,
        /// Scaling is paused while a sale asks for more; the pause holds.
        SalePaused,
        /// The upper quantile of the forecast inside the lead time asks for it.
        ForecastLoad,
        /// The forecast was cut to a multiple of the load ever observed.
        ForecastCapped,
        /// The forecast is published and not asked to bid.
        ForecastShadow,
        /// There is no forecast.
        ForecastUnavailable,
        /// A sale phase begins within the lead time.
        SalePrescale,
        /// A sale phase runs.
        SaleRunning,
        /// No sale phase is near.
        NoSale,
        /// A sale is near and neither a forecast nor a measured load gives its baseline.
        SaleBaselineUnknown,
        /// An SRE pinned the replicas.
        ReplicasPinned,
        /// An SRE demanded at least so many replicas.
        ReplicasFloor,
        /// The present count is kept.
        Held,
        /// Held since the operator restarted.
        HeldAfterRestart,
        /// Held since this operator replica took over.
        HeldAfterTakeover,
        /// Held since the history was lost.
        HeldAfterHistoryLoss,
        /// The declared capacity is not a positive number.
        CapacityInvalid,
        /// Guard: no fresh valid load, so no decrease.
        SignalNotFresh,
        /// Guard: a sale is near or runs, so no decrease below its plan.
        SaleWindow,
        /// Guard: the need has not stayed lower for long enough.
        Stabilising,
        /// Guard: replicas fall no faster than this.
        ScaleDownStep,
        /// Guard: replicas rise no faster than this.
        ScaleUpStep,
        /// Guard: an SRE demanded at most so many replicas.
        ReplicasCeiling,
        /// Guard: the minimum of the spec.
        AtMinimum,
        /// Level: the load fits.
        LoadFits,
        /// Level: warm pods cannot hold the load that is predicted within the lead time.
        WarmCapacityShort,
        /// Level: the load is more than the most replicas can hold.
        LoadAboveMaximum,
        /// Level: the load fits again, and has not for long enough.
        LevelDwell,
        /// Level: kept, because there is no valid load.
        LevelHeld,
        /// Level: an SRE demanded at least this one.
        LevelFloorOverride,
        /// Level: an SRE demanded exactly this one.
        LevelPinned,
        /// Level: an SRE paused degradation.
        DegradationPaused,
        // Sales
        /// The selector of a sale matches no cluster.
        NoClusterMatches,
        /// A sale named in `learnFrom` does not exist or has not ended.
        LearnFromUnavailable,
        /// The sale was over before it was declared.
        SalePast,
        /// An edit made a running sale invalid; its last plan holds.
        PlanRetained,
        /// The sale lies ahead.
        Scheduled,
        /// Capacity is being put up ahead of T0.
        Prescaling,
        /// A phase runs.
        Running,
        /// The sale is over and its report stands.
        Completed,
    }
}
