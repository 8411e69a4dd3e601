//! The `OpenAPI` document is what is committed, and says what the router does.

use std::path::Path;

use payment_svc::http::document;

use super::shop::Shop;

#[test]
fn the_openapi_document_is_the_committed_one() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, document()).unwrap();
    }
    let committed = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        committed == document(),
        "openapi.json differs; run with UPDATE_GOLDEN=1 and read the difference"
    );
}

#[tokio::test]
async fn the_document_is_served_and_names_every_route() {
    let shop = Shop::open().await;
    let served = shop.get("/openapi.json").await;
    assert_eq!(served.status, 200);
    assert_eq!(served.body["openapi"], "3.1.0");
    let paths: Vec<&String> = served.body["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/v1/accounts/{id}",
            "/v1/merchants/{id}",
            "/v1/payments",
            "/v1/payments/{id}",
            "/v1/payments/{id}/refunds",
        ]
    );
}
