//! What the pods are to do: the level floor of the decision, within what sales protect. Pure.

use floodgate_api::cluster::scaling::ScalingMode;
use floodgate_planner::{Decision, protected_level};
use floodgate_settings::ValidSale;
use jiff::Timestamp;

use super::memory::Before;
use crate::{overrides::OverridesRead, target::PolicyTarget, validate::ValidatedCluster};

/// The policy for the pods. An equal policy keeps its version, so that it is renewed, not changed.
pub(super) fn policy(
    decision: &Decision,
    cluster: &ValidatedCluster,
    overrides: &OverridesRead,
    sales: &[ValidSale],
    before: &Before,
    now: Timestamp,
) -> Option<PolicyTarget> {
    let words = &overrides.overrides;
    let ordered = words.degrade_floor.is_some() || words.degrade_pin.is_some();
    if cluster.mode == ScalingMode::Recommend && !ordered {
        return None;
    }
    let mut floor = decision.level.floor;
    // What a sale protects only a word may switch off, and only as far as the word goes.
    let given = sales.iter().map(|valid| &valid.sale);
    if let Some(most) = protected_level(given, now.into()) {
        let word = words.degrade_floor.as_ref().map(|word| word.value);
        floor = floor.min(most.max(word.unwrap_or_default()));
    }
    let pin = decision.level.pin;
    let reason = decision.level.reason.as_str().to_owned();
    let ends = [&words.degrade_floor, &words.degrade_pin];
    let until = ends
        .into_iter()
        .flatten()
        .filter_map(|word| word.until.timestamp());
    let until = until.max();
    let unchanged =
        |old: &&PolicyTarget| old.floor == floor && old.pin == pin && old.until == until;
    match before.policy.as_ref().filter(unchanged) {
        Some(old) => Some(old.clone()),
        None => Some(PolicyTarget {
            decided_at: now,
            floor,
            pin,
            reason,
            until,
        }),
    }
}
