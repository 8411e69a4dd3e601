//! Holds a plan to its bounds.

use std::time::Duration;

use jiff::Timestamp;

use super::Plan;
use crate::curve::{CurveError, RateCurve};

/// Most requests one run may send: an hour at 1,000 requests/s, with room.
pub const REQUESTS_MAX: f64 = 4_000_000.0;
/// Highest rate a run may reach, requests per second; one process holds about this on one core.
pub const RATE_RPS_MAX: f64 = 10_000.0;
/// Longest run, seconds.
pub const RUN_S_MAX: f64 = 12.0 * 3600.0;
/// Most requests in flight that a plan may ask for; each holds a file descriptor.
pub const IN_FLIGHT_MAX: u32 = 16_000;
/// Most users or merchants; the seeded populations are far smaller.
const POPULATION_MAX: u32 = 10_000_000;
const DEADLINE_MS_MAX: u32 = 60_000;
const PHASES_MAX: usize = 64;
const POINTS_MAX: usize = 100_000;
/// How far ahead a start may lie, seconds.
const START_AHEAD_S_MAX: i64 = 3600;
/// How long ago a start may lie; what was due before now is left out.
const START_LATE_S_MAX: i64 = 60;

/// Why a plan is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The text is not a plan; the source says where.
    #[error("the plan cannot be read: {0}")]
    Syntax(String),
    /// The rate points make no curve.
    #[error(transparent)]
    Curve(#[from] CurveError),
    /// A field is out of its bounds.
    #[error("`{field}` must be {rule}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What it must be.
        rule: String,
    },
    /// The plan would send more than a run may.
    #[error(
        "the plan would send {requests:.0} requests at up to {peak_rps:.0}/s for {span_s:.0} s: must be at most {REQUESTS_MAX:.0} requests, {RATE_RPS_MAX:.0}/s and {RUN_S_MAX:.0} s"
    )]
    Cap {
        /// Requests of the whole plan.
        requests: f64,
        /// Highest rate.
        peak_rps: f64,
        /// Seconds.
        span_s: f64,
    },
}

/// A plan that is known to be sound and bounded.
#[derive(Clone, Debug)]
pub struct ValidPlan {
    pub(crate) plan: Plan,
    pub(crate) curve: RateCurve,
}

impl ValidPlan {
    /// The plan as it was given.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its rate over time.
    pub fn curve(&self) -> &RateCurve {
        &self.curve
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.plan.deadline_ms))
    }
}

impl Plan {
    /// Checks everything a run relies on, against the present time.
    pub fn validate(self, now: Timestamp) -> Result<ValidPlan, PlanError> {
        self.check_fields()?;
        self.check_phases()?;
        self.check_start(now)?;
        if self.rate.len() > POINTS_MAX {
            return Err(field("rate", format!("at most {POINTS_MAX} points")));
        }
        let phase_end_s = self.phases.last().map(|phase| phase.to_s);
        let end_s = self
            .end_s
            .or(phase_end_s)
            .ok_or_else(|| field("end_s", "given when there are no phases".to_owned()))?;
        let curve = RateCurve::new(self.rate.clone(), end_s)?;
        let (requests, peak_rps) = (curve.total(), curve.peak_rps());
        if requests > REQUESTS_MAX || peak_rps > RATE_RPS_MAX || end_s > RUN_S_MAX {
            return Err(PlanError::Cap {
                requests,
                peak_rps,
                span_s: end_s,
            });
        }
        Ok(ValidPlan { plan: self, curve })
    }

    fn check_fields(&self) -> Result<(), PlanError> {
        let within = |name, value: u32, max: u32| match value {
            0 => Err(field(name, format!("from 1 to {max}"))),
            value if value > max => Err(field(name, format!("from 1 to {max}"))),
            _ => Ok(()),
        };
        within("users", self.users, POPULATION_MAX)?;
        within("merchants", self.merchants, POPULATION_MAX)?;
        within("deadline_ms", self.deadline_ms, DEADLINE_MS_MAX)?;
        within("in_flight_max", self.in_flight_max, IN_FLIGHT_MAX)?;
        for (name, skew) in [
            ("user_skew", self.user_skew),
            ("merchant_skew", self.merchant_skew),
        ] {
            if !(0.0..=2.0).contains(&skew) {
                return Err(field(name, "from 0 to 2".to_owned()));
            }
        }
        if self.mix.total() == 0 {
            return Err(field("mix", "positive in at least one share".to_owned()));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            return Err(field(
                "currency",
                "three capital letters, like CNY".to_owned(),
            ));
        }
        Ok(())
    }

    fn check_phases(&self) -> Result<(), PlanError> {
        if self.phases.len() > PHASES_MAX {
            return Err(field("phases", format!("at most {PHASES_MAX}")));
        }
        let mut before_s = 0.0;
        for phase in &self.phases {
            // The negated comparison also refuses NaN.
            if !(phase.from_s >= before_s && phase.to_s > phase.from_s && phase.to_s.is_finite()) {
                let rule = format!("in order and not overlapping: `{}` is not", phase.name);
                return Err(field("phases", rule));
            }
            before_s = phase.to_s;
        }
        Ok(())
    }

    fn check_start(&self, now: Timestamp) -> Result<(), PlanError> {
        let ahead_s = self
            .start
            .map_or(0, |start| start.as_second() - now.as_second());
        if (-START_LATE_S_MAX..=START_AHEAD_S_MAX).contains(&ahead_s) {
            return Ok(());
        }
        let rule = format!("at most {START_LATE_S_MAX} s ago and {START_AHEAD_S_MAX} s ahead");
        Err(field("start", rule))
    }
}

fn field(field: &'static str, rule: String) -> PlanError {
    PlanError::Field { field, rule }
}
