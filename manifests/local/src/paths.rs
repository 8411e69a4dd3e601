//! Where everything of the local cluster lies: below one folder of `target/`.
//!
//! Invariant: nothing the cluster writes lies outside this folder, except what the kernel and
//! Kubernetes hard-code (`/run/containerd`, `/var/log/containers`), which `leftovers` knows.

use std::path::{Path, PathBuf};

/// The folder of a local cluster and the names inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
}

impl Paths {
    /// The folder of the one full cluster of this checkout, `target/local`.
    pub fn of_this_checkout() -> Self {
        Self {
            root: workspace().join("target/local"),
        }
    }

    /// A folder of its own, for clusters that live beside the full one.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The Kubernetes programs, `kubectl` among them.
    ///
    /// They are built once per checkout, so every cluster of the checkout shares them.
    pub fn bin(&self) -> PathBuf {
        workspace().join("target/local/bin")
    }

    /// One of the Kubernetes programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin().join(name)
    }

    /// Certificates and keys.
    pub fn pki(&self, file: &str) -> PathBuf {
        self.root.join("pki").join(file)
    }

    /// The kubeconfig of one client, `admin` for people.
    pub fn kubeconfig(&self, client: &str) -> PathBuf {
        self.root.join("kubeconfig").join(client)
    }

    /// A configuration file rendered for a server.
    pub fn config(&self, file: &str) -> PathBuf {
        self.root.join("config").join(file)
    }

    /// The data folder of one server.
    pub fn data(&self, name: &str) -> PathBuf {
        self.root.join("data").join(name)
    }

    /// Sockets and process records: what describes the running cluster and dies with it.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The socket of containerd.
    pub fn containerd_socket(&self) -> PathBuf {
        self.run().join("containerd.sock")
    }

    /// The log of one server or step.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }
}

/// The root of the checkout this program was built from.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
