//! The bridge that pods hang on, and the kernel settings the cluster needs.
//!
//! What a setting was before is kept in the cluster's folder, so that `down` puts it back.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::addresses::{BRIDGE, HOST_WITH_PREFIX};
use crate::command::{self, CommandError};
use crate::file::{self, FileError};
use crate::paths::Paths;

/// The network could not be set up or taken down.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A tool failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A kernel setting could not be read or written.
    #[error(transparent)]
    Setting(#[from] FileError),
}

/// Settings to make, and those that the kubelet is known to make by itself.
const FORWARDING: &str = "net/ipv4/ip_forward";
const KEPT: [&str; 6] = [
    FORWARDING,
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
];

/// Makes the bridge with the address of the machine, and lets the kernel forward.
///
/// Returns true if the bridge was made by this call.
pub async fn ensure(paths: &Paths) -> Result<bool, NetworkError> {
    keep_settings(paths)?;
    let made = !bridge_exists();
    if made {
        ip(&["link", "add", BRIDGE, "type", "bridge"]).await?;
    }
    ip(&["address", "replace", HOST_WITH_PREFIX, "dev", BRIDGE]).await?;
    ip(&["link", "set", BRIDGE, "up"]).await?;
    write_setting(FORWARDING, "1")?;
    Ok(made)
}

/// Removes the bridge with every link on it, kube-proxy's tables, and restores kernel settings.
pub async fn remove(paths: &Paths) -> Result<(), NetworkError> {
    for link in links_on_bridge() {
        // A link vanishes with its pod's namespace, maybe just now.
        let _vanished = ip(&["link", "delete", &link]).await;
    }
    if bridge_exists() {
        ip(&["link", "delete", BRIDGE]).await?;
    }
    for (family, table) in proxy_tables().await? {
        command::output(Command::new("nft").args(["delete", "table", &family, &table])).await?;
    }
    restore_settings(paths)
}

/// Whether the bridge exists.
pub fn bridge_exists() -> bool {
    Path::new("/sys/class/net").join(BRIDGE).exists()
}

/// The pods' links that hang on the bridge.
pub fn links_on_bridge() -> Vec<String> {
    let folder = Path::new("/sys/class/net").join(BRIDGE).join("brif");
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// The firewall tables that kube-proxy made: family and name.
pub async fn proxy_tables() -> Result<Vec<(String, String)>, CommandError> {
    tables_listed_by("nft").await
}

/// Where the tool is not installed yet, kube-proxy cannot have made a table.
async fn tables_listed_by(nft: &str) -> Result<Vec<(String, String)>, CommandError> {
    match command::output(Command::new(nft).args(["list", "tables"])).await {
        Ok(listing) => Ok(tables_named(&listing, "kube-proxy")),
        Err(CommandError::Start { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn tables_named(listing: &str, name: &str) -> Vec<(String, String)> {
    listing
        .lines()
        .filter_map(|line| {
            let mut parts = line.split_whitespace().skip(1);
            let family = parts.next()?;
            (parts.next()? == name).then(|| (family.to_owned(), name.to_owned()))
        })
        .collect()
}

async fn ip(arguments: &[&str]) -> Result<String, CommandError> {
    command::output(Command::new("ip").args(arguments)).await
}

fn keep_settings(paths: &Paths) -> Result<(), NetworkError> {
    let kept = kept_file(paths);
    if kept.exists() {
        return Ok(());
    }
    let values: BTreeMap<_, _> = KEPT
        .iter()
        .filter_map(|name| Some((*name, fs::read_to_string(setting(name)).ok()?)))
        .collect();
    let failed = FileError::of("change", &kept);
    let text = serde_json::to_vec(&values).map_err(|error| failed(error.into()))?;
    Ok(file::write(&kept, &text)?)
}

fn restore_settings(paths: &Paths) -> Result<(), NetworkError> {
    let kept = kept_file(paths);
    let Ok(text) = fs::read(&kept) else {
        return Ok(());
    };
    let failed = FileError::of("change", &kept);
    let values: BTreeMap<String, String> =
        serde_json::from_slice(&text).map_err(|error| failed(error.into()))?;
    for (name, value) in &values {
        write_setting(name, value.trim())?;
    }
    Ok(fs::remove_file(&kept).map_err(failed)?)
}

fn write_setting(name: &str, value: &str) -> Result<(), NetworkError> {
    let path = setting(name);
    if fs::read_to_string(&path).is_ok_and(|now| now.trim() == value) {
        return Ok(());
    }
    Ok(fs::write(&path, value).map_err(FileError::of("change", &path))?)
}

fn setting(name: &str) -> PathBuf {
    Path::new("/proc/sys").join(name)
}

fn kept_file(paths: &Paths) -> PathBuf {
    paths.root().join("settings-before.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_machine_without_the_firewall_tool_has_no_tables() {
        assert!(tables_listed_by("no-such-nft").await.unwrap().is_empty());
        assert!(tables_listed_by("false").await.is_err());
    }

    #[test]
    fn only_the_tables_of_kube_proxy_are_ours() {
        let listing = "table ip filter\ntable ip kube-proxy\ntable ip6 kube-proxy\ntable inet x\n";
        let tables = tables_named(listing, "kube-proxy");
        assert_eq!(tables.len(), 2);
        assert_eq!(tables[1], ("ip6".to_owned(), "kube-proxy".to_owned()));
    }
}
