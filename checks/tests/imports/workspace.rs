//! The crates of the workspace and what each may depend on.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// Depend on nothing of ours.
const LEAVES: &[&str] = &["floodgate-words", "floodgate-trace", "floodgate-picture"];

/// Beside the leaves, what each crate may depend on; tests may use more.
const MAY_USE: &[(&str, &[&str])] = &[
    ("floodgate-contract", &[]),
    ("floodgate-api", &[]),
    ("floodgate-forecast", &[]),
    ("floodgate-planner", &["floodgate-forecast"]),
    (
        "floodgate-settings",
        &["floodgate-api", "floodgate-planner"],
    ),
    ("floodgate-prometheus", &["floodgate-contract"]),
    ("floodgate-operator", OPERATORS_FLOOR),
    ("kubectl-floodgate", OPERATORS_FLOOR),
    ("floodgate-tune", &["floodgate-forecast"]),
    ("payment-svc", &["floodgate-contract"]),
    ("payment-load", &["floodgate-contract"]),
    ("floodgate-local", &["floodgate-contract"]),
    ("floodgate-checks", &["floodgate-api"]),
];

const OPERATORS_FLOOR: &[&str] = &[
    "floodgate-api",
    "floodgate-contract",
    "floodgate-forecast",
    "floodgate-planner",
    "floodgate-prometheus",
    "floodgate-settings",
];

/// Compile without a runtime, a client or a socket.
const PURE: &[&str] = &[
    "floodgate-words",
    "floodgate-trace",
    "floodgate-picture",
    "floodgate-api",
    "floodgate-contract",
    "floodgate-forecast",
    "floodgate-planner",
    "floodgate-settings",
];
const IMPURE: &[&str] = &[
    "tokio",
    "kube-client",
    "kube-runtime",
    "hyper",
    "reqwest",
    "mio",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
pub struct Package {
    pub name: String,
    pub targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub struct Target {
    pub kind: Vec<String>,
    pub src_path: PathBuf,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `None` for what ships.
    kind: Option<String>,
    /// `None` for the registry.
    path: Option<PathBuf>,
}

impl Package {
    /// The roots of what ships: no tests, benches or examples.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        let ships = |target: &&Target| {
            target
                .kind
                .iter()
                .any(|kind| kind == "lib" || kind == "bin")
        };
        self.targets
            .iter()
            .filter(ships)
            .map(|target| target.src_path.as_path())
    }

    /// What is wrong with its dependencies on crates of ours.
    pub fn forbidden_dependencies(&self) -> Vec<String> {
        let name = self.name.as_str();
        let allowed = MAY_USE
            .iter()
            .find(|(of, _)| *of == name)
            .map(|(_, allowed)| *allowed);
        let leaf = LEAVES.contains(&name);
        if allowed.is_none() && !leaf {
            return vec![format!(
                "{name}: say in MAY_USE which of our crates it may depend on"
            )];
        }
        let shipped = self
            .dependencies
            .iter()
            .filter(|one| one.kind.is_none() && one.path.is_some());
        let may = |of: &str| {
            !leaf && (LEAVES.contains(&of) || allowed.is_some_and(|all| all.contains(&of)))
        };
        shipped
            .filter(|one| !may(&one.name))
            .map(|one| format!("{name} must not depend on {}", one.name))
            .collect()
    }

    /// What a pure crate brings in that is none.
    pub fn impurities(&self) -> Vec<String> {
        if !PURE.contains(&self.name.as_str()) {
            return Vec::new();
        }
        let tree = cargo(&["tree", "-p", &self.name, "-e", "normal", "--prefix", "none"]);
        let crates = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let mut found: Vec<&str> = crates.filter(|name| IMPURE.contains(name)).collect();
        found.sort_unstable();
        found.dedup();
        found
            .iter()
            .map(|bad| format!("{} is pure and brings in {bad}", self.name))
            .collect()
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

pub fn packages() -> Vec<Package> {
    let metadata: Metadata =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    metadata.packages
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
