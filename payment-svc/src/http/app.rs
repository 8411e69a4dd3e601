//! What every handler works with.

use std::sync::Arc;

use crate::gate::Gate;
use crate::read_cache::ReadCache;
use crate::store::Store;

/// What the handlers work with.
pub struct App {
    /// The shards.
    pub store: Arc<Store>,
    /// Reads through the cache.
    pub read_cache: Arc<ReadCache>,
    /// Admission.
    pub gate: Arc<Gate>,
}
