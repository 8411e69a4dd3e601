//! Sales: phases with a T0 to the second, and what stands planned for them.

use floodgate_forecast::UnixMillis;
use floodgate_words::Level;
use serde::{Deserialize, Serialize};

/// A sale that selects this cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sale {
    /// Name of the `SaleEvent`.
    pub name: String,
    /// The sale runs from here.
    pub start: UnixMillis,
    /// The sale is over from here.
    pub end: UnixMillis,
    /// Highest level that planned degradation may impose while a phase runs, from what the sale
    /// protects.
    pub level_max: Level,
    /// Its phases; with none, the sale changes nothing.
    pub phases: Vec<SalePhase>,
}

/// One phase of a sale, `[t0, until)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SalePhase {
    /// Name of the phase, unique within the sale.
    pub name: String,
    /// The second at which the load steps up.
    pub t0: UnixMillis,
    /// The phase is over from here.
    pub until: UnixMillis,
    /// Expected load as a share of the baseline forecast, percent: 1000 is tenfold.
    pub uplift_percent: u32,
    /// How sure the plan must be, and how uncertain the uplift is.
    pub confidence: Confidence,
    /// Replicas that were published ahead for this phase, where they were: from T0 on.
    pub planned_replicas: Option<u32>,
    /// When, later in the phase, another number was published, and which; in order.
    pub planned_later: Vec<(UnixMillis, u32)>,
}

impl SalePhase {
    /// Whether the phase runs.
    pub(crate) fn runs_at(&self, now: UnixMillis) -> bool {
        self.t0 <= now && now < self.until
    }

    /// The most replicas that were published for `[from, until]`.
    pub(crate) fn planned_within(&self, from: UnixMillis, until: UnixMillis) -> Option<u32> {
        let first = self.planned_replicas?;
        let begun = self
            .planned_later
            .partition_point(|(begin, _)| *begin <= from);
        let touched = self.planned_later[begun.saturating_sub(1)..].iter();
        let touched = touched.take_while(|(begin, _)| *begin <= until);
        let later = touched.map(|(_, replicas)| *replicas);
        later.chain((begun == 0).then_some(first)).max()
    }
}

impl Sale {
    /// The sale whose phases ask for `quantile_percent` (`spec.forecast.quantilePercent` of the
    /// cluster) where they name no chance of their own.
    #[must_use]
    pub fn with_usual_confidence(mut self, quantile_percent: u8) -> Self {
        for phase in &mut self.phases {
            phase
                .confidence
                .quantile_percent
                .get_or_insert(quantile_percent);
        }
        self
    }
}

/// How sure the plan of a phase must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confidence {
    /// Probability, 50..=99 percent, with which the planned pods must hold the load; `None` takes
    /// the quantile of the forecast.
    pub quantile_percent: Option<u8>,
    /// Standard error of the declared uplift, percent of it: 25 says that it is off by a quarter
    /// about every third time.
    pub uplift_error_percent: u32,
}

/// Every phase of every sale.
pub(crate) fn phases(sales: &[Sale]) -> impl Iterator<Item = (&Sale, &SalePhase)> {
    sales
        .iter()
        .flat_map(|sale| sale.phases.iter().map(move |phase| (sale, phase)))
}

/// The highest level that the running phases of the sales allow a plan to impose; `None` while none
/// runs.
pub fn protected_level<'a>(
    sales: impl IntoIterator<Item = &'a Sale>,
    now: UnixMillis,
) -> Option<Level> {
    let runs = |sale: &&Sale| sale.phases.iter().any(|phase| phase.runs_at(now));
    let running = sales.into_iter().filter(runs);
    running.map(|sale| sale.level_max).min()
}
