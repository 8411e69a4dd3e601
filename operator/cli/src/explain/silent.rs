//! Sources that make no bid at all, and why: the record of a decision has only those that do.

use floodgate_api::PaymentClusterStatus;
use floodgate_words::{ConditionType, Reason};
use serde::Serialize;

use crate::status::judge::find;

/// A source without a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Silent {
    /// As bids name it.
    pub source: &'static str,
    /// In the operator's words.
    pub why: String,
}

/// The sources that could have made a bid on the last decision and did not.
pub fn of(status: &PaymentClusterStatus) -> Vec<Silent> {
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
    let silent = sources.into_iter().filter_map(|(source, names, kind)| {
        let mut bids = decision.bids.iter();
        let bids = bids.any(|bid| names.contains(&bid.source.as_str()));
        let condition = find(status, kind).filter(|_| !bids)?;
        // These say that all is well: the decision is of before.
        let well = [Reason::SignalsFresh, Reason::WithinGate];
        let well = well.iter().any(|one| one.as_str() == condition.reason);
        let why = condition.message.clone();
        (!well).then_some(Silent { source, why })
    });
    silent.collect()
}
