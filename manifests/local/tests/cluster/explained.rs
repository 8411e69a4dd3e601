//! What the plugin tells of the stage's cluster.

use serde_json::Value;

use crate::stage::Stage;

impl Stage {
    /// What `kubectl floodgate explain` says of the cluster, for programs.
    pub async fn explain(&self) -> Value {
        let output = self
            .plugin(&["explain", "checkout", "--output", "json"])
            .await;
        let answer: Value = serde_json::from_str(&output).expect("JSON");
        answer["clusters"][0].clone()
    }

    /// The same, for people.
    pub async fn explain_page(&self) -> String {
        self.plugin(&["explain", "checkout"]).await
    }

    async fn plugin(&self, arguments: &[&str]) -> String {
        let test = std::env::current_exe().expect("this program");
        let folder = test.ancestors().nth(2).expect("the target folder");
        let output = tokio::process::Command::new(folder.join("kubectl-floodgate"))
            .args(arguments)
            .args(["--namespace", "pay"])
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .output()
            .await
            .expect("the plugin; `cargo build -p kubectl-floodgate` makes it");
        assert!(
            !output.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }
}

/// The bid of a source in what `explain` says.
pub fn bid_of<'explained>(explained: &'explained Value, source: &str) -> Option<&'explained Value> {
    let bids = explained.pointer("/decision/bids")?.as_array()?;
    bids.iter().find(|bid| bid["source"] == source)
}

/// A guard in what `explain` says.
pub fn guard_of<'explained>(
    explained: &'explained Value,
    guard: &str,
) -> Option<&'explained Value> {
    let guards = explained.pointer("/decision/guards")?.as_array()?;
    guards.iter().find(|one| one["guard"] == guard)
}
