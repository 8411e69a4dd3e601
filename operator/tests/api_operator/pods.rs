//! Pods made by hand, and the small servers that answer for them and for Prometheus.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::{get, put},
};
use floodgate_contract::{
    CONTROL_PORT, ClassCounts, ControlStatus, POLICY_PATH, Policy, PolicyAck, STATUS_PATH,
    WARM_PATH, WarmAck, WarmRequest, WarmState,
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::stage::Stage;

/// What a pod was told and what it says.
#[derive(Default)]
pub struct Told {
    pub status: ControlStatus,
    pub warm: Option<WarmRequest>,
    pub policy: Option<Policy>,
    pub tokens: Vec<String>,
}

/// A pod that answers on a loopback address of its own.
pub struct FakePod {
    pub told: Arc<Mutex<Told>>,
    server: JoinHandle<()>,
}

impl Drop for FakePod {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Shared = Arc<Mutex<Told>>;

impl FakePod {
    /// Starts the control port at `127.<block>.0.<number>` and creates the Pod with that address.
    pub async fn start(stage: &Stage, cluster: &str, block: u8, number: u8) -> Self {
        let told: Shared = Arc::default();
        let ip = [127, block, 0, number];
        let listener = TcpListener::bind(SocketAddr::from((ip, CONTROL_PORT)))
            .await
            .unwrap();
        let router = Router::new()
            .route(STATUS_PATH, get(status))
            .route(WARM_PATH, put(warm))
            .route(POLICY_PATH, put(policy))
            .with_state(Arc::clone(&told));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let name = format!("{cluster}-{number}");
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": name, "labels": { "floodgate.dev/cluster": cluster } },
            "spec": { "containers": [{ "name": "payment-svc", "image": "example.test/x:1" }] }
        }))
        .unwrap();
        let api: Api<Pod> = stage.api();
        api.create(&PostParams::default(), &pod).await.unwrap();
        let [a, b, c, d] = ip;
        let address = format!("{a}.{b}.{c}.{d}");
        let state = json!({ "status": { "phase": "Running", "podIP": address } });
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&state))
            .await
            .unwrap();
        Self { told, server }
    }

    /// Makes it Ready and warm.
    pub async fn ready(&self, stage: &Stage, name: &str) {
        self.told.lock().unwrap().status.warm = WarmState::Warm;
        let state = json!({ "status": { "conditions": [{
            "type": "Ready", "status": "True",
            "lastTransitionTime": Timestamp::from_second(Timestamp::now().as_second()).unwrap().to_string()
        }] } });
        let api: Api<Pod> = stage.api();
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(&state))
            .await
            .unwrap();
    }
}

fn note_token(told: &Shared, headers: &HeaderMap) {
    let token = headers
        .get("authorization")
        .map(|token| token.to_str().unwrap().to_owned());
    let mut told = told.lock().unwrap();
    if let Some(token) = token.filter(|token| !told.tokens.contains(token)) {
        told.tokens.push(token);
    }
}

async fn status(State(told): State<Shared>, headers: HeaderMap) -> Json<ControlStatus> {
    note_token(&told, &headers);
    let mut told = told.lock().unwrap();
    told.status.uptime_ms += 1_000;
    told.status.classes[1] = ClassCounts {
        offered: told.status.classes[1].offered + 10,
        ..ClassCounts::default()
    };
    Json(told.status.clone())
}

async fn warm(State(told): State<Shared>, Json(request): Json<WarmRequest>) -> Json<WarmAck> {
    let ack = WarmAck {
        version: request.version,
        keys: request.keys.len(),
    };
    let mut told = told.lock().unwrap();
    told.status.warm = WarmState::Warming;
    told.warm = Some(request);
    Json(ack)
}

async fn policy(State(told): State<Shared>, Json(policy): Json<Policy>) -> Json<PolicyAck> {
    let ack = PolicyAck {
        version: policy.version,
        level: policy.floor,
    };
    told.lock().unwrap().policy = Some(policy);
    Json(ack)
}

/// A Prometheus that says what it is told to say.
pub struct FakePrometheus {
    pub url: String,
    answer: Arc<Mutex<Answer>>,
    past: Arc<Mutex<Past>>,
    server: JoinHandle<()>,
}

/// What it says of the load of cluster `till`.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A load, fresh at every query.
    Rps(f64),
    /// A load, fresh by a clock that is so many seconds ahead of ours.
    RpsByClock(f64, i64),
    /// This result of a vector, whatever it is.
    Vector(Value),
    /// This text with status 200.
    Text(&'static str),
    /// An error.
    Status(u16),
    /// Nothing, ever.
    Hangs,
}

/// What it says of the past.
#[derive(Clone, Debug, Default)]
pub enum Past {
    /// There is none.
    #[default]
    Empty,
    /// Every sample that is asked for, a daily wave around 40 requests/s.
    Wave,
    /// An error.
    Status(u16),
}

type Asked = Arc<Mutex<Answer>>;

impl FakePrometheus {
    pub async fn start(namespace: &str, answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer: Asked = Arc::new(Mutex::new(answer));
        let state = (namespace.to_owned(), Arc::clone(&answer));
        let past: Arc<Mutex<Past>> = Arc::default();
        let ranges = Router::new()
            .route("/api/v1/query_range", get(range).post(range))
            .with_state(Arc::clone(&past));
        let router = Router::new()
            .route("/api/v1/query", get(query).post(query))
            .with_state(state)
            .merge(ranges);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            answer,
            past,
            server,
        }
    }

    /// Says this of the past from now on.
    pub fn remember(&self, past: Past) {
        *self.past.lock().unwrap() = past;
    }

    pub fn say(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

impl Drop for FakePrometheus {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Reply = (StatusCode, [(&'static str, &'static str); 1], String);

fn reply(code: u16, body: impl Into<String>) -> Reply {
    let json = [("content-type", "application/json")];
    (StatusCode::from_u16(code).unwrap(), json, body.into())
}

async fn query(State((namespace, answer)): State<(String, Asked)>) -> Reply {
    let said = answer.lock().unwrap().clone();
    let ahead_s = match said {
        Answer::RpsByClock(_, ahead_s) => ahead_s,
        _ => 0,
    };
    let now = (Timestamp::now().as_second() + ahead_s) as f64;
    let series = |fact: &str, value: String| {
        let labels = json!({ "namespace": namespace, "cluster": "till", "fact": fact });
        json!({ "metric": labels, "value": [now, value] })
    };
    let result = match said {
        Answer::Rps(rps) | Answer::RpsByClock(rps, _) => json!([
            series("rps", rps.to_string()),
            series("at", now.to_string())
        ]),
        Answer::Vector(result) => result,
        Answer::Text(text) => return reply(200, text),
        Answer::Status(code) => return reply(code, "{}"),
        Answer::Hangs => std::future::pending().await,
    };
    let data = json!({ "resultType": "vector", "result": result });
    reply(
        200,
        json!({ "status": "success", "data": data }).to_string(),
    )
}

async fn range(
    State(past): State<Arc<Mutex<Past>>>,
    RawQuery(query): RawQuery,
    body: String,
) -> Reply {
    let said = past.lock().unwrap().clone();
    let asked = format!("{}&{body}", query.unwrap_or_default());
    let number = |name: &str| -> f64 {
        let mut words = asked.split('&').filter_map(|word| word.split_once('='));
        let (_, value) = words.find(|(key, _)| *key == name).unwrap();
        value.parse().unwrap()
    };
    let result = match said {
        Past::Empty => json!([]),
        Past::Status(code) => return reply(code, "{}"),
        Past::Wave => {
            let (start, step) = (number("start"), number("step"));
            let count = ((number("end") - start) / step) as i64;
            let values = (0..=count).map(|index| {
                let at = start + index as f64 * step;
                let angle = std::f64::consts::TAU * at / 86_400.0;
                json!([at, format!("{:.3}", 40.0 + 20.0 * angle.sin())])
            });
            json!([{ "metric": {}, "values": values.collect::<Vec<_>>() }])
        }
    };
    let data = json!({ "resultType": "matrix", "result": result });
    reply(
        200,
        json!({ "status": "success", "data": data }).to_string(),
    )
}
