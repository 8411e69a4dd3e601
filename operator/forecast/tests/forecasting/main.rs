//! What a forecast promises, by properties and on known shapes.

mod accuracy;
mod counter;
mod events;
mod mask;
mod properties;
mod series;
mod shapes;
mod trace;
mod traffic;
