//! Overrides that contradict each other (B28).

use floodgate_api::{Reason, annotation};
use floodgate_planner::{Override, Pause};

use super::{OverridesRead, Remark};

/// Of two counts the one that keeps more pods holds; every contradiction is said.
pub(super) fn resolve(read: &mut OverridesRead) {
    use annotation::{CEILING_REPLICAS, DEGRADE_FLOOR, FLOOR_REPLICAS, PAUSE, PIN_REPLICAS};
    let value = |slot: &Option<Override<u32>>| slot.as_ref().map(|word| word.value);
    let (pin, floor) = (value(&read.overrides.pin), value(&read.overrides.floor));
    let stops = |f: fn(Pause) -> bool| read.overrides.pause.as_ref().is_some_and(|w| f(w.value));
    let pauses_demand = stops(Pause::stops_scaling) && (pin.is_some() || floor.is_some());
    let level_pinned = read.overrides.degrade_pin.is_some();
    let pauses_level = stops(Pause::stops_degradation) && level_pinned;
    if pauses_demand {
        note(
            read,
            PAUSE,
            "`pause` beside `pin-replicas` or `floor-replicas`: the present count is kept unless they ask for more",
        );
    }
    raise(read, PIN_REPLICAS, floor, FLOOR_REPLICAS);
    raise(read, CEILING_REPLICAS, floor, FLOOR_REPLICAS);
    raise(read, CEILING_REPLICAS, pin, PIN_REPLICAS);
    if level_pinned && read.overrides.degrade_floor.is_some() {
        note(
            read,
            DEGRADE_FLOOR,
            "`degrade-pin` names the exact level: `degrade-floor` has no effect beside it",
        );
    }
    if pauses_level {
        note(
            read,
            PAUSE,
            "`pause` beside `degrade-pin`: the pinned level holds",
        );
    }
}

/// Raises the count of override `name` to `least`, which override `by` demands.
fn raise(read: &mut OverridesRead, name: &str, least: Option<u32>, by: &str) {
    let slot = match name {
        annotation::PIN_REPLICAS => &mut read.overrides.pin,
        _ => &mut read.overrides.ceiling,
    };
    let Some((word, least)) = slot
        .as_mut()
        .zip(least)
        .filter(|(word, least)| word.value < *least)
    else {
        return;
    };
    let message = format!(
        "`{name}` {} is below `{by}` {least}: {least} holds",
        word.value
    );
    word.value = least;
    let short = name.strip_prefix(annotation::PREFIX).unwrap_or(name);
    if let Some(shown) = read.active.iter_mut().find(|shown| shown.name == short) {
        shown.value = least.to_string();
    }
    note(read, name, &message);
}

fn note(read: &mut OverridesRead, name: &str, message: &str) {
    read.remarks
        .push(Remark::note(name, Reason::OverrideConflict, message));
}
