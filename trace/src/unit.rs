//! What a value of a trace counts: the same for every command that plans, rehearses or learns.

use crate::trace::Trace;

/// What a value of a trace counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Unit {
    /// Requests in the step of the trace, as access logs are counted.
    #[default]
    PerStep,
    /// Requests per second, as `rate()` gives them.
    Rps,
}

impl Unit {
    /// The trace in requests/s.
    pub(crate) fn to_rps(self, trace: Trace) -> Trace {
        match self {
            Self::PerStep => {
                let step_s = f64::from(trace.step_s());
                trace.scaled(1.0 / step_s)
            }
            Self::Rps => trace,
        }
    }

    /// How the values were read, with the way to have them read otherwise.
    pub fn in_words(self, trace: &Trace) -> String {
        match self {
            Self::PerStep => format!(
                "values taken as requests per step of {} s; `--unit rps` for rates",
                trace.step_s()
            ),
            Self::Rps => "values taken as requests/s".to_owned(),
        }
    }
}
