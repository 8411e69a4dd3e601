//! What of a stored forecast is taken over, and when it is written over.

use std::sync::Mutex;

use floodgate_forecast::{Mask, UnixMillis};
use http::{Method, Request, Response, StatusCode};
use kube::{Client, client::Body};
use serde_json::json;
use tower::service_fn;

use super::*;
use crate::{
    clock::Clock, forecast::stored_forecast::tests::kept, metrics::Metrics, snapshot::Snapshots,
    tests::fixtures::forecast_target as target,
};

/// An apiserver with one `ConfigMap`, which says what `status` is and counts the writes.
#[derive(Clone)]
struct FakeStore {
    data: BTreeMap<String, String>,
    status: Arc<Mutex<StatusCode>>,
    writes: Arc<Mutex<u32>>,
}

impl FakeStore {
    fn of(kept: &StoredForecast) -> Self {
        Self {
            data: kept.encode().unwrap(),
            status: Arc::new(Mutex::new(StatusCode::OK)),
            writes: Arc::default(),
        }
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        if request.method() == Method::PATCH {
            *self.writes.lock().unwrap() += 1;
        }
        let found = json!({
            "metadata": { "name": "till-forecast", "ownerReferences": [target().owner] },
            "data": self.data
        });
        let answer = Response::builder().status(*self.status.lock().unwrap());
        let body = Body::from(serde_json::to_vec(&found).unwrap());
        answer.body(body).unwrap()
    }

    fn loops(&self) -> Forecaster {
        let this = self.clone();
        let service = service_fn(move |request: Request<Body>| {
            let answer = this.answer(&request);
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        let client = Client::new(service, "pay");
        Forecaster::new(
            Arc::new(Snapshots::default()),
            client,
            Metrics::default(),
            Clock::system(),
        )
    }
}

/// A forecast with twenty promises that came due, fitted for `wanted`.
fn stored_for(wanted: &ForecastTarget) -> StoredForecast {
    let mut kept = kept();
    kept.about = About::new(kept.about.model.clone(), at(), wanted);
    for minute in 0..20 {
        let due = UnixMillis::from(at()).plus_s(60 * minute);
        kept.accuracy.promise(floodgate_forecast::Promise {
            at: due,
            p50_rps: 50.0,
            upper_rps: 60.0,
            naive_rps: 50.0,
        });
        kept.accuracy.observe(due, 100.0, 60);
    }
    kept
}

fn at() -> Timestamp {
    "2026-11-10T12:00:00Z".parse().unwrap()
}

fn masked() -> ForecastTarget {
    let from = UnixMillis::from(at()).plus_s(-90_000);
    ForecastTarget {
        masks: vec![Mask {
            from,
            until: from.plus_s(3_600),
        }],
        ..target()
    }
}

/// What is taken over for `wanted` of what was stored for `fitted_for`: whether the model, whether
/// its path, and how many points of the live error.
async fn taken(fitted_for: &ForecastTarget, wanted: &ForecastTarget) -> (bool, bool, usize) {
    let store = FakeStore::of(&stored_for(fitted_for));
    let (mut forecaster, cell) = (ClusterForecaster::default(), Cell::default());
    forecaster.recall(&store.loops(), &cell, wanted, at()).await;
    assert!(forecaster.recalled);
    let path = cell.forecast.load().path.is_some();
    let points = forecaster.live.settled().points();
    (forecaster.fitted.is_some(), path, points)
}

#[tokio::test]
async fn a_window_declared_while_no_operator_ran_is_forgotten_at_once() {
    assert_eq!(taken(&target(), &target()).await, (true, true, 20));
    assert_eq!(taken(&masked(), &masked()).await, (true, true, 20));
    // The model has learned the window; how its forecasts fared still says something.
    assert_eq!(taken(&target(), &masked()).await, (false, false, 20));
    assert_eq!(taken(&masked(), &target()).await, (false, false, 20));
}

#[tokio::test]
async fn a_model_of_another_store_or_query_is_not_taken_over() {
    let moved = ForecastTarget {
        source_url: "http://elsewhere:9090".to_owned(),
        ..target()
    };
    assert_eq!(taken(&target(), &moved).await, (false, false, 0));
    let asked = ForecastTarget {
        query: "another".to_owned(),
        ..target()
    };
    assert_eq!(taken(&target(), &asked).await, (false, false, 0));
}

#[tokio::test]
async fn what_could_not_be_read_is_neither_lost_nor_written_over() {
    let store = FakeStore::of(&stored_for(&target()));
    let (loops, cell) = (store.loops(), Cell::default());
    let mut forecaster = ClusterForecaster::default();
    *store.status.lock().unwrap() = StatusCode::SERVICE_UNAVAILABLE;
    forecaster.recall(&loops, &cell, &target(), at()).await;
    assert!(!forecaster.recalled && forecaster.note.is_some());
    // A fit succeeds meanwhile.
    let StoredForecast { model, about, .. } = stored_for(&target());
    forecaster.fitted = Some(Fitted {
        model: Arc::new(model),
        name: "of this process".to_owned(),
        question: about.fitted_for,
        masks: about.masks,
        at: at(),
    });
    forecaster.unsaved = Some(kept().encode().unwrap());
    forecaster.save(&loops, &target()).await;
    assert_eq!(*store.writes.lock().unwrap(), 0);
    *store.status.lock().unwrap() = StatusCode::OK;
    forecaster.recall(&loops, &cell, &target(), at()).await;
    assert_eq!(forecaster.live.settled().points(), 20);
    let name = forecaster.fitted.as_ref().map(|one| one.name.as_str());
    assert_eq!(name, Some("of this process"), "the newer model stands");
    let waiting = StoredForecast::decode(forecaster.unsaved.as_ref().unwrap()).unwrap();
    assert_eq!(waiting.accuracy.points(), 20);
    forecaster.save(&loops, &target()).await;
    assert_eq!(*store.writes.lock().unwrap(), 1);
    assert!(forecaster.unsaved.is_none());
}
