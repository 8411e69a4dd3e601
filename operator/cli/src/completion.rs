//! Completion for shells, and for kubectl itself.

use std::fmt::Write;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use clap_complete::Shell;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_words::Level;

use crate::access::{Access, AccessArgs};
use crate::exit::Exit;
use crate::output::{self, OutputError};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(kubectl-floodgate completion bash)
  kubectl-floodgate completion kubectl > ~/bin/kubectl_complete-floodgate && chmod +x ~/bin/kubectl_complete-floodgate")]
pub struct CompletionArgs {
    /// The shell; `kubectl` prints the helper that kubectl runs as `kubectl_complete-floodgate`.
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

/// First argument with which kubectl asks what may come next; what was typed so far follows.
pub const QUESTION: &str = "__complete";
/// What kubectl runs in place of a shell's own script.
const KUBECTL_HELPER: &str = "#!/bin/sh\nexec kubectl-floodgate __complete \"$@\"\n";
/// Nobody waits longer for a name while typing.
const NAMES_WITHIN: Duration = Duration::from_secs(2);
/// Tells kubectl to offer nothing else, files neither.
const NO_FILES: &str = ":4\n";
/// Tells kubectl to offer files.
const FILES: &str = ":0\n";

pub fn script(args: &CompletionArgs, mut command: Command) -> Result<Exit, OutputError> {
    let shell = match args.target {
        Target::Bash => Shell::Bash,
        Target::Elvish => Shell::Elvish,
        Target::Fish => Shell::Fish,
        Target::Powershell => Shell::PowerShell,
        Target::Zsh => Shell::Zsh,
        Target::Kubectl => {
            output::print(KUBECTL_HELPER)?;
            return Ok(Exit::Fine);
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "kubectl-floodgate", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}

/// Offers what may come next after `typed`, whose last argument is unfinished, in the form kubectl
/// reads: a line each, then a directive.
pub async fn offer(typed: &[String], mut command: Command) -> Result<Exit, OutputError> {
    command.build();
    let (last, before) = match typed.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", [].as_slice()),
    };
    let mut current = &command;
    for argument in before {
        current = current.find_subcommand(argument).unwrap_or(current);
    }
    let opened = before.last().and_then(|last| option(current, last));
    if opened.is_some_and(takes_file) {
        output::print(FILES)?;
        return Ok(Exit::Fine);
    }
    let parsed = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from([&["kubectl-floodgate".to_owned()], before].concat())
        .ok();
    let offered = match (opened, &parsed) {
        (Some(opened), parsed) => values(opened, parsed.as_ref()).await,
        (None, Some(parsed)) if !last.starts_with('-') => {
            let mut offered = spelled(current, last);
            let of_sales = before.iter().any(|one| one == "sale");
            offered.extend(positionals(current, parsed, of_sales).await);
            offered
        }
        (None, _) => spelled(current, last),
    };
    let (kept, begun) = opened.map_or(("", last), |opened| begun(opened, last));
    let mut text = String::new();
    for (name, about) in offered.iter().filter(|(name, _)| name.starts_with(begun)) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{kept}{name}\t{about}");
    }
    output::print(&(text + NO_FILES))?;
    Ok(Exit::Fine)
}

/// The option of an argument, when its value is to follow.
fn option<'a>(current: &'a Command, typed: &str) -> Option<&'a Arg> {
    let mut arguments = current.get_arguments();
    let named = |argument: &&Arg| {
        let long = argument
            .get_long()
            .is_some_and(|long| typed == format!("--{long}"));
        let short = argument
            .get_short()
            .is_some_and(|short| typed == format!("-{short}"));
        (long || short) && argument.get_action().takes_values()
    };
    arguments.find(named)
}

/// Of a list of values, those that are typed already and the one that is begun.
fn begun<'a>(option: &Arg, last: &'a str) -> (&'a str, &'a str) {
    let comma = option.get_value_delimiter().and_then(|by| last.rfind(by));
    comma.map_or(("", last), |at| last.split_at(at + 1))
}

fn takes_file(option: &Arg) -> bool {
    let names = option.get_value_names().unwrap_or_default();
    names.iter().any(|name| name == "FILE" || name == "DIR")
}

/// What an option takes: its possible values, contexts, or namespaces.
async fn values(option: &Arg, parsed: Option<&ArgMatches>) -> Vec<(String, String)> {
    let access = parsed.and_then(|parsed| AccessArgs::from_arg_matches(parsed).ok());
    let named = |names: Vec<String>| {
        names
            .into_iter()
            .map(|name| (name, String::new()))
            .collect()
    };
    match (option.get_id().as_str(), access) {
        ("context", Some(access)) => named(Access::contexts(&access)),
        ("namespace", Some(access)) => {
            let listed = async { Some(Access::open(&access).await.ok()?.namespaces().await) };
            named(in_time(listed).await)
        }
        _ => possible(option),
    }
}

fn possible(argument: &Arg) -> Vec<(String, String)> {
    // These are refused with the operator's message, not with clap's, so clap does not know them.
    let level = Level::ALL.map(|level| (level.to_string(), String::new()));
    match argument.get_id().as_str() {
        "degrade_floor" | "degrade_pin" => return level.to_vec(),
        "pause" => {
            return ["scaling", "degradation", "all"]
                .map(|what| (what.to_owned(), String::new()))
                .to_vec();
        }
        _ => {}
    }
    let values = argument.get_possible_values();
    let shown = values.into_iter().filter(|value| !value.is_hide_set());
    shown
        .map(|value| (value.get_name().to_owned(), first_line(value.get_help())))
        .collect()
}

/// Subcommands, or options once a dash was typed, with the first line of their help.
fn spelled(current: &Command, last: &str) -> Vec<(String, String)> {
    let subcommands = current.get_subcommands().filter(|one| !one.is_hide_set());
    let named = subcommands.map(|one| (one.get_name().to_owned(), one.get_about()));
    let options = current.get_arguments().filter_map(|argument| {
        let long = argument.get_long().filter(|_| last.starts_with('-'))?;
        Some((format!("--{long}"), argument.get_help()))
    });
    let all = named.chain(options);
    all.map(|(name, about)| (name, first_line(about))).collect()
}

fn first_line(about: Option<&StyledStr>) -> String {
    let about = about.map(ToString::to_string).unwrap_or_default();
    about.lines().next().unwrap_or_default().to_owned()
}

/// Names of the objects while none was typed, then the values of other positional arguments.
async fn positionals(
    current: &Command,
    parsed: &ArgMatches,
    of_sales: bool,
) -> Vec<(String, String)> {
    let mut leaf = parsed;
    while let Some((_, deeper)) = leaf.subcommand() {
        leaf = deeper;
    }
    let has_name = current.get_positionals().any(|one| one.get_id() == "name");
    let named = leaf.try_get_one::<String>("name").ok().flatten().is_some();
    if !has_name || named {
        let others = current
            .get_positionals()
            .filter(|one| one.get_id() != "name");
        return others.flat_map(possible).collect();
    }
    let Ok(access) = AccessArgs::from_arg_matches(parsed) else {
        return Vec::new();
    };
    let listed = async {
        let access = Access::open(&access).await.ok()?;
        Some(if of_sales {
            access.names::<SaleEvent>().await
        } else {
            access.names::<PaymentCluster>().await
        })
    };
    let names = in_time(listed).await.into_iter();
    names.map(|name| (name, String::new())).collect()
}

/// Names, or none where they cannot be had in time.
async fn in_time(names: impl Future<Output = Option<Vec<String>>>) -> Vec<String> {
    let names = tokio::time::timeout(NAMES_WITHIN, names).await;
    names.ok().flatten().unwrap_or_default()
}
