//! The policies, each written from what its documentation says it does.
//!
//! All of them aim at the same load per pod, have the same bounds, and start with the same pods.

mod aws;
mod floodgate;
mod holt_winters;
mod hpa;
mod keda;
mod kpa;
mod oracle;
mod static_peak;

use crate::rehearse::{policy::Policy, scenario::Scenario};

/// A policy that can be rehearsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// This planner, fed as the operator feeds it.
    Floodgate,
    /// The horizontal pod autoscaler on CPU.
    Hpa,
    /// KEDA on the request rate in Prometheus, with a cron trigger per sale phase.
    Keda,
    /// The Knative pod autoscaler on the request rate, with its panic mode.
    Kpa,
    /// The predictive horizontal pod autoscaler: the horizontal one and Holt-Winters on replicas.
    HoltWinters,
    /// Hourly predictive scaling and target tracking as in EC2 and ECS, with scheduled actions.
    AwsPredictive,
    /// As many pods as the peak needs, always.
    StaticPeak,
    /// Knows what will come.
    Oracle,
}

impl PolicyKind {
    /// Every policy, ours first.
    pub const ALL: [Self; 8] = [
        Self::Floodgate,
        Self::Hpa,
        Self::Keda,
        Self::Kpa,
        Self::HoltWinters,
        Self::AwsPredictive,
        Self::StaticPeak,
        Self::Oracle,
    ];

    /// Name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floodgate => "floodgate",
            Self::Hpa => "hpa",
            Self::Keda => "keda",
            Self::Kpa => "kpa",
            Self::HoltWinters => "holt-winters",
            Self::AwsPredictive => "aws-predictive",
            Self::StaticPeak => "static-peak",
            Self::Oracle => "oracle",
        }
    }

    /// The policy of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is one of those to be measured against: neither ours nor a bound.
    pub const fn is_peer(self) -> bool {
        matches!(
            self,
            Self::Hpa | Self::Keda | Self::Kpa | Self::HoltWinters | Self::AwsPredictive
        )
    }

    /// Whether new pods load the hot keys before they are Ready: only an operator that tells them
    /// which ones can have that.
    pub(super) const fn prewarms(self) -> bool {
        matches!(self, Self::Floodgate | Self::Oracle)
    }

    pub(super) fn make<'a>(self, scenario: &'a Scenario<'a>) -> Box<dyn Policy + 'a> {
        match self {
            Self::Floodgate => Box::new(floodgate::Floodgate::new(scenario)),
            Self::Hpa => Box::new(hpa::Hpa::new(scenario)),
            Self::Keda => Box::new(keda::Keda::new(scenario)),
            Self::Kpa => Box::new(kpa::Kpa::new(scenario)),
            Self::HoltWinters => Box::new(holt_winters::HoltWinters::new(scenario)),
            Self::AwsPredictive => Box::new(aws::AwsPredictive::new(scenario)),
            Self::StaticPeak => Box::new(static_peak::StaticPeak::new(scenario)),
            Self::Oracle => Box::new(oracle::Oracle::new(scenario)),
        }
    }
}
