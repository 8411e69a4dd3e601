//! `kubectl floodgate rehearse --from-prometheus` against a real Prometheus that holds four days.

#![allow(clippy::unwrap_used, reason = "a test ends by panic")]

use std::fmt::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const CLUSTER: &str = "
apiVersion: floodgate.dev/v1alpha1
kind: PaymentCluster
metadata: {name: till, namespace: pay}
spec:
  service: {image: registry.example/pay:1}
  backends:
    shards: [{name: zero, primarySecretRef: {name: b, key: zero}}]
    cacheSecretRef: {name: b, key: lru}
    eventsSecretRef: {name: b, key: bus}
  scaling: {max: 40}
  traffic: {prometheus: {url: http://prom:9090}}
";
/// Time a server has to come up on a busy machine.
const START_MAX: Duration = Duration::from_mins(1);
const MINUTES: i64 = 4 * 1_440;

/// A Prometheus with a past; it ends with the value.
struct Past {
    folder: tempfile::TempDir,
    port: u16,
    server: Child,
}

impl Drop for Past {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Past {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("cluster.yaml"), CLUSTER).unwrap();
        std::fs::write(at("prometheus.yaml"), "global: {}\n").unwrap();
        std::fs::write(at("past.txt"), recorded()).unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([at("past.txt"), at("data")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let port = free_port();
        let server = Command::new("prometheus")
            .arg(format!("--config.file={}", at("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", at("data").display()))
            .arg("--storage.tsdb.retention.time=30d")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < START_MAX, "no Prometheus on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        let past = Self {
            folder,
            port,
            server,
        };
        // It listens before it answers queries.
        while !past.rehearse(&["--policies", "hpa"]).status.success() {
            assert!(begun.elapsed() < START_MAX, "no answer on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        past
    }

    fn rehearse(&self, more: &[&str]) -> Output {
        let url = format!("http://127.0.0.1:{}", self.port);
        let from = ["--from-prometheus", &url, "--days", "5"];
        rehearse(self.folder.path(), &[&from[..], more].concat())
    }
}

/// Counters of two pods, 100 requests/s each by day and 50 by night, until a few minutes ago; and a
/// series of another cluster.
fn recorded() -> String {
    let now_s = jiff::Timestamp::now().as_second().div_euclid(60) * 60 - 600;
    let mut text = "# TYPE payment_offered_requests counter\n".to_owned();
    for (cluster, pod, times) in [("till", "a", 1), ("till", "b", 1), ("shop", "c", 40)] {
        let mut total = 0;
        for minute in 0..MINUTES {
            let at_s = now_s - (MINUTES - minute) * 60;
            let day = at_s.rem_euclid(86_400) < 43_200;
            total += times * 60 * if day { 100 } else { 50 };
            let labels =
                format!("namespace=\"pay\",cluster=\"{cluster}\",pod=\"{pod}\",class=\"critical\"");
            let _ = writeln!(
                text,
                "payment_offered_requests_total{{{labels}}} {total} {at_s}"
            );
        }
    }
    text + "# EOF\n"
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn rehearse(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kubectl-floodgate"))
        .current_dir(folder)
        .args(["rehearse", "-f", "cluster.yaml", "--as-recorded"])
        .args(args)
        .output()
        .unwrap()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_past_of_a_cluster_is_read_from_prometheus_with_the_operators_query() {
    let past = Past::start();
    let output = past.rehearse(&["--policies", "hpa,keda", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let peak_rps = answer["load_peak_rps"].as_f64().unwrap();
    // Two pods of 100; the other cluster has 4,000.
    assert!((195.0..205.0).contains(&peak_rps), "{peak_rps}");
    assert_eq!(answer["policies"].as_array().unwrap().len(), 2);

    let others = "sum(rate(payment_offered_requests_total{cluster=\"shop\"}[5m]))";
    let output = past.rehearse(&["--query", others, "--policies", "hpa", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let peak_rps = answer["load_peak_rps"].as_f64().unwrap();
    assert!((3_900.0..4_100.0).contains(&peak_rps), "{peak_rps}");
}

#[test]
fn f01_a_store_without_an_answer_is_named_and_nothing_is_invented() {
    let past = Past::start();
    let nothing = complaint(&past.rehearse(&["--query", "absent_series"]));
    assert!(nothing.contains("fewer than two samples"), "{nothing}");
    let broken = complaint(&past.rehearse(&["--query", "rate("]));
    assert!(broken.contains("QueryShapeInvalid"), "{broken}");
    let many = complaint(&past.rehearse(&["--query", "payment_offered_requests_total"]));
    assert!(many.contains("QueryShapeInvalid"), "{many}");

    let folder = past.folder.path();
    let silent = format!("http://127.0.0.1:{}", free_port());
    let silent = complaint(&rehearse(folder, &["--from-prometheus", &silent]));
    assert!(silent.contains("PrometheusUnreachable"), "{silent}");
    let secret = format!("https://127.0.0.1:{}", past.port);
    let secret = complaint(&rehearse(folder, &["--from-prometheus", &secret]));
    assert!(secret.contains("https://127.0.0.1"), "{secret}");
    let both = ["--from-prometheus", "http://prom:9090", "--trace", "x.csv"];
    assert!(complaint(&rehearse(folder, &both)).contains("cannot be used with"));
    assert!(complaint(&rehearse(folder, &[])).contains("--trace"));
}
