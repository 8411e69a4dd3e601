//! What tests of this crate work on: one cluster, its readings, its plan and a sale.

use std::{collections::BTreeMap, marker::PhantomData, sync::Arc};

use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_contract::{ControlStatus, WarmState};
use floodgate_planner::{Memory, intake::PodRates};
use floodgate_prometheus::{Missing, MissingReason, load::Load};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::apps::v1::Deployment, apimachinery::pkg::apis::meta::v1::OwnerReference};
use serde_json::{Value, json};

use crate::{
    build::{Applied, BuildInput, Resources, build},
    nodes::{NodeRoom, RoomReading, RoomSeen},
    observe::Observed,
    plan::{Before, Planned, plan},
    snapshot::{
        ClusterKey, Measured, PodFacts, PodSeen, PodsSeen, PrometheusReading, reading_after,
    },
    target::ForecastTarget,
    validate::{Address, SecretValue, Secrets, ValidatedCluster, validate},
};

/// The time of every pass.
pub(crate) fn now() -> Timestamp {
    "2026-11-10T15:00:00Z".parse().unwrap()
}

fn secrets() -> Secrets {
    let reference = |key: &str| serde_json::from_value(json!({"name": "backends", "key": key}));
    let present = |text: &str| SecretValue::Present(Address::new(text));
    BTreeMap::from([
        (
            reference("pg").unwrap(),
            present("postgres://p:x@db:5432/payments"),
        ),
        (reference("redis").unwrap(), present("redis://cache:6379/")),
        (reference("nats").unwrap(), present("nats://events:4222")),
    ])
}

/// A cluster of 50 requests/s per pod, 2 to 12 pods, that runs `running` pods, all warm.
pub(crate) fn observed(running: i32, scaling: Value) -> Observed {
    let mut spec = json!({
        "service": { "image": "example.test/payment-svc:1" },
        "backends": {
            "shards": [{ "name": "s0", "primarySecretRef": { "name": "backends", "key": "pg" } }],
            "cacheSecretRef": { "name": "backends", "key": "redis" },
            "eventsSecretRef": { "name": "backends", "key": "nats" }
        },
        "scaling": {
            "min": 2, "max": 12, "capacityRps": 50,
            "scaleDown": { "stabilizationSeconds": 0, "percentPerMinute": 100 }
        },
        "traffic": { "prometheus": { "url": "http://prometheus:9090" }, "stalenessSeconds": 10 }
    });
    if let Value::Object(changes) = scaling {
        spec["scaling"].as_object_mut().unwrap().extend(changes);
    }
    let cluster: PaymentCluster = serde_json::from_value(json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "PaymentCluster",
        "metadata": { "name": "till", "namespace": "shop", "uid": "1", "generation": 1 },
        "spec": spec
    }))
    .unwrap();
    let deployment = json!({
        "metadata": { "name": "till" },
        "spec": { "replicas": running, "selector": {}, "template": {} }
    });
    let pods = (0..running)
        .map(|number| warm_pod(&number.to_string()))
        .collect();
    Observed {
        now: now(),
        cluster: Arc::new(cluster),
        secrets: secrets(),
        control_token: Some("token".to_owned()),
        deployment: Some(Arc::new(serde_json::from_value(deployment).unwrap())),
        quotas: Vec::new(),
        room: Arc::default(),
        sales: Vec::new(),
        prometheus: None,
        rates: None,
        pods: Some(Arc::new(PodsSeen {
            pods,
            measured: Measured::default(),
        })),
        forecast: Arc::default(),
    }
}

fn warm_pod(uid: &str) -> PodSeen {
    let facts = PodFacts {
        name: uid.to_owned(),
        uid: uid.to_owned(),
        ip: None,
        created_at: Some(now() - SignedDuration::from_mins(6)),
        ready_since: Some(now() - SignedDuration::from_mins(5)),
        ending: false,
        unschedulable: false,
        restarts: 0,
    };
    let status = ControlStatus {
        warm: WarmState::Warm,
        ..ControlStatus::default()
    };
    PodSeen {
        facts,
        status: Some(status),
        recalled: None,
    }
}

/// Prometheus said `rps` some seconds ago, and now says what `newest` is.
pub(crate) fn read(
    rps: f64,
    age_s: i64,
    newest: Result<(), MissingReason>,
) -> Arc<PrometheusReading> {
    let at = now() - SignedDuration::from_secs(age_s);
    let load = Ok(Load {
        rps,
        age_s: 0.0,
        server_time: at,
        pods: None,
    });
    let valid = reading_after(None, (at, at), load);
    let reading = match newest {
        Ok(()) => valid,
        Err(reason) => {
            let missing = Err(Missing::because(reason, "said the test"));
            reading_after(Some(&valid), (now(), now()), missing)
        }
    };
    Arc::new(reading)
}

/// The pods offered `rps` lately.
pub(crate) fn rates(rps: f64) -> Arc<PodRates> {
    Arc::new(PodRates {
        at: now().into(),
        minute_max_rps: rps,
        burst_rps: Some(rps),
    })
}

/// The nodes hold `running` pods of the cluster and `free` more, as was read so long ago.
pub(crate) fn room(running: u32, free: u32, age_s: i64) -> Arc<RoomSeen> {
    let till = ClusterKey {
        namespace: "shop".to_owned(),
        name: "till".to_owned(),
    };
    Arc::new(RoomSeen::Read(Arc::new(RoomReading {
        at: now() - SignedDuration::from_secs(age_s),
        held_s: 180.0,
        room: NodeRoom::for_pods(f64::from(free), till, running),
    })))
}

/// The cluster with annotations of our prefix.
pub(crate) fn annotated(observed: Observed, annotations: &[(&str, &str)]) -> Observed {
    let mut cluster = (*observed.cluster).clone();
    let annotations = annotations
        .iter()
        .map(|(name, text)| (format!("floodgate.dev/{name}"), (*text).to_owned()));
    cluster.metadata.annotations = Some(annotations.collect());
    Observed {
        cluster: Arc::new(cluster),
        ..observed
    }
}

/// The cluster as validated.
pub(crate) fn valid(observed: &Observed) -> ValidatedCluster {
    validate(&observed.cluster, &observed.secrets).unwrap()
}

/// What a pass hands to one that holds nothing back.
pub(crate) fn before() -> Before {
    Before {
        memory: Some(Memory::default()),
        ..Before::default()
    }
}

/// The plan of a pass that holds nothing back.
pub(crate) fn planned(observed: &Observed) -> Planned {
    plan(observed, &valid(observed), &before())
}

/// The plan of the first pass after a restart.
pub(crate) fn planned_first(observed: &Observed) -> Planned {
    plan(observed, &valid(observed), &Before::default())
}

/// What was applied of the cluster, whose Deployment has such a status.
pub(crate) fn applied(cluster: &ValidatedCluster, deployment_status: &Value) -> Resources<Applied> {
    let input = BuildInput {
        replicas: 1,
        before_override: None,
        control_token: "token",
    };
    let built = build(cluster, &input);
    Resources {
        control_secret: built.control_secret,
        service: built.service,
        network_policy: built.network_policy,
        pod_disruption_budget: built.pod_disruption_budget,
        deployment: Deployment {
            status: serde_json::from_value(deployment_status.clone()).unwrap(),
            ..built.deployment
        },
        stage: PhantomData,
    }
}

/// A Deployment whose replicas others wrote before us, `manager` as the last of them.
pub(crate) fn written_by(manager: &str, replicas: i32, generation: i64) -> Deployment {
    let entry = |manager: &str, time: &str| {
        json!({
            "manager": manager, "operation": "Update", "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1", "time": time,
            "fieldsV1": { "f:spec": { "f:replicas": {} } }
        })
    };
    serde_json::from_value(json!({
        "metadata": {
            "name": "till", "generation": generation,
            "managedFields": [
                entry("an-older-one", "2026-11-10T14:00:00Z"),
                entry(manager, "2026-11-10T15:00:00Z"),
                entry(floodgate_api::FIELD_MANAGER, "2026-11-10T15:01:00Z"),
            ]
        },
        "spec": { "replicas": replicas, "selector": {}, "template": {} }
    }))
    .unwrap()
}

/// A sale of ten times the load on the cluster, from `start` to `end`, with the phases in order of
/// their T0.
pub(crate) fn sale((start, end): (&str, &str), phases: &[(&str, &str)]) -> Value {
    let phases = phases
        .iter()
        .map(|(name, t0)| json!({ "name": name, "t0": t0 }));
    json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": "midnight", "namespace": "shop" },
        "spec": {
            "clusterSelector": { "names": ["till"] },
            "start": start, "end": end,
            "phases": phases.collect::<Value>(),
            "upliftPercent": 1000
        }
    })
}

/// The sale as the watch brings it.
pub(crate) fn event(sale: Value) -> Arc<SaleEvent> {
    Arc::new(serde_json::from_value(sale).unwrap())
}

/// What is wanted of the forecast loop.
pub(crate) fn forecast_target() -> ForecastTarget {
    ForecastTarget {
        cluster: ("pay".to_owned(), "till".to_owned()),
        enabled: true,
        source_url: "http://prometheus:9090".to_owned(),
        query: "load".to_owned(),
        history_days: 14,
        step_s: 60,
        quantile_percent: 95,
        refresh_s: 60,
        refit_s: 900,
        lead_s: 60,
        sales: Vec::new(),
        masks: Vec::new(),
        owner: OwnerReference::default(),
        declared_rps: 100.0,
    }
}
