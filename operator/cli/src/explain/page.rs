//! An explanation for a person: the decision in a sentence, every bid, every guard, the numbers.

use std::fmt::Write;

use floodgate_api::cluster::decision::DecisionRecord;
use floodgate_words::{Level, Reason};

use super::Explanation;
use super::events::PastEvent;
use super::missing::MissingBid;
use crate::colour;
use crate::line::one_line;
use crate::moment::{Moment, span};
use crate::point::{Weight, points};
use crate::table::{Table, titled};

/// What the operator writes between the reason of a bid and why it does not count.
const MUTED: &str = ", muted: ";

/// The explanation for a person.
pub(super) fn page(one: &Explanation, moment: &Moment) -> String {
    let mut text = String::new();
    let name = colour::heading(&one.name);
    // Writing to a String cannot fail.
    let _ = match &one.decision {
        Some(decision) => writeln!(
            text,
            "{name} ({}): {} replicas, decided {} at {}; {} before\n{}",
            one.namespace,
            decision.to,
            moment.relative(decision.time.0),
            moment.instant(decision.time.0),
            decision.from,
            one_line(&decision.explain),
        ),
        None => writeln!(
            text,
            "{name} ({}): {}",
            one.namespace,
            colour::wrong("nothing was decided yet; `kubectl floodgate status` shows why"),
        ),
    };
    points(&mut text, &one.age, Weight::Note, moment);
    text.push('\n');
    if let Some(decision) = &one.decision {
        let _ = writeln!(
            text,
            "{}\n{}",
            bids(decision, &one.missing_bids),
            guards(decision)
        );
    }
    text += &titled(numbers(one));
    if let Some(missing) = &one.events_missing {
        let _ = writeln!(
            text,
            "{}",
            colour::note(&format!("Without earlier Events: {missing}"))
        );
    }
    if !one.events.is_empty() {
        let _ = write!(text, "\n{}", events(&one.events, moment));
    }
    text
}

fn bids(decision: &DecisionRecord, missing: &[MissingBid]) -> String {
    let mut table = Table::new(&["BID", "REPLICAS", "WHY"]);
    let winner = decision
        .bids
        .iter()
        .position(|bid| bid.source == decision.winner);
    for (index, bid) in decision.bids.iter().enumerate() {
        let wins = if winner == Some(index) {
            " <- wins"
        } else {
            ""
        };
        table.row([
            bid.source.clone(),
            bid.replicas.to_string(),
            format!("{}{wins}", in_words(&bid.reason)),
        ]);
    }
    if decision.bids.is_empty() {
        table.row(["none".to_owned(), String::new(), in_words(&decision.reason)]);
    }
    for MissingBid { source, why } in missing {
        let why = format!("no bid: {why}");
        table.row([(*source).to_owned(), String::new(), why]);
    }
    table.render()
}

fn guards(decision: &DecisionRecord) -> String {
    if decision.guards.is_empty() {
        return "No guard changed the number.\n".to_owned();
    }
    let mut table = Table::new(&["GUARD", "FROM -> TO", "WHY"]);
    for guard in &decision.guards {
        table.row([
            guard.guard.clone(),
            format!("{} -> {}", guard.from, guard.to),
            without_name(&guard.guard, &guard.reason),
        ]);
    }
    table.render()
}

/// The reason of a guard, without its own name when that is all it says.
fn without_name(guard: &str, reason: &str) -> String {
    match meaning(reason) {
        Some(meaning) if guard == reason => meaning.to_owned(),
        _ => in_words(reason),
    }
}

/// `SalePrescale: double-eleven/midnight (a sale phase begins within the lead time)`; of a bid that
/// does not count, also why.
fn in_words(reason: &str) -> String {
    if let Some((bid, muted)) = reason.rsplit_once(MUTED)
        && meaning(muted).is_some()
    {
        return format!("{}; not counted: {}", in_words(bid), in_words(muted));
    }
    let known = reason.split(':').next().unwrap_or(reason);
    match meaning(known) {
        Some(meaning) => format!("{reason} ({meaning})"),
        None => reason.to_owned(),
    }
}

/// What a reason means; none for one that only a newer operator knows, which is shown as it is.
fn meaning(reason: &str) -> Option<&'static str> {
    Reason::from_name(reason).map(Reason::meaning)
}

/// What the decision was made from, a title each.
fn numbers(one: &Explanation) -> Vec<(&'static str, String)> {
    let current = one.current.as_ref().map(|current| ("Pods", current.line()));
    let load = one.load_rps.map_or("not known".to_owned(), |load_rps| {
        format!("{load_rps} req/s")
    });
    let capacity = one.capacity.as_ref().map(|capacity| {
        let source = match capacity.samples {
            Some(samples) => format!("learned from {samples} measurements"),
            None => "declared".to_owned(),
        };
        let line = format!("{} req/s per warm pod ({source})", capacity.rps);
        ("Capacity", line)
    });
    let lead = one.lead_time.as_ref().map(|lead| {
        let seconds = |seconds: i32| span(i64::from(seconds));
        let line = match lead.samples {
            0 => format!("{} (declared)", seconds(lead.seconds)),
            pods => format!(
                "{} (p99 of {pods} pods: {} to Ready, of which {} warm-up)",
                seconds(lead.seconds),
                seconds(lead.ready_seconds),
                seconds(lead.warm_seconds),
            ),
        };
        ("Lead time", line)
    });
    let level = one.level.as_ref().map(|level| {
        let imposed = match level.pinned.unwrap_or(level.floor) {
            Level::Normal => "nothing imposed".to_owned(),
            imposed => format!("{imposed} imposed"),
        };
        let why = in_words(&level.reason);
        ("Level", format!("{}, {imposed}: {why}", level.current))
    });
    let lines = current.into_iter().chain([("Load", load)]);
    lines.chain(capacity).chain(lead).chain(level).collect()
}

fn events(events: &[PastEvent], moment: &Moment) -> String {
    let mut table = Table::new(&["WHEN", "EVENT", "WHAT"]);
    for event in events {
        let count = if event.count > 1 {
            format!(" ({} times)", event.count)
        } else {
            String::new()
        };
        table.row([
            moment.relative(event.time),
            event.reason.clone(),
            format!("{}{count}", event.message),
        ]);
    }
    table.render()
}
