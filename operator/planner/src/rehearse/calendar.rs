//! The calendar as a person would enter it elsewhere: a floor of replicas from before T0 to the end
//! of a phase.
//!
//! The expected load is the largest of the same hours in the week before, sales left out, times the
//! declared uplift; that is what a dashboard shows the day before. Other autoscalers take replicas,
//! not uplifts, so somebody has to work this out for them.

use floodgate_forecast::UnixMillis;

use crate::{rehearse::rehearsal::Rehearsal, sale::phases};

/// Days before a phase that are looked at.
const DAYS: i64 = 7;

/// A floor of replicas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    t0: UnixMillis,
    until: UnixMillis,
    pub(super) replicas: u32,
}

/// Every floor, in the order of the sales.
#[derive(Clone, Debug)]
pub(super) struct Calendar(Vec<Slot>);

impl Calendar {
    /// Works out the floors of every announced phase.
    pub(super) fn read(rehearsal: &Rehearsal) -> Self {
        let scaling = &rehearsal.settings.scaling;
        let most = scaling.replicas_max.max(scaling.replicas_min);
        let slots = phases(&rehearsal.sales).filter_map(|(_, phase)| {
            let usual_rps = usual_rps(rehearsal, phase.t0, phase.until)?;
            let expected_rps = usual_rps * f64::from(phase.uplift_percent) / 100.0;
            Some(Slot {
                t0: phase.t0,
                until: phase.until,
                replicas: scaling.replicas_for(expected_rps)?.min(most),
            })
        });
        Self(slots.collect())
    }

    /// The floor in force when slots open `lead_s` before their T0; 0 without one.
    pub(super) fn floor(&self, now: UnixMillis, lead_s: i64) -> u32 {
        let open = self
            .0
            .iter()
            .filter(|slot| slot.t0.plus_s(-lead_s) <= now && now < slot.until);
        open.map(|slot| slot.replicas).max().unwrap_or(0)
    }
}

/// The largest load of the same hours in the week before, outside sales, as known a day ahead.
fn usual_rps(rehearsal: &Rehearsal, t0: UnixMillis, until: UnixMillis) -> Option<f64> {
    let traffic = &rehearsal.traffic;
    let in_sale = |at: UnixMillis| {
        phases(&rehearsal.sales).any(|(_, phase)| phase.t0 <= at && at < phase.until)
    };
    let same_hours = (1..=DAYS).flat_map(|days| {
        let (from, until) = (t0.plus_s(-days * 86_400), until.plus_s(-days * 86_400));
        traffic.recorded(from, until.min(t0.plus_s(-86_400)))
    });
    let usual = same_hours
        .filter(|(at, _)| !in_sale(*at))
        .map(|(_, rps)| rps)
        .reduce(f64::max);
    let day_before = traffic.recorded(t0.plus_s(-2 * 86_400), t0.plus_s(-86_400));
    let outside = day_before.filter(|(at, _)| !in_sale(*at));
    usual.or_else(|| outside.map(|(_, rps)| rps).reduce(f64::max))
}
