//! What is asked for: users and merchants by Zipf, and a mix of creates, reads and refunds.

mod recent;

use std::iter::Peekable;
use std::time::Duration;

use floodgate_contract::Class;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Zipf};

use crate::curve::Arrivals;
use crate::plan::{Mix, Plan, ValidPlan};

pub use recent::{Payment, RecentPayments};

/// Smallest and largest amount of a payment, minor units; drawn evenly in the logarithm.
const AMOUNT_MINOR: (f64, f64) = (100.0, 20_000.0);

/// What one user wants, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Pay a merchant.
    Create {
        /// Payer.
        user: String,
        /// Payee.
        merchant: String,
        /// Amount in minor units.
        amount_minor: i64,
    },
    /// Look at a payment of this run.
    ReadPayment(Payment),
    /// Get some of a payment of this run back.
    Refund {
        /// The payment.
        payment: Payment,
        /// Amount in minor units, at most that of the payment.
        amount_minor: i64,
    },
    /// Look at an account.
    ReadAccount {
        /// Whose.
        user: String,
    },
    /// Look at a merchant.
    ReadMerchant {
        /// Which.
        merchant: String,
    },
    /// Ask by idempotency key what became of a payment whose answer was lost.
    LookUp {
        /// Payer.
        user: String,
        /// Number of the intent whose answer was lost.
        lost: u64,
        /// Amount in minor units.
        amount_minor: i64,
    },
}

impl Action {
    /// Criticality as the service decides it, by route.
    pub fn class(&self) -> Class {
        match self {
            Self::LookUp { .. } => Class::CriticalPlus,
            Self::Create { .. } | Self::ReadPayment(_) => Class::Critical,
            Self::Refund { .. } => Class::SheddablePlus,
            Self::ReadAccount { .. } | Self::ReadMerchant { .. } => Class::Sheddable,
        }
    }

    /// Whether it moves money, so that the journal must hold it.
    pub fn moves_money(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Refund { .. })
    }
}

/// One request a user makes, retries included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Number within the run, from 0.
    pub n: u64,
    /// When it is to be sent, from the start of the run.
    pub at: Duration,
    /// What is wanted.
    pub action: Action,
}

/// Ranks by Zipf over a population; rank 1 is the hottest.
#[derive(Clone, Copy, Debug)]
struct Population {
    zipf: Zipf<f64>,
    count: u32,
}

impl Population {
    fn new(count: u32, skew: f64) -> Option<Self> {
        let zipf = Zipf::new(f64::from(count), skew).ok()?;
        Some(Self { zipf, count })
    }

    fn draw(&self, random: &mut StdRng) -> u32 {
        (self.zipf.sample(random) as u32).clamp(1, self.count)
    }
}

/// The endless, seeded source of intents of a run.
#[derive(Debug)]
pub struct Traffic {
    arrivals: Peekable<Arrivals>,
    random: StdRng,
    users: Population,
    merchants: Population,
    mix: Mix,
    recent: RecentPayments,
    n: u64,
}

impl Traffic {
    /// The traffic of a plan; none when a population cannot be drawn from, which a valid plan
    /// excludes.
    pub fn new(plan: &ValidPlan, recent: RecentPayments) -> Option<Self> {
        let Plan {
            users,
            merchants,
            user_skew,
            merchant_skew,
            mix,
            seed,
            spacing,
            ..
        } = plan.plan();
        Some(Self {
            arrivals: plan.curve().arrivals(*spacing, *seed).peekable(),
            // Another stream than that of the arrivals, from the same seed.
            random: StdRng::seed_from_u64(seed ^ 0x5eed_0f1e_1d5a_1e5d),
            users: Population::new(*users, *user_skew)?,
            merchants: Population::new(*merchants, *merchant_skew)?,
            mix: *mix,
            recent,
            n: 0,
        })
    }

    /// When the next intent is to be sent, from the start of the run.
    pub fn next_at(&mut self) -> Option<Duration> {
        self.arrivals.peek().copied()
    }

    /// Leaves out what was due before an offset.
    pub fn skip_until(&mut self, offset: Duration) {
        while self.arrivals.next_if(|at| *at < offset).is_some() {}
    }

    fn action(&mut self) -> Action {
        let Mix {
            create,
            payment_read,
            refund,
            account_read,
        } = self.mix;
        let mut draw = self.random.random_range(0..self.mix.total());
        let mut falls_in = |share: u32| {
            let inside = draw < u64::from(share);
            draw = draw.saturating_sub(u64::from(share));
            inside
        };
        if falls_in(create) {
            return self.create();
        }
        if falls_in(payment_read) {
            return match self.recent.any(&mut self.random) {
                Some(payment) => Action::ReadPayment(payment),
                None => self.without_payment(),
            };
        }
        if falls_in(refund) {
            return match self.recent.take() {
                Some(payment) => self.refund(payment),
                None => self.without_payment(),
            };
        }
        debug_assert!(account_read > 0, "the draw is below the total");
        self.account_read()
    }

    /// What takes the place of a read or refund while no payment is known yet.
    fn without_payment(&mut self) -> Action {
        if self.mix.create > 0 {
            self.create()
        } else {
            self.account_read()
        }
    }

    fn create(&mut self) -> Action {
        let (low, high) = AMOUNT_MINOR;
        let amount = self.random.random_range(low.ln()..high.ln()).exp();
        Action::Create {
            user: user_id(self.users.draw(&mut self.random)),
            merchant: merchant_id(self.merchants.draw(&mut self.random)),
            amount_minor: amount.round() as i64,
        }
    }

    fn refund(&mut self, payment: Payment) -> Action {
        let whole = self.random.random_bool(0.5);
        let amount_minor = if whole {
            payment.amount_minor
        } else {
            payment.amount_minor / 2
        };
        Action::Refund {
            amount_minor: amount_minor.max(1),
            payment,
        }
    }

    fn account_read(&mut self) -> Action {
        // A merchant's page is read more seldom than one's own balance.
        if self.random.random_bool(0.75) {
            Action::ReadAccount {
                user: user_id(self.users.draw(&mut self.random)),
            }
        } else {
            Action::ReadMerchant {
                merchant: merchant_id(self.merchants.draw(&mut self.random)),
            }
        }
    }
}

impl Iterator for Traffic {
    type Item = Intent;

    fn next(&mut self) -> Option<Intent> {
        let at = self.arrivals.next()?;
        let action = self.action();
        let n = self.n;
        self.n += 1;
        Some(Intent { n, at, action })
    }
}

/// Name of a user by number, as `payment-svc seed` books them.
pub fn user_id(number: u32) -> String {
    format!("u-{number:06}")
}

/// Name of a merchant by number, as `payment-svc seed` books them.
pub fn merchant_id(number: u32) -> String {
    format!("m-{number:04}")
}

#[cfg(test)]
mod tests;
