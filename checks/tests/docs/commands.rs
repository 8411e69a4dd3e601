//! Every command in the documentation is one that exists.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::pages::{Page, files, pages, root};

#[test]
fn every_command_shown_exists() {
    let mut known = Known::default();
    let mut wrong = Vec::new();
    for page in pages() {
        for (line, command) in commands(&page) {
            if let Err(fault) = known.check(&command) {
                wrong.push(format!(
                    "{}:{line}: `{}`: {fault}",
                    page.path.display(),
                    command.join(" ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Commands of fenced blocks and of code spans, with their lines.
fn commands(page: &Page) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for block in page.blocks() {
        if !["", "sh", "bash", "console"].contains(&block.language) {
            continue;
        }
        // Where commands have a prompt, the other lines are what they print.
        let prompted = block.text.lines().any(|line| line.starts_with("$ "));
        let mut continued = String::new();
        for (index, line) in block.text.lines().enumerate() {
            let Some(line) = line
                .strip_prefix("$ ")
                .or((!prompted || !continued.is_empty()).then_some(line))
            else {
                continue;
            };
            continued.push_str(line.strip_suffix('\\').unwrap_or(line));
            if !line.ends_with('\\') {
                found.extend(
                    split(&std::mem::take(&mut continued))
                        .into_iter()
                        .map(|words| (block.line + index, words)),
                );
            }
        }
    }
    for (number, line) in page.prose() {
        for span in line.split('`').skip(1).step_by(2) {
            found.extend(split(span).into_iter().map(|words| (number, words)));
        }
    }
    found
}

/// The commands of a line as words, without quotes, comments and variables set in front.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ' | '|' | ';' | '&' | '<' | '>' | '(' | ')') => {
                let word = std::mem::take(&mut word);
                let command = commands.last_mut().unwrap();
                if word == "#" {
                    break;
                } else if !word.is_empty() && (!command.is_empty() || !word.contains('=')) {
                    command.push(word);
                }
                if c != ' ' {
                    commands.push(Vec::new());
                }
            }
            _ => word.push(c),
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// What there is to call, read as it is asked for.
#[derive(Default)]
struct Known {
    helps: BTreeMap<Vec<String>, String>,
}

impl Known {
    fn check(&mut self, words: &[String]) -> Result<(), String> {
        let program = Path::new(&words[0])
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        match program {
            "make" => targets(&words[1..]),
            "cargo" => packages(&words[1..]),
            "kubectl" if words.get(1).is_some_and(|word| word == "floodgate") => {
                self.ours("kubectl-floodgate", &words[2..])
            }
            "kubectl" => kubectl(&words[1..]),
            // Alone it is the name of a crate.
            _ if words.len() == 1 => Ok(()),
            "kubectl-floodgate" | "floodgate-tune" | "floodgate-local" | "payment-load" => {
                self.ours(program, &words[1..])
            }
            _ => Ok(()),
        }
    }

    /// A program of ours: subcommands and flags as its help lists them.
    fn ours(&mut self, program: &str, words: &[String]) -> Result<(), String> {
        let mut called = vec![program.to_owned()];
        let mut subcommands = true;
        for word in words
            .iter()
            .map(|word| word.trim_matches(['[', ']', ',', '.']))
        {
            let help = self.help(&called);
            let flag = word.split('=').next().unwrap_or_default();
            if flag.starts_with('-') && flag.len() > 1 {
                subcommands = false;
                let mut flags = help
                    .split_whitespace()
                    .map(|part| part.trim_matches(['[', ']', ',', '.', '`']));
                if !flags.any(|known| known.split('=').next() == Some(flag)) {
                    return Err(format!("no flag {flag} in `{} --help`", called.join(" ")));
                }
            } else if subcommands && let Some((_, listed)) = help.split_once("\nCommands:\n") {
                let mut names = listed
                    .lines()
                    .take_while(|line| line.starts_with(' '))
                    .filter_map(|line| line.split_whitespace().next());
                if names.any(|name| name == word) {
                    called.push(word.to_owned());
                } else if !word.is_empty()
                    && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                {
                    return Err(format!(
                        "no command {word} in `{} --help`",
                        called.join(" ")
                    ));
                }
            }
        }
        Ok(())
    }

    fn help(&mut self, called: &[String]) -> String {
        let help = self.helps.entry(called.to_vec()).or_insert_with(|| {
            let folder = std::env::current_exe().unwrap();
            let program = folder.ancestors().nth(2).unwrap().join(&called[0]);
            if !program.exists() {
                // `cargo test --workspace` has built it; this test alone has not.
                let built = Command::new(env!("CARGO"))
                    .args(["build", "-q", "-p", &called[0]])
                    .status();
                assert!(built.unwrap().success(), "{} does not build", called[0]);
            }
            let output = Command::new(&program)
                .args(&called[1..])
                .arg("--help")
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        });
        help.clone()
    }
}

fn targets(words: &[String]) -> Result<(), String> {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let names: Vec<&str> = makefile
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    match words.iter().find(|word| {
        word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !names.contains(&word.as_str())
    }) {
        Some(word) if !word.starts_with('-') => Err(format!("no target {word} in the Makefile")),
        _ => Ok(()),
    }
}

fn packages(words: &[String]) -> Result<(), String> {
    for pair in words.windows(2) {
        let found = match pair[0].as_str() {
            "-p" | "--package" => {
                let name = format!("name = \"{}\"", pair[1]);
                let manifests = files("toml")
                    .into_iter()
                    .filter(|path| path.ends_with("Cargo.toml"));
                manifests
                    .map(|path| std::fs::read_to_string(root().join(path)).unwrap())
                    .any(|text| text.contains(&name))
            }
            "--path" => root().join(&pair[1]).join("Cargo.toml").exists(),
            _ => true,
        };
        if !found {
            return Err(format!("no crate {}", pair[1]));
        }
    }
    Ok(())
}

fn kubectl(words: &[String]) -> Result<(), String> {
    let verb = words.first().map_or("", String::as_str);
    for pair in words.windows(2) {
        let path = &pair[1];
        let ours = ["apply", "create", "delete", "diff"].contains(&verb)
            && !path.contains("://")
            && path.contains('/');
        if ours && ["-f", "-k"].contains(&pair[0].as_str()) && !root().join(path).exists() {
            return Err(format!("no file {path}"));
        }
    }
    let annotations = words
        .iter()
        .filter_map(|word| word.strip_prefix("floodgate.dev/"));
    for name in annotations.filter(|_| verb == "annotate") {
        let name = name
            .split('=')
            .next()
            .unwrap_or_default()
            .trim_end_matches('-');
        if !floodgate_api::annotation::ALL
            .iter()
            .any(|known| known.ends_with(&format!("/{name}")))
        {
            return Err(format!("no annotation floodgate.dev/{name}"));
        }
    }
    match (verb, words.get(1).and_then(|path| path.split_once('.'))) {
        ("explain", Some((kind, path))) => field(kind, path),
        _ => Ok(()),
    }
}

/// A path of `kubectl explain`.
fn field(kind: &str, path: &str) -> Result<(), String> {
    let file = if kind.starts_with("sale") {
        "saleevents"
    } else {
        "paymentclusters"
    };
    let text = std::fs::read_to_string(root().join(format!("crds/{file}.yaml"))).unwrap();
    let crd: Value = serde_saphyr::from_str(&text).unwrap();
    let mut schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    for name in path.split('.') {
        schema = schema.get("items").unwrap_or(schema);
        schema = schema["properties"]
            .get(name)
            .ok_or_else(|| format!("no field {name} in {kind}.{path}"))?;
    }
    Ok(())
}

#[test]
fn commands_that_do_not_exist_are_named() {
    let wrong = |line: &str| Known::default().check(&split(line)[0]);
    assert_eq!(wrong("make demo TRACE=a.csv"), Ok(()));
    assert_eq!(
        wrong("make coffee"),
        Err("no target coffee in the Makefile".to_owned())
    );
    assert_eq!(
        wrong("cargo test -p floodgate-none"),
        Err("no crate floodgate-none".to_owned())
    );
    assert_eq!(
        wrong("kubectl apply -f manifests/none.yaml"),
        Err("no file manifests/none.yaml".to_owned())
    );
    assert_eq!(wrong("kubectl explain pay.spec.scaling.min"), Ok(()));
    assert_eq!(
        wrong("kubectl explain pay.spec.none"),
        Err("no field none in pay.spec.none".to_owned())
    );
    assert_eq!(
        wrong("kubectl annotate pay a floodgate.dev/pause=all"),
        Ok(())
    );
    assert!(wrong("kubectl annotate pay a floodgate.dev/pasue=all").is_err());
    assert_eq!(
        wrong("kubectl floodgate override set till --floor 3 --for 45m"),
        Ok(())
    );
    assert!(
        wrong("kubectl floodgate overrule till")
            .unwrap_err()
            .starts_with("no command overrule")
    );
    assert!(
        wrong("kubectl floodgate status --none")
            .unwrap_err()
            .starts_with("no flag --none")
    );
}

#[test]
fn a_line_is_split_as_a_shell_splits_it() {
    let words = |line: &str| {
        split(line)
            .iter()
            .map(|command| command.join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(words("A=1 make demo  # a | comment"), ["make demo"]);
    assert_eq!(
        words("a 'b | c' && source <(d e)"),
        ["a b | c", "source", "d e"]
    );
}
