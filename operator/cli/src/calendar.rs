//! A `SaleEvent` as the planner takes it. Pure.
//!
//! `floodgate-settings` reads and checks sales as it does for the operator; this module says which of
//! them hit a cluster, and describes the others.

use floodgate_api::{FieldError, PaymentCluster, SaleEvent};
use floodgate_planner::Sale;
use floodgate_settings::planner_sale;
use floodgate_words::Level;
use kube::ResourceExt;

/// What a sale that nobody wrote as a `SaleEvent` leaves on: the default of `spec.protect`.
pub const LEVEL_MAX_USUAL: Level = Level::Protect;

/// Whether a sale hits a cluster; files may leave the namespace of either open.
pub fn selects(event: &SaleEvent, cluster: &PaymentCluster) -> bool {
    let here = match (event.namespace(), cluster.namespace()) {
        (Some(of_sale), Some(of_cluster)) => of_sale == of_cluster,
        _ => true,
    };
    here && event.spec.cluster_selector.matches(cluster)
}

/// The sale with its phases in the order of their T0; `all` are the sales `learnFrom` may name.
pub fn sale(event: &SaleEvent, all: &[SaleEvent]) -> Result<Sale, FieldError> {
    read(event, all).map(|(sale, _)| sale)
}

/// Local times of a sale that do not exist or come twice, and what is taken for them.
pub fn remarks(event: &SaleEvent, all: &[SaleEvent]) -> Vec<String> {
    read(event, all).map_or_else(|_| Vec::new(), |(_, remarks)| remarks)
}

fn read(event: &SaleEvent, all: &[SaleEvent]) -> Result<(Sale, Vec<String>), FieldError> {
    let namespace = event.namespace();
    let siblings = all.iter().filter(|other| other.namespace() == namespace);
    planner_sale(event, event.learned_percent(siblings))
}

/// What a selector asks for: `the name checkout or kiosk`, `the label sale=autumn`, or both.
pub fn selector_in_words(event: &SaleEvent) -> String {
    let selector = &event.spec.cluster_selector;
    let labels = selector.match_labels.iter();
    let labels: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.0))
        .collect();
    let mut words = Vec::new();
    if !selector.names.is_empty() {
        words.push(format!("the name {}", selector.names.join(" or ")));
    }
    if !labels.is_empty() {
        words.push(format!("the label {}", labels.join(" and ")));
    }
    let place = event.namespace().map_or_else(String::new, |namespace| {
        format!(" in namespace {namespace}")
    });
    words.join(", or ") + &place
}

/// A cluster with what a selector could match: `checkout (labels app=pay, tier=one)`.
pub fn cluster_in_words(cluster: &PaymentCluster) -> String {
    let labels = cluster.labels().iter();
    let labels: Vec<String> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let labels = match labels.len() {
        0 => "no labels".to_owned(),
        1 => format!("label {}", labels.join("")),
        _ => format!("labels {}", labels.join(", ")),
    };
    match cluster.namespace() {
        Some(namespace) => format!("{} in namespace {namespace} ({labels})", cluster.name_any()),
        None => format!("{} ({labels})", cluster.name_any()),
    }
}
