//! A traffic series in, a path of quantiles out.
//!
//! The room is pure: no clock, no I/O, no Kubernetes, no randomness. The same series gives the
//! same path, bit for bit.
//!
//! [`Series`] puts samples on a regular grid and masks what is not a plausible rate; [`fit()`]
//! trains on it and returns a [`Model`]; [`Model::path`] gives the median and two upper quantiles at
//! every step after the last observation. [`Accuracy`] compares what was promised with what came.

mod accuracy;
mod baseline;
mod blend;
mod blocks;
mod change;
mod conformal;
mod events;
mod features;
mod fit;
mod hours;
mod mask;
mod model;
mod path;
mod prior;
mod profile;
mod residual;
mod ridge;
mod series;
mod spread_models;
mod stored;
mod time;
mod train;
mod view;

pub use accuracy::{Accuracy, Promise, Verdict};
pub use baseline::seasonal_naive;
pub use events::Calendar;
pub use fit::{FitError, FitOptions, fit, fit_with_events};
pub use mask::{MASKS_MAX, Mask, MaskError, Masks};
pub use model::{Basis, Model};
pub use path::ForecastPath;
pub use prior::{ColdScore, PriorDay, learn_prior_day, path_of_moment};
pub use profile::{UpliftProfile, UpliftStep};
pub use series::{Quality, Series, SeriesError};
pub use stored::{MODEL_BYTES_MAX, MODEL_VERSION};
pub use time::UnixMillis;
