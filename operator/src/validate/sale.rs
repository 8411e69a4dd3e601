//! A `SaleEvent` into what the planner takes.

use floodgate_api::sale::{ClusterSelector, Phase, TrafficClass, status::SalePhaseStatus};
use floodgate_api::{SaleEvent, SaleEventSpec};
use floodgate_contract::Level;
use floodgate_planner::{Chance, Sale, SalePhase};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::ValidateError;

/// Longest sale.
const SALE_DAYS_MAX: i64 = 90;
/// Least and greatest uplift; the same bounds as in the schema.
const UPLIFT_PERCENT_MIN: u32 = 100;
const UPLIFT_PERCENT_MAX: u32 = 100_000;
/// Bounds of the chance a phase is planned with, and of the error of an uplift; as in the schema.
const QUANTILE_PERCENT: std::ops::RangeInclusive<u8> = 50..=99;
const UPLIFT_ERROR_PERCENT_MAX: u32 = 200;

/// A sale every later step may rely on.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidSale {
    /// For the planner; `planned_replicas` is `None` and filled in from the status.
    pub sale: Sale,
    /// Which clusters it hits.
    pub selector: ClusterSelector,
    /// Keys every new pod loads first.
    pub hot_keys: Vec<String>,
    /// Highest level planned degradation may impose while a phase runs, from what is protected.
    pub level_max: Level,
}

impl ValidSale {
    /// Whether the sale hits a cluster of its own namespace.
    pub fn selects(&self, cluster: &floodgate_api::PaymentCluster) -> bool {
        let ClusterSelector {
            names,
            match_labels,
        } = &self.selector;
        let labelled = !match_labels.is_empty()
            && match_labels
                .iter()
                .all(|(key, value)| cluster.labels().get(key) == Some(&value.0));
        names.contains(&cluster.name_any()) || labelled
    }
}

/// Validates a sale; `learned_percent` is the uplift that the sales in `learnFrom` taught, if any.
pub fn validate_sale(
    event: &SaleEvent,
    learned_percent: Option<u32>,
) -> Result<ValidSale, ValidateError> {
    let spec = &event.spec;
    let start = instant("spec.start", &spec.start)?;
    let end = instant("spec.end", &spec.end)?;
    if end <= start {
        return Err(invalid("spec.end", "must be after `start`"));
    }
    if end.duration_since(start) > SignedDuration::from_hours(24 * SALE_DAYS_MAX) {
        return Err(invalid("spec.end", "must be at most 90 days after `start`"));
    }
    if spec.cluster_selector.names.is_empty() && spec.cluster_selector.match_labels.is_empty() {
        let must = "must name a cluster in `names` or a label in `matchLabels`";
        return Err(invalid("spec.clusterSelector", must));
    }
    let mut phases = spec
        .phases
        .iter()
        .enumerate()
        .map(|(index, phase)| Draft::read(index, phase, start, end))
        .collect::<Result<Vec<_>, _>>()?;
    phases.sort_by_key(|phase| phase.t0);
    if phases.is_empty() {
        return Err(invalid("spec.phases", "must have at least one entry"));
    }
    let next: Vec<Timestamp> = phases
        .iter()
        .skip(1)
        .map(|phase| phase.t0)
        .chain([end])
        .collect();
    let uplift_error = uplift_error(spec)?;
    let declared = spec
        .uplift_percent
        .and_then(|percent| u32::try_from(percent).ok());
    let phases = phases
        .into_iter()
        .zip(next)
        .map(|(phase, next)| phase.finish(next, declared, learned_percent, uplift_error))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ValidSale {
        sale: Sale {
            name: event.name_any(),
            start: start.into(),
            end: end.into(),
            phases,
        },
        selector: spec.cluster_selector.clone(),
        hot_keys: spec.hot_keys.clone(),
        level_max: level_max(&spec.protect),
    })
}

/// The sale as its status published it, when it was near or ran at `now` and an edit has made its
/// spec invalid; for one cluster, or for all that it hit. The sale is not over while a phase of the
/// plan is not.
///
/// What runs in front of the payers must not fall because somebody mistyped a date (F55).
pub fn retained_sale(
    event: &SaleEvent,
    cluster: Option<&str>,
    now: Timestamp,
) -> Option<ValidSale> {
    let status = event.status.as_ref()?;
    let hit = status
        .clusters
        .iter()
        .filter(|one| cluster.is_none_or(|name| one.name == name));
    let published: Vec<&SalePhaseStatus> = hit.clone().flat_map(|one| &one.phases).collect();
    let begun = published.iter().any(|phase| phase.prescale_start.0 <= now);
    let mut phases: Vec<SalePhase> = Vec::new();
    for phase in published {
        let end = phase.end.as_ref()?.0;
        if phases.iter().any(|one| one.name == phase.name) {
            continue;
        }
        phases.push(SalePhase {
            name: phase.name.clone(),
            t0: phase.t0.0.into(),
            until: end.into(),
            uplift_percent: u32::try_from(phase.uplift_percent).ok()?,
            chance: Chance::default(),
            planned_replicas: None,
        });
    }
    let start = phases.iter().map(|phase| phase.t0).min()?;
    let end = phases.iter().map(|phase| phase.until).max()?;
    if !begun || end <= now.into() {
        return None;
    }
    Some(ValidSale {
        sale: Sale {
            name: event.name_any(),
            start,
            end,
            phases,
        },
        selector: ClusterSelector {
            names: hit.map(|one| one.name.clone()).collect(),
            ..ClusterSelector::default()
        },
        hot_keys: event.spec.hot_keys.clone(),
        level_max: level_max(&event.spec.protect),
    })
}

/// A phase whose default end is not known yet.
struct Draft {
    field: String,
    name: String,
    t0: Timestamp,
    end: Option<Timestamp>,
    uplift_percent: Option<u32>,
    quantile_percent: Option<u8>,
}

impl Draft {
    fn read(
        index: usize,
        phase: &Phase,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Self, ValidateError> {
        let field = format!("spec.phases[{index}]");
        let t0 = instant(&format!("{field}.t0"), &phase.t0)?;
        if t0 < start || t0 >= end {
            let must = "must be at or after `start` and before `end` of the sale";
            return Err(invalid(&format!("{field}.t0"), must));
        }
        let until = phase
            .end
            .as_ref()
            .map(|text| instant(&format!("{field}.end"), text))
            .transpose()?;
        if until.is_some_and(|until| until <= t0 || until > end) {
            let must = "must be after `t0` and not after the `end` of the sale";
            return Err(invalid(&format!("{field}.end"), must));
        }
        let uplift_percent = phase
            .uplift_percent
            .and_then(|percent| u32::try_from(percent).ok());
        Ok(Self {
            name: phase.name.clone(),
            t0,
            end: until,
            uplift_percent,
            quantile_percent: quantile(&field, phase)?,
            field,
        })
    }

    /// The phase with its end and its uplift: the declared one is the least, a learned one may be
    /// higher.
    fn finish(
        self,
        next: Timestamp,
        declared: Option<u32>,
        learned: Option<u32>,
        uplift_error_percent: u32,
    ) -> Result<SalePhase, ValidateError> {
        let field = format!("{}.upliftPercent", self.field);
        let uplift = self
            .uplift_percent
            .or(declared)
            .max(learned)
            .ok_or_else(|| {
                invalid(
                    &field,
                    "must be set, here or for the sale, until a sale in `learnFrom` has taught it",
                )
            })?;
        if !(UPLIFT_PERCENT_MIN..=UPLIFT_PERCENT_MAX).contains(&uplift) {
            return Err(invalid(&field, "must be between 100 and 100000"));
        }
        // Two phases may start in the same second; each then lasts a second at least.
        let least = self
            .t0
            .saturating_add(SignedDuration::from_secs(1))
            .unwrap_or(self.t0);
        let until = self.end.unwrap_or(next).max(least);
        Ok(SalePhase {
            name: self.name,
            t0: self.t0.into(),
            until: until.into(),
            uplift_percent: uplift,
            chance: Chance {
                quantile_percent: self.quantile_percent,
                uplift_error_percent,
            },
            planned_replicas: None,
        })
    }
}

/// The highest level that still leaves every protected class on.
fn level_max(protect: &[TrafficClass]) -> Level {
    match protect.iter().max() {
        None | Some(TrafficClass::CriticalPlus) => Level::Survive,
        Some(TrafficClass::Critical) => Level::Protect,
        Some(TrafficClass::SheddablePlus) => Level::Reduce,
        Some(TrafficClass::Sheddable) => Level::Guard,
    }
}

fn quantile(field: &str, phase: &Phase) -> Result<Option<u8>, ValidateError> {
    let Some(percent) = phase.quantile_percent else {
        return Ok(None);
    };
    let within = u8::try_from(percent)
        .ok()
        .filter(|percent| QUANTILE_PERCENT.contains(percent));
    let field = format!("{field}.quantilePercent");
    within
        .map(Some)
        .ok_or_else(|| invalid(&field, "must be between 50 and 99"))
}

fn uplift_error(spec: &SaleEventSpec) -> Result<u32, ValidateError> {
    u32::try_from(spec.uplift_error_percent.unwrap_or(0))
        .ok()
        .filter(|percent| *percent <= UPLIFT_ERROR_PERCENT_MAX)
        .ok_or_else(|| invalid("spec.upliftErrorPercent", "must be between 0 and 200"))
}

fn instant(field: &str, text: &str) -> Result<Timestamp, ValidateError> {
    text.parse().map_err(|_| {
        invalid(field, "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`")
    })
}

fn invalid(field: &str, must: &str) -> ValidateError {
    ValidateError::Invalid {
        field: field.to_owned(),
        must: must.to_owned(),
    }
}
