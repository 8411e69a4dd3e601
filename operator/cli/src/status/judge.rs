//! What is wrong with a cluster, for a person. Pure: the time is given.
//!
//! Invariant: the message of a condition is repeated as the operator wrote it; only what it means
//! for a person, and what to do, is added here.

use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_api::cluster::status::{OverrideStatus, PaymentClusterStatus};
use floodgate_api::overrides::{self, Bounds, OverridesRead};
use floodgate_api::{PaymentCluster, annotation};
use floodgate_words::{ConditionType, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use crate::moment::{seconds, span};
use crate::point::Point;
use crate::query::namespace_of;

/// What is wrong, and what is only worth knowing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    pub problems: Vec<Point>,
    pub notes: Vec<Point>,
}

/// Judges a cluster as of `now`.
pub fn judge(cluster: &PaymentCluster, now: Timestamp) -> Judgement {
    let mut judgement = Judgement::default();
    if let Some(since) = &cluster.metadata.deletion_timestamp {
        let what = "The cluster is being deleted; its pods end with it";
        judgement
            .problems
            .push(Point::new(what, "Deleting", Some(since.0)));
    }
    if let Some(status) = &cluster.status {
        conditions(&mut judgement, status);
        behind(&mut judgement, cluster, status);
        sale(&mut judgement, status, now);
    }
    annotations(&mut judgement, cluster, now);
    if cluster.spec.scaling.mode == ScalingMode::Recommend {
        let what = "Only recommends: `scaling.mode` is Recommend, nothing is changed";
        judgement
            .notes
            .push(Point::new(what, Reason::RecommendOnly.as_str(), None));
    }
    let namespace = namespace_of(cluster);
    for point in judgement.problems.iter_mut().chain(&mut judgement.notes) {
        if let Some(remedy) = &mut point.remedy {
            let of_this = remedy.replace("<namespace>", &namespace);
            *remedy = of_this.replace("<name>", &cluster.name_any());
        }
    }
    judgement
}

/// The override annotations as the operator reads them.
pub fn overrides_of(cluster: &PaymentCluster, now: Timestamp) -> OverridesRead {
    let count = |count: i32| u32::try_from(count).unwrap_or(1);
    let bounds = Bounds {
        min: count(cluster.spec.scaling.min),
        max: count(cluster.spec.scaling.max),
    };
    let set_at = overrides::set_at(cluster.metadata.managed_fields.as_deref());
    overrides::read(cluster.annotations(), bounds, now, set_at)
}

/// What is in force: the annotations, and what the operator holds without one, for example a count
/// that a person wrote during a sale.
pub fn in_force(cluster: &PaymentCluster, now: Timestamp) -> Vec<OverrideStatus> {
    let mut active = overrides_of(cluster, now).active;
    let reported = cluster.status.iter().flat_map(|status| &status.overrides);
    let is_annotation = |one: &OverrideStatus| {
        let names = annotation::OVERRIDES.iter();
        let mut names = names.filter_map(|name| name.strip_prefix(annotation::PREFIX));
        names.any(|name| name == one.name)
    };
    let held = reported.filter(|one| !is_annotation(one) && one.until.0 > now);
    active.extend(held.cloned());
    active
}

/// Conditions with the status that means something is wrong, and how to say so.
const TITLES: [(ConditionType, &str, &str); 9] = [
    (ConditionType::Accepted, "False", "The spec is not accepted"),
    (
        ConditionType::WorkloadAvailable,
        "False",
        "Too few pods serve",
    ),
    (ConditionType::PlanMet, "False", "The plan is not met"),
    (
        ConditionType::CapacitySufficient,
        "False",
        "Capacity does not suffice",
    ),
    (ConditionType::Degraded, "True", "Degraded"),
    (
        ConditionType::SignalsFresh,
        "False",
        "Prometheus gives no valid load",
    ),
    (
        ConditionType::ForecastTrusted,
        "False",
        "The forecast is not trusted",
    ),
    (
        ConditionType::HistoryMasked,
        "Unknown",
        "A window to mask cannot be read",
    ),
    (
        ConditionType::ScaleConflict,
        "True",
        "Somebody else scales these pods",
    ),
];

fn conditions(judgement: &mut Judgement, status: &PaymentClusterStatus) {
    let point = |title: &str, condition: &Condition| {
        let what = format!("{title}: {}", condition.message);
        let since = Some(condition.last_transition_time.0);
        Point::new(what, &condition.reason, since)
    };
    for (kind, wrong, title) in TITLES {
        let Some(condition) = find(&status.conditions, kind) else {
            continue;
        };
        let overridden =
            kind == ConditionType::Degraded && condition.reason == Reason::OverrideActive.as_str();
        if condition.status == wrong && !overridden {
            judgement.problems.push(point(title, condition));
        } else if condition.status == wrong {
            judgement.notes.push(point(title, condition));
        } else if condition.status == "Unknown" && wrong == "False" {
            let title = format!("{title} yet");
            judgement.notes.push(point(&title, condition));
        }
    }
    let paused = find(&status.conditions, ConditionType::Paused);
    let paused = paused.filter(|one| one.status == "True");
    judgement
        .notes
        .extend(paused.map(|one| point("Paused", one)));
    let ready = find(&status.conditions, ConditionType::Ready);
    let ready = ready.filter(|one| one.status == "False" && judgement.problems.is_empty());
    let ready = ready.map(|one| point("Not ready", one));
    judgement.problems.extend(ready);
}

/// The condition of a kind.
pub fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|one| one.type_ == kind.as_str())
}

fn behind(judgement: &mut Judgement, cluster: &PaymentCluster, status: &PaymentClusterStatus) {
    let (Some(wanted), Some(seen)) = (cluster.metadata.generation, status.observed_generation)
    else {
        return;
    };
    if seen < wanted {
        let what = format!(
            "The status is of generation {seen} and the spec of generation {wanted}: the operator has not taken the last change in"
        );
        let remedy = "wait some seconds; if it stays, look at the operator's log";
        let point = Point::new(what, "StatusBehind", None).with_remedy(remedy);
        judgement.notes.push(point);
    }
}

/// A sale whose T0 is nearer than a missing pod needs to be warm.
fn sale(judgement: &mut Judgement, status: &PaymentClusterStatus, now: Timestamp) {
    let (Some(sale), Some(pods)) = (&status.sale, &status.replicas) else {
        return;
    };
    let left_s = seconds(now, sale.t0.0);
    let lead_s = status.lead_time.map_or(0, |lead| i64::from(lead.seconds));
    let begun = sale.prescale_start.0 <= now;
    if begun && left_s <= lead_s && pods.warm < sale.planned_replicas {
        let when = if left_s > 0 {
            format!("begins in {}", span(left_s))
        } else {
            "runs".to_owned()
        };
        let what = format!(
            "The sale {}/{} {when} with {} of {} planned pods warm",
            sale.name, sale.phase, pods.warm, sale.planned_replicas
        );
        let point = Point::new(what, Reason::PlanLate.as_str(), None);
        judgement.problems.insert(0, point);
    }
}

fn annotations(judgement: &mut Judgement, cluster: &PaymentCluster, now: Timestamp) {
    let read = overrides_of(cluster, now);
    for remark in &read.remarks {
        let lapsed = remark.reason == Reason::OverrideLapsed;
        let title = match (lapsed, remark.refused) {
            (true, _) => "An override has lapsed",
            (false, true) => "An override is refused",
            (false, false) => "An override was changed",
        };
        let what = format!("{title}: {}", remark.message);
        let point = Point::new(what, remark.reason.as_str(), None);
        if remark.refused && !lapsed {
            judgement.problems.push(point);
        } else {
            judgement.notes.push(point);
        }
    }
    let known = cluster.status.as_ref().map(|status| &status.overrides);
    for active in known.into_iter().flat_map(|known| {
        let unknown = |one: &&OverrideStatus| !known.iter().any(|other| other.name == one.name);
        read.active.iter().filter(unknown)
    }) {
        let what = format!(
            "The operator has not taken {}={} in yet",
            active.name, active.value
        );
        judgement
            .notes
            .push(Point::new(what, "OverridePending", None));
    }
}
