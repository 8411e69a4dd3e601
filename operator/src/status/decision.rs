//! The record of a decision, as the status shows it. Pure.

use floodgate_api::cluster::decision::{BidRecord, DecisionRecord, GuardRecord};
use floodgate_planner::BidSource;
use floodgate_words::Reason;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{clock::seconds_between, plan::Planned};

/// Seconds between two writes that only move numbers.
pub(super) const NUMBERS_PERIOD_S: f64 = 10.0;

/// The record of the decision; an equal one keeps its time and its text, also where the load in
/// them has moved.
pub(super) fn decision_record(
    planned: &Planned,
    before: Option<DecisionRecord>,
    now: Timestamp,
) -> DecisionRecord {
    let decision = &planned.decision;
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let mut bids: Vec<BidRecord> = decision
        .bids
        .iter()
        .filter_map(|bid| {
            let muted = bid
                .muted
                .map(|why| format!(", muted: {why}"))
                .unwrap_or_default();
            let detail = if bid.detail.is_empty() { "" } else { ": " };
            let reason = format!("{}{detail}{}{muted}", bid.reason, bid.detail);
            Some(BidRecord {
                source: source_of(bid.source, bid.reason).to_owned(),
                replicas: count(bid.replicas?),
                reason: short(&reason, 256),
            })
        })
        .collect();
    bids.sort_by_key(|bid| std::cmp::Reverse(bid.replicas));
    let guards = decision.guards.iter().map(|guard| GuardRecord {
        guard: short(guard.reason.as_str(), 32),
        from: count(guard.from),
        to: count(guard.to),
        reason: guard.reason.as_str().to_owned(),
    });
    let winner = decision
        .bids
        .iter()
        .find(|bid| bid.source == decision.winner);
    let winner = winner.map_or("Hold", |bid| source_of(bid.source, bid.reason));
    let record = DecisionRecord {
        time: Time(now),
        from: count(decision.replicas_before.unwrap_or(0)),
        to: count(decision.replicas),
        winner: winner.to_owned(),
        reason: decision.reason().as_str().to_owned(),
        explain: short(&decision.explain, 512),
        bids,
        guards: guards.collect(),
    };
    match before {
        // The same decision keeps its time and what it began from; its numbers move on.
        Some(before) if same_decision(&before, &record) => DecisionRecord {
            time: before.time,
            from: before.from,
            winner: before.winner,
            reason: before.reason,
            ..record
        },
        _ => record,
    }
}

/// Whether two records say the same: result, winner and reason. Where the result stays, winner and
/// reason may take turns every second as the load varies; that is written once in ten seconds.
fn same_decision(before: &DecisionRecord, after: &DecisionRecord) -> bool {
    // After a change has been carried out `from` is what `to` was; that is no new decision.
    let carried_out = after.from == before.to && after.to == before.to;
    let same_change = before.from == after.from && before.to == after.to;
    let same_words = before.winner == after.winner && before.reason == after.reason;
    let lately = seconds_between(before.time.0, after.time.0) < NUMBERS_PERIOD_S;
    (carried_out || same_change) && (same_words || lately)
}

fn source_of(source: BidSource, reason: Reason) -> &'static str {
    match source {
        BidSource::Reactive if matches!(reason, Reason::BurstLoad | Reason::RisingLoad) => "Burst",
        BidSource::Reactive => "Reactive",
        BidSource::Forecast => "Forecast",
        BidSource::Sale => "Sale",
        BidSource::Override => "Override",
        BidSource::Hold => "Hold",
    }
}
