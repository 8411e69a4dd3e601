//! What a pass over a sale sees of a cluster.

use std::sync::Arc;

use crate::snapshot::{PlanningFacts, PodsSeen};

/// A cluster the sale hits, and what its own passes left.
#[derive(Clone, Debug)]
pub(super) struct ClusterSeen {
    pub(super) name: String,
    pub(super) planning: Option<Arc<PlanningFacts>>,
    pub(super) pods: Option<Arc<PodsSeen>>,
}
