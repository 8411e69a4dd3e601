//! What is on the wire.

use super::*;

#[test]
fn every_metric_of_the_contract_is_on_the_page_before_anything_happened() {
    let page = Metrics::new(2).render();
    for name in names::ALL {
        let sample = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let suffix = ["{", " ", "_bucket{", "_count{", "_sum{"];
            suffix
                .iter()
                .find(|suffix| rest.starts_with(**suffix))
                .map(|_| ())
        };
        assert!(
            page.lines().any(|line| sample(line).is_some()),
            "no sample of {name}:\n{page}"
        );
    }
    assert!(page.ends_with("# EOF\n"));
    assert!(!page.contains("_total_total"), "{page}");
}

#[test]
fn the_page_has_no_metric_outside_the_contract() {
    let page = Metrics::new(1).render();
    let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for family in families {
        let name = family.split(' ').next().expect("a name");
        let known = names::ALL.iter().any(|known| counter_free(known) == name);
        assert!(known, "{name} is not in the contract");
    }
}

fn counter_free(name: &str) -> &str {
    name.strip_suffix("_total").unwrap_or(name)
}

#[test]
fn counts_and_labels_are_those_of_the_contract() {
    let metrics = Metrics::new(1);
    metrics.offered(Class::Critical);
    metrics.admitted(Class::Critical);
    metrics.shed(Class::Sheddable, ShedReason::Queue);
    metrics.finished(Class::Critical, 503, Duration::from_millis(30));
    metrics.batch(0, 7, Duration::from_millis(3));
    metrics.batch(9, 7, Duration::from_millis(3));
    metrics.cache(Tier::L2, Outcome::Miss);
    let page = metrics.render();
    for line in [
        "payment_offered_requests_total{class=\"critical\"} 1",
        "payment_shed_requests_total{class=\"sheddable\",reason=\"queue\"} 1",
        "payment_failed_requests_total{class=\"critical\"} 1",
        "payment_request_duration_seconds_count{class=\"critical\"} 1",
        "payment_store_batch_payments_sum{shard=\"0\"} 7.0",
        "payment_cache_requests_total{tier=\"l2\",outcome=\"miss\"} 1",
    ] {
        assert!(page.contains(line), "no `{line}` in\n{page}");
    }
    let counts = metrics.class_counts();
    assert_eq!(counts[1].offered, 1);
    assert_eq!(counts[1].failed, 1);
    assert_eq!(counts[3].shed, 1);
}
