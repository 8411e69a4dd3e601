//! The pod template: container, probes, volumes, security.

use std::collections::BTreeMap;

use floodgate_api::cluster::backends::SecretKeyRef;
use floodgate_contract::{CONTROL_PORT, LIVE_PATH, READY_PATH, SERVICE_PORT, TOKEN_FILE_ENV};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, KeyToPath,
    PodSecurityContext, PodSpec, Probe, ResourceRequirements, SeccompProfile, SecretKeySelector,
    SecretVolumeSource, SecurityContext, TopologySpreadConstraint, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::build::names::{CONTROL_TOKEN_KEY, control_secret_name, pod_selector};
use crate::validate::{ServiceSettings, ValidatedCluster};

/// User and group of the process; the `nonroot` of distroless images.
const USER: i64 = 65_532;
/// Seconds from SIGTERM to SIGKILL: not-ready at once, 3 s for endpoints to follow, then drain.
const GRACE_S: i64 = 30;
const TOKEN_FOLDER: &str = "/var/run/floodgate/control";
const TOKEN_VOLUME: &str = "control";
/// Read by owner and group only.
const TOKEN_MODE: i32 = 0o440;

pub(super) fn spec(cluster: &ValidatedCluster) -> PodSpec {
    PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(GRACE_S),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            fs_group: Some(USER),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        topology_spread_constraints: Some(vec![
            spread(&cluster.name, "kubernetes.io/hostname"),
            spread(&cluster.name, "topology.kubernetes.io/zone"),
        ]),
        containers: vec![container(cluster)],
        volumes: Some(vec![Volume {
            name: TOKEN_VOLUME.to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(control_secret_name(&cluster.name)),
                default_mode: Some(TOKEN_MODE),
                items: Some(vec![KeyToPath {
                    key: CONTROL_TOKEN_KEY.to_owned(),
                    path: CONTROL_TOKEN_KEY.to_owned(),
                    ..KeyToPath::default()
                }]),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        }]),
        ..PodSpec::default()
    }
}

/// Evenly where possible; a full node must not keep a sale's pods from starting.
fn spread(cluster: &str, topology_key: &str) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew: 1,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(pod_selector(cluster)),
        ..TopologySpreadConstraint::default()
    }
}

fn container(cluster: &ValidatedCluster) -> Container {
    let port = |name: &str, number: u16| ContainerPort {
        name: Some(name.to_owned()),
        container_port: i32::from(number),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    Container {
        name: "payment-svc".to_owned(),
        image: Some(cluster.service.image.clone()),
        image_pull_policy: Some(cluster.service.pull_policy.as_str().to_owned()),
        args: Some(vec!["serve".to_owned()]),
        env: Some(environment(cluster)),
        ports: Some(vec![
            port("http", SERVICE_PORT),
            port("control", CONTROL_PORT),
        ]),
        resources: Some(resources(&cluster.service)),
        readiness_probe: Some(probe(READY_PATH, 1, 3)),
        liveness_probe: Some(probe(LIVE_PATH, 10, 3)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                add: None,
            }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(vec![VolumeMount {
            name: TOKEN_VOLUME.to_owned(),
            mount_path: TOKEN_FOLDER.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    }
}

/// A probe on the control port, which answers on a thread of its own also under overload.
fn probe(path: &str, period_s: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("control".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_s),
        timeout_seconds: Some(1),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

fn resources(service: &ServiceSettings) -> ResourceRequirements {
    let amounts = |cpu: &str| {
        Some(BTreeMap::from([
            ("cpu".to_owned(), Quantity(cpu.to_owned())),
            ("memory".to_owned(), Quantity(service.memory.clone())),
        ]))
    };
    ResourceRequirements {
        limits: amounts(&service.cpu),
        requests: amounts(&service.cpu_request),
        ..ResourceRequirements::default()
    }
}

fn environment(cluster: &ValidatedCluster) -> Vec<EnvVar> {
    let backends = &cluster.backends.refs;
    let shards = backends
        .shards
        .iter()
        .enumerate()
        .flat_map(|(index, shard)| {
            let primary = from_secret(
                format!("PAYMENT_SHARD_{index}_URL"),
                &shard.primary_secret_ref,
            );
            let replica = shard
                .replica_secret_ref
                .as_ref()
                .map(|reference| from_secret(format!("PAYMENT_REPLICA_{index}_URL"), reference));
            std::iter::once(primary).chain(replica)
        });
    let deadline_ms = cluster.prewarm.deadline_ms.to_string();
    [
        plain("PAYMENT_HTTP_ADDR", &format!("0.0.0.0:{SERVICE_PORT}")),
        plain("PAYMENT_CONTROL_ADDR", &format!("0.0.0.0:{CONTROL_PORT}")),
        plain(
            TOKEN_FILE_ENV,
            &format!("{TOKEN_FOLDER}/{CONTROL_TOKEN_KEY}"),
        ),
        plain("PAYMENT_WARM_DEADLINE_MS", &deadline_ms),
        plain("RUST_LOG", &cluster.service.log_filter),
    ]
    .into_iter()
    .chain(shards)
    .chain([
        from_secret("PAYMENT_CACHE_URL".to_owned(), &backends.cache_secret_ref),
        from_secret("PAYMENT_EVENTS_URL".to_owned(), &backends.events_secret_ref),
    ])
    .collect()
}

fn plain(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        value_from: None,
    }
}

fn from_secret(name: String, reference: &SecretKeyRef) -> EnvVar {
    EnvVar {
        name,
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: reference.name.clone(),
                key: reference.key.clone(),
                optional: Some(false),
            }),
            ..EnvVarSource::default()
        }),
    }
}
