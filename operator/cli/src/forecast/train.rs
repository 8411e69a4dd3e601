//! `forecast train`: a fitted model as the operator keeps it.

use floodgate_forecast::{FitOptions, fit_with_events};
use serde::Serialize;

use super::{ForecastError, TrainArguments, input};

#[derive(Serialize)]
struct Summary {
    model: &'static str,
    bytes: usize,
    points: usize,
    missing: usize,
    rejected: usize,
    /// Values left out by --mask.
    masked: usize,
    /// Steps left out because a counter fell.
    resets: usize,
    quality: f64,
    regression_share_max: f64,
    /// The jump of the level after which the history was used.
    changed_at: Option<String>,
    out: String,
}

pub(super) fn run(arguments: &TrainArguments) -> Result<String, ForecastError> {
    let (trace, counted) = arguments.cleaning.trace(&arguments.trace)?;
    let calendar = input::calendar(arguments.events.as_deref())?;
    let end = trace
        .samples()
        .last()
        .map(|(at, _)| *at)
        .unwrap_or_default();
    let at = arguments.at.map_or(end, Into::into);
    let name = arguments.trace.display().to_string();
    let series = arguments.cleaning.known_at(&trace, &name, at)?;
    let model = fit_with_events(&series, &FitOptions::for_step_s(series.step_s()), &calendar)?;
    let text = serde_json::to_string(&model)?;
    input::write(&arguments.out, &text)?;
    let quality = series.quality();
    let summary = Summary {
        model: model.basis().as_str(),
        bytes: text.len(),
        points: quality.points,
        missing: quality.missing,
        rejected: quality.rejected + counted.rejected,
        masked: quality.masked,
        resets: counted.resets,
        quality: quality.score,
        regression_share_max: model.ridge_share_max(),
        changed_at: model.changed_at().map(|at| at.to_string()),
        out: arguments.out.display().to_string(),
    };
    if arguments.json {
        return Ok(serde_json::to_string_pretty(&summary)?);
    }
    Ok(format!(
        "{}: {}, {} bytes; {} points, {} missing, {} refused, {} masked, \
         {} resets, quality {:.3}",
        summary.out,
        summary.model,
        summary.bytes,
        summary.points,
        summary.missing,
        summary.rejected,
        summary.masked,
        summary.resets,
        summary.quality
    ))
}
