//! Numbers and quantities of the spec, into the units of the planner.

use floodgate_api::cluster::degradation::{Degradation, Threshold};
use floodgate_api::cluster::forecast::Forecast;
use floodgate_api::cluster::prewarm::Prewarm;
use floodgate_api::cluster::scaling::Scaling as ScalingSpec;
use floodgate_api::cluster::service::Service;
use floodgate_api::cluster::traffic::Traffic;
use floodgate_planner::{DegradationPolicy, LevelThreshold, LoadLimits, Scaling, StepLimit};

use super::{ForecastSettings, PrewarmSettings, ServiceSettings, ValidateError};

/// Seconds in which the share of `scaleDown.percentPerMinute` is given back.
const SCALE_DOWN_PERIOD_S: u32 = 60;
/// Longest image reference and log filter; the same bounds as in the schema.
const IMAGE_BYTES_MAX: usize = 512;
const LOG_FILTER_BYTES_MAX: usize = 128;

/// `value` as an unsigned number, if it is within its range.
pub(super) fn within(
    field: &'static str,
    value: i32,
    min: i32,
    max: i32,
) -> Result<u32, ValidateError> {
    u32::try_from(value)
        .ok()
        .filter(|_| (min..=max).contains(&value))
        .ok_or(ValidateError::OutOfRange {
            field,
            value,
            min,
            max,
        })
}

fn invalid(field: &str, must: impl Into<String>) -> ValidateError {
    ValidateError::Invalid {
        field: field.to_owned(),
        must: must.into(),
    }
}

pub(super) fn scaling(spec: &ScalingSpec) -> Result<Scaling, ValidateError> {
    let replicas_min = within("spec.scaling.min", spec.min, 1, 10_000)?;
    let replicas_max = within("spec.scaling.max", spec.max, 1, 10_000)?;
    if replicas_max < replicas_min {
        return Err(invalid(
            "spec.scaling.max",
            "must be greater than or equal to `min`",
        ));
    }
    let capacity = within("spec.scaling.capacityRps", spec.capacity_rps, 1, 100_000)?;
    within(
        "spec.scaling.capacityLearnPercent",
        spec.capacity_learn_percent,
        0,
        90,
    )?;
    let down = &spec.scale_down;
    Ok(Scaling {
        replicas_min,
        replicas_max,
        capacity_rps: f64::from(capacity),
        target_utilisation_percent: within(
            "spec.scaling.targetUtilizationPercent",
            spec.target_utilization_percent,
            10,
            95,
        )?,
        scale_down_stabilisation_s: within(
            "spec.scaling.scaleDown.stabilizationSeconds",
            down.stabilization_seconds,
            0,
            3_600,
        )?,
        scale_down_step: Some(StepLimit {
            percent: within(
                "spec.scaling.scaleDown.percentPerMinute",
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

pub(super) fn load_limits(spec: &Traffic) -> Result<LoadLimits, ValidateError> {
    Ok(LoadLimits {
        staleness_s: within(
            "spec.traffic.stalenessSeconds",
            spec.staleness_seconds,
            5,
            600,
        )?,
        ..LoadLimits::default()
    })
}

pub(super) fn degradation(spec: &Degradation) -> Result<DegradationPolicy, ValidateError> {
    let levels = [
        ("spec.degradation.guard", spec.guard),
        ("spec.degradation.reduce", spec.reduce),
        ("spec.degradation.protect", spec.protect),
        ("spec.degradation.survive", spec.survive),
    ];
    for pair in levels.windows(2) {
        if let [(milder, lower), (field, upper)] = pair
            && upper.enter_percent < lower.enter_percent
        {
            let must = format!("must be greater than or equal to `{milder}.enterPercent`");
            return Err(invalid(&format!("{field}.enterPercent"), must));
        }
    }
    let [(_, guard), (_, reduce), (_, protect), (_, survive)] = levels;
    Ok(DegradationPolicy {
        levels: [
            threshold(guard)?,
            threshold(reduce)?,
            threshold(protect)?,
            threshold(survive)?,
        ],
    })
}

fn threshold(spec: Threshold) -> Result<LevelThreshold, ValidateError> {
    if spec.enter_percent <= spec.exit_percent {
        return Err(invalid(
            "spec.degradation",
            "must have every `enterPercent` greater than its `exitPercent`",
        ));
    }
    Ok(LevelThreshold {
        enter_percent: within(
            "spec.degradation.*.enterPercent",
            spec.enter_percent,
            50,
            10_000,
        )?,
        exit_percent: within(
            "spec.degradation.*.exitPercent",
            spec.exit_percent,
            10,
            9_999,
        )?,
        hold_s: within(
            "spec.degradation.*.holdSeconds",
            spec.hold_seconds,
            0,
            3_600,
        )?,
    })
}

pub(super) fn forecast(spec: &Forecast) -> Result<ForecastSettings, ValidateError> {
    Ok(ForecastSettings {
        mode: spec.mode,
        quantile_percent: within(
            "spec.forecast.quantilePercent",
            spec.quantile_percent,
            51,
            99,
        )?,
        margin_s: within("spec.forecast.marginSeconds", spec.margin_seconds, 0, 3_600)?,
        refresh_s: within(
            "spec.forecast.refreshSeconds",
            spec.refresh_seconds,
            10,
            3_600,
        )?,
        refit_s: within("spec.forecast.refitSeconds", spec.refit_seconds, 60, 86_400)?,
        error_percent_max: within(
            "spec.forecast.errorPercentMax",
            spec.error_percent_max,
            1,
            200,
        )?,
    })
}

pub(super) fn prewarm(spec: &Prewarm) -> Result<PrewarmSettings, ValidateError> {
    let deadline_s = within(
        "spec.prewarm.deadlineSeconds",
        spec.deadline_seconds,
        1,
        600,
    )?;
    let lead_min = within(
        "spec.prewarm.leadSecondsMin",
        spec.lead_seconds_min,
        1,
        3_600,
    )?;
    let lead_max = within(
        "spec.prewarm.leadSecondsMax",
        spec.lead_seconds_max,
        1,
        7_200,
    )?;
    if lead_max < lead_min {
        let must = "must be greater than or equal to `leadSecondsMin`";
        return Err(invalid("spec.prewarm.leadSecondsMax", must));
    }
    Ok(PrewarmSettings {
        hot_keys_max: within("spec.prewarm.hotKeysMax", spec.hot_keys_max, 0, 10_000)?,
        min_score_permille: 10
            * within(
                "spec.prewarm.minScorePercent",
                spec.min_score_percent,
                0,
                100,
            )?,
        deadline_ms: u64::from(deadline_s) * 1_000,
        lead_s: lead_min..=lead_max,
    })
}

pub(super) fn service(spec: &Service) -> Result<ServiceSettings, ValidateError> {
    let image = spec.image.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/@-".contains(c);
    if image.is_empty() || image.len() > IMAGE_BYTES_MAX || !image.chars().all(plain) {
        let must = "must be an image reference without spaces, for example `registry.example/payment-svc:1.4.0`";
        return Err(invalid("spec.service.image", must));
    }
    if spec.log_filter.is_empty() || spec.log_filter.len() > LOG_FILTER_BYTES_MAX {
        return Err(invalid(
            "spec.service.logFilter",
            "must be 1 to 128 characters",
        ));
    }
    let resources = &spec.resources;
    let limit = cpu_millicores("spec.service.resources.cpu", &resources.cpu)?;
    let cpu_request = resources.cpu_request.as_ref().unwrap_or(&resources.cpu);
    let field = "spec.service.resources.cpuRequest";
    if cpu_millicores(field, cpu_request)? > limit {
        return Err(invalid(field, "must be less than or equal to `cpu`"));
    }
    let memory = &resources.memory;
    let digits = memory
        .strip_suffix("Mi")
        .or_else(|| memory.strip_suffix("Gi"));
    if digits.is_none_or(|digits| whole(digits).is_none()) {
        let must = "must be a whole number of `Mi` or `Gi`, for example `512Mi`";
        return Err(invalid("spec.service.resources.memory", must));
    }
    Ok(ServiceSettings {
        image: image.to_owned(),
        pull_policy: spec.image_pull_policy,
        cpu: resources.cpu.clone(),
        cpu_request: cpu_request.clone(),
        memory: memory.clone(),
        log_filter: spec.log_filter.clone(),
    })
}

/// A whole positive number of at most six digits.
fn whole(digits: &str) -> Option<u32> {
    let plain = digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && *number > 0)
}

fn cpu_millicores(field: &str, text: &str) -> Result<u32, ValidateError> {
    let (digits, factor) = text
        .strip_suffix('m')
        .map_or((text, 1_000), |digits| (digits, 1));
    whole(digits)
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| {
            invalid(
                field,
                "must be whole cores or millicores, for example `2` or `500m`",
            )
        })
}
