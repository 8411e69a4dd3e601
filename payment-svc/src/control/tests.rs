//! The control port over TCP, as kubelet, Prometheus and operator use it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use floodgate_contract::{
    ControlStatus, LIVE_PATH, Level, METRICS_PATH, POLICY_PATH, PolicyAck, READY_PATH, STATUS_PATH,
    WARM_PATH, WarmState,
};
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;
use tokio::runtime::Runtime;

use super::*;
use crate::cache::CacheConfig;
use crate::gate::{Clock, CpuLimit, GateConfig};

/// Bound of every wait.
const SOON: Duration = Duration::from_secs(20);
const FAR: Duration = Duration::from_mins(10);

/// Pools that open at the second attempt; every key but one exists, and the first loads may fail.
#[derive(Default)]
struct Target {
    attempts: AtomicU32,
    loads: AtomicU32,
    loads_failing: AtomicU32,
    closed: AtomicBool,
}

impl WarmTarget for Target {
    fn load(&self, key: String) -> BoxFuture<'_, Result<bool, WarmError>> {
        let load = self.loads.fetch_add(1, Ordering::SeqCst);
        if load < self.loads_failing.load(Ordering::SeqCst) {
            return async { Err(WarmError("the store is busy".to_owned())) }.boxed();
        }
        async move { Ok(key != "merchant:m-9999") }.boxed()
    }

    fn open_pools(&self) -> BoxFuture<'_, Result<(), WarmError>> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let open = attempt > 0 && !self.closed.load(Ordering::SeqCst);
        async move {
            open.then_some(())
                .ok_or(WarmError("no shard answers".to_owned()))
        }
        .boxed()
    }

    fn self_test(&self) -> BoxFuture<'_, Result<(), WarmError>> {
        async { Ok(()) }.boxed()
    }
}

struct Pod {
    control: Control,
    target: Arc<Target>,
    token: tempfile::NamedTempFile,
    serving: Runtime,
}

impl Pod {
    fn start(warm_deadline: Duration) -> Self {
        let serving = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut token = tempfile::NamedTempFile::new().expect("a file");
        token.write_all(b"secret\n").expect("written");
        let target = Arc::new(Target::default());
        let metrics = Metrics::new(1);
        // So many cores that the work of the other tests is no reason for a level.
        let config = GateConfig {
            cpu: CpuLimit {
                cores: 1_000.0,
                period: Duration::ZERO,
                parallelism: 1_000.0,
            },
            queue_target: Duration::from_millis(10),
        };
        let gate = Gate::new(&config, Arc::clone(&metrics), Clock::system());
        let control = {
            let _context = serving.enter();
            let watch = gate.level_watch();
            let cache = Cache::connect(CacheConfig::default(), Arc::clone(&metrics), watch);
            let config = ControlConfig {
                addr: ([127, 0, 0, 1], 0).into(),
                token_file: token.path().to_owned(),
                warm_deadline,
            };
            let target: Arc<dyn WarmTarget> = Arc::clone(&target) as _;
            let vitals = Vitals::default();
            spawn(
                config,
                gate,
                cache,
                metrics,
                target,
                serving.handle(),
                &vitals,
            )
            .expect("it listens")
        };
        Self {
            control,
            target,
            token,
            serving,
        }
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.control.addr()).expect("connected");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: pod\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let status = answer[9..12].parse().expect("a status");
        (status, answer)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, "", "")
    }

    fn put(&self, path: &str, body: &serde_json::Value) -> u16 {
        self.ask("PUT", path, "secret", &body.to_string()).0
    }

    fn status(&self) -> ControlStatus {
        let (status, answer) = self.ask("GET", STATUS_PATH, "secret", "");
        assert_eq!(status, 200);
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("a status")
    }

    fn until(&self, done: impl Fn(&ControlStatus) -> bool) -> ControlStatus {
        let since = Instant::now();
        loop {
            let status = self.status();
            if done(&status) {
                return status;
            }
            assert!(since.elapsed() < SOON, "it did not happen: {status:?}");
            std::thread::yield_now();
        }
    }
}

fn hot_set(version: u64, keys: usize) -> serde_json::Value {
    let keys: Vec<_> = (0..keys)
        .map(|key| json!({ "key": format!("merchant:m-{key:04}"), "weight": 1 }))
        .collect();
    json!({ "version": version, "keys": keys, "min_score_permille": 950, "deadline_ms": 600_000 })
}

#[test]
fn a_pod_is_ready_when_its_hot_set_is_loaded_and_not_before() {
    let pod = Pod::start(FAR);
    assert_eq!(pod.get(LIVE_PATH).0, 200);
    pod.until(|_| pod.target.attempts.load(Ordering::SeqCst) >= 2);
    assert_eq!(pod.get(READY_PATH).0, 503);
    assert_eq!(pod.put(WARM_PATH, &hot_set(1, 20)), 200);
    let status = pod.until(|status| status.warm == WarmState::Warm);
    assert!(status.ready && status.warm_ms.is_some());
    assert!(status.warm_permille >= 950);
    pod.until(|status| status.warm_permille == 1_000);
    assert_eq!(pod.get(READY_PATH).0, 200);
    assert_eq!(pod.target.loads.load(Ordering::SeqCst), 20);
    assert_eq!(pod.put(WARM_PATH, &hot_set(1, 20)), 200);
    assert_eq!(pod.put(WARM_PATH, &hot_set(2, 3)), 200);
    let status = pod.until(|_| pod.target.loads.load(Ordering::SeqCst) == 23);
    assert!(status.ready, "a later set is loaded beside the traffic");
}

#[test]
fn a_pod_that_nobody_warms_serves_as_partial_after_its_deadline() {
    let pod = Pod::start(Duration::from_millis(300));
    let status = pod.until(|status| status.ready);
    assert_eq!(status.warm, WarmState::Partial);
    assert_eq!(status.warm_ms, None);
    pod.put(WARM_PATH, &hot_set(1, 0));
    pod.until(|status| status.warm == WarmState::Warm);
}

#[test]
fn a_hot_key_that_fails_is_tried_again_until_the_pod_is_warm() {
    let pod = Pod::start(FAR);
    pod.target.loads_failing.store(2, Ordering::SeqCst);
    let mut one = hot_set(1, 1);
    one["deadline_ms"] = json!(0);
    assert_eq!(pod.put(WARM_PATH, &one), 200);
    let status = pod.until(|status| status.warm == WarmState::Warm);
    assert_eq!(status.warm_permille, 1_000);
    assert_eq!(pod.target.loads.load(Ordering::SeqCst), 3);
}

#[test]
fn draining_makes_a_pod_unready_at_once_and_leaves_it_alive() {
    let pod = Pod::start(Duration::ZERO);
    pod.until(|status| status.ready);
    pod.control.drain();
    assert_eq!(pod.get(READY_PATH).0, 503);
    assert_eq!(pod.get(LIVE_PATH).0, 200);
    assert!(pod.status().draining);
}

#[test]
fn b54_the_contract_wants_the_token_and_probes_and_metrics_do_not() {
    let pod = Pod::start(Duration::ZERO);
    for (method, path) in [
        ("PUT", POLICY_PATH),
        ("GET", STATUS_PATH),
        ("PUT", WARM_PATH),
    ] {
        for token in ["", "other", "secret2"] {
            let (status, answer) = pod.ask(method, path, token, "{}");
            assert_eq!(status, 401, "{path}");
            assert!(answer.contains("\"code\":\"unauthorized\""));
        }
    }
    let (status, page) = pod.get(METRICS_PATH);
    assert_eq!(status, 200);
    assert!(page.contains("application/openmetrics-text; version=1.0.0"));
    assert!(page.ends_with("# EOF\n"));
    assert!(!page.contains("secret"));
    std::fs::remove_file(pod.token.path()).expect("removed");
    assert_eq!(pod.ask("GET", STATUS_PATH, "secret", "").0, 401);
}

#[test]
fn a_policy_is_in_force_when_it_is_answered_and_an_older_one_is_a_conflict() {
    let pod = Pod::start(Duration::ZERO);
    let policy = |version: u64, lease_s: u32| json!({ "version": version, "floor": "Reduce", "lease_s": lease_s, "field_of_tomorrow": 1 });
    assert_eq!(pod.put(POLICY_PATH, &policy(7, 60)), 200);
    let status = pod.status();
    assert_eq!((status.level, status.policy_version), (Level::Reduce, 7));
    assert_eq!(status.level_trigger, "floor");
    assert_eq!(pod.put(POLICY_PATH, &policy(6, 60)), 409);
    assert_eq!(pod.put(POLICY_PATH, &policy(8, 0)), 422);
    let (status, _) = pod.ask("PUT", POLICY_PATH, "secret", "{ broken");
    assert_eq!(status, 400);
}

#[test]
fn g16_a_floor_lapses_when_nobody_renews_it() {
    let pod = Pod::start(Duration::ZERO);
    let policy = json!({ "version": 1, "floor": "Protect", "lease_s": 1 }).to_string();
    let (_, answer) = pod.ask("PUT", POLICY_PATH, "secret", &policy);
    let (_, ack) = answer.split_once("\r\n\r\n").expect("a body");
    let ack: PolicyAck = serde_json::from_str(ack).expect("an ack");
    assert_eq!(ack.level, Level::Protect, "in force when it is answered");
    let status = pod.until(|status| status.level == Level::Normal);
    assert_eq!(status.policy_version, 0);
}

#[test]
fn a_serving_runtime_that_is_stuck_leaves_probes_and_contract_answering() {
    let pod = Pod::start(Duration::ZERO);
    pod.until(|status| status.ready);
    let (stuck, is_stuck) = std::sync::mpsc::channel();
    let (let_go, go) = std::sync::mpsc::channel::<()>();
    pod.serving.spawn(async move {
        stuck.send(()).expect("heard");
        go.recv().expect("let go");
    });
    is_stuck.recv().expect("the only worker is blocked");
    assert_eq!(pod.get(LIVE_PATH).0, 200);
    assert_eq!(pod.get(READY_PATH).0, 200);
    assert_eq!(
        pod.put(
            POLICY_PATH,
            &json!({ "version": 1, "floor": "Guard", "lease_s": 60 })
        ),
        200
    );
    assert_eq!(pod.status().level, Level::Guard);
    let_go.send(()).expect("heard");
}

#[test]
fn pools_that_stay_closed_keep_the_pod_cold_until_its_deadline() {
    let pod = Pod::start(FAR);
    pod.target.closed.store(true, Ordering::SeqCst);
    pod.put(WARM_PATH, &hot_set(1, 1));
    pod.until(|status| status.warm_permille == 1_000);
    let status = pod.status();
    assert!(!status.ready);
    assert_eq!(status.warm, WarmState::Warming);
    let (_, why) = pod.get(READY_PATH);
    assert!(why.contains("Warming, score 1000 permille"), "{why}");
}
