//! What is said of a server that cannot be asked.

use super::{Endpoint, MissingReason, Prometheus, missing_from};

fn endpoint(url: &str) -> Endpoint {
    let url = url.to_owned();
    Endpoint { url, token: None }
}

#[test]
fn f01_an_address_that_asks_for_tls_is_refused_before_anything_is_sent() {
    for url in ["https://metrics.example:9090", "HTTPS://metrics.example"] {
        let refused = Prometheus::connect(&endpoint(url)).err().unwrap();
        let said =
            format!("`{url}` asks for TLS, which is not supported yet; must begin with `http://`");
        assert_eq!(refused.to_string(), said);
    }
    assert!(Prometheus::connect(&endpoint("http://metrics.example:9090")).is_ok());
}

#[tokio::test]
async fn f01_a_server_that_is_not_there_is_told_with_its_cause() {
    // Nobody can listen on port 0.
    let prometheus = Prometheus::connect(&endpoint("http://127.0.0.1:0")).unwrap();
    let error = prometheus
        .client
        .query("vector(1)")
        .get()
        .await
        .unwrap_err();
    let missing = missing_from(&error);
    assert_eq!(missing.reason, MissingReason::PrometheusUnavailable);
    let (_, cause) = missing.message.split_once("to server: ").unwrap();
    assert!(!cause.is_empty(), "{missing}");
}
