//! An explanation for a person: the decision in a sentence, every bid, every guard, the numbers.

use std::fmt::Write;

use floodgate_api::cluster::decision::DecisionRecord;
use floodgate_words::{Level, Reason};

use super::Explanation;
use super::history::Told;
use super::silent::Silent;
use crate::line::one_line;
use crate::moment::{Moment, span};
use crate::paint::Paint;
use crate::status::{Weight, points};
use crate::table::Table;

/// What the operator writes between the reason of a bid and why it does not count.
const MUTED: &str = ", muted: ";

/// The explanation for a person.
pub(super) fn page(one: &Explanation, moment: &Moment, paint: Paint) -> String {
    let mut text = String::new();
    let name = paint.heading(&one.name);
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
            paint.wrong("nothing was decided yet; `kubectl floodgate status` tells why"),
        ),
    };
    points(&mut text, &one.age, Weight::Note, moment, paint);
    text.push('\n');
    if let Some(decision) = &one.decision {
        let _ = writeln!(
            text,
            "{}\n{}",
            bids(decision, &one.silent),
            guards(decision)
        );
    }
    let _ = writeln!(text, "{}", numbers(one));
    if let Some(missing) = &one.events_missing {
        let _ = writeln!(
            text,
            "{}",
            paint.note(&format!("Without earlier Events: {missing}"))
        );
    }
    if !one.events.is_empty() {
        let _ = write!(text, "\n{}", events(&one.events, moment));
    }
    text
}

fn bids(decision: &DecisionRecord, silent: &[Silent]) -> String {
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
        table.row(vec![
            bid.source.clone(),
            bid.replicas.to_string(),
            format!("{}{wins}", in_words(&bid.reason)),
        ]);
    }
    if decision.bids.is_empty() {
        table.row(vec![
            "none".to_owned(),
            String::new(),
            in_words(&decision.reason),
        ]);
    }
    for Silent { source, why } in silent {
        let why = format!("no bid: {why}");
        table.row(vec![(*source).to_owned(), String::new(), why]);
    }
    table.render(0)
}

fn guards(decision: &DecisionRecord) -> String {
    if decision.guards.is_empty() {
        return "No guard changed the number.\n".to_owned();
    }
    let mut table = Table::new(&["GUARD", "FROM -> TO", "WHY"]);
    for guard in &decision.guards {
        table.row(vec![
            guard.guard.clone(),
            format!("{} -> {}", guard.from, guard.to),
            told_once(&guard.guard, &guard.reason),
        ]);
    }
    table.render(0)
}

/// The reason of a guard, without its own name when that is all it says.
fn told_once(guard: &str, reason: &str) -> String {
    match meaning(reason) {
        Some(meaning) if guard == reason => meaning.to_owned(),
        _ => in_words(reason),
    }
}

/// `SalePrescale: double-eleven/midnight (a sale phase begins within the lead time)`; of a bid that
/// does not count, why it does not, too.
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

fn numbers(one: &Explanation) -> String {
    let mut lines = Vec::new();
    if let Some(standing) = &one.standing {
        lines.push(format!("Standing    {}", standing.line()));
    }
    lines.push(match one.load_rps {
        Some(load_rps) => format!("Load        {load_rps} req/s"),
        None => "Load        not known".to_owned(),
    });
    if let Some(capacity) = &one.capacity {
        let source = match capacity.samples {
            Some(samples) => format!("learned from {samples} measurements"),
            None => "declared".to_owned(),
        };
        lines.push(format!(
            "Capacity    {} req/s per warm pod ({source})",
            capacity.rps
        ));
    }
    if let Some(lead) = &one.lead_time {
        let seconds = |seconds: i32| span(i64::from(seconds));
        lines.push(match lead.samples {
            0 => format!("Lead time   {} (declared)", seconds(lead.seconds)),
            pods => format!(
                "Lead time   {} (p99 of {pods} pods: {} to Ready, of which {} warm-up)",
                seconds(lead.seconds),
                seconds(lead.ready_seconds),
                seconds(lead.warm_seconds),
            ),
        });
    }
    if let Some(level) = &one.level {
        let imposed = match level.pinned.unwrap_or(level.floor) {
            Level::Normal => "nothing imposed".to_owned(),
            imposed => format!("{imposed} imposed"),
        };
        lines.push(format!(
            "Level       {}, {imposed}: {}",
            level.current,
            in_words(&level.reason)
        ));
    }
    lines.join("\n")
}

fn events(events: &[Told], moment: &Moment) -> String {
    let mut table = Table::new(&["WHEN", "EVENT", "WHAT"]);
    for told in events {
        let count = if told.count > 1 {
            format!(" ({} times)", told.count)
        } else {
            String::new()
        };
        table.row(vec![
            moment.relative(told.time),
            told.reason.clone(),
            format!("{}{count}", told.message),
        ]);
    }
    table.render(0)
}
