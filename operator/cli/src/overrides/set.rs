//! `override set`.

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

use super::OverrideError;
use crate::access::{Access, AccessArgs};
use crate::failure::{Failure, Finding};
use crate::line::one_line;
use crate::moment::{Moment, seconds, span};
use crate::output::OutputArgs;
use crate::status::judge::{find, overrides_of};

/// `override set`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
#[command(group = ArgGroup::new("end").required(true))]
#[command(after_help = "\
Examples:
  kubectl floodgate override set checkout --floor 20 --for 45m --reason \"INC-7 bank is slow\"
  kubectl floodgate override set checkout --pause scaling --until 2026-11-11T02:00:00+08:00 --reason INC-8")]
pub struct SetArgs {
    /// Name of the PaymentCluster.
    name: String,
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
    /// What the operator keeps its hands off: scaling, degradation or all.
    #[arg(long, group = "what", value_name = "WHAT")]
    pause: Option<String>,
    /// When it lapses, RFC 3339 with offset, for example 2026-11-11T02:00:00+08:00.
    #[arg(long, group = "end", value_name = "INSTANT")]
    until: Option<String>,
    /// How long it holds, for example 45m or 1h30m.
    #[arg(long = "for", group = "end", value_name = "DURATION")]
    lasting: Option<String>,
    /// Why, for Events, status and report, for example "INC-1234 bank is slow".
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Asks the server whether it would take it, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// What was set, as `-o json` tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    namespace: &'a str,
    name: &'a str,
    /// Whether nothing was changed.
    dry_run: bool,
    /// All that is in force now, with its end and reason.
    overrides: &'a [OverrideStatus],
    /// What no longer held and was removed.
    removed: &'a [String],
    /// What the operator would say of it.
    remarks: Vec<&'a str>,
    /// Why it has no effect, when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
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

/// Runs the command.
pub async fn run(args: &SetArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    let moment = Moment::new(None);
    let demanded = args.demanded(moment.now())?;
    // What can be refused without the cluster is, so that nobody waits for a typo.
    refuse(&demanded, &read_alone(&demanded, moment.now()))?;
    let access = Access::open(access).await?;
    let before = super::cluster(&access, &args.name).await?;
    let change = change(&before, &demanded, moment.now())?;
    super::send(&access, &args.name, &change.patch, args.dry_run).await?;
    let remarks = change.after.remarks.iter();
    let answer = Answer {
        namespace: &access.namespace,
        name: &args.name,
        dry_run: args.dry_run,
        overrides: &change.after.active,
        removed: &change.removed,
        remarks: remarks.map(|remark| remark.message.as_str()).collect(),
        stopped: change.stopped.as_deref(),
    };
    args.output
        .print(&answer, || told(args, &change, &moment))?;
    Ok(Finding::Fine)
}

/// The demanded annotations, read as if the spec allowed every count.
fn read_alone(demanded: &BTreeMap<String, String>, now: Timestamp) -> OverridesRead {
    let bounds = floodgate_api::overrides::Bounds {
        min: 0,
        max: u32::MAX,
    };
    floodgate_api::overrides::read(demanded, bounds, now, None)
}

/// Refuses with the words of the first remark that refuses what is demanded.
fn refuse(demanded: &BTreeMap<String, String>, read: &OverridesRead) -> Result<(), OverrideError> {
    let ours = |remark: &&Remark| remark.refused && demanded.contains_key(&remark.annotation);
    match read.remarks.iter().find(ours) {
        // A forgotten end is refused under its own name, which is not among the demanded ones.
        None if read.terms.is_some() => Ok(()),
        found => {
            let words = found.or(read.remarks.first());
            let words = words.map_or_else(String::new, |remark| remark.message.clone());
            Err(OverrideError::Refused(words))
        }
    }
}

/// What is sent, and what it means.
struct Change {
    patch: Map<String, Value>,
    /// How the annotations read once it is sent.
    after: OverridesRead,
    /// What held before, and is not demanded now: its end and reason change with it.
    kept: Vec<String>,
    /// What no longer held and is removed, because a new end would bring it back.
    removed: Vec<String>,
    /// Why the operator does not act on this cluster, when it does not.
    stopped: Option<String>,
}

fn change(
    before: &PaymentCluster,
    demanded: &BTreeMap<String, String>,
    now: Timestamp,
) -> Result<Change, OverrideError> {
    let in_force = overrides_of(before, now).active;
    let (mut kept, mut removed) = (Vec::new(), Vec::new());
    let mut patch = Map::new();
    let mut after = before.clone();
    // The end is set anew; when the one before was set says nothing about it.
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
    // An author stands for the terms; without a new one the old one would be held to new terms.
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
        patch,
        after,
        kept,
        removed,
        stopped: stopped(before),
    })
}

/// A cluster that is not accepted stays as it is, overrides included, but where its last valid spec
/// holds.
fn stopped(cluster: &PaymentCluster) -> Option<String> {
    let accepted = find(cluster.status.as_ref()?, ConditionType::Accepted)?;
    let stopped = accepted.status == "False" && !accepted.message.ends_with(LAST_VALID_HOLDS);
    stopped.then(|| accepted.message.clone())
}

fn told(args: &SetArgs, change: &Change, moment: &Moment) -> String {
    let mut text = String::new();
    let names: Vec<String> = change
        .after
        .active
        .iter()
        .map(|one| format!("{}={}", one.name, one.value))
        .collect();
    let terms = change.after.terms.as_ref();
    let end = terms.map_or_else(String::new, |terms| {
        // The end was counted from the whole second; so is what is left, or 45 minutes read 44.
        let begun = Timestamp::from_second(moment.now().as_second()).unwrap_or(moment.now());
        let left = span(seconds(begun, terms.until).max(0));
        let until = moment.instant(terms.until);
        format!(" for {left}, until {until}: {}", one_line(&terms.reason))
    });
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}: {}{end}", args.name, names.join(", "));
    for kept in &change.kept {
        let _ = writeln!(
            text,
            "  {kept} was in force already and now shares this end and reason"
        );
    }
    for removed in &change.removed {
        let _ = writeln!(text, "  {removed} was not in force any more and is removed");
    }
    for remark in &change.after.remarks {
        let _ = writeln!(text, "  {}", remark.message);
    }
    if let Some(message) = &change.stopped {
        let _ = writeln!(
            text,
            "  it has no effect until the cluster is accepted: {message}"
        );
    }
    if args.dry_run {
        text.push_str("  dry run: the server would take it; nothing was changed\n");
    }
    text
}
