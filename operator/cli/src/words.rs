//! Reasons in plain words, and what to do about them.
//!
//! A reason this page does not know is shown as it is: an older plugin still serves a newer
//! operator. Invariant: every reason of this version is known, which the tests hold.

/// A reason and what is said of it.
type Word = (&'static str, &'static str);

/// What reasons of bids mean, and of sources that make none.
const BIDS: &[Word] = &[
    ("CurrentLoad", "the load of the last minute"),
    (
        "BurstLoad",
        "the load of the last 6 s, higher than that of the last minute",
    ),
    (
        "RisingLoad",
        "the load climbs, and will be there before pods ordered later are",
    ),
    (
        "ForecastLoad",
        "the forecast's upper quantile within the lead time",
    ),
    (
        "ForecastCapped",
        "the forecast, cut to a multiple of the load ever seen",
    ),
    ("ErrorAboveGate", "its live error is too large"),
    (
        "WorseThanNaive",
        "its live error is larger than that of last week's load",
    ),
    ("ColdStart", "less than a day of history; it makes no bid"),
    ("ForecastOff", "`forecast.mode` is Off"),
    ("NoSignals", "nothing was asked yet"),
    ("ForecastShadow", "`forecast.mode` lets it make no bid"),
    ("ForecastUnavailable", "there is no forecast"),
    ("InsufficientHistory", "the history is too short"),
    ("SalePrescale", "a sale phase begins within the lead time"),
    ("SaleRunning", "a sale phase runs"),
    ("NoSale", "no sale phase is near"),
    (
        "SaleBaselineUnknown",
        "a sale is near, and neither forecast nor load says what it multiplies",
    ),
    (
        "ReplicasPinned",
        "an override pins the replicas, whatever others ask for",
    ),
    ("ReplicasFloor", "an override demands at least so many"),
    ("NoOverride", "no override holds"),
    (
        "ScaledByHand",
        "a person scaled during a sale; a floor until it ends",
    ),
    (
        "Held",
        "nothing asks for a number, so the present count is kept",
    ),
    (
        "HeldAfterRestart",
        "the operator restarted: the present count is kept until fresh load was seen",
    ),
    (
        "HeldAfterTakeover",
        "another operator pod took over: the present count is kept until fresh load was seen",
    ),
    (
        "HeldAfterHistoryLoss",
        "the history was lost: the present count is kept until fresh load was seen",
    ),
    ("PrometheusUnreachable", "Prometheus does not answer"),
    ("SeriesMissing", "Prometheus holds no load of this cluster"),
    ("SignalsStale", "the newest load is too old"),
    (
        "ValueImplausible",
        "the load is NaN, infinite, negative or absurd",
    ),
    ("QueryShapeInvalid", "the query does not give one number"),
    (
        "ClockSkew",
        "the clocks of Prometheus and the operator differ",
    ),
    (
        "CapacityInvalid",
        "the capacity of a pod is no positive number",
    ),
];

/// What reasons of guards mean.
const GUARDS: &[Word] = &[
    ("SignalNotFresh", "no fresh load, so no decrease"),
    (
        "SaleWindow",
        "a sale is near or runs, so no decrease below its plan",
    ),
    (
        "Stabilising",
        "the need has not stayed lower for long enough",
    ),
    (
        "ScaleDownStep",
        "replicas fall no faster than `scaling.scaleDown` allows",
    ),
    ("ScaleUpStep", "replicas rise no faster than this"),
    ("QuotaExceeded", "the quota of the namespace admits no more"),
    (
        "NodesFull",
        "the nodes hold no more, and `scaling.nodes` is Fixed",
    ),
    (
        "PodsUnschedulable",
        "pods that find no node are not asked for again",
    ),
    (
        "NewPodsNotReady",
        "the pods of the last raise did not become Ready, so it was taken back",
    ),
    (
        "ErrorsRose",
        "errors rose with the pods of the last raise, so it was taken back",
    ),
    ("Paused", "an override paused scaling"),
    (
        "SalePaused",
        "an override paused scaling while a sale asks for more; the pause holds",
    ),
    (
        "OverrideConflict",
        "overrides contradict each other; the one that keeps more pods holds",
    ),
    ("ReplicasCeiling", "an override allows at most so many"),
    ("AtMinimum", "`scaling.min`"),
    ("AtMaximum", "`scaling.max`"),
];

/// What reasons of levels mean.
const LEVELS: &[Word] = &[
    ("LoadFits", "the load fits"),
    (
        "WarmCapacityShort",
        "warm pods cannot hold the load expected within the lead time",
    ),
    (
        "LoadAboveMaximum",
        "the load is more than `scaling.max` pods can hold",
    ),
    ("PodsDegraded", "half of the pods took it by themselves"),
    (
        "LevelDwell",
        "the load fits again, and has not for long enough",
    ),
    ("LevelHeld", "kept, because there is no valid load"),
    ("LevelFloorOverride", "an override demands at least it"),
    ("LevelPinned", "an override demands exactly it"),
    ("DegradationPaused", "an override paused degradation"),
];

/// What a person does about reasons of a cluster.
const OF_CLUSTERS: &[Word] = &[
    ("SecretNotFound", MEND_SECRET),
    ("SecretKeyNotFound", MEND_SECRET),
    ("InvalidSecretValue", MEND_SECRET),
    ("InvalidSpec", CORRECT_SPEC),
    ("Malformed", CORRECT_SPEC),
    ("NameTaken", "rename one of the two objects"),
    ("PodsNotReady", LOOK_AT_PODS),
    ("RolloutStuck", LOOK_AT_PODS),
    (
        "NewPodsNotReady",
        "look at the newest pods: `kubectl get pods -n <namespace> -l floodgate.dev/cluster=<name> --sort-by=.metadata.creationTimestamp`",
    ),
    (
        "ErrorsRose",
        "look at the newest pods, and at what they share: database, cache, an acquirer",
    ),
    ("PodsUnschedulable", "add nodes, or free room on them"),
    ("NodesFull", "add nodes, or free room on them"),
    ("QuotaExceeded", "raise the ResourceQuota of the namespace"),
    ("SignalsStale", MEND_PROMETHEUS),
    ("PrometheusUnreachable", MEND_PROMETHEUS),
    ("NoSignals", MEND_PROMETHEUS),
    ("SeriesMissing", RUN_QUERY),
    ("QueryShapeInvalid", RUN_QUERY),
    ("ValueImplausible", RUN_QUERY),
    ("ClockSkew", "set the clocks of Prometheus and the nodes"),
    (
        "WorseThanNaive",
        "nothing at once: the forecast makes no bid until it is better than last week's load",
    ),
    (
        "ErrorAboveGate",
        "nothing at once: the forecast makes no bid until it is right again",
    ),
    ("InsufficientHistory", AWAIT_HISTORY),
    ("ColdStart", AWAIT_HISTORY),
    (
        "RefitFailed",
        "see the operator's log; the previous model runs on",
    ),
    (
        "InvalidMask",
        "correct the annotation `floodgate.dev/mask-history`; the others hold",
    ),
    (
        "AtMaximum",
        "raise `scaling.max`, or let it pass: the least important work is refused first",
    ),
    ("LoadAboveMaximum", LET_PASS),
    ("WarmCapacityShort", LET_PASS),
    ("LevelDwell", LET_PASS),
    (
        "PodsDegraded",
        "look at the pods' queue delay and CPU; the operator did not impose it",
    ),
    ("InvalidOverride", SET_ANEW),
    ("OverrideLapsed", SET_ANEW),
    (
        "UnknownAnnotation",
        "`kubectl floodgate override clear` removes it; then set the right one with `override set`",
    ),
    (
        "OverrideConflict",
        "clear one of the two: `kubectl floodgate override clear <name> -n <namespace>`",
    ),
    (
        "OverrideClamped",
        "nothing where the bound will do; else change `scaling.min` or `scaling.max`",
    ),
    (
        "Paused",
        "it ends by itself; `kubectl floodgate override clear <name> pause -n <namespace>` ends it now",
    ),
    (
        "RecommendOnly",
        "set `scaling.mode: Enforce` once its numbers are to be carried out",
    ),
    (
        "AutoscalerTargets",
        "delete the HorizontalPodAutoscaler, or the PaymentCluster's claim on the Deployment",
    ),
    (
        "ForeignWriter",
        "end the other writer of `replicas` (GitOps, a script, a person)",
    ),
    (
        "GitOpsWriter",
        "take `replicas` out of the repository, or let that tool ignore the field",
    ),
    ("ScaledByHand", "nothing: it is a floor until the sale ends"),
];

/// What a person does about reasons of a sale.
const OF_SALES: &[Word] = &[
    (
        "InvalidTimeZone",
        "correct `timeZone`; until then nothing new is planned for the sale",
    ),
    (
        "PlanLate",
        "look at cache and database, and at pods that are not warm",
    ),
    (
        "NodesShort",
        "add nodes, or free room on them, before the pre-scale begins",
    ),
    (
        "OverrideBelowPlan",
        "raise or clear the override before the sale",
    ),
    ("SalePast", "correct `start` and `end`"),
    (
        "PlanRetained",
        "correct the SaleEvent; its last plan holds meanwhile",
    ),
    (
        "NoClusterMatches",
        "correct `clusterSelector`, or label the cluster",
    ),
    (
        "LearnFromUnavailable",
        "declare `upliftPercent`, or correct `learnFrom`",
    ),
];

const MEND_SECRET: &str = "create or mend the Secret; an operator that starts before that leaves the replicas as they are, overrides included";
const CORRECT_SPEC: &str = "correct the spec; an operator that starts before that leaves the replicas as they are, overrides included";
const LOOK_AT_PODS: &str = "look at the pods: `kubectl get pods -n <namespace> -l floodgate.dev/cluster=<name>`, then `kubectl describe pod`";
const MEND_PROMETHEUS: &str = "mend Prometheus or its address";
const RUN_QUERY: &str = "run `traffic.query` by hand: it must give one number for this cluster";
const AWAIT_HISTORY: &str =
    "nothing, it comes with time; declare the `upliftPercent` of a sale before then";
const LET_PASS: &str = "nothing at once: payments are served first; more pods or less load end it";
const SET_ANEW: &str =
    "set it anew with `kubectl floodgate override set`, or remove it with `override clear`";

/// What a bid, guard or level reason means; nothing for one that is not known.
pub fn meaning(reason: &str) -> &'static str {
    find(&[BIDS, GUARDS, LEVELS], reason).unwrap_or("")
}

/// What a person does about a condition that is not as it should be. `<namespace>` and `<name>` stand
/// for the object it is about.
pub fn remedy(reason: &str) -> Option<&'static str> {
    find(&[OF_CLUSTERS, OF_SALES], reason)
}

fn find(pages: &[&[Word]], reason: &str) -> Option<&'static str> {
    let mut words = pages.iter().copied().flatten();
    words
        .find(|(name, _)| *name == reason)
        .map(|(_, said)| *said)
}

#[cfg(test)]
mod tests;
