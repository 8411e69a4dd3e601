//! What an SRE keeps the operator from. Pure.

use floodgate_words::{ConditionType, Pause, Reason};

use super::Verdict;
use crate::plan::Planned;

pub(super) fn paused(planned: &Planned) -> Verdict {
    let kind = ConditionType::Paused;
    let Some(pause) = &planned.overrides.overrides.pause else {
        return Verdict::new(kind, false, Reason::NotPaused, "nothing is paused");
    };
    let what = match pause.value {
        Pause::Scaling => "scaling is paused",
        Pause::Degradation => "degradation is paused",
        Pause::All => "scaling and degradation are paused",
    };
    let told = if planned.decision.notes.contains(&Reason::SalePaused) {
        "; a sale asks for more pods than stand, and the pause holds"
    } else {
        ""
    };
    Verdict::new(kind, true, Reason::Paused, format!("{what}{told}"))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use serde_json::json;

    use super::*;
    use crate::{
        observe::Observed,
        plan::{Before, plan, tests::observed},
        validate::validate,
    };

    /// The verdict while a sale of tenfold traffic runs on `running` pods, and `what` is paused.
    fn verdict(running: i32, what: &str) -> Verdict {
        let mut observed = observed(running, json!({}));
        let mut cluster = (*observed.cluster).clone();
        let word = |name: &str, text: &str| (format!("floodgate.dev/{name}"), text.to_owned());
        cluster.metadata.annotations = Some(BTreeMap::from([
            word("pause", what),
            word("override-until", "2026-11-10T15:10:00Z"),
            word("override-reason", "a test"),
        ]));
        observed.cluster = Arc::new(cluster);
        let sale = serde_json::from_value(json!({
            "apiVersion": floodgate_api::API_VERSION,
            "kind": "SaleEvent",
            "metadata": { "name": "midnight", "namespace": "shop" },
            "spec": {
                "clusterSelector": { "names": ["till"] },
                "start": "2026-11-10T14:00:00Z", "end": "2026-11-10T16:00:00Z",
                "phases": [{ "name": "rush", "t0": "2026-11-10T14:30:00Z" }],
                "upliftPercent": 1000
            },
            "status": { "clusters": [{ "name": "till", "ready": 0, "warm": 0, "phases": [{
                "name": "rush", "t0": "2026-11-10T14:30:00Z", "upliftPercent": 1000,
                "plannedRps": 400, "plannedReplicas": 8, "prescaleStart": "2026-11-10T14:29:00Z"
            }] }] }
        }));
        observed.sales = vec![Arc::new(sale.unwrap())];
        judged(&observed)
    }

    fn judged(observed: &Observed) -> Verdict {
        let cluster = validate(&observed.cluster, &observed.secrets).unwrap();
        paused(&plan(observed, &cluster, &Before::default()))
    }

    #[test]
    fn b17_a_pause_that_keeps_a_sale_from_its_pods_says_so() {
        let told = |running, what| {
            let verdict = verdict(running, what);
            assert_eq!(verdict.reason, Reason::Paused);
            verdict.message
        };
        assert_eq!(
            told(4, "all"),
            "scaling and degradation are paused; a sale asks for more pods than stand, and the pause holds"
        );
        assert_eq!(told(8, "scaling"), "scaling is paused");
        assert_eq!(told(4, "degradation"), "degradation is paused");
        assert_eq!(judged(&observed(4, json!({}))).reason, Reason::NotPaused);
    }
}
