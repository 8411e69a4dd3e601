//! Completion for shells, and for kubectl itself.

use std::ffi::OsString;
use std::fmt::Write;

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;

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

/// Words typed so far, as kubectl hands them over; the last one is the one to complete.
#[derive(Debug, Args)]
pub struct WordsArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// What kubectl runs in place of a shell's own script.
const KUBECTL_HELPER: &str = "#!/bin/sh\nexec kubectl-floodgate __complete \"$@\"\n";
/// Tells kubectl to offer nothing else, files neither.
const NO_FILES: &str = ":4\n";

/// Prints a script.
pub fn script(args: &CompletionArgs, mut command: Command) -> Result<(), OutputError> {
    let shell = match args.target {
        Target::Bash => Shell::Bash,
        Target::Elvish => Shell::Elvish,
        Target::Fish => Shell::Fish,
        Target::Powershell => Shell::PowerShell,
        Target::Zsh => Shell::Zsh,
        Target::Kubectl => return output::print(KUBECTL_HELPER),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "kubectl-floodgate", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// Offers what may come next, in the form kubectl reads: a line each, then a directive.
pub fn offer(args: &WordsArgs, mut command: Command) -> Result<(), OutputError> {
    command.build();
    let words: Vec<String> = args
        .words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", [].as_slice()),
    };
    let mut current = &command;
    for word in before {
        current = current.find_subcommand(word).unwrap_or(current);
    }
    let subcommands = current.get_subcommands().filter(|one| !one.is_hide_set());
    let named = subcommands.map(|one| (one.get_name().to_owned(), one.get_about()));
    let options = current.get_arguments().filter_map(|argument| {
        let long = argument.get_long().filter(|_| last.starts_with('-'))?;
        Some((format!("--{long}"), argument.get_help()))
    });
    let offered = named
        .chain(options)
        .filter(|(name, _)| name.starts_with(last));
    let mut text = String::new();
    for (name, about) in offered {
        let about = about.map(ToString::to_string).unwrap_or_default();
        let about = about.lines().next().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}\t{about}");
    }
    output::print(&(text + NO_FILES))
}
