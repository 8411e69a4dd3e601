//! A `SaleEvent` and a `PaymentCluster` as the planner takes them. Pure.
//!
//! Files may never have met an apiserver, so the bounds the planner relies on are checked here, in
//! the words of the schema.

use floodgate_api::sale::Phase;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::{Chance, LeadTime, Sale, SalePhase, Scaling};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::SaleError;

/// Longest sale.
const SALE_DAYS_MAX: i64 = 90;
/// Lead time planned with until the first pod was measured, seconds; the operator's own.
const LEAD_UNMEASURED_S: i32 = 60;
/// Bounds of `scaling.min` and `scaling.max`.
const REPLICAS: std::ops::RangeInclusive<i32> = 1..=10_000;
/// Bounds of `scaling.capacityRps`.
const CAPACITY_RPS: std::ops::RangeInclusive<i32> = 1..=100_000;
/// Bounds of an uplift.
const UPLIFT_PERCENT: std::ops::RangeInclusive<i32> = 100..=100_000;

/// Bounds of the chance a phase is planned with.
const QUANTILE_PERCENT: std::ops::RangeInclusive<u8> = 50..=99;
/// Greatest error of an uplift.
const UPLIFT_ERROR_PERCENT_MAX: u32 = 200;

/// Whether a sale hits a cluster.
pub fn selects(event: &SaleEvent, cluster: &PaymentCluster) -> bool {
    let selector = &event.spec.cluster_selector;
    let here = match (event.namespace(), cluster.namespace()) {
        (Some(of_sale), Some(of_cluster)) => of_sale == of_cluster,
        _ => true,
    };
    let labels = &selector.match_labels;
    let carries = |(key, value): (&String, &floodgate_api::sale::LabelValue)| {
        cluster.labels().get(key) == Some(&value.0)
    };
    let labelled = !labels.is_empty() && labels.iter().all(carries);
    here && (labelled || selector.names.contains(&cluster.name_any()))
}

/// Bounds and capacity of a cluster.
pub fn scaling(cluster: &PaymentCluster) -> Result<Scaling, SaleError> {
    let object = format!("PaymentCluster `{}`", cluster.name_any());
    let spec = &cluster.spec.scaling;
    let number = |field: &str, value: i32, bounds: std::ops::RangeInclusive<i32>| {
        let number = u32::try_from(value)
            .ok()
            .filter(|_| bounds.contains(&value));
        number.ok_or_else(|| SaleError::Field {
            object: object.clone(),
            field: format!("spec.scaling.{field}"),
            must: format!(
                "is {value}; must be between {} and {}",
                bounds.start(),
                bounds.end()
            ),
        })
    };
    let replicas_min = number("min", spec.min, REPLICAS)?;
    let replicas_max = number("max", spec.max, REPLICAS)?;
    if replicas_max < replicas_min {
        return Err(SaleError::Field {
            object,
            field: "spec.scaling.max".to_owned(),
            must: "must be greater than or equal to `min`".to_owned(),
        });
    }
    Ok(Scaling {
        replicas_min,
        replicas_max,
        capacity_rps: f64::from(number("capacityRps", spec.capacity_rps, CAPACITY_RPS)?),
        ..Scaling::default()
    })
}

/// Measured lead time, or the one planned with before any was measured, within its bounds.
pub fn lead_time(cluster: &PaymentCluster) -> LeadTime {
    let measured = cluster.status.as_ref().and_then(|status| status.lead_time);
    let prewarm = &cluster.spec.prewarm;
    let least = prewarm.lead_seconds_min.max(1);
    let lead_s = measured
        .map_or(LEAD_UNMEASURED_S, |lead| lead.seconds)
        .clamp(least, prewarm.lead_seconds_max.max(least));
    let count = |seconds: i32| u32::try_from(seconds).unwrap_or(0);
    LeadTime {
        ready_p99_s: count(lead_s),
        warm_p99_s: 0,
        interval_s: 0,
        margin_s: count(cluster.spec.forecast.margin_seconds),
    }
}

/// The uplift that the sales in `learnFrom` taught; of several, the highest.
pub fn learned_percent(event: &SaleEvent, all: &[SaleEvent]) -> Option<u32> {
    let named = all
        .iter()
        .filter(|other| event.spec.learn_from.contains(&other.name_any()));
    let taught = named.filter_map(|other| other.status.as_ref()?.learned_uplift_percent);
    taught
        .filter_map(|percent| u32::try_from(percent).ok())
        .max()
}

/// The sale with its phases in the order of their T0; `all` are the sales `learnFrom` may name.
pub fn sale(event: &SaleEvent, all: &[SaleEvent]) -> Result<Sale, SaleError> {
    let spec = &event.spec;
    let field = |field: &str, must: &str| SaleError::Field {
        object: format!("SaleEvent `{}`", event.name_any()),
        field: field.to_owned(),
        must: must.to_owned(),
    };
    let read = |name: &str, text: &str| -> Result<Timestamp, SaleError> {
        let must = "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`";
        text.parse().map_err(|_| field(name, must))
    };
    let start = read("spec.start", &spec.start)?;
    let end = read("spec.end", &spec.end)?;
    if end <= start {
        return Err(field("spec.end", "must be after `start`"));
    }
    if end.duration_since(start) > SignedDuration::from_hours(24 * SALE_DAYS_MAX) {
        return Err(field("spec.end", "must be at most 90 days after `start`"));
    }
    let learned = learned_percent(event, all);
    let uplift_error_percent = u32::try_from(spec.uplift_error_percent.unwrap_or(0))
        .ok()
        .filter(|percent| *percent <= UPLIFT_ERROR_PERCENT_MAX)
        .ok_or_else(|| field("spec.upliftErrorPercent", "must be between 0 and 200"))?;
    let mut phases = Vec::new();
    for (index, phase) in spec.phases.iter().enumerate() {
        let path = format!("spec.phases[{index}]");
        let t0 = read(&format!("{path}.t0"), &phase.t0)?;
        if t0 < start || t0 >= end {
            let must = "must be at or after `start` and before `end` of the sale";
            return Err(field(&format!("{path}.t0"), must));
        }
        let until = phase.end.as_deref();
        let until = until.map(|text| read(&format!("{path}.end"), text));
        let until = until.transpose()?;
        if until.is_some_and(|until| until <= t0 || until > end) {
            let must = "must be after `t0` and not after the `end` of the sale";
            return Err(field(&format!("{path}.end"), must));
        }
        let uplift_percent = uplift(event, phase, learned).ok_or_else(|| {
            let must = "must be set between 100 and 100000, here or for the sale, until a sale in `learnFrom` has taught it";
            field(&format!("{path}.upliftPercent"), must)
        })?;
        phases.push(Draft {
            name: phase.name.clone(),
            t0,
            until,
            uplift_percent,
            chance: Chance {
                quantile_percent: quantile(phase)
                    .map_err(|must| field(&format!("{path}.quantilePercent"), must))?,
                uplift_error_percent,
            },
        });
    }
    if phases.is_empty() {
        return Err(field("spec.phases", "must have at least one entry"));
    }
    Ok(Sale {
        name: event.name_any(),
        start: start.into(),
        end: end.into(),
        phases: finished(phases, end),
    })
}

/// A phase whose default end is not known yet.
struct Draft {
    name: String,
    t0: Timestamp,
    until: Option<Timestamp>,
    uplift_percent: u32,
    chance: Chance,
}

/// The phases in the order of their T0, each with its end.
fn finished(mut drafts: Vec<Draft>, end: Timestamp) -> Vec<SalePhase> {
    drafts.sort_by_key(|phase| phase.t0);
    let starts: Vec<Timestamp> = drafts.iter().map(|phase| phase.t0).collect();
    let nexts = starts.into_iter().skip(1).chain([end]);
    let finish = |(draft, next): (Draft, Timestamp)| {
        let Draft {
            name,
            t0,
            until,
            uplift_percent,
            chance,
        } = draft;
        // Two phases may start in the same second; each then lasts a second at least.
        let second = SignedDuration::from_secs(1);
        let least = t0.saturating_add(second).unwrap_or(t0);
        SalePhase {
            name,
            t0: t0.into(),
            until: until.unwrap_or(next).max(least).into(),
            uplift_percent,
            chance,
            planned_replicas: None,
        }
    };
    drafts.into_iter().zip(nexts).map(finish).collect()
}

/// The chance a phase is planned with, or what it must be.
fn quantile(phase: &Phase) -> Result<Option<u8>, &'static str> {
    let Some(percent) = phase.quantile_percent else {
        return Ok(None);
    };
    let percent = u8::try_from(percent).ok();
    let percent = percent.filter(|percent| QUANTILE_PERCENT.contains(percent));
    percent.map(Some).ok_or("must be between 50 and 99")
}

/// The declared uplift is the least; a learned one may be higher.
fn uplift(event: &SaleEvent, phase: &Phase, learned: Option<u32>) -> Option<u32> {
    let declared = phase.uplift_percent.or(event.spec.uplift_percent);
    if declared.is_some_and(|percent| !UPLIFT_PERCENT.contains(&percent)) {
        return None;
    }
    let declared = declared.and_then(|percent| u32::try_from(percent).ok());
    declared.max(learned)
}
