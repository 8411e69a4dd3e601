//! Names of the annotations a person overrides the operator with.
//!
//! Every override needs [`OVERRIDE_UNTIL`] and [`OVERRIDE_REASON`]; without them the operator
//! refuses it and says so. They are annotations so that `kubectl annotate` is enough on a bad night.

/// Prefix of every annotation that is ours; an unknown one below it gets a Warning Event.
pub const PREFIX: &str = "floodgate.dev/";
/// Exactly this many replicas, within `scaling.min` and `scaling.max`.
pub const PIN_REPLICAS: &str = "floodgate.dev/pin-replicas";
/// At least this many replicas, within `scaling.min` and `scaling.max`.
pub const FLOOR_REPLICAS: &str = "floodgate.dev/floor-replicas";
/// At most this many replicas, never below `scaling.min`.
pub const CEILING_REPLICAS: &str = "floodgate.dev/ceiling-replicas";
/// At least this degradation level: Normal, Guard, Reduce, Protect or Survive.
pub const DEGRADE_FLOOR: &str = "floodgate.dev/degrade-floor";
/// Exactly this degradation level, also against the service's own fast loop.
pub const DEGRADE_PIN: &str = "floodgate.dev/degrade-pin";
/// What the operator leaves alone: `scaling`, `degradation` or `all`.
pub const PAUSE: &str = "floodgate.dev/pause";
/// RFC 3339 instant at which the overrides expire, at most 24 hours after it is set.
pub const OVERRIDE_UNTIL: &str = "floodgate.dev/override-until";
/// Why, for Events, status and the report.
pub const OVERRIDE_REASON: &str = "floodgate.dev/override-reason";
/// Who, optional.
pub const OVERRIDE_BY: &str = "floodgate.dev/override-by";

/// Windows of the past or future to leave out of the forecast's history: outages and load tests,
/// `FROM/TO` in RFC 3339, separated by commas. Not an override: it needs no end and no reason, and
/// holds until it is removed.
pub const MASK_HISTORY: &str = "floodgate.dev/mask-history";

/// Furthest end of an override, in hours from now: one shift and its hand-over, never forgotten.
pub const OVERRIDE_HOURS_MAX: i64 = 24;

/// Annotations that each are an override by themselves.
pub const OVERRIDES: [&str; 6] = [
    PIN_REPLICAS,
    FLOOR_REPLICAS,
    CEILING_REPLICAS,
    DEGRADE_FLOOR,
    DEGRADE_PIN,
    PAUSE,
];

/// Every annotation a person may set on a `PaymentCluster`.
pub const ALL: [&str; 10] = [
    PIN_REPLICAS,
    FLOOR_REPLICAS,
    CEILING_REPLICAS,
    DEGRADE_FLOOR,
    DEGRADE_PIN,
    PAUSE,
    OVERRIDE_UNTIL,
    OVERRIDE_REASON,
    OVERRIDE_BY,
    MASK_HISTORY,
];

/// On Deployments: with `scaling.mode: Recommend`, the replicas before an override changed them, to
/// restore once it has expired. Written by the operator.
pub const REPLICAS_BEFORE_OVERRIDE: &str = "floodgate.dev/replicas-before-override";
/// On pods: hash of everything that rolls them (image, environment, resources), so that a rollout
/// can be explained.
pub const CONFIG_HASH: &str = "floodgate.dev/config-hash";
