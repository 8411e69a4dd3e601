//! What feeds [`crate::plan()`]: which load counts, when a forecast may bid, and how its promises
//! fared.
//!
//! The operator hands in what it sampled, the rehearsal what its virtual world shows; both ask the
//! same code, so that what is rehearsed is what runs. Pure: whoever asks says what time it is.

mod forecast;
mod live;
mod load;
mod store;

pub use forecast::{ColdScale, ForecastFacts, ForecastMode, ForecastState, PATH_AGE_MAX_S, Trust};
pub use live::{LiveAccuracy, LiveFigures, naive_rps};
pub use load::{LoadSeen, LoadSources, PodRates, RATE_WINDOW_S};
pub use store::{StoreLoad, StoreReading};
