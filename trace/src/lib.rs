//! Reads a recorded load: a file in, requests per second out.
//!
//! [`read()`] is the whole way: `file.rs` bounds and reads the text, `rows.rs` turns it into
//! [`Sample`]s, `counter.rs` refuses or converts a counter, and [`Unit`] says what a value counts.
//! Another format is another way to get samples; nothing after `rows.rs` knows how a file looked.
//! Invariant: samples are strictly increasing in time, and a missing value is `None`, never zero.

mod counter;
mod file;
mod instants;
mod rows;
mod trace;
mod unit;

pub use counter::{Counted, counts_up};
pub use file::{FileError, ReadError, read, read_counter, read_instants, text};
pub use instants::instants;
pub use rows::{RowError, Sample, TraceError, instant};
pub use trace::Trace;
pub use unit::Unit;
