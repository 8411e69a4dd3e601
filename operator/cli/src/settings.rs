//! Fields of the objects in the units of the planner, with the operator's own bounds and words.

use std::ops::Range;

use floodgate_api::cluster::degradation::{DegradationMode, Threshold};
use floodgate_api::cluster::forecast::ForecastMode;
use floodgate_api::sale::Phase;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::rehearse::{ForecastSettings, Settings};
use floodgate_planner::{
    Chance, DegradationPolicy, LevelThreshold, LoadLimits, Sale, SalePhase, Scaling, StepLimit,
};
use jiff::{SignedDuration, Timestamp};

/// Longest sale.
const SALE_DAYS_MAX: i64 = 90;

/// A field that holds what is not allowed there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A number is out of its range.
    #[error("`{field}` is {value}; must be between {min} and {max}")]
    OutOfRange {
        /// Path of the field.
        field: String,
        /// What it holds.
        value: i32,
        /// Least allowed.
        min: i32,
        /// Greatest allowed.
        max: i32,
    },
    /// Anything else.
    #[error("`{field}` {must}")]
    Invalid {
        /// Path of the field.
        field: String,
        /// `must be ...`.
        must: String,
    },
}

fn invalid(field: &str, must: &str) -> FieldError {
    FieldError::Invalid {
        field: field.to_owned(),
        must: must.to_owned(),
    }
}

fn within(field: &str, value: i32, min: i32, max: i32) -> Result<u32, FieldError> {
    u32::try_from(value)
        .ok()
        .filter(|_| (min..=max).contains(&value))
        .ok_or_else(|| FieldError::OutOfRange {
            field: field.to_owned(),
            value,
            min,
            max,
        })
}

/// What of a cluster decides.
pub fn of_cluster(cluster: &PaymentCluster) -> Result<Settings, FieldError> {
    let spec = &cluster.spec;
    let (traffic, forecast, prewarm) = (&spec.traffic, &spec.forecast, &spec.prewarm);
    let lead_min = within(
        "spec.prewarm.leadSecondsMin",
        prewarm.lead_seconds_min,
        1,
        3_600,
    )?;
    let lead_max = within(
        "spec.prewarm.leadSecondsMax",
        prewarm.lead_seconds_max,
        1,
        7_200,
    )?;
    if lead_max < lead_min {
        let must = "must be greater than or equal to `leadSecondsMin`";
        return Err(invalid("spec.prewarm.leadSecondsMax", must));
    }
    let quantile = within(
        "spec.forecast.quantilePercent",
        forecast.quantile_percent,
        50,
        99,
    )?;
    Ok(Settings {
        scaling: scaling(cluster)?,
        load_limits: LoadLimits {
            staleness_s: within(
                "spec.traffic.stalenessSeconds",
                traffic.staleness_seconds,
                5,
                600,
            )?,
            ..LoadLimits::default()
        },
        degradation: degradation(cluster)?,
        forecast: ForecastSettings {
            active: forecast.mode == ForecastMode::Active,
            quantile_percent: u8::try_from(quantile).unwrap_or(95),
            margin_s: within(
                "spec.forecast.marginSeconds",
                forecast.margin_seconds,
                0,
                3_600,
            )?,
            refresh_s: within(
                "spec.forecast.refreshSeconds",
                forecast.refresh_seconds,
                10,
                3_600,
            )?,
            refit_s: within(
                "spec.forecast.refitSeconds",
                forecast.refit_seconds,
                60,
                86_400,
            )?,
            error_percent_max: within(
                "spec.forecast.errorPercentMax",
                forecast.error_percent_max,
                1,
                200,
            )?,
            history_days: within("spec.traffic.historyDays", traffic.history_days, 1, 28)?,
        },
        lead_s: lead_min..=lead_max,
    })
}

fn scaling(cluster: &PaymentCluster) -> Result<Scaling, FieldError> {
    let spec = &cluster.spec.scaling;
    let replicas_min = within("spec.scaling.min", spec.min, 1, 10_000)?;
    let replicas_max = within("spec.scaling.max", spec.max, 1, 10_000)?;
    if replicas_max < replicas_min {
        let must = "must be greater than or equal to `min`";
        return Err(invalid("spec.scaling.max", must));
    }
    let down = &spec.scale_down;
    let stabilisation = "spec.scaling.scaleDown.stabilizationSeconds";
    let step = "spec.scaling.scaleDown.percentPerMinute";
    let utilisation = "spec.scaling.targetUtilizationPercent";
    Ok(Scaling {
        replicas_min,
        replicas_max,
        capacity_rps: within("spec.scaling.capacityRps", spec.capacity_rps, 1, 100_000)?.into(),
        target_utilisation_percent: within(utilisation, spec.target_utilization_percent, 10, 95)?,
        scale_down_stabilisation_s: within(stabilisation, down.stabilization_seconds, 0, 3_600)?,
        scale_down_step: Some(StepLimit {
            percent: within(step, down.percent_per_minute, 1, 100)?,
            pods: 1,
            period_s: 60,
        }),
        ..Scaling::default()
    })
}

/// Thresholds; such as no load reaches where only overrides impose levels.
fn degradation(cluster: &PaymentCluster) -> Result<DegradationPolicy, FieldError> {
    let spec = &cluster.spec.degradation;
    if spec.mode == DegradationMode::Manual {
        let never = LevelThreshold {
            enter_percent: u32::MAX,
            exit_percent: u32::MAX,
            hold_s: 0,
        };
        return Ok(DegradationPolicy { levels: [never; 4] });
    }
    let threshold = |name: &str, one: Threshold| {
        let field = |part: &str| format!("spec.degradation.{name}.{part}");
        if one.enter_percent <= one.exit_percent {
            let must = "must be greater than `exitPercent`";
            return Err(invalid(&field("enterPercent"), must));
        }
        Ok(LevelThreshold {
            enter_percent: within(&field("enterPercent"), one.enter_percent, 50, 10_000)?,
            exit_percent: within(&field("exitPercent"), one.exit_percent, 10, 9_999)?,
            hold_s: within(&field("holdSeconds"), one.hold_seconds, 0, 3_600)?,
        })
    };
    Ok(DegradationPolicy {
        levels: [
            threshold("guard", spec.guard)?,
            threshold("reduce", spec.reduce)?,
            threshold("protect", spec.protect)?,
            threshold("survive", spec.survive)?,
        ],
    })
}

/// Whether a sale hits a cluster: by name or by all of the labels.
pub fn selects(event: &SaleEvent, cluster: &PaymentCluster) -> bool {
    let selector = &event.spec.cluster_selector;
    let name = cluster.metadata.name.as_deref().unwrap_or_default();
    let labels = cluster.metadata.labels.as_ref();
    let labelled = !selector.match_labels.is_empty()
        && selector
            .match_labels
            .iter()
            .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(&value.0));
    selector.names.iter().any(|one| one == name) || labelled
}

/// A sale as the planner takes it.
pub fn of_sale(event: &SaleEvent) -> Result<Sale, FieldError> {
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
    if spec.phases.is_empty() {
        return Err(invalid("spec.phases", "must have at least one entry"));
    }
    let mut drafts = spec
        .phases
        .iter()
        .enumerate()
        .map(|(index, phase)| draft(index, phase, spec.uplift_percent, start..end))
        .collect::<Result<Vec<_>, _>>()?;
    drafts.sort_by_key(|(t0, ..)| *t0);
    let next: Vec<Timestamp> = drafts
        .iter()
        .skip(1)
        .map(|(t0, ..)| *t0)
        .chain([end])
        .collect();
    let phases = drafts
        .into_iter()
        .zip(next)
        .map(|((t0, until, name, uplift_percent), next)| {
            let least = t0
                .saturating_add(SignedDuration::from_secs(1))
                .unwrap_or(t0);
            SalePhase {
                name,
                t0: t0.into(),
                until: until.unwrap_or(next).max(least).into(),
                uplift_percent,
                chance: Chance::default(),
                planned_replicas: None,
            }
        });
    Ok(Sale {
        name: event.metadata.name.clone().unwrap_or_default(),
        start: start.into(),
        end: end.into(),
        phases: phases.collect(),
    })
}

/// A phase whose default end is not known yet: T0, end, name, uplift.
type Draft = (Timestamp, Option<Timestamp>, String, u32);

fn draft(
    index: usize,
    phase: &Phase,
    of_sale: Option<i32>,
    sale: Range<Timestamp>,
) -> Result<Draft, FieldError> {
    let field = |part: &str| format!("spec.phases[{index}].{part}");
    let t0 = instant(&field("t0"), &phase.t0)?;
    if !sale.contains(&t0) {
        let must = "must be at or after `start` and before `end` of the sale";
        return Err(invalid(&field("t0"), must));
    }
    let until = phase
        .end
        .as_ref()
        .map(|text| instant(&field("end"), text))
        .transpose()?;
    if until.is_some_and(|until| until <= t0 || until > sale.end) {
        let must = "must be after `t0` and not after the `end` of the sale";
        return Err(invalid(&field("end"), must));
    }
    let uplift = phase.uplift_percent.or(of_sale).ok_or_else(|| {
        let must =
            "must be set, here or for the sale; a rehearsal knows no earlier sale to learn from";
        invalid(&field("upliftPercent"), must)
    })?;
    let uplift_percent = within(&field("upliftPercent"), uplift, 100, 100_000)?;
    Ok((t0, until, phase.name.clone(), uplift_percent))
}

fn instant(field: &str, text: &str) -> Result<Timestamp, FieldError> {
    let must =
        "must be an RFC 3339 instant with a zone offset, for example `2026-11-11T00:00:00+08:00`";
    text.parse().map_err(|_| invalid(field, must))
}
