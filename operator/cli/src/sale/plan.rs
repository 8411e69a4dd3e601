//! `sale plan`: what is planned for a sale on each cluster it selects.

mod baseline;
mod cost;
mod late;
mod page;
mod plans;
mod rows;

use std::path::PathBuf;

use clap::Args;
use floodgate_api::{PaymentCluster, SaleEvent};
use floodgate_planner::Sale;
use floodgate_trace::Unit;
use jiff::Timestamp;
use kube::ResourceExt;

use super::error::SaleError;
use super::phase::over_at;
use super::picked::{self, PickedSale};
use crate::access::{Access, AccessArgs, AccessError, Scope};
use crate::calendar::{self, cluster_in_words, selector_in_words};
use crate::exit::Exit;
use crate::number::rate;
use crate::point::Point;
use crate::query::{QueryArgs, QueryError, Source, namespace_of};

use baseline::KnownLoad;
use page::page;
use plans::{ClusterPlan, SalePlan};
use rows::plan;

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    query: QueryArgs,
    /// Load without the sale, requests/s.
    #[arg(long, value_name = "RPS", conflicts_with = "history", value_parser = rate)]
    #[arg(allow_negative_numbers = true)]
    baseline_rps: Option<f64>,
    /// Forecast the load without the sale from this recorded trace (`timestamp,value`): more than a
    /// day, until about now (or --at).
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// What a value of --history counts.
    #[arg(long, value_enum, default_value_t, requires = "history")]
    unit: Unit,
}

/// Runs the command. Without a name, what is over is planned only where nothing lies ahead.
pub async fn run(args: &PlanArgs, access: &AccessArgs) -> Result<Exit, SaleError> {
    let moment = args.query.moment();
    let (given, doubts) = given(args, moment.now())?;
    let mut picked = picked::find(&args.query, access).await?;
    let ahead = |sale: &Sale| over_at(sale) > moment.now();
    // One that is not valid is not passed over: its error is reported in place of its plan.
    picked.only(|sale| sale.as_ref().map_or(true, ahead));
    let clusters = clusters(&picked.source, args.query.scope(), access).await?;
    let mut plans = Vec::new();
    for PickedSale { event, sale } in picked.sales {
        let sale = sale?;
        let hit = clusters.iter().filter(|one| calendar::selects(&event, one));
        // Clusters that the files lack are read from the server, and are of now.
        let saved = hit.clone().filter(|_| picked.source.holds_clusters());
        let age = args.query.age(saved, &moment).map(Point::in_one_line);
        let of_clusters = hit.map(|cluster| {
            let mut plan = plan(&event, &sale, cluster, given.as_ref())?;
            late::mark(&mut plan, cluster, moment.now());
            Ok(plan)
        });
        let of_clusters = of_clusters.collect::<Result<Vec<ClusterPlan>, SaleError>>()?;
        if of_clusters.is_empty() {
            return Err(no_cluster(&event, &clusters));
        }
        plans.push(SalePlan {
            namespace: namespace_of(&event),
            name: event.name_any(),
            end: over_at(&sale),
            doubts: age.into_iter().chain(doubts.clone()).collect(),
            remarks: calendar::remarks(&event, &picked.all),
            clusters: of_clusters,
        });
    }
    let wide = args.query.wide();
    let page = |one: &SalePlan| page(one, wide, &moment);
    args.query.print_pages("sales", &plans, page)?;
    let short = |one: &SalePlan| one.clusters.iter().any(ClusterPlan::falls_short);
    let wrong = |one: &SalePlan| one.end <= moment.now() || short(one);
    Ok(Exit::wrong_if(plans.iter().any(wrong) || picked.hides_one))
}

/// The clusters there are: those in the files, or those of the cluster where the files have none.
async fn clusters(
    source: &Source,
    scope: Scope,
    access: &AccessArgs,
) -> Result<Vec<PaymentCluster>, SaleError> {
    let online;
    let source = match source {
        Source::Files(..) if !source.holds_clusters() => {
            let access = Access::open(access).await.map_err(|error| match error {
                AccessError::NoCluster(_) => SaleError::OnlySales,
                error => QueryError::from(error).into(),
            })?;
            online = Source::Cluster(access);
            &online
        }
        _ => source,
    };
    let all = source.objects(None, scope).await?;
    Ok(all.into_iter().flatten().collect())
}

fn no_cluster(event: &SaleEvent, clusters: &[PaymentCluster]) -> SaleError {
    let held: Vec<String> = clusters.iter().map(cluster_in_words).collect();
    SaleError::NoCluster {
        sale: event.name_any(),
        wanted: selector_in_words(event),
        held: if held.is_empty() {
            "there is none at all".to_owned()
        } else {
            format!("there is {}", held.join(", "))
        },
    }
}

/// The load that the command line gives, and what is doubtful about it.
fn given(args: &PlanArgs, now: Timestamp) -> Result<(Option<KnownLoad>, Vec<String>), SaleError> {
    if let Some(rps) = args.baseline_rps {
        let load = KnownLoad::constant(rps, "given with --baseline-rps");
        return Ok((Some(load), Vec::new()));
    }
    let Some(file) = &args.history else {
        return Ok((None, Vec::new()));
    };
    let (load, doubts) = baseline::forecast(file, args.unit, now)?;
    Ok((Some(load), doubts))
}
