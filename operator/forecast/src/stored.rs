//! What a stored model must be before it may forecast again.

use crate::{
    events::BIN_COLUMNS,
    features::Season,
    features::column,
    model::{Basis, Model},
};

/// Version of what a stored model means. It moves with every change of the features or of how they
/// are read, so that a model of another version is fitted anew instead of being misread.
pub const MODEL_VERSION: u32 = 2;

/// A stored model is at most this long, bytes; it has 7 to 15 KiB.
pub const MODEL_BYTES_MAX: usize = 65_536;

impl Model {
    /// Whether the parts of a model fit each other; one that was read from outside and does not
    /// must be fitted anew. A sound model gives a sound path on any series.
    pub fn is_sound(&self) -> bool {
        let (least, most) = self.log_range;
        let plain = match self.basis {
            Basis::ColdStart => return self.buckets.is_empty() && self.unit.is_sound(),
            Basis::Daily => Season::Daily.columns(),
            Basis::Weekly => Season::Weekly.columns(),
        };
        let with_events = plain + BIN_COLUMNS;
        let width = |columns: usize| columns == plain || columns == with_events;
        let leads = || self.buckets.iter().map(|bucket| bucket.lead_s_max);
        self.unit.is_sound()
            && least.is_finite()
            && most.is_finite()
            && least <= most
            && self.window_s > 0
            && !self.buckets.is_empty()
            && leads().is_sorted()
            && leads().all(|lead_s| lead_s > 0)
            && self.buckets.iter().all(|bucket| {
                let finite = bucket.coefficients.iter().all(|weight| weight.is_finite());
                width(bucket.coefficients.len()) && finite
            })
    }
}

impl Season {
    /// Columns of a row without events.
    pub(crate) const fn columns(self) -> usize {
        match self {
            Self::Daily => column::WEEK_BEFORE,
            Self::Weekly => column::WEEKLY_END,
        }
    }
}
