//! The apiserver all tests share, a namespace for each, and people with their rights in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use floodgate_local::ApiOnlyCluster;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Users bound to the roles that are shipped.
pub const EDITOR: &str = "editor";
pub const VIEWER: &str = "viewer";

/// How long what must come may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

struct Shared {
    cluster: ApiOnlyCluster,
    folder: TempDir,
    before_crds: Ran,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

/// What a run left.
#[derive(Clone, Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A namespace of its own on the shared apiserver.
pub struct Stage {
    namespace: &'static str,
}

impl Stage {
    /// A namespace with a cluster `till` in it, an editor and a viewer.
    pub fn with_till(namespace: &'static str) -> Self {
        let stage = Self { namespace };
        kubectl(&["create", "namespace", namespace], "");
        for (user, role) in [(EDITOR, "floodgate-edit"), (VIEWER, "floodgate-view")] {
            let (role, user) = (format!("--clusterrole={role}"), format!("--user={user}"));
            kubectl(
                &[
                    "create",
                    "rolebinding",
                    &user[7..],
                    &role,
                    &user,
                    "-n",
                    namespace,
                ],
                "",
            );
        }
        let till = include_str!("../plugin/fixtures/till.yaml");
        let mut till: Value = serde_saphyr::from_str(till).unwrap();
        till["metadata"] = json!({ "name": "till", "namespace": namespace, "annotations": { "example.com/team": "payments" } });
        till.as_object_mut().unwrap().remove("status");
        kubectl(&["create", "-f", "-"], &till.to_string());
        stage.await_right(EDITOR, "patch");
        stage.await_right(VIEWER, "list");
        stage
    }

    fn await_right(&self, user: &str, verb: &str) {
        let begin = Instant::now();
        let can_i = [
            "auth",
            "can-i",
            verb,
            "paymentclusters.floodgate.dev",
            "-n",
            self.namespace,
            "--as",
            user,
        ];
        while ran(
            Command::new(shared().cluster.kubectl()).args(can_i),
            &admin(),
            "",
        )
        .code
            != 0
        {
            assert!(begin.elapsed() < PATIENCE, "{user} may {verb} in time");
        }
    }

    /// The cluster as it stands.
    pub fn till(&self) -> Value {
        let arguments = [
            "get",
            "pay",
            "till",
            "-n",
            self.namespace,
            "-o",
            "json",
            "--show-managed-fields",
        ];
        serde_json::from_str(&kubectl(&arguments, "")).unwrap()
    }

    /// The Secret that the cluster refers to; nobody listens at its addresses.
    pub fn create_backends(&self) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "backends", "namespace": self.namespace },
            "stringData": {
                "pg": "postgres://payments:x@127.0.0.1:5432/payments",
                "redis": "redis://127.0.0.1:6379/",
                "nats": "nats://127.0.0.1:4222",
            },
        });
        kubectl(&["create", "-f", "-"], &secret.to_string());
    }

    /// Annotates the cluster past the plugin, as a person in a hurry does.
    pub fn annotate(&self, annotation: &str) {
        kubectl(
            &["annotate", "pay", "till", "-n", self.namespace, annotation],
            "",
        );
    }

    /// Publishes an Event about a cluster.
    pub fn create_event(&self, name: &str, about: &str) {
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "name": name, "namespace": self.namespace },
            "involvedObject": { "apiVersion": "floodgate.dev/v1alpha1", "kind": "PaymentCluster", "name": about, "namespace": self.namespace },
            "reason": "SaleRunning", "message": format!("told of {about}"), "type": "Normal",
            "eventTime": "2026-11-10T15:00:00.000000Z", "action": "ScaleTo3",
            "reportingComponent": "floodgate.dev/operator", "reportingInstance": "test",
        });
        kubectl(&["create", "-f", "-"], &event.to_string());
    }

    /// Runs the plugin as `user`, or as the cluster's admin.
    pub fn plugin(&self, user: &str, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-floodgate"));
        ran(
            command.args(args).args(["-n", self.namespace]),
            &kubeconfig(user),
            "",
        )
    }

    /// Runs kubectl with the plugin and its completion helper on the PATH.
    pub fn kubectl_with_plugin(&self, args: &[&str]) -> Ran {
        let bin = tempfile::tempdir().unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_kubectl-floodgate"));
        std::os::unix::fs::symlink(binary, bin.path().join("kubectl-floodgate")).unwrap();
        let helper = ran(
            Command::new(binary).args(["completion", "kubectl"]),
            &admin(),
            "",
        );
        let path = bin.path().join("kubectl_complete-floodgate");
        std::fs::write(&path, helper.stdout).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).unwrap();
        let mut command = Command::new(shared().cluster.kubectl());
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.path().display()));
        let namespaced: &[&str] = if args[0] == "floodgate" {
            &["-n", self.namespace]
        } else {
            &[]
        };
        ran(command.args(args).args(namespaced), &admin(), "")
    }
}

/// What the plugin said while the server knew neither kind.
pub fn before_the_crds() -> Ran {
    shared().before_crds.clone()
}

fn shared() -> &'static Shared {
    SHARED.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let cluster = runtime
            .block_on(ApiOnlyCluster::start())
            .expect("an API-only cluster starts");
        let (server, config) = (cluster.kubectl(), cluster.kubeconfig());
        let mut plugin = Command::new(env!("CARGO_BIN_EXE_kubectl-floodgate"));
        let before_crds = ran(plugin.args(["status", "-n", "default"]), &config, "");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let roles = root.join("manifests/operator/base/user-roles.yaml");
        for arguments in [
            ["-k", root.join("crds").to_str().unwrap()],
            ["-f", roles.to_str().unwrap()],
        ] {
            let applied = ran(
                Command::new(&server).arg("apply").args(arguments),
                &config,
                "",
            );
            assert_eq!(applied.code, 0, "{applied:?}");
        }
        for crd in ["paymentclusters", "saleevents"] {
            let name = format!("crd/{crd}.floodgate.dev");
            let wait = [
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                &name,
            ];
            let waited = ran(Command::new(&server).args(wait), &config, "");
            assert_eq!(waited.code, 0, "{waited:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        for user in [EDITOR, VIEWER] {
            let text = std::fs::read_to_string(&config).unwrap();
            let mut own: Value = serde_saphyr::from_str(&text).unwrap();
            own["users"][0]["user"]["as"] = json!(user);
            std::fs::write(folder.path().join(user), own.to_string()).unwrap();
        }
        Shared {
            cluster,
            folder,
            before_crds,
        }
    })
}

pub fn admin() -> PathBuf {
    shared().cluster.kubeconfig()
}

fn kubeconfig(user: &str) -> PathBuf {
    match user {
        "" => admin(),
        user => shared().folder.path().join(user),
    }
}

/// Runs kubectl as the cluster's admin; it must succeed.
fn kubectl(args: &[&str], input: &str) -> String {
    let ran = ran(
        Command::new(shared().cluster.kubectl()).args(args),
        &admin(),
        input,
    );
    assert_eq!(ran.code, 0, "kubectl {args:?}: {}", ran.stderr);
    ran.stdout
}

fn ran(command: &mut Command, kubeconfig: &Path, input: &str) -> Ran {
    use std::io::Write;
    let mut child = command
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code().unwrap(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}
