//! An SRE's word: what annotations say, after validation, with reason and end.

use floodgate_forecast::UnixMillis;
use floodgate_words::{Level, Pause};
use serde::{Deserialize, Serialize};

/// One override. It holds while `now < until` and not one millisecond longer (promise S9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override<T> {
    /// What is demanded.
    pub value: T,
    /// The instant at which it lapses.
    pub until: UnixMillis,
    /// Why, in the words of who set it.
    pub reason: String,
    /// Who set it, where known.
    pub by: Option<String>,
}

impl<T> Override<T> {
    /// Whether it holds at `now`.
    pub fn is_active(&self, now: UnixMillis) -> bool {
        now < self.until
    }
}

/// All overrides of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// Exactly this many replicas, bounded only by ceiling, min and max.
    pub pin: Option<Override<u32>>,
    /// At least this many replicas.
    pub floor: Option<Override<u32>>,
    /// At least this many replicas, because somebody scaled to them while a sale was near or ran;
    /// a pin stands above it.
    pub by_hand: Option<Override<u32>>,
    /// At most this many replicas.
    pub ceiling: Option<Override<u32>>,
    /// At least this degradation level.
    pub degrade_floor: Option<Override<Level>>,
    /// Exactly this degradation level.
    pub degrade_pin: Option<Override<Level>>,
    /// What Floodgate keeps its hands off.
    pub pause: Option<Override<Pause>>,
}

impl Overrides {
    /// The overrides that hold at `now`; every other one is gone.
    pub(crate) fn active(&self, now: UnixMillis) -> ActiveOverrides<'_> {
        ActiveOverrides {
            pin: at(self.pin.as_ref(), now),
            floor: at(self.floor.as_ref(), now),
            by_hand: at(self.by_hand.as_ref(), now),
            ceiling: at(self.ceiling.as_ref(), now),
            degrade_floor: at(self.degrade_floor.as_ref(), now),
            degrade_pin: at(self.degrade_pin.as_ref(), now),
            pause: at(self.pause.as_ref(), now),
        }
    }

    /// The first instant after `now` at which one of them lapses.
    pub fn next_lapse(&self, now: UnixMillis) -> Option<UnixMillis> {
        let Self {
            pin,
            floor,
            by_hand,
            ceiling,
            degrade_floor,
            degrade_pin,
            pause,
        } = self;
        [
            pin.as_ref().map(|o| o.until),
            floor.as_ref().map(|o| o.until),
            by_hand.as_ref().map(|o| o.until),
            ceiling.as_ref().map(|o| o.until),
            degrade_floor.as_ref().map(|o| o.until),
            degrade_pin.as_ref().map(|o| o.until),
            pause.as_ref().map(|o| o.until),
        ]
        .into_iter()
        .flatten()
        .filter(|until| *until > now)
        .min()
    }
}

fn at<T>(word: Option<&Override<T>>, now: UnixMillis) -> Option<&Override<T>> {
    word.filter(|word| word.is_active(now))
}

/// The overrides that hold at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActiveOverrides<'a> {
    pub(crate) pin: Option<&'a Override<u32>>,
    pub(crate) floor: Option<&'a Override<u32>>,
    pub(crate) by_hand: Option<&'a Override<u32>>,
    pub(crate) ceiling: Option<&'a Override<u32>>,
    pub(crate) degrade_floor: Option<&'a Override<Level>>,
    pub(crate) degrade_pin: Option<&'a Override<Level>>,
    pub(crate) pause: Option<&'a Override<Pause>>,
}
