//! What policies can see: averages of the past seconds, as late as their source brings them.

use floodgate_forecast::UnixMillis;

use crate::rehearse::world::World;

/// Steps remembered: more than five minutes at the shortest step of two seconds, so a minute that
/// is as late as a world can make it.
const STEPS: usize = 160;

/// A ring of running sums.
#[derive(Clone, Debug)]
pub(super) struct Sensors {
    step_s: i64,
    scrape_s: i64,
    delay_s: i64,
    /// Running sums of requests and of used CPU-seconds per pod, one per step.
    requests: Vec<f64>,
    used: Vec<f64>,
    steps: usize,
    /// End of the newest step.
    now: UnixMillis,
}

impl Sensors {
    pub(super) fn new(world: &World, step_s: u32, now: UnixMillis) -> Self {
        Self {
            step_s: i64::from(step_s),
            scrape_s: i64::from(world.scrape_s.clamp(1, 60)),
            delay_s: i64::from(world.metric_delay_s.min(120)),
            requests: vec![0.0; STEPS],
            used: vec![0.0; STEPS],
            steps: 0,
            now,
        }
    }

    /// Seconds until the average of a minute is filled, however late it is read; before, it would
    /// read as less load than there is.
    pub(super) const fn filled_s(&self) -> i64 {
        60 + self.scrape_s + self.delay_s + self.step_s
    }

    /// Takes one step.
    pub(super) fn record(&mut self, until: UnixMillis, requests: f64, used: f64) {
        let before = self.steps % STEPS;
        self.steps += 1;
        let place = self.steps % STEPS;
        self.requests[place] = self.requests[before] + requests;
        self.used[place] = self.used[before] + used * self.step_s as f64;
        self.now = until;
    }

    /// Rate offered in the last `window_s` before `age_s` ago, requests/s.
    pub(super) fn rate_rps(&self, window_s: i64, age_s: i64) -> f64 {
        self.mean(&self.requests, window_s, age_s)
    }

    /// Largest rate of the last minute over spans of ten seconds, requests/s.
    pub(super) fn minute_max_rps(&self) -> f64 {
        (0..60 / self.step_s)
            .map(|step| self.rate_rps(10, step * self.step_s))
            .fold(0.0, f64::max)
    }

    /// Rate of the last minute, as old as the newest scrape, requests/s.
    pub(super) fn minute_rps(&self) -> f64 {
        self.rate_rps(60, self.scrape_age_s())
    }

    /// Mean CPU use of the Ready pods as the metrics server has it, a share of the limit.
    pub(super) fn stored_use(&self) -> f64 {
        self.mean(&self.used, self.scrape_s, self.scrape_age_s())
    }

    /// Age of the newest sample that can be read, seconds.
    pub(super) fn scrape_age_s(&self) -> i64 {
        let second = self.now.0.div_euclid(1_000) - self.delay_s;
        second.rem_euclid(self.scrape_s) + self.delay_s
    }

    fn mean(&self, sums: &[f64], window_s: i64, age_s: i64) -> f64 {
        let behind = usize::try_from(age_s / self.step_s).unwrap_or(0);
        let width = usize::try_from(window_s / self.step_s).unwrap_or(1).max(1);
        let newest = self.steps.saturating_sub(behind);
        let oldest = newest
            .saturating_sub(width)
            .max((self.steps + 1).saturating_sub(STEPS));
        if newest <= oldest {
            return 0.0;
        }
        let sum = sums[newest % STEPS] - sums[oldest % STEPS];
        (sum / ((newest - oldest) as i64 * self.step_s) as f64).max(0.0)
    }
}
