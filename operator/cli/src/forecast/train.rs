//! `forecast train`: a fitted model as the operator keeps it.

use floodgate_forecast::{Basis, FitOptions, fit_with_events};
use serde::Serialize;

use super::{ForecastError, TrainArguments, input};
use crate::moment::span;

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

pub(super) fn run(arguments: &TrainArguments) -> Result<String, ForecastError> {
    let (trace, counted) = arguments.cleaning.trace(&arguments.trace, arguments.unit)?;
    let calendar = input::calendar(arguments.events.as_deref())?;
    let end = trace
        .samples()
        .last()
        .map(|(at, _)| *at)
        .unwrap_or_default();
    let at = arguments.at.map_or(end, Into::into);
    let name = arguments.trace.display().to_string();
    arguments.cleaning.within(&name, std::iter::once(&trace))?;
    let series = arguments.cleaning.known_within(&trace, &name, at)?;
    let model = fit_with_events(&series, &FitOptions::for_step_s(series.step_s()), &calendar)?;
    let quality = series.quality();
    let lasting = span(series.span_s());
    if model.basis() == Basis::ColdStart {
        return Err(ForecastError::Short {
            name,
            points: quality.points,
            span: lasting,
        });
    }
    let text = serde_json::to_string(&model)?;
    input::write(&arguments.out, &text)?;
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
        out: arguments.out.display().to_string(),
    };
    let line = format!(
        "{}: {}, {} bytes; {} points over {lasting}, {} missing, {} refused, {} masked, \
         {} resets; {}",
        summary.out,
        summary.model,
        summary.bytes,
        summary.points,
        summary.missing,
        summary.refused,
        summary.masked,
        summary.resets,
        arguments.cleaning.in_words(arguments.unit, &trace)
    );
    arguments.form.render(&summary, line)
}
