//! Floodgate itself: [`crate::plan`], fed the way the operator feeds it.

use floodgate_forecast::UnixMillis;
use floodgate_words::Reason;

use crate::{
    health::PodHealth,
    input::{Caps, ForecastInput, PlanInput, ReplicaState},
    intake::{LoadSeen, LoadSources, PodRates, StoreLoad, StoreReading, Trust},
    load::{Load, LoadFault},
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

/// Between two looks for the sales that are near, seconds.
const SALES_S: i64 = 60;
/// Sales this far ahead are planned, seconds.
const AHEAD_S: i64 = 26 * 3_600;

pub(super) struct Floodgate<'a> {
    scenario: &'a Scenario<'a>,
    input: PlanInput,
    /// Every sale, with the replicas published for it so far.
    sales: Vec<Sale>,
    next_forecast: usize,
    /// The newest forecast.
    forecast: Option<&'a ForecastSnapshot>,
    /// The newest answer of the metrics store.
    store: Option<StoreReading<LoadFault>>,
    /// When it is looked again which sales are near.
    sales_due: UnixMillis,
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
            forecast: None,
            store: None,
            sales_due: scenario.from(),
        }
    }

    /// Takes the newest forecast, and publishes plans with it.
    fn look_ahead(&mut self, now: UnixMillis) {
        let forecasts = &self.scenario.forecasts.0;
        let before = self.next_forecast;
        while let Some(forecast) = forecasts
            .get(self.next_forecast)
            .filter(|one| one.at <= now)
        {
            if forecast.is_long {
                self.publish(forecast);
            }
            self.next_forecast += 1;
            self.forecast = Some(forecast);
        }
        if self.next_forecast == before && now < self.sales_due {
            return;
        }
        self.sales_due = now.plus_s(SALES_S);
        // A sale that is over, or beyond every path, changes no decision.
        let near = |sale: &&Sale| now < sale.end.plus_s(60) && sale.start < now.plus_s(AHEAD_S);
        self.input.sales = self.sales.iter().filter(near).cloned().collect();
    }

    /// What the sale controller would publish; frozen once the pre-scale of a phase has begun.
    fn publish(&mut self, forecast: &ForecastSnapshot) {
        let at = forecast.at;
        let facts = forecast.facts(&self.scenario.rehearsal.settings.forecast);
        let trusted = facts.trust(at) == Trust::Trusted;
        let in_sale = phases(&self.sales).any(|(_, phase)| phase.runs_at(at));
        let newest = self
            .store
            .as_ref()
            .and_then(|store| store.load.as_ref().ok());
        let measured_rps = newest.map(|load| load.rps);
        let baseline = Baseline {
            path: facts.path.filter(|_| trusted).map(|path| &**path),
            measured_rps: measured_rps.filter(|_| !in_sale),
            observed_peak_rps: facts.peak_rps,
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

    /// The load of the pods' own counters beside that of the metrics store.
    fn load(&mut self, seen: &Seen<'_>) -> LoadSeen {
        let now = seen.now;
        let load = StoreLoad {
            rps: seen.stored_rps(),
            age_s: seen.sensors.scrape_age_s() as f64,
            store_time: now.plus_s(self.scenario.world.store_clock_ahead_s),
            pods: Some(seen.scraped),
        };
        let answer = if seen.metrics_lost {
            Err(LoadFault::Unavailable)
        } else {
            Ok(load)
        };
        let store = StoreReading::after(self.store.as_ref(), (now, now), answer);
        let sources = LoadSources {
            store: Some(&*self.store.insert(store)),
            failure: seen.metrics_lost.then_some(LoadFault::Unavailable),
            pods: Some(PodRates {
                at: now,
                minute_max_rps: seen.sensors.minute_max_rps(),
                burst_rps: Some(seen.sensors.rate_rps(6, 0)),
            }),
            settled_pods: Some(seen.ready),
        };
        let input = &self.input;
        sources.judge(now, input.load_limits, &input.scaling, Some(seen.desired))
    }

    /// The forecast as the planner takes it.
    fn forecast(&self, now: UnixMillis, measured: bool) -> ForecastInput {
        let settings = &self.scenario.rehearsal.settings.forecast;
        match self.forecast {
            Some(forecast) => {
                let facts = forecast.facts(settings);
                facts.input(facts.trust(now), measured)
            }
            None if settings.active => ForecastInput::Missing(Reason::InsufficientHistory),
            None => ForecastInput::Missing(Reason::ForecastOff),
        }
    }
}

impl Policy for Floodgate<'_> {
    fn tick_s(&self) -> i64 {
        i64::from(INTERVAL_S)
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Order {
        // The history is in the metrics store; while that is lost the last forecast stands.
        if !seen.metrics_lost {
            self.look_ahead(seen.now);
        }
        let load = self.load(seen);
        self.input.now = seen.now;
        self.input.load = load.load;
        self.input.forecast = self.forecast(seen.now, load.rps.is_some());
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
