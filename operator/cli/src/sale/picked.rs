//! The sales that a command is about, as the planner takes them.

use floodgate_api::SaleEvent;
use floodgate_planner::Sale;
use kube::ResourceExt;

use super::error::SaleError;
use crate::access::AccessArgs;
use crate::calendar;
use crate::query::{QueryArgs, Source};

/// Sales that were asked for.
pub(super) struct Picked {
    pub sales: Vec<PickedSale>,
    /// All that there are; `learnFrom` may name any of them.
    pub all: Vec<SaleEvent>,
    pub source: Source,
    /// Whether another one cannot be read, which was reported.
    pub hides_one: bool,
}

pub(super) struct PickedSale {
    pub event: SaleEvent,
    /// As the planner takes it.
    pub sale: Result<Sale, SaleError>,
}

impl Picked {
    /// Keeps those for which `wanted` holds; all of them when it holds for none.
    pub fn only(&mut self, wanted: impl Fn(&Result<Sale, SaleError>) -> bool) {
        if self.sales.iter().any(|one| wanted(&one.sale)) {
            self.sales.retain(|one| wanted(&one.sale));
        }
    }
}

/// The sale of that name, or all of the scope; never none.
pub(super) async fn find(query: &QueryArgs, access: &AccessArgs) -> Result<Picked, SaleError> {
    let source = query.open(access).await?;
    let found = query.find::<SaleEvent>(&source).await?;
    let all = if query.name.is_none() {
        found.objects.clone()
    } else {
        let all = source.objects(None, query.scope()).await?;
        all.into_iter().flatten().collect()
    };
    let sales = found.objects.into_iter().map(|event| PickedSale {
        sale: calendar::sale(&event, &all).map_err(|source| SaleError::Field {
            object: format!("SaleEvent `{}`", event.name_any()),
            source,
        }),
        event,
    });
    Ok(Picked {
        sales: sales.collect(),
        all,
        source,
        hides_one: found.hides_one,
    })
}
