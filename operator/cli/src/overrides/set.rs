//! `override set`: set overrides with one end and one reason.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::{ArgGroup, Args};
use floodgate_api::cluster::status::OverrideStatus;
use floodgate_api::overrides::{OverridesRead, Remark};
use floodgate_api::{PaymentCluster, annotation};
use floodgate_words::{ConditionType, condition::LAST_VALID_HOLDS};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ChangeArgs, OverrideError};
use crate::access::AccessArgs;
use crate::exit::Exit;
use crate::line::one_line;
use crate::moment::{Moment, seconds, span};
use crate::query::namespace_of;
use crate::status::judge::{find, overrides_of};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
#[command(group = ArgGroup::new("end").required(true))]
#[command(after_help = "\
Examples:
  kubectl floodgate override set checkout --floor 20 --for 45m --reason \"INC-7 bank is slow\"
  kubectl floodgate override set checkout --pause scaling --until 2026-11-11T02:00:00+08:00 --reason INC-8")]
pub struct SetArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// Exactly this many replicas.
    #[arg(long, group = "what", value_name = "N")]
    pin: Option<String>,
    /// At least this many replicas.
    #[arg(long, group = "what", value_name = "N")]
    floor: Option<String>,
    /// At most this many replicas.
    #[arg(long, group = "what", value_name = "N")]
    ceiling: Option<String>,
    /// At least this level: Normal, Guard, Reduce, Protect or Survive.
    #[arg(long, group = "what", value_name = "LEVEL")]
    degrade_floor: Option<String>,
    /// Exactly this level, also against the service's own loop.
    #[arg(long, group = "what", value_name = "LEVEL")]
    degrade_pin: Option<String>,
    /// What the operator must leave alone: scaling, degradation or all.
    #[arg(long, group = "what", value_name = "WHAT")]
    pause: Option<String>,
    /// When it lapses, RFC 3339 with offset, for example 2026-11-11T02:00:00+08:00.
    #[arg(long, group = "end", value_name = "INSTANT")]
    until: Option<String>,
    /// How long it lasts, for example 45m or 1h30m.
    #[arg(long = "for", group = "end", value_name = "DURATION")]
    lasting: Option<String>,
    /// Why, for example "INC-1234 bank is slow"; shown in Events, status and report.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who sets it.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl SetArgs {
    /// The annotations that are demanded.
    fn demanded(&self, now: Timestamp) -> Result<BTreeMap<String, String>, OverrideError> {
        let until = match (&self.until, &self.lasting) {
            (Some(until), _) => until.clone(),
            (None, Some(lasting)) => after(lasting, now)?,
            // clap demands one of the two.
            (None, None) => String::new(),
        };
        let given = [
            (annotation::PIN_REPLICAS, &self.pin),
            (annotation::FLOOR_REPLICAS, &self.floor),
            (annotation::CEILING_REPLICAS, &self.ceiling),
            (annotation::DEGRADE_FLOOR, &self.degrade_floor),
            (annotation::DEGRADE_PIN, &self.degrade_pin),
            (annotation::PAUSE, &self.pause),
            (annotation::OVERRIDE_BY, &self.by),
        ];
        let given = given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        let terms = [
            (annotation::OVERRIDE_UNTIL, until),
            (annotation::OVERRIDE_REASON, self.reason.clone()),
        ];
        let all = given.chain(terms);
        Ok(all.map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// The instant `lasting` from now, to the second.
fn after(lasting: &str, now: Timestamp) -> Result<String, OverrideError> {
    let wrong = || OverrideError::Duration(lasting.chars().take(64).collect());
    let duration: SignedDuration = lasting.trim().parse().map_err(|_| wrong())?;
    let most = SignedDuration::from_hours(annotation::OVERRIDE_HOURS_MAX);
    if duration <= SignedDuration::ZERO || duration > most {
        return Err(wrong());
    }
    let seconds = SignedDuration::from_secs(duration.as_secs().max(1));
    let until = Timestamp::from_second(now.as_second()).and_then(|now| now.checked_add(seconds));
    Ok(until.map_err(|_| wrong())?.to_string())
}

pub async fn run(args: &SetArgs, access: &AccessArgs) -> Result<Exit, OverrideError> {
    let moment = Moment::new(None);
    let demanded = args.demanded(moment.now())?;
    // What can be refused without the cluster is refused first: nobody waits for a typo.
    refuse(&demanded, &read_alone(&demanded, moment.now()))?;
    let (access, before) = args.change.find(access).await?;
    let mut change = change(args, &before, &demanded, moment.now())?;
    let patch = std::mem::take(&mut change.patch);
    args.change.send(&access, patch).await?;
    args.change.print(&change, || in_words(&change, &moment))
}

/// The demanded annotations, read as if the spec allowed every count.
fn read_alone(demanded: &BTreeMap<String, String>, now: Timestamp) -> OverridesRead {
    let bounds = floodgate_api::overrides::Bounds {
        min: 0,
        max: u32::MAX,
    };
    floodgate_api::overrides::read(demanded, bounds, now, None)
}

/// Refuses with the message of the first remark that refuses what is demanded.
fn refuse(demanded: &BTreeMap<String, String>, read: &OverridesRead) -> Result<(), OverrideError> {
    let ours = |remark: &&Remark| remark.refused && demanded.contains_key(&remark.annotation);
    match read.remarks.iter().find(ours) {
        // A forgotten end is refused under its own name, which is not among the demanded ones.
        None if read.terms.is_some() => Ok(()),
        found => {
            let message = found.or(read.remarks.first());
            let message = message.map_or_else(String::new, |remark| remark.message.clone());
            Err(OverrideError::Refused(message))
        }
    }
}

/// What is set, as `-o json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    namespace: String,
    name: String,
    /// Whether nothing was changed.
    dry_run: bool,
    /// All that is in force now, with its end and reason.
    overrides: Vec<OverrideStatus>,
    /// In force before and not set now: its end and reason change with what is set.
    #[serde(skip)]
    kept: Vec<String>,
    /// No longer in force, and removed because a new end would bring it back.
    removed: Vec<String>,
    /// What the operator would remark on.
    remarks: Vec<String>,
    /// Why the operator does not act on this cluster, when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
    /// What is sent.
    #[serde(skip)]
    patch: Map<String, Value>,
}

fn change(
    args: &SetArgs,
    before: &PaymentCluster,
    demanded: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<Change, OverrideError> {
    let in_force = overrides_of(before, now).active;
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    let mut patch = Map::new();
    let mut after = before.clone();
    // The end is set anew; when the former one was set no longer matters.
    after.metadata.managed_fields = None;
    let annotations = after.annotations_mut();
    for name in annotation::OVERRIDES {
        if !annotations.contains_key(name) || demanded.contains_key(name) {
            continue;
        }
        let short = name.strip_prefix(annotation::PREFIX).unwrap_or(name);
        if let Some(one) = in_force.iter().find(|one| one.name == short) {
            kept.push(format!("{short}={}", one.value));
        } else {
            annotations.remove(name);
            patch.insert(name.to_owned(), Value::Null);
            removed.push(short.to_owned());
        }
    }
    // The author set the former end and reason; without a new author the old one would seem to have
    // set the new ones.
    if !demanded.contains_key(annotation::OVERRIDE_BY)
        && annotations.remove(annotation::OVERRIDE_BY).is_some()
    {
        patch.insert(annotation::OVERRIDE_BY.to_owned(), Value::Null);
    }
    for (name, value) in demanded {
        annotations.insert(name.clone(), value.clone());
        patch.insert(name.clone(), Value::String(value.clone()));
    }
    let after = overrides_of(&after, now);
    refuse(demanded, &after)?;
    Ok(Change {
        namespace: namespace_of(before),
        name: before.name_any(),
        dry_run: args.change.dry_run,
        overrides: after.active,
        kept,
        removed,
        remarks: after.remarks.into_iter().map(|one| one.message).collect(),
        stopped: stopped(before),
        patch,
    })
}

/// A cluster that is not accepted stays as it is, overrides included, but where its last valid spec
/// holds.
fn stopped(cluster: &PaymentCluster) -> Option<String> {
    let accepted = find(
        &cluster.status.as_ref()?.conditions,
        ConditionType::Accepted,
    )?;
    let stopped = accepted.status == "False" && !accepted.message.ends_with(LAST_VALID_HOLDS);
    stopped.then(|| accepted.message.clone())
}

fn in_words(change: &Change, moment: &Moment) -> String {
    let names = change.overrides.iter();
    let names: Vec<String> = names
        .map(|one| format!("{}={}", one.name, one.value))
        .collect();
    let end = change.overrides.first().map(|one| {
        // The end was counted from the whole second; so is what is left, or 45 minutes read 44.
        let begun = Timestamp::from_second(moment.now().as_second()).unwrap_or(moment.now());
        let left = span(seconds(begun, one.until.0).max(0));
        let until = moment.instant(one.until.0);
        format!(" for {left}, until {until}: {}", one_line(&one.reason))
    });
    let mut text = format!(
        "{}: {}{}\n",
        change.name,
        names.join(", "),
        end.unwrap_or_default()
    );
    // Writing to a String cannot fail.
    for kept in &change.kept {
        let _ = writeln!(
            text,
            "  {kept} was in force already; it now shares this end and reason"
        );
    }
    for removed in &change.removed {
        let _ = writeln!(text, "  {removed} was no longer in force and was removed");
    }
    for remark in &change.remarks {
        let _ = writeln!(text, "  {remark}");
    }
    if let Some(message) = &change.stopped {
        let _ = writeln!(text, "  no effect until the cluster is accepted: {message}");
    }
    if change.dry_run {
        text.push_str("  dry run: the server would accept it; nothing was changed\n");
    }
    text
}
