//! Sources that make no bid, and why: the record of a decision has only those that do.

use floodgate_api::PaymentClusterStatus;
use floodgate_words::{ConditionType, Reason};
use serde::Serialize;

use crate::status::judge::find;

/// A source without a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingBid {
    /// As bids name it.
    pub source: &'static str,
    /// What the operator says of it.
    pub why: String,
}

/// The sources that could have made a bid on the last decision and did not.
pub fn of(status: &PaymentClusterStatus) -> Vec<MissingBid> {
    let Some(decision) = &status.decision else {
        return Vec::new();
    };
    let sources = [
        (
            "Reactive",
            &["Reactive", "Burst"][..],
            ConditionType::SignalsFresh,
        ),
        ("Forecast", &["Forecast"], ConditionType::ForecastTrusted),
    ];
    let missing = sources.into_iter().filter_map(|(source, names, kind)| {
        let mut bids = decision.bids.iter();
        let bids = bids.any(|bid| names.contains(&bid.source.as_str()));
        let condition = find(&status.conditions, kind).filter(|_| !bids)?;
        // With these all is well; the decision is older than they are.
        let well = [Reason::SignalsFresh, Reason::WithinGate];
        let well = well.iter().any(|one| one.as_str() == condition.reason);
        let why = condition.message.clone();
        (!well).then_some(MissingBid { source, why })
    });
    missing.collect()
}
