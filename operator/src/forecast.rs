//! The forecast loop: a path every minute, a fit every quarter of an hour.
//!
//! Fits run on threads of their own, few at a time and each within a bound, so that neither the other
//! loops nor the other clusters wait for them; what comes of them is left in the cell, and the model in a `ConfigMap` of
//! the cluster, which a restarted process takes over until its first refit.
//!
//! Past sales are masked, and the calendar is not given to the model: the sale bid multiplies this
//! forecast by the declared or learned uplift, so a forecast that held the lift of a sale already
//! would be multiplied by it twice. A cluster also sees a handful of sales a year, of differing
//! size; a regression on two or three of them knows less than the person who declares the next one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::Client;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    metrics::Metrics,
    snapshot::{ClusterKey, Snapshots},
};

mod cluster;
mod fitted;
mod store;
mod stored_forecast;

use cluster::ClusterForecaster;
use fitted::Fits;
use store::Store;

/// Pause between two looks for what is due.
const PERIOD: Duration = Duration::from_secs(2);
/// Clusters whose history is fetched at once.
const FETCHES_AT_ONCE: usize = 4;

/// What the forecast loop works with.
#[derive(Clone)]
pub struct Forecaster {
    snapshots: Arc<Snapshots>,
    metrics: Metrics,
    clock: Clock,
    store: Store,
}

/// What all clusters wait for in turn. Held for the one thing each is for and across nothing else, or
/// an apiserver that hangs while models are stored would end all forecasts.
#[derive(Clone)]
struct Gates {
    fetches: Arc<Semaphore>,
    fits: Fits,
}

type SharedForecaster = Arc<tokio::sync::Mutex<ClusterForecaster>>;

impl Forecaster {
    /// A forecaster that takes targets from `snapshots`, leaves paths there and stores models
    /// through `client`, whose writes pass the fence of leadership.
    pub fn new(snapshots: Arc<Snapshots>, client: Client, metrics: Metrics, clock: Clock) -> Self {
        let store = Store {
            client,
            metrics: metrics.clone(),
        };
        Self {
            snapshots,
            metrics,
            clock,
            store,
        }
    }

    /// Forecasts until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let clusters: Mutex<HashMap<ClusterKey, SharedForecaster>> = Mutex::default();
        let gates = Gates {
            fetches: Arc::new(Semaphore::new(FETCHES_AT_ONCE)),
            fits: Fits::new(self.metrics.clone()),
        };
        let mut jobs = JoinSet::new();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
                Some(ended) = jobs.join_next(), if !jobs.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a forecast ended abruptly");
                    }
                    continue;
                }
            }
            let all = self.snapshots.all();
            let mut known = clusters.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|key, _| all.iter().any(|(living, _)| living == key));
            for (key, cell) in all {
                let Some(target) = cell.target.load_full() else {
                    continue;
                };
                let forecaster = Arc::clone(known.entry(key).or_default());
                let Ok(mut forecaster) = forecaster.try_lock_owned() else {
                    continue;
                };
                if !forecaster.is_due(&target.forecast, self.clock.now()) {
                    continue;
                }
                let (this, gates) = (self.clone(), gates.clone());
                jobs.spawn(async move {
                    forecaster.refresh(&this, &cell, &target, &gates).await;
                });
            }
        }
        jobs.shutdown().await;
    }
}
