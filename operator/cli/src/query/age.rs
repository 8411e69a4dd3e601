//! How old saved objects are, judged by the instants in their status. Pure.
//!
//! Nobody writes into an object when it was saved, so the newest instant of its status is the best
//! there is; a cluster at which nothing happened for days looks as old as one saved days ago.

use floodgate_api::{PaymentCluster, SaleEvent};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::moment::{Moment, seconds};
use crate::point::Point;

/// Younger than this, seconds, a status is as good as one of now: within it most pods get warm.
const YOUNG_S: i64 = 60;
/// Reason of the point that gives the age.
pub const SAVED: &str = "SavedEarlier";

/// Instants that the operator wrote into a status and that had come when it did.
pub trait Dated {
    /// Them, in no order.
    fn instants(&self) -> Vec<Timestamp>;
}

impl Dated for PaymentCluster {
    fn instants(&self) -> Vec<Timestamp> {
        let Some(status) = &self.status else {
            return Vec::new();
        };
        let decided = status.decision.iter().map(|decision| &decision.time);
        let level = status.level.iter().filter_map(|level| level.since.as_ref());
        let fitted = status
            .forecast
            .iter()
            .filter_map(|forecast| forecast.fitted_at.as_ref());
        all(&status.conditions, decided.chain(level).chain(fitted))
    }
}

impl Dated for SaleEvent {
    fn instants(&self) -> Vec<Timestamp> {
        let Some(status) = &self.status else {
            return Vec::new();
        };
        let phases = status.clusters.iter().flat_map(|cluster| &cluster.phases);
        // What is noted at T0, and reported after the end, was written no earlier.
        let begun = phases
            .clone()
            .filter(|phase| phase.warm_at_t0.is_some())
            .map(|phase| &phase.t0);
        let over = phases
            .filter(|phase| phase.report.is_some())
            .filter_map(|phase| phase.end.as_ref());
        all(&status.conditions, begun.chain(over))
    }
}

fn all<'a>(conditions: &[Condition], others: impl Iterator<Item = &'a Time>) -> Vec<Timestamp> {
    let flips = conditions.iter().map(|one| one.last_transition_time.0);
    flips.chain(others.map(|time| time.0)).collect()
}

/// That objects are judged as of now although the newest instant of their status is older.
pub(super) fn age<'a, K: Dated + 'a>(
    objects: impl IntoIterator<Item = &'a K>,
    moment: &Moment,
) -> Option<Point> {
    let instants = objects.into_iter().flat_map(Dated::instants);
    let newest = instants.filter(|at| *at <= moment.now()).max()?;
    if seconds(newest, moment.now()) < YOUNG_S {
        return None;
    }
    let what = format!(
        "Read from a file and judged as of now; the newest instant in its status is {}, {}",
        moment.instant(newest),
        moment.relative(newest),
    );
    let remedy = format!("if it was saved about then, judge it as of then: `--at {newest}`");
    Some(Point::new(what, SAVED, None).with_remedy(remedy))
}
