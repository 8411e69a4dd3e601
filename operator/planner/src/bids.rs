//! The bids: each source proposes replicas, the highest proposal wins.
//!
//! The forecast can only add because it only bids: no bid can lower another one.

mod sale;

use floodgate_words::Reason;

use crate::{
    decision::{Bid, BidSource},
    input::{ForecastInput, ForecastTrust},
    memory::{HoldCause, Memory},
    situation::Situation,
};

/// Head-room that must remain after a decrease, as a factor on the load, while the spread of the load
/// is not known; once it is, its own reserve is that room.
///
/// 5 % is above the noise of a one-minute maximum over a stabilisation window and costs at most one
/// pod in twenty.
const DOWN_HEADROOM: f64 = 1.05;

/// Use of the pods, as a share of what they hold, that a peak just measured may reach; a peak is
/// rarely the last one, and the next may be higher.
const PEAK_SHARE: f64 = 0.8;

/// What a bid adds to its number.
const PEAKS_IN_RESERVE: &str = "peaks use the reserve above the target utilisation";
const ONE_MAY_DIE: &str = "one pod may die";
const CLIMBS: &str = "where it climbs to within the lead time";

/// All bids and their outcome.
pub(crate) struct BidOutcome {
    pub(crate) bids: Vec<Bid>,
    pub(crate) winner: BidSource,
    /// The winning number.
    pub(crate) replicas_wanted: u32,
    /// The least number down to which replicas may fall: the winning number, or that of the measured
    /// load a little higher while its spread is not known, so that noise at the edge of a pod does
    /// not move the fleet up and down.
    pub(crate) replicas_lowest: u32,
    /// Replicas published for the sale phases that are near or run.
    pub(crate) sale_floor: Option<u32>,
    /// The most that a sale or an SRE asks for.
    pub(crate) demanded: u32,
}

impl BidOutcome {
    /// The most that a sale asks for, by its bid or by its published plan; `None` while none is near.
    pub(crate) fn sale_wants(&self) -> Option<u32> {
        let bid = self.bids.iter().find(|bid| bid.source == BidSource::Sale);
        bid.and_then(|bid| bid.replicas).max(self.sale_floor)
    }
}

/// Collects the bids and picks the winner; a pin wins whatever the others say.
pub(crate) fn collect(situation: &Situation<'_>, memory: &mut Memory) -> BidOutcome {
    let (sale, sale_floor) = sale::bid(situation, memory);
    let bids = vec![
        reactive(situation, memory),
        forecast(situation, memory),
        sale,
        overridden(situation),
        hold(situation, memory),
    ];
    let (winner, replicas_wanted) = winner(situation, &bids);
    let demands = |bid: &&Bid| matches!(bid.source, BidSource::Sale | BidSource::Override);
    let demanded = bids.iter().filter(demands).filter_map(|bid| bid.replicas);
    BidOutcome {
        winner,
        replicas_wanted,
        replicas_lowest: with_headroom(situation, memory).max(replicas_wanted),
        sale_floor,
        demanded: demanded.max().unwrap_or(0),
        bids,
    }
}

/// Pods that hold the measured load and the head-room; 0 where none is needed.
fn with_headroom(situation: &Situation<'_>, memory: &Memory) -> u32 {
    let known = usual_upper_rps(situation, memory).is_some();
    let load = situation.load.ok().filter(|_| !known);
    let held_rps = load.map(|load| load.peak_rps() * DOWN_HEADROOM);
    held_rps
        .and_then(|rps| situation.input.scaling.replicas_for(rps))
        .unwrap_or(0)
}

fn winner(situation: &Situation<'_>, bids: &[Bid]) -> (BidSource, u32) {
    if let Some(pin) = situation.overrides.pin {
        return (BidSource::Override, pin.value);
    }
    // Among equal bids the first in the order of declaration wins, so that the answer is stable.
    let mut best: Option<(BidSource, u32)> = None;
    for bid in bids.iter().filter(|bid| bid.muted.is_none()) {
        let Some(replicas) = bid.replicas else {
            continue;
        };
        if best.is_none_or(|(_, most)| replicas > most) {
            best = Some((bid.source, replicas));
        }
    }
    let present = situation
        .input
        .replicas
        .desired
        .unwrap_or(situation.input.scaling.replicas_min);
    best.unwrap_or((BidSource::Hold, present))
}

fn no_bid(source: BidSource, reason: Reason) -> Bid {
    Bid {
        source,
        replicas: None,
        reason,
        load_rps: None,
        muted: None,
        detail: String::new(),
    }
}

fn reactive(situation: &Situation<'_>, memory: &Memory) -> Bid {
    let load = match situation.load {
        Ok(load) => load,
        Err(fault) => return no_bid(BidSource::Reactive, fault.reason()),
    };
    let peak_rps = load.peak_rps();
    let reason = if peak_rps > load.rate_rps_max() {
        Reason::BurstLoad
    } else {
        Reason::CurrentLoad
    };
    let (held_rps, one_lost_rps, detail) = match usual_upper_rps(situation, memory) {
        Some(usual_rps) => {
            let usual_rps = in_reserve(situation, usual_rps, 1.0);
            let held_rps = usual_rps.max(in_reserve(situation, peak_rps, PEAK_SHARE));
            let one_lost_rps = without_one(situation, memory);
            (held_rps, one_lost_rps, PEAKS_IN_RESERVE)
        }
        None => (peak_rps, 0.0, ""),
    };
    // Where it climbs to is a peak of a few seconds; the whole reserve may hold it.
    let climbs_to_rps = memory.trend.projected_rps().unwrap_or(0.0);
    let climb_rps = in_reserve(situation, climbs_to_rps, 1.0);
    let (wanted_rps, reason, load_rps, detail) = if climb_rps > held_rps.max(one_lost_rps) {
        (climb_rps, Reason::RisingLoad, climbs_to_rps, CLIMBS)
    } else if one_lost_rps > held_rps {
        (one_lost_rps, reason, peak_rps, ONE_MAY_DIE)
    } else {
        (held_rps, reason, peak_rps, detail)
    };
    let Some(replicas) = situation.input.scaling.replicas_for(wanted_rps) else {
        return no_bid(BidSource::Reactive, Reason::CapacityInvalid);
    };
    Bid {
        source: BidSource::Reactive,
        replicas: Some(replicas),
        reason,
        load_rps: Some(load_rps),
        muted: None,
        detail: detail.to_owned(),
    }
}

fn forecast(situation: &Situation<'_>, memory: &Memory) -> Bid {
    let input = situation.input;
    let (path, trust) = match &input.forecast {
        ForecastInput::Path { path, trust, .. } => (path, trust),
        ForecastInput::Missing(reason) => return no_bid(BidSource::Forecast, *reason),
    };
    let Some(upper_rps) = path.upper_rps_max(input.now, situation.horizon) else {
        return no_bid(BidSource::Forecast, Reason::ForecastUnavailable);
    };
    let p50_rps = path.p50_rps_max(input.now, situation.horizon);
    let upper_rps = match (usual_upper_rps(situation, memory), p50_rps) {
        (Some(_), Some(p50_rps)) => p50_rps.max(in_reserve(situation, upper_rps, 1.0)),
        _ => upper_rps,
    };
    let load_rps = upper_rps.min(situation.forecast_rps_max());
    let Some(replicas) = input.scaling.replicas_for(load_rps) else {
        return no_bid(BidSource::Forecast, Reason::CapacityInvalid);
    };
    Bid {
        source: BidSource::Forecast,
        replicas: Some(replicas),
        reason: if load_rps < upper_rps {
            Reason::ForecastCapped
        } else {
            Reason::ForecastLoad
        },
        load_rps: Some(load_rps),
        muted: match trust {
            ForecastTrust::Trusted => None,
            ForecastTrust::Muted(reason) => Some(*reason),
        },
        detail: format!("{} p{}", path.model(), path.quantile_percent()),
    }
}

/// The rate that the load exceeds in rare moments only, where a trusted forecast says how its level
/// will be; `None` while either is not known. Then peaks too are held at target utilisation.
fn usual_upper_rps(situation: &Situation<'_>, memory: &Memory) -> Option<f64> {
    situation.trusted_path()?;
    memory.spread.upper_rps()
}

/// The load at target utilisation that needs as many pods as `rps` does when they are used to
/// `share` of what they hold. The reserve above the target is there for peaks; held at the target,
/// a peak would have that reserve a second time.
fn in_reserve(situation: &Situation<'_>, rps: f64, share: f64) -> f64 {
    let scaling = &situation.input.scaling;
    rps * (scaling.capacity_rps / scaling.full_rps() / share).min(1.0)
}

/// The load at target utilisation that needs as many pods as the usual load does when they are full
/// and one of them dies. The reserve of many pods holds the load of one; that of two or three does
/// not, and its successor takes a whole start to come.
fn without_one(situation: &Situation<'_>, memory: &Memory) -> f64 {
    let scaling = &situation.input.scaling;
    let pods = memory
        .spread
        .usual_rps()
        .map_or(0.0, |rps| (rps / scaling.full_rps()).ceil() + 1.0);
    pods * scaling.capacity_rps
}

fn overridden(situation: &Situation<'_>) -> Bid {
    let words = &situation.overrides;
    let floor = words.floor.map(|word| (word, Reason::ReplicasFloor));
    let by_hand = words.by_hand.map(|word| (word, Reason::ScaledByHand));
    let pin = words.pin.map(|word| (word, Reason::ReplicasPinned));
    let higher = by_hand.into_iter().chain(floor);
    let Some((word, reason)) = pin.or_else(|| higher.max_by_key(|(word, _)| word.value)) else {
        return no_bid(BidSource::Override, Reason::NoOverride);
    };
    Bid {
        source: BidSource::Override,
        replicas: Some(word.value),
        reason,
        load_rps: None,
        muted: None,
        detail: word.reason.clone(),
    }
}

fn hold(situation: &Situation<'_>, memory: &Memory) -> Bid {
    let reason = match memory.hold {
        None => return no_bid(BidSource::Hold, Reason::Held),
        Some(HoldCause::Restart) => Reason::HeldAfterRestart,
        Some(HoldCause::Takeover) => Reason::HeldAfterTakeover,
        Some(HoldCause::HistoryLost) => Reason::HeldAfterHistoryLoss,
    };
    Bid {
        replicas: situation.input.replicas.desired,
        ..no_bid(BidSource::Hold, reason)
    }
}
