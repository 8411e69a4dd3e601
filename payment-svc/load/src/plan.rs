//! What a run is: the plan file, checked.
//!
//! Invariant: a [`ValidPlan`] is bounded in rate, time, requests and requests in flight.

mod valid;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::curve::{RatePoint, Spacing};
use crate::target::Target;

pub use valid::{IN_FLIGHT_MAX, PlanError, RATE_RPS_MAX, REQUESTS_MAX, RUN_S_MAX, ValidPlan};

/// A plan as written in `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where the traffic goes.
    pub target: Target,
    /// Second 0 of the run; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// End of the run in seconds; the end of the last phase when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_s: Option<f64>,
    /// Users `u-000001` to this number.
    pub users: u32,
    /// Merchants `m-0001` to this number.
    pub merchants: u32,
    /// Seed of arrivals, users, merchants, amounts and mix.
    #[serde(default = "one")]
    pub seed: u64,
    /// How long a client waits for one answer, milliseconds.
    #[serde(default = "deadline_ms")]
    pub deadline_ms: u32,
    /// Currency of every payment.
    #[serde(default = "currency")]
    pub currency: String,
    /// How requests are spread along the rate.
    #[serde(default)]
    pub spacing: Spacing,
    /// Requests in flight past which further ones fail as `client_overrun`.
    #[serde(default = "in_flight_max")]
    pub in_flight_max: u32,
    /// Zipf exponent of users, 0 (all alike) to 2.
    #[serde(default = "user_skew")]
    pub user_skew: f64,
    /// Zipf exponent of merchants, 0 (all alike) to 2.
    #[serde(default = "merchant_skew")]
    pub merchant_skew: f64,
    /// What is asked for, in what proportion.
    #[serde(default)]
    pub mix: Mix,
    /// Named stretches that are counted apart.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// The rate over time.
    pub rate: Vec<RatePoint>,
}

/// A named stretch of a run: `from_s` to before `to_s`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Name in the summary.
    pub name: String,
    /// First second.
    pub from_s: f64,
    /// Second after the last.
    pub to_s: f64,
}

/// Shares of the kinds of requests; only their proportion counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Create a payment.
    pub create: u32,
    /// Read one's own recent payment.
    pub payment_read: u32,
    /// Refund one's own recent payment.
    pub refund: u32,
    /// Read an account or a merchant.
    pub account_read: u32,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            create: 60,
            payment_read: 20,
            refund: 5,
            account_read: 15,
        }
    }
}

impl Mix {
    /// Sum of the shares.
    pub fn total(&self) -> u64 {
        [
            self.create,
            self.payment_read,
            self.refund,
            self.account_read,
        ]
        .into_iter()
        .map(u64::from)
        .sum()
    }
}

impl Plan {
    /// A plan that sends `rps` evenly from now for `span_s` seconds.
    pub fn constant(target: Target, rps: f64, span_s: f64) -> Self {
        Self {
            target,
            start: None,
            end_s: Some(span_s),
            users: 1000,
            merchants: 100,
            seed: one(),
            deadline_ms: deadline_ms(),
            currency: currency(),
            spacing: Spacing::default(),
            in_flight_max: in_flight_max(),
            user_skew: user_skew(),
            merchant_skew: merchant_skew(),
            mix: Mix::default(),
            phases: vec![Phase {
                name: "run".to_owned(),
                from_s: 0.0,
                to_s: span_s,
            }],
            rate: vec![RatePoint::step(0.0, rps)],
        }
    }

    /// Reads a plan from JSON.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        serde_json::from_str(text).map_err(|error| PlanError::Syntax(error.to_string()))
    }
}

fn one() -> u64 {
    1
}

fn deadline_ms() -> u32 {
    2000
}

fn currency() -> String {
    "CNY".to_owned()
}

fn in_flight_max() -> u32 {
    4000
}

fn user_skew() -> f64 {
    0.8
}

fn merchant_skew() -> f64 {
    0.99
}

#[cfg(test)]
mod tests;
