//! Why the Kubernetes cluster cannot be used, and what to do about it.

use std::error::Error;

use kube::config::{InferConfigError, KubeconfigError};

use crate::line::{chain, one_line};

/// Characters of an answer that are repeated: a refusal of an admission policy fits.
const ANSWER_CHARS_MAX: usize = 500;

/// What was requested of the server.
#[derive(Debug)]
pub struct Requested {
    /// `get`, `list` or `patch`.
    pub verb: &'static str,
    /// Plural with group.
    pub resource: String,
    /// Namespace; `None` for all of them.
    pub namespace: Option<String>,
    pub url: String,
}

impl Requested {
    /// How to get it all the same.
    fn way_out(&self) -> String {
        let Self { verb, resource, .. } = self;
        let role = format!("ask for a role with verb `{verb}` on `{resource}`");
        if self.namespace.is_none() {
            return format!("name a namespace with -n in place of -A, or {role} in all of them");
        }
        role
    }
}

impl std::fmt::Display for Requested {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in all namespaces"),
        }
    }
}

/// The cluster cannot be reached, or refuses.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig cannot be used; check --kubeconfig, $KUBECONFIG and --context")]
    Kubeconfig(#[source] Box<KubeconfigError>),
    /// There is neither a kubeconfig nor a pod's own account.
    #[error(
        "no Kubernetes cluster is configured: {0}; set --kubeconfig or $KUBECONFIG, or read saved files with -f"
    )]
    NoCluster(String),
    /// The client cannot be made, for example from an unreadable certificate.
    #[error("no client can be made from the kubeconfig; check its certificates and its user")]
    Client(#[source] Box<kube::Error>),
    /// The server was not reached.
    #[error("the cluster at {} was not reached; check the network, the VPN and --context", .0.url)]
    Unreachable(Requested, #[source] Box<kube::Error>),
    /// The server does not accept the credentials.
    #[error("the cluster at {} does not accept your credentials; log in again", .0.url)]
    Unauthorized(Requested, #[source] Answered),
    /// The user lacks a right.
    #[error("you may not {0}; {way}", way = .0.way_out())]
    Forbidden(Requested, #[source] Answered),
    /// The kind does not exist there.
    #[error(
        "the cluster at {} has no {}; is Floodgate installed there? check --context, or `kubectl apply -k manifests/operator`",
        .0.url, .0.resource
    )]
    NotInstalled(Requested, #[source] Answered),
    /// Anything else the server refuses.
    #[error("the server refused to {0}")]
    Refused(Requested, #[source] Answered),
}

/// The answer of the server, verbatim and without its envelope.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Answered(String);

impl AccessError {
    /// That there is neither a kubeconfig nor a pod's own account. That this is no pod is left out:
    /// whoever runs the plugin has a kubeconfig, or forgot it.
    pub(super) fn no_cluster(error: &InferConfigError) -> Self {
        let cause = error.source().map_or_else(|| error.to_string(), chain);
        Self::NoCluster(cause)
    }

    /// Sorts an error by what a person can do about it.
    pub(super) fn of_request(requested: Requested, error: kube::Error) -> Self {
        let kube::Error::Api(status) = error else {
            return Self::Unreachable(requested, Box::new(error));
        };
        let code = status.code;
        let answer = Answered(if status.message.is_empty() {
            format!("code {code}, {}", status.reason)
        } else {
            readable(&status.message)
        });
        match code {
            401 => Self::Unauthorized(requested, answer),
            403 => Self::Forbidden(requested, answer),
            404 => Self::NotInstalled(requested, answer),
            _ => Self::Refused(requested, answer),
        }
    }
}

/// The answer on one line: a proxy in between answers with a page of HTML.
fn readable(message: &str) -> String {
    let line = one_line(message);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= ANSWER_CHARS_MAX {
        return line;
    }
    line.chars().take(ANSWER_CHARS_MAX).chain(['…']).collect()
}

/// Whether the object is not there, although its kind is.
pub(super) fn is_absent(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let details = status.details.as_ref();
    status.code == 404 && details.is_some_and(|details| !details.name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_html_is_one_line_of_bounded_length() {
        let page = format!(
            "<html>\n  <title>Bad gateway</title>\n{}",
            "x".repeat(5_000)
        );
        let line = readable(&page);
        assert!(
            line.starts_with("<html> <title>Bad gateway</title> xxx"),
            "{line}"
        );
        assert_eq!(line.chars().count(), ANSWER_CHARS_MAX + 1);
        assert_eq!(readable("quota exceeded"), "quota exceeded");
    }
}
