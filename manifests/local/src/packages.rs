//! The Debian packages the cluster needs, installed without starting a service of theirs.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::command::{self, CommandError};
use crate::process::Identity;

/// Each package, and a file or program that shows it is there.
const PACKAGES: [(&str, &str); 12] = [
    ("containerd", "/usr/bin/containerd"),
    ("runc", "/usr/sbin/runc"),
    ("containernetworking-plugins", "/usr/lib/cni/bridge"),
    ("etcd-server", "/usr/bin/etcd"),
    ("prometheus", "/usr/bin/prometheus"),
    ("redis-server", "/usr/bin/redis-server"),
    ("postgresql", "/usr/lib/postgresql"),
    ("nats-server", "/usr/sbin/nats-server"),
    ("iproute2", "/usr/bin/ip"),
    ("nftables", "/usr/sbin/nft"),
    ("conntrack", "/usr/sbin/conntrack"),
    ("ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
];

/// Debian asks this program whether a service may be started by its package.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Begins the line of our policy that names the process it was made by.
const MARK: &str = "# made while floodgate-local installs packages, by ";

/// Packages could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum PackagesError {
    /// apt-get failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Service starts could not be held back.
    #[error("cannot write {POLICY}")]
    Policy(#[from] io::Error),
}

/// The packages this machine lacks.
pub fn missing() -> Vec<&'static str> {
    PACKAGES
        .iter()
        .filter(|(_, shows)| !Path::new(shows).exists())
        .map(|(package, _)| *package)
        .collect()
}

/// The policy of an installation of ours that was broken off, as by Ctrl-C, if there is one.
pub fn left_behind() -> Option<PathBuf> {
    let policy = Path::new(POLICY);
    is_left_behind(policy).then(|| policy.to_owned())
}

/// Whether the file is marked as ours, and the process that made it has ended.
fn is_left_behind(policy: &Path) -> bool {
    let Ok(text) = fs::read_to_string(policy) else {
        return false;
    };
    let maker = text.lines().find_map(|line| line.strip_prefix(MARK));
    maker.is_some_and(|maker| {
        !serde_json::from_str(maker).is_ok_and(|identity: Identity| identity.is_alive())
    })
}

/// Installs what is missing. Returns the names that were.
pub async fn ensure() -> Result<Vec<&'static str>, PackagesError> {
    if let Some(policy) = left_behind() {
        fs::remove_file(policy)?;
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(missing);
    }
    let _held = HeldServices::hold(Path::new(POLICY))?;
    let mut update = Command::new("apt-get");
    command::output(update.args(["update", "--quiet"])).await?;
    let mut install = Command::new("apt-get");
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        // Another installation may be under way on a machine that was just made.
        .arg("--option=DPkg::Lock::Timeout=300")
        .args(&missing);
    command::output(&mut install).await?;
    Ok(missing)
}

/// While this lives, installing a package starts no service. A policy that was there is kept.
struct HeldServices {
    made: Option<PathBuf>,
}

impl HeldServices {
    fn hold(policy: &Path) -> io::Result<Self> {
        if policy.exists() {
            return Ok(Self { made: None });
        }
        let maker = serde_json::to_string(&Identity::of(std::process::id()))?;
        fs::write(policy, format!("#!/bin/sh\n{MARK}{maker}\nexit 101\n"))?;
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
        Ok(Self {
            made: Some(policy.to_owned()),
        })
    }
}

impl Drop for HeldServices {
    fn drop(&mut self) {
        if let Some(policy) = &self.made {
            // Left behind it would keep services of later packages from starting, no more.
            let _kept = fs::remove_file(policy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_left_behind_once_its_maker_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy-rc.d");
        let held = HeldServices::hold(&policy).unwrap();
        assert!(!is_left_behind(&policy), "its maker still installs");
        let text = fs::read_to_string(&policy).unwrap();
        drop(held);
        assert!(!policy.exists());

        let mut other = std::process::Command::new("true").spawn().unwrap();
        let [own, other_id] = [std::process::id(), other.id()]
            .map(|pid| serde_json::to_string(&Identity::of(pid)).unwrap());
        other.wait().unwrap();
        fs::write(&policy, text.replace(&own, &other_id)).unwrap();
        assert!(is_left_behind(&policy));
    }

    #[test]
    fn a_policy_of_somebody_else_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy-rc.d");
        fs::write(&policy, "#!/bin/sh\nexit 101\n").unwrap();
        drop(HeldServices::hold(&policy).unwrap());
        assert!(policy.exists());
        assert!(!is_left_behind(&policy));
    }
}
