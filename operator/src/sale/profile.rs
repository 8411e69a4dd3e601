//! The load of a phase over its minutes, as quantiles of the ratio to the baseline. Pure.

use floodgate_api::sale::status::SaleLift;
use floodgate_planner::{SalePhase, UnixMillis};

/// Steps of a profile, at most.
const STEPS_MAX: usize = 16;
/// Places of one step; each keeps the largest load of its time, so that a phase of any length takes
/// the same room.
const PLACES: usize = 60;
/// Shortest step, seconds.
const STEP_S_MIN: i64 = 60;

/// Largest loads of a phase by place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LoadProfile {
    /// Requests/s; negative where nothing was seen.
    places: Vec<f32>,
}

impl LoadProfile {
    /// Notes a load at an instant of the phase.
    pub(super) fn note(&mut self, phase: &SalePhase, now: UnixMillis, rps: f64) {
        let steps = steps_of(phase);
        self.places.resize(steps * PLACES, -1.0);
        let length_s = phase.until.seconds_since(phase.t0).max(1);
        let since_s = now.seconds_since(phase.t0);
        let count = i64::try_from(self.places.len()).unwrap_or(0);
        let place = usize::try_from(since_s.saturating_mul(count) / length_s).unwrap_or(0);
        if let Some(place) = self.places.get_mut(place) {
            *place = place.max(rps as f32);
        }
    }

    /// Quantiles of load over baseline by step; steps of which nothing was seen are left out.
    pub(super) fn lifts(&self, phase: &SalePhase, baseline_rps: f64) -> Vec<SaleLift> {
        if baseline_rps <= 0.0 {
            return Vec::new();
        }
        let steps = steps_of(phase);
        let length_s = phase.until.seconds_since(phase.t0).max(1);
        let lift = |(index, places): (usize, &[f32])| {
            let mut seen: Vec<f64> = places
                .iter()
                .filter(|rps| **rps >= 0.0)
                .map(|rps| f64::from(*rps) / baseline_rps * 100.0)
                .collect();
            seen.sort_unstable_by(f64::total_cmp);
            let at = |percent: usize| {
                let rank = (seen.len() * percent / 100).min(seen.len().checked_sub(1)?);
                Some(seen.get(rank)?.round().clamp(0.0, 100_000.0) as i32)
            };
            let second = i64::try_from(index).ok()? * length_s / i64::try_from(steps).ok()?;
            Some(SaleLift {
                from_minute: i32::try_from(second / 60).ok()?,
                p50_percent: at(50)?,
                p90_percent: at(90)?,
                p95_percent: at(95)?,
            })
        };
        let chunks = self.places.chunks(PLACES).enumerate();
        chunks.filter_map(lift).collect()
    }
}

fn steps_of(phase: &SalePhase) -> usize {
    let length_s = phase.until.seconds_since(phase.t0);
    usize::try_from(length_s / STEP_S_MIN)
        .unwrap_or(1)
        .clamp(1, STEPS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(length_s: i64) -> SalePhase {
        SalePhase {
            name: "midnight".to_owned(),
            t0: UnixMillis(1_000_000),
            until: UnixMillis(1_000_000).plus_s(length_s),
            uplift_percent: 1_000,
            confidence: floodgate_planner::Confidence::default(),
            planned_replicas: None,
            planned_later: Vec::new(),
        }
    }

    fn profile(phase: &SalePhase, rps: impl Fn(i64) -> f64) -> Vec<SaleLift> {
        let mut profile = LoadProfile::default();
        for second in 0..phase.until.seconds_since(phase.t0) {
            profile.note(phase, phase.t0.plus_s(second), rps(second));
        }
        profile.lifts(phase, 40.0)
    }

    #[test]
    fn a_profile_tells_the_lift_of_every_step_with_its_spread() {
        let two_hours = phase(7_200);
        let lifts = profile(&two_hours, |second| {
            let burst = if second % 450 < 30 { 1.5 } else { 1.0 };
            burst * if second < 3_600 { 400.0 } else { 200.0 }
        });
        assert_eq!(lifts.len(), 16);
        let minutes: Vec<i32> = lifts.iter().take(3).map(|lift| lift.from_minute).collect();
        assert_eq!(minutes, [0, 7, 15]);
        assert_eq!((lifts[0].p50_percent, lifts[0].p95_percent), (1_000, 1_500));
        assert_eq!((lifts[15].p50_percent, lifts[15].p95_percent), (500, 750));
    }

    #[test]
    fn a_short_phase_has_one_step_and_an_unseen_one_none() {
        assert_eq!(profile(&phase(8), |_| 80.0).len(), 1);
        let mut late = LoadProfile::default();
        let hour = phase(3_600);
        late.note(&hour, hour.t0.plus_s(3_000), 80.0);
        let lifts = late.lifts(&hour, 40.0);
        assert_eq!((lifts.len(), lifts[0].p50_percent), (1, 200));
        assert_eq!(late.lifts(&hour, 0.0), Vec::new());
    }
}
