//! Saved objects: what `kubectl get -o yaml` wrote, or what is about to be applied.
//!
//! Invariant: what an apiserver would refuse as misspelt is refused here too, all of it at once.

mod strict;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use floodgate_api::{PaymentCluster, SaleEvent};
use k8s_openapi::api::core::v1::Event;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use serde_saphyr::UserMessageFormatter;
use strict::Schemas;

/// Largest file that is read, bytes: two thousand objects of the largest size etcd takes are not
/// what a person saved.
const BYTES_MAX: u64 = 64 << 20;

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error(transparent)]
    Text(#[from] floodgate_trace::FileError),
    /// It is no YAML.
    #[error("`{}` must be YAML or JSON: {cause}", path.display())]
    Syntax {
        path: PathBuf,
        /// What is wrong, and where.
        cause: String,
    },
    /// A document in it is no object.
    #[error("`{}` holds {what}; must hold Kubernetes objects, each with its `kind`", path.display())]
    NoObject { path: PathBuf, what: &'static str },
    /// Objects hold what their kinds do not know.
    #[error("{}", one_a_line(.0))]
    Misspelt(Vec<String>),
    /// Two objects of the same kind, namespace and name.
    #[error("{kind} `{name}` is in the files twice; must be there once")]
    Twice { kind: String, name: String },
    /// An object in it is not what its kind says.
    #[error("{kind} `{name}` in `{}` cannot be read: {cause}", path.display())]
    Object {
        kind: String,
        name: String,
        path: PathBuf,
        cause: String,
    },
}

/// Several complaints, one a line.
fn one_a_line(complaints: &[String]) -> String {
    match complaints {
        [one] => one.clone(),
        many => format!("{} mistakes\n  {}", many.len(), many.join("\n  ")),
    }
}

/// The objects in one or more files; other kinds are passed over.
#[derive(Debug, Default)]
pub struct Saved {
    /// Clusters, in the order of the files.
    pub clusters: Vec<PaymentCluster>,
    /// Sales, in the order of the files.
    pub sales: Vec<SaleEvent>,
    /// Events of the core group, in the order of the files.
    pub events: Vec<Event>,
}

impl Saved {
    /// Reads files; `-` is standard input.
    pub fn read(paths: &[PathBuf]) -> Result<Self, FileError> {
        let mut documents = Vec::new();
        for path in paths {
            let text = text(path)?;
            let read: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, options())
                .map_err(|error| FileError::Syntax {
                    path: path.clone(),
                    cause: error
                        .without_snippet()
                        .render_with_formatter(&UserMessageFormatter),
                })?;
            for document in read {
                gather(path, document, &mut documents)?;
            }
        }
        let schemas = Schemas::new();
        let complaints: Vec<String> = documents
            .iter()
            .flat_map(|(path, document)| misspelt(path, document, &schemas))
            .collect();
        if !complaints.is_empty() {
            return Err(FileError::Misspelt(complaints));
        }
        let mut saved = Self::default();
        for (path, document) in documents {
            saved.take(path, document)?;
        }
        once(&saved.clusters)?;
        once(&saved.sales)?;
        Ok(saved)
    }

    fn take(&mut self, path: &Path, document: Value) -> Result<(), FileError> {
        let kind = document["kind"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "PaymentCluster" => self.clusters.push(object(path, &kind, document)?),
            "SaleEvent" => self.sales.push(object(path, &kind, document)?),
            "Event" => self.events.push(object(path, &kind, document)?),
            _ => {}
        }
        Ok(())
    }
}

/// Ten thousand clusters with their status are more than any configuration, for which the limits of
/// the parser are meant; those on aliases, which no `kubectl get` writes, stay.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000_000,
            max_nodes: 10_000_000,
            max_documents: 20_000,
        },
    }
}

/// The objects of a document, those of a list one by one; an empty document has none.
fn gather<'a>(
    path: &'a Path,
    document: Value,
    into: &mut Vec<(&'a Path, Value)>,
) -> Result<(), FileError> {
    let what = match &document {
        Value::Null => return Ok(()),
        Value::Object(_) => {
            let kind = document["kind"].as_str().unwrap_or_default();
            if kind.ends_with("List") {
                let Some(items) = document["items"].as_array() else {
                    let (path, what) = (path.to_owned(), "a list without `items`");
                    return Err(FileError::NoObject { path, what });
                };
                return items
                    .iter()
                    .try_for_each(|item| gather(path, item.clone(), into));
            }
            into.push((path, document));
            return Ok(());
        }
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Bool(_) | Value::Number(_) => "a bare value",
    };
    let path = path.to_owned();
    Err(FileError::NoObject { path, what })
}

/// What an object of a file holds that its kind does not know, each with file, kind and name.
fn misspelt(path: &Path, document: &Value, schemas: &Schemas) -> Vec<String> {
    let text = |value: &Value, none: &str| value.as_str().unwrap_or(none).to_owned();
    let kind = text(&document["kind"], "an object");
    let name = text(&document["metadata"]["name"], "");
    let found = strict::unknown(document, schemas).into_iter();
    let whole = found.map(|what| format!("`{}`: {kind} `{name}`: {what}", path.display()));
    whole.collect()
}

/// Refuses two objects of one namespace and name.
fn once<K: Resource<DynamicType = ()>>(objects: &[K]) -> Result<(), FileError> {
    let mut seen = BTreeSet::new();
    let repeated = |one: &&K| !seen.insert((one.namespace(), one.name_any()));
    match objects.iter().find(repeated) {
        Some(one) => Err(FileError::Twice {
            kind: K::kind(&()).into_owned(),
            name: one.name_any(),
        }),
        None => Ok(()),
    }
}

/// The text of a file, or of standard input for `-`.
pub fn text(path: &Path) -> Result<String, FileError> {
    Ok(floodgate_trace::text(path, BYTES_MAX)?)
}

fn object<K: DeserializeOwned>(path: &Path, kind: &str, document: Value) -> Result<K, FileError> {
    let name = document["metadata"]["name"].as_str().unwrap_or_default();
    let name = name.to_owned();
    serde_path_to_error::deserialize(document).map_err(|error| FileError::Object {
        kind: kind.to_owned(),
        name,
        path: path.to_owned(),
        cause: format!("`{}`: {}", error.path(), error.inner()),
    })
}
