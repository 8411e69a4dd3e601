//! The decision as one sentence for a person.

use std::fmt::Write;

use floodgate_words::{Level, Reason};

use crate::decision::{BidSource, Decision};

/// One sentence: from what to what, which bid won with which load, which guards changed it.
pub(crate) fn sentence(decision: &Decision) -> String {
    let mut text = String::with_capacity(160);
    // Writing to a String cannot fail.
    let _ = write(&mut text, decision);
    text
}

fn write(text: &mut String, decision: &Decision) -> std::fmt::Result {
    match decision.replicas_before {
        Some(before) if before == decision.replicas => write!(text, "Keep {before} replicas")?,
        Some(before) => write!(text, "Go from {before} to {} replicas", decision.replicas)?,
        None => write!(text, "Start with {} replicas", decision.replicas)?,
    }
    let winner = decision
        .bids
        .iter()
        .find(|bid| bid.source == decision.winner);
    if let Some(bid) = winner {
        let name = match bid.source {
            BidSource::Reactive => "the current load",
            BidSource::Forecast => "the forecast",
            BidSource::Sale => "the sale",
            BidSource::Override => "an override",
            BidSource::Hold => "the present count",
        };
        write!(text, ": {name} asks for {}", decision.replicas_wanted)?;
        if let Some(load_rps) = bid.load_rps {
            write!(text, " ({load_rps:.1} req/s)")?;
        }
        if !bid.detail.is_empty() {
            write!(text, " [{}]", bid.detail)?;
        }
    }
    for guard in &decision.guards {
        write!(text, "; {} makes it {}", guard.reason, guard.to)?;
    }
    if let Some(fault) = decision.load_fault {
        write!(text, "; no valid load ({})", fault.reason())?;
    }
    let level = &decision.level;
    if level.reason != Reason::LoadFits || level.floor > Level::Normal {
        write!(text, "; level floor {} ({})", level.floor, level.reason)?;
    }
    text.push('.');
    Ok(())
}
