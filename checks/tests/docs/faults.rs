//! `docs/faults.md` names for each row the tests that hold it, and tests name only rows there are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::pages::{assert_golden, files, root};

const PAGE: &str = "docs/faults.md";

/// Letter and number: `f02_` in the name of a test and `F02` in the table are one row.
type Code = (char, u32);

/// For each row the names of its tests, with their files; a table of cases has no name of its own.
type Tests = BTreeMap<Code, BTreeSet<(PathBuf, String)>>;

#[test]
fn each_row_names_its_tests_or_is_open() {
    let held = std::fs::read_to_string(root().join(PAGE)).unwrap();
    assert_golden(Path::new(PAGE), &filled(&held, &tests()));
}

#[test]
fn every_code_in_the_name_of_a_test_has_a_row() {
    let held = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let rows: Vec<Code> = held
        .lines()
        .filter_map(|line| row(line).map(|(code, _)| code))
        .collect();
    let unique: BTreeSet<&Code> = rows.iter().collect();
    assert_eq!(unique.len(), rows.len(), "a code has two rows");
    let tests = tests();
    let unknown: Vec<_> = tests
        .iter()
        .filter(|(code, _)| !unique.contains(code))
        .collect();
    assert!(unknown.is_empty(), "no row in {PAGE} for {unknown:?}");
}

/// The page with the last column of every row made from `tests`. A note behind `partly: ` or `open: ` is kept.
fn filled(page: &str, tests: &Tests) -> String {
    let line = |line: &str| {
        let Some((code, before)) = row(line) else {
            return line.to_owned();
        };
        let cell = line[before.len()..].trim_matches(['|', ' ']);
        let note = |kind: &str| {
            cell.split_once(kind)
                .map_or(String::new(), |(_, note)| format!("{kind}{note}"))
        };
        let held = match tests.get(&code) {
            Some(tests) => {
                let mut held: Vec<String> = tests.iter().map(link).collect();
                held.extend(Some(note("partly")).filter(|note| !note.is_empty()));
                held.join("<br>")
            }
            None => Some(note("open: "))
                .filter(|note| !note.is_empty())
                .unwrap_or("open".to_owned()),
        };
        format!("{before}| {held} |")
    };
    page.lines().map(|text| line(text) + "\n").collect()
}

/// The code of a row and everything before its last cell.
fn row(line: &str) -> Option<(Code, &str)> {
    let cell = line.strip_prefix("| ")?.split(" |").next()?;
    let before = line.trim_end().strip_suffix('|')?.rfind('|')?;
    Some((code(cell)?, &line[..before]))
}

fn code(text: &str) -> Option<Code> {
    let letter = text.chars().next()?.to_ascii_uppercase();
    let number = text.get(1..)?;
    let digits =
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    ("FBSPG".contains(letter) && digits).then(|| (letter, number.parse().unwrap()))
}

fn link((path, name): &(PathBuf, String)) -> String {
    let text = if name.is_empty() {
        path.iter().skip(path.iter().count() - 2).collect()
    } else {
        PathBuf::from(name)
    };
    format!("[`{}`](../{})", text.display(), path.display())
}

fn tests() -> Tests {
    let mut tests = Tests::new();
    for path in files("rs") {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        let mut insert = |code, name: &str| {
            tests
                .entry(code)
                .or_default()
                .insert((path.clone(), name.to_owned()));
        };
        for name in named_tests(&text) {
            name.split('_')
                .map_while(code)
                .for_each(|code| insert(code, name));
        }
        // Tables of bad input have the code of the row as text beside each case.
        if path.components().any(|part| part.as_os_str() == "tests") {
            let quoted = text
                .match_indices("\"B")
                .filter_map(|(at, _)| text[at + 1..].split('"').next());
            quoted.filter_map(code).for_each(|code| insert(code, ""));
        }
    }
    tests
}

/// The functions under a `#[test]` of any kind.
fn named_tests(text: &str) -> Vec<&str> {
    let mut marked = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            marked |= line.contains("test") && !line.contains("cfg");
        } else if let Some((before, rest)) = line.split_once("fn ")
            && !before.contains("//")
            && std::mem::take(&mut marked)
        {
            names.extend(rest.split('(').next());
        }
    }
    names
}

#[test]
fn an_open_row_with_a_test_and_a_missing_test_are_both_noticed() {
    let page = "| F01 | a | b | open |\n| F02 | a | b | [`f02_gone`](../a.rs) |\n| G1 | c | open: later |\n| no row |\n";
    let path = PathBuf::from("a.rs");
    let tests = Tests::from([(('F', 1), BTreeSet::from([(path, "f01_held".to_owned())]))]);
    let expected = "| F01 | a | b | [`f01_held`](../a.rs) |\n| F02 | a | b | open |\n| G1 | c | open: later |\n| no row |\n";
    assert_eq!(filled(page, &tests), expected);
}

#[test]
fn a_code_counts_in_the_name_of_a_test_alone() {
    let text = "#[test]\nfn f01_s2_a() {}\nfn f03_helper() {}\n#[cfg(test)]\nmod tests {\n  #[tokio::test(start_paused)]\n  \
                async fn p50_b() {}\n}";
    assert_eq!(named_tests(text), ["f01_s2_a", "p50_b"]);
    let codes: Vec<Code> = "f01_s2_a".split('_').map_while(code).collect();
    assert_eq!(codes, [('F', 1), ('S', 2)]);
}
