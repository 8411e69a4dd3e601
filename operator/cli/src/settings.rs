//! Fields of a `PaymentCluster` in the units of the planner, with the operator's own bounds. Pure.
//!
//! Files may never have met an apiserver, so the bounds the planner relies on are checked here.

use floodgate_api::cluster::degradation::{DegradationMode, Threshold};
use floodgate_api::cluster::forecast::ForecastMode;
use floodgate_api::{FieldError, PaymentCluster};
use floodgate_planner::rehearse::{ForecastSettings, Settings};
use floodgate_planner::{
    DegradationPolicy, LeadTime, LevelThreshold, LoadLimits, Scaling, StepLimit,
};

/// Lead time planned with until the first pod was measured, seconds; the operator's own.
const LEAD_UNMEASURED_S: i32 = 60;

fn within(field: &str, value: i32, min: i32, max: i32) -> Result<u32, FieldError> {
    FieldError::within(field, value, min, max)
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
        let must = format!("be at least `leadSecondsMin`, {lead_min}");
        let text = lead_max.to_string();
        return Err(FieldError::text("spec.prewarm.leadSecondsMax", &text, must));
    }
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
            quantile_percent: quantile_percent(cluster)?,
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

/// Chance of a sale phase that names none, percent.
pub fn quantile_percent(cluster: &PaymentCluster) -> Result<u8, FieldError> {
    let percent = cluster.spec.forecast.quantile_percent;
    let percent = within("spec.forecast.quantilePercent", percent, 51, 99)?;
    Ok(u8::try_from(percent).unwrap_or(99))
}

/// Bounds, capacity and pace of a cluster.
pub fn scaling(cluster: &PaymentCluster) -> Result<Scaling, FieldError> {
    let spec = &cluster.spec.scaling;
    let replicas_min = within("spec.scaling.min", spec.min, 1, 10_000)?;
    let replicas_max = within("spec.scaling.max", spec.max, 1, 10_000)?;
    if replicas_max < replicas_min {
        let must = format!("be at least `min`, {replicas_min}");
        let text = replicas_max.to_string();
        return Err(FieldError::text("spec.scaling.max", &text, must));
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
    let enters = [
        ("guard", spec.guard),
        ("reduce", spec.reduce),
        ("protect", spec.protect),
        ("survive", spec.survive),
    ];
    for pair in enters.windows(2) {
        if let [(milder, lower), (name, upper)] = pair
            && upper.enter_percent < lower.enter_percent
        {
            let field = format!("spec.degradation.{name}.enterPercent");
            let must = format!("be at least that of `{milder}`, {}", lower.enter_percent);
            return Err(FieldError::text(
                field,
                &upper.enter_percent.to_string(),
                must,
            ));
        }
    }
    let threshold = |name: &str, one: Threshold| {
        let field = |part: &str| format!("spec.degradation.{name}.{part}");
        if one.enter_percent <= one.exit_percent {
            let must = format!("be greater than `exitPercent`, {}", one.exit_percent);
            let text = one.enter_percent.to_string();
            return Err(FieldError::text(field("enterPercent"), &text, must));
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
