//! Why a pod refuses a request.

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum ShedReason {
    /// The operator's floor or pin switches the class off.
    Class,
    /// The CPU is near its limit and the lowest class is thinned out by probability.
    Ramp,
    /// Requests queue, and the admission cursor is below this one.
    Queue,
    /// Too many requests are being worked on.
    InFlight,
    /// The class is above its quota (429).
    Quota,
    /// The client would have given up before the answer.
    Deadline,
    /// The store, its pool or its queue is full.
    Store,
}

impl ShedReason {
    /// All reasons, in the order of their labels.
    pub const ALL: [Self; 7] = [
        Self::Class,
        Self::Ramp,
        Self::Queue,
        Self::InFlight,
        Self::Quota,
        Self::Deadline,
        Self::Store,
    ];

    /// Name in the `X-Pay-Shed-Reason` header and in metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Ramp => "ramp",
            Self::Queue => "queue",
            Self::InFlight => "in_flight",
            Self::Quota => "quota",
            Self::Deadline => "deadline",
            Self::Store => "store",
        }
    }
}
