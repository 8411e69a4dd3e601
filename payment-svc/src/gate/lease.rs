//! The operator's policy and how long it holds.
//!
//! Invariant: a policy is forgotten when its lease runs out by the monotonic clock, so that a dead
//! operator leaves no pod degraded; the highest version ever seen is kept, so that a late packet of
//! an older decision is refused even then.

use std::time::Duration;

use floodgate_contract::{Level, Policy};
use thiserror::Error;

/// Longest lease a pod grants, whatever was asked for.
const LEASE_MAX: Duration = Duration::from_hours(1);

/// Why a policy was not taken.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PolicyError {
    /// A newer one is known.
    #[error("policy version {offered} is older than version {known}")]
    Stale {
        /// Version that came.
        offered: u64,
        /// Highest version seen.
        known: u64,
    },
    /// A lease of zero could never be in force.
    #[error("policy lease must be at least 1 s")]
    NoLease,
}

/// The policy in force, if any.
#[derive(Debug, Default)]
pub(super) struct Lease {
    policy: Option<Policy>,
    expires_at: Duration,
    version_seen: u64,
}

impl Lease {
    /// Takes a policy or renews the one in force.
    pub(super) fn put(&mut self, now: Duration, policy: Policy) -> Result<(), PolicyError> {
        if policy.lease_s == 0 {
            return Err(PolicyError::NoLease);
        }
        if policy.version < self.version_seen {
            return Err(PolicyError::Stale {
                offered: policy.version,
                known: self.version_seen,
            });
        }
        self.version_seen = policy.version;
        self.expires_at = now + Duration::from_secs(policy.lease_s.into()).min(LEASE_MAX);
        self.policy = Some(policy);
        Ok(())
    }

    /// Forgets a policy whose lease ran out; true when it did so now.
    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let lapsed = self.policy.is_some() && now >= self.expires_at;
        if lapsed {
            self.policy = None;
        }
        lapsed
    }

    /// Version in force, 0 if none.
    pub(super) fn version(&self) -> u64 {
        self.policy.as_ref().map_or(0, |policy| policy.version)
    }

    /// Level in force and who set it, given the pod's own level and its trigger.
    pub(super) fn resolve(&self, own: Level, trigger: &'static str) -> (Level, &'static str) {
        match &self.policy {
            Some(Policy { pin: Some(pin), .. }) => (*pin, "pin"),
            Some(Policy { floor, .. }) if *floor > own => (*floor, "floor"),
            _ => (own, trigger),
        }
    }

    /// Level the operator imposes; its classes are off whatever the pod itself sees.
    pub(super) fn imposed(&self) -> Level {
        self.policy
            .as_ref()
            .map_or(Level::Normal, |policy| policy.pin.unwrap_or(policy.floor))
    }

    /// Quotas in force.
    pub(super) fn quotas_rps(&self) -> [Option<u32>; 4] {
        self.policy
            .as_ref()
            .map_or([None; 4], |policy| policy.quotas_rps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(version: u64, floor: Level, pin: Option<Level>) -> Policy {
        Policy {
            version,
            floor,
            pin,
            quotas_rps: [None, None, None, Some(5)],
            lease_s: 60,
            reason: "test".to_owned(),
        }
    }

    #[test]
    fn g16_a_floor_lapses_with_its_lease_and_the_pod_is_back_at_its_own_level() {
        let at = Duration::from_secs;
        let mut lease = Lease::default();
        lease
            .put(at(10), policy(1, Level::Reduce, None))
            .expect("first");
        assert!(!lease.expire(at(69)));
        assert_eq!(lease.resolve(Level::Normal, ""), (Level::Reduce, "floor"));
        assert!(lease.expire(at(70)));
        assert_eq!(lease.resolve(Level::Normal, ""), (Level::Normal, ""));
        assert_eq!(lease.version(), 0);
        assert_eq!(lease.quotas_rps(), [None; 4]);
    }

    #[test]
    fn the_same_version_renews_and_an_older_one_is_refused_even_after_the_lapse() {
        let at = Duration::from_secs;
        let mut lease = Lease::default();
        lease
            .put(at(0), policy(5, Level::Guard, None))
            .expect("first");
        lease
            .put(at(50), policy(5, Level::Guard, None))
            .expect("renewal");
        assert!(!lease.expire(at(100)));
        assert!(lease.expire(at(110)));
        assert_eq!(
            lease.put(at(111), policy(4, Level::Survive, None)),
            Err(PolicyError::Stale {
                offered: 4,
                known: 5
            })
        );
        assert_eq!(lease.imposed(), Level::Normal);
    }

    #[test]
    fn the_pod_may_go_above_the_floor_but_a_pin_overrules_both() {
        let mut lease = Lease::default();
        lease
            .put(Duration::ZERO, policy(1, Level::Guard, None))
            .expect("floor");
        assert_eq!(
            lease.resolve(Level::Protect, "cursor"),
            (Level::Protect, "cursor")
        );
        lease
            .put(
                Duration::ZERO,
                policy(2, Level::Survive, Some(Level::Normal)),
            )
            .expect("pin");
        assert_eq!(
            lease.resolve(Level::Protect, "cursor"),
            (Level::Normal, "pin")
        );
        assert_eq!(lease.imposed(), Level::Normal);
    }
}
