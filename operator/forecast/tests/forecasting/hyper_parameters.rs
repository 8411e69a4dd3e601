//! `models/hyper-parameters.json` holds every constant of the method as it stands in the code.
//! `UPDATE_GOLDEN=1` rewrites it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Constants of one module: name, value and what it is, as its source says.
fn constants(text: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut doc: Vec<&str> = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix("///") {
            doc.push(words.trim());
            continue;
        }
        let bare = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub ");
        if let Some(rest) = bare
            .strip_prefix("const ")
            .filter(|rest| !rest.starts_with("fn "))
        {
            let mut whole = rest.to_owned();
            while !whole.ends_with(';') {
                let Some(more) = lines.next() else { break };
                whole.push_str(more);
            }
            if let Some((name, value)) = whole.trim_end_matches(';').split_once(" = ") {
                let name = name.split(':').next().unwrap_or(name).trim();
                found.insert(
                    name.to_owned(),
                    json!({ "value": value, "what": doc.join(" ") }),
                );
            }
        }
        doc.clear();
    }
    found
}

fn modules(folder: &Path) -> BTreeMap<String, Value> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    let read = files.iter().map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, constants(&std::fs::read_to_string(path).unwrap()))
    });
    let chosen = read.filter(|(_, constants)| !constants.is_empty());
    chosen
        .map(|(name, constants)| (name, json!(constants)))
        .collect()
}

#[test]
fn the_chosen_hyper_parameters_are_those_of_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = modules(&root.join("src"));
    assert!(
        found.contains_key("fit") && found.contains_key("train"),
        "{found:?}"
    );
    let now = format!("{:#}\n", json!(found));
    let path = root.join("../../models/hyper-parameters.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == now,
        "{} differs from the code; UPDATE_GOLDEN=1 rewrites it",
        path.display()
    );
}
