//! `override`: set, clear and list overrides, each with an end and a reason.
//!
//! What the operator would refuse is refused here before it is sent, by the same rules and with the
//! same message ([`floodgate_api::overrides`]).

mod clear;
mod list;
mod set;

use clap::{Args, Subcommand};
use floodgate_api::PaymentCluster;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::access::{Access, AccessArgs};
use crate::exit::Exit;
use crate::output::OutputArgs;
use crate::query::{self, QueryError};

#[derive(Debug, Args)]
pub struct OverrideArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set overrides; each needs an end, at most 24 h ahead, and a reason.
    ///
    /// All overrides of a cluster share one end and one reason: what was in force before is kept
    /// and takes over the new ones.
    Set(Box<set::SetArgs>),
    /// Remove overrides; without WHAT, all of them.
    Clear(clear::ClearArgs),
    /// List overrides with the time they have left, and those that were refused.
    List(list::ListArgs),
}

/// An override is not sent.
#[derive(Debug, thiserror::Error)]
pub enum OverrideError {
    /// The operator would refuse it, with this message.
    #[error("{0}")]
    Refused(String),
    /// The duration is none.
    #[error("`--for` is `{0}`; must be a duration of at most 24 h, for example `45m` or `1h30m`")]
    Duration(String),
    /// The objects cannot be read, or the answer cannot be printed.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl OverrideError {
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) | Self::Duration(_) => Exit::Usage,
            Self::Query(error) => error.exit(),
        }
    }
}

pub async fn run(args: &OverrideArgs, access: &AccessArgs) -> Result<Exit, OverrideError> {
    match &args.command {
        Command::Set(args) => set::run(args, access).await,
        Command::Clear(args) => clear::run(args, access).await,
        Command::List(args) => Ok(list::run(args, access).await?),
    }
}

/// The cluster whose overrides are changed, and how the answer is printed.
#[derive(Debug, Args)]
struct ChangeArgs {
    /// Name of the PaymentCluster.
    name: String,
    /// Ask the server whether it would accept the change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl ChangeArgs {
    /// The cluster, and the connection it was read by.
    async fn find(&self, access: &AccessArgs) -> Result<(Access, PaymentCluster), OverrideError> {
        let access = Access::open(access).await.map_err(QueryError::from)?;
        let cluster = query::one(&access, &self.name).await?;
        Ok((access, cluster))
    }

    /// Sends annotations; `null` removes one.
    async fn send(
        &self,
        access: &Access,
        annotations: Map<String, Value>,
    ) -> Result<(), OverrideError> {
        let annotations = annotations.into();
        let sent = access.annotate::<PaymentCluster>(&self.name, &annotations, self.dry_run);
        Ok(sent.await.map_err(QueryError::from)?)
    }

    /// Prints what was changed for a program, or `text` for a person.
    fn print<T: Serialize>(
        &self,
        answer: &T,
        text: impl FnOnce() -> String,
    ) -> Result<Exit, OverrideError> {
        self.output.print(answer, text).map_err(QueryError::from)?;
        Ok(Exit::Fine)
    }
}
