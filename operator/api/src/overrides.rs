//! Reads the override annotations of a cluster. Pure: the time is given.
//!
//! An annotation is in force only with a valid value, end and reason; everything else is refused in
//! the open, with a message a person can act on. A refused annotation never changes what the others
//! say. The operator and the plugin both read them here, so that what the plugin lets pass the
//! operator takes, and what it refuses it refuses in the operator's words.
//! Invariant: nothing outlives `override-until`, and nothing is in force without one.

mod conflicts;
mod terms;

use std::collections::BTreeMap;

use floodgate_words::{Level, Pause, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};

use crate::annotation;
use crate::cluster::status::OverrideStatus;
use crate::spelling;

pub use terms::Terms;

/// Bounds of `spec.scaling` that a count is moved into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// `scaling.min`.
    pub min: u32,
    /// `scaling.max`.
    pub max: u32,
}

/// What the annotations of a cluster say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverridesRead {
    /// End, reason and author of all that is in force; `None` when nothing can be.
    pub terms: Option<Terms>,
    /// What is demanded, after bounds and contradictions; only what is in force.
    pub words: Words,
    /// For the status; the same, in the order of the annotation names.
    pub active: Vec<OverrideStatus>,
    /// What was refused, moved to a bound or contradicts another one, for Events and `Overridden`.
    pub remarks: Vec<Remark>,
}

impl OverridesRead {
    /// The remarks that refuse an annotation.
    pub fn refused(&self) -> impl Iterator<Item = &Remark> {
        self.remarks.iter().filter(|remark| remark.refused)
    }
}

/// What the overrides in force demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Exactly this many replicas.
    pub pin: Option<u32>,
    /// At least this many replicas.
    pub floor: Option<u32>,
    /// At most this many replicas.
    pub ceiling: Option<u32>,
    /// At least this degradation level.
    pub degrade_floor: Option<Level>,
    /// Exactly this degradation level.
    pub degrade_pin: Option<Level>,
    /// What the operator leaves alone.
    pub pause: Option<Pause>,
}

/// Something a person should know about an annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Annotation it is about, with prefix.
    pub annotation: String,
    /// `InvalidOverride`, `UnknownAnnotation`, `OverrideLapsed`, `OverrideClamped` or
    /// `OverrideConflict`.
    pub reason: Reason,
    /// What is wrong and what would be right.
    pub message: String,
    /// Whether the annotation is not in force because of it.
    pub refused: bool,
}

impl Remark {
    fn refusal(annotation: &str, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            annotation: annotation.to_owned(),
            reason,
            message: message.into(),
            refused: true,
        }
    }

    fn note(annotation: &str, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            refused: false,
            ..Self::refusal(annotation, reason, message)
        }
    }
}

/// When `override-until` was set, by the record the apiserver keeps of who wrote which field; none
/// where it keeps none.
pub fn set_at(managed_fields: Option<&[ManagedFieldsEntry]>) -> Option<Timestamp> {
    let path = format!(
        "/f:metadata/f:annotations/f:{}",
        annotation::OVERRIDE_UNTIL.replace('/', "~1")
    );
    let sets = |one: &&ManagedFieldsEntry| {
        one.fields_v1
            .as_ref()
            .is_some_and(|fields| fields.0.pointer(&path).is_some())
    };
    let entries = managed_fields.unwrap_or_default().iter().filter(sets);
    entries.filter_map(|one| Some(one.time.as_ref()?.0)).max()
}

/// Reads the annotations as they stand at `now`. An end more than 24 hours after `set_at`, when it
/// was set, is refused then and stays refused; without `set_at` it is measured from `now`.
pub fn read(
    annotations: &BTreeMap<String, String>,
    bounds: Bounds,
    now: Timestamp,
    set_at: Option<Timestamp>,
) -> OverridesRead {
    let mut read = OverridesRead {
        remarks: unknown(annotations),
        ..OverridesRead::default()
    };
    let set: Vec<&str> = annotation::OVERRIDES
        .into_iter()
        .filter(|name| annotations.contains_key(*name))
        .collect();
    let Some(first) = set.first() else {
        read.remarks.extend(terms_without_override(annotations));
        return read;
    };
    match Terms::read(annotations, now, set_at) {
        Ok(terms) => {
            for name in set {
                take(&mut read, name, &annotations[name], &terms, bounds);
            }
            conflicts::resolve(&mut read);
            read.terms = Some(terms);
        }
        Err(mut remark) => {
            remark.message = format!("`{first}` is not in force: {}", remark.message);
            read.remarks.push(remark);
        }
    }
    read
}

/// Takes one override over, or says why not.
fn take(read: &mut OverridesRead, name: &str, text: &str, terms: &Terms, bounds: Bounds) {
    let taken = match name {
        annotation::PIN_REPLICAS => {
            count(read, name, text, bounds).map(|value| shown(&mut read.words.pin, value))
        }
        annotation::FLOOR_REPLICAS => {
            count(read, name, text, bounds).map(|value| shown(&mut read.words.floor, value))
        }
        annotation::CEILING_REPLICAS => {
            count(read, name, text, bounds).map(|value| shown(&mut read.words.ceiling, value))
        }
        annotation::DEGRADE_FLOOR => {
            level(name, text).map(|value| shown(&mut read.words.degrade_floor, value))
        }
        annotation::DEGRADE_PIN => {
            level(name, text).map(|value| shown(&mut read.words.degrade_pin, value))
        }
        _ => pause(name, text).map(|value| shown(&mut read.words.pause, value)),
    };
    match taken {
        Ok(value) => read.active.push(OverrideStatus {
            name: name
                .strip_prefix(annotation::PREFIX)
                .unwrap_or(name)
                .to_owned(),
            value,
            until: Time(terms.until),
            reason: terms.reason.clone(),
            by: terms.by.clone(),
        }),
        Err(remark) => read.remarks.push(remark),
    }
}

fn shown<T: Copy + ToString>(slot: &mut Option<T>, value: T) -> String {
    *slot = Some(value);
    value.to_string()
}

/// A number of replicas, moved into the bounds of the spec (B29).
fn count(read: &mut OverridesRead, name: &str, text: &str, bounds: Bounds) -> Result<u32, Remark> {
    let asked: u32 = text.parse().map_err(|_| {
        let message = format!(
            "`{name}` is `{}`; must be a whole number of replicas",
            cut(text)
        );
        Remark::refusal(name, Reason::InvalidOverride, message)
    })?;
    let clamped = asked.clamp(bounds.min, bounds.max.max(bounds.min));
    if clamped != asked {
        let message = format!(
            "`{name}` asks for {asked}; the spec allows {} to {}, so {clamped} is used",
            bounds.min, bounds.max
        );
        read.remarks
            .push(Remark::note(name, Reason::OverrideClamped, message));
    }
    Ok(clamped)
}

fn level(name: &str, text: &str) -> Result<Level, Remark> {
    let known = Level::ALL.into_iter().find(|level| level.as_str() == text);
    known.ok_or_else(|| {
        let names = Level::ALL.map(Level::as_str);
        let hint = spelling::hint(text, &names);
        let message = format!(
            "`{name}`: `{}` is not a level; must be one of {}{hint}",
            cut(text),
            names.join(", ")
        );
        Remark::refusal(name, Reason::InvalidOverride, message)
    })
}

fn pause(name: &str, text: &str) -> Result<Pause, Remark> {
    let known = Pause::ALL.into_iter().find(|pause| pause.as_str() == text);
    known.ok_or_else(|| {
        let names = Pause::ALL.map(Pause::as_str);
        let hint = spelling::hint(text, &names);
        let message = format!(
            "`{name}` is `{}`; must be one of {}{hint}",
            cut(text),
            names.join(", ")
        );
        Remark::refusal(name, Reason::InvalidOverride, message)
    })
}

/// Annotations under our prefix that are not ours (B25), with the nearest valid spelling.
fn unknown(annotations: &BTreeMap<String, String>) -> Vec<Remark> {
    annotations
        .keys()
        .filter(|name| name.starts_with(annotation::PREFIX))
        .filter(|name| !annotation::ALL.contains(&name.as_str()))
        .map(|name| {
            let hint = spelling::hint(name, &annotation::ALL);
            let message = format!("`{}` is not an annotation of Floodgate{hint}", cut(name));
            Remark::refusal(name, Reason::UnknownAnnotation, message)
        })
        .collect()
}

/// An end or a reason that belongs to no override is most likely a forgotten rest, or a slip.
fn terms_without_override(annotations: &BTreeMap<String, String>) -> Option<Remark> {
    let name = [annotation::OVERRIDE_UNTIL, annotation::OVERRIDE_REASON]
        .into_iter()
        .find(|name| annotations.contains_key(*name))?;
    let message = format!(
        "`{name}` is set, but no override is; set one of pin-replicas, floor-replicas, ceiling-replicas, degrade-floor, degrade-pin, pause, or remove it"
    );
    Some(Remark::refusal(name, Reason::InvalidOverride, message))
}

/// A value as it may stand in an Event: short, on one line.
fn cut(text: &str) -> String {
    text.chars()
        .take(64)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
