//! What is wrong with a cluster, in plain words. Pure: the time is given.
//!
//! Invariant: what a condition says is told in the operator's own words; only what they mean for a
//! person, and what to do, is added here.

use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_api::cluster::status::{OverrideStatus, PaymentClusterStatus};
use floodgate_api::overrides::{self, Bounds, OverridesRead};
use floodgate_api::{PaymentCluster, annotation};
use floodgate_words::{ConditionType, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use serde::Serialize;

use crate::moment::{seconds, span};

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// What, in a sentence.
    pub what: String,
    /// Reason of the condition or remark behind it.
    pub reason: String,
    /// Since when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What to do about it, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Point {
    /// A point with the remedy its reason has.
    pub fn new(what: impl Into<String>, reason: &str, since: Option<Timestamp>) -> Self {
        Self {
            what: what.into(),
            reason: reason.to_owned(),
            since,
            remedy: Reason::from_name(reason)
                .and_then(Reason::remedy)
                .map(str::to_owned),
        }
    }

    /// What, and what to do, in one line.
    pub fn in_one_line(self) -> String {
        let remedy = self.remedy.map(|remedy| format!("; {remedy}"));
        self.what + &remedy.unwrap_or_default()
    }
}

/// What is wrong, and what is only worth knowing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Wrong, worst first.
    pub problems: Vec<Point>,
    /// Worth knowing.
    pub notes: Vec<Point>,
}

/// Judges a cluster as it stands at `now`.
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
    let namespace = cluster.namespace().unwrap_or_else(|| "default".to_owned());
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
    let told = cluster.status.iter().flat_map(|status| &status.overrides);
    let is_annotation = |one: &OverrideStatus| {
        let names = annotation::OVERRIDES.iter();
        let mut names = names.filter_map(|name| name.strip_prefix(annotation::PREFIX));
        names.any(|name| name == one.name)
    };
    let held = told.filter(|one| !is_annotation(one) && one.until.0 > now);
    active.extend(held.cloned());
    active
}

fn conditions(judgement: &mut Judgement, status: &PaymentClusterStatus) {
    use ConditionType as Kind;
    let titles = [
        (Kind::Accepted, "False", "The spec is not accepted"),
        (Kind::WorkloadAvailable, "False", "Too few pods serve"),
        (Kind::PlanMet, "False", "The plan is not met"),
        (
            Kind::CapacitySufficient,
            "False",
            "Capacity does not suffice",
        ),
        (Kind::Degraded, "True", "Degraded"),
        (
            Kind::SignalsFresh,
            "False",
            "Prometheus gives no valid load",
        ),
        (
            Kind::ForecastTrusted,
            "False",
            "The forecast is not trusted",
        ),
        (
            Kind::HistoryMasked,
            "Unknown",
            "A window to mask cannot be read",
        ),
        (
            Kind::ScaleConflict,
            "True",
            "Somebody else scales these pods",
        ),
    ];
    for (kind, wrong, title) in titles {
        let Some(condition) = find(status, kind) else {
            continue;
        };
        let yet = if condition.status == "Unknown" && wrong == "False" {
            " yet"
        } else {
            ""
        };
        let what = format!("{title}{yet}: {}", condition.message);
        let point = Point::new(
            what,
            &condition.reason,
            Some(condition.last_transition_time.0),
        );
        let by_override =
            kind == Kind::Degraded && condition.reason == Reason::OverrideActive.as_str();
        if condition.status == wrong && !by_override {
            judgement.problems.push(point);
        } else if condition.status == wrong || (condition.status == "Unknown" && wrong == "False") {
            judgement.notes.push(point);
        }
    }
    if let Some(paused) = find(status, Kind::Paused).filter(|one| one.status == "True") {
        let since = Some(paused.last_transition_time.0);
        let what = format!("Paused: {}", paused.message);
        judgement
            .notes
            .push(Point::new(what, &paused.reason, since));
    }
    let ready = find(status, Kind::Ready).filter(|one| one.status == "False");
    if let Some(ready) = ready.filter(|_| judgement.problems.is_empty()) {
        let since = Some(ready.last_transition_time.0);
        let what = format!("Not ready: {}", ready.message);
        judgement
            .problems
            .push(Point::new(what, &ready.reason, since));
    }
}

/// The condition of a kind.
pub fn find(status: &PaymentClusterStatus, kind: ConditionType) -> Option<&Condition> {
    status
        .conditions
        .iter()
        .find(|one| one.type_ == kind.as_str())
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
        let mut point = Point::new(what, "StatusBehind", None);
        let remedy = "wait some seconds; if it stays, look at the operator's log";
        point.remedy = Some(remedy.to_owned());
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
