//! What an SRE keeps the operator from. Pure.

use floodgate_words::{ConditionType, Pause, Reason};

use super::verdict::Verdict;
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
    let kept = if planned.decision.notes.contains(&Reason::SalePaused) {
        "; a sale asks for more pods than stand, and the pause holds"
    } else {
        ""
    };
    Verdict::new(kind, true, Reason::Paused, format!("{what}{kept}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        observe::Observed,
        tests::fixtures::{annotated, event, observed, planned_first, sale},
    };

    /// The verdict while a sale of tenfold traffic runs on `running` pods, and `what` is paused.
    fn verdict(running: i32, what: &str) -> Verdict {
        let hours = ("2026-11-10T14:00:00Z", "2026-11-10T16:00:00Z");
        let mut sale = sale(hours, &[("rush", "2026-11-10T14:30:00Z")]);
        sale["status"] = json!({ "clusters": [{ "name": "till", "ready": 0, "warm": 0, "phases": [{
            "name": "rush", "t0": "2026-11-10T14:30:00Z", "upliftPercent": 1000,
            "plannedRps": 400, "plannedReplicas": 8, "prescaleStart": "2026-11-10T14:29:00Z"
        }] }] });
        let words = [
            ("pause", what),
            ("override-until", "2026-11-10T15:10:00Z"),
            ("override-reason", "a test"),
        ];
        judged(&Observed {
            sales: vec![event(sale)],
            ..annotated(observed(running, json!({})), &words)
        })
    }

    fn judged(observed: &Observed) -> Verdict {
        paused(&planned_first(observed))
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
