//! One pass over one cluster: what its steps share.

use floodgate_api::PaymentClusterStatus;
use kube::{Resource, runtime::events::Event};

use super::remembered::Remembered;
use crate::{
    context::Context,
    observe::Observed,
    snapshot::{Cell, ClusterKey},
    status::{self, StatusError},
};

/// One pass over one cluster.
pub(super) struct Pass<'a> {
    /// What every pass works with.
    pub(super) ctx: &'a Context,
    pub(super) key: &'a ClusterKey,
    /// What the loops leave for each other.
    pub(super) cell: &'a Cell,
    /// What the last pass left, and what this one leaves.
    pub(super) remembered: &'a mut Remembered,
    /// What this pass works on.
    pub(super) observed: Observed,
}

impl Pass<'_> {
    /// The status in force.
    pub(super) fn status(&self) -> PaymentClusterStatus {
        let Observed { cluster, now, .. } = &self.observed;
        status::current(self.remembered.status.as_ref(), cluster, *now)
    }

    /// Writes `after` where it says something else than `before`.
    pub(super) async fn write_status(
        &mut self,
        before: &PaymentClusterStatus,
        after: PaymentClusterStatus,
    ) -> Result<(), StatusError> {
        let (now, written) = (self.observed.now, &mut self.remembered.status);
        let to = (&self.ctx.client, &self.ctx.metrics);
        status::write(to, self.key, written, before, after, now).await
    }

    /// Publishes an Event about the cluster.
    pub(super) async fn publish(&self, event: Event) {
        let about = self.observed.cluster.object_ref(&());
        self.ctx.publisher.publish(&about, event).await;
    }
}
