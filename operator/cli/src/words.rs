//! Reasons in plain words, and what to do about them.
//!
//! A reason this page does not know is shown as it is: an older plugin still serves a newer
//! operator.

/// What a bid, guard or level reason means; nothing for one that is not known.
pub fn meaning(reason: &str) -> &'static str {
    match reason {
        "CurrentLoad" => "the load of the last minute",
        "BurstLoad" => "the load of the last 6 s, higher than that of the last minute",
        "ForecastLoad" => "the forecast's upper quantile within the lead time",
        "ForecastCapped" => "the forecast, cut to a multiple of the load ever seen",
        "ErrorAboveGate" => "the forecast was too far off lately to bid",
        "WorseThanNaive" => "the forecast does worse than last week's load and does not bid",
        "ColdStart" => "less than a day of history; it does not bid",
        "ForecastShadow" => "published only: `forecast.mode` is Shadow",
        "ForecastOff" => "`forecast.mode` is Off",
        "SalePrescale" => "a sale phase begins within the lead time",
        "SaleRunning" => "a sale phase runs",
        "ReplicasPinned" => "an override pins the replicas",
        "ReplicasFloor" => "an override demands at least so many",
        "Held" | "HeldAfterRestart" | "HeldAfterTakeover" | "HeldAfterHistoryLoss" => {
            "the present count is kept until fresh load was seen"
        }
        "ScaledByHand" => "a person scaled during a sale; a floor until it ends",
        "NewPodsNotReady" => {
            "the pods of the last raise did not become Ready, so it was taken back"
        }
        "ErrorsRose" => "errors rose with the pods of the last raise, so it was taken back",
        "PodsDegraded" => "half of the pods took it by themselves",
        "SignalNotFresh" => "no fresh load, so no decrease",
        "SaleWindow" => "a sale is near or runs, so no decrease below its plan",
        "Stabilising" => "the need has not stayed lower for long enough",
        "ScaleDownStep" => "replicas fall no faster than `scaling.scaleDown` allows",
        "ScaleUpStep" => "replicas rise no faster than this",
        "QuotaExceeded" => "the quota of the namespace admits no more",
        "PodsUnschedulable" => "pods that find no node are not asked for again",
        "Paused" => "an override paused scaling",
        "OverrideConflict" => "overrides contradict each other; the one that keeps more pods holds",
        "ReplicasCeiling" => "an override allows at most so many",
        "AtMinimum" => "`scaling.min`",
        "AtMaximum" => "`scaling.max`",
        "LoadFits" => "the load fits",
        "WarmCapacityShort" => "warm pods cannot hold the load expected within the lead time",
        "LoadAboveMaximum" => "the load is more than `scaling.max` pods can hold",
        "LevelDwell" => "the load fits again, and has not for long enough",
        "LevelHeld" => "kept, because there is no valid load",
        "LevelFloorOverride" | "LevelPinned" => "an override demands it",
        "DegradationPaused" => "an override paused degradation",
        _ => "",
    }
}

/// What a person does about a condition that is not as it should be. `<namespace>` and `<name>` stand
/// for the object it is about.
pub fn remedy(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "SecretNotFound" | "SecretKeyNotFound" | "InvalidSecretValue" => {
            "create or mend the Secret; until then replicas stay as they are, overrides included"
        }
        "InvalidSpec" | "Malformed" => "correct the spec; until then replicas stay as they are",
        "NameTaken" => "rename one of the two objects",
        "PodsNotReady" | "RolloutStuck" => {
            "look at the pods: `kubectl get pods -n <namespace> -l floodgate.dev/cluster=<name>`, then `kubectl describe pod`"
        }
        "PodsUnschedulable" => "add nodes, or free room on them",
        "QuotaExceeded" => "raise the ResourceQuota of the namespace",
        "SignalsStale" | "PrometheusUnreachable" | "NoSignals" => {
            "mend Prometheus or its address; nothing is scaled down meanwhile"
        }
        "SeriesMissing" | "QueryShapeInvalid" | "ValueImplausible" => {
            "run `traffic.query` by hand: it must give one number for this cluster"
        }
        "ClockSkew" => "set the clocks of Prometheus and the nodes",
        "WorseThanNaive" => {
            "nothing at once: the forecast makes no bid until it is better than last week's load"
        }
        "InvalidMask" => "correct the annotation `floodgate.dev/mask-history`; the others hold",
        "ErrorAboveGate" => "nothing at once: the forecast makes no bid until it is right again",
        "RefitFailed" => "see the operator's log; the previous model runs on",
        "AtMaximum" => {
            "raise `scaling.max`, or let it pass: the least important work is refused first"
        }
        "PlanLate" => "look at cache and database, and at pods that are not warm",
        "AutoscalerTargets" => {
            "delete the HorizontalPodAutoscaler, or the PaymentCluster's claim on the Deployment"
        }
        "GitOpsWriter" => {
            "take `replicas` out of the repository, or let that tool ignore the field"
        }
        "ScaledByHand" => "nothing: it is a floor until the sale ends",
        "NodesShort" => "add nodes, or free room on them, before the pre-scale begins",
        "OverrideBelowPlan" => "raise or clear the override before the sale",
        "SalePast" => "correct `start` and `end`",
        "PlanRetained" => "correct the SaleEvent; its last plan holds meanwhile",
        "ForeignWriter" => "end the other writer of `replicas` (GitOps, a script, a person)",
        "LoadAboveMaximum" | "WarmCapacityShort" | "LevelDwell" => {
            "nothing at once: payments are served first; more pods or less load end it"
        }
        "PodsDegraded" => "look at the pods' queue delay and CPU; the operator did not impose it",
        "InvalidOverride" | "OverrideLapsed" => {
            "set it anew with `kubectl floodgate override set`, or remove it with `override clear`"
        }
        "UnknownAnnotation" => {
            "`kubectl floodgate override clear` removes it; then set the right one with `override set`"
        }
        "NoClusterMatches" => "correct `clusterSelector`, or label the cluster",
        "LearnFromUnavailable" => "declare `upliftPercent`, or correct `learnFrom`",
        _ => return None,
    })
}
