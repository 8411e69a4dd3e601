//! The present load of every cluster of one Prometheus, in one query.

use std::collections::HashMap;

use floodgate_contract::metrics::OFFERED;
use jiff::Timestamp;
use prometheus_http_query::response::{Data, InstantVector};

use crate::{
    Missing, MissingReason, Prometheus, checked_rps, cluster_of, many_series, missing_from, send,
    timestamp_from,
};

/// A load with the times it was true at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Requests/s offered.
    pub rps: f64,
    /// Seconds between the newest sample and the evaluation, by the server's clock.
    pub age_s: f64,
    /// The server's clock at evaluation.
    pub server_time: Timestamp,
    /// Pods whose counters the number is made of; none for a query of the cluster's own.
    pub pods: Option<u32>,
}

/// Loads by namespace and cluster name.
pub type Loads = HashMap<(String, String), Result<Load, Missing>>;

/// Label that distinguishes the parts of the shared query.
const FACT: &str = "fact";

/// One query for every cluster a Prometheus knows: the rate, the time of the newest sample, and how
/// many pods have one.
///
/// The inner maximum by pod and class keeps a pod that is scraped twice, or by two servers of a
/// pair, from counting twice (F06); the time distinguishes a target that is gone from one that is idle (F07).
pub fn shared_query() -> String {
    let rate = format!(
        "sum by (namespace, cluster) (max by (namespace, cluster, pod, class) (rate({OFFERED}[1m])))"
    );
    let sampled_at = format!("max by (namespace, cluster) (timestamp({OFFERED}))");
    let pods =
        format!("count by (namespace, cluster) (count by (namespace, cluster, pod) ({OFFERED}))");
    let facts = [("rps", rate), ("at", sampled_at), ("pods", pods)];
    let facts =
        facts.map(|(fact, query)| format!(r#"label_replace({query}, "{FACT}", "{fact}", "", "")"#));
    facts.join(" or ")
}

impl Prometheus {
    /// Loads of all clusters this Prometheus knows; a failure of the query is one for all.
    pub async fn loads(&self) -> Result<Loads, Missing> {
        let answer = send!(self, self.client.query(shared_query()));
        loads_from(answer.map_err(|error| missing_from(&error))?.data())
    }

    /// Loads of `clusters` by a query of their own: one series that carries the labels of each, or
    /// one single number for all.
    pub async fn loads_by(
        &self,
        promql: &str,
        clusters: &[(String, String)],
    ) -> Result<Loads, Missing> {
        let answer = send!(self, self.client.query(promql));
        let answer = answer.map_err(|error| missing_from(&error))?;
        let load = |cluster: &(String, String)| load_from(answer.data(), cluster);
        Ok(clusters
            .iter()
            .map(|cluster| (cluster.clone(), load(cluster)))
            .collect())
    }
}

/// Splits the answer to [`shared_query`] by cluster.
fn loads_from(data: &Data) -> Result<Loads, Missing> {
    let Data::Vector(series) = data else {
        return Err(shape_invalid("the answer is not a vector"));
    };
    let fact = |name: &'static str| {
        series
            .iter()
            .filter(move |one| one.metric().get(FACT).is_some_and(|fact| fact == name))
            .filter_map(|one| Some((cluster_of(one.metric())?, one.sample())))
    };
    let sampled_at: HashMap<_, _> = fact("at").collect();
    let pods: HashMap<_, _> = fact("pods").collect();
    let loads = fact("rps").map(|(cluster, sample)| {
        let at_s = sampled_at.get(&cluster).map(|sample| sample.value());
        let pods = pods.get(&cluster).map(|sample| sample.value() as u32);
        let load = checked_rps(sample.value()).and_then(|rps| match at_s {
            Some(at_s) => Ok(Load {
                pods,
                ..load_of(rps, sample.timestamp(), at_s)?
            }),
            None => Err(Missing::because(
                MissingReason::Stale,
                "the targets are gone; only the past minute has samples",
            )),
        });
        (cluster, load)
    });
    Ok(loads.collect())
}

/// The one number of a query of the cluster's own; its sample time is not known.
fn load_from(data: &Data, cluster: &(String, String)) -> Result<Load, Missing> {
    let sample = match data {
        Data::Scalar(sample) => sample,
        Data::Vector(series) => {
            let labelled =
                |one: &&InstantVector| cluster_of(one.metric()).as_ref() == Some(cluster);
            let own: Vec<_> = series.iter().filter(labelled).collect();
            match (own.as_slice(), series.as_slice()) {
                ([one], _) => one.sample(),
                ([], [one]) => one.sample(),
                ([], []) => {
                    let message = "the query yields nothing";
                    return Err(Missing::because(MissingReason::NoData, message));
                }
                _ => return Err(many_series(series.len())),
            }
        }
        Data::Matrix(_) => return Err(shape_invalid("the query yields a range; must be a number")),
    };
    load_of(sample.value(), sample.timestamp(), sample.timestamp())
}

fn load_of(rps: f64, evaluated_at_s: f64, sampled_at_s: f64) -> Result<Load, Missing> {
    let rps = checked_rps(rps)?;
    let times = timestamp_from(evaluated_at_s).zip(timestamp_from(sampled_at_s));
    let Some((server_time, sampled_at)) = times else {
        return Err(Missing::because(
            MissingReason::AnswerUndecodable,
            "a timestamp is absurd",
        ));
    };
    // A sample from the server's own future is as fresh as can be (B35).
    let age_s = server_time
        .duration_since(sampled_at)
        .as_secs_f64()
        .max(0.0);
    Ok(Load {
        rps,
        age_s,
        server_time,
        pods: None,
    })
}

fn shape_invalid(message: impl Into<String>) -> Missing {
    Missing::because(MissingReason::QueryShapeInvalid, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn data(result_type: &str, result: &Value) -> Data {
        serde_json::from_value(json!({"resultType": result_type, "result": result})).unwrap()
    }

    fn series(fact: &str, value: &str) -> Value {
        let labels = json!({"namespace": "pay", "cluster": "till", "fact": fact});
        json!({"metric": labels, "value": [1_000.0, value]})
    }

    fn till(result: &Value) -> Option<Result<Load, Missing>> {
        let loads = loads_from(&data("vector", result)).unwrap();
        loads.get(&key()).cloned()
    }

    fn key() -> (String, String) {
        ("pay".to_owned(), "till".to_owned())
    }

    fn reason(load: Option<Result<Load, Missing>>) -> MissingReason {
        load.unwrap().unwrap_err().reason
    }

    #[test]
    fn the_age_comes_from_the_sample_not_from_the_evaluation() {
        let load = till(&json!([series("rps", "42.5"), series("at", "991")]))
            .unwrap()
            .unwrap();
        assert!((load.rps - 42.5).abs() < 1e-9);
        assert!((load.age_s - 9.0).abs() < 1e-9);
    }

    #[test]
    fn f03_an_empty_answer_is_no_load_at_all() {
        assert!(till(&json!([])).is_none());
        let own = load_from(&data("vector", &json!([])), &key());
        assert_eq!(own.unwrap_err().reason, MissingReason::NoData);
    }

    #[test]
    fn f04_f05_a_number_that_cannot_be_is_missing_not_zero() {
        let at = series("at", "999");
        for (value, expected) in [
            ("NaN", MissingReason::NotANumber),
            ("+Inf", MissingReason::OutOfRange),
            ("-Inf", MissingReason::OutOfRange),
            ("1e308", MissingReason::OutOfRange),
            ("-1", MissingReason::OutOfRange),
        ] {
            assert_eq!(
                reason(till(&json!([series("rps", value), at]))),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn the_pods_behind_the_number_are_counted() {
        let facts = [
            series("rps", "40"),
            series("at", "999"),
            series("pods", "3"),
        ];
        assert_eq!(till(&json!(facts)).unwrap().unwrap().pods, Some(3));
    }

    #[test]
    fn f07_a_rate_whose_target_is_gone_is_stale() {
        assert_eq!(
            reason(till(&json!([series("rps", "40")]))),
            MissingReason::Stale
        );
    }

    #[test]
    fn b33_a_query_of_ones_own_must_yield_one_number() {
        let two = data("vector", &json!([series("a", "1"), series("b", "2")]));
        assert_eq!(
            load_from(&two, &key()).unwrap_err().reason,
            MissingReason::QueryShapeInvalid
        );
        let range = data("matrix", &json!([{"metric": {}, "values": [[1.0, "2"]]}]));
        assert_eq!(
            load_from(&range, &key()).unwrap_err().reason,
            MissingReason::QueryShapeInvalid
        );
        let scalar = data("scalar", &json!([1_000.0, "7"]));
        assert!((load_from(&scalar, &key()).unwrap().rps - 7.0).abs() < 1e-9);
        let other =
            json!({"metric": {"namespace": "pay", "cluster": "other"}, "value": [1.0, "9"]});
        let labelled = data("vector", &json!([series("a", "1"), other]));
        assert!((load_from(&labelled, &key()).unwrap().rps - 1.0).abs() < 1e-9);
    }
}
