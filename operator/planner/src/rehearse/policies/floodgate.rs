//! Floodgate itself: [`crate::plan`], fed the way the operator feeds it.

use std::collections::VecDeque;
use std::sync::Arc;

use floodgate_forecast::UnixMillis;
use floodgate_words::Reason;

use crate::{
    health::PodHealth,
    input::{Caps, ForecastInput, ForecastTrust, PlanInput, ReplicaState},
    load::{Load, LoadFault, LoadReading},
    memory::{HoldCause, Memory},
    overrides::Overrides,
    plan::plan,
    rehearse::{
        forecasts::ForecastSnapshot,
        policy::{Order, Policy, Seen},
        rehearsal::INTERVAL_S,
        scenario::Scenario,
    },
    sale::{Sale, phases, protected_level},
    sale_plan::{Baseline, sale_plan},
};

/// The operator keeps the readings of the metrics store of the last minute.
const READINGS_S: i64 = 60;
/// Sales this far ahead are planned, seconds.
const AHEAD_S: i64 = 26 * 3_600;

pub(super) struct Floodgate<'a> {
    scenario: &'a Scenario<'a>,
    input: PlanInput,
    /// Every sale, with the replicas published for it so far.
    sales: Vec<Sale>,
    next_forecast: usize,
    /// Readings of the metrics store.
    readings: VecDeque<(UnixMillis, f64)>,
    /// When the newest of them was sampled.
    sampled_at: Option<UnixMillis>,
}

impl<'a> Floodgate<'a> {
    pub(super) fn new(scenario: &'a Scenario<'a>) -> Self {
        let rehearsal = scenario.rehearsal;
        let settings = &rehearsal.settings;
        Self {
            scenario,
            input: PlanInput {
                now: scenario.from(),
                scaling: settings.scaling.clone(),
                replicas: ReplicaState::default(),
                health: PodHealth::default(),
                load: Load::Missing(LoadFault::Unavailable),
                load_limits: settings.load_limits,
                forecast: ForecastInput::Missing(Reason::ForecastUnavailable),
                sales: Vec::new(),
                overrides: Overrides::default(),
                lead_time: rehearsal.lead_time(),
                degradation: settings.degradation.clone(),
                caps: Caps {
                    quota_replicas_max: rehearsal.world.quota_replicas_max,
                    node_replicas_max: None,
                    unschedulable_pods: None,
                },
                memory: Memory::held(HoldCause::Restart),
            },
            sales: rehearsal.sales.clone(),
            next_forecast: 0,
            readings: VecDeque::new(),
            sampled_at: None,
        }
    }

    /// Takes the newest forecast, and publishes plans with it.
    fn look_ahead(&mut self, now: UnixMillis) {
        let forecasts = &self.scenario.forecasts.0;
        let mut newest: Option<&ForecastSnapshot> = None;
        while let Some(forecast) = forecasts
            .get(self.next_forecast)
            .filter(|one| one.at <= now)
        {
            if forecast.is_long {
                self.publish(forecast);
            }
            self.next_forecast += 1;
            newest = Some(forecast);
        }
        let Some(forecast) = newest else {
            return;
        };
        self.input.forecast = ForecastInput::Path {
            path: Arc::clone(&forecast.path),
            trust: forecast.trust,
            observed_peak_rps: Some(forecast.peak_rps),
        };
        // A sale that is over, or beyond every path, changes no decision.
        let near = |sale: &&Sale| now < sale.end.plus_s(60) && sale.start < now.plus_s(AHEAD_S);
        self.input.sales = self.sales.iter().filter(near).cloned().collect();
    }

    /// What the sale controller would publish; frozen once the pre-scale of a phase has begun.
    fn publish(&mut self, forecast: &ForecastSnapshot) {
        let trusted = matches!(forecast.trust, ForecastTrust::Trusted);
        let at = forecast.at;
        let in_sale = phases(&self.sales).any(|(_, phase)| phase.runs_at(at));
        let measured_rps = self.readings.back().map(|(_, rps)| *rps);
        let baseline = Baseline {
            path: trusted.then_some(&*forecast.path),
            measured_rps: measured_rps.filter(|_| !in_sale),
            observed_peak_rps: Some(forecast.peak_rps),
        };
        for sale in &mut self.sales {
            let planned = sale_plan(sale, baseline, &self.input.scaling, &self.input.lead_time);
            for (phase, planned) in sale.phases.iter_mut().zip(planned.phases) {
                let near = at <= planned.prescale_at && phase.t0 < at.plus_s(AHEAD_S);
                if near && planned.replicas.is_some() {
                    phase.planned_replicas = planned.replicas;
                    let later = planned.later.iter();
                    phase.planned_later = later.map(|step| (step.from, step.replicas)).collect();
                }
            }
        }
    }

    /// The load as the operator judges it: the pods' own counters, beside the metrics store.
    fn load(&mut self, seen: &Seen<'_>) -> Load {
        if !seen.metrics_lost {
            let age_ok = |at: UnixMillis| seen.now.seconds_since(at) < READINGS_S;
            while self.readings.front().is_some_and(|(at, _)| !age_ok(*at)) {
                self.readings.pop_front();
            }
            self.readings
                .push_back((seen.now, seen.sensors.stored_rps()));
            self.sampled_at = Some(seen.now.plus_s(-seen.sensors.scrape_age_s()));
        }
        let own_rps = seen.sensors.minute_max_rps();
        let burst_rps = seen.sensors.rate_rps(6, 0);
        let staleness_s = i64::from(self.input.load_limits.staleness_s);
        if let Some(at) = self
            .sampled_at
            .filter(|at| seen.now.seconds_since(*at) <= staleness_s)
        {
            let stored = self.readings.iter().map(|(_, rps)| *rps);
            return Load::Reading(LoadReading {
                rate_rps_max: stored.fold(own_rps, f64::max),
                burst_rps: Some(burst_rps),
                observed_at: at,
            });
        }
        let peak_rps = own_rps.max(burst_rps);
        let needed = self.input.scaling.replicas_for(peak_rps).unwrap_or(0);
        // While the metrics store is silent the pods' counters may only raise.
        if needed > seen.desired {
            return Load::Reading(LoadReading {
                rate_rps_max: own_rps,
                burst_rps: Some(burst_rps),
                observed_at: seen.now,
            });
        }
        Load::Missing(LoadFault::Unavailable)
    }
}

impl Policy for Floodgate<'_> {
    fn tick_s(&self) -> i64 {
        i64::from(INTERVAL_S)
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        self.look_ahead(seen.now);
        self.input.now = seen.now;
        self.input.load = self.load(seen);
        self.input.replicas = ReplicaState {
            desired: Some(seen.desired),
            ready: seen.ready,
            warm: seen.warm,
        };
        self.input.caps.unschedulable_pods = Some(seen.pending);
        // Pods of this world refuse what they cannot hold, and fail nothing: no store of theirs is
        // ever lost, which is all that makes a level of theirs count.
        self.input.health = PodHealth {
            own_levels: [seen.ready, 0, 0, 0, 0],
            failed_permille: (seen.ready > 0).then_some(0),
        };
        let decision = plan(&self.input);
        self.input.memory = decision.memory;
        Order {
            replicas: decision.replicas,
            // What a sale protects stays on, as the operator tells the pods.
            level: protected_level(&self.input.sales, seen.now)
                .map_or(decision.level.floor, |most| decision.level.floor.min(most)),
        }
    }
}
