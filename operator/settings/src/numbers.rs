//! Numbers of a cluster's spec, within their bounds, in the units of the planner. Pure.
//!
//! Repeats the bounds of the schema: objects may be older than one of its rules, and files may never
//! have met an apiserver.

use floodgate_api::FieldError;
use floodgate_api::cluster::degradation::{Degradation, DegradationMode, Threshold};
use floodgate_api::cluster::forecast::{Forecast, ForecastMode};
use floodgate_api::cluster::prewarm::Prewarm;
use floodgate_api::cluster::scaling::Scaling as ScalingSpec;
use floodgate_api::cluster::traffic::Traffic;
use floodgate_planner::{DegradationPolicy, LoadLimits, Scaling, StepLimit};
use floodgate_words::LevelThreshold;

/// Seconds in which the share of `scaleDown.percentPerMinute` is given back.
const SCALE_DOWN_PERIOD_S: u32 = 60;

/// Lead time planned with until the first pod was measured, seconds.
pub const LEAD_UNMEASURED_S: u32 = 60;

/// How much of the past is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistorySettings {
    /// Days of history.
    pub days: u32,
    /// Distance of its points, seconds.
    pub step_s: u32,
}

/// What is expected from history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastSettings {
    /// What the forecast may do.
    pub mode: ForecastMode,
    /// Upper quantile, percent.
    pub quantile_percent: u32,
    /// Look-ahead beyond the lead time, seconds.
    pub margin_s: u32,
    /// Seconds between two forecasts.
    pub refresh_s: u32,
    /// Seconds between two fits.
    pub refit_s: u32,
    /// Gate of the live error, percent.
    pub error_percent_max: u32,
}

impl ForecastSettings {
    /// The upper quantile as the planner counts it.
    pub fn usual_quantile_percent(&self) -> u8 {
        u8::try_from(self.quantile_percent).unwrap_or(99)
    }
}

/// What a new pod loads before it takes traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrewarmSettings {
    /// Keys of the hot set.
    pub hot_keys_max: u32,
    /// Score to reach, permille.
    pub min_score_permille: u32,
    /// Deadline from the pod's start, milliseconds.
    pub deadline_ms: u64,
    /// Least and greatest lead time planned with, seconds.
    pub lead_s: std::ops::RangeInclusive<u32>,
}

/// `value` as an unsigned number, if it is within its range.
fn within(field: &str, value: i32, min: i32, max: i32) -> Result<u32, FieldError> {
    FieldError::within(field, value, min, max)
}

/// Refuses `upper` where it is below `lower`, the value of the field `named`.
fn at_least(field: &str, upper: u32, named: &str, lower: u32) -> Result<u32, FieldError> {
    if upper < lower {
        let must = format!("be at least `{named}`, {lower}");
        return Err(FieldError::text(field, &upper.to_string(), must));
    }
    Ok(upper)
}

/// Bounds, capacity and pace; requests/s, percent, seconds.
pub fn scaling(spec: &ScalingSpec) -> Result<Scaling, FieldError> {
    let field = |name: &str| format!("spec.scaling.{name}");
    let replicas_min = within(&field("min"), spec.min, 1, 10_000)?;
    let replicas_max = within(&field("max"), spec.max, 1, 10_000)?;
    let down = &spec.scale_down;
    Ok(Scaling {
        replicas_min,
        replicas_max: at_least(&field("max"), replicas_max, "min", replicas_min)?,
        capacity_rps: within(&field("capacityRps"), spec.capacity_rps, 1, 100_000)?.into(),
        target_utilisation_percent: within(
            &field("targetUtilizationPercent"),
            spec.target_utilization_percent,
            10,
            95,
        )?,
        scale_down_stabilisation_s: within(
            &field("scaleDown.stabilizationSeconds"),
            down.stabilization_seconds,
            0,
            3_600,
        )?,
        scale_down_step: Some(StepLimit {
            percent: within(
                &field("scaleDown.percentPerMinute"),
                down.percent_per_minute,
                1,
                100,
            )?,
            pods: 1,
            period_s: SCALE_DOWN_PERIOD_S,
        }),
        ..Scaling::default()
    })
}

/// How far a learned capacity may be away from the declared one, percent of it.
pub fn learn_percent(spec: &ScalingSpec) -> Result<u32, FieldError> {
    let field = "spec.scaling.capacityLearnPercent";
    within(field, spec.capacity_learn_percent, 0, 90)
}

/// What makes a reading of the load valid.
pub fn load_limits(spec: &Traffic) -> Result<LoadLimits, FieldError> {
    let field = "spec.traffic.stalenessSeconds";
    Ok(LoadLimits {
        staleness_s: within(field, spec.staleness_seconds, 5, 600)?,
        ..LoadLimits::default()
    })
}

/// How much of the past is asked for.
pub fn history(spec: &Traffic) -> Result<HistorySettings, FieldError> {
    let step = "spec.traffic.historyStepSeconds";
    Ok(HistorySettings {
        days: within("spec.traffic.historyDays", spec.history_days, 1, 28)?,
        step_s: within(step, spec.history_step_seconds, 15, 3_600)?,
    })
}

/// Thresholds of the levels; `None` where only overrides impose them.
pub fn degradation(spec: &Degradation) -> Result<Option<DegradationPolicy>, FieldError> {
    if spec.mode == DegradationMode::Manual {
        return Ok(None);
    }
    let levels = [
        ("guard", spec.guard),
        ("reduce", spec.reduce),
        ("protect", spec.protect),
        ("survive", spec.survive),
    ];
    for pair in levels.windows(2) {
        if let [(milder, lower), (name, upper)] = pair
            && upper.enter_percent < lower.enter_percent
        {
            let field = format!("spec.degradation.{name}.enterPercent");
            let must = format!("be at least that of `{milder}`, {}", lower.enter_percent);
            let text = upper.enter_percent.to_string();
            return Err(FieldError::text(field, &text, must));
        }
    }
    let [guard, reduce, protect, survive] = levels.map(|(name, spec)| threshold(name, spec));
    Ok(Some(DegradationPolicy {
        levels: [guard?, reduce?, protect?, survive?],
    }))
}

fn threshold(level: &str, spec: Threshold) -> Result<LevelThreshold, FieldError> {
    let field = |part: &str| format!("spec.degradation.{level}.{part}");
    if spec.enter_percent <= spec.exit_percent {
        let must = format!("be greater than its `exitPercent`, {}", spec.exit_percent);
        let text = spec.enter_percent.to_string();
        return Err(FieldError::text(field("enterPercent"), &text, must));
    }
    Ok(LevelThreshold {
        enter_percent: within(&field("enterPercent"), spec.enter_percent, 50, 10_000)?,
        exit_percent: within(&field("exitPercent"), spec.exit_percent, 10, 9_999)?,
        hold_s: within(&field("holdSeconds"), spec.hold_seconds, 0, 3_600)?,
    })
}

/// What is expected from history.
pub fn forecast(spec: &Forecast) -> Result<ForecastSettings, FieldError> {
    let field = |name: &str| format!("spec.forecast.{name}");
    Ok(ForecastSettings {
        mode: spec.mode,
        quantile_percent: within(&field("quantilePercent"), spec.quantile_percent, 51, 99)?,
        margin_s: within(&field("marginSeconds"), spec.margin_seconds, 0, 3_600)?,
        refresh_s: within(&field("refreshSeconds"), spec.refresh_seconds, 10, 3_600)?,
        refit_s: within(&field("refitSeconds"), spec.refit_seconds, 60, 86_400)?,
        error_percent_max: within(&field("errorPercentMax"), spec.error_percent_max, 1, 200)?,
    })
}

/// What a new pod loads, and the bounds of the lead time.
pub fn prewarm(spec: &Prewarm) -> Result<PrewarmSettings, FieldError> {
    let field = |name: &str| format!("spec.prewarm.{name}");
    let deadline_s = within(&field("deadlineSeconds"), spec.deadline_seconds, 1, 600)?;
    let lead_min = within(&field("leadSecondsMin"), spec.lead_seconds_min, 1, 3_600)?;
    let most = field("leadSecondsMax");
    let lead_max = within(&most, spec.lead_seconds_max, 1, 7_200)?;
    let lead_max = at_least(&most, lead_max, "leadSecondsMin", lead_min)?;
    let score_percent = within(&field("minScorePercent"), spec.min_score_percent, 0, 100)?;
    Ok(PrewarmSettings {
        hot_keys_max: within(&field("hotKeysMax"), spec.hot_keys_max, 0, 10_000)?,
        min_score_permille: 10 * score_percent,
        deadline_ms: u64::from(deadline_s) * 1_000,
        lead_s: lead_min..=lead_max,
    })
}
