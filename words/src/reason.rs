//! Reasons of conditions, Events, bids, guards and levels, each with its meaning and its remedy.
//!
//! One name everywhere: condition, Event, decision record and metric label carry the same string.
//! A meaning completes "because ..." on one line. A remedy says what a person does about it, or
//! `None` where there is nothing to do; `<namespace>` and `<name>` in it are those of the object.

use crate::named::named;
use crate::remedies::{
    CHECK_PODS, CHECK_SIGNALS, CORRECT_SPEC, FIX_PROMETHEUS, FIX_SECRET, LET_PASS, RUN_QUERY,
    SET_AGAIN, WAIT_FOR_HISTORY,
};

/// Declares [`Reason`]: `Name: "meaning" => remedy,`.
macro_rules! reasons {
    ( $( $name:ident: $meaning:literal => $remedy:expr, )+ ) => {
        named! {
            /// Why something is as it is, in conditions, Events, bids, guards and levels.
            pub enum Reason { $( #[doc = $meaning] $name, )+ }
        }

        impl Reason {
            /// What a person does about it; `None` where there is nothing to do.
            pub const fn remedy(self) -> Option<&'static str> {
                match self { $( Self::$name => $remedy, )+ }
            }
        }
    };
}

reasons! {
    // Accepted
    Accepted: "the object is valid" => None,
    InvalidSpec: "a field holds a value that is not valid" => Some(CORRECT_SPEC),
    InvalidTimeZone: "`timeZone` is not a known IANA time zone"
        => Some("correct `timeZone`; until then nothing new is planned for the sale"),
    Malformed: "the object cannot be read as its own kind" => Some(CORRECT_SPEC),
    SecretNotFound: "a Secret that the spec refers to does not exist" => Some(FIX_SECRET),
    SecretKeyNotFound: "a Secret that the spec refers to lacks the key" => Some(FIX_SECRET),
    InvalidSecretValue: "a Secret key holds no usable address or token" => Some(FIX_SECRET),
    NameTaken: "a Deployment, Service or Secret of this name belongs to another owner"
        => Some("rename one of the two objects"),

    // Workload
    PodsReady: "enough pods are Ready" => None,
    PodsNotReady: "fewer pods are Ready than `scaling.min`" => Some(CHECK_PODS),
    RolloutStuck: "the rollout made no progress within its deadline" => Some(CHECK_PODS),
    PodsUnschedulable: "pods that fit on no node are not requested again"
        => Some("add nodes, or free up room on the existing ones"),
    QuotaExceeded: "the quota of the namespace admits no more pods"
        => Some("raise the ResourceQuota of the namespace"),

    // Signals
    SignalsFresh: "the newest load sample is recent enough" => None,
    SignalsStale: "the newest load sample is too old" => Some(FIX_PROMETHEUS),
    NoSignals: "no load sample has been read yet" => Some(FIX_PROMETHEUS),
    PrometheusUnreachable: "Prometheus does not answer" => Some(FIX_PROMETHEUS),
    SeriesMissing: "Prometheus has no load series of this cluster" => Some(RUN_QUERY),
    QueryShapeInvalid: "the query does not return one number per cluster" => Some(RUN_QUERY),
    ValueImplausible: "the load is NaN, infinite, negative or implausibly high"
        => Some(RUN_QUERY),
    ClockSkew: "the clocks of Prometheus and the operator differ"
        => Some("synchronize the clocks of Prometheus and the nodes"),

    // Forecast
    WithinGate: "the live error of the forecast is within `forecast.errorPercentMax`" => None,
    ErrorAboveGate: "the live error of the forecast is above `forecast.errorPercentMax`"
        => Some("nothing for now: the forecast makes no bid until its error is low again"),
    WorseThanNaive: "the live error of the forecast is clearly above that of last week's load"
        => Some("nothing for now: the forecast makes no bid until it beats last week's load"),
    InsufficientHistory: "the history is too short for a forecast" => Some(WAIT_FOR_HISTORY),
    ColdStart: "with less than a day of history, a typical day is shown and makes no bid"
        => Some(WAIT_FOR_HISTORY),
    WindowsMasked: "declared windows are left out of the history" => None,
    NoMask: "no window is declared" => None,
    InvalidMask: "a declared window cannot be read"
        => Some("correct the annotation `floodgate.dev/mask-history`; valid windows stay in force"),
    ForecastOff: "`forecast.mode` is Off" => None,
    RefitFailed: "the last fit of the forecast failed"
        => Some("check the operator's log; the previous model stays in use"),

    // Capacity and plan
    CapacitySufficient: "the expected load fits" => None,
    AtMaximum: "`scaling.max` allows no more pods"
        => Some("raise `scaling.max`, or accept that the least important work is refused first"),
    NewPodsNotReady: "the pods of the last scale-up did not become Ready, so it was reverted"
        => Some("check the newest pods: `kubectl get pods -n <namespace> -l floodgate.dev/cluster=<name> --sort-by=.metadata.creationTimestamp`"),
    ErrorsRose: "errors rose with the pods of the last scale-up, so it was reverted"
        => Some("check the newest pods and what all pods share: database, cache, acquirers"),
    PlanMet: "the planned pods are Ready and warm" => None,
    Prepared: "nothing blocks the plan of the sale" => None,
    PreflightAhead: "the plan of the sale is checked from 24 hours before T0" => None,
    NodesShort: "the nodes have no room for the planned pods, unless more are added"
        => Some("add nodes, or free up room on the existing ones, before the pre-scale begins"),
    NodesFull: "the nodes have no room for more pods, and `scaling.nodes` is Fixed"
        => Some("add nodes, or free up room on the existing ones"),
    OverrideBelowPlan: "an override holds fewer pods than the plan of the sale"
        => Some("raise or clear the override before the sale"),
    WarmingUp: "pods of the plan are still starting or warming up, in time" => None,
    PlanLate: "T0 comes before the missing pods can be warm"
        => Some("check cache and database, and the pods that are not warm"),

    // Degradation
    Normal: "no degradation level is in force" => None,
    PodsDegraded: "pods took the level by themselves"
        => Some("check the pods' queue delay and CPU; the operator did not impose the level"),

    // Overrides
    OverrideActive: "an override is in force" => None,
    OverrideLapsed: "an override has reached its end" => Some(SET_AGAIN),
    NoOverride: "no override is in force" => None,
    InvalidOverride: "an override is refused" => Some(SET_AGAIN),
    UnknownAnnotation: "Floodgate knows no annotation of this name"
        => Some("remove it with `kubectl floodgate override clear`, then set the right one with `override set`"),
    OverrideConflict: "overrides contradict each other; the one that keeps more pods holds"
        => Some("clear one of them: `kubectl floodgate override clear <name> -n <namespace>`"),
    OverrideClamped: "an override is moved to the nearest bound of the spec"
        => Some("nothing if the bound will do; otherwise change `scaling.min` or `scaling.max`"),
    Paused: "an override pauses it"
        => Some("nothing: the pause ends by itself; `kubectl floodgate override clear <name> pause -n <namespace>` ends it now"),
    NotPaused: "nothing is paused" => None,
    RecommendOnly: "`scaling.mode` is Recommend: decisions are published, not applied"
        => Some("set `scaling.mode: Enforce` to apply decisions"),

    // Conflicts
    AutoscalerTargets: "a `HorizontalPodAutoscaler` targets the Deployment"
        => Some("delete the `HorizontalPodAutoscaler`, or point it at another workload"),
    ForeignWriter: "something else writes the replicas"
        => Some("stop the other writer of `replicas` (a script, a controller, a person)"),
    GitOpsWriter: "a tool that follows a repository, such as Argo CD or Flux, writes the replicas"
        => Some("remove `replicas` from the repository, or let the tool ignore the field"),
    ScaledByHand: "a person scaled during a sale; that count is a floor until the sale ends"
        => Some("nothing: the count is a floor until the sale ends"),
    SoleWriter: "nobody else writes the replicas" => None,

    // Bids, guards and levels of a decision, and why there is no number
    CurrentLoad: "the load of the last minute" => None,
    BurstLoad: "the load of the last 6 s, higher than that of the last minute" => None,
    RisingLoad: "the load is climbing and will be there before pods ordered later are" => None,
    SalePaused: "an override pauses scaling while a sale asks for more; the pause holds"
        => Some("`kubectl floodgate override clear <name> pause -n <namespace>` lets the sale have its pods"),
    ForecastLoad: "the upper quantile of the forecast within the lead time" => None,
    ForecastCapped: "the forecast, capped at a multiple of the highest load ever seen"
        => Some("where an outage or a load test caused it, mask its window: annotation `floodgate.dev/mask-history`"),
    ForecastShadow: "`forecast.mode` is Shadow: the forecast makes no bid" => None,
    ForecastUnavailable: "there is no forecast"
        => Some("check the condition `ForecastTrusted` and the operator's log"),
    SalePrescale: "a sale phase begins within the lead time" => None,
    SaleRunning: "a sale phase is running" => None,
    NoSale: "no sale phase is near" => None,
    SaleBaselineUnknown: "a sale is near, and neither forecast nor load gives the baseline that it multiplies"
        => Some("fix Prometheus, or hold enough pods with an override `floor-replicas`"),
    ReplicasPinned: "an override pins the replicas, whatever others ask for" => None,
    ReplicasFloor: "an override demands at least this many replicas" => None,
    Held: "nothing asks for a number, so the current count is kept" => None,
    HeldAfterRestart: "the operator restarted: the current count is kept until fresh load is seen"
        => None,
    HeldAfterTakeover: "another operator pod took over: the current count is kept until fresh load is seen"
        => None,
    HeldAfterHistoryLoss: "the history was lost: the current count is kept until fresh load is seen"
        => None,
    CapacityInvalid: "the capacity of a pod is not a positive number"
        => Some("correct `scaling.capacityRps`"),
    SignalNotFresh: "there is no fresh load, so no scale-down" => Some(CHECK_SIGNALS),
    SaleWindow: "a sale is near or running, so no scale-down below its plan" => None,
    Stabilising: "the need has not been lower for long enough" => None,
    ScaleDownStep: "replicas fall no faster than `scaling.scaleDown` allows" => None,
    ScaleUpStep: "replicas rise no faster than the limit of one step" => None,
    ReplicasCeiling: "an override allows at most this many replicas" => None,
    AtMinimum: "`scaling.min` allows no fewer pods" => None,
    LoadFits: "the load fits" => None,
    WarmCapacityShort: "warm pods cannot hold the load expected within the lead time"
        => Some(LET_PASS),
    LoadAboveMaximum: "the load is more than `scaling.max` pods can hold" => Some(LET_PASS),
    LevelDwell: "the load fits again, but not yet for long enough" => Some(LET_PASS),
    LevelHeld: "the level is kept, because there is no valid load" => Some(CHECK_SIGNALS),
    LevelFloorOverride: "an override demands at least this level" => None,
    LevelPinned: "an override demands exactly this level" => None,
    DegradationPaused: "an override pauses degradation" => None,

    // Sales
    NoClusterMatches: "the selector of the sale matches no cluster"
        => Some("correct `clusterSelector`, or label the cluster"),
    LearnFromUnavailable: "a sale named in `learnFrom` does not exist or has not ended"
        => Some("declare `upliftPercent`, or correct `learnFrom`"),
    SalePast: "the sale was over before it was declared" => Some("correct `start` and `end`"),
    PlanRetained: "the running sale was edited into something invalid; its last plan holds"
        => Some("correct the SaleEvent; its last plan holds until then"),
    Scheduled: "the sale is ahead" => None,
    Prescaling: "pods are being added ahead of T0" => None,
    Running: "a phase is running" => None,
    Completed: "the sale is over and its report is available" => None,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Reason;

    #[test]
    fn reasons_are_unique_pascal_case_and_found_by_name() {
        let mut names = BTreeSet::new();
        for reason in Reason::ALL {
            let name = reason.as_str();
            assert!(names.insert(name), "{name}");
            assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
            assert_eq!(Reason::from_name(name), Some(*reason));
        }
        assert_eq!(Reason::from_name("OfANewerOperator"), None);
    }

    #[test]
    fn meanings_and_remedies_are_phrases_of_one_line() {
        for reason in Reason::ALL {
            for text in [Some(reason.meaning()), reason.remedy()]
                .into_iter()
                .flatten()
            {
                assert!(!text.is_empty() && text == text.trim(), "{reason}: {text}");
                assert!(
                    !text.ends_with('.') && !text.contains('\n'),
                    "{reason}: {text}"
                );
            }
        }
    }
}
