//! A model that hangs or panics is one failed fit of one cluster.

use std::sync::{Mutex, mpsc};

use floodgate_forecast::UnixMillis;

use super::*;
use crate::tests::fixtures::forecast_target as target;

/// Two days of a steady load.
pub(in crate::forecast) fn series(rps: f64) -> Series {
    let samples = (0..2 * 1_440_i64).map(|minute| (UnixMillis(minute * 60_000), rps));
    Series::from_samples(60, &samples.collect::<Vec<_>>()).unwrap()
}

/// One place, and what fits there.
pub(in crate::forecast) fn fits(
    fit: impl Fn(&Series, &FitOptions) -> Result<Model, FitError> + Send + Sync + 'static,
) -> Fits {
    Fits {
        places: Arc::new(Semaphore::new(1)),
        fit: Arc::new(fit),
        ..Fits::new(Metrics::default())
    }
}

fn failures(fits: &Fits, category: &'static str) -> u64 {
    let label = CategoryLabel { category };
    fits.metrics.fit_failures.get_or_create(&label).get()
}

/// A load whose model never comes, and one whose model panics.
const HANGS_RPS: f64 = 666.0;
const PANICS_RPS: f64 = 13.0;

#[tokio::test]
async fn f18_a_fit_that_hangs_is_given_up_and_the_others_go_on() {
    let (release, hold) = mpsc::channel::<()>();
    let hold = Mutex::new(hold);
    let fits = fits(move |series, options| {
        if (series.peak_rps() - HANGS_RPS).abs() < 1.0 {
            hold.lock().unwrap().recv().ok();
        }
        fit(series, options)
    });
    let (hung, other) = (UnderWay::default(), UnderWay::default());
    // The clock stands while something runs and jumps to the bound when all wait.
    tokio::time::pause();
    let given_up = fits.model(&series(HANGS_RPS), &target(), &hung).await;
    tokio::time::resume();
    let given_up = given_up.unwrap_err();
    assert_eq!(given_up.reason, MissingReason::RefitFailed);
    assert!(given_up.message.contains("60 s"), "{given_up}");
    // Its thread still runs; the place is free, and no second thread joins it.
    let model = fits.model(&series(40.0), &target(), &other).await.unwrap();
    let again = fits.model(&series(40.0), &target(), &hung).await;
    assert!(again.unwrap_err().message.contains("still runs"));
    assert_eq!(failures(&fits, "timeout"), 2);
    let way = UnderWay::default();
    let path = fits.path((&model, &series(40.0)), 3_600, 1.0, &way).await;
    assert!(!path.unwrap().p50_rps().is_empty());
    drop(release);
    while hung.0.load(Ordering::Acquire) {
        tokio::task::yield_now().await;
    }
    fits.model(&series(40.0), &target(), &hung).await.unwrap();
}

#[tokio::test]
async fn f18_a_fit_that_panics_is_one_failed_fit() {
    let fits = fits(|series, options| {
        assert!(
            (series.peak_rps() - PANICS_RPS).abs() > 1.0,
            "said the test"
        );
        fit(series, options)
    });
    let way = UnderWay::default();
    let failed = fits.model(&series(PANICS_RPS), &target(), &way).await;
    assert!(failed.unwrap_err().message.contains("panicked"));
    assert_eq!(failures(&fits, "panic"), 1);
    fits.model(&series(40.0), &target(), &way).await.unwrap();
}
