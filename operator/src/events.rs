//! Every Event the operator publishes, made by a constructor each.
//!
//! Events are published on change only; the caller compares before it asks.

use std::collections::HashSet;

use floodgate_planner::{Decision, Direction};
use floodgate_words::{ConditionType as Kind, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};
use sha2::{Digest, Sha256};

use crate::{
    conditions::{Truth, Verdict},
    overrides::Remark,
};

/// Longest note the API takes, in bytes.
const NOTE_BYTES_MAX: usize = 1_000;

/// Repetitions are counted by type, action, reason and object, not by the note; so the action says
/// enough to keep apart what is not the same.
fn event(type_: EventType, reason: Reason, action: &str, note: &str) -> Event {
    let mut note = note.to_owned();
    while note.len() > NOTE_BYTES_MAX {
        note.pop();
    }
    let (reason, action) = (reason.as_str().to_owned(), action.to_owned());
    Event {
        type_,
        reason,
        note: Some(note),
        action,
        secondary: None,
    }
}

/// Replicas were changed, for the reason that status and metric give: that of the last guard, or of
/// the winning bid.
pub fn scaled(decision: &Decision) -> Option<Event> {
    let before = decision.replicas_before?;
    if decision.direction() == Direction::Stay {
        return None;
    }
    let note = format!("{before} -> {}: {}", decision.replicas, decision.explain);
    let action = format!("ScaleTo{}", decision.replicas);
    let reason = decision.reason();
    Some(event(EventType::Normal, reason, &action, &note))
}

/// A condition flipped. None for the sum, whose parts have Events, and for what a remark about an
/// annotation says.
pub fn condition(verdict: &Verdict) -> Option<Event> {
    let remarked = [
        Reason::OverrideLapsed,
        Reason::OverrideConflict,
        Reason::InvalidOverride,
        Reason::UnknownAnnotation,
    ];
    let remarked = verdict.kind == Kind::Overridden && remarked.contains(&verdict.reason);
    if verdict.kind == Kind::Ready || remarked {
        return None;
    }
    let good = good(verdict);
    let type_ = if good {
        EventType::Normal
    } else {
        EventType::Warning
    };
    let note = format!(
        "{} is {}: {}",
        verdict.kind,
        verdict.status.as_str(),
        verdict.message
    );
    let action = format!("Observe{}", verdict.kind);
    Some(event(type_, verdict.reason, &action, &note))
}

/// A sale came into another stage, or does not meet its plan.
pub fn stage(verdict: &Verdict) -> Event {
    let type_ = if good(verdict) {
        EventType::Normal
    } else {
        EventType::Warning
    };
    event(type_, verdict.reason, "RunSale", &verdict.message)
}

/// Conditions that are good news when they are True; of the others, False is.
fn good(verdict: &Verdict) -> bool {
    match verdict.kind {
        Kind::Degraded | Kind::ScaleConflict => verdict.status == Truth::False,
        Kind::Overridden | Kind::Paused => true,
        Kind::HistoryMasked => verdict.status != Truth::Unknown,
        _ => verdict.status != Truth::False,
    }
}

/// Something about an annotation.
pub fn remark(remark: &Remark) -> Event {
    let lapsed = remark.reason == Reason::OverrideLapsed;
    let type_ = if lapsed {
        EventType::Normal
    } else {
        EventType::Warning
    };
    // Series differ by action, not by note: each annotation and each text is news.
    let action = format!("ReadAnnotations{}", text_id(&remark.message));
    event(type_, remark.reason, &action, &remark.message)
}

/// Remarks not yet published; those that no longer apply may be published again later. What the
/// condition says already was published before this process started.
pub(crate) fn new_remarks(
    announced: &mut HashSet<String>,
    remarks: &[Remark],
    before: &[Condition],
) -> Vec<Remark> {
    let said = |remark: &Remark| before.iter().any(|one| one.message == remark.message);
    let now = remarks.iter().map(|remark| remark.message.clone());
    let last = std::mem::replace(announced, now.collect());
    let new = |remark: &&Remark| !last.contains(&remark.message) && !said(remark);
    remarks.iter().filter(new).cloned().collect()
}

/// An object that cannot be acted on.
pub fn refused(reason: Reason, message: &str) -> Event {
    let action = format!("Validate{}", text_id(message));
    event(EventType::Warning, reason, &action, message)
}

/// A short name of a text, the same in every process.
fn text_id(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    format!("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
}
