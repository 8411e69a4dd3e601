//! `override clear`: remove overrides.

use clap::{Args, ValueEnum};
use floodgate_api::annotation;
use kube::ResourceExt;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ChangeArgs, OverrideError};
use crate::access::AccessArgs;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct ClearArgs {
    #[command(flatten)]
    change: ChangeArgs,
    /// Which ones; default: all, misspelt ones included.
    #[arg(value_enum)]
    what: Vec<What>,
}

/// What was removed, as `-o json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Removal<'a> {
    namespace: &'a str,
    name: &'a str,
    /// Whether nothing was changed.
    dry_run: bool,
    cleared: Vec<&'a str>,
    /// Overrides that are still set.
    left: Vec<&'a str>,
}

/// One override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Exactly this many replicas.
    #[value(alias = "pin-replicas")]
    Pin,
    /// At least this many replicas.
    #[value(alias = "floor-replicas")]
    Floor,
    /// At most this many replicas.
    #[value(alias = "ceiling-replicas")]
    Ceiling,
    /// At least this level.
    DegradeFloor,
    /// Exactly this level.
    DegradePin,
    /// The pause.
    Pause,
}

impl What {
    const fn annotation(self) -> &'static str {
        match self {
            Self::Pin => annotation::PIN_REPLICAS,
            Self::Floor => annotation::FLOOR_REPLICAS,
            Self::Ceiling => annotation::CEILING_REPLICAS,
            Self::DegradeFloor => annotation::DEGRADE_FLOOR,
            Self::DegradePin => annotation::DEGRADE_PIN,
            Self::Pause => annotation::PAUSE,
        }
    }
}

pub async fn run(args: &ClearArgs, access: &AccessArgs) -> Result<Exit, OverrideError> {
    let (access, cluster) = args.change.find(access).await?;
    let set = |name: &str| cluster.annotations().contains_key(name);
    let named: Vec<&str> = args.what.iter().map(|what| what.annotation()).collect();
    let asked = |name: &&str| named.is_empty() || named.contains(name);
    let (mut cleared, left): (Vec<&str>, Vec<&str>) = annotation::OVERRIDES
        .into_iter()
        .filter(|name| set(name))
        .partition(asked);
    if left.is_empty() {
        // End, reason and author belong to overrides; alone the operator refuses them, as it does
        // unknown names under our prefix.
        let ours = cluster.annotations().keys().map(String::as_str);
        // Windows declared to the forecast are no override; they stay until they are removed by name.
        let ours = ours.filter(|name| {
            name.starts_with(annotation::PREFIX) && *name != annotation::MASK_HISTORY
        });
        cleared.extend(ours.filter(|name| !annotation::OVERRIDES.contains(name)));
    }
    if !cleared.is_empty() {
        let patch: Map<String, Value> = cleared
            .iter()
            .map(|name| ((*name).to_owned(), Value::Null))
            .collect();
        args.change.send(&access, patch).await?;
    }
    let answer = Removal {
        namespace: &access.namespace,
        name: &args.change.name,
        dry_run: args.change.dry_run,
        cleared: short(&cleared),
        left: short(&left),
    };
    args.change.print(&answer, || in_words(&answer))
}

fn in_words(answer: &Removal<'_>) -> String {
    if answer.cleared.is_empty() {
        return format!("{}: nothing to clear\n", answer.name);
    }
    let would = if answer.dry_run { "would be " } else { "" };
    let still = if answer.left.is_empty() {
        String::new()
    } else {
        format!("  still set: {}\n", answer.left.join(", "))
    };
    let cleared = answer.cleared.join(", ");
    format!("{}: {would}cleared {cleared}\n{still}", answer.name)
}

fn short<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let names = names
        .iter()
        .map(|name| name.strip_prefix(annotation::PREFIX).unwrap_or(name));
    names.collect()
}
