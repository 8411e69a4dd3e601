//! A `SaleEvent` with its instants read: what the operator plans, what the plugin plans and what is
//! rehearsed are this one sale. Pure.
//!
//! Objects may be older than a schema rule, written past it, or come from a file that never met an
//! apiserver, so every bound the planner relies on is checked here again.
//! Invariant: phases come in the order of their T0, each ends after it starts, and every uplift and
//! quantile is within the bounds of the schema.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::zone::{Edge, Reader};
use super::{ClusterSelector, Phase, SaleEvent};
use crate::{FieldError, PaymentCluster};

/// Longest sale, as in the schema.
const SALE_DAYS_MAX: i64 = 90;
/// Bounds of an uplift, percent, as in the schema.
const UPLIFT_PERCENT_MIN: i32 = 100;
const UPLIFT_PERCENT_MAX: i32 = 100_000;
/// Bounds of the chance a phase is planned with, percent, as in the schema.
const QUANTILE_PERCENT_MIN: i32 = 50;
const QUANTILE_PERCENT_MAX: i32 = 99;
/// Greatest standard error of an uplift, percent of it, as in the schema.
const UPLIFT_ERROR_PERCENT_MAX: i32 = 200;
/// Uplift of a first sale that nobody declares, percent: the 95 % quantile at the highest moment of
/// the kickoffs in `models/prior-event.json`. A first sale planned too large costs pods, one planned
/// too small costs the sale.
pub const FIRST_SALE_UPLIFT_PERCENT: u32 = 682;

/// A sale every later step may rely on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedSale {
    /// The sale runs from here.
    pub start: Timestamp,
    /// The sale is over from here.
    pub end: Timestamp,
    /// At least one, in the order of their T0.
    pub phases: Vec<DatedPhase>,
    /// What was taken for local times that do not exist or come twice, and for an uplift that nothing
    /// has taught yet.
    pub remarks: Vec<String>,
}

/// One phase of it, `[t0, until)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedPhase {
    /// Name of the phase.
    pub name: String,
    /// The second the load steps up.
    pub t0: Timestamp,
    /// The phase is over from here.
    pub until: Timestamp,
    /// Expected load, percent of the baseline, 100..=100000.
    pub uplift_percent: u32,
    /// Chance asked for, 50..=99 percent; `None` where the phase names none.
    pub quantile_percent: Option<u8>,
    /// Standard error of the uplift, 0..=200 percent of it.
    pub uplift_error_percent: u32,
}

impl SaleEvent {
    /// The sale with its instants read and its bounds checked. `learned_percent` is the uplift that
    /// the sales in `learnFrom` taught: the declared one is the least, a learned one may be higher.
    pub fn dated(&self, learned_percent: Option<u32>) -> Result<DatedSale, FieldError> {
        let spec = &self.spec;
        let mut reader = Reader::new(spec.time_zone.as_deref())?;
        let start = reader.instant("spec.start", &spec.start, Edge::Start)?;
        let end = reader.instant("spec.end", &spec.end, Edge::End)?;
        let late = |must: String| FieldError::text("spec.end", &spec.end, must);
        if end <= start {
            let taken = reader.remarks.join("; ");
            let taken = Some(taken).filter(|taken| !taken.is_empty());
            let taken = taken.map_or_else(String::new, |taken| format!(" ({taken})"));
            return Err(late(format!("be after `start`, {}{taken}", spec.start)));
        }
        if end.duration_since(start) > SignedDuration::from_hours(24 * SALE_DAYS_MAX) {
            let must = format!(
                "be at most {SALE_DAYS_MAX} days after `start`, {}",
                spec.start
            );
            return Err(late(must));
        }
        if spec.cluster_selector.names.is_empty() && spec.cluster_selector.match_labels.is_empty() {
            let must = "name a cluster in `names` or a label in `matchLabels`";
            return Err(FieldError::empty("spec.clusterSelector", must));
        }
        if spec.phases.is_empty() {
            return Err(FieldError::empty("spec.phases", "have at least one entry"));
        }
        let of_sale = OfSale {
            runs: start..end,
            declared: spec
                .uplift_percent
                .map(|percent| uplift("spec", percent))
                .transpose()?,
            learned: learned_percent,
            learns: !spec.learn_from.is_empty(),
            uplift_error_percent: FieldError::within(
                "spec.upliftErrorPercent",
                spec.uplift_error_percent.unwrap_or(0),
                0,
                UPLIFT_ERROR_PERCENT_MAX,
            )?,
        };
        let drafts = spec.phases.iter().enumerate();
        let drafts = drafts.map(|(index, phase)| of_sale.phase(&mut reader, index, phase));
        let drafts = drafts.collect::<Result<Vec<Draft>, FieldError>>()?;
        let mut names = BTreeSet::new();
        if let Some((index, twice)) = spec
            .phases
            .iter()
            .enumerate()
            .find(|(_, phase)| !names.insert(&*phase.name))
        {
            let field = format!("spec.phases[{index}].name");
            return Err(FieldError::text(field, &twice.name, "stand once"));
        }
        Ok(DatedSale {
            start,
            end,
            phases: finished(drafts, end),
            remarks: reader.remarks,
        })
    }

    /// The uplift that the sales in `learnFrom` taught, percent; of several, the highest.
    pub fn learned_percent<'a>(&self, all: impl IntoIterator<Item = &'a Self>) -> Option<u32> {
        let learn_from = &self.spec.learn_from;
        let named = all
            .into_iter()
            .filter(|other| learn_from.contains(&other.name_any()));
        let taught = named.filter_map(|other| other.status.as_ref()?.learned_uplift_percent);
        taught
            .filter_map(|percent| u32::try_from(percent).ok())
            .max()
    }
}

impl ClusterSelector {
    /// Whether a cluster of the same namespace is hit: by its name, or by carrying every label.
    pub fn matches(&self, cluster: &PaymentCluster) -> bool {
        let Self {
            names,
            match_labels,
        } = self;
        let labelled = !match_labels.is_empty()
            && match_labels
                .iter()
                .all(|(key, value)| cluster.labels().get(key) == Some(&value.0));
        labelled || names.contains(&cluster.name_any())
    }
}

/// What the phases take from their sale.
struct OfSale {
    runs: Range<Timestamp>,
    declared: Option<u32>,
    learned: Option<u32>,
    /// Whether sales are named that may teach an uplift.
    learns: bool,
    uplift_error_percent: u32,
}

/// A phase, and whether its end was named.
struct Draft {
    phase: DatedPhase,
    ends: Option<Timestamp>,
}

impl OfSale {
    fn phase(
        &self,
        reader: &mut Reader<'_>,
        index: usize,
        phase: &Phase,
    ) -> Result<Draft, FieldError> {
        let path = format!("spec.phases[{index}]");
        if !is_label(&phase.name) {
            let must = "be a lower-case DNS label, for example `midnight`";
            return Err(FieldError::text(format!("{path}.name"), &phase.name, must));
        }
        let t0 = reader.instant(&format!("{path}.t0"), &phase.t0, Edge::Start)?;
        if !self.runs.contains(&t0) {
            let Range { start, end } = &self.runs;
            let must =
                format!("be at or after `start` of the sale, {start}, and before its `end`, {end}");
            return Err(FieldError::text(format!("{path}.t0"), &phase.t0, must));
        }
        let field = format!("{path}.end");
        let ends = phase.end.as_ref();
        let ends = ends.map(|text| reader.instant(&field, text, Edge::End));
        let ends = ends.transpose()?;
        if ends.is_some_and(|ends| ends <= t0 || ends > self.runs.end) {
            let text = phase.end.as_deref().unwrap_or_default();
            let end = self.runs.end;
            let must = format!("be after `t0`, {t0}, and not after the `end` of the sale, {end}");
            return Err(FieldError::text(field, text, must));
        }
        let declared = phase.uplift_percent.map(|percent| uplift(&path, percent));
        let declared = declared.transpose()?.or(self.declared);
        let field = format!("{path}.upliftPercent");
        let uplift_percent = match declared.max(self.learned) {
            Some(percent) => percent,
            None if self.learns => {
                reader.remarks.push(format!(
                    "`{field}` is not set and no sale in `learnFrom` has taught it yet; {FIRST_SALE_UPLIFT_PERCENT} is taken, what 19 in 20 moments of public kickoffs stayed below"
                ));
                FIRST_SALE_UPLIFT_PERCENT
            }
            None => {
                let must = "be set, here or for the sale, or `learnFrom` name a sale";
                return Err(FieldError::unset(field, must));
            }
        };
        let phase = DatedPhase {
            name: phase.name.clone(),
            t0,
            until: self.runs.end,
            // What was learned may lie outside of what may be declared.
            uplift_percent: uplift_percent.clamp(
                UPLIFT_PERCENT_MIN.unsigned_abs(),
                UPLIFT_PERCENT_MAX.unsigned_abs(),
            ),
            quantile_percent: quantile(&path, phase)?,
            uplift_error_percent: self.uplift_error_percent,
        };
        Ok(Draft { phase, ends })
    }
}

/// The phases in the order of their T0; one that names no end lasts to the next T0, or to `end`.
fn finished(mut drafts: Vec<Draft>, end: Timestamp) -> Vec<DatedPhase> {
    drafts.sort_by_key(|draft| draft.phase.t0);
    let starts: Vec<Timestamp> = drafts.iter().map(|draft| draft.phase.t0).collect();
    let nexts = starts.into_iter().skip(1).chain([end]);
    let finish = |(draft, next): (Draft, Timestamp)| {
        let Draft { phase, ends } = draft;
        // Two phases may start in the same second; each then lasts a second at least.
        let second = SignedDuration::from_secs(1);
        let least = phase.t0.saturating_add(second).unwrap_or(phase.t0);
        DatedPhase {
            until: ends.unwrap_or(next).max(least),
            ..phase
        }
    };
    drafts.into_iter().zip(nexts).map(finish).collect()
}

fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn uplift(path: &str, percent: i32) -> Result<u32, FieldError> {
    let field = format!("{path}.upliftPercent");
    FieldError::within(field, percent, UPLIFT_PERCENT_MIN, UPLIFT_PERCENT_MAX)
}

fn quantile(path: &str, phase: &Phase) -> Result<Option<u8>, FieldError> {
    let Some(percent) = phase.quantile_percent else {
        return Ok(None);
    };
    let field = format!("{path}.quantilePercent");
    let percent = FieldError::within(field, percent, QUANTILE_PERCENT_MIN, QUANTILE_PERCENT_MAX)?;
    Ok(u8::try_from(percent).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sale(name: &str, learn_from: &[&str], learned: Option<i32>) -> SaleEvent {
        serde_json::from_value(json!({
            "apiVersion": crate::API_VERSION,
            "kind": "SaleEvent",
            "metadata": { "name": name },
            "spec": {
                "clusterSelector": { "names": ["till"] },
                "start": "2026-11-11T00:00:00Z", "end": "2026-11-11T02:00:00Z",
                "phases": [{ "name": "rush", "t0": "2026-11-11T00:00:00Z" }],
                "learnFrom": learn_from
            },
            "status": { "learnedUpliftPercent": learned }
        }))
        .unwrap()
    }

    #[test]
    fn the_largest_uplift_of_the_named_sales_is_learned() {
        let all = [
            sale("june", &[], Some(800)),
            sale("singles", &[], Some(1_200)),
            sale("other", &[], Some(5_000)),
            sale("unseen", &[], None),
        ];
        let learned = |names: &[&str]| sale("next", names, None).learned_percent(&all);
        assert_eq!(learned(&["june", "singles"]), Some(1_200));
        assert_eq!(learned(&["june", "gone", "unseen"]), Some(800));
        assert_eq!(learned(&["unseen"]), None, "nothing came of it yet");
        assert_eq!(learned(&["gone"]), None);
        assert_eq!(learned(&[]), None);
    }
}
