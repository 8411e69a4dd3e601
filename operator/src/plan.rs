//! Turns an observed and validated cluster into the planner's input and its answer into orders.
//! Pure: the time stands in what was observed.

use floodgate_forecast::Masks;
use floodgate_planner::{
    Decision, DegradationPolicy, LeadTime, PlanInput, ReplicaState, Scaling, intake::Trust,
};
use floodgate_settings::ValidSale;

use crate::{
    observe::Observed, overrides::OverridesRead, target::PolicyTarget, validate::ValidatedCluster,
};

mod forecast;
mod limits;
mod load;
mod measured;
mod memory;
mod policy;
mod quota;
mod recommend;
mod sales;
mod words;

use forecast::forecast_facts;
use limits::caps;
pub use limits::plan_limits;
pub use load::{LoadSeen, load_seen};
use measured::{capacity, health, lead_time};
pub use memory::Before;
use policy::policy;
use recommend::ordered;
pub use sales::sale_until;
use sales::{planner_sales, sales_of};

/// A decision and what carries it out.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The planner's answer.
    pub decision: Decision,
    /// Replicas to apply; in mode Recommend the ones that run.
    pub replicas: u32,
    /// In mode Recommend, what stood before an override moved the replicas.
    pub before_override: Option<u32>,
    /// Policy for the pods; none while nothing may be imposed.
    pub policy: Option<PolicyTarget>,
    /// The load as it was judged.
    pub load: LoadSeen,
    /// Whether the forecast may bid.
    pub trust: Trust,
    /// Lead time planned with.
    pub lead_time: LeadTime,
    /// Annotations as they were read.
    pub overrides: OverridesRead,
    /// Windows to leave out of the history, and what is no window.
    pub masks: Masks,
    /// Sales that hit this cluster.
    pub sales: Vec<ValidSale>,
    /// Pods that are Ready, and those that are also warm.
    pub replica_state: ReplicaState,
    /// Bounds and capacity planned with.
    pub scaling: Scaling,
    /// Measurements the capacity was learned from; none while it is the declared one.
    pub capacity_samples: Option<u32>,
}

/// Plans one cluster.
pub fn plan(observed: &Observed, cluster: &ValidatedCluster, before: &Before) -> Planned {
    let now = observed.now;
    let (overrides, masks) = words::read(observed, cluster, before.by_hand.as_ref());
    let sales = sales_of(observed);
    let forecast = forecast_facts(observed, cluster);
    let trust = forecast.trust(now.into());
    let lead_time = lead_time(observed, cluster);
    let replica_state = replica_state(observed, before.ordered);
    let (scaling, capacity) = capacity(observed, cluster);
    let load = load_seen(
        observed,
        &scaling,
        cluster.load_limits,
        replica_state.desired,
    );
    let input = PlanInput {
        now: now.into(),
        scaling: scaling.clone(),
        replicas: replica_state,
        health: health(observed, cluster),
        load: load.load,
        load_limits: cluster.load_limits,
        forecast: forecast.input(trust, load.rps.is_some()),
        sales: planner_sales(observed, &sales, cluster),
        overrides: overrides.overrides.clone(),
        lead_time,
        degradation: cluster
            .degradation
            .clone()
            .unwrap_or_else(DegradationPolicy::never),
        caps: caps(observed, cluster),
        memory: before.memory(observed),
    };
    let decision = floodgate_planner::plan(&input);
    let policy = policy(&decision, cluster, &overrides, &sales, before, now);
    let kept = ordered(observed, cluster, &overrides.overrides, &decision);
    Planned {
        decision,
        replicas: kept.replicas,
        before_override: kept.before_override,
        policy,
        load,
        trust,
        lead_time,
        overrides,
        masks,
        sales,
        replica_state,
        scaling,
        capacity_samples: capacity,
    }
}

/// Replicas the Deployment asks for now.
fn live_replicas(observed: &Observed) -> Option<u32> {
    let live = observed.deployment.as_ref()?;
    u32::try_from(live.spec.replicas.unwrap_or(1)).ok()
}

fn replica_state(observed: &Observed, ordered: Option<i32>) -> ReplicaState {
    let live = live_replicas(observed);
    // What this process ordered counts more than what somebody else wrote over it.
    let ordered = ordered.and_then(|ordered| u32::try_from(ordered).ok());
    let desired = ordered.filter(|_| live.is_some()).or(live);
    let pods = observed.pods.as_ref();
    ReplicaState {
        desired,
        ready: pods.map_or(0, |pods| pods.ready()),
        warm: pods.map_or(0, |pods| pods.warm()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
