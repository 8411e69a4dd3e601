//! What every override needs: an end, a reason, and perhaps an author.

use std::collections::BTreeMap;

use floodgate_words::Reason;
use jiff::{Timestamp, ToSpan};

use super::{Remark, cut};
use crate::annotation;
use crate::annotation::OVERRIDE_HOURS_MAX;

/// Longest reason and author kept, in characters; the same bounds as in the status schema.
const REASON_CHARS_MAX: usize = 256;
const BY_CHARS_MAX: usize = 128;

/// End, reason and author, shared by all overrides of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When they lapse.
    pub until: Timestamp,
    /// Why they were set.
    pub reason: String,
    /// Who set them, if they said.
    pub by: Option<String>,
}

impl Terms {
    /// End, reason and author, or why no override of this cluster is in force (B27).
    pub(super) fn read(
        annotations: &BTreeMap<String, String>,
        now: Timestamp,
        set_at: Option<Timestamp>,
    ) -> Result<Self, Remark> {
        // A clock that runs ahead of ours must not lengthen what may be asked for.
        let set_at = set_at.map_or(now, |at| at.min(now));
        let until = until(annotations.get(annotation::OVERRIDE_UNTIL), now, set_at)?;
        let reason = annotations
            .get(annotation::OVERRIDE_REASON)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                let name = annotation::OVERRIDE_REASON;
                let message = format!("`{name}` must say why, for example `INC-1234 bank is slow`");
                Remark::refusal(name, Reason::InvalidOverride, message)
            })?;
        let by = annotations
            .get(annotation::OVERRIDE_BY)
            .map(|text| text.trim());
        Ok(Self {
            until,
            reason: reason.chars().take(REASON_CHARS_MAX).collect(),
            by: by
                .filter(|text| !text.is_empty())
                .map(|text| text.chars().take(BY_CHARS_MAX).collect()),
        })
    }
}

fn until(text: Option<&String>, now: Timestamp, set_at: Timestamp) -> Result<Timestamp, Remark> {
    let name = annotation::OVERRIDE_UNTIL;
    let latest = set_at
        .saturating_add(OVERRIDE_HOURS_MAX.hours())
        .unwrap_or(set_at);
    let refuse = |reason, message| Remark::refusal(name, reason, message);
    let Some(text) = text else {
        let message = format!(
            "`{name}` must be set to an RFC 3339 instant at most {OVERRIDE_HOURS_MAX} h ahead"
        );
        return Err(refuse(Reason::InvalidOverride, message));
    };
    let until: Timestamp = text.trim().parse().map_err(|_| {
        let message = format!(
            "`{name}` is `{}`; must be an RFC 3339 instant with a zone offset, for example `2026-11-11T02:00:00+08:00`",
            cut(text)
        );
        refuse(Reason::InvalidOverride, message)
    })?;
    if until <= now {
        let message = format!("`{name}` {until} has passed; set a later end, or remove it");
        return Err(refuse(Reason::OverrideLapsed, message));
    }
    if until > latest {
        let message = format!(
            "`{name}` {until} must be at most {OVERRIDE_HOURS_MAX} h ahead of the moment it is set; set it anew"
        );
        return Err(refuse(Reason::InvalidOverride, message));
    }
    Ok(until)
}
