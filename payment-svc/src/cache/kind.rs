//! What is cached and how old it may be.

use std::time::Duration;

/// How values of one kind age. The kind of a key is the part before its colon.
#[derive(Debug)]
pub struct Kind {
    /// Prefix of its keys.
    pub name: &'static str,
    /// Age from which a value is renewed while it is still handed out.
    pub soft: Duration,
    /// Age from which it is not handed out any more.
    pub hard: Duration,
    /// Age up to which "no such thing" is believed.
    pub absent: Duration,
    /// Whether Redis keeps it for the other pods.
    pub shared: bool,
}

impl Kind {
    /// Time Redis keeps a value.
    pub(super) fn redis_life(&self, absent: bool) -> Duration {
        if absent { self.absent } else { self.hard }
    }
}

/// Merchants change a few times a year, and a stopped one must be stopped within a minute.
pub const MERCHANT: Kind = Kind {
    name: "merchant",
    soft: Duration::from_mins(1),
    hard: Duration::from_mins(10),
    absent: Duration::from_secs(30),
    shared: true,
};

/// Accounts change with every payment; what a read returns may be a second old and never decides anything.
pub const ACCOUNT: Kind = Kind {
    name: "account",
    soft: Duration::from_secs(1),
    hard: Duration::from_secs(2),
    absent: Duration::from_secs(1),
    shared: false,
};

/// Payments change only by refunds, after which they are forgotten.
pub const PAYMENT: Kind = Kind {
    name: "payment",
    soft: Duration::from_secs(2),
    hard: Duration::from_secs(10),
    absent: Duration::from_secs(1),
    shared: true,
};

/// The kind of a key, if it is one of those the warm-up may load.
pub fn of(key: &str) -> Option<&'static Kind> {
    const KINDS: [&Kind; 3] = [&MERCHANT, &ACCOUNT, &PAYMENT];
    let (name, _) = key.split_once(':')?;
    KINDS.into_iter().find(|kind| kind.name == name)
}
