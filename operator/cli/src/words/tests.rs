//! Every reason of this version is known.

use std::collections::BTreeSet;

use floodgate_api::Reason as Told;
use floodgate_planner::Reason as Decided;

use super::*;

/// Reasons of conditions alone about which there is nothing to do.
const NOTHING_TO_DO: [Told; 19] = [
    Told::Accepted,
    Told::PodsReady,
    Told::SignalsFresh,
    Told::WithinGate,
    Told::WindowsMasked,
    Told::NoMask,
    Told::CapacitySufficient,
    Told::PlanMet,
    Told::Prepared,
    Told::PreflightAhead,
    Told::WarmingUp,
    Told::Normal,
    Told::OverrideActive,
    Told::NotPaused,
    Told::SoleWriter,
    Told::Scheduled,
    Told::Prescaling,
    Told::Running,
    Told::Completed,
];

#[test]
fn every_reason_of_a_decision_has_words() {
    for reason in Decided::ALL {
        assert_ne!(meaning(reason.as_str()), "", "{reason}");
    }
    assert_eq!(meaning("OfANewerOperator"), "");
}

#[test]
fn every_reason_of_a_condition_has_a_remedy_or_needs_none() {
    let decided: Vec<&str> = Decided::ALL.iter().map(|one| one.as_str()).collect();
    // What a bid or a guard says has its words; only some of them stand in a condition, too.
    for reason in Told::ALL
        .iter()
        .filter(|one| !decided.contains(&one.as_str()))
    {
        let needs_none = NOTHING_TO_DO.contains(reason);
        assert_eq!(remedy(reason.as_str()).is_none(), needs_none, "{reason}");
    }
    for reason in [
        "AtMaximum",
        "QuotaExceeded",
        "NodesFull",
        "PrometheusUnreachable",
        "ClockSkew",
    ] {
        assert!(remedy(reason).is_some(), "{reason}");
    }
}

#[test]
fn no_reason_is_told_twice_and_none_that_does_not_exist() {
    let decided: BTreeSet<&str> = Decided::ALL.iter().map(|one| one.as_str()).collect();
    let told: BTreeSet<&str> = Told::ALL.iter().map(|one| one.as_str()).collect();
    for (pages, known) in [
        (&[BIDS, GUARDS, LEVELS][..], decided),
        (&[OF_CLUSTERS, OF_SALES], told),
    ] {
        let mut seen = BTreeSet::new();
        for (reason, _) in pages.iter().copied().flatten() {
            assert!(known.contains(reason), "{reason} does not exist");
            assert!(seen.insert(reason), "{reason} stands twice");
        }
    }
}
