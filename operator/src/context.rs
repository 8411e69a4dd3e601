//! What the passes of both controllers work with.

use std::sync::Arc;

use floodgate_planner::HoldCause;
use kube::Client;
use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    metrics::Metrics,
    publisher::Publisher,
    snapshot::{ClusterKey, Snapshots},
    stores::Stores,
    synced::Synced,
};

/// What every pass works with.
pub struct Context {
    /// Client whose writes pass the fence of leadership.
    pub client: Client,
    pub clock: Clock,
    /// The process's own metrics.
    pub metrics: Metrics,
    /// Reports when every store was filled once.
    pub synced: Synced,
    /// What the loops leave for each other.
    pub snapshots: Arc<Snapshots>,
    /// Publishes Events.
    pub publisher: Publisher,
    /// Objects as the watches have them.
    pub stores: Stores,
    /// How this process came to lead: what the first pass over a cluster holds for.
    pub started_by: HoldCause,
    /// Clusters whose pods must not wait for the next round of the sample loop.
    pub nudges: mpsc::Sender<ClusterKey>,
}
