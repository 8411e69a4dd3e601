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
mod model;
mod path;
mod reaches;
mod ridge;
mod series;
mod time;
mod trace;
mod train;
mod view;

pub use accuracy::{Accuracy, Promise, Verdict};
pub use baseline::seasonal_naive;
pub use events::Calendar;
pub use fit::{FitError, FitOptions, fit, fit_with_events};
pub use model::{Basis, Model};
pub use path::ForecastPath;
pub use series::{Quality, Series, SeriesError};
pub use time::UnixMillis;
pub use trace::{Trace, TraceError};
