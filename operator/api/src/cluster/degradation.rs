//! `spec.degradation`: when planned degradation begins and ends.

use floodgate_words::LevelThreshold;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When planned degradation begins and ends. The measure is the load expected within the lead time
/// in percent of what the warm pods hold when full. The service's own fast loop may always go higher
/// than the level imposed here and needs nobody.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    Rule::new("self.guard.enterPercent <= self.reduce.enterPercent")
        .message("must be greater than or equal to `guard.enterPercent`")
        .field_path(".reduce.enterPercent"),
    Rule::new("self.reduce.enterPercent <= self.protect.enterPercent")
        .message("must be greater than or equal to `reduce.enterPercent`")
        .field_path(".protect.enterPercent"),
    Rule::new("self.protect.enterPercent <= self.survive.enterPercent")
        .message("must be greater than or equal to `protect.enterPercent`")
        .field_path(".survive.enterPercent")
]))]
pub struct Degradation {
    /// `Planned` (default) imposes levels from the plan; `Manual` imposes only what an override
    /// annotation says.
    pub mode: DegradationMode,
    /// Guard: reads of accounts and merchants thinned out while a pod's CPU is near its limit.
    /// Default enter 100, exit 85, hold 30 s.
    #[serde(default = "guard_threshold")]
    pub guard: Threshold,
    /// Reduce: reads of accounts and merchants off. Default enter 120, exit 100, hold 30 s.
    #[serde(default = "reduce_threshold")]
    pub reduce: Threshold,
    /// Protect: refunds off, too. Default enter 150, exit 120, hold 60 s.
    #[serde(default = "protect_threshold")]
    pub protect: Threshold,
    /// Survive: only what was started is finished. Default enter 800, exit 400, hold 60 s: a
    /// last resort, because it refuses every new payment.
    #[serde(default = "survive_threshold")]
    pub survive: Threshold,
}

impl Default for Degradation {
    fn default() -> Self {
        Self {
            mode: DegradationMode::Planned,
            guard: guard_threshold(),
            reduce: reduce_threshold(),
            protect: protect_threshold(),
            survive: survive_threshold(),
        }
    }
}

fn guard_threshold() -> Threshold {
    let [guard, ..] = LevelThreshold::DEFAULTS;
    guard.into()
}

fn reduce_threshold() -> Threshold {
    let [_, reduce, ..] = LevelThreshold::DEFAULTS;
    reduce.into()
}

fn protect_threshold() -> Threshold {
    let [.., protect, _] = LevelThreshold::DEFAULTS;
    protect.into()
}

fn survive_threshold() -> Threshold {
    let [.., survive] = LevelThreshold::DEFAULTS;
    survive.into()
}

/// Who imposes degradation levels.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DegradationMode {
    /// The plan does.
    #[default]
    Planned,
    /// Only override annotations do.
    Manual,
}

/// Where one level begins and ends. All three are given together.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    Rule::new("self.enterPercent > self.exitPercent").message("must be greater than `exitPercent`").field_path(".enterPercent")
]))]
pub struct Threshold {
    /// Load in percent of what the warm pods hold when full at which the level begins, 50 to 10000.
    #[schemars(range(min = 50, max = 10_000))]
    pub enter_percent: i32,
    /// Load in percent of what the warm pods hold when full below which the level may end, 10 to 9999, less than
    /// `enterPercent`.
    #[schemars(range(min = 10, max = 9_999))]
    pub exit_percent: i32,
    /// Seconds the load has to be below `exitPercent` before the level ends, 0 to 3600.
    #[schemars(range(min = 0, max = 3_600))]
    pub hold_seconds: i32,
}

impl From<LevelThreshold> for Threshold {
    fn from(given: LevelThreshold) -> Self {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            enter_percent: number(given.enter_percent),
            exit_percent: number(given.exit_percent),
            hold_seconds: number(given.hold_s),
        }
    }
}
