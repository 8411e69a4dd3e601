//! The API of Floodgate, group `floodgate.dev`, version `v1alpha1`.
//!
//! Types of `PaymentCluster` and `SaleEvent`, their conditions and reasons, the annotations a
//! person overrides with and how they are read, and the CRDs generated from all of it.
//! Invariant: no I/O, no clock, no Kubernetes client in this crate.
//! Invariant: the text on these fields is what a person reads in `kubectl explain`, so it says what
//! the field does, its default, its bounds and what it interacts with.

pub mod annotation;
pub mod cluster;
pub mod crds;
mod field;
pub mod overrides;
pub mod sale;
pub mod spelling;

pub use cluster::{PaymentCluster, PaymentClusterSpec, status::PaymentClusterStatus};
pub use crds::crds_yaml;
pub use field::FieldError;
use kube::core::params::{PatchParams, ValidationDirective};
pub use sale::{SaleEvent, SaleEventSpec, status::SaleEventStatus};

/// API group of both kinds, and prefix of every label and annotation that is ours.
pub const GROUP: &str = "floodgate.dev";
/// Version served and stored.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of both kinds.
pub const API_VERSION: &str = "floodgate.dev/v1alpha1";
/// Field manager of every server-side apply the operator makes.
pub const FIELD_MANAGER: &str = "floodgate.dev/operator";
/// How the operator applies everything: as its own field manager, strict about fields that the
/// apiserver does not know.
pub fn apply_params() -> PatchParams {
    PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(FIELD_MANAGER).force()
    }
}

/// Label on every object and pod of a cluster; its value is the name of the `PaymentCluster`.
pub const CLUSTER_LABEL: &str = "floodgate.dev/cluster";
