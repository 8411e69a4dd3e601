//! What a forecast promises, by properties and on known shapes.

#![allow(clippy::unwrap_used, reason = "a test ends by panic")]

mod accuracy;
mod events;
mod hyper_parameters;
mod mask;
mod prior;
mod properties;
mod series;
mod shapes;
mod trace;
mod traffic;
