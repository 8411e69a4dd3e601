//! Overrides that contradict each other (B28).

use floodgate_words::{Pause, Reason};

use super::{OverridesRead, Remark};
use crate::annotation;

/// Of two counts the one that keeps more pods holds; every contradiction is said.
pub(super) fn resolve(read: &mut OverridesRead) {
    use annotation::{CEILING_REPLICAS, DEGRADE_FLOOR, FLOOR_REPLICAS, PAUSE, PIN_REPLICAS};
    let words = read.words;
    let (pin, floor) = (words.pin, words.floor);
    let pauses_demand =
        words.pause.is_some_and(Pause::stops_scaling) && (pin.is_some() || floor.is_some());
    let level_pinned = words.degrade_pin.is_some();
    let pauses_level = words.pause.is_some_and(Pause::stops_degradation) && level_pinned;
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
    if level_pinned && words.degrade_floor.is_some() {
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
        annotation::PIN_REPLICAS => &mut read.words.pin,
        _ => &mut read.words.ceiling,
    };
    let Some((word, least)) = slot
        .as_mut()
        .zip(least)
        .filter(|(word, least)| **word < *least)
    else {
        return;
    };
    let message = format!("`{name}` {word} is below `{by}` {least}: {least} holds");
    *word = least;
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
