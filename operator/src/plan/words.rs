//! What people say of a cluster beside its spec: annotations, and replicas written by hand. Pure.

use floodgate_api::annotation::MASK_HISTORY;
use floodgate_forecast::Masks;

use crate::{
    observe::Observed,
    overrides::{self, Bounds, OverridesRead},
    validate::ValidatedCluster,
    writers::ByHand,
};

/// Overrides, and windows to leave out of the history.
pub(super) fn read(
    observed: &Observed,
    cluster: &ValidatedCluster,
    by_hand: Option<&ByHand>,
) -> (OverridesRead, Masks) {
    let bounds = Bounds {
        min: cluster.scaling.replicas_min,
        max: cluster.scaling.replicas_max,
    };
    let meta = &observed.cluster.metadata;
    let annotations = meta.annotations.clone().unwrap_or_default();
    let set_at = overrides::set_at(meta.managed_fields.as_deref());
    let mut overrides = overrides::read(&annotations, bounds, observed.now, set_at);
    if let Some(status) = &observed.cluster.status {
        overrides.keep_last(&annotations, &status.overrides, bounds, observed.now);
    }
    if let Some(hand) = by_hand {
        overrides.scaled_by_hand(hand, bounds);
    }
    let masks = annotations.get(MASK_HISTORY);
    let masks = masks.map(|text| Masks::parse(text)).unwrap_or_default();
    (overrides, masks)
}
