//! The stored model: written after a fit, taken over by the next process, refused when it is not
//! what was written; and the windows a person masks.

use floodgate_api::{PaymentCluster, SaleEvent, cluster::status::ForecastSummary};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt, api::PostParams};
use serde_json::json;

use crate::{
    cluster_objects::{condition, says},
    pods::{Answer, FakePrometheus, Past},
    stage::{Stage, until},
};

const STORED: &str = "till-forecast";

async fn stored(stage: &Stage) -> Option<ConfigMap> {
    let api: Api<ConfigMap> = stage.api();
    api.get_opt(STORED).await.unwrap()
}

async fn forecast(stage: &Stage) -> Option<ForecastSummary> {
    stage.cluster("till").await.status?.forecast
}

async fn message(stage: &Stage, kind: &str) -> String {
    let status = stage.cluster("till").await.status.unwrap_or_default();
    let condition = status.conditions.into_iter().find(|one| one.type_ == kind);
    condition.map(|one| one.message).unwrap_or_default()
}

/// A cluster whose Prometheus knows fourteen days, and an operator that has fitted on them.
async fn fitted(stage: &Stage) -> FakePrometheus {
    fitted_by(stage, stage).await
}

/// The same by an operator with the rights of `own`.
async fn fitted_by(own: &Stage, stage: &Stage) -> FakePrometheus {
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(40.0)).await;
    prometheus.remember(Past::Wave);
    let spec = json!({ "traffic": { "historyStepSeconds": 300 } });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = own.operator();
    until("the model is stored", async || {
        stored(stage).await.is_some()
    })
    .await;
    until("the forecast bids", async || {
        says(
            &stage.cluster("till").await,
            "ForecastTrusted",
            "True",
            "WithinGate",
        )
    })
    .await;
    operator.stop().await;
    prometheus
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_a_restart_takes_the_stored_model_over_even_while_the_history_is_gone() {
    let stage = Stage::with_secrets("stored").await;
    let prometheus = fitted(&stage).await;
    let before = stored(&stage).await.unwrap();
    let owners = before.owner_references();
    let cluster = stage.cluster("till").await;
    assert_eq!(owners.len(), 1);
    assert_eq!(Some(&owners[0].uid), cluster.metadata.uid.as_ref());
    let data = before.data.clone().unwrap();
    assert!(data["model.json"].len() < 65_536);
    let about: serde_json::Value = serde_json::from_str(&data["about.json"]).unwrap();
    let name = about["model"].as_str().unwrap().to_owned();
    assert!(name.starts_with("ridge-direct-weekly/"), "{name}");
    assert_eq!(forecast(&stage).await.unwrap().model, name);
    prometheus.remember(Past::Status(503));
    stage
        .patch::<PaymentCluster>("till", json!({ "spec": { "scaling": { "max": 11 } } }))
        .await;
    let operator = stage.operator();
    let generation = stage.cluster("till").await.metadata.generation;
    until("the next process has planned", async || {
        let status = stage.cluster("till").await.status.unwrap_or_default();
        status.observed_generation == generation
    })
    .await;
    until("its decision names the stored model", async || {
        let status = stage.cluster("till").await.status.unwrap_or_default();
        let decision = status.decision.map(|decision| decision.bids);
        let mut bids = decision.unwrap_or_default().into_iter();
        bids.any(|bid| bid.source == "Forecast" && bid.reason.contains(&name))
    })
    .await;
    let after = forecast(&stage).await.unwrap();
    assert_eq!((after.model.as_str(), after.note), (name.as_str(), None));
    assert!(says(
        &stage.cluster("till").await,
        "ForecastTrusted",
        "True",
        "WithinGate"
    ));
    assert_eq!(
        stored(&stage).await.unwrap().resource_version(),
        before.resource_version(),
        "nothing was fitted, so nothing is written"
    );
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_a_stored_model_that_was_tampered_with_is_refused_and_fitted_anew() {
    let stage = Stage::with_secrets("tampered").await;
    let _prometheus = fitted(&stage).await;
    stage
        .patch::<ConfigMap>(STORED, json!({ "data": { "path.json": "{}" } }))
        .await;
    let tampered = stored(&stage).await.unwrap().resource_version();
    let operator = stage.operator();
    until("the model is fitted and stored anew", async || {
        stored(&stage).await.unwrap().resource_version() != tampered
    })
    .await;
    until("the status says why", async || {
        let note = forecast(&stage).await.and_then(|forecast| forecast.note);
        note.is_some_and(|note| note.contains("not what was written"))
    })
    .await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_map_of_somebody_else_is_left_alone_and_named() {
    let stage = Stage::with_secrets("foreign-model").await;
    let theirs: ConfigMap = serde_json::from_value(json!({
        "metadata": { "name": STORED }, "data": { "theirs": "yes" }
    }))
    .unwrap();
    let api: Api<ConfigMap> = stage.api();
    api.create(&PostParams::default(), &theirs).await.unwrap();
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Rps(40.0)).await;
    prometheus.remember(Past::Wave);
    let spec = json!({ "traffic": { "historyStepSeconds": 300 } });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = stage.operator();
    until(
        "the forecast bids without a store, and says so",
        async || {
            let bids = says(
                &stage.cluster("till").await,
                "ForecastTrusted",
                "True",
                "WithinGate",
            );
            let note = forecast(&stage).await.and_then(|forecast| forecast.note);
            bids && note.is_some_and(|note| note.contains("was not made for this cluster"))
        },
    )
    .await;
    assert_eq!(
        stored(&stage).await.unwrap().data.unwrap(),
        theirs.data.unwrap()
    );
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b26_a_bad_window_is_named_and_the_good_one_is_masked() {
    let stage = Stage::with_secrets("masked").await;
    let prometheus = fitted(&stage).await;
    let mask = |text: String| json!({ "metadata": { "annotations": { "floodgate.dev/mask-history": text } } });
    let from = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(30);
    let good = format!("{from}/{}", from + jiff::SignedDuration::from_hours(2));
    stage
        .patch::<PaymentCluster>("till", mask(format!("{good},yesterday")))
        .await;
    let operator = stage.operator();
    until("the bad one is named", async || {
        condition(&stage.cluster("till").await, "HistoryMasked")
            == Some(("Unknown".to_owned(), "InvalidMask".to_owned()))
    })
    .await;
    let said = message(&stage, "HistoryMasked").await;
    assert!(
        said.contains("\"yesterday\" must be FROM/TO") && said.contains("1 window is left out"),
        "{said}"
    );
    until("the good one is masked and counted", async || {
        let masked = forecast(&stage).await.and_then(|one| one.masked_points);
        masked.is_some_and(|points| (24..=25).contains(&points))
    })
    .await;
    stage.patch::<PaymentCluster>("till", mask(good)).await;
    until("it is right now", async || {
        says(
            &stage.cluster("till").await,
            "HistoryMasked",
            "True",
            "WindowsMasked",
        )
    })
    .await;
    drop(prometheus);
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_of_the_manifests_suffice_to_store_a_model_and_for_no_more() {
    let stage = Stage::with_secrets("rights").await;
    let own = stage.as_installed().await;
    let _prometheus = fitted_by(&own, &stage).await;
    let api: Api<ConfigMap> = own.api();
    let listed = api.list(&kube::api::ListParams::default()).await;
    assert!(matches!(listed, Err(kube::Error::Api(status)) if status.code == 403));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_with_neither_history_nor_load_a_sale_is_planned_from_the_declared_base() {
    let stage = Stage::with_secrets("cold").await;
    let prometheus = FakePrometheus::start(&stage.namespace, Answer::Vector(json!([]))).await;
    let spec = json!({ "scaling": { "min": 3, "max": 40, "capacityRps": 50 } });
    stage.create_cluster("till", &prometheus.url, spec).await;
    let operator = stage.operator();
    until("the usual day stands in", async || {
        says(
            &stage.cluster("till").await,
            "ForecastTrusted",
            "Unknown",
            "ColdStart",
        )
    })
    .await;
    let said = message(&stage, "ForecastTrusted").await;
    assert!(
        said.contains("the load that `scaling.min` pods hold"),
        "{said}"
    );
    let summary = forecast(&stage).await.unwrap();
    assert_eq!(
        (summary.model.as_str(), summary.p50_rps),
        ("usual-day", 150)
    );
    assert!(summary.upper_rps > 150);
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap();
    let later = |hours| (now + jiff::SignedDuration::from_hours(hours)).to_string();
    let sale: SaleEvent = serde_json::from_value(json!({
        "apiVersion": floodgate_api::API_VERSION,
        "kind": "SaleEvent",
        "metadata": { "name": "opening" },
        "spec": {
            "clusterSelector": { "names": ["till"] },
            "start": later(5), "end": later(7),
            "phases": [{ "name": "doors", "t0": later(5) }],
            "upliftPercent": 1000
        }
    }))
    .unwrap();
    stage
        .api()
        .create(&PostParams::default(), &sale)
        .await
        .unwrap();
    until("the sale is planned", async || {
        let clusters = stage
            .sale("opening")
            .await
            .status
            .map(|status| status.clusters);
        let mut phases = clusters.into_iter().flatten().flat_map(|one| one.phases);
        phases.any(|phase| phase.planned_replicas == 30)
    })
    .await;
    operator.stop().await;
}
