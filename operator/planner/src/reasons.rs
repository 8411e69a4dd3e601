//! Reason constants: one word for condition, Event and metric label; each of them is a reason of the
//! API, too.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Why a number is what it is. `Display` and serde give the `PascalCase` name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The constant as conditions, Events and metric labels carry it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

reasons! {
    /// The load of the last minute asks for it.
    CurrentLoad,
    /// The rate of the last 6 s is higher than that of the last minute.
    BurstLoad,
    /// The load climbs, and will be there before pods ordered later are.
    RisingLoad,
    /// The upper quantile of the forecast inside the lead time asks for it.
    ForecastLoad,
    /// The forecast was cut to a multiple of the load ever observed.
    ForecastCapped,
    /// The live error of the forecast is too large to bid.
    ErrorAboveGate,
    /// The forecast does worse than last week's load, so it does not bid.
    WorseThanNaive,
    /// Less than a day of history: the usual shape of a day is shown and does not bid.
    ColdStart,
    /// The forecast is published and not asked to bid.
    ForecastShadow,
    /// The forecast is switched off.
    ForecastOff,
    /// There is no forecast.
    ForecastUnavailable,
    /// The history is too short for a forecast.
    InsufficientHistory,
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
    /// Somebody scaled by hand while a sale was near or ran; a floor until it ends.
    ScaledByHand,
    /// No override holds.
    NoOverride,
    /// The present count is kept.
    Held,
    /// Held since the operator restarted.
    HeldAfterRestart,
    /// Held since this operator replica took over.
    HeldAfterTakeover,
    /// Held since the history was lost.
    HeldAfterHistoryLoss,
    /// Nothing was asked yet.
    NoSignals,
    /// The source of the load did not answer.
    PrometheusUnreachable,
    /// The source of the load has no series.
    SeriesMissing,
    /// The newest sample is too old.
    SignalsStale,
    /// The load is NaN, infinite, negative or absurd.
    ValueImplausible,
    /// The query does not give one number per cluster.
    QueryShapeInvalid,
    /// A sample is from the future.
    ClockSkew,
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
    /// Guard: the quota admits no more.
    QuotaExceeded,
    /// Guard: the nodes have no room for more, and none are added.
    NodesFull,
    /// Guard: pods that cannot be placed are not asked for again.
    PodsUnschedulable,
    /// Guard: the pods of the last raise did not become Ready, so it was taken back.
    NewPodsNotReady,
    /// Guard: errors rose with the pods of the last raise, so it was taken back.
    ErrorsRose,
    /// Guard: an SRE paused scaling.
    Paused,
    /// Guard: an SRE paused scaling while a sale asks for more; the pause holds.
    SalePaused,
    /// Guard: overrides contradict each other; the one that keeps more pods was taken.
    OverrideConflict,
    /// Guard: an SRE demanded at most so many replicas.
    ReplicasCeiling,
    /// Guard: the minimum of the spec.
    AtMinimum,
    /// Guard: the maximum of the spec.
    AtMaximum,
    /// Level: the load fits.
    LoadFits,
    /// Level: warm pods cannot hold the load that is predicted within the lead time.
    WarmCapacityShort,
    /// Level: the load is more than the most replicas can hold.
    LoadAboveMaximum,
    /// Level: half of the pods took it by themselves.
    PodsDegraded,
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
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
