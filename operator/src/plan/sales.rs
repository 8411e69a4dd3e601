//! The sales that hit a cluster, as the planner takes them. Pure.

use std::sync::Arc;

use floodgate_api::SaleEvent;
use floodgate_contract::Level;
use floodgate_planner::{Sale, UnixMillis};

use crate::{
    observe::Observed,
    validate::{ValidSale, validate_sale},
};

/// The valid sales that hit this cluster; an invalid one says so in its own status.
pub(super) fn sales_of(observed: &Observed) -> Vec<ValidSale> {
    let valid = observed
        .sales
        .iter()
        .filter_map(|event| validate_sale(event, learned_percent(event, &observed.sales)).ok());
    valid
        .filter(|sale| sale.selects(&observed.cluster))
        .collect()
}

/// The highest uplift that the sales in `learnFrom` taught.
pub fn learned_percent(event: &SaleEvent, all: &[Arc<SaleEvent>]) -> Option<u32> {
    let named = |other: &&Arc<SaleEvent>| {
        let name = other.metadata.name.as_deref().unwrap_or_default();
        event.spec.learn_from.iter().any(|from| from == name)
    };
    let taught = all
        .iter()
        .filter(named)
        .filter_map(|other| other.status.as_ref()?.learned_uplift_percent);
    taught
        .filter_map(|percent| u32::try_from(percent).ok())
        .max()
}

/// Sales as the planner takes them, with the replicas their status has published.
pub(super) fn planner_sales(observed: &Observed, sales: &[ValidSale]) -> Vec<Sale> {
    let name = observed
        .cluster
        .metadata
        .name
        .as_deref()
        .unwrap_or_default();
    let published = |sale: &str, phase: &str| {
        let of_sale = |event: &&Arc<SaleEvent>| event.metadata.name.as_deref() == Some(sale);
        let status = observed.sales.iter().find(of_sale)?.status.as_ref()?;
        let cluster = status
            .clusters
            .iter()
            .find(|cluster| cluster.name == name)?;
        let phase = cluster.phases.iter().find(|one| one.name == phase)?;
        u32::try_from(phase.planned_replicas)
            .ok()
            .filter(|replicas| *replicas > 0)
    };
    let mut sales: Vec<Sale> = sales.iter().map(|valid| valid.sale.clone()).collect();
    for sale in &mut sales {
        for phase in &mut sale.phases {
            phase.planned_replicas = published(&sale.name, &phase.name);
        }
    }
    sales
}

/// The highest level that running phases allow the plan to impose, by what they protect.
pub(super) fn protected_level(sales: &[ValidSale], now: UnixMillis) -> Option<Level> {
    let running = sales.iter().filter(|valid| {
        valid
            .sale
            .phases
            .iter()
            .any(|phase| phase.t0 <= now && now < phase.until)
    });
    running.map(|valid| valid.level_max).min()
}
