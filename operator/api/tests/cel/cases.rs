//! Accept and reject tables of the CEL rules, and the smallest valid objects they start from.

use serde_json::{Value, json};

/// One rule: its message, changes it accepts and changes it rejects.
pub struct Case {
    pub message: &'static str,
    pub accept: Vec<(&'static str, Value)>,
    pub reject: Vec<(&'static str, Value)>,
}

pub const SHARDS_MOVED: &str =
    "must keep the number, names and order of the shards: the slots of the ledger would move";

pub const CLUSTER: &str = "
apiVersion: floodgate.dev/v1alpha1
kind: PaymentCluster
metadata: {name: till, namespace: shop}
spec:
  service: {image: 'registry.example/till:1'}
  backends:
    shards:
      - name: s0
        primarySecretRef: {name: till-db, key: s0}
        replicaSecretRef: {name: till-db, key: s0-replica}
      - name: s1
        primarySecretRef: {name: till-db, key: s1}
    cacheSecretRef: {name: till-db, key: cache}
    eventsSecretRef: {name: till-db, key: events}
  scaling: {}
  traffic:
    prometheus: {url: 'http://prometheus.monitoring:9090'}
  degradation: {}
  prewarm: {}
";

pub const SALE: &str = "
apiVersion: floodgate.dev/v1alpha1
kind: SaleEvent
metadata: {name: autumn, namespace: shop}
spec:
  clusterSelector: {names: [till]}
  start: '2026-11-10T20:00:00+08:00'
  end: '2026-11-12T00:00:00+08:00'
  upliftPercent: 1000
  phases:
    - {name: evening, t0: '2026-11-10T20:00:00+08:00'}
    - {name: midnight, t0: '2026-11-11T00:00:00+08:00', end: '2026-11-11T02:00:00+08:00', upliftPercent: 4000}
";

fn case(
    message: &'static str,
    accept: (&'static str, Value),
    reject: (&'static str, Value),
) -> Case {
    Case {
        message,
        accept: vec![accept],
        reject: vec![reject],
    }
}

pub fn cluster_cases() -> Vec<Case> {
    let url = "/spec/traffic/prometheus/url";
    let mut cases = service_and_backend_cases();
    cases.extend(scaling_and_degradation_cases());
    cases.extend(
        url_cases()
            .into_iter()
            .map(|(message, good, bad)| case(message, (url, json!(good)), (url, json!(bad)))),
    );
    cases
}

fn service_and_backend_cases() -> Vec<Case> {
    vec![
        case(
            "`metadata.name` must be at most 50 characters long, so that the objects made from it fit",
            ("/metadata/name", json!("a".repeat(50))),
            ("/metadata/name", json!("a".repeat(51))),
        ),
        case(
            "must be an image reference without spaces, for example `registry.example/payment-svc:1.4.0`",
            (
                "/spec/service/image",
                json!("r.example:5000/a/b@sha256:00ff"),
            ),
            ("/spec/service/image", json!("payment svc")),
        ),
        case(
            "must be whole cores or millicores, for example `2` or `500m`",
            (
                "/spec/service/resources",
                json!({"cpu": "250m", "cpuRequest": "100m"}),
            ),
            ("/spec/service/resources", json!({"cpu": "0.5"})),
        ),
        case(
            "must be whole cores or millicores, for example `2` or `500m`",
            ("/spec/service/resources", json!({"cpu": "2"})),
            (
                "/spec/service/resources",
                json!({"cpu": "2", "cpuRequest": "0"}),
            ),
        ),
        case(
            "must be a whole number of `Mi` or `Gi`, for example `512Mi`",
            ("/spec/service/resources", json!({"memory": "2Gi"})),
            ("/spec/service/resources", json!({"memory": "1GiB"})),
        ),
        case(
            "must be a lower-case DNS label, for example `s0`",
            ("/spec/backends/shards/0/name", json!("shard-0")),
            ("/spec/backends/shards/0/name", json!("Shard_0")),
        ),
        case(
            "must be the name of a Secret: lower-case letters, digits, `-` and `.`",
            ("/spec/backends/cacheSecretRef/name", json!("a.b-c")),
            ("/spec/backends/cacheSecretRef/name", json!("other/till-db")),
        ),
        case(
            "must be a Secret key: letters, digits, `-`, `_` and `.`",
            ("/spec/backends/cacheSecretRef/key", json!("CACHE_url.1")),
            ("/spec/backends/cacheSecretRef/key", json!("支付")),
        ),
    ]
}

fn scaling_and_degradation_cases() -> Vec<Case> {
    let threshold = |enter: i32, exit: i32| json!({"enterPercent": enter, "exitPercent": exit, "holdSeconds": 30});
    vec![
        case(
            "must be greater than or equal to `min`",
            ("/spec/scaling", json!({"min": 5, "max": 5})),
            ("/spec/scaling", json!({"min": 10, "max": 5})),
        ),
        case(
            "must not be blank; leave it out for the default query",
            ("/spec/traffic/query", json!("sum(rate(till_total[1m]))")),
            ("/spec/traffic/query", json!("  ")),
        ),
        case(
            "must be greater than or equal to `leadSecondsMin`",
            (
                "/spec/prewarm",
                json!({"leadSecondsMin": 30, "leadSecondsMax": 30}),
            ),
            (
                "/spec/prewarm",
                json!({"leadSecondsMin": 31, "leadSecondsMax": 30}),
            ),
        ),
        case(
            "must be greater than `exitPercent`",
            ("/spec/degradation/guard", threshold(90, 89)),
            ("/spec/degradation/guard", threshold(90, 90)),
        ),
        case(
            "must be greater than or equal to `guard.enterPercent`",
            ("/spec/degradation/reduce", threshold(100, 80)),
            ("/spec/degradation/reduce", threshold(99, 80)),
        ),
        case(
            "must be greater than or equal to `reduce.enterPercent`",
            ("/spec/degradation/protect", threshold(120, 80)),
            ("/spec/degradation/protect", threshold(119, 80)),
        ),
        case(
            "must be greater than or equal to `protect.enterPercent`",
            ("/spec/degradation/survive", threshold(150, 80)),
            ("/spec/degradation/survive", threshold(149, 80)),
        ),
    ]
}

/// B19.
fn url_cases() -> Vec<(&'static str, &'static str, &'static str)> {
    let scheme = "must begin with `http://` or `https://` and name a host";
    let user =
        "must not hold a user or password; put a token in a Secret and name it in `tokenSecretRef`";
    let query = "must not hold a query, a fragment or white space";
    let metadata = "must not be the address of a cloud metadata service";
    let good = "https://thanos.example/base/path";
    vec![
        (scheme, good, "file:///etc/passwd"),
        (scheme, good, "http:///api"),
        (scheme, good, "prometheus:9090"),
        (user, "http://host/@path", "http://bob:secret@host:9090"),
        (user, good, "http://bob@host:9090"),
        (query, good, "http://host:9090/?match=x"),
        (query, good, "http://host:9090/#x"),
        (query, good, "http://host 9090"),
        (
            metadata,
            "http://169.253.1.1",
            "http://169.254.169.254/latest",
        ),
        (metadata, "http://[2001:db8::1]:9090", "http://[fe80::1]:80"),
        (metadata, good, "http://[::ffff:169.254.169.254]/"),
        (metadata, good, "http://[fd00:ec2::254]/"),
        (
            metadata,
            "http://metadata-store:9090",
            "http://metadata.google.internal/",
        ),
        (metadata, "http://100.100.100.20", "http://100.100.100.200/"),
    ]
}

pub fn sale_cases() -> Vec<Case> {
    let mut cases = vec![
        case(
            "must name a cluster in `names` or a label in `matchLabels`; an empty selector would hit every cluster",
            (
                "/spec/clusterSelector",
                json!({"matchLabels": {"tier": "sale"}}),
            ),
            (
                "/spec/clusterSelector",
                json!({"names": [], "matchLabels": {}}),
            ),
        ),
        case(
            "must be after `start`",
            ("/spec/end", json!("2026-11-11T02:00:00+08:00")),
            ("/spec/end", json!("2026-11-10T12:00:00Z")),
        ),
        case(
            "must be at most 90 days after `start`",
            ("/spec/end", json!("2027-02-08T20:00:00+08:00")),
            ("/spec/end", json!("2027-02-08T20:00:01+08:00")),
        ),
        case(
            "must have every `t0` at or after `start` and before `end`",
            ("/spec/phases/0/t0", json!("2026-11-11T23:59:59+08:00")),
            ("/spec/phases/0/t0", json!("2026-11-12T00:00:00+08:00")),
        ),
        case(
            "must have every `t0` at or after `start` and before `end`",
            ("/spec/phases/0/t0", json!("2026-11-10T12:00:00Z")),
            ("/spec/phases/0/t0", json!("2026-11-10T11:59:59Z")),
        ),
        case(
            "must have every phase `end` after its `t0` and not after the `end` of the sale",
            ("/spec/phases/1/end", json!("2026-11-12T00:00:00+08:00")),
            ("/spec/phases/1/end", json!("2026-11-12T00:00:01+08:00")),
        ),
        case(
            "must have every phase `end` after its `t0` and not after the `end` of the sale",
            ("/spec/phases/1/end", json!("2026-11-11T00:00:01+08:00")),
            ("/spec/phases/1/end", json!("2026-11-11T00:00:00+08:00")),
        ),
        Case {
            message: "must say how much traffic is expected: set `upliftPercent` here or in every phase, or name an earlier sale in `learnFrom`",
            accept: vec![
                ("/spec/upliftPercent", Value::Null),
                ("/spec/learnFrom", json!(["spring"])),
            ],
            reject: vec![("/spec/upliftPercent", Value::Null)],
        },
        case(
            "must be a lower-case DNS label, for example `midnight`",
            ("/spec/phases/0/name", json!("evening-1")),
            ("/spec/phases/0/name", json!("Evening")),
        ),
        case(
            "must be keys of the form `kind:id`, for example `merchant:m-0042`",
            ("/spec/hotKeys", json!(["merchant:m-0042", "account:u.1"])),
            ("/spec/hotKeys", json!(["merchant:m-0042", "m-0042"])),
        ),
    ];
    cases.extend(instant_cases());
    cases
}

/// B13, B14 and B15.
fn instant_cases() -> Vec<Case> {
    let instant = "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`, or with `timeZone` a local time";
    let good = ("/spec/end", json!("2026-11-11T16:00:00.5Z"));
    let bad = [
        "2026-11-12 00:00:00+08:00",
        "2026-11-12T00:00:00+0800",
        "2026-11-12T00:00:00 EST5",
        "2026-11-12T00:00:00[Mars/Base]",
        "2026-13-12T00:00:00+08:00",
        "2026-02-29T00:00:00+08:00",
        "2026-02-30T00:00:00+08:00",
        "2026-11-31T00:00:00+08:00",
        "2026-11-12T24:00:00+08:00",
        "9999-11-12T00:00:00+08:00",
    ];
    let bad = bad.map(|text| case(instant, good.clone(), ("/spec/end", json!(text))));
    let zone = || ("/spec/timeZone", json!("Asia/Shanghai"));
    let local = "must have a zone offset, for example `2026-11-11T00:00:00+08:00`, unless `timeZone` is set";
    let local = [
        ("/spec/start", "2026-11-10T20:00:00"),
        ("/spec/end", "2026-11-12T00:00:00"),
        ("/spec/phases/0/t0", "2026-11-10T20:00:00"),
        ("/spec/phases/1/end", "2026-11-11T02:00:00"),
    ]
    .map(|(field, text)| Case {
        message: local,
        accept: vec![zone(), (field, json!(text))],
        reject: vec![(field, json!(text))],
    });
    let zones = ["EST5", "+08:00", "Asia Shanghai", "/etc/passwd"];
    let zones = zones.map(|name| {
        case(
            "must be a zone of the IANA database, for example `Asia/Shanghai`",
            ("/spec/timeZone", json!("America/Argentina/Buenos_Aires")),
            ("/spec/timeZone", json!(name)),
        )
    });
    bad.into_iter().chain(local).chain(zones).collect()
}
