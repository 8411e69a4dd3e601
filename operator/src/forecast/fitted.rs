//! Fits and paths off the async threads: a few at once, none for longer than its bound.
//!
//! Each runs on a thread of its own: one that never returns must neither hold up the end of the
//! process, as a blocking task of the runtime would, nor a place that others wait for. It holds up
//! the next work of its own kind for its own cluster only.
//! Invariant: of one cluster at most one fit and one path run, hung ones included.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use floodgate_forecast::{FitError, FitOptions, ForecastPath, Model, Series, fit};
use floodgate_prometheus::{Missing, MissingReason};
use tokio::{
    sync::{Semaphore, oneshot},
    time::{Instant, timeout},
};

use crate::{
    metrics::{CategoryLabel, Metrics},
    target::ForecastTarget,
};

/// Longest fit; two weeks of minutes take seconds on a busy core, so one that takes longer hangs.
const FIT_MAX: Duration = Duration::from_secs(60);
/// Fits at once: one that hangs until its bound leaves a place for the others.
const AT_ONCE: usize = 2;

/// What fits a model; another one in tests.
type FitModel = Arc<dyn Fn(&Series, &FitOptions) -> Result<Model, FitError> + Send + Sync>;

/// The places where all clusters fit.
#[derive(Clone)]
pub(super) struct Fits {
    places: Arc<Semaphore>,
    fit: FitModel,
    metrics: Metrics,
}

/// Whether work of a kind still runs for a cluster.
#[derive(Clone, Default)]
pub(super) struct UnderWay(Arc<AtomicBool>);

/// Ends what is under way, also when the work panics.
struct Ends(UnderWay);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}

impl Fits {
    /// Places that fit with linfa.
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            fit: Arc::new(fit),
            metrics,
        }
    }

    /// A model of the series. One that hangs, panics or cannot be fitted is one failed fit (F18).
    pub(super) async fn model(
        &self,
        series: &Series,
        wanted: &ForecastTarget,
        under_way: &UnderWay,
    ) -> Result<Arc<Model>, Missing> {
        let (fit, series) = (Arc::clone(&self.fit), series.clone());
        let options = FitOptions {
            quantile_percent: wanted.quantile_percent,
            ..FitOptions::default()
        };
        let started = Instant::now();
        let fitted = self.apart("fit", under_way, move || fit(&series, &options));
        match fitted.await? {
            Ok(model) => {
                let duration_s = started.elapsed().as_secs_f64();
                self.metrics.fit_duration.observe(duration_s);
                Ok(Arc::new(model))
            }
            Err(error) => Err(self.failed("error", format!("the fit failed: {error}"))),
        }
    }

    /// The path of a model from the end of the series.
    pub(super) async fn path(
        &self,
        (model, series): (&Arc<Model>, &Series),
        horizon_s: u32,
        widening: f64,
        under_way: &UnderWay,
    ) -> Result<ForecastPath, Missing> {
        let (model, series) = (Arc::clone(model), series.clone());
        let path = move || model.path(&series, horizon_s).widened(widening);
        self.apart("path", under_way, path).await
    }

    /// Does the work on a thread of its own and waits for it until it is given up.
    async fn apart<T: Send + 'static>(
        &self,
        what: &str,
        under_way: &UnderWay,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Missing> {
        let _place = self.places.acquire().await;
        if under_way.0.swap(true, Ordering::Acquire) {
            let message = format!("the {what} that was given up still runs");
            return Err(self.failed("timeout", message));
        }
        let (done, answer) = oneshot::channel();
        let ends = Ends(under_way.clone());
        let begun = thread::Builder::new().name(what.to_owned()).spawn(move || {
            let made = work();
            drop(ends);
            // Nobody waits for what was given up.
            done.send(made).ok();
        });
        if let Err(error) = begun {
            let message = format!("no thread for the {what}: {error}");
            return Err(self.failed("error", message));
        }
        match timeout(FIT_MAX, answer).await {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(_)) => Err(self.failed("panic", format!("the {what} panicked"))),
            Err(_) => {
                let message = format!("the {what} took longer than {} s", FIT_MAX.as_secs());
                Err(self.failed("timeout", message))
            }
        }
    }

    fn failed(&self, category: &'static str, message: String) -> Missing {
        let label = CategoryLabel { category };
        self.metrics.fit_failures.get_or_create(&label).inc();
        Missing::because(MissingReason::RefitFailed, message)
    }
}

#[cfg(test)]
pub(super) mod tests;
