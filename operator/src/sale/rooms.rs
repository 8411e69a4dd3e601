//! Reads the room on the nodes: rarely, and once for all sales that are near.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, Client, api::ListParams};
use tokio::sync::Mutex;

use super::nodes::NodeRoom;
use crate::clock::seconds_between;

/// Seconds for which what was read stands; a list of all pods is dear for the apiserver.
const PERIOD_S: f64 = 600.0;

/// Room on the nodes, and when it was read; none while it cannot be.
#[derive(Debug, Default)]
pub struct Rooms(Mutex<Option<(Timestamp, Option<Arc<NodeRoom>>)>>);

impl Rooms {
    /// The room as it was read within the last ten minutes; `None` without the right to list nodes
    /// and pods of all namespaces.
    pub(super) async fn read(&self, client: &Client, now: Timestamp) -> Option<Arc<NodeRoom>> {
        // Held while reading: whoever else asks meanwhile wants the same answer.
        let mut known = self.0.lock().await;
        if let Some((at, room)) = &*known
            && seconds_between(*at, now) < PERIOD_S
        {
            return room.clone();
        }
        let nodes: Api<Node> = Api::all(client.clone());
        let pods: Api<Pod> = Api::all(client.clone());
        let everything = ListParams::default();
        let room = match tokio::try_join!(nodes.list(&everything), pods.list(&everything)) {
            Ok((nodes, pods)) => Some(Arc::new(NodeRoom::of(&nodes.items, &pods.items))),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the room on the nodes cannot be read");
                None
            }
        };
        *known = Some((now, room.clone()));
        room
    }
}
