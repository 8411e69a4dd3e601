//! Completion for shells, and for kubectl itself.

use std::fmt::Write;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::{Args, Command, FromArgMatches, ValueEnum};
use clap_complete::Shell;
use floodgate_api::{PaymentCluster, SaleEvent};
use kube::ResourceExt;

use crate::access::{Access, AccessArgs, Scope};
use crate::failure::Finding;
use crate::output::{self, OutputError};

/// `completion`.
#[derive(Debug, Args)]
#[command(after_help = "\
  source <(kubectl-floodgate completion bash)
  kubectl-floodgate completion kubectl > ~/bin/kubectl_complete-floodgate && chmod +x ~/bin/kubectl_complete-floodgate")]
pub struct CompletionArgs {
    /// The shell; `kubectl` is the helper kubectl looks for as `kubectl_complete-floodgate`.
    target: Target,
}

/// Who completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Bash,
    Elvish,
    Fish,
    Kubectl,
    Powershell,
    Zsh,
}

/// First argument with which kubectl asks what may come next; the words typed so far follow.
pub const QUESTION: &str = "__complete";
/// What kubectl runs in place of a shell's own script.
const KUBECTL_HELPER: &str = "#!/bin/sh\nexec kubectl-floodgate __complete \"$@\"\n";
/// Nobody waits longer for a name while typing.
const NAMES_WITHIN: Duration = Duration::from_secs(2);
/// Tells kubectl to offer nothing else, files neither.
const NO_FILES: &str = ":4\n";

/// Prints a script.
pub fn script(args: &CompletionArgs, mut command: Command) -> Result<Finding, OutputError> {
    let shell = match args.target {
        Target::Bash => Shell::Bash,
        Target::Elvish => Shell::Elvish,
        Target::Fish => Shell::Fish,
        Target::Powershell => Shell::PowerShell,
        Target::Zsh => Shell::Zsh,
        Target::Kubectl => {
            output::print(KUBECTL_HELPER)?;
            return Ok(Finding::Fine);
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "kubectl-floodgate", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Finding::Fine)
}

/// Offers what may come next after `words`, the last of which is begun, in the form kubectl reads: a line each, then a directive.
pub async fn offer(words: &[String], mut command: Command) -> Result<(), OutputError> {
    command.build();
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", [].as_slice()),
    };
    let mut current = &command;
    for word in before {
        current = current.find_subcommand(word).unwrap_or(current);
    }
    let mut offered = spelled(current, last);
    if !last.starts_with('-') && takes_name(current) {
        let of_sales = before.iter().any(|word| word == "sale");
        offered.extend(names(&command, before, of_sales).await);
    }
    let mut text = String::new();
    for (name, about) in offered.iter().filter(|(name, _)| name.starts_with(last)) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}\t{about}");
    }
    output::print(&(text + NO_FILES))
}

/// Subcommands, or options once a dash was typed, with the first line of their help.
fn spelled(current: &Command, last: &str) -> Vec<(String, String)> {
    let subcommands = current.get_subcommands().filter(|one| !one.is_hide_set());
    let named = subcommands.map(|one| (one.get_name().to_owned(), one.get_about()));
    let options = current.get_arguments().filter_map(|argument| {
        let long = argument.get_long().filter(|_| last.starts_with('-'))?;
        Some((format!("--{long}"), argument.get_help()))
    });
    let first_line = |about: Option<&StyledStr>| {
        let about = about.map(ToString::to_string).unwrap_or_default();
        about.lines().next().unwrap_or_default().to_owned()
    };
    let all = named.chain(options);
    all.map(|(name, about)| (name, first_line(about))).collect()
}

fn takes_name(current: &Command) -> bool {
    current.get_positionals().any(|one| one.get_id() == "name")
}

/// Names of the objects there; nothing where they cannot be had at once.
async fn names(command: &Command, before: &[String], of_sales: bool) -> Vec<(String, String)> {
    let words = ["kubectl-floodgate"].into_iter().map(str::to_owned);
    let words = words.chain(before.iter().cloned());
    let matches = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(words);
    let access = matches.and_then(|matches| AccessArgs::from_arg_matches(&matches));
    let Ok(access) = access else {
        return Vec::new();
    };
    let listed = async {
        let access = Access::open(&access).await.ok()?;
        let all = if of_sales {
            let all = access.objects::<SaleEvent>(Scope::Namespace, "").await;
            all.ok()?.iter().map(ResourceExt::name_any).collect()
        } else {
            let all = access.objects::<PaymentCluster>(Scope::Namespace, "").await;
            all.ok()?
                .iter()
                .map(ResourceExt::name_any)
                .collect::<Vec<_>>()
        };
        Some(all.into_iter().map(|name| (name, String::new())).collect())
    };
    let listed = tokio::time::timeout(NAMES_WITHIN, listed).await;
    listed.ok().flatten().unwrap_or_default()
}
