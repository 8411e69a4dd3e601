//! The predictive horizontal pod autoscaler: the HPA's own wish, and Holt-Winters (additive, one
//! season of a day, damped) on the replica counts of the past; the larger one, then `behavior`.
//!
//! It forecasts replicas and not load, one step ahead (its script asks its model for exactly one), at
//! a step of a minute. The smoothing weights are such that a daily season is followed and a single
//! minute is not; its documentation leaves them to the user. It is given the counts of the history,
//! which a real one would have to wait for.

use floodgate_forecast::UnixMillis;

use crate::rehearse::{
    policies::hpa::{Behaviour, Hpa, SYNC_S},
    policy::{Order, Policy, Seen},
    scenario::Scenario,
};

const SEASON: usize = 1_440;
const LEVEL_WEIGHT: f64 = 0.2;
const TREND_WEIGHT: f64 = 0.01;
const SEASON_WEIGHT: f64 = 0.3;
const DAMPING: f64 = 0.98;

pub(super) struct HoltWinters {
    hpa: Hpa,
    behaviour: Behaviour,
    model: Model,
    minute: i64,
}

struct Model {
    level: f64,
    trend: f64,
    season: Vec<f64>,
}

impl HoltWinters {
    pub(super) fn new(scenario: &Scenario<'_>) -> Self {
        let rehearsal = scenario.rehearsal;
        let scaling = &rehearsal.settings.scaling;
        let from = scenario.from();
        let start = rehearsal.traffic.start();
        let first = (start.0.div_euclid(60_000) + 1) * 60_000;
        let minutes = from.seconds_since(UnixMillis(first)) / 60;
        let past = (0..minutes).map(|minute| {
            let at = UnixMillis(first).plus_s(minute * 60);
            let wish = scaling
                .replicas_for(rehearsal.traffic.rate_at(at))
                .unwrap_or(0);
            (
                at,
                f64::from(wish.clamp(scaling.replicas_min, scaling.replicas_max)),
            )
        });
        let mut model = Model {
            level: 0.0,
            trend: 0.0,
            season: vec![0.0; SEASON],
        };
        let past: Vec<(UnixMillis, f64)> = past.collect();
        // The first day sets the season, as the usual initialisation does.
        let day = past.len().min(SEASON);
        model.level = past[..day].iter().map(|(_, pods)| pods).sum::<f64>() / day.max(1) as f64;
        for (at, pods) in &past[..day] {
            model.season[place(*at)] = pods - model.level;
        }
        for (at, pods) in &past[day..] {
            model.observe(*at, *pods);
        }
        Self {
            hpa: Hpa::new(scenario),
            behaviour: Behaviour::default(),
            model,
            minute: from.0.div_euclid(60_000),
        }
    }
}

impl Policy for HoltWinters {
    fn tick_s(&self) -> i64 {
        SYNC_S
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        let wish = self.hpa.wish(seen);
        let minute = seen.now.0.div_euclid(60_000);
        if minute > self.minute {
            self.minute = minute;
            self.model.observe(seen.now, f64::from(wish));
        }
        let predicted = self.model.predict_next(seen.now);
        let predicted = (predicted - 1e-9).ceil().max(0.0) as u32;
        Order::replicas(self.behaviour.apply(seen, wish.max(predicted)))
    }
}

impl Model {
    fn observe(&mut self, at: UnixMillis, pods: f64) {
        let season = self.season[place(at)];
        let before = self.level;
        let carried = before + DAMPING * self.trend;
        self.level = LEVEL_WEIGHT * (pods - season) + (1.0 - LEVEL_WEIGHT) * carried;
        self.trend =
            TREND_WEIGHT * (self.level - before) + (1.0 - TREND_WEIGHT) * DAMPING * self.trend;
        self.season[place(at)] =
            SEASON_WEIGHT * (pods - self.level) + (1.0 - SEASON_WEIGHT) * season;
    }

    /// The value of the next minute.
    fn predict_next(&self, now: UnixMillis) -> f64 {
        self.level + DAMPING * self.trend + self.season[place(now.plus_s(60))]
    }
}

fn place(at: UnixMillis) -> usize {
    usize::try_from(at.0.div_euclid(60_000)).unwrap_or(0) % SEASON
}
