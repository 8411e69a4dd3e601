//! Kubernetes quantities as numbers. Pure.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// A Kubernetes quantity as a number; `None` for one that cannot be read.
pub(crate) fn quantity(quantity: &Quantity) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 14] = [
        ("Ki", 1_024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
    ];
    let text = quantity.0.trim();
    let (digits, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))
        .unwrap_or((text, 1.0));
    let number: f64 = digits.parse().ok()?;
    let value = number * factor;
    (value.is_finite() && value >= 0.0).then_some(value)
}
