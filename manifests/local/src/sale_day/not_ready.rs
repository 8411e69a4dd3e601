//! Why something is not ready, in one line, from conditions and containers.

use serde_json::Value;

/// Conditions whose normal status is False.
const GOOD_WHEN_FALSE: [&str; 4] = ["Overridden", "Degraded", "ScaleConflict", "Paused"];
/// Pods that are named; the rest mostly repeat them.
const PODS_MAX: usize = 2;

/// Reasons and messages of the conditions that are not True, for the line of a failed wait.
pub fn of_conditions(object: &Value) -> String {
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let reasons: Vec<String> = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition["status"] != "True")
        .filter(|condition| {
            !GOOD_WHEN_FALSE
                .iter()
                .any(|kind| condition["type"] == *kind)
        })
        .map(|condition| {
            let part = |key: &str| condition[key].as_str().unwrap_or("?").to_owned();
            format!("{} {}: {}", part("type"), part("reason"), part("message"))
        })
        .collect();
    if reasons.is_empty() {
        "no condition gives a reason".to_owned()
    } else {
        reasons.join("; ")
    }
}

/// What keeps pods from being Ready: a container that waits or died, or a pod nobody schedules.
pub fn of_pods(pods: &[Value]) -> String {
    let reasons: Vec<String> = pods.iter().filter_map(of_pod).take(PODS_MAX).collect();
    match pods {
        [] => "there is no pod".to_owned(),
        _ if reasons.is_empty() => "its pods give no reason".to_owned(),
        _ => reasons.join("; "),
    }
}

fn of_pod(pod: &Value) -> Option<String> {
    let name = pod.pointer("/metadata/name")?.as_str()?;
    let container = pod.pointer("/status/containerStatuses/0");
    let state = container.and_then(|container| {
        [
            "/state/waiting",
            "/state/terminated",
            "/lastState/terminated",
        ]
        .into_iter()
        .find_map(|pointer| container.pointer(pointer))
    });
    let unscheduled = || {
        let conditions = pod.pointer("/status/conditions")?.as_array()?;
        conditions
            .iter()
            .find(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False")
    };
    let cause = state.or_else(unscheduled)?;
    let part = |key: &str| cause[key].as_str().unwrap_or_default().trim();
    Some(
        format!("pod {name}: {} {}", part("reason"), part("message"))
            .trim()
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{of_conditions, of_pods};

    #[test]
    fn conditions_that_are_not_true_are_named_unless_false_is_good() {
        let object = json!({ "status": { "conditions": [
            { "type": "Ready", "status": "True", "reason": "Ready", "message": "" },
            { "type": "SignalsFresh", "status": "False", "reason": "Stale", "message": "12 s old" },
            { "type": "Degraded", "status": "False", "reason": "Normal", "message": "" },
        ]}});
        assert_eq!(of_conditions(&object), "SignalsFresh Stale: 12 s old");
        assert_eq!(of_conditions(&json!({})), "no condition gives a reason");
    }

    #[test]
    fn a_pod_that_does_not_run_gives_its_reason() {
        let waiting = json!({ "reason": "ErrImageNeverPull", "message": "image is not present" });
        let pod = json!({
            "metadata": { "name": "operator-1" },
            "status": { "containerStatuses": [{ "state": { "waiting": waiting } }] },
        });
        assert_eq!(
            of_pods(&[pod]),
            "pod operator-1: ErrImageNeverPull image is not present"
        );
        let unscheduled = json!({
            "metadata": { "name": "a" },
            "status": { "conditions": [
                { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no cpu" },
            ]},
        });
        assert_eq!(of_pods(&[unscheduled]), "pod a: Unschedulable no cpu");
        assert_eq!(of_pods(&[]), "there is no pod");
    }
}
