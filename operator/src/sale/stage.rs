//! How far a sale has come. Pure.

use floodgate_api::sale::status::{SaleClusterStatus, SaleEventStatus, SalePhaseStatus};
use floodgate_planner::UnixMillis;
use floodgate_settings::ValidSale;
use jiff::Timestamp;

/// How far a sale has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Scheduled,
    Prescaling,
    Running,
    Completed,
}

/// The running phase, or the next one.
pub(super) fn current_phase<'a>(
    cluster: &'a SaleClusterStatus,
    valid: &ValidSale,
    now: Timestamp,
) -> Option<&'a SalePhaseStatus> {
    let left = valid
        .sale
        .phases
        .iter()
        .filter(|phase| phase.until > UnixMillis::from(now));
    let name = &left.min_by_key(|phase| phase.t0)?.name;
    cluster.phases.iter().find(|phase| phase.name == *name)
}

/// Whether every phase is over.
pub(super) fn is_over(valid: &ValidSale, now: Timestamp) -> bool {
    let now = UnixMillis::from(now);
    valid.sale.phases.iter().all(|phase| phase.until <= now)
}

/// How far the sale has come.
pub(super) fn stage(status: &SaleEventStatus, valid: &ValidSale, now: Timestamp) -> Stage {
    let instant = UnixMillis::from(now);
    if is_over(valid, now) {
        return Stage::Completed;
    }
    if valid
        .sale
        .phases
        .iter()
        .any(|phase| phase.t0 <= instant && instant < phase.until)
    {
        return Stage::Running;
    }
    let mut current = status
        .clusters
        .iter()
        .filter_map(|one| current_phase(one, valid, now));
    if current.any(|phase| phase.prescale_start.0 <= now) {
        return Stage::Prescaling;
    }
    Stage::Scheduled
}
