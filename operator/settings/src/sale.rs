//! A `SaleEvent` into what the planner takes.

use floodgate_api::sale::status::SalePhaseStatus;
use floodgate_api::sale::{ClusterSelector, DatedSale};
use floodgate_api::{FieldError, SaleEvent};
use floodgate_planner::{Confidence, Sale, SalePhase};
use jiff::Timestamp;

/// A sale every later step may rely on.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidSale {
    /// For the planner; `planned_replicas` is `None` and filled in from the status.
    pub sale: Sale,
    /// Which clusters it hits.
    pub selector: ClusterSelector,
    /// Keys every new pod loads first.
    pub hot_keys: Vec<String>,
    /// Local times that do not exist or come twice, and what is taken for them.
    pub remarks: Vec<String>,
}

impl ValidSale {
    /// Whether the sale hits a cluster of its own namespace.
    pub fn selects(&self, cluster: &floodgate_api::PaymentCluster) -> bool {
        self.selector.matches(cluster)
    }
}

/// Validates a sale; `learned_percent` is the uplift that the sales in `learnFrom` taught, if any.
pub fn validate_sale(
    event: &SaleEvent,
    learned_percent: Option<u32>,
) -> Result<ValidSale, FieldError> {
    let (sale, remarks) = planner_sale(event, learned_percent)?;
    Ok(ValidSale {
        sale,
        selector: event.spec.cluster_selector.clone(),
        hot_keys: event.spec.hot_keys.clone(),
        remarks,
    })
}

/// A sale as the planner takes it, and the local times in it that do not exist or come twice, with
/// what is taken for them. `planned_replicas` is `None`.
pub fn planner_sale(
    event: &SaleEvent,
    learned_percent: Option<u32>,
) -> Result<(Sale, Vec<String>), FieldError> {
    let DatedSale {
        start,
        end,
        phases,
        remarks,
    } = event.dated(learned_percent)?;
    let phases = phases.into_iter().map(|phase| SalePhase {
        name: phase.name,
        t0: phase.t0.into(),
        until: phase.until.into(),
        uplift_percent: phase.uplift_percent,
        confidence: Confidence {
            quantile_percent: phase.quantile_percent,
            uplift_error_percent: phase.uplift_error_percent,
        },
        planned_replicas: None,
        planned_later: Vec::new(),
    });
    let sale = Sale {
        name: name_of(event),
        start: start.into(),
        end: end.into(),
        level_max: event.spec.level_max(),
        phases: phases.collect(),
    };
    Ok((sale, remarks))
}

/// The sale as its status published it, when it was near or ran at `now` and an edit has made its
/// spec invalid; for one cluster, or for all that it hit. The sale is not over while a phase of the
/// plan is not.
///
/// What runs in front of the payers must not fall because somebody mistyped a date (F55).
pub fn retained_sale(
    event: &SaleEvent,
    cluster: Option<&str>,
    now: Timestamp,
) -> Option<ValidSale> {
    let status = event.status.as_ref()?;
    let hit = status
        .clusters
        .iter()
        .filter(|one| cluster.is_none_or(|name| one.name == name));
    let published: Vec<&SalePhaseStatus> = hit.clone().flat_map(|one| &one.phases).collect();
    let begun = published.iter().any(|phase| phase.prescale_start.0 <= now);
    let mut phases: Vec<SalePhase> = Vec::new();
    for phase in published {
        let end = phase.end.as_ref()?.0;
        if phases.iter().any(|one| one.name == phase.name) {
            continue;
        }
        phases.push(SalePhase {
            name: phase.name.clone(),
            t0: phase.t0.0.into(),
            until: end.into(),
            uplift_percent: u32::try_from(phase.uplift_percent).ok()?,
            confidence: Confidence::default(),
            planned_replicas: None,
            planned_later: Vec::new(),
        });
    }
    let start = phases.iter().map(|phase| phase.t0).min()?;
    let end = phases.iter().map(|phase| phase.until).max()?;
    if !begun || end <= now.into() {
        return None;
    }
    Some(ValidSale {
        sale: Sale {
            name: name_of(event),
            start,
            end,
            level_max: event.spec.level_max(),
            phases,
        },
        selector: ClusterSelector {
            names: hit.map(|one| one.name.clone()).collect(),
            ..ClusterSelector::default()
        },
        hot_keys: event.spec.hot_keys.clone(),
        remarks: Vec::new(),
    })
}

fn name_of(event: &SaleEvent) -> String {
    event.metadata.name.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests;
