//! The CRDs, generated from the types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::{PaymentCluster, SaleEvent};

/// Both CRDs, each with the name of its file under `crds/`.
pub fn crds() -> [(&'static str, CustomResourceDefinition); 2] {
    [
        ("paymentclusters.yaml", PaymentCluster::crd()),
        ("saleevents.yaml", SaleEvent::crd()),
    ]
}

/// One CRD as YAML, as it stands under `crds/`.
pub fn crd_yaml(crd: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(crd)
}

/// Both CRDs as one YAML stream, what `floodgate-operator crd` prints.
pub fn crds_yaml() -> Result<String, serde_saphyr::ser::Error> {
    let mut yaml = String::new();
    for (_, crd) in crds() {
        yaml.push_str("---\n");
        yaml.push_str(&crd_yaml(&crd)?);
    }
    Ok(yaml)
}
