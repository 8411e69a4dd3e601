//! Leadership by a Lease: one process writes, the others stand by.
//!
//! A candidate takes the Lease only when it is free or when it has itself watched it stand still
//! for its whole duration, so clocks of two machines are never compared (F52).
//! Every write of the Lease carries the resourceVersion it was read at: of two candidates that
//! both saw it expire, the apiserver lets one win.
//! Invariant: after `renew_deadline` without a renewal the process counts itself out before any
//! other candidate may count itself in, and [`campaign`] returns so that the process ends.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, api::PostParams};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, jittered};

pub mod fence;

/// How leadership is campaigned for.
#[derive(Clone, Debug)]
pub struct LeaseSettings {
    /// Name of the Lease.
    pub name: String,
    /// Who this process is; differs between any two processes that ever run.
    pub identity: String,
    /// How long a Lease stands still before others may take it.
    pub duration: Duration,
    /// How long the holder tries to renew before it counts itself out; below `duration`.
    pub renew_deadline: Duration,
    /// Pause between two attempts, jittered.
    pub retry: Duration,
}

impl LeaseSettings {
    /// Settings for takeover within 10 s of a crash: 8 s of standing still, asked every 1.5 s.
    /// The holder gives up after 5 s, which leaves 3 s for a request that is already on its way.
    pub fn new(name: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            identity: identity.into(),
            duration: Duration::from_secs(8),
            renew_deadline: Duration::from_secs(5),
            retry: Duration::from_millis(1_500),
        }
    }
}

/// Whether this process leads, and until when it may believe so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// Monotonic instant up to which writes are allowed; none for a follower.
    pub until: Option<Instant>,
    /// Whether another process held the Lease before this one.
    pub taken_over: bool,
}

impl Leadership {
    /// Whether a write may be sent at `now`.
    pub fn may_write(self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

/// Why a campaign ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignEnd {
    /// The process was asked to stop; the Lease was given back if it was held.
    Stopped,
    /// The Lease was held and is no more; the process must end.
    Lost,
}

/// What a candidate saw of another holder's Lease, and when it first saw it so.
struct Observed {
    resource_version: Option<String>,
    since: Instant,
    holder: String,
}

/// Campaigns for the Lease and keeps it until `stop` or until it is lost.
/// `state` always tells whether this process may write.
pub async fn campaign(
    api: Api<Lease>,
    settings: LeaseSettings,
    clock: Clock,
    state: watch::Sender<Leadership>,
    stop: CancellationToken,
) -> CampaignEnd {
    let Some(held) = stand_by(&api, &settings, &clock, &state, &stop).await else {
        return CampaignEnd::Stopped;
    };
    tracing::info!(lease = %settings.name, identity = %settings.identity, "became leader");
    hold(&api, &settings, &clock, &state, &stop, held).await
}

/// Waits for the Lease; none when asked to stop first.
async fn stand_by(
    api: &Api<Lease>,
    settings: &LeaseSettings,
    clock: &Clock,
    state: &watch::Sender<Leadership>,
    stop: &CancellationToken,
) -> Option<Lease> {
    let mut observed = None;
    loop {
        let asked_at = Instant::now();
        let attempt = timeout(
            settings.renew_deadline,
            try_acquire(api, settings, clock, &mut observed),
        );
        match attempt.await {
            Ok(Ok(Some(lease))) => {
                let until = Some(asked_at + settings.renew_deadline);
                let before = observed
                    .as_ref()
                    .map(|seen: &Observed| seen.holder.as_str());
                let taken_over = before.is_some_and(|holder| is_another(holder, settings));
                state.send_replace(Leadership { until, taken_over });
                return Some(lease);
            }
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot read the lease"
                );
            }
            Err(_) => tracing::warn!("the apiserver did not answer about the lease in time"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = sleep(jittered(settings.retry, 200)) => {}
        }
    }
}

/// One attempt to take the Lease; none while another holds it.
async fn try_acquire(
    api: &Api<Lease>,
    settings: &LeaseSettings,
    clock: &Clock,
    observed: &mut Option<Observed>,
) -> Result<Option<Lease>, kube::Error> {
    let Some(current) = api.get_opt(&settings.name).await? else {
        return won(api
            .create(&PostParams::default(), &fresh_lease(settings, clock))
            .await);
    };
    let spec = current.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    if !holder.is_empty() && holder != settings.identity {
        let unchanged = observed
            .as_ref()
            .is_some_and(|seen| seen.resource_version == current.metadata.resource_version);
        if !unchanged {
            *observed = Some(Observed {
                resource_version: current.metadata.resource_version.clone(),
                since: Instant::now(),
                holder: holder.to_owned(),
            });
        }
        let announced = u64::try_from(spec.lease_duration_seconds.unwrap_or_default()).unwrap_or(0);
        let duration = settings.duration.max(Duration::from_secs(announced));
        let stood_still = observed
            .as_ref()
            .map_or(Duration::ZERO, |seen| seen.since.elapsed());
        if stood_still < duration {
            return Ok(None);
        }
    }
    let taken = taken_over(current, settings, clock);
    won(api
        .replace(&settings.name, &PostParams::default(), &taken)
        .await)
}

/// A lost race for the Lease is an answer, not an error.
fn won(result: Result<Lease, kube::Error>) -> Result<Option<Lease>, kube::Error> {
    match result {
        Ok(lease) => Ok(Some(lease)),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        Err(error) => Err(error),
    }
}

/// Renews until asked to stop or until the Lease is lost.
async fn hold(
    api: &Api<Lease>,
    settings: &LeaseSettings,
    clock: &Clock,
    state: &watch::Sender<Leadership>,
    stop: &CancellationToken,
    mut held: Lease,
) -> CampaignEnd {
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                state.send_replace(Leadership::default());
                release(api, settings, held).await;
                return CampaignEnd::Stopped;
            }
            () = sleep(jittered(settings.retry, 200)) => {}
        }
        let until = state.borrow().until;
        let left = until.map_or(Duration::ZERO, |until| until.duration_since(Instant::now()));
        let asked_at = Instant::now();
        match timeout(left, renew(api, settings, clock, &held)).await {
            Ok(Ok(Some(lease))) => {
                held = lease;
                let until = Some(asked_at + settings.renew_deadline);
                state.send_modify(|leadership| leadership.until = until);
            }
            Ok(Err(error)) if left > Duration::ZERO => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot renew the lease"
                );
            }
            Ok(Ok(None) | Err(_)) | Err(_) => {
                state.send_replace(Leadership::default());
                tracing::error!(lease = %settings.name, "lost the lease");
                return CampaignEnd::Lost;
            }
        }
    }
}

/// One renewal; none when somebody else holds the Lease now.
async fn renew(
    api: &Api<Lease>,
    settings: &LeaseSettings,
    clock: &Clock,
    held: &Lease,
) -> Result<Option<Lease>, kube::Error> {
    let renewed = |mut lease: Lease| {
        let spec = lease.spec.get_or_insert_default();
        spec.renew_time = Some(MicroTime(clock.now()));
        lease
    };
    let first = renewed(held.clone());
    match api
        .replace(&settings.name, &PostParams::default(), &first)
        .await
    {
        Ok(lease) => return Ok(Some(lease)),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
        Err(error) => return Err(error),
    }
    // Somebody touched or deleted the Lease; it is still ours if the name in it is.
    match api.get_opt(&settings.name).await? {
        None => won(api
            .create(&PostParams::default(), &fresh_lease(settings, clock))
            .await),
        Some(current) if holds(&current, &settings.identity) => won(api
            .replace(&settings.name, &PostParams::default(), &renewed(current))
            .await),
        Some(_) => Ok(None),
    }
}

/// Gives the Lease back so that the next process need not wait for it to run out.
async fn release(api: &Api<Lease>, settings: &LeaseSettings, mut held: Lease) {
    let spec = held.spec.get_or_insert_default();
    spec.holder_identity = Some(String::new());
    spec.lease_duration_seconds = Some(1);
    let params = PostParams::default();
    let released = api.replace(&settings.name, &params, &held);
    match timeout(settings.renew_deadline, released).await {
        Ok(Ok(_)) => tracing::info!(lease = %settings.name, "released the lease"),
        Ok(Err(error)) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot release the lease"
            );
        }
        Err(_) => tracing::warn!("the apiserver did not answer the release of the lease in time"),
    }
}

/// Whether a holder is more than this one under the name of an earlier life: what follows the last
/// hyphen of an identity differs between any two processes.
fn is_another(holder: &str, settings: &LeaseSettings) -> bool {
    let place = |identity: &str| match identity.rsplit_once('-') {
        Some((place, _)) => place.to_owned(),
        None => identity.to_owned(),
    };
    place(holder) != place(&settings.identity)
}

fn holds(lease: &Lease, identity: &str) -> bool {
    lease
        .spec
        .as_ref()
        .and_then(|spec| spec.holder_identity.as_deref())
        == Some(identity)
}

fn fresh_lease(settings: &LeaseSettings, clock: &Clock) -> Lease {
    let metadata = ObjectMeta {
        name: Some(settings.name.clone()),
        ..ObjectMeta::default()
    };
    taken_over(
        Lease {
            metadata,
            spec: None,
        },
        settings,
        clock,
    )
}

/// The Lease as it stands once this process holds it; its resourceVersion is kept as precondition.
fn taken_over(mut lease: Lease, settings: &LeaseSettings, clock: &Clock) -> Lease {
    let now = MicroTime(clock.now());
    let before = lease.spec.take().unwrap_or_default();
    let again = before.holder_identity.as_deref() == Some(settings.identity.as_str());
    let transitions = before.lease_transitions.unwrap_or(0);
    lease.spec = Some(LeaseSpec {
        acquire_time: if again {
            before.acquire_time
        } else {
            Some(now.clone())
        },
        holder_identity: Some(settings.identity.clone()),
        lease_duration_seconds: i32::try_from(settings.duration.as_secs()).ok(),
        lease_transitions: Some(if again {
            transitions
        } else {
            transitions.saturating_add(1)
        }),
        renew_time: Some(now),
        ..LeaseSpec::default()
    });
    lease
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_life_under_the_same_name_is_nobody_else() {
        let settings = LeaseSettings::new("leader", "floodgate-operator-7d9f-00c0ffee");
        assert!(!is_another("floodgate-operator-7d9f-0badcafe", &settings));
        assert!(is_another("floodgate-operator-x2b4-00c0ffee", &settings));
        assert!(is_another("first", &settings));
    }
}
