//! Phases of a sale: what the operator published of them, and their instants. Pure.

use floodgate_api::sale::status::{SaleClusterStatus, SalePhaseStatus};
use floodgate_planner::{Sale, SalePhase, UnixMillis};
use jiff::Timestamp;

/// What the operator published of a phase.
pub(super) fn published<'a>(
    cluster: &'a SaleClusterStatus,
    phase: &SalePhase,
) -> Option<&'a SalePhaseStatus> {
    let mut phases = cluster.phases.iter();
    phases.find(|published| published.name == phase.name)
}

/// That fewer pods than planned were warm at T0, where that is so.
pub(super) fn cold(cluster: &SaleClusterStatus, phase: &SalePhaseStatus) -> Option<String> {
    let warm = phase.warm_at_t0?;
    (warm < phase.planned_replicas).then(|| {
        format!(
            "At T0 of {} only {warm} of {} planned pods of {} were warm",
            phase.name, phase.planned_replicas, cluster.name
        )
    })
}

/// When a sale is over: with its last phase, as the operator has it, however much later
/// `spec.end` is.
pub(super) fn over_at(sale: &Sale) -> Timestamp {
    let last = sale.phases.iter().map(|phase| phase.until).max();
    instant(last.unwrap_or(sale.end))
}

/// An instant of the planner; the furthest one where it is out of range.
pub(super) fn instant(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::MAX)
}

/// `ten times` in percent is `10x`; `1234` is `12.3x`.
pub(super) fn times(percent: u32) -> String {
    let text = format!("{:.1}", f64::from(percent) / 100.0);
    format!("{}x", text.trim_end_matches(".0"))
}
