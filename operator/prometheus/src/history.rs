//! The past load of one cluster: days of samples, fetched in chunks.

use floodgate_contract::metrics::OFFERED;
use jiff::{SignedDuration, Timestamp};
use prometheus_http_query::response::{Data, RangeVector};

use crate::{
    Missing, MissingReason, Prometheus, cluster_of, escaped, many_series, missing_from, send,
    timestamp_from,
};

/// Samples asked for at once: a server answers so many within the deadline also when its blocks
/// are cold, and refuses more than 11,000.
const CHUNK_SAMPLES: i64 = 2_000;

/// One sample of the past, as the server gave it: the series refuses what is no rate, and counts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastLoad {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// Requests/s offered; may be NaN, infinite, negative or absurd.
    pub rps: f64,
}

/// Which past is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant asked for.
    pub from: Timestamp,
    /// The last instant asked for.
    pub until: Timestamp,
    /// Seconds between two samples.
    pub step_s: u32,
}

/// Query for the past of one cluster, when it does not bring its own.
pub fn history_query(namespace: &str, cluster: &str) -> String {
    let (namespace, cluster) = (escaped(namespace), escaped(cluster));
    format!(
        r#"sum(max by (pod, class) (rate({OFFERED}{{namespace="{namespace}",cluster="{cluster}"}}[5m])))"#
    )
}

impl Prometheus {
    /// Past loads in order of time; what was not scraped is left out, never zero (F09).
    ///
    /// A query may yield one series, or one that carries the labels of `cluster`, as for the load.
    pub async fn history(
        &self,
        promql: &str,
        cluster: &(String, String),
        span: Span,
    ) -> Result<Vec<PastLoad>, Missing> {
        let mut past = Vec::new();
        for (from, until) in chunks(span) {
            let step_s = f64::from(span.step_s);
            let query =
                self.client
                    .query_range(promql, from.as_second(), until.as_second(), step_s);
            let answer = send!(self, query).map_err(|error| missing_from(&error))?;
            past.extend(past_from(answer.data(), cluster)?);
        }
        Ok(past)
    }
}

/// Cuts a span into pieces of at most [`CHUNK_SAMPLES`] that neither overlap nor leave a hole.
fn chunks(span: Span) -> Vec<(Timestamp, Timestamp)> {
    let step_s = i64::from(span.step_s.max(1));
    // Whole steps since the epoch, so that two fetches ask for the same instants.
    let first_s = span.from.as_second().div_euclid(step_s) * step_s;
    let last_s = span.until.as_second();
    let mut pieces = Vec::new();
    let mut from_s = first_s;
    while from_s <= last_s {
        let until_s = (from_s + (CHUNK_SAMPLES - 1) * step_s).min(last_s);
        let ends = Timestamp::from_second(from_s)
            .ok()
            .zip(Timestamp::from_second(until_s).ok());
        pieces.extend(ends);
        from_s += CHUNK_SAMPLES * step_s;
    }
    pieces
}

fn past_from(data: &Data, cluster: &(String, String)) -> Result<Vec<PastLoad>, Missing> {
    let Data::Matrix(series) = data else {
        return Err(Missing::because(
            MissingReason::QueryShapeInvalid,
            "must yield a range",
        ));
    };
    let labelled = |one: &&RangeVector| {
        cluster_of(one.metric())
            .as_ref()
            .is_some_and(|own| own == cluster)
    };
    let own: Vec<_> = series.iter().filter(labelled).collect();
    let samples = match (own.as_slice(), series.as_slice()) {
        ([one], _) => one.samples(),
        ([], [one]) => one.samples(),
        ([], []) => &[],
        _ => return Err(many_series(series.len())),
    };
    let samples = samples.iter();
    let past = samples.filter_map(|sample| {
        let at = timestamp_from(sample.timestamp())?;
        let rps = sample.value();
        Some(PastLoad { at, rps })
    });
    Ok(past.collect())
}

/// The span of `history` that ends at `now`.
pub fn span_until(now: Timestamp, history: SignedDuration, step_s: u32) -> Span {
    let from = now.checked_sub(history).unwrap_or(Timestamp::UNIX_EPOCH);
    Span {
        from,
        until: now,
        step_s,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn chunks_cover_the_span_once_and_stay_small() {
        let now = Timestamp::from_second(1_700_000_123).unwrap();
        let span = span_until(now, SignedDuration::from_hours(14 * 24), 60);
        let pieces = chunks(span);
        assert!(pieces.len() > 5);
        let mut instants = Vec::new();
        for (from, until) in &pieces {
            let count = (until.as_second() - from.as_second()) / 60 + 1;
            assert!(count <= CHUNK_SAMPLES);
            instants.extend((0..count).map(|step| from.as_second() + step * 60));
        }
        assert!(instants.windows(2).all(|pair| pair[1] - pair[0] == 60));
        assert!(instants.last().unwrap() + 60 > now.as_second());
    }

    #[test]
    fn f09_holes_stay_holes_and_what_is_no_rate_is_left_to_the_series() {
        let values = json!([[60.0, "1"], [120.0, "NaN"], [300.0, "-2"], [360.0, "4"]]);
        let result = json!([{"metric": {}, "values": values}]);
        let data = serde_json::from_value(json!({"resultType": "matrix", "result": result}));
        let past = past_from(&data.unwrap(), &key()).unwrap();
        let kept: Vec<_> = past.iter().map(|one| one.at.as_second()).collect();
        assert_eq!(kept, [60, 120, 300, 360]);
        assert!(past[1].rps.is_nan() && past[2].rps < 0.0);
    }

    fn key() -> (String, String) {
        ("pay".to_owned(), "till".to_owned())
    }

    #[test]
    fn b33_the_past_of_a_query_of_ones_own_is_the_series_with_the_clusters_labels() {
        let series = |cluster: &str, value: &str| {
            let labels = json!({"namespace": "pay", "cluster": cluster});
            json!({"metric": labels, "values": [[60.0, value]]})
        };
        let data = |result: serde_json::Value| {
            serde_json::from_value::<Data>(json!({"resultType": "matrix", "result": result}))
        };
        let both = data(json!([series("shop", "9"), series("till", "4")])).unwrap();
        let past = past_from(&both, &key()).unwrap();
        assert!((past[0].rps - 4.0).abs() < 1e-9);
        let others = data(json!([series("shop", "9"), series("store", "4")])).unwrap();
        let refused = past_from(&others, &key()).unwrap_err();
        assert_eq!(refused.reason, MissingReason::QueryShapeInvalid);
        assert!(
            past_from(&data(json!([])).unwrap(), &key())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn b18_label_values_cannot_leave_their_quotes() {
        let query = history_query("pay", "\"} or up{");
        assert!(query.contains(r#"cluster="\"} or up{""#), "{query}");
    }
}
