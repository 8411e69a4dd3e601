//! Asks every Prometheus once per round and leaves the answers in the cells.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use floodgate_planner::LoadLimits;
use floodgate_prometheus::{Endpoint, Missing, MissingReason, Prometheus};
use tokio::{task::JoinSet, time::Instant};

use super::Sampler;
use crate::{
    metrics::ReasonLabel,
    snapshot::{Cell, ClusterKey, PrometheusReading, clock_skew, reading_after},
};

/// Pause after a query that the server refuses as such: it will be refused again (F10).
const REFUSED_PAUSE: Duration = Duration::from_secs(30);

/// A question: one server and, for a cluster with a query of its own, that query.
type Question = (Endpoint, Option<String>);
/// The clusters one answer is for.
type Askers = Vec<(ClusterKey, Arc<Cell>)>;

/// Connections to every Prometheus, and which questions are under way.
#[derive(Default)]
pub(super) struct PrometheusReaders {
    connections: Mutex<HashMap<Endpoint, Prometheus>>,
    under_way: Mutex<HashSet<Question>>,
    paused_until: Mutex<HashMap<Question, Instant>>,
}

impl PrometheusReaders {
    /// Starts one query per question that has none under way.
    pub(super) fn read_all(
        self: &Arc<Self>,
        sampler: &Sampler,
        cells: &[(ClusterKey, Arc<Cell>)],
        rounds: &mut JoinSet<()>,
    ) {
        let mut questions: HashMap<Question, Askers> = HashMap::new();
        for (key, cell) in cells {
            if let Some(target) = cell.target.load_full() {
                let question = (target.endpoint.clone(), target.query.clone());
                questions
                    .entry(question)
                    .or_default()
                    .push((key.clone(), Arc::clone(cell)));
            }
        }
        for (question, askers) in questions {
            if !self.begin(&question) {
                continue;
            }
            let (this, sampler) = (Arc::clone(self), sampler.clone());
            rounds.spawn(async move {
                this.ask(&sampler, &question, &askers).await;
                lock(&this.under_way).remove(&question);
            });
        }
    }

    /// Forgets servers and questions that no cluster asks any more.
    pub(super) fn retain_used(&self, cells: &[(ClusterKey, Arc<Cell>)]) {
        let targets: Vec<_> = cells
            .iter()
            .filter_map(|(_, cell)| cell.target.load_full())
            .collect();
        let used: HashSet<&Endpoint> = targets.iter().map(|target| &target.endpoint).collect();
        lock(&self.connections).retain(|endpoint, _| used.contains(endpoint));
        let now = Instant::now();
        lock(&self.paused_until).retain(|_, until| *until > now);
    }

    /// Whether a question may be asked now; then it counts as under way.
    fn begin(&self, question: &Question) -> bool {
        let paused = lock(&self.paused_until)
            .get(question)
            .is_some_and(|at| *at > Instant::now());
        !paused && lock(&self.under_way).insert(question.clone())
    }

    async fn ask(&self, sampler: &Sampler, question: &Question, askers: &Askers) {
        let (endpoint, query) = question;
        let asked_at = sampler.clock.now();
        let answer = match self.connection(endpoint) {
            Err(missing) => Err(missing),
            Ok(prometheus) => match query {
                None => prometheus.loads().await,
                Some(promql) => {
                    let clusters: Vec<_> = askers.iter().map(|(key, _)| pair(key)).collect();
                    prometheus.loads_by(promql, &clusters).await
                }
            },
        };
        if answer
            .as_ref()
            .is_err_and(|missing| missing.reason == MissingReason::QueryInvalid)
        {
            let until = Instant::now() + REFUSED_PAUSE;
            lock(&self.paused_until).insert(question.clone(), until);
        }
        let taken_at = sampler.clock.now();
        for (key, cell) in askers {
            let load = match &answer {
                Ok(loads) => loads
                    .get(&pair(key))
                    .cloned()
                    .unwrap_or_else(|| Err(nothing_of(key))),
                Err(missing) => Err(missing.clone()),
            };
            let last = cell.prometheus.load_full();
            let reading = reading_after(last.as_deref(), (asked_at, taken_at), load);
            count_missing(sampler, &reading);
            cell.prometheus.store(Some(Arc::new(reading)));
        }
    }

    fn connection(&self, endpoint: &Endpoint) -> Result<Prometheus, Missing> {
        if let Some(connected) = lock(&self.connections).get(endpoint) {
            return Ok(connected.clone());
        }
        let connected = Prometheus::connect(endpoint).map_err(|error| {
            Missing::because(MissingReason::PrometheusUnavailable, error.to_string())
        })?;
        lock(&self.connections).insert(endpoint.clone(), connected.clone());
        Ok(connected)
    }
}

fn count_missing(sampler: &Sampler, reading: &PrometheusReading) {
    let skewed = clock_skew(reading, LoadLimits::default().skew_s);
    if let Some(missing) = reading.load.as_ref().err().or(skewed.as_ref()) {
        let reason = missing.reason.reason().as_str().to_owned();
        sampler
            .metrics
            .missing_readings
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }
}

fn nothing_of(key: &ClusterKey) -> Missing {
    let message = format!("the query yields no series for cluster {key}");
    Missing::because(MissingReason::NoData, message)
}

fn pair(key: &ClusterKey) -> (String, String) {
    (key.namespace.clone(), key.name.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
