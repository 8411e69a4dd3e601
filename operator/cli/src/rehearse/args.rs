//! The command line of `rehearse`.

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

use super::world::WorldArgs;
use crate::number::rate;
use crate::output::OutputArgs;

/// Replay a trace in virtual time under Floodgate and under other autoscalers.
///
/// The first 14 days of the trace, at most half of it, are history; the rest is rehearsed. All
/// policies meet the same requests, the same slow pods and the same losses. No Kubernetes cluster is
/// needed, and nothing is changed.
#[derive(Clone, Debug, clap::Args)]
#[command(group = ArgGroup::new("load").required(true))]
pub struct Args {
    /// Read one `PaymentCluster` and any number of `SaleEvents` from these files, YAML or JSON.
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Rehearse this recorded load: `timestamp,value`, RFC 3339, blank value = missing.
    #[arg(long, value_name = "FILE", group = "load")]
    pub trace: Option<PathBuf>,
    /// Read the recorded load, in requests per second, from this Prometheus (or anything with its
    /// API), with the query of the cluster, else the one that the operator forecasts from.
    #[arg(long, value_name = "URL", group = "load", conflicts_with = "unit")]
    pub from_prometheus: Option<String>,
    /// Use this query (`PromQL`) for the offered load, requests per second, instead of the cluster's.
    #[arg(long, value_name = "PROMQL", requires = "from_prometheus")]
    pub query: Option<String>,
    /// Read this many past days; the first 14, at most half of them, are history.
    #[arg(long, value_name = "DAYS", default_value_t = 28, requires = "from_prometheus", value_parser = clap::value_parser!(u16).range(1..=730))]
    pub days: u16,
    /// Read the bearer token for Prometheus from this file.
    #[arg(long, value_name = "FILE", requires = "from_prometheus")]
    pub token_file: Option<PathBuf>,
    /// What a value of the trace counts.
    #[arg(long, value_enum, default_value_t)]
    pub unit: Unit,
    /// Scale the trace to this peak, requests per second. By default a trace that does not fit the
    /// cluster (its peak is more than `max` replicas hold, or less than a quarter of that) is scaled
    /// to 75 % of what `max` replicas hold; the output notes it.
    #[arg(long, value_name = "RPS", value_parser = rate, conflicts_with = "as_recorded")]
    pub scale_to_peak: Option<f64>,
    /// Never scale the trace.
    #[arg(long)]
    pub as_recorded: bool,
    /// Read more sales from this list: `timestamp,label`, one T0 a row.
    #[arg(long, value_name = "FILE")]
    pub sales: Option<PathBuf>,
    /// Uplift of the sales in `--sales`, percent of the usual load.
    #[arg(long, value_name = "PERCENT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub sales_uplift: u32,
    /// Length of the sales in `--sales`, minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=1_440))]
    pub sales_minutes: u32,
    /// Add a sale that the trace does not contain: `20x@00:00:00+08:00` (on a day in the middle) or
    /// `20x@2026-11-11T00:00:00+08:00`. Load rises within 10 s, holds for 15 minutes, then halves
    /// every 15 minutes. Policies with a calendar know of it, by the SaleEvent that covers it, else
    /// by one made for it.
    #[arg(long, value_name = "FACTORx@TIME")]
    pub inject: Vec<Injection>,
    /// Announce no injected sale that no SaleEvent covers.
    #[arg(long, requires = "inject")]
    pub unannounced: bool,
    /// Rehearse only these policies, comma-separated; default: all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PolicyNames)]
    pub policies: Vec<PolicyKind>,
    /// Write a chart to this file, self-contained.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The same as `-o json`.
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Format of the figures.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What pods and metrics are like.
    #[command(flatten)]
    pub world: WorldArgs,
}

/// A sale that the trace does not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Injection {
    /// Times the usual load.
    pub factor: f64,
    pub when: When,
}

/// When a sale is injected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
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

/// Reads the name of a policy; a type of its own so that help and completion list the names.
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
