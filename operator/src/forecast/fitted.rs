//! Fits off the async threads, one at a time.

use std::sync::Arc;

use floodgate_forecast::{FitOptions, Model, Series, fit};
use tokio::sync::Semaphore;

use crate::{
    prometheus::{Missing, MissingReason},
    target::ForecastTarget,
};

/// Fits on a blocking thread; a model that panics is one failed fit (F18).
pub(super) async fn model(
    series: &Series,
    wanted: &ForecastTarget,
    fits: &Semaphore,
) -> Result<Arc<Model>, Missing> {
    let failed = |message: String| Missing::because(MissingReason::NotSampledYet, message);
    let _place = fits.acquire().await;
    let (series, quantile_percent) = (series.clone(), wanted.quantile_percent);
    let job = tokio::task::spawn_blocking(move || {
        fit(
            &series,
            &FitOptions {
                quantile_percent,
                ..FitOptions::default()
            },
        )
    });
    match job.await {
        Ok(Ok(model)) => Ok(Arc::new(model)),
        Ok(Err(error)) => Err(failed(format!("the fit failed: {error}"))),
        Err(error) => Err(failed(format!("the fit ended abruptly: {error}"))),
    }
}
