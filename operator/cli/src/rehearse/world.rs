//! What pods and metrics are like in a rehearsal: as the command line says, else as the status of the
//! cluster has measured, else as usual.

use floodgate_planner::rehearse::World;

use super::measured::Measured;
use crate::number::{above_zero, tenths};

/// Pods, metrics and chance.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Pods and metrics")]
pub struct WorldArgs {
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Run this many seeds, from `--seed` on, and show the spread of the figures: one seed is luck.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub seeds: u32,
    /// Time from creation to Ready without warm-up, seconds; each pod takes 0.8 to 1.2 times that.
    /// Default: as measured in the status of the cluster, else 30.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub ready_seconds: Option<f64>,
    /// Warm-up of a pod that gets its hot keys from the operator, before it is Ready, seconds; 0.8 to
    /// 1.2 times that. Default: as measured in the status, else 2, as measured on `payment-svc`.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub warm_seconds: Option<f64>,
    /// Capacity of a pod that nobody warms up, at first, percent of a warm one. The default was
    /// measured on `payment-svc`, whose money path reads no cache; a service that lives on its cache
    /// holds less. The figures of the other policies depend on it: below 70, each of their starts
    /// violates the objective by itself.
    #[arg(long, value_name = "PERCENT", default_value_t = World::default().cold_percent, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub cold_percent: u32,
    /// Time until such a pod holds as much as a warm one, seconds, while it serves.
    #[arg(long, value_name = "SECONDS", default_value_t = World::default().cold_s, value_parser = seconds)]
    pub cold_seconds: f64,
    /// Requests per second that a warm pod holds at target utilisation; planning uses the same figure.
    /// Default: as learned in the status, else `scaling.capacityRps`.
    #[arg(long, value_name = "RPS", value_parser = capacity)]
    pub capacity_rps: Option<f64>,
    /// Pods that the quota of the namespace admits; no more are created.
    #[arg(long, value_name = "PODS", value_parser = clap::value_parser!(u32).range(1..))]
    pub quota: Option<u32>,
    /// Pods that the nodes have room for; more stay Pending.
    #[arg(long, value_name = "PODS", value_parser = clap::value_parser!(u32).range(1..))]
    pub node_room: Option<u32>,
    /// Pods that die per day, on average.
    #[arg(long, value_name = "PODS", default_value_t = World::default().pods_lost_per_day, value_parser = per_day)]
    pub pods_lost_per_day: f64,
    /// Outages of the metrics store per day, on average.
    #[arg(long, value_name = "TIMES", default_value_t = World::default().metric_losses_per_day, value_parser = per_day)]
    pub metric_losses_per_day: f64,
    /// Length of each outage, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = World::default().metric_loss_s, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub metric_loss_seconds: u32,
    /// Time between two scrapes, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = World::default().scrape_s, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub scrape_seconds: u32,
    /// Time from a scrape until its sample can be read, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = World::default().metric_delay_s, value_parser = clap::value_parser!(u32).range(0..=120))]
    pub metric_delay_seconds: u32,
}

/// Pods and metrics of the rehearsal; what is worth knowing of them goes into `notes`.
pub fn world(args: &WorldArgs, measured: &Measured, notes: &mut Vec<String>) -> World {
    let usual = World::default();
    let middles = measured
        .starts
        .map_or(usual, |starts| starts.of_world(usual));
    let world = World {
        seed: args.seed,
        ready_s: args.ready_seconds.unwrap_or(middles.ready_s),
        warm_s: args.warm_seconds.unwrap_or(middles.warm_s),
        cold_percent: args.cold_percent,
        cold_s: args.cold_seconds,
        pods_lost_per_day: args.pods_lost_per_day,
        metric_losses_per_day: args.metric_losses_per_day,
        metric_loss_s: args.metric_loss_seconds,
        scrape_s: args.scrape_seconds,
        metric_delay_s: args.metric_delay_seconds,
        quota_replicas_max: args.quota,
        node_room_pods: args.node_room,
        ..usual
    };
    let given = args.ready_seconds.is_some() && args.warm_seconds.is_some();
    if let Some(starts) = measured.starts.filter(|_| !given) {
        notes.push(starts.in_words());
    }
    notes.push(format!(
        "Pods take {} s to be Ready and {} s to be warm, each 0.8 to 1.2 times that; one that nobody warms up holds {} % of a warm one at first.",
        tenths(world.ready_s),
        tenths(world.warm_s),
        world.cold_percent
    ));
    notes.push(format!(
        "Per day {} pods die and metrics are lost {} times for {} s; they are scraped every {} s and read {} s later. This is the same for every policy.",
        world.pods_lost_per_day,
        world.metric_losses_per_day,
        world.metric_loss_s,
        world.scrape_s,
        world.metric_delay_s
    ));
    if let Some(pods) = world.quota_replicas_max {
        notes.push(format!(
            "The quota admits {pods} pods; more are not created."
        ));
    }
    if let Some(pods) = world.node_room_pods {
        notes.push(format!(
            "The nodes have room for {pods} pods; more stay Pending and cost nothing."
        ));
    }
    world
}

/// What a warm pod holds at target utilisation; where it was learned, `notes` gets that.
pub fn capacity_rps(
    args: &WorldArgs,
    measured: &Measured,
    declared_rps: f64,
    notes: &mut Vec<String>,
) -> f64 {
    if let Some(rps) = args.capacity_rps {
        return rps;
    }
    let Some(learned) = measured.capacity else {
        return declared_rps;
    };
    notes.push(learned.in_words(declared_rps));
    learned.rps
}

/// A time a pod takes: at most what `prewarm.leadSecondsMax` may be.
fn seconds(text: &str) -> Result<f64, String> {
    above_zero(text, 7_200.0)
}

/// At most what `scaling.capacityRps` may be.
fn capacity(text: &str) -> Result<f64, String> {
    above_zero(text, 100_000.0)
}

/// How often something happens: at most each minute.
fn per_day(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| (0.0..=1_440.0).contains(number));
    number.ok_or_else(|| format!("{text:?} must be a number of at least 0 and at most 1440"))
}
