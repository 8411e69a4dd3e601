//! What can be said on the command line.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgGroup, Command};
use floodgate_api::spelling;
use floodgate_forecast::UnixMillis;
use floodgate_planner::rehearse::PolicyKind;
use floodgate_trace::Unit;
use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};

use super::world::{WorldArgs, above_zero};
use crate::output::OutputArgs;

/// Replays a trace in virtual time under this planner and under other autoscalers.
///
/// The first 14 days of the trace, at most half of it, are history; the rest is rehearsed. All
/// policies meet the same requests, the same slow pods and the same losses. Nothing is asked of a
/// Kubernetes cluster and nothing is changed.
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("load").required(true))]
pub struct Args {
    /// Files with one `PaymentCluster` and any number of `SaleEvents`, YAML or JSON.
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Recorded load: `timestamp,value`, RFC 3339, blank value = missing.
    #[arg(long, value_name = "FILE", group = "load")]
    pub trace: Option<PathBuf>,
    /// Reads the recorded load from this Prometheus (or anything with its API) instead, with the
    /// query of the cluster or else the one the operator makes its forecast with. In requests per
    /// second; `--unit` says nothing about it.
    #[arg(long, value_name = "URL", group = "load", conflicts_with = "unit")]
    pub from_prometheus: Option<String>,
    /// Query (`PromQL`) that yields the offered load in requests per second, instead of the cluster's.
    #[arg(long, value_name = "PROMQL", requires = "from_prometheus")]
    pub query: Option<String>,
    /// Days of the past to read; the first 14, at most half of them, are history.
    #[arg(long, value_name = "DAYS", default_value_t = 28, requires = "from_prometheus", value_parser = clap::value_parser!(u16).range(1..=730))]
    pub days: u16,
    /// File with a bearer token for it.
    #[arg(long, value_name = "FILE", requires = "from_prometheus")]
    pub token_file: Option<PathBuf>,
    /// What a value of the trace counts.
    #[arg(long, value_enum, default_value_t)]
    pub unit: Unit,
    /// Multiplies the trace so that its peak is this many requests per second. Without it, a trace
    /// that does not fit the cluster (more than `max` replicas hold, or less than a quarter of it)
    /// is brought to three quarters of what `max` replicas hold, and that is said.
    #[arg(long, value_name = "RPS", value_parser = rate, conflicts_with = "as_recorded")]
    pub scale_to_peak: Option<f64>,
    /// Takes the trace as it is, however badly it fits the cluster.
    #[arg(long)]
    pub as_recorded: bool,
    /// Sales as a list: `timestamp,label`, one T0 a row.
    #[arg(long, value_name = "FILE")]
    pub sales: Option<PathBuf>,
    /// Uplift of the sales in `--sales`, percent of what usually comes.
    #[arg(long, value_name = "PERCENT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub sales_uplift: u32,
    /// Length of the sales in `--sales`, minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=1_440))]
    pub sales_minutes: u32,
    /// A sale that the trace does not hold: `20x@00:00:00+08:00` (on one day in the middle) or
    /// `20x@2026-11-11T00:00:00+08:00`. It is up within 10 s, holds for 15 minutes, and halves every
    /// 15 minutes after. Everybody who takes a calendar knows of it, by the SaleEvent that covers it
    /// or else by one that is made for it.
    #[arg(long, value_name = "FACTORx@TIME")]
    pub inject: Vec<Injection>,
    /// Tells nobody of an injected sale that no SaleEvent covers.
    #[arg(long, requires = "inject")]
    pub unannounced: bool,
    /// Rehearses only these policies, comma-separated; default all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PolicyNames)]
    pub policies: Vec<PolicyKind>,
    /// Writes a chart, one file without anything from elsewhere.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The same as `-o json`.
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Form of the figures.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What pods and metrics are like.
    #[command(flatten)]
    pub world: WorldArgs,
}

/// A sale that the trace does not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Injection {
    /// Times what usually comes.
    pub factor: f64,
    /// When.
    pub when: When,
}

/// When a sale is injected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Once.
    At(UnixMillis),
    /// At a time of day, on a day to be chosen.
    TimeOfDay(Time, Offset),
}

impl FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let must = || {
            format!("{text:?} must be like `20x@00:00:00+08:00` or `20x@2026-11-11T00:00:00+08:00`")
        };
        let (factor, when) = text.split_once("x@").ok_or_else(must)?;
        let factor: f64 = factor.parse().map_err(|_| must())?;
        if !(1.0..=1_000.0).contains(&factor) {
            return Err(format!("{factor} must be between 1 and 1000 times"));
        }
        if let Ok(at) = when.parse::<Timestamp>() {
            let when = When::At(at.into());
            return Ok(Self { factor, when });
        }
        // A day is put before it so that the time and the offset are read by the same rules.
        let on_a_day = format!("2000-01-01T{when}");
        let at: Timestamp = on_a_day.parse().map_err(|_| must())?;
        let time: civil::DateTime = on_a_day.parse().map_err(|_| must())?;
        let utc = TimeZone::UTC.to_datetime(at);
        let offset_s = (time.duration_since(utc)).as_secs();
        let offset = i32::try_from(offset_s)
            .ok()
            .and_then(|s| Offset::from_seconds(s).ok());
        let when = When::TimeOfDay(time.time(), offset.ok_or_else(must)?);
        Ok(Self { factor, when })
    }
}

fn rate(text: &str) -> Result<f64, String> {
    above_zero(text, 1e9)
}

/// Reads the name of a policy; a type of its own so that help and completion tell the names.
#[derive(Clone, Copy, Debug)]
struct PolicyNames;

impl TypedValueParser for PolicyNames {
    type Value = PolicyKind;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<PolicyKind, clap::Error> {
        policy.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = PolicyKind::ALL.iter().map(|kind| kind.name());
        Some(Box::new(names.map(PossibleValue::new)))
    }
}

fn policy(name: &str) -> Result<PolicyKind, String> {
    PolicyKind::of_name(name).ok_or_else(|| {
        let names: Vec<&str> = PolicyKind::ALL.iter().map(|kind| kind.name()).collect();
        let hint = spelling::hint(name, &names);
        format!("{name:?} must be one of {}{hint}", names.join(", "))
    })
}
