//! A real kube-apiserver with both CRDs, and kubectl on it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use floodgate_local::ApiOnlyCluster;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The apiserver; ends with the value.
pub struct Server {
    cluster: ApiOnlyCluster,
}

impl Server {
    /// Starts it and waits until both CRDs are established.
    pub async fn with_crds() -> Self {
        let cluster = ApiOnlyCluster::start()
            .await
            .expect("an API-only cluster starts");
        let server = Self { cluster };
        let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds");
        server
            .kubectl(&["apply", "-k", &crds.to_string_lossy()], "")
            .await
            .expect("CRDs");
        for crd in ["paymentclusters", "saleevents"] {
            let name = format!("crd/{crd}.floodgate.dev");
            let wait = [
                "wait",
                "--for=condition=Established",
                "--timeout=30s",
                &name,
            ];
            server.kubectl(&wait, "").await.expect("an established CRD");
        }
        server
    }

    /// Runs kubectl with `input` on its standard input; what it prints, or what it complains of.
    pub async fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(self.cluster.kubectl())
            .arg("--kubeconfig")
            .arg(self.cluster.kubeconfig())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("kubectl starts");
        let mut stdin = child.stdin.take().expect("standard input was piped");
        // kubectl may refuse its arguments before it reads; then the pipe is closed.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.expect("kubectl ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// Repeats `attempt` until it is refused, at most for half a minute; the refusal.
    pub async fn until_refused<F>(&self, attempt: impl Fn() -> F) -> String
    where
        F: Future<Output = Result<String, String>>,
    {
        let repeated = async {
            loop {
                if let Err(refusal) = attempt().await {
                    return refusal;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), repeated)
            .await
            .expect("a refusal in time")
    }
}
