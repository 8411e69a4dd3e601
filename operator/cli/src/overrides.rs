//! `override`: an SRE's word, with an end and a reason, or not at all.
//!
//! What the operator would refuse is refused here before it is sent, by the same rules and in the
//! same words ([`floodgate_api::overrides`]).

mod clear;
mod list;
mod set;

use clap::{Args, Subcommand};
use floodgate_api::PaymentCluster;

use crate::access::{Access, AccessArgs, AccessError};
use crate::failure::{Failure, Finding};
use crate::source::elsewhere;

/// `override`.
#[derive(Debug, Args)]
pub struct OverrideArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sets overrides; each needs an end, at most 24 h ahead, and a reason.
    ///
    /// All overrides of a cluster share one end and one reason: what was in force before is kept
    /// and takes over the new ones.
    Set(Box<set::SetArgs>),
    /// Removes overrides; without WHAT all of them.
    Clear(clear::ClearArgs),
    /// Lists overrides with the time they have left, and what was refused.
    List(list::ListArgs),
}

/// An override is not sent.
#[derive(Debug, thiserror::Error)]
pub enum OverrideError {
    /// The operator would refuse it; in its words.
    #[error("{0}")]
    Refused(String),
    /// The duration is none.
    #[error("`--for` is `{0}`; must be a duration of at most 24 h, for example `45m` or `1h30m`")]
    Duration(String),
    /// The object on the server cannot be read.
    #[error("PaymentCluster `{name}` cannot be read; correct it first")]
    Unreadable {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Runs the command.
pub async fn run(args: &OverrideArgs, access: &AccessArgs) -> Result<Finding, Failure> {
    match &args.command {
        Command::Set(args) => set::run(args, access).await,
        Command::Clear(args) => clear::run(args, access).await,
        Command::List(args) => list::run(args, access).await,
    }
}

/// The cluster an override is about.
async fn cluster(access: &Access, name: &str) -> Result<PaymentCluster, Failure> {
    let found = access.object::<PaymentCluster>(name).await?;
    let Some(guarded) = found else {
        return Err(Failure::NotFound {
            kind: "PaymentCluster",
            name: name.to_owned(),
            place: format!("namespace {}", access.namespace),
            hint: elsewhere(access, "PaymentCluster", name).await,
        });
    };
    guarded.0.map_err(|invalid| {
        OverrideError::Unreadable {
            name: name.to_owned(),
            source: invalid.error.into(),
        }
        .into()
    })
}

/// Sends annotations; `null` removes one.
async fn send(
    access: &Access,
    name: &str,
    annotations: &serde_json::Map<String, serde_json::Value>,
    dry_run: bool,
) -> Result<(), AccessError> {
    let annotations = serde_json::Value::Object(annotations.clone());
    access
        .annotate::<PaymentCluster>(name, &annotations, dry_run)
        .await
}
