//! The load that would come without the sale, over the minutes of a phase.
//!
//! A phase of hours is no single number: at its end, three hours later, the usual load may be half
//! of what it was at T0. The level follows the median of the forecast in steps; how far above it
//! the plan reaches is taken at T0, because T0 is where the load jumps. Within a phase nothing jumps
//! (a jump is a phase of its own), so what strays from the median later is measured, and the
//! reactive bid has the time for it.

use floodgate_forecast::{ForecastPath, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::{confidence::BaselineRps, sale::SalePhase};

/// Shortest step of a phase, seconds.
const STEP_S_MIN: i64 = 900;
/// Most steps of a phase.
const STEPS_MAX: i64 = 16;
/// T0 is this long, seconds: by then the load has jumped.
const AT_T0_S: i64 = 60;
/// A later step reaches at most this many times above its median. A median near zero at T0, before
/// the shops open, says nothing of the reach at noon.
const REACH_MAX: f64 = 3.0;

/// The baseline of one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BaselineProfile {
    /// The busiest median of the first step, and how far the quantiles of T0 reach above it.
    at_t0: BaselineRps,
    /// Later steps, in order: when each begins, and its busiest median, requests/s.
    later: Vec<(UnixMillis, f64)>,
}

impl BaselineProfile {
    /// The same load from first to last.
    pub(crate) const fn flat(baseline: BaselineRps) -> Self {
        Self {
            at_t0: baseline,
            later: Vec::new(),
        }
    }

    /// What a path foresees for a phase, nothing above `rps_max`. Steps beyond the end of the path
    /// take the same time of day on the last day that the path knows. `None` where the path
    /// knows nothing of the phase.
    pub(crate) fn of(path: &ForecastPath, phase: &SalePhase, rps_max: f64) -> Option<Self> {
        let mut steps = steps(phase).map(|(from, until)| {
            let beyond_s = from.seconds_since(path.end()).max(0);
            let days = beyond_s / 86_400 + i64::from(beyond_s % 86_400 > 0);
            let shift_s = days.saturating_mul(-86_400);
            let (begin, end) = (from.plus_s(shift_s), until.plus_s(shift_s));
            // What a step does not know beyond the end of the path, it takes from the day before.
            let before = (end > path.end()).then(|| {
                let day = |at: UnixMillis| at.plus_s(-86_400);
                BaselineRps::of(path, day(begin), day(end))
            });
            let whole = BaselineRps::of(path, begin, end).into_iter();
            let whole = whole.chain(before.flatten()).reduce(BaselineRps::larger);
            let known = whole.map(|step| {
                let first = BaselineRps::of(path, begin, begin.plus_s(AT_T0_S).min(end));
                first.map_or(step, |first| step.with_reach_of(first))
            });
            (from, known)
        });
        // A path that begins within the phase tells of its first steps by the first it knows.
        let at_t0 = steps.find_map(|(_, known)| known)?.capped(rps_max);
        let later = steps.map_while(|(from, known)| Some((from, known?.p50_rps.min(rps_max))));
        Some(Self {
            at_t0,
            later: later.collect(),
        })
    }

    /// The larger of both at every moment.
    pub(crate) fn larger(self, other: Self) -> Self {
        let (shape, flat) = if self.later.is_empty() {
            (other, self)
        } else {
            (self, other)
        };
        let at_t0 = shape.at_t0.larger(flat.at_t0);
        let raised =
            |(from, p50_rps): &(UnixMillis, f64)| (*from, p50_rps.max(flat.p50_rps_at(*from)));
        Self {
            at_t0,
            later: shape.later.iter().map(raised).collect(),
        }
    }

    /// Its busiest moment, as one number for all of the phase.
    pub(crate) fn busiest(&self) -> BaselineRps {
        let medians = self.later.iter().map(|(_, p50_rps)| *p50_rps);
        let p50_rps = medians.fold(self.at_t0.p50_rps, f64::max);
        self.at_t0.raised_to(p50_rps, REACH_MAX)
    }

    /// Median baseline times uplift at its highest in `[from, until]`, requests/s.
    pub(crate) fn median_rps(&self, phase: &SalePhase, from: UnixMillis, until: UnixMillis) -> f64 {
        let at_t0 = phase.median_rps(self.at_t0);
        self.highest(from, until, at_t0, |p50_rps| {
            phase.median_rps(BaselineRps::certain(p50_rps))
        })
    }

    /// Load that the phase stays below in `[from, until]` with the chance asked for, requests/s; never
    /// less than the median baseline times the declared uplift.
    pub(crate) fn expected_rps(
        &self,
        phase: &SalePhase,
        from: UnixMillis,
        until: UnixMillis,
    ) -> f64 {
        let at_t0 = phase.expected_rps(self.at_t0);
        // What the chance asks for the uplift's own error is no matter of the baseline.
        let sure = phase.expected_rps(BaselineRps::certain(1.0))
            / phase.median_rps(BaselineRps::certain(1.0));
        let reach_max = REACH_MAX.max(if sure.is_finite() { sure } else { 1.0 });
        let reach = (at_t0 / phase.median_rps(self.at_t0)).min(reach_max);
        let reach = if reach >= 1.0 { reach } else { 1.0 };
        self.highest(from, until, at_t0, |p50_rps| {
            (phase.median_rps(BaselineRps::certain(p50_rps)) * reach).min(f64::MAX)
        })
    }

    /// Upper quantile at T0, requests/s.
    pub(crate) const fn at_t0_upper_rps(&self) -> f64 {
        self.at_t0.upper_rps
    }

    /// When each step begins, the first one included.
    pub(crate) fn begins(&self, phase: &SalePhase) -> impl Iterator<Item = UnixMillis> {
        std::iter::once(phase.t0).chain(self.later.iter().map(|(from, _)| *from))
    }

    /// The highest over the steps that touch `[from, until]`.
    fn highest(
        &self,
        from: UnixMillis,
        until: UnixMillis,
        at_t0: f64,
        of: impl Fn(f64) -> f64,
    ) -> f64 {
        let begun = self.later.partition_point(|(begin, _)| *begin <= from);
        let near = self.later[begun.saturating_sub(1)..].iter();
        let touched = near.take_while(|(begin, _)| *begin <= until);
        let first = (begun == 0).then_some(at_t0);
        touched
            .map(|(_, p50_rps)| of(*p50_rps))
            .chain(first)
            .fold(0.0, f64::max)
    }

    fn p50_rps_at(&self, at: UnixMillis) -> f64 {
        let begun = self.later.partition_point(|(begin, _)| *begin <= at);
        begun
            .checked_sub(1)
            .map_or(self.at_t0.p50_rps, |index| self.later[index].1)
    }
}

/// Steps of a phase, whole minutes long: from and until.
fn steps(phase: &SalePhase) -> impl Iterator<Item = (UnixMillis, UnixMillis)> {
    let length_s = phase.until.seconds_since(phase.t0).max(1);
    let even_minutes = (length_s - 1) / (STEPS_MAX * 60) + 1;
    let step_s = (even_minutes * 60).max(STEP_S_MIN);
    let (t0, end) = (phase.t0, phase.until);
    (0..STEPS_MAX)
        .map(move |index| t0.plus_s(step_s.saturating_mul(index)))
        .take_while(move |from| *from < end || *from == t0)
        .map(move |from| (from, from.plus_s(step_s).min(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sale::Confidence;

    const T0: UnixMillis = UnixMillis(1_800_000_000_000);

    fn phase(minutes: i64) -> SalePhase {
        SalePhase {
            name: "evening".to_owned(),
            t0: T0,
            until: T0.plus_s(minutes * 60),
            uplift_percent: 200,
            confidence: Confidence::default(),
            planned_replicas: None,
            planned_later: Vec::new(),
        }
    }

    /// A median of 100 until half an hour after T0, then `later_rps`; the bound a fifth above.
    fn path(later_rps: f64) -> ForecastPath {
        let p50: Vec<f64> = (0..300)
            .map(|minute| if minute <= 60 { 100.0 } else { later_rps })
            .collect();
        let upper = p50.iter().map(|rps| rps * 1.2).collect();
        ForecastPath::new(T0.plus_s(-1_800), 60, 95, "test".to_owned(), p50, upper).unwrap()
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-6, "{found}, not {wanted}");
    }

    #[test]
    fn the_plan_follows_the_usual_load_with_the_reach_of_t0() {
        let phase = phase(120);
        let known = BaselineProfile::of(&path(50.0), &phase, 1e6).unwrap();
        let at = |minute: i64| {
            let from = T0.plus_s(minute * 60);
            known.expected_rps(&phase, from, from.plus_s(60))
        };
        for (minute, rps) in [(0, 240.0), (20, 240.0), (50, 120.0), (119, 120.0)] {
            near(at(minute), rps);
        }
        let median = known.median_rps(&phase, T0.plus_s(3_600), T0.plus_s(3_660));
        near(median, 100.0);
        assert_eq!(known.begins(&phase).count(), 8);
        // What comes within the span counts before it comes.
        let rising = BaselineProfile::of(&path(150.0), &phase, 1e6).unwrap();
        let ahead = rising.expected_rps(&phase, T0.plus_s(1_700), T0.plus_s(1_900));
        near(ahead, 360.0);
        near(rising.busiest().p50_rps, 150.0);
    }

    #[test]
    fn a_measured_load_raises_every_step_below_it() {
        let phase = phase(120);
        let known = BaselineProfile::of(&path(50.0), &phase, 1e6).unwrap();
        let raised = known.larger(BaselineProfile::flat(BaselineRps::certain(80.0)));
        let late = raised.expected_rps(&phase, T0.plus_s(6_000), T0.plus_s(6_060));
        // Twice 80, and the fifth.
        near(late, 192.0);
        let first = raised.expected_rps(&phase, T0, T0);
        near(first, 240.0);
    }

    #[test]
    fn a_median_of_zero_at_t0_does_not_multiply_the_noon() {
        let phase = phase(240);
        let p50: Vec<f64> = (0..300)
            .map(|minute| if minute <= 90 { 0.01 } else { 100.0 })
            .collect();
        let upper = p50.iter().map(|rps| rps + 20.0).collect();
        let path =
            ForecastPath::new(T0.plus_s(-1_800), 60, 95, "test".to_owned(), p50, upper).unwrap();
        let known = BaselineProfile::of(&path, &phase, 1e6).unwrap();
        let noon = known.expected_rps(&phase, T0.plus_s(9_000), T0.plus_s(9_060));
        // Twice 100, and at most thrice that.
        near(noon, 600.0);
    }

    #[test]
    fn short_and_long_phases_have_few_steps_of_whole_minutes() {
        assert_eq!(steps(&phase(2)).count(), 1);
        assert_eq!(steps(&phase(0)).count(), 1);
        let year: Vec<_> = steps(&phase(366 * 1_440)).collect();
        assert_eq!(year.len(), 16);
        assert!(
            year.iter()
                .all(|(from, _)| from.seconds_since(T0) % 60 == 0)
        );
        assert_eq!(
            year.last().map(|(_, until)| *until),
            Some(phase(366 * 1_440).until)
        );
    }
}
