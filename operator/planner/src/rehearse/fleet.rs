//! Pods in virtual time: ordered, starting, cold, warm, lost.

use floodgate_forecast::UnixMillis;

use crate::rehearse::{
    noise,
    world::{START_SPREAD, World},
};

/// Pods that were ordered together.
#[derive(Clone, Copy, Debug)]
struct Cohort {
    ready_at: UnixMillis,
    warm_at: UnixMillis,
    pods: u32,
}

/// The pods of one policy.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    world: World,
    /// Whether new pods are told to load the hot keys before they are Ready.
    prewarms: bool,
    warm: u32,
    /// Pods that are not warm yet, in the order they were ordered.
    starting: Vec<Cohort>,
    desired: u32,
    /// Pods that exist and find no node.
    pending: u32,
}

impl Fleet {
    /// A fleet of warm pods.
    pub(super) fn new(world: World, prewarms: bool, replicas: u32) -> Self {
        let mut fleet = Self {
            world,
            prewarms,
            warm: 0,
            starting: Vec::new(),
            desired: replicas,
            pending: 0,
        };
        fleet.warm = fleet.place(replicas);
        fleet
    }

    /// Pods on nodes, Ready or not: what is paid for.
    pub(super) fn pods(&self) -> u32 {
        self.warm + self.starting.iter().map(|cohort| cohort.pods).sum::<u32>()
    }

    pub(super) const fn desired(&self) -> u32 {
        self.desired
    }

    pub(super) const fn warm(&self) -> u32 {
        self.warm
    }

    /// Pods that wait for room on a node.
    pub(super) const fn pending(&self) -> u32 {
        self.pending
    }

    /// Pods that are Ready.
    pub(super) fn ready(&self, now: UnixMillis) -> u32 {
        self.warm + self.cold(now).map(|(pods, _)| pods).sum::<u32>()
    }

    /// Pods that serve with a cold cache, and what each holds as a share of a warm one.
    pub(super) fn cold(&self, now: UnixMillis) -> impl Iterator<Item = (u32, f64)> + '_ {
        let least = f64::from(self.world.cold_percent.clamp(1, 100)) / 100.0;
        let serving = self.starting.iter().filter(move |one| one.ready_at <= now);
        serving.map(move |one| {
            let total = (one.warm_at.0 - one.ready_at.0).max(1) as f64;
            let done = ((now.0 - one.ready_at.0) as f64 / total).clamp(0.0, 1.0);
            (one.pods, least + (1.0 - least) * done)
        })
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: UnixMillis) {
        if self.starting.is_empty() {
            return;
        }
        let grown: u32 = self
            .starting
            .iter()
            .filter(|cohort| cohort.warm_at <= now)
            .map(|cohort| cohort.pods)
            .sum();
        self.warm += grown;
        self.starting.retain(|cohort| cohort.warm_at > now);
    }

    /// Sets the desired count; pods beyond it go at once, those that serve least first.
    pub(super) fn order(&mut self, now: UnixMillis, replicas: u32) {
        self.desired = replicas;
        let admitted = self.place(replicas);
        let present = self.pods();
        if admitted > present {
            self.start(now, admitted - present);
            return;
        }
        let mut surplus = present - admitted;
        for cohort in self.starting.iter_mut().rev() {
            let gone = cohort.pods.min(surplus);
            cohort.pods -= gone;
            surplus -= gone;
        }
        self.starting.retain(|cohort| cohort.pods > 0);
        self.warm -= surplus.min(self.warm);
    }

    /// A pod dies; another one is started in its place.
    pub(super) fn lose_one(&mut self, now: UnixMillis) {
        if self.warm > 0 {
            self.warm -= 1;
            self.start(now, 1);
        }
    }

    /// Of the pods wanted, those that the quota admits and that find a node.
    fn place(&mut self, replicas: u32) -> u32 {
        let World {
            quota_replicas_max,
            node_room_pods,
            ..
        } = self.world;
        let admitted = replicas.min(quota_replicas_max.unwrap_or(u32::MAX));
        let placed = admitted.min(node_room_pods.unwrap_or(u32::MAX));
        self.pending = admitted - placed;
        placed
    }

    fn start(&mut self, now: UnixMillis, pods: u32) {
        let world = &self.world;
        let draw = |lane| {
            let place = u64::try_from(now.0 / 1_000).unwrap_or(0);
            1.0 + START_SPREAD * (2.0 * noise::unit(world.seed, lane, place) - 1.0)
        };
        let mut ready_s = world.ready_s * draw(2);
        let mut warm_s = ready_s;
        if self.prewarms {
            ready_s += world.warm_s * draw(3);
            warm_s = ready_s;
        } else {
            warm_s += world.cold_s * draw(3);
        }
        let after = |seconds: f64| UnixMillis(now.0 + (seconds * 1_000.0) as i64);
        self.starting.push(Cohort {
            ready_at: after(ready_s),
            warm_at: after(warm_s),
            pods,
        });
    }
}
