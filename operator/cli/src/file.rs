//! Saved objects: what `kubectl get -o yaml` wrote, or what is about to be applied.

use std::io::Read;
use std::path::{Path, PathBuf};

use floodgate_api::{PaymentCluster, SaleEvent};
use k8s_openapi::api::core::v1::Event;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Largest file that is read, bytes: two thousand objects of the largest size etcd takes are not
/// what a person saved.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read `{}`", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// It is larger than anything that was meant.
    #[error("`{}` must be at most {} MiB", .0.display(), BYTES_MAX / 1024 / 1024)]
    TooLarge(PathBuf),
    /// It is no YAML.
    #[error("`{}` must be YAML or JSON", .0.display())]
    Syntax(PathBuf, #[source] Box<serde_saphyr::Error>),
    /// An object in it is not what its kind says.
    #[error("{kind} `{name}` in `{}` cannot be read", path.display())]
    Object {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// What stands in one or more files; other kinds are passed over.
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
        let mut saved = Self::default();
        for path in paths {
            let text = text(path)?;
            let documents: Vec<Value> = serde_saphyr::from_multiple(&text)
                .map_err(|source| FileError::Syntax(path.clone(), Box::new(source)))?;
            for document in documents {
                saved.take(path, document)?;
            }
        }
        Ok(saved)
    }

    fn take(&mut self, path: &Path, document: Value) -> Result<(), FileError> {
        let kind = document["kind"].as_str().unwrap_or_default().to_owned();
        if kind == "List" || kind.ends_with("List") {
            let items = document["items"].as_array().cloned().unwrap_or_default();
            return items.into_iter().try_for_each(|item| self.take(path, item));
        }
        match kind.as_str() {
            "PaymentCluster" => self.clusters.push(object(path, &kind, document)?),
            "SaleEvent" => self.sales.push(object(path, &kind, document)?),
            "Event" => self.events.push(object(path, &kind, document)?),
            _ => {}
        }
        Ok(())
    }
}

/// The text of a file, or of standard input for `-`.
pub fn text(path: &Path) -> Result<String, FileError> {
    let failed = |source| FileError::Read(path.to_owned(), source);
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .take(BYTES_MAX + 1)
            .read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(BYTES_MAX + 1).read_to_string(&mut text)
    };
    let bytes = read.map_err(failed)?;
    if bytes as u64 > BYTES_MAX {
        return Err(FileError::TooLarge(path.to_owned()));
    }
    Ok(text)
}

fn object<K: DeserializeOwned>(path: &Path, kind: &str, document: Value) -> Result<K, FileError> {
    let name = document["metadata"]["name"].as_str().unwrap_or_default();
    let name = name.to_owned();
    serde_json::from_value(document).map_err(|source| FileError::Object {
        kind: kind.to_owned(),
        name,
        path: path.to_owned(),
        source,
    })
}
