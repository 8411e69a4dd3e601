//! Predictive scaling and target tracking as EC2 and ECS document them.
//!
//! Predictive: an hourly forecast from 14 days, made every 6 h for 48 h; capacity is raised to it
//! 300 s before the hour and never lowered by it. Target tracking: out when three minutes in a row
//! are above the target, in when fifteen are below 90 % of it. Scheduled actions are floors, set
//! 300 s before T0.

use std::collections::VecDeque;

use floodgate_forecast::UnixMillis;

use crate::rehearse::{
    policy::{Order, Policy, Seen},
    scenario::Scenario,
};

const TICK_S: i64 = 60;
const BUFFER_S: i64 = 300;
const REFRESH_S: i64 = 6 * 3_600;
const HISTORY_S: i64 = 14 * 86_400;
const HOURS: usize = 48;
const OUT_POINTS: usize = 3;
/// Minutes after a scale-in before the next: the cooldown of 300 s.
const COOLDOWN_POINTS: usize = 5;
const IN_POINTS: usize = 15;
const IN_SHARE: f64 = 0.9;
/// Of two members of the forecast, the weight of the days just before against the week before.
const RECENT_WEIGHT: f64 = 0.6;

pub(super) struct AwsPredictive<'a> {
    scenario: &'a Scenario<'a>,
    made_at: Option<UnixMillis>,
    /// Mean load of the hours from `made_at` on, requests/s.
    hours_rps: Vec<f64>,
    /// Load of the last minutes over the capacity that stood.
    points: VecDeque<(f64, f64)>,
}

impl<'a> AwsPredictive<'a> {
    pub(super) fn new(scenario: &'a Scenario<'a>) -> Self {
        Self {
            scenario,
            made_at: None,
            hours_rps: Vec::new(),
            points: VecDeque::new(),
        }
    }

    /// Forecast of the hours ahead: the same hours of the three days before and of the same
    /// weekdays, brought to the level of the last day.
    fn forecast(&mut self, now: UnixMillis) {
        let hour = UnixMillis(now.0.div_euclid(3_600_000) * 3_600_000);
        let mean = |from: UnixMillis, until: UnixMillis| {
            let from = from.max(now.plus_s(-HISTORY_S));
            let traffic = &self.scenario.rehearsal.traffic;
            let (sum, count) = traffic
                .recorded(from, until.min(now))
                .fold((0.0, 0_u32), |(sum, count), (_, rps)| {
                    (sum + rps, count + 1)
                });
            (count > 0).then(|| sum / f64::from(count))
        };
        let mean_of = |hour: UnixMillis, days: &[i64]| {
            let means: Vec<f64> = days
                .iter()
                .filter_map(|days| {
                    let from = hour.plus_s(-days * 86_400);
                    mean(from, from.plus_s(3_600))
                })
                .collect();
            (!means.is_empty()).then(|| means.iter().sum::<f64>() / means.len() as f64)
        };
        let last_day = mean(now.plus_s(-86_400), now);
        let week_ago = mean(now.plus_s(-8 * 86_400), now.plus_s(-7 * 86_400));
        let growth = match (last_day, week_ago) {
            (Some(last), Some(before)) if before > 0.0 => (last / before).clamp(0.5, 2.0),
            _ => 1.0,
        };
        let ahead = (0..HOURS).map(|index| {
            let at = hour.plus_s(i64::try_from(index).unwrap_or(0) * 3_600);
            let recent = mean_of(at, if index < 24 { &[1, 2, 3] } else { &[2, 3, 4] });
            let weekly = mean_of(at, &[7]).map(|rps| rps * growth);
            match (recent, weekly) {
                (Some(recent), Some(weekly)) => {
                    RECENT_WEIGHT * recent + (1.0 - RECENT_WEIGHT) * weekly
                }
                (one, other) => one.or(other).unwrap_or(0.0),
            }
        });
        let hours_rps: Vec<f64> = ahead.collect();
        self.hours_rps = hours_rps;
        self.made_at = Some(hour);
    }

    fn predicted_rps(&self, now: UnixMillis) -> f64 {
        let Some(made_at) = self.made_at else {
            return 0.0;
        };
        let of = |at: UnixMillis| {
            let index = usize::try_from(at.seconds_since(made_at) / 3_600).ok();
            index
                .and_then(|index| self.hours_rps.get(index).copied())
                .unwrap_or(0.0)
        };
        of(now).max(of(now.plus_s(BUFFER_S)))
    }

    fn tracked(&mut self, seen: &Seen<'_>) -> u32 {
        let scaling = &self.scenario.rehearsal.settings.scaling;
        let load_rps = seen.sensors.rate_rps(60, 0);
        let target_rps = f64::from(seen.ready.max(1)) * scaling.capacity_rps;
        self.points.push_back((load_rps, target_rps));
        if self.points.len() > IN_POINTS {
            self.points.pop_front();
        }
        let wish = scaling.replicas_for(load_rps).unwrap_or(seen.desired);
        let mut last = self.points.iter().rev();
        let above = self.points.len() >= OUT_POINTS
            && last
                .by_ref()
                .take(OUT_POINTS)
                .all(|(load, target)| load > target);
        let below = self.points.len() == IN_POINTS
            && self
                .points
                .iter()
                .all(|(load, target)| *load < target * IN_SHARE);
        if above && wish > seen.desired {
            return wish;
        }
        if below && wish < seen.desired {
            self.points.drain(..COOLDOWN_POINTS);
            return wish.max(scaling.replicas_min);
        }
        seen.desired
    }
}

impl Policy for AwsPredictive<'_> {
    fn tick_s(&self) -> i64 {
        TICK_S
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        let due = |made_at: UnixMillis| seen.now.seconds_since(made_at) >= REFRESH_S;
        if self.made_at.is_none_or(due) {
            self.forecast(seen.now);
        }
        let scaling = &self.scenario.rehearsal.settings.scaling;
        let predicted = scaling
            .replicas_for(self.predicted_rps(seen.now))
            .unwrap_or(0);
        let scheduled = self.scenario.calendar.floor(seen.now, BUFFER_S);
        let tracked = self.tracked(seen);
        Order::replicas(tracked.max(predicted).max(scheduled))
    }
}
