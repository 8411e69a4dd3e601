//! Publishes Events, and counts them by reason.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, Recorder, Reporter},
};

use crate::metrics::{Metrics, ReasonLabel};

/// Publishes Events; one per process, because it counts repetitions.
#[derive(Clone)]
pub struct Publisher {
    recorder: Recorder,
    metrics: Metrics,
}

impl Publisher {
    /// A publisher that signs as `identity`.
    pub fn new(client: Client, identity: &str, metrics: Metrics) -> Self {
        let reporter = Reporter {
            controller: floodgate_api::FIELD_MANAGER.to_owned(),
            instance: Some(identity.to_owned()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
            metrics,
        }
    }

    /// Publishes an Event about an object. One that cannot be published is logged and
    /// forgotten: it informs and changes nothing.
    pub async fn publish(&self, about: &ObjectReference, event: Event) {
        self.metrics
            .events
            .get_or_create(&ReasonLabel {
                reason: event.reason.clone(),
            })
            .inc();
        if let Err(error) = self.recorder.publish(&event, about).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                reason = event.reason,
                "cannot publish an Event"
            );
        }
    }
}
