//! How many pods the quotas of the namespace admit. Pure.

use k8s_openapi::{api::core::v1::ResourceQuota, apimachinery::pkg::api::resource::Quantity};

use crate::{quantity::quantity, validate::ServiceSettings};

/// Scopes under which a quota counts pods that run for ever and have requests.
const OUR_SCOPES: [&str; 2] = ["NotTerminating", "NotBestEffort"];

/// The most pods that all quotas together admit, when `present` pods exist already; `None` when no
/// quota counts them.
pub(super) fn replicas_max<'a>(
    quotas: impl IntoIterator<Item = &'a ResourceQuota>,
    service: &ServiceSettings,
    present: u32,
) -> Option<u32> {
    let room = quotas
        .into_iter()
        .filter(|quota| counts_ours(quota))
        .filter_map(|quota| room_in(quota, service))
        .min()?;
    Some(present.saturating_add(room))
}

/// Whether a quota counts our pods. One for a priority class or with a selector of scopes does not:
/// our pods name no priority class.
fn counts_ours(quota: &ResourceQuota) -> bool {
    let Some(spec) = &quota.spec else {
        return false;
    };
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    let selects = spec
        .scope_selector
        .as_ref()
        .and_then(|selector| selector.match_expressions.as_ref())
        .is_some_and(|expressions| !expressions.is_empty());
    !selects
        && scopes
            .iter()
            .all(|scope| OUR_SCOPES.contains(&scope.as_str()))
}

/// Pods that still fit into one quota; `None` when it bounds nothing of what they use.
fn room_in(quota: &ResourceQuota, service: &ServiceSettings) -> Option<u32> {
    let status = quota.status.as_ref()?;
    let (hard, used) = (status.hard.as_ref()?, status.used.as_ref()?);
    let amount = |text: &str| quantity(&Quantity(text.to_owned()));
    let left = |name: &str| {
        let hard = quantity(hard.get(name)?)?;
        let used = used.get(name).and_then(quantity).unwrap_or(0.0);
        Some((hard - used).max(0.0))
    };
    let needs = [
        ("pods", Some(1.0)),
        ("count/pods", Some(1.0)),
        ("cpu", amount(&service.cpu_request)),
        ("requests.cpu", amount(&service.cpu_request)),
        ("limits.cpu", amount(&service.cpu)),
        ("memory", amount(&service.memory)),
        ("requests.memory", amount(&service.memory)),
        ("limits.memory", amount(&service.memory)),
    ];
    needs
        .into_iter()
        .filter_map(|(name, need)| Some((left(name)?, need.filter(|need| *need > 0.0)?)))
        .map(|(left, need)| (left / need + 1e-9).floor().min(f64::from(u32::MAX)) as u32)
        .min()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn quota(spec: &Value, used: &Value) -> ResourceQuota {
        serde_json::from_value(json!({
            "metadata": { "name": "team" },
            "spec": spec,
            "status": { "hard": spec["hard"], "used": used }
        }))
        .unwrap()
    }

    fn check(spec: &Value, used: &Value, expected: Option<u32>) {
        let service = ServiceSettings {
            image: "example.test/pay:1".to_owned(),
            pull_policy: floodgate_api::cluster::service::PullPolicy::IfNotPresent,
            cpu: "1".to_owned(),
            cpu_request: "500m".to_owned(),
            memory: "512Mi".to_owned(),
            log_filter: "info".to_owned(),
        };
        let quota = quota(spec, used);
        assert_eq!(replicas_max([&quota], &service, 4), expected, "{spec}");
    }

    #[test]
    fn f30_the_tightest_resource_of_a_quota_bounds_the_pods() {
        let used = json!({ "pods": "6", "requests.cpu": "2500m", "limits.memory": "2Gi" });
        check(&json!({ "hard": { "pods": "10" } }), &used, Some(8));
        check(&json!({ "hard": { "requests.cpu": "4" } }), &used, Some(7));
        check(
            &json!({ "hard": { "limits.memory": "3Gi" } }),
            &used,
            Some(6),
        );
        let both = json!({ "hard": { "pods": "10", "requests.cpu": "3" } });
        check(&both, &used, Some(5));
        check(&json!({ "hard": { "pods": "2" } }), &used, Some(4));
        check(&json!({ "hard": { "services": "2" } }), &used, None);
        check(&json!({ "hard": { "pods": "many" } }), &used, None);
    }

    #[test]
    fn a_quota_for_other_pods_bounds_nothing() {
        let used = json!({ "pods": "6" });
        for scope in ["Terminating", "BestEffort", "PriorityClass"] {
            let spec = json!({ "hard": { "pods": "6" }, "scopes": [scope] });
            check(&spec, &used, None);
        }
        let spec = json!({ "hard": { "pods": "6" }, "scopes": ["NotTerminating"] });
        check(&spec, &used, Some(4));
    }
}
