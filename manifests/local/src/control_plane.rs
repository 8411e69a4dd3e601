//! etcd, kube-apiserver, controller-manager and scheduler.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use crate::addresses::{
    APISERVER_PORT, CONTROLLER_MANAGER_PORT, ETCD_CLIENT_PORT, ETCD_PEER_PORT, HOST, POD_RANGE,
    SCHEDULER_PORT, SERVICE_RANGE,
};
use crate::command::{self, CommandError};
use crate::paths::Paths;
use crate::process::{self, ProcessError, Server};

/// etcd answers in under a second; on a machine that compiles beside it, in a few.
const ETCD_BOUND: Duration = Duration::from_mins(1);
/// kube-apiserver needs about three seconds alone on two cores.
const APISERVER_BOUND: Duration = Duration::from_mins(3);
/// Controller-manager and scheduler start after the apiserver and need a second or two.
const MANAGER_BOUND: Duration = Duration::from_mins(2);

/// Where an etcd and an apiserver listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address of the apiserver.
    pub apiserver_address: String,
    /// The port of the apiserver.
    pub apiserver_port: u16,
    /// The port of etcd for clients, on loopback.
    pub etcd_client_port: u16,
    /// The port of etcd for peers, on loopback.
    pub etcd_peer_port: u16,
}

impl Listen {
    /// The fixed addresses of the full cluster.
    pub fn full_cluster() -> Self {
        Self {
            apiserver_address: HOST.to_owned(),
            apiserver_port: APISERVER_PORT,
            etcd_client_port: ETCD_CLIENT_PORT,
            etcd_peer_port: ETCD_PEER_PORT,
        }
    }

    /// The URL clients reach the apiserver by.
    pub fn server_url(&self) -> String {
        format!("https://{}:{}", self.apiserver_address, self.apiserver_port)
    }

    /// Whether the apiserver takes connections: a cheap question to ask before [`api_ready`], which
    /// starts a program each time.
    pub async fn is_open(&self) -> bool {
        let address = (self.apiserver_address.as_str(), self.apiserver_port);
        tokio::net::TcpStream::connect(address).await.is_ok()
    }

    fn etcd_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_client_port)
    }
}

/// etcd without fsync: right for a cluster that is thrown away, wrong anywhere else.
pub fn etcd(paths: &Paths, listen: &Listen) -> Server {
    let client = listen.etcd_url();
    let peer = format!("http://127.0.0.1:{}", listen.etcd_peer_port);
    Server {
        name: "etcd".into(),
        command: vec![
            "etcd".into(),
            flag("data-dir", paths.data("etcd").display()),
            flag("name", "floodgate-local"),
            flag("listen-client-urls", &client),
            flag("advertise-client-urls", &client),
            flag("listen-peer-urls", &peer),
            flag("initial-advertise-peer-urls", &peer),
            flag("initial-cluster", format!("floodgate-local={peer}")),
            flag("auto-compaction-retention", "5m"),
            "--unsafe-no-fsync".into(),
            flag("logger", "zap"),
        ],
        ..Server::default()
    }
}

/// The apiserver. `standalone` leaves out what needs the controllers of a full cluster.
pub fn apiserver(paths: &Paths, listen: &Listen, standalone: Standalone) -> Server {
    let pki = |file: &str| paths.pki(file).display().to_string();
    let mut command = vec![
        paths.program("kube-apiserver").display().to_string(),
        flag("bind-address", &listen.apiserver_address),
        flag("secure-port", listen.apiserver_port),
        flag("etcd-servers", listen.etcd_url()),
        flag("service-cluster-ip-range", SERVICE_RANGE),
        flag("client-ca-file", pki("ca.crt")),
        flag("tls-cert-file", pki("apiserver.crt")),
        flag("tls-private-key-file", pki("apiserver.key")),
        flag("service-account-issuer", "https://kubernetes.default.svc"),
        flag("service-account-key-file", pki("service-account.pub")),
        flag(
            "service-account-signing-key-file",
            pki("service-account.key"),
        ),
        flag("authorization-mode", "Node,RBAC"),
        flag("profiling", "false"),
        flag("requestheader-client-ca-file", pki("front-proxy-ca.crt")),
        flag("requestheader-allowed-names", "front-proxy-client"),
        flag("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        flag("requestheader-group-headers", "X-Remote-Group"),
        flag("requestheader-username-headers", "X-Remote-User"),
        flag("proxy-client-cert-file", pki("front-proxy-client.crt")),
        flag("proxy-client-key-file", pki("front-proxy-client.key")),
    ];
    match standalone {
        // Nobody makes service accounts or reads leases here, so admission must not ask for the
        // first, and starting is quicker without the second.
        Standalone::Yes => command.extend([
            flag("advertise-address", "127.0.0.1"),
            flag("disable-admission-plugins", "ServiceAccount"),
            flag("watch-cache", "true"),
        ]),
        Standalone::No => command.extend([
            flag("advertise-address", &listen.apiserver_address),
            flag("allow-privileged", "true"),
            flag("enable-admission-plugins", "NodeRestriction"),
            flag(
                "kubelet-client-certificate",
                pki("apiserver-kubelet-client.crt"),
            ),
            flag("kubelet-client-key", pki("apiserver-kubelet-client.key")),
            flag("kubelet-certificate-authority", pki("ca.crt")),
            flag("kubelet-preferred-address-types", "InternalIP"),
        ]),
    }
    Server {
        name: "kube-apiserver".into(),
        command,
        settings: vec![paths.pki("apiserver.crt")],
        ..Server::default()
    }
}

/// Whether an apiserver runs alone or in a full cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standalone {
    /// Only etcd beside it.
    Yes,
    /// Controllers, a scheduler and a node beside it.
    No,
}

/// Starts etcd and the apiserver and waits until the apiserver is ready.
pub async fn start_api(paths: &Paths, listen: &Listen) -> Result<(), ProcessError> {
    process::ensure_running(paths, &etcd(paths, listen)).await?;
    process::ensure_running(paths, &apiserver(paths, listen, Standalone::No)).await?;
    let etcd_health = format!("{}/health", listen.etcd_url());
    process::wait_ready(paths, "etcd", ETCD_BOUND, || answers(etcd_health.clone())).await?;
    process::wait_ready(paths, "kube-apiserver", APISERVER_BOUND, || async {
        listen.is_open().await && api_ready(paths).await
    })
    .await
}

/// Starts the controller-manager and the scheduler and waits until both do their work.
pub async fn start_managers(paths: &Paths) -> Result<(), ProcessError> {
    for server in [controller_manager(paths), scheduler(paths)] {
        process::ensure_running(paths, &server).await?;
    }
    // The first default service account shows that controllers run.
    process::wait_ready(paths, "kube-controller-manager", MANAGER_BOUND, || {
        kubectl_succeeds(
            paths,
            &["get", "serviceaccount", "default", "--namespace", "default"],
        )
    })
    .await?;
    process::wait_ready(paths, "kube-scheduler", MANAGER_BOUND, || async {
        // The scheduler serves HTTPS; an open port is all that is asked of it here, the first pod
        // shows the rest.
        tokio::net::TcpStream::connect(("127.0.0.1", SCHEDULER_PORT))
            .await
            .is_ok()
    })
    .await
}

fn controller_manager(paths: &Paths) -> Server {
    let kubeconfig = paths.kubeconfig("controller-manager");
    let mut command = vec![
        paths
            .program("kube-controller-manager")
            .display()
            .to_string(),
        flag("secure-port", CONTROLLER_MANAGER_PORT),
        flag("cluster-cidr", POD_RANGE),
        flag("root-ca-file", paths.pki("ca.crt").display()),
        flag(
            "service-account-private-key-file",
            paths.pki("service-account.key").display(),
        ),
        flag("use-service-account-credentials", "true"),
    ];
    command.extend(manager_flags(&kubeconfig));
    Server {
        name: "kube-controller-manager".into(),
        command,
        settings: vec![kubeconfig, paths.pki("ca.crt")],
        ..Server::default()
    }
}

fn scheduler(paths: &Paths) -> Server {
    let kubeconfig = paths.kubeconfig("scheduler");
    let mut command = vec![
        paths.program("kube-scheduler").display().to_string(),
        flag("secure-port", SCHEDULER_PORT),
    ];
    command.extend(manager_flags(&kubeconfig));
    Server {
        name: "kube-scheduler".into(),
        command,
        settings: vec![kubeconfig, paths.pki("ca.crt")],
        ..Server::default()
    }
}

/// One instance each, so no leader is elected; client limits far above what one node asks for, so
/// that twenty pods at once are not held back.
fn manager_flags(kubeconfig: &Path) -> [String; 8] {
    [
        flag("kubeconfig", kubeconfig.display()),
        flag("authentication-kubeconfig", kubeconfig.display()),
        flag("authorization-kubeconfig", kubeconfig.display()),
        flag("bind-address", "127.0.0.1"),
        flag("leader-elect", "false"),
        flag("kube-api-qps", "300"),
        flag("kube-api-burst", "600"),
        flag("profiling", "false"),
    ]
}

/// Whether the apiserver reports itself ready.
pub async fn api_ready(paths: &Paths) -> bool {
    kubectl_succeeds(paths, &["get", "--raw", "/readyz"]).await
}

async fn kubectl_succeeds(paths: &Paths, arguments: &[&str]) -> bool {
    command::output(kubectl(paths).args(arguments))
        .await
        .is_ok()
}

/// Applies manifests, YAML or JSON, as the cluster's admin.
pub async fn apply(paths: &Paths, manifests: &str) -> Result<(), CommandError> {
    let mut apply = kubectl(paths);
    apply.args([
        "apply",
        "--server-side",
        "--force-conflicts",
        "--filename=-",
    ]);
    command::output_with_input(&mut apply, manifests).await?;
    Ok(())
}

/// kubectl as the cluster's admin.
pub fn kubectl(paths: &Paths) -> Command {
    let mut command = Command::new(paths.program("kubectl"));
    command
        .arg("--kubeconfig")
        .arg(paths.kubeconfig("admin"))
        .arg("--request-timeout=20s");
    command
}

/// Whether a URL answers with success.
pub async fn answers(url: String) -> bool {
    reqwest::get(url)
        .await
        .is_ok_and(|answer| answer.status().is_success())
}

fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_apiserver_asks_for_nothing_that_a_controller_makes() {
        let paths = Paths::at("/cluster".into());
        let lone = apiserver(&paths, &Listen::full_cluster(), Standalone::Yes).command;
        assert!(lone.contains(&"--disable-admission-plugins=ServiceAccount".to_owned()));
        assert!(!lone.iter().any(|word| word.starts_with("--kubelet-")));
    }

    #[test]
    fn etcd_is_reached_on_loopback_only() {
        let paths = Paths::at("/cluster".into());
        let command = etcd(&paths, &Listen::full_cluster()).command;
        let urls = command.iter().filter(|word| word.contains("://"));
        assert!(urls.clone().count() >= 4);
        assert!(urls.into_iter().all(|word| word.contains("://127.0.0.1:")));
    }
}
