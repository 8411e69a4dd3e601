//! What runs: image and quantities of the pods.

use floodgate_api::cluster::service::Service;

use super::{ServiceSettings, ValidateError};

/// Longest image reference and log filter; the same bounds as in the schema.
const IMAGE_BYTES_MAX: usize = 512;
const LOG_FILTER_BYTES_MAX: usize = 128;

fn invalid(field: &str, must: &str) -> ValidateError {
    ValidateError::Invalid {
        field: field.to_owned(),
        must: must.to_owned(),
    }
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
