//! With the real operator beside it: what the plugin sets is taken in, and both say the same words.

use std::time::Instant;

use floodgate_operator::clock::Clock;
use floodgate_operator::controllers::{Operator, operate};
use floodgate_operator::metrics::Metrics;
use floodgate_operator::readiness::Readiness;
use floodgate_planner::HoldCause;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::SET;
use crate::stage::{EDITOR, PATIENCE, Stage, admin};

/// An operator of one namespace; it ends with the value.
struct Running(Runtime);

impl Running {
    fn in_namespace(namespace: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let kubeconfig = Kubeconfig::read_from(admin()).unwrap();
        let namespace = namespace.to_owned();
        runtime.spawn(async move {
            let options = KubeConfigOptions::default();
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
            let operator = Operator {
                client: Client::try_from(config.unwrap()).unwrap(),
                identity: "test".to_owned(),
                namespace: Some(namespace),
                clock: Clock::system(),
                metrics: Metrics::default(),
                readiness: Readiness::default(),
                started_by: HoldCause::Restart,
            };
            operate(operator, CancellationToken::new()).await.unwrap();
        });
        Self(runtime)
    }

    fn stop(self) {
        self.0.shutdown_background();
    }
}

/// Asks the plugin until its answer `holds`.
fn until(stage: &Stage, args: &[&str], holds: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let ran = stage.plugin("", &[args, &["-o", "json"]].concat());
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        if holds(&answer["clusters"][0]) {
            return answer["clusters"][0].clone();
        }
        assert!(
            begin.elapsed() < PATIENCE,
            "in time: {args:?}: {}",
            ran.stdout
        );
    }
}

/// B25, S9.
#[test]
fn b25_s9_the_operator_takes_in_what_the_plugin_sets_and_refuses_in_the_same_words() {
    let stage = Stage::with_till("operated");
    stage.create_backends();
    let operator = Running::in_namespace("operated");
    until(&stage, &["status", "till"], |till| {
        till["status"]["decision"].is_object()
    });

    assert_eq!(stage.plugin(EDITOR, &SET).code, 0);
    let status = until(&stage, &["status", "till"], |till| {
        till["status"]["overrides"][0]["value"] == "9"
    });
    let notes = status["notes"].as_array().unwrap();
    assert!(
        notes.iter().all(|note| note["reason"] != "OverridePending"),
        "{notes:?}"
    );
    let told = until(&stage, &["explain", "till"], |till| {
        till["decision"]["to"] == 9
    });
    assert_eq!(told["decision"]["winner"], "Override");
    let bids = told["decision"]["bids"].as_array().unwrap();
    let bid = bids.iter().find(|bid| bid["source"] == "Override").unwrap();
    assert_eq!(bid["reason"], "ReplicasFloor: INC-7 bank is slow");

    stage.annotate("floodgate.dev/pasue=all");
    let listed = until(&stage, &["override", "list"], |till| {
        !till["refused"][0].is_null()
    });
    let words = listed["refused"][0].as_str().unwrap();
    assert!(
        words.contains("did you mean `floodgate.dev/pause`?"),
        "{words}"
    );
    until(&stage, &["explain", "till"], |till| {
        let events = till["events"].as_array().unwrap();
        let refused = |event: &&Value| event["reason"] == "UnknownAnnotation";
        events
            .iter()
            .find(refused)
            .is_some_and(|event| event["message"] == words)
    });

    assert_eq!(stage.plugin(EDITOR, &["override", "clear", "till"]).code, 0);
    until(&stage, &["status", "till"], |till| {
        till["status"].get("overrides").is_none()
    });
    operator.stop();
}
