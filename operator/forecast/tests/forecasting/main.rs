//! What a forecast promises, by properties and on known shapes.

mod accuracy;
mod events;
mod properties;
mod series;
mod shapes;
mod trace;
mod traffic;
