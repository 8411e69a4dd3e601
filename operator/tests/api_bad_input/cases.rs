//! The bad-input matrix: one valid object per kind, and what is changed in it.

use serde_json::{Value, json};

/// Folders with a kustomization whose objects a cluster must accept.
pub fn documents() -> [&'static str; 3] {
    ["operator", "operator/overlays/local", "backends"]
}

pub const CLUSTER: &str = r#"{
  "apiVersion": "floodgate.dev/v1alpha1", "kind": "PaymentCluster",
  "metadata": {"name": "till", "namespace": "default"},
  "spec": {
    "service": {"image": "registry.example/till:1", "resources": {}},
    "backends": {
      "shards": [{"name": "s0", "primarySecretRef": {"name": "till-db", "key": "s0"}}],
      "cacheSecretRef": {"name": "till-db", "key": "cache"},
      "eventsSecretRef": {"name": "till-db", "key": "events"}
    },
    "scaling": {},
    "traffic": {"prometheus": {"url": "http://prometheus.monitoring:9090"}},
    "forecast": {}, "prewarm": {}, "degradation": {}
  }
}"#;

pub const SALE: &str = r#"{
  "apiVersion": "floodgate.dev/v1alpha1", "kind": "SaleEvent",
  "metadata": {"name": "autumn", "namespace": "default"},
  "spec": {
    "clusterSelector": {"names": ["till"]},
    "start": "2026-11-10T20:00:00+08:00", "end": "2026-11-12T00:00:00+08:00",
    "upliftPercent": 1000,
    "phases": [{"name": "midnight", "t0": "2026-11-11T00:00:00+08:00"}]
  }
}"#;

pub const STATUS: &str = r#"{"status": {
  "replicas": {"desired": 8, "current": 8, "ready": 6, "warm": 5},
  "level": {"current": "Guard", "floor": "Guard", "reason": "WarmCapacityShort"},
  "loadRps": 412,
  "conditions": [{"type": "Ready", "status": "False", "reason": "PlanLate",
    "message": "2 pods are missing", "lastTransitionTime": "2026-11-10T12:00:00Z"}]
}}"#;

pub const SALE_STATUS: &str = r#"{"status": {"sale": {"name": "autumn", "phase": "midnight",
  "t0": "2026-11-10T16:00:00Z", "plannedReplicas": 8, "prescaleStart": "2026-11-10T15:58:00Z"}}}"#;

/// A valid object made bad in one place.
pub struct Case {
    /// Row of the bad-input table.
    pub row: &'static str,
    /// What is wrong with it.
    pub what: &'static str,
    base: &'static str,
    pointer: &'static str,
    value: Value,
}

impl Case {
    /// The object to send.
    pub fn json(&self) -> String {
        let mut object: Value = serde_json::from_str(self.base).expect("the base object parses");
        let (parent, field) = self
            .pointer
            .rsplit_once('/')
            .expect("a pointer has a parent");
        let parent = object.pointer_mut(parent).expect("the parent exists");
        parent[field] = self.value.clone();
        object.to_string()
    }
}

/// The matrix.
pub fn bad_input() -> Vec<Case> {
    let cluster = |row, what, pointer, value| Case {
        row,
        what,
        base: CLUSTER,
        pointer,
        value,
    };
    let sale = |row, what, pointer, value| Case {
        row,
        what,
        base: SALE,
        pointer,
        value,
    };
    let scaling = "/spec/scaling";
    let url = "/spec/traffic/prometheus/url";
    let resources = "/spec/service/resources";
    let phase =
        |number: usize| json!({"name": format!("p{number}"), "t0": "2026-11-11T00:00:00+08:00"});
    vec![
        cluster("B01", "min above max", scaling, json!({"min": 10, "max": 5})),
        cluster("B02", "min 0", scaling, json!({"min": 0})),
        cluster("B03", "min negative", scaling, json!({"min": -1})),
        cluster("B03", "max beyond int32", scaling, json!({"max": 3_000_000_000_i64})),
        cluster("B04", "float", scaling, json!({"targetUtilizationPercent": 0.75})),
        cluster("B05", "number as string", scaling, json!({"min": "5"})),
        cluster("B05", "string as bool", "/spec/service/logFilter", json!(true)),
        cluster("B06", "unknown field", scaling, json!({"maxReplica": 5})),
        cluster("B06", "secret in another namespace", "/spec/backends/cacheSecretRef/namespace", json!("other")),
        cluster("B07", "wrong enum case", scaling, json!({"mode": "recommend"})),
        cluster("B07", "no enum value", scaling, json!({"nodes": "Rubber"})),
        sale("B07", "unknown class", "/spec/protect", json!(["critical"])),
        cluster("B08", "empty image", "/spec/service/image", json!("")),
        cluster("B08", "image of 600 characters", "/spec/service/image", json!("a".repeat(600))),
        cluster("B08", "name of 60 characters", "/metadata/name", json!("a".repeat(60))),
        sale("B08", "phase in unicode", "/spec/phases", json!([{"name": "零点", "t0": "2026-11-11T00:00:00+08:00"}])),
        cluster("B09", "bad memory", resources, json!({"memory": "1GiB"})),
        cluster("B09", "bad cpu", resources, json!({"cpu": "half"})),
        cluster("B09", "duration as text", "/spec/traffic/stalenessSeconds", json!("5 min")),
        cluster("B10", "percent 0", "/spec/forecast", json!({"quantilePercent": 0})),
        cluster("B10", "percent 101", scaling, json!({"targetUtilizationPercent": 101})),
        sale("B10", "uplift -1", "/spec/upliftPercent", json!(-1)),
        sale("B11", "10,000 phases", "/spec/phases", (0..10_000).map(phase).collect()),
        sale("B11", "two phases of one name", "/spec/phases", json!([phase(1), phase(1)])),
        sale("B12", "end before start", "/spec/end", json!("2026-11-10T10:00:00+08:00")),
        sale("B12", "phase outside the sale", "/spec/phases", json!([{"name": "late", "t0": "2026-12-11T00:00:00+08:00"}])),
        sale("B12", "phase ends before it starts", "/spec/phases", json!([{"name": "p", "t0": "2026-11-11T00:00:00+08:00", "end": "2026-11-10T23:00:00+08:00"}])),
        sale("B13", "a sale of a year", "/spec/end", json!("2027-11-12T00:00:00+08:00")),
        sale("B13", "year 9999", "/spec/end", json!("9999-11-12T00:00:00+08:00")),
        sale("B14", "no zone", "/spec/start", json!("2026-11-10T20:00:00")),
        sale("B14", "zone EST5", "/spec/start", json!("2026-11-10T20:00:00 EST5")),
        sale("B14", "zone Mars/Base", "/spec/start", json!("2026-11-10T20:00:00[Mars/Base]")),
        sale("B14", "30th of February", "/spec/end", json!("2026-02-30T00:00:00+08:00")),
        sale("B16", "no expectation at all", "/spec/upliftPercent", Value::Null),
        cluster("B18", "empty query", "/spec/traffic/query", json!("")),
        cluster("B18", "blank query", "/spec/traffic/query", json!("   ")),
        cluster("B18", "query of 100 kB", "/spec/traffic/query", json!("x".repeat(100_000))),
        cluster("B19", "file URL", url, json!("file:///etc/passwd")),
        cluster("B19", "metadata service", url, json!("http://169.254.169.254/latest")),
        cluster("B19", "password in URL", url, json!("http://bob:secret@prometheus:9090")),
        cluster("B20", "secret named with a path", "/spec/backends/cacheSecretRef/name", json!("other/till-db")),
        cluster("B20", "address in the open", "/spec/backends/cacheSecretRef", json!("redis://10.0.0.1/")),
        cluster("B24", "object of 2 MiB", "/spec/service/logFilter", json!("x".repeat(2 << 20))),
        cluster("B24", "65 shards", "/spec/backends/shards", (0..65).map(|i| json!({"name": format!("s{i}"), "primarySecretRef": {"name": "a", "key": "b"}})).collect()),
        cluster("B24", "no shard", "/spec/backends/shards", json!([])),
        sale("B31", "selector that selects everything", "/spec/clusterSelector", json!({})),
        cluster("B01", "levels in the wrong order", "/spec/degradation", json!({"guard": {"enterPercent": 200, "exitPercent": 150, "holdSeconds": 30}})),
        cluster("B01", "exit above enter", "/spec/degradation", json!({"guard": {"enterPercent": 90, "exitPercent": 95, "holdSeconds": 30}})),
    ]
}
