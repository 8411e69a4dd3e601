//! What a sale costs in pod-hours. Pure.

use floodgate_planner::UnixMillis;

/// A span in which at least so many pods are kept.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// From the start of the pre-scale.
    pub from: UnixMillis,
    /// To the end of the phase.
    pub until: UnixMillis,
    pub replicas: u32,
}

/// Pod-hours of a sale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// While a phase is prepared or runs.
    pub pod_hours: f64,
    /// Of them, those beyond `scaling.min`: what would not have run without the sale.
    pub above_min_pod_hours: f64,
}

/// Integrates the highest count over all spans; outside of them nothing is counted.
///
/// The way down after the last phase (stabilisation, step by step) is not part of it.
pub fn cost(spans: &[Span], replicas_min: u32) -> Cost {
    let mut edges: Vec<UnixMillis> = spans
        .iter()
        .flat_map(|span| [span.from, span.until])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let mut cost = Cost::default();
    for pair in edges.windows(2) {
        let &[from, until] = pair else { continue };
        let highest = spans
            .iter()
            .filter(|span| span.from <= from && until <= span.until)
            .map(|span| span.replicas)
            .max();
        let Some(replicas) = highest else { continue };
        let hours = (until.0 - from.0) as f64 / 3_600_000.0;
        cost.pod_hours += hours * f64::from(replicas);
        cost.above_min_pod_hours += hours * f64::from(replicas.saturating_sub(replicas_min));
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn span(from_h: i64, until_h: i64, replicas: u32) -> Span {
        Span {
            from: UnixMillis(from_h * HOUR_MS),
            until: UnixMillis(until_h * HOUR_MS),
            replicas,
        }
    }

    #[test]
    fn where_phases_overlap_the_higher_count_is_counted_once() {
        let cost = cost(&[span(0, 4, 10), span(2, 6, 4)], 2);
        assert!((cost.pod_hours - (4.0 * 10.0 + 2.0 * 4.0)).abs() < 1e-9);
        assert!((cost.above_min_pod_hours - (4.0 * 8.0 + 2.0 * 2.0)).abs() < 1e-9);
    }

    #[test]
    fn a_gap_between_phases_costs_nothing_extra() {
        let cost = cost(&[span(0, 1, 3), span(5, 6, 3)], 3);
        assert!((cost.pod_hours - 6.0).abs() < 1e-9);
        assert!(cost.above_min_pod_hours.abs() < 1e-9);
        assert_eq!(super::cost(&[], 2), Cost::default());
    }
}
