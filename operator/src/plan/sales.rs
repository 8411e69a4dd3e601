//! The sales that hit a cluster, as the planner takes them. Pure.

use std::sync::Arc;

use floodgate_api::SaleEvent;
use floodgate_planner::{Sale, UnixMillis};
use floodgate_settings::{ValidSale, retained_sale, validate_sale};

use jiff::Timestamp;

use crate::{observe::Observed, validate::ValidatedCluster};

/// A sale is near from so many seconds before its first phase: who scales by hand then means it.
const NEAR_S: i64 = 3_600;

/// The sales that hit this cluster. One that an edit made invalid while it was near or ran counts
/// by its last published plan; any other invalid one only says so in its own status.
pub(super) fn sales_of(observed: &Observed) -> Vec<ValidSale> {
    let name = observed
        .cluster
        .metadata
        .name
        .as_deref()
        .unwrap_or_default();
    let counts = |event: &Arc<SaleEvent>| match validate_sale(
        event,
        event.learned_percent(observed.sales.iter().map(Arc::as_ref)),
    ) {
        Ok(sale) => sale.selects(&observed.cluster).then_some(sale),
        Err(_) => retained_sale(event, Some(name), observed.now),
    };
    observed.sales.iter().filter_map(counts).collect()
}

/// The end of the sale that is near or runs; the latest of several. A sale is near from
/// `NEAR_S` before its first phase, or from its published pre-scale where that is earlier.
pub fn sale_until(observed: &Observed) -> Option<Timestamp> {
    let now = UnixMillis::from(observed.now);
    let near = |valid: &ValidSale| {
        let first = valid.sale.phases.iter().map(|phase| phase.t0).min();
        let near = first.is_some_and(|t0| t0.plus_s(-NEAR_S) <= now);
        (near || prescaling(observed, valid)) && now < valid.sale.end
    };
    let ends = sales_of(observed).into_iter().filter(near);
    ends.filter_map(|valid| valid.sale.end.timestamp()).max()
}

fn prescaling(observed: &Observed, valid: &ValidSale) -> bool {
    let event = observed
        .sales
        .iter()
        .find(|event| event.metadata.name.as_deref() == Some(&*valid.sale.name));
    let status = event.and_then(|event| event.status.as_ref());
    status
        .into_iter()
        .flat_map(|status| &status.clusters)
        .filter(|cluster| Some(&*cluster.name) == observed.cluster.metadata.name.as_deref())
        .flat_map(|cluster| &cluster.phases)
        .any(|phase| phase.prescale_start.0 <= observed.now)
}

/// Sales as the planner takes them, with the replicas their status has published.
pub(super) fn planner_sales(
    observed: &Observed,
    sales: &[ValidSale],
    cluster: &ValidatedCluster,
) -> Vec<Sale> {
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
        (phase.planned_replicas > 0).then_some(phase)
    };
    let usual = cluster.forecast.usual_quantile_percent();
    let sales = sales.iter();
    let mut sales: Vec<Sale> = sales
        .map(|valid| valid.sale.clone().with_usual_confidence(usual))
        .collect();
    for sale in &mut sales {
        for phase in &mut sale.phases {
            let Some(published) = published(&sale.name, &phase.name) else {
                continue;
            };
            phase.planned_replicas = u32::try_from(published.planned_replicas).ok();
            let later = published.later.iter().map(|step| {
                let from = phase.t0.plus_s(i64::from(step.from_minute) * 60);
                (from, u32::try_from(step.planned_replicas).unwrap_or(0))
            });
            phase.planned_later = later.collect();
        }
    }
    sales
}
