use floodgate_api::PaymentCluster;
use floodgate_api::cluster::backends::SecretKeyRef;
use floodgate_words::Reason;
use serde_json::Value;

use super::*;

/// Names that are nowhere in the product, so that a swapped one is seen.
const CLUSTER: &str = include_str!("tests/cluster.yaml");

fn object(base: &str, changes: &[(&str, Value)]) -> Value {
    let mut object: Value = serde_saphyr::from_str(base).unwrap();
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match object.pointer_mut(parent) {
            Some(Value::Object(fields)) => drop(fields.insert(field.to_owned(), value.clone())),
            Some(Value::Array(items)) => items[field.parse::<usize>().unwrap()] = value.clone(),
            _ => panic!("nothing to put {pointer} into"),
        }
    }
    object
}

fn cluster(changes: &[(&str, Value)]) -> PaymentCluster {
    serde_json::from_value(object(CLUSTER, changes)).unwrap()
}

/// What the references of the fixture resolve to, with one of them replaced.
pub(crate) fn secrets(changed: Option<(&str, SecretValue)>) -> Secrets {
    let mut secrets: Secrets = [
        ("zero", "postgres://till:pw-zero@10.0.0.5/till"),
        ("zero-copy", "postgres://till:pw-zero@10.0.0.6/till"),
        ("one", "postgresql://till:pw-one@10.0.0.7/till\n"),
        ("lru", "redis://10.0.0.8:6379/"),
        ("bus", "nats://10.0.0.9:4222"),
        ("bearer", "t0ken"),
    ]
    .into_iter()
    .map(|(key, content)| (reference(key), SecretValue::Present(Address::new(content))))
    .collect();
    if let Some((key, value)) = changed {
        secrets.insert(reference(key), value);
    }
    secrets
}

fn reference(key: &str) -> SecretKeyRef {
    SecretKeyRef {
        name: "till-backends".to_owned(),
        key: key.to_owned(),
    }
}

pub(crate) fn valid_cluster() -> ValidatedCluster {
    validate(&cluster(&[]), &secrets(None)).unwrap()
}

#[test]
fn a_full_cluster_comes_out_in_the_units_of_the_planner() {
    let valid = valid_cluster();
    assert_eq!(
        (valid.name.as_str(), valid.namespace.as_str()),
        ("till", "shop")
    );
    assert_eq!(valid.owner.controller, Some(true));
    assert_eq!(
        (valid.scaling.replicas_min, valid.scaling.replicas_max),
        (3, 24)
    );
    assert!((valid.scaling.capacity_rps - 80.0).abs() < f64::EPSILON);
    assert!(
        valid.capacity_rps_learned.contains(&64.0) && !valid.capacity_rps_learned.contains(&63.0)
    );
    assert_eq!(valid.load_limits.staleness_s, 20);
    assert_eq!(valid.prewarm.min_score_permille, 900);
    assert_eq!(valid.prewarm.deadline_ms, 15_000);
    assert_eq!(valid.degradation.unwrap().levels[0].enter_percent, 100);
    assert_eq!(valid.backends.addresses.len(), 5);
    assert_eq!(
        valid.backends.addresses[2].expose(),
        "postgresql://till:pw-one@10.0.0.7/till"
    );
    assert_eq!(valid.traffic.token.unwrap().expose(), "t0ken");
}

#[test]
fn every_reference_is_asked_for_once() {
    let keys: Vec<String> = secret_refs(&cluster(&[]).spec)
        .into_iter()
        .map(|reference| reference.key)
        .collect();
    assert_eq!(keys, ["bearer", "bus", "lru", "one", "zero", "zero-copy"]);
}

/// Objects written past the schema (B01-B03, B09, B10, B19): field, value, what the refusal says.
const REFUSED: &str = r#"
/spec/scaling/min | 0 | `spec.scaling.min` is 0; must be between 1 and 10000
/spec/scaling/min | -1 | must be between 1 and 10000
/spec/scaling/min | 25 | `spec.scaling.max` is `24`; must be at least `min`, 25
/spec/scaling/capacityRps | 0 | must be between 1 and 100000
/spec/scaling/targetUtilizationPercent | 101 | must be between 10 and 95
/spec/service/resources/cpu | "5 min" | must be whole cores or millicores
/spec/service/resources/cpu | "0m" | must be whole cores or millicores
/spec/service/resources/cpuRequest | "9" | must be less than or equal to `cpu`
/spec/service/resources/memory | "1GiB" | must be a whole number of `Mi` or `Gi`
/spec/service/image | "" | must be an image reference
/spec/backends/shards | [] | must have 1 to 64 entries
/spec/traffic/prometheus/url | "file:///x" | must begin with `http://`
/spec/traffic/prometheus/url | "nonsense" | must be an absolute URL
/spec/traffic/prometheus/url | "http://a:b@h" | must not hold a user or password
/spec/traffic/prometheus/url | "http://2852039166/" | metadata service
/spec/traffic/prometheus/url | "http://0xa9fea9fe/" | metadata service
/spec/traffic/prometheus/url | "http://[::ffff:a9fe:a9fe]/" | metadata service
/spec/traffic/prometheus/url | "http://METADATA.google.internal/" | metadata service
/spec/traffic/query | " " | must be 1 to 2048 characters
/spec/scaling/capacityLearnPercent | 91 | must be between 0 and 90
/spec/traffic/historyStepSeconds | 14 | must be between 15 and 3600
/spec/degradation/guard/enterPercent | 85 | `spec.degradation.guard.enterPercent` is `85`; must be greater than its `exitPercent`, 85
/spec/degradation/guard/enterPercent | 500 | must be at least that of `guard`, 500
/spec/prewarm/leadSecondsMin | 3000 | must be at least `leadSecondsMin`, 3000
"#;

#[test]
fn what_the_schema_would_refuse_is_refused_here_too() {
    for line in REFUSED.trim().lines() {
        let [pointer, value, says] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("not a row: {line}");
        };
        let value = serde_json::from_str(value).unwrap();
        let error = validate(&cluster(&[(pointer, value)]), &secrets(None)).unwrap_err();
        assert_eq!(error.reason(), Reason::InvalidSpec, "{line}");
        assert!(error.to_string().contains(says), "{line}: {error}");
    }
}

/// B20.
#[test]
fn a_missing_or_useless_secret_key_is_named_and_never_shown() {
    let wrong = |content: &str| SecretValue::Present(Address::new(content));
    for (key, value, reason, says) in [
        (
            "lru",
            SecretValue::SecretMissing,
            Reason::SecretNotFound,
            "Secret `till-backends`, named in `spec.backends.cacheSecretRef`, must exist",
        ),
        (
            "one",
            SecretValue::KeyMissing,
            Reason::SecretKeyNotFound,
            "`spec.backends.shards[1].primarySecretRef`, must have the key `one`",
        ),
        (
            "one",
            wrong("redis://sekret@h/"),
            Reason::InvalidSecretValue,
            "must be an address such as `postgres://",
        ),
        (
            "bus",
            wrong("sekret"),
            Reason::InvalidSecretValue,
            "must be an address such as `nats://",
        ),
        (
            "lru",
            wrong(""),
            Reason::InvalidSecretValue,
            "must be an address such as `redis://",
        ),
        (
            "bearer",
            wrong("sekret\nHost: x"),
            Reason::InvalidSecretValue,
            "a bearer token on one line",
        ),
    ] {
        let error = validate(&cluster(&[]), &secrets(Some((key, value)))).unwrap_err();
        assert_eq!(error.reason(), reason, "{key}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error} {error:?}").contains("sekret"));
    }
    assert!(!format!("{:?}", valid_cluster()).contains("pw-zero"));
}

#[test]
fn an_object_without_identity_is_malformed() {
    for field in ["/metadata/name", "/metadata/namespace", "/metadata/uid"] {
        let error = validate(&cluster(&[(field, Value::Null)]), &secrets(None)).unwrap_err();
        assert_eq!(error.reason(), Reason::Malformed, "{field}");
    }
}
