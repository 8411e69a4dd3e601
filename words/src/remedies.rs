//! Remedies that several reasons share.

pub(crate) const FIX_SECRET: &str = "create or fix the Secret; an operator that restarts before then leaves the replicas as they are and applies no override";
pub(crate) const CORRECT_SPEC: &str = "correct the spec; an operator that restarts before then leaves the replicas as they are and applies no override";
pub(crate) const CHECK_PODS: &str = "check the pods: `kubectl get pods -n <namespace> -l floodgate.dev/cluster=<name>`, then `kubectl describe pod`";
pub(crate) const FIX_PROMETHEUS: &str = "fix Prometheus or its address";
pub(crate) const CHECK_SIGNALS: &str = "check the condition `SignalsFresh`";
pub(crate) const RUN_QUERY: &str =
    "run `traffic.query` by hand: it must return one number for this cluster";
pub(crate) const WAIT_FOR_HISTORY: &str =
    "nothing: history accumulates; until then, declare `upliftPercent` for each sale";
pub(crate) const LET_PASS: &str =
    "nothing for now: payments are served first; more pods or less load end it";
pub(crate) const SET_AGAIN: &str =
    "set it again with `kubectl floodgate override set`, or remove it with `override clear`";
