//! `floodgate-tune train`: a fitted model as the operator keeps it.

use std::path::PathBuf;

use floodgate_forecast::{Basis, FitOptions, fit_with_events};
use floodgate_trace::{Unit, instant};
use jiff::Timestamp;
use serde::Serialize;

use crate::cleaning::Cleaning;
use crate::error::TuneError;
use crate::{input, output};

/// What to read and where to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The trace, `timestamp,value`.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// What a value of the trace counts.
    #[arg(long, value_enum, default_value_t)]
    unit: Unit,
    /// Where to write the model.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The last instant to learn from, RFC 3339; default the end of the trace.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Timestamp>,
    /// Events known ahead (`timestamp,label`).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    cleaning: Cleaning,
}

#[derive(Serialize)]
struct Summary {
    model: &'static str,
    bytes: usize,
    points: usize,
    missing: usize,
    /// Values that are no rate or no count: negative, not finite or absurd.
    refused: usize,
    /// Values left out by --mask.
    masked: usize,
    /// Steps left out because a counter fell.
    resets: usize,
    /// From the first to the last value, seconds.
    span_s: i64,
    /// Share of steps with a value, lowered by the share of refused ones.
    quality: f64,
    regression_share_max: f64,
    /// The jump of the level after which the history was used.
    changed_at: Option<String>,
    out: String,
}

pub(crate) fn run(args: &Args, json: bool) -> Result<String, TuneError> {
    let (trace, counted) = args.cleaning.trace(&args.trace, args.unit)?;
    let calendar = input::calendar(args.events.as_deref())?;
    let (_, end) = trace.span();
    let at = args.at.unwrap_or(end).into();
    let name = args.trace.display().to_string();
    args.cleaning.within(&name, std::iter::once(&trace))?;
    let series = args.cleaning.known_within(&trace, &name, at)?;
    let model = fit_with_events(&series, &FitOptions::for_step_s(series.step_s()), &calendar)?;
    let quality = series.quality();
    let hours = series.span_s() / 3_600;
    if model.basis() == Basis::ColdStart {
        return Err(TuneError::Short {
            name,
            points: quality.points,
            hours,
        });
    }
    let text = serde_json::to_string(&model)?;
    output::write(&args.out, &text)?;
    let summary = Summary {
        model: model.basis().as_str(),
        bytes: text.len(),
        points: quality.points,
        missing: quality.missing,
        refused: quality.rejected + counted.rejected,
        masked: quality.masked,
        resets: counted.resets,
        span_s: series.span_s(),
        quality: quality.score,
        regression_share_max: model.ridge_share_max(),
        changed_at: model.changed_at().map(|at| at.to_string()),
        out: args.out.display().to_string(),
    };
    let line = format!(
        "{}: {}, {} bytes; {} points over {hours} h, {} missing, {} refused, {} masked, \
         {} resets; {}",
        summary.out,
        summary.model,
        summary.bytes,
        summary.points,
        summary.missing,
        summary.refused,
        summary.masked,
        summary.resets,
        args.cleaning.in_words(args.unit, &trace)
    );
    output::render(json, &summary, line)
}
