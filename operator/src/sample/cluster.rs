//! One round of one cluster: ask its pods, publish what they said, push what they lack.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use floodgate_contract::{
    ControlStatus, HotKey, POLICY_LEASE_S, Policy, WarmKey, WarmRequest, WarmState,
};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::{
    Sampler,
    capacity::CapacityMeter,
    hot_set::HotSet,
    lead_time::Starts,
    rates::{Counted, OfferedBook},
};
use crate::{
    clock::Clock,
    control::ControlAddress,
    snapshot::{Cell, ClusterKey, Measured, PodFacts, PodSeen, PodsSeen},
    target::{PolicyTarget, Target, WarmTarget},
};

/// A policy is sent again after a third of its lease, so that two lost pushes lapse nothing.
const POLICY_RENEWAL: Duration = Duration::from_secs(POLICY_LEASE_S as u64 / 3);
/// The hot set is chosen anew this often; hot keys of a sale shift within tens of seconds.
const HOT_SET_PERIOD: Duration = Duration::from_secs(5);
/// For how long a pod's last answer replaces one it misses.
const ANSWER_HOLDS: Duration = Duration::from_secs(5);

/// What one cluster's rounds hand on to the next.
#[derive(Default)]
pub(super) struct ClusterSampler {
    book: OfferedBook,
    starts: Starts,
    capacity: CapacityMeter,
    hot_set: HotSet,
    chosen_at: Option<Instant>,
    /// Last answer of each pod, and when it came.
    answers: HashMap<String, (ControlStatus, Instant)>,
    /// Version last acknowledged by each pod, and when.
    acknowledged: HashMap<String, (u64, Instant)>,
}

impl ClusterSampler {
    /// Runs one round.
    pub(super) async fn round(
        &mut self,
        sampler: &Sampler,
        key: &ClusterKey,
        cell: &Cell,
        pods: &[Arc<Pod>],
    ) {
        let target = cell.target.load_full();
        let mut seen = ask(sampler, target.as_deref(), pods).await;
        self.measure(sampler, cell, target.as_deref(), &mut seen);
        let Some(target) = target else {
            publish(sampler, key, cell, seen);
            return;
        };
        self.choose_hot_set(&sampler.clock, cell, &target.warm, &seen);
        let pushes = self.push(sampler, cell, &target, &seen);
        publish(sampler, key, cell, seen);
        pushes.await;
    }

    /// Folds the answers into rates and lead times.
    fn measure(
        &mut self,
        sampler: &Sampler,
        cell: &Cell,
        target: Option<&Target>,
        seen: &mut PodsSeen,
    ) {
        let living: HashSet<&str> = seen.pods.iter().map(|pod| pod.facts.uid.as_str()).collect();
        self.starts.retain(&living);
        self.book.retain(&living);
        self.capacity.retain(&living);
        self.answers.retain(|uid, _| living.contains(uid.as_str()));
        self.acknowledged
            .retain(|uid, _| living.contains(uid.as_str()));
        let answers: Vec<Counted<'_>> = seen.pods.iter().filter_map(counted).collect();
        let silent = |pod: &PodSeen| pod.facts.is_ready() && pod.status.is_none();
        let complete = !answers.is_empty() && !seen.pods.iter().any(silent);
        self.book.round(sampler.clock.now(), &answers, complete);
        cell.rates.store(self.book.rates().map(Arc::new));
        for pod in seen.pods.iter().filter(|pod| pod.facts.is_ready()) {
            let start = pod.facts.start_s().zip(pod.facts.ready_since);
            if let Some(((start_s, at), status)) = start.zip(pod.status.as_ref()) {
                self.starts
                    .note(&pod.facts.uid, at.into(), start_s, status.warm_ms);
            }
        }
        if let Some(target) = target {
            let ready = seen.pods.iter().filter(|pod| pod.facts.is_ready());
            let answers = ready.filter_map(|pod| Some((&*pod.facts.uid, pod.status.as_ref()?)));
            self.capacity
                .round(sampler.clock.now(), &target.capacity, answers);
        }
        seen.measured = Measured {
            starts: self.starts.measured(),
            capacity: self.capacity.capacity(),
            failed_permille: self.capacity.failed_permille(),
        };
        self.recall(seen);
    }

    /// Gives a pod that missed a round the answer of a moment ago: one lost packet makes no pod
    /// cold.
    fn recall(&mut self, seen: &mut PodsSeen) {
        for pod in &mut seen.pods {
            if let Some(status) = &pod.status {
                let answer = (status.clone(), Instant::now());
                self.answers.insert(pod.facts.uid.clone(), answer);
            } else {
                let last = self.answers.get(&pod.facts.uid);
                let last = last.filter(|(_, at)| at.elapsed() < ANSWER_HOLDS);
                pod.recalled = last.map(|(status, _)| status.clone());
            }
        }
    }

    /// Chooses the hot set anew when it is time; an equal choice keeps its version.
    fn choose_hot_set(&mut self, clock: &Clock, cell: &Cell, target: &WarmTarget, seen: &PodsSeen) {
        if self
            .chosen_at
            .is_some_and(|at| at.elapsed() < HOT_SET_PERIOD)
        {
            return;
        }
        self.chosen_at = Some(Instant::now());
        let answers = seen.pods.iter().filter_map(|pod| pod.status.as_ref());
        let serving = answers.filter(|status| !status.hot_keys.is_empty());
        self.hot_set
            .fold(serving.map(|status| -> &[HotKey] { &status.hot_keys }));
        let keys = self.hot_set.choose(&target.sale_keys, target.keys_max);
        let request = warm_request(target, keys, clock);
        let same_keys = |old: &WarmRequest| {
            let names = |one: &WarmRequest| -> Vec<String> {
                one.keys.iter().map(|key| key.key.clone()).collect()
            };
            names(old) == names(&request)
                && old.min_score_permille == request.min_score_permille
                && old.deadline_ms == request.deadline_ms
        };
        if !cell.hot_set.load_full().is_some_and(|old| same_keys(&old)) {
            cell.hot_set.store(Some(Arc::new(request)));
        }
    }

    /// Sends policies that are new or to be renewed, and the hot set to pods that are not warm.
    fn push<'a>(
        &'a mut self,
        sampler: &'a Sampler,
        cell: &Cell,
        target: &Target,
        seen: &PodsSeen,
    ) -> impl Future<Output = ()> + 'a {
        let now = sampler.clock.now();
        let stands = |policy: &&PolicyTarget| policy.until.is_none_or(|until| now < until);
        let policy = target.policy.as_ref().filter(stands).map(policy_of);
        let warm = cell.hot_set.load_full();
        let mut due = Vec::new();
        // A pod that did not answer just now would not answer a push either.
        let answered = |pod: &&PodSeen| pod.status.is_some() && !pod.facts.ending;
        for pod in seen.pods.iter().filter(answered) {
            let Some(ip) = pod.facts.ip else { continue };
            let address = ControlAddress::of_pod(ip, Arc::clone(&target.control_token));
            let renew = policy
                .as_ref()
                .filter(|policy| self.lacks(&pod.facts.uid, policy));
            // Also to a pod that warms or went partial without one, as when it started while the
            // operator was away; the same version again costs the pod nothing.
            let lacks_warmth = pod
                .status
                .as_ref()
                .is_some_and(|status| status.warm != WarmState::Warm);
            let warm = warm.as_ref().filter(|_| lacks_warmth);
            if renew.is_some() || warm.is_some() {
                due.push((
                    pod.facts.uid.clone(),
                    address,
                    renew.cloned(),
                    warm.cloned(),
                ));
            }
        }
        async move {
            let sends = due
                .into_iter()
                .map(|(uid, address, policy, warm)| async move {
                    let version = send(sampler, &address, policy.as_ref(), warm.as_deref()).await;
                    (uid, version)
                });
            for (uid, version) in join_all(sends).await {
                if let Some(version) = version {
                    self.acknowledged.insert(uid, (version, Instant::now()));
                }
            }
        }
    }

    /// Whether a pod has not acknowledged the policy lately.
    fn lacks(&self, uid: &str, policy: &Policy) -> bool {
        self.acknowledged.get(uid).is_none_or(|(version, at)| {
            *version != policy.version || at.elapsed() >= POLICY_RENEWAL
        })
    }
}

/// Asks every pod that has an address; those that are ending are not asked.
async fn ask(sampler: &Sampler, target: Option<&Target>, pods: &[Arc<Pod>]) -> PodsSeen {
    let asked = pods.iter().map(|pod| async {
        let facts = PodFacts::of(pod);
        let address = target
            .zip(facts.ip.filter(|_| !facts.ending))
            .map(|(target, ip)| ControlAddress::of_pod(ip, Arc::clone(&target.control_token)));
        let status = match address {
            Some(address) => sampler.control.status(&address).await.ok(),
            None => None,
        };
        PodSeen {
            facts,
            status,
            recalled: None,
        }
    });
    let pods = join_all(asked).await;
    PodsSeen {
        pods,
        measured: Measured::default(),
    }
}

fn publish(sampler: &Sampler, key: &ClusterKey, cell: &Cell, seen: PodsSeen) {
    cell.pods.store(Some(Arc::new(seen)));
    sampler.trigger(key);
}

/// Sends what a pod lacks; returns the version of the policy it acknowledged.
async fn send(
    sampler: &Sampler,
    address: &ControlAddress,
    policy: Option<&Policy>,
    warm: Option<&WarmRequest>,
) -> Option<u64> {
    if let Some(warm) = warm
        && let Err(error) = sampler.control.put_warm(address, warm).await
    {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "the hot set was not taken"
        );
    }
    let policy = policy?;
    match sampler.control.put_policy(address, policy).await {
        Ok(_) => Some(policy.version),
        Err(error) => {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the policy was not taken"
            );
            None
        }
    }
}

fn counted(pod: &PodSeen) -> Option<Counted<'_>> {
    let status = pod.status.as_ref()?;
    Some(Counted {
        uid: &pod.facts.uid,
        uptime_ms: status.uptime_ms,
        offered: status.classes.iter().map(|class| class.offered).sum(),
    })
}

fn policy_of(target: &PolicyTarget) -> Policy {
    Policy {
        version: u64::try_from(target.decided_at.as_millisecond()).unwrap_or_default(),
        floor: target.floor,
        pin: target.pin,
        quotas_rps: [None; 4],
        lease_s: POLICY_LEASE_S,
        reason: target.reason.clone(),
    }
}

/// A warm request for `keys`; its version is the time of the choice.
pub fn warm_request(target: &WarmTarget, keys: Vec<WarmKey>, clock: &Clock) -> WarmRequest {
    WarmRequest {
        version: u64::try_from(clock.now().as_millisecond()).unwrap_or_default(),
        keys,
        min_score_permille: target.min_score_permille,
        deadline_ms: target.deadline_ms,
    }
}
