//! The history as OpenMetrics text, ready to be backfilled into Prometheus.
//!
//! Invariant: the counters never fall. A missing minute writes no sample, and the counter goes on
//! at the last rate seen, so that a gap is learned neither as zero nor as a spike.

use std::io::{self, Write};

use floodgate_contract::{Class, metrics};

use super::curve::Curve;

/// Share of the offered load per class, most important first; what the load generator sends.
pub const CLASS_SHARES: [f64; 4] = [0.01, 0.79, 0.05, 0.15];
const MINUTE_S: i64 = 60;

/// Writes the curve's past as one offered-load counter per class of `cluster` in `namespace`.
pub fn write_openmetrics(
    curve: &Curve,
    namespace: &str,
    cluster: &str,
    mut out: impl Write,
) -> io::Result<()> {
    let metric = metrics::OFFERED;
    let family = metric.strip_suffix("_total").unwrap_or(metric);
    writeln!(
        out,
        "# HELP {family} Requests clients sent, before this demo began."
    )?;
    writeln!(out, "# TYPE {family} counter")?;
    let first_s = curve.now_s - curve.past_rps.len() as i64 * MINUTE_S;
    for (class, share) in Class::ALL.into_iter().zip(CLASS_SHARES) {
        let labels = format!(
            "namespace=\"{namespace}\",cluster=\"{cluster}\",pod=\"history\",class=\"{}\"",
            class.as_str()
        );
        let (mut requests, mut rate_rps) = (0.0, 0.0);
        for (past_rps, minute) in curve.past_rps.iter().zip(1..) {
            rate_rps = past_rps.unwrap_or(rate_rps);
            requests += rate_rps * share * MINUTE_S as f64;
            if past_rps.is_some() {
                let time_s = first_s + minute * MINUTE_S;
                writeln!(out, "{metric}{{{labels}}} {requests:.0} {time_s}")?;
            }
        }
    }
    writeln!(out, "# EOF")
}

#[cfg(test)]
mod tests {
    use super::{CLASS_SHARES, write_openmetrics};
    use crate::sale_day::curve::Curve;

    fn text(past_rps: Vec<Option<f64>>) -> String {
        let curve = Curve {
            now_s: 1_000_020,
            past_rps,
            ahead_rps: vec![40.0],
        };
        let mut out = Vec::new();
        write_openmetrics(&curve, "pay", "checkout", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_series_per_class_in_openmetrics_form() {
        let text = text(vec![Some(100.0), Some(100.0)]);
        let expected = "\
# HELP payment_offered_requests Requests clients sent, before this demo began.
# TYPE payment_offered_requests counter
payment_offered_requests_total{namespace=\"pay\",cluster=\"checkout\",pod=\"history\",class=\"critical_plus\"} 60 999960
payment_offered_requests_total{namespace=\"pay\",cluster=\"checkout\",pod=\"history\",class=\"critical_plus\"} 120 1000020
";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.ends_with("\n# EOF\n"));
        assert_eq!(text.lines().count(), 2 + 2 * 4 + 1);
    }

    #[test]
    fn a_gap_has_no_samples_and_the_counter_never_falls() {
        let text = text(vec![Some(100.0), None, None, Some(0.0), Some(50.0)]);
        let critical: Vec<f64> = text
            .lines()
            .filter(|line| line.contains("class=\"critical\""))
            .map(|line| line.split(' ').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(
            critical,
            [4_740.0, 14_220.0, 16_590.0],
            "two minutes of the gap at the old rate"
        );
    }

    #[test]
    fn the_shares_of_the_classes_are_the_whole_load() {
        assert!((CLASS_SHARES.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
